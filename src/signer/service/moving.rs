//! Keys that move between two signers. A key leaves as an open descriptor of its encrypted file, and comes as one.
//!
//! What came is not used before it has settled, and what leaves stays until it departs (`leaving.rs`): whoever is killed in
//! between leaves one place in which the key is used. It settles only when it is known what it signed elsewhere; the name
//! of its file says whether it is.
use super::answers::{Answer, Signer, signer};
use super::remembering::identity;
use super::seams::Coming;
use crate::failpoint;
use crate::index::KeyLocation;
use crate::signer::KeyEnvelope;
use crate::signer::copies::MOST as MOST_OF_ONE_CA;
use crate::signer::protocol::{Failure, Frame, MOST_SERIALS, Reply, confirmed, put_end, put_serial, serials};
use crate::signer::unlocking::{Login, known_as, login_of};
use crate::signer::{Act, ActKind, Admission, ClientClass, Peer};
use crate::signing::{KeyError, KeyRef, MoveKeyFiles};
use crate::x509::extension::CrlNumber;
use crate::x509::{Certificate, SerialNumber, UnixTime, sha256};
use std::collections::HashMap;
use std::os::fd::OwnedFd;
use std::sync::{MutexGuard, PoisonError};

/// Bound of the envelopes that are kept until an administrator has looked at them.
const MOST_PROPOSALS: usize = 64;

/// Seconds for which an envelope waits for an administrator.
const PROPOSED_FOR: i64 = 3600;

/// What a client has asked for a key that is to come, until an administrator has looked at it.
pub(super) struct Proposed {
    envelope: String,
    /// SHA-256 of each certificate that comes along, in order.
    certificates: Vec<[u8; 32]>,
    /// A line about each for which no key of this signer vouches.
    unvouched: Vec<String>,
    at: UnixTime,
}

/// A key that has come and did not settle.
pub(super) struct Came {
    identity: [u8; 32],
    /// Who had it come; `None` for a client without a login.
    login: Option<Login>,
}

impl Signer {
    pub(super) fn files(&self, key: &KeyRef) -> Result<&dyn MoveKeyFiles, KeyError> {
        let unable = || KeyError::Signer(format!("the key {} is in no file that can be moved", key.uri));
        self.vault(key)?.moving().ok_or_else(unable)
    }

    /// Returns what is kept beside a key.
    pub(super) fn belongings(&self, key: &KeyRef) -> Answer {
        let mark = self.vault(key)?.keys().mark(key)?.number;
        let kept = self.parts.rules.kept(key, &identity(key)?)?;
        let mut parts = vec![kept.envelope.unwrap_or_default().into_bytes()];
        parts.extend(kept.certificates.iter().map(|one| one.as_der().to_vec()));
        Ok(Frame::with(Reply::Belongings { mark }, parts))
    }

    /// Returns the envelope that a key gets if it comes here.
    pub(super) fn propose(
        &self,
        peer: &Peer,
        key: &KeyRef,
        (profile, urls): (&str, &[String]),
        parts: &[Vec<u8>],
    ) -> Answer {
        let brought = Brought::of(key, parts)?;
        let text = self.parts.rules.envelope_of(&brought.coming(peer, key, (profile, urls)))?;
        let is_there = self.is_there(key)?;
        let kept = self.parts.rules.kept(key, &identity(key)?)?;
        let is_here = is_there && !kept.certificates.is_empty();
        // one that is here does not come, as after a move that was cut short late
        if peer.class != ClientClass::Child && !is_there {
            let coming = brought.coming(peer, key, (profile, urls));
            let unvouched = self.parts.rules.unvouched(&coming)?;
            let (envelope, certificates, at) = (text.clone(), brought.digests(), (self.parts.now)());
            // an administrator is shown it before the key comes
            let mut proposals = self.proposals();
            if proposals.len() >= MOST_PROPOSALS && !proposals.contains_key(&known_as(key)) {
                proposals.clear();
            }
            proposals.insert(known_as(key), Proposed { envelope, certificates, unvouched, at });
        }
        Ok(Frame::with(Reply::Proposed { is_here }, vec![text.into_bytes()]))
    }

