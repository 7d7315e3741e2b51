//! A key that goes to media: an administrator who has unlocked it for custody is lent its encrypted file with all that
//! belongs to it, and says when that is whole on them. Only then is the key removed here. Its mark, its journal and its
//! certificates stay, so that it does not go back in its numbers if it comes back.
use super::answers::{Answer, Signer, signer};
use super::custody::{digest_of, file_and_record, in_a_file, words};
use super::remembering::identity;
use super::standing::Standing;
use crate::error::Code;
use crate::failpoint;
use crate::signer::journal::{JournalHead, file_on_media, gone_to_media, lent};
use crate::signer::protocol::{Failure, Frame, Reply, WireKey};
use crate::signer::unlocking::{Login, known_as, login_of};
use crate::signer::{Act, ActKind, KeyEnvelope, Peer};
use crate::signing::{KeyError, KeyRef};
use crate::x509::sha256;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// Characters of what the client says of the media, in the journal.
const LONGEST_PLACES: usize = 1000;

/// A file that was lent to go to media.
struct Lent {
    to: Login,
    digest: [u8; 32],
    /// The end of the journal, before anything that goes with the key was read.
    head: JournalHead,
}

/// The files that were lent to go to media, by the names of their keys.
#[derive(Default)]
pub(super) struct LentForMedia(Mutex<HashMap<String, Lent>>);

impl LentForMedia {
    fn lent(&self, key: &KeyRef, lent: Lent) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(known_as(key), lent);
    }

    /// Returns where the journal ended when this file was lent to this login.
    fn lent_at(&self, key: &KeyRef, login: Login, digest: [u8; 32]) -> Option<JournalHead> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let lent = all.get(&known_as(key)).filter(|lent| lent.to == login && lent.digest == digest);
        lent.map(|lent| lent.head)
    }

    fn forget(&self, key: &KeyRef) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&known_as(key));
    }
}

fn login(peer: &Peer) -> Result<Login, Failure> {
    login_of(peer).ok_or_else(|| signer("who takes a key to media has logged in"))
}

impl Standing {
    /// Lends the encrypted file of a key that is to go to media, with what belongs to it. The journal has it before.
    pub(super) fn lend_bundle(&self, peer: &Peer, key: &str) -> Answer {
        let (vault, key, inspected) = self.find(key)?;
        in_a_file(vault.as_ref(), &key)?;
        inspected?;
        let opened = self.ring.in_custody(peer, &key)?;
        let of = opened.public_key().digest();
        let (_, _, journal) = self.signer.remembers(peer)?;
        // before all that goes with the key, so that nothing is signed unseen in between
        let turn = journal.turn()?;
        let (head, crl, list) = (turn.head(), turn.record().last_crl(&of)?, turn.last_list(&of)?);
        drop(turn);
        let (octets, record) = file_and_record(vault.as_ref(), &key)?;
        let kept = self.signer.parts.rules.kept(&key, &of)?;
        let envelope =
            kept.envelope.filter(|_| !kept.certificates.is_empty()).ok_or_else(|| none_yet(&key))?;
        let profile = KeyEnvelope::parse(&envelope).map(|envelope| envelope.profile).unwrap_or_default();
        let mark = vault.keys().mark(&key)?.number;
        let crl = crl.map(|last| last.number);
        let list = list.map(|digest| base16ct::lower::encode_string(&digest));
        let digest = sha256(&octets);
        self.signer.act(peer, ActKind::KeyExported, Some(of), lent(&key.uri, &digest))?;
        self.lent.lent(&key, Lent { to: login(peer)?, digest, head });
        failpoint::passed("signer: lending noted");
        let mut parts = vec![octets, record, envelope.into_bytes()];
        parts.extend(kept.certificates.iter().map(|one| one.as_der().to_vec()));
        let key = WireKey { uri: key.uri, identity: Some(of) };
        Ok(Frame::with(Reply::Bundle { key, profile, mark, crl, list }, parts))
    }

    /// Removes a key that is whole on media, as the administrator says to whom it was lent for that.
    pub(super) fn to_media(
        &self,
        peer: &Peer,
        key: &str,
        (digest, places): (&str, &str),
    ) -> Result<Reply, Failure> {
        let (vault, key, inspected) = self.find(key)?;
        in_a_file(vault.as_ref(), &key)?;
        inspected?;
        let digest = digest_of(digest)?;
        let files = vault.moving().ok_or_else(|| signer("no file of it is removed"))?;
        let lent_at = self.lent.lent_at(&key, login(peer)?, digest).ok_or_else(|| {
            signer("a file that was not lent to this login does not go to media; nothing was removed")
        })?;
        let of = self.ring.in_custody(peer, &key)?.public_key().digest();
        let (by, at, journal) = self.signer.remembers(peer)?;
        let turn = journal.turn()?;
        if sha256(&file_and_record(vault.as_ref(), &key)?.0) != digest {
            return Err(signer(
                "the key was protected anew meanwhile: write the media again; nothing was removed",
            ));
        }
        if turn.has_used_since(&of, lent_at)? {
            return Err(signer(
                "the key signed meanwhile, or has other limits: write the media again; nothing was removed",
            ));
        }
        let details = gone_to_media(&key.uri, &digest, &words(places, LONGEST_PLACES));
        let turn = turn.acted(by, at, vec![Act { kind: ActKind::KeyMoved, key: Some(of), details }])?;
        failpoint::passed("signer: departure to media noted");
        let removed = files.remove(&key);
        // also after an error: it may be gone; and within the turn, for which others wait with the key that they opened
        let ended = self.ring.closed(Some(&known_as(&key)));
        self.signer.made.forget(&key);
        self.lent.forget(&key);
        // after the key, which never is here without its limits
        let dropped = match &removed {
            Ok(_) => self.signer.parts.rules.drop_envelope(&key, &of),
            Err(_) => Ok(()),
        };
        drop(turn);
        self.ring.noted(ended);
        removed?;
        dropped?;
        failpoint::passed("signer: envelope of the departed key removed");
        Ok(Reply::Done)
    }
}

impl Signer {
    /// Tells whether a key went to media, and came in no other way since, as the journal says.
    pub(super) fn on_media(&self, key: &KeyRef) -> Answer {
        let of = identity(key)?;
        let digest = self.in_journal(|journal| file_on_media(journal, &of))?;
        Ok(Reply::OnMedia { digest: digest.flatten() }.into())
    }
}

fn none_yet(key: &KeyRef) -> Failure {
    KeyError::Prevented {
        code: Code::SignerEnvelopeNone,
        reason: format!("the key {} has no certificate and no envelope here yet", key.uri),
        hint: "it gets them with the first certificate of its CA, and with the next signature of an older one; nothing \
               was changed"
            .into(),
    }
    .into()
}
