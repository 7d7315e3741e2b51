//! Answers to the requests of a client.
use super::between::Between;
use super::foreign::find_keys;
use super::leaving::Leaving;
use super::making::{BoundAgain, Expected, Made};
use super::moving::{Came, Proposed};
use super::ring::{Ring, vault_of};
use super::seams::{Asked, JournalPlace, Rules};
use super::shown::Shown;
use crate::signer::protocol::{Failure, Frame, Reply, Request};
use crate::signer::{ActKind, Peer, Right, SignedKind};
use crate::signing::{
    BroughtKey, KeyError, KeyPlace, KeyRef, KeyVault, OpenedKey, PassphraseSources, Reencrypted,
    SecretPurpose, SecretSource, SecretSpec, VaultKey,
};
use crate::x509::{Certificate, TbsCertificate, UnixTime};
use std::cell::Cell;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};

pub(super) type Answer = Result<Frame<Reply>, Failure>;

/// Makes a source for the passphrase of a foreign key.
pub(crate) type SourceMaker = dyn Fn(SecretSpec) -> Arc<PassphraseSources<'static>> + Send + Sync;

/// The parts of a [`Signer`].
pub(crate) struct SignerParts {
    /// The stores of keys, with their sources of passphrases.
    pub(crate) vaults: Vec<Arc<dyn KeyVault>>,
    /// The open keys.
    pub(crate) ring: Box<dyn Ring>,
    /// What is signed.
    pub(crate) rules: Box<dyn Rules>,
    /// What was signed.
    pub(crate) journal: Arc<JournalPlace>,
    /// The clock.
    pub(crate) now: fn() -> UnixTime,
    /// For a child: the sources of passphrases that its command was given.
    pub(crate) sources: Option<Arc<PassphraseSources<'static>>>,
    /// For a child: makes the source that a command names for a foreign key.
    pub(crate) source: Option<Box<SourceMaker>>,
}

/// The signer: it opens CA keys, and signs what its rules admit after its journal has it.
pub(crate) struct Signer {
    pub(super) parts: SignerParts,
    /// Keys of other programs that were read and are not in a store yet.
    pub(super) foreign: Between<OpenedKey>,
    /// Keys that are encrypted anew and not in their places yet.
    reencrypted: Between<(KeyRef, Reencrypted)>,
    pub(super) made: Made,
    pub(super) bound_again: BoundAgain,
    /// Keys that have come and did not settle, by their URIs.
    pub(super) coming: Mutex<HashMap<String, Came>>,
    pub(super) leaving: Leaving,
    pub(super) expected: Expected,
    /// The envelopes that were proposed for keys that are to come, by the names of the keys.
    pub(super) proposals: Mutex<HashMap<String, Proposed>>,
}

pub(super) fn signer(reason: &str) -> Failure {
    Failure::Signer { reason: reason.to_owned() }
}

/// Returns whether such a client may ask this.
pub(super) fn may_ask(peer: &Peer, request: &Request) -> bool {
    rights(request).iter().any(|right| peer.class.may(*right))
}

/// Returns the rights any of which permits a request.
fn rights(request: &Request) -> &'static [Right] {
    use Request as R;
    match request {
        R::Hello { .. }
        | R::Inspect { .. }
        | R::Files { .. }
        | R::Describe { .. }
        | R::Limits { .. }
        | R::Mark { .. }
        | R::Notes
        | R::Go
        | R::EnvelopeWith { .. }
        | R::Journal { .. } => &[Right::Describe],
        R::Open { .. } | R::RaiseMark { .. } | R::SignCrl { .. } | R::SignCertificates { .. } => {
            &[Right::Sign, Right::Renew]
        }
        R::Unknown { .. } | R::Show { .. } => &[Right::Sign, Right::Renew],
        R::SignRequest { .. } | R::Abandon { .. } => &[Right::Sign],
        // who may not approve is told so only where there is something to accept
        R::Accept => &[Right::Sign, Right::Approve],
        // files and keys of the user: a service is handed neither, and waits for none
        R::Returned { .. }
        | R::Foreign { .. }
        | R::Find { .. }
        | R::Import { .. }
        | R::Reencrypt { .. }
        | R::PutReencrypted { .. } => &[Right::Restate],
        R::Belongings { .. } | R::Propose { .. } | R::Used { .. } | R::OnMedia { .. } | R::Awaited { .. } => {
            &[Right::Describe]
        }
        R::Leave { .. } | R::Come { .. } | R::Claim { .. } => &[Right::Move],
        // what an administrator allowed is completed by whoever comes next
        R::Settle { .. } | R::Depart { .. } => &[Right::Move, Right::Renew],
        R::Generate { .. } | R::Discard { .. } | R::Rename { .. } | R::NewPassphrase { .. } | R::TakeBack => {
            &[Right::Create]
        }
        R::Contents | R::Content { .. } | R::Sealed { .. } | R::Export { .. } => &[Right::Transfer],
        R::SetLimits { .. } | R::AcceptCertificate { .. } | R::Protected { .. } => &[Right::Approve],
        // the service answers these itself
        R::Unlock { .. }
        | R::Prepare { .. }
        | R::Bring { .. }
        | R::ChangePassphrase { .. }
        | R::Proposal { .. }
        | R::Lend { .. }
        | R::LendBundle { .. }
        | R::ToMedia { .. }
        | R::ExportOpened { .. }
        | R::PutSealed { .. } => &[Right::Unlock],
        R::Lock { .. } => &[Right::Lock],
        R::WhatIsUnlocked | R::Shares { .. } => &[Right::Describe],
    }
}