    fn is_there(&self, key: &KeyRef) -> Result<bool, KeyError> {
        let inspected = self.vault(key)?.keys().inspecting().map(|keys| keys.inspect(key));
        Ok(matches!(inspected, Some(Ok(()))))
    }

    /// Returns the envelopes that still wait for an administrator.
    fn proposals(&self) -> MutexGuard<'_, HashMap<String, Proposed>> {
        let mut proposals = self.proposals.lock().unwrap_or_else(PoisonError::into_inner);
        let now = (self.parts.now)();
        proposals.retain(|_, one| (0..=PROPOSED_FOR).contains(&now.0.saturating_sub(one.at.0)));
        proposals
    }

    /// Returns whether an envelope waits for an administrator, which would be lost with this process.
    pub(super) fn is_asked_for_a_key(&self) -> bool {
        !self.proposals().is_empty()
    }

    /// Returns the envelope that was proposed last for the key of this name, for an administrator who is to allow
    /// that it comes, the SHA-256 of the certificates that come along, and the lines about those for which nobody
    /// vouches; no part where nobody asked for any, or the key is here.
    pub(super) fn proposal(&self, key: &str) -> Answer {
        let uri = match key.contains(':') {
            true => key.to_owned(),
            false => KeyLocation::File(&format!("{key}.age")).to_string(),
        };
        let key = KeyRef { identity: None, uri };
        if self.is_there(&key)? {
            return Ok(Reply::Done.into());
        }
        let parts = self.proposals().get(&known_as(&key)).map(|one| {
            let (text, lines) = (one.envelope.clone().into_bytes(), one.unvouched.join("\n").into_bytes());
            vec![text, one.certificates.concat(), lines]
        });
        Ok(Frame::with(Reply::Done, parts.unwrap_or_default()))
    }

    /// Takes a key in that is not used yet.
    pub(super) fn come(
        &self,
        peer: &Peer,
        key: &KeyRef,
        profile: &str,
        parts: &[Vec<u8>],
        descriptors: Vec<OwnedFd>,
    ) -> Answer {
        let of = identity(key)?;
        let [file] = <[OwnedFd; 1]>::try_from(descriptors)
            .map_err(|_| signer("a key is handed over as one open descriptor"))?;
        let brought = Brought::of(key, parts)?;
        let coming = brought.coming(peer, key, (profile, &[]));
        let envelope = self.parts.rules.envelope_of(&coming)?;
        if brought.envelope.as_deref() != Some(&envelope) {
            return Err(signer(
                "the envelope that was confirmed is another one than the key gets; try again",
            ));
        }
        let files = self.files(key)?;
        let sealed = files.taken_in(key, file)?;
        let digest = confirmed(&envelope, &brought.digests().concat());
        let opened = self.parts.ring.open_coming(peer, (key, &digest), &|| files.open_taken(key, &sealed))?;
        if opened.is_some_and(|opened| opened.public_key().digest() != of) {
            return Err(KeyError::OtherKey(self.vault(key)?.keys().place(key)).into());
        }
        let comes = (ActKind::KeyMoved, format!("{} comes", key.uri));
        self.take_in(peer, &coming, (&envelope, comes), &sealed)?;
        Ok(Reply::Done.into())
    }

    /// Takes in a key that is not used yet: the journal has it, then its limits are kept, then it is put beside its
    /// place.
    pub(super) fn take_in(
        &self,
        peer: &Peer,
        coming: &Coming<'_>,
        (envelope, comes): (&str, (ActKind, String)),
        sealed: &[u8],
    ) -> Result<(), Failure> {
        let (key, of) = (coming.key, identity(coming.key)?);
        // before the key is there, so that what it signed elsewhere is older than its coming
        let mut acts = vec![comes, (ActKind::Envelope, on_one_line(envelope))];
        let strange = self.parts.rules.unvouched(coming)?;
        acts.extend(strange.into_iter().map(|one| (ActKind::Envelope, format!("{}: {one}", key.uri))));
        let acts = acts.into_iter().map(|(kind, details)| Act { kind, key: Some(of), details });
        let (by, at, journal) = self.remembers(peer)?;
        let turn = journal.turn()?.acted(by, at, acts.collect())?;
        failpoint::passed("signer: coming noted");
        self.parts.rules.keep(coming, envelope)?;
        drop(turn);
        failpoint::passed("signer: envelope of the coming key kept");
        self.files(key)?.put_aside(key, sealed)?;
        // the next one is shown anew
        self.proposals().remove(&known_as(key));
        self.coming().insert(key.uri.clone(), Came { identity: of, login: login_of(peer) });
        Ok(())
    }

    /// Says which key is in its place under this name, or was brought for it by an administrator of this login.
    pub(super) fn awaited(&self, peer: &Peer, key: &KeyRef) -> Answer {
        let is_by = |came: &&Came| came.login.is_some() && came.login == login_of(peer);
        let came = self.coming().get(&key.uri).filter(is_by).map(|came| came.identity);
        let of = match came {
            Some(of) => Some(of),
            None if self.is_there(key)? => self.parts.rules.identity_named(key)?,
            None => None,
        };
        let Some(of) = of else {
            return Ok(Reply::Awaited { settled: false, profile: String::new() }.into());
        };
        let envelope = self.parts.rules.kept(key, &of)?.envelope;
        let profile = envelope.and_then(|text| KeyEnvelope::parse(&text).ok()).map(|one| one.profile);
        let message = Reply::Awaited { settled: came.is_none(), profile: profile.unwrap_or_default() };
        Ok(Frame::with(message, vec![of.to_vec()]))
    }

    pub(super) fn coming(&self) -> std::sync::MutexGuard<'_, std::collections::HashMap<String, Came>> {
        self.coming.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the identity of a key that has come and not settled. The word of a client that is not the user of the keys is
    /// not taken for it: it would be the envelope of another key that goes.
    pub(super) fn identity_of_coming(&self, peer: &Peer, key: &KeyRef) -> Option<[u8; 32]> {
        match peer.class {
            ClientClass::Child => key.identity,
            _ => self.coming().get(&key.uri).map(|came| came.identity),
        }
    }

    /// Returns whether this is the key that this login, or this child, has had come under this name, and did not settle.
    pub(super) fn is_coming(&self, peer: &Peer, key: &KeyRef, identity: &[u8; 32]) -> bool {
        let is_by = |came: &Came| peer.class == ClientClass::Child || came.login == login_of(peer);
        self.coming().get(&key.uri).is_some_and(|came| came.identity == *identity && is_by(came))
    }

    /// Returns serial numbers that a key has used.
    pub(super) fn used(&self, peer: &Peer, key: &KeyRef, parts: &[Vec<u8>]) -> Answer {
        let after = serials(parts.first().map(Vec::as_slice).unwrap_or_default())?;
        let (of, (_, _, journal)) = (identity(key)?, self.remembers(peer)?);
        let (mut part, mut times) = (Vec::new(), Vec::new());
        let turn = journal.turn()?;
        for serial in turn.used_after(&of, after.first(), MOST_SERIALS)? {
            put_serial(&mut part, &serial);
            put_end(&mut times, turn.record().not_after(&of, &serial)?);
        }
        Ok(Frame::with(Reply::Done, vec![part, times]))
    }

    /// Remembers what a key that has come has used elsewhere. With the last of it, the key may settle.
    pub(super) fn claim(
        &self,
        peer: &Peer,
        key: &KeyRef,
        until: UnixTime,
        (mark, is_unlisted): (CrlNumber, bool),
        (last, parts): (bool, &[Vec<u8>]),
    ) -> Answer {
        let of = identity(key)?;
        if !self.is_coming(peer, key, &of) {
            return Err(signer("only who has a key come says what it signed elsewhere"));
        }
        let used: Vec<SerialNumber> = serials(parts.first().map(Vec::as_slice).unwrap_or_default())?;
        let until = match peer.class {
            ClientClass::Child => until,
            // an earlier end would let a revocation leave the CRLs
            _ => {
                let kept = self.parts.rules.kept(key, &of)?.certificates;
                kept.iter().map(|one| one.tbs().validity().not_after).fold(until, UnixTime::max)
            }
        };
        let (by, at, journal) = self.remembers(peer)?;
        let turn = journal.turn()?;
        let shown = turn.record().last_crl(&of)?.map_or(0, |last| last.number);
        // the child's home has its own mark, which is not above that of its last CRL without need
        let is_own = peer.class == ClientClass::Child && !is_unlisted;
        if !is_own && mark.saturating_sub(shown) > Admission::FAR / 2 {
            return Err(signer(&format!(
                "the CRL number {mark} is so far above {shown}, that of the last CRL of this CA that it was shown, that the \
                 next CRL would not be signed; show it the last CRL"
            )));
        }
        turn.claim(by, at, of, used, until, if is_unlisted { 0 } else { mark })?;
        failpoint::passed("signer: what was signed elsewhere is remembered");
        self.vault(key)?.keys().raise_mark(key, mark)?;
        if last {
            self.files(key)?.completed(key)?;
        }
        Ok(Reply::Done.into())
    }

    /// Has a key used that has come.
    pub(super) fn settle(&self, peer: &Peer, key: &KeyRef) -> Answer {
        let identity = self.identity_of_coming(peer, key);
        let moved = self.files(key)?.settle(key)?;
        if moved {
            self.act(peer, ActKind::KeyMoved, identity, format!("{} is here", key.uri))?;
            failpoint::passed("signer: settling noted");
            self.parts.ring.settled(&KeyRef { identity, ..key.clone() });
        }
        self.coming().remove(&key.uri);
        Ok(Reply::Moved { moved }.into())
    }
}