impl Signer {
    /// Makes a signer of its parts.
    pub(crate) fn new(parts: SignerParts) -> Self {
        let (foreign, reencrypted) = (Between::new(), Between::new());
        Self {
            parts,
            foreign,
            reencrypted,
            made: Made::default(),
            bound_again: BoundAgain::default(),
            coming: Mutex::default(),
            leaving: Leaving::default(),
            expected: Expected::default(),
            proposals: Mutex::default(),
        }
    }

    /// Answers one request.
    pub(crate) fn answer(&self, peer: &Peer, asked: Frame<Request>) -> Frame<Reply> {
        if !may_ask(peer, &asked.message) {
            let reason = "a client of this kind may not ask that".to_owned();
            return Reply::Failed { failure: Failure::Signer { reason } }.into();
        }
        self.answered(peer, asked).unwrap_or_else(|failure| Reply::Failed { failure }.into())
    }

    fn answered(&self, peer: &Peer, asked: Frame<Request>) -> Answer {
        let Frame { message, parts, descriptors } = asked;
        match message {
            Request::Hello { .. }
            | Request::Go
            | Request::Unlock { .. }
            | Request::Prepare { .. }
            | Request::Bring { .. }
            | Request::ChangePassphrase { .. }
            | Request::Lend { .. }
            | Request::LendBundle { .. }
            | Request::ToMedia { .. }
            | Request::ExportOpened { .. }
            | Request::PutSealed { .. }
            | Request::Shares { .. }
            | Request::Lock { .. }
            | Request::WhatIsUnlocked => Err(signer("this does not belong here")),
            Request::Inspect { key } => {
                let key = KeyRef::from(key);
                let keys = self.vault(&key)?.keys();
                keys.inspecting().ok_or_else(|| signer("it cannot look at this key"))?.inspect(&key)?;
                self.parts.rules.check(&key)?;
                Ok(Reply::Done.into())
            }
            Request::Files { key } => {
                let key = KeyRef::from(key);
                let inspecting = self.vault(&key)?.keys().inspecting();
                let files = inspecting.map(|keys| keys.files(&key)).unwrap_or_default();
                Ok(Reply::Files { files: files.iter().map(|file| file.as_path().into()).collect() }.into())
            }
            Request::Sealed { key } => {
                let key = KeyRef::from(key);
                let inspecting = self.vault(&key)?.keys().inspecting();
                let octets = inspecting.ok_or_else(|| signer("this key is not in a file"))?.sealed(&key)?;
                Ok(Frame::with(Reply::Done, vec![octets]))
            }
            Request::Mark { key } => {
                let key = KeyRef::from(key);
                let mark = self.vault(&key)?.keys().mark(&key)?;
                Ok(Reply::Mark { number: mark.number, place: (&mark.place).into() }.into())
            }
            Request::RaiseMark { key, number } => {
                let key = KeyRef::from(key);
                self.check_mark(peer, &key, number)?;
                self.vault(&key)?.keys().raise_mark(&key, number)?;
                Ok(Reply::Done.into())
            }
            Request::Open { key } => {
                let key = self.opened(peer, &key.into())?;
                Ok(Frame::with(Reply::Key, vec![key.public_key().as_der().to_vec()]))
            }
            Request::Generate { key, algorithm } => self.generate(peer, &key.into(), &algorithm),
            Request::Foreign { file, old } => self.read_foreign(descriptors, file, old),
            Request::Find { files } => find_keys(&descriptors, files),
            Request::Import { key, foreign } => {
                let key = KeyRef::from(key);
                let brought = BroughtKey::from(self.foreign.take(foreign)?);
                // before the key is there, so that what it signed elsewhere is older than its coming
                self.act(peer, ActKind::KeyImported, Some(brought.public_key().digest()), key.uri.clone())?;
                let brought = Cell::new(Some(brought));
                let make = || self.vault(&key)?.take_key(&key, brought.take().ok_or_else(taken)?);
                let made = self.parts.ring.make(peer, &key, &make)?;
                Ok(self.put(peer, &key, made))
            }
            Request::Rename { from, to } => self.rename(peer, &from.into(), &to.into()),
            Request::Discard { key } => self.discard(peer, &key.into()),
            Request::Reencrypt { key } => {
                let key = KeyRef::from(key);
                let reencrypted = self.vault(&key)?.keys().protector(&key)?.reencrypt(&key)?;
                Ok(Reply::Reencrypted { number: self.reencrypted.put((key, reencrypted))? }.into())
            }
            Request::PutReencrypted { number } => {
                let (key, reencrypted) = self.reencrypted.take(number)?;
                self.vault(&key)?.keys().protector(&key)?.put_reencrypted(&reencrypted)?;
                self.parts.ring.forget(&key);
                self.act(peer, ActKind::KeyProtected, key.identity, key.uri.clone())
            }
            Request::Describe { key } => self.describe(peer, &key.into()),
            Request::Export { key } => self.export(peer, &key.into(), descriptors),
            Request::Protected { key, how } => self.protected(peer, &key.into(), &how),
            Request::Limits { key, settings } => self.limits(&key.into(), &settings),
            Request::AcceptCertificate { key, certificate } => {
                self.accept_certificate(peer, &key, &certificate)
            }
            Request::SetLimits { key, settings, before } => {
                self.set_limits(peer, &key.into(), &settings, &before)
            }
            Request::SignCertificates { key, issuer, profile, enrolment } => {
                let mut group = parts;
                let shown = Shown::behind(&mut group, issuer, enrolment)?.with_profile(profile);
                self.signed(peer, &key.into(), SignedKind::Certificate, &shown, group)
            }
            Request::SignCrl { key, profile } => {
                let mut list = parts;
                let shown = Shown::behind(&mut list, true, false)?.with_profile(profile);
                if list.len() != 1 {
                    return Err(signer("a CRL comes with its issuer's certificate"));
                }
                self.signed(peer, &key.into(), SignedKind::Crl, &shown, list)
            }
            Request::SignRequest { key } => {
                self.signed(peer, &key.into(), SignedKind::Request, &Shown::default(), parts)
            }
            Request::Unknown { key, last } => self.unknown(peer, &key.into(), last, &parts),
            Request::Show { key, crl } => self.show(peer, &key.into(), crl, &parts),
            Request::Abandon { key } => self.abandon(peer, &key.into(), &parts),
            Request::Returned { key } => {
                let key = KeyRef::from(key);
                self.act(peer, ActKind::KeyMoved, key.identity, key.uri.clone())
            }
            Request::Accept => self.accept(peer),
            Request::Belongings { key } => self.belongings(&key.into()),
            Request::Propose { key, profile, urls } => {
                self.propose(peer, &key.into(), (&profile, &urls), &parts)
            }
            Request::Proposal { key } => self.proposal(&key),
            Request::Leave { key } => self.leave(peer, &key.into()),
            Request::Come { key, profile } => self.come(peer, &key.into(), &profile, &parts, descriptors),
            Request::OnMedia { key } => self.on_media(&key.into()),
            Request::Used { key } => self.used(peer, &key.into(), &parts),
            Request::Claim { key, until, mark, last, unlisted } => {
                self.claim(peer, &key.into(), UnixTime(until), (mark, unlisted), (last, &parts))
            }
            Request::Awaited { key } => self.awaited(peer, &key.into()),
            Request::Settle { key } => self.settle(peer, &key.into()),
            Request::Depart { key } => self.depart(peer, &key.into()),
            Request::EnvelopeWith { key, profile } => {
                let [tbs] = <[Vec<u8>; 1]>::try_from(parts)
                    .map_err(|_| signer("an envelope is shown for one certificate"))?;
                let tbs = TbsCertificate::from_der(&tbs).map_err(|error| signer(&error.to_string()))?;
                let text = self.parts.rules.envelope_with(peer, &key.into(), &tbs, profile.as_deref())?;
                Ok(Frame::with(Reply::Done, vec![text.into_bytes()]))
            }
            Request::Contents => self.contents(peer),
            Request::Content { name, from } => self.content(peer, &name, from),
            Request::Journal { from } => self.journal_from(peer, from),
            Request::NewPassphrase { key } => {
                let sources = self.parts.sources.as_ref().ok_or_else(|| signer("it has no such orders"))?;
                sources.secret(&SecretPurpose::Protect(key))?;
                Ok(Reply::Done.into())
            }
            Request::TakeBack => {
                if let Some(sources) = &self.parts.sources {
                    // where that cannot be seen, the key may be there
                    sources.take_back(|name| self.may_be_there(name));
                }
                Ok(Reply::Done.into())
            }
            Request::Notes => {
                let notes = self.parts.sources.as_ref().map(|sources| sources.take_notes());
                Ok(Reply::Notes { notes: notes.unwrap_or_default() }.into())
            }
        }
    }