/// Octets of an envelope that the journal repeats.
const REPEATED: usize = 4096;

/// Returns the lines of an envelope, without comments, for the journal.
fn on_one_line(envelope: &str) -> String {
    let lines = envelope.lines().filter(|line| !line.starts_with('#'));
    lines.collect::<Vec<_>>().join("; ").chars().take(REPEATED).collect()
}

/// What comes with a key.
pub(super) struct Brought {
    envelope: Option<String>,
    certificates: Vec<Certificate>,
}

impl Brought {
    pub(super) fn of(key: &KeyRef, parts: &[Vec<u8>]) -> Result<Self, Failure> {
        let of = identity(key)?;
        let (envelope, certificates) =
            parts.split_first().ok_or_else(|| signer("a key comes with its envelope"))?;
        // before any is read: each is compared with the others
        if certificates.len() > MOST_OF_ONE_CA {
            return Err(signer(&format!("a key comes with {MOST_OF_ONE_CA} certificates of its CA at most")));
        }
        let envelope =
            String::from_utf8(envelope.clone()).map_err(|_| signer("an envelope is written in UTF-8"))?;
        let read = |octets: &Vec<u8>| super::answers::certificate(octets);
        let certificates = certificates.iter().map(read).collect::<Result<Vec<_>, _>>()?;
        if certificates.is_empty() || certificates.iter().any(|one| one.tbs().public_key().digest() != of) {
            return Err(signer("a key comes with the certificates of its CA, and no other ones"));
        }
        Ok(Self { envelope: Some(envelope).filter(|text| !text.is_empty()), certificates })
    }

    /// Returns the SHA-256 of each certificate, in order.
    pub(super) fn digests(&self) -> Vec<[u8; 32]> {
        let mut digests: Vec<[u8; 32]> = self.certificates.iter().map(|one| sha256(one.as_der())).collect();
        digests.sort_unstable();
        digests
    }

    pub(super) fn coming<'a>(
        &'a self,
        peer: &Peer,
        key: &'a KeyRef,
        (profile, urls): (&'a str, &'a [String]),
    ) -> Coming<'a> {
        Coming {
            key,
            profile,
            urls,
            certificates: &self.certificates,
            envelope: self.envelope.as_deref(),
            is_own: peer.class == ClientClass::Child,
        }
    }
}