    pub(super) fn vault(&self, key: &KeyRef) -> Result<&Arc<dyn KeyVault>, KeyError> {
        let unknown = || {
            let place = KeyPlace::Uri(key.uri.clone());
            KeyError::Backend(place, "no key store of that kind is known".into())
        };
        vault_of(&self.parts.vaults, key).ok_or_else(unknown)
    }

    fn may_be_there(&self, name: &str) -> bool {
        // a key in a token has no passphrase of its own
        let with_passphrases = self.parts.vaults.iter().filter(|vault| vault.keys().protecting().is_some());
        with_passphrases.into_iter().any(|vault| {
            let keys = vault.keys();
            let inspected = keys.inspecting().map(|looking| looking.inspect(&keys.new_key(name)));
            !matches!(inspected, None | Some(Err(KeyError::NotFound(_))))
        })
    }

    pub(super) fn opened(&self, peer: &Peer, key: &KeyRef) -> Result<Arc<dyn VaultKey>, KeyError> {
        let opened = self.parts.ring.open(peer, key, &|| self.vault(key)?.open_key(key));
        if matches!(opened, Err(KeyError::Locked { .. })) {
            // nobody unlocks a key that is not there
            let looked_at = self.vault(key)?.keys().inspecting().map(|keys| keys.inspect(key));
            if let Some(Err(missing @ KeyError::NotFound(_))) = looked_at {
                return Err(missing);
            }
        }
        let opened = opened?;
        // two tokens may have keys of one label
        match key.is_in_token()
            && key.identity.is_some_and(|identity| identity != opened.public_key().digest())
        {
            true => Err(KeyError::OtherKey(KeyPlace::Uri(key.uri.clone()))),
            false => Ok(opened),
        }
    }

    pub(super) fn put(&self, peer: &Peer, key: &KeyRef, made: Arc<dyn VaultKey>) -> Frame<Reply> {
        let public_key = made.public_key().as_der().to_vec();
        self.parts.ring.put(peer, key, made);
        Frame::with(Reply::Key, vec![public_key])
    }

    fn signed(
        &self,
        peer: &Peer,
        key: &KeyRef,
        kind: SignedKind,
        shown: &Shown,
        group: Vec<Vec<u8>>,
    ) -> Answer {
        let opened = self.opened(peer, key)?;
        let (issuer, profile) = (shown.issuer.as_ref(), shown.profile.as_deref());
        let (public_key, enrolment) = (opened.public_key(), shown.enrolment.as_ref());
        let mark = match kind {
            // by what the key is: a token has no other name for its mark
            SignedKind::Crl => self.vault(key)?.keys().mark(&key.clone().of_key(public_key))?.number,
            SignedKind::Certificate | SignedKind::Request => None,
        };
        self.sign(&opened, &Asked { peer, key, public_key, kind, issuer, profile, mark, enrolment }, group)
    }
}

fn taken() -> KeyError {
    KeyError::Signer("the key was taken already".into())
}

pub(super) fn certificate(octets: &[u8]) -> Result<Certificate, Failure> {
    Certificate::from_der(octets)
        .map_err(|error| Failure::Refused { reason: format!("a certificate that is shown to it: {error}") })
}
