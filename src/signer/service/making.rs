//! Keys that are made, renamed and deleted.
use super::answers::{Answer, Signer, signer};
use crate::error::{Code, Reason};
use crate::failpoint;
use crate::signer::copies::Copies;
use crate::signer::journal::MADE_FOR;
use crate::signer::protocol::{Failure, Frame, Reply};
use crate::signer::unlocking::{Login, known_as, login_of};
use crate::signer::{Act, ActKind, Bound, ClientClass, Peer, RecordError, Scope, SignatureRecord};
use crate::signing::{KeyError, KeyRef, RecipientText, VaultKey};
use crate::x509::{KeyAlgorithm, UnixTime};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// SHA-256 of the SubjectPublicKeyInfo of a key.
type Identity = [u8; 32];

/// The keys that were made in this run, by their URIs, each with the login that had it made. Only these are deleted for
/// a client that is not the user of the keys, and only for that login.
#[derive(Default)]
pub(super) struct Made(Mutex<HashMap<String, (Login, Identity)>>);

impl Made {
    fn put(&self, peer: &Peer, key: &KeyRef, identity: Identity) {
        if let Some(login) = login_of(peer) {
            let mut made = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            made.insert(key.uri.clone(), (login, identity));
        }
    }

    fn by(&self, peer: &Peer, key: &KeyRef) -> Option<Identity> {
        let made = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (login, identity) = made.get(&key.uri)?;
        (login_of(peer) == Some(*login)).then_some(*identity)
    }

    /// Forgets a name: the key that had it is gone, and another may get it.
    pub(super) fn forget(&self, key: &KeyRef) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&key.uri);
    }
}

/// The keys that administrators have bound again, by their URIs, each with the login that takes it for its CA, once.
#[derive(Default)]
pub(super) struct BoundAgain(Mutex<HashMap<String, (Login, Identity)>>);

impl BoundAgain {
    fn held(&self) -> MutexGuard<'_, HashMap<String, (Login, Identity)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn put(&self, peer: &Peer, key: &KeyRef, identity: Identity) {
        if let Some(login) = login_of(peer) {
            self.held().insert(key.uri.clone(), (login, identity));
        }
    }

    /// Takes the leave for this key, which nobody has a second time.
    fn take(&self, peer: &Peer, key: &KeyRef, identity: &Identity) -> bool {
        let mut held = self.held();
        let is_given =
            held.get(&key.uri).is_some_and(|(login, of)| of == identity && login_of(peer) == Some(*login));
        is_given && held.remove(&key.uri).is_some()
    }
}

/// What administrators said that new keys are for, by the names of the keys, each with the login that alone has it made.
#[derive(Default)]
pub(super) struct Expected(Mutex<HashMap<String, (Login, New)>>);

/// A new key: what it is for, and to which recipients it is encrypted, if to any.
type New = (Bound, Vec<RecipientText>);

impl Expected {
    fn held(&self) -> MutexGuard<'_, HashMap<String, (Login, New)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn by(&self, peer: &Peer, name: &str) -> Option<New> {
        let held = self.held();
        let (login, new) = held.get(name)?;
        let is_own = peer.class != ClientClass::Child && login_of(peer) == Some(*login);
        is_own.then(|| new.clone())
    }
}

impl Signer {
    /// Keeps what an administrator says that a new key is for, and who opens it. The passphrase that is given with it
    /// ends sooner.
    pub(super) fn expect_new(&self, peer: &Peer, name: String, new: New) {
        if let Some(login) = login_of(peer) {
            self.expected.held().insert(name, (login, new));
        }
    }

    /// Binds a key that was made and has no certificate yet to what an administrator says that it is for. The journal
    /// has it before.
    pub(super) fn bind_left(
        &self,
        peer: &Peer,
        key: &KeyRef,
        identity: &Identity,
        bound: &Bound,
    ) -> Result<(), KeyError> {
        if !self.is_left(peer, key, identity)? {
            return Err(KeyError::Prevented {
                code: Code::KeyExists,
                reason: format!("the key {} is there already, and it was used", key.uri),
                hint: "unlock it as a key that is there; a new key gets another name".into(),
            });
        }
        let details = format!("{}{MADE_FOR}{}", key.uri, bound.profile);
        self.act(peer, ActKind::KeyGenerated, Some(*identity), details)?;
        failpoint::passed("signer: binding noted");
        // the name that it has signed already stays; one that was kept and never signed does not
        let former = Bound::read(self.parts.journal.directory(), identity).map_err(Failure::from)?;
        let has_signed = self.has_signed(peer, identity)?;
        let subject = former.filter(|_| has_signed).and_then(|former| former.subject);
        self.parts.rules.bind(identity, Some(&Bound { subject, ..bound.clone() }))?;
        // whoever had it made does not discard what another command gets now
        self.made.forget(key);
        self.bound_again.put(peer, key, *identity);
        Ok(())
    }

    /// Returns a key that was made for this name and has no certificate, where an administrator has bound it and
    /// unlocked it for this client since a command was cut short.
    fn left(
        &self,
        peer: &Peer,
        key: &KeyRef,
        algorithm: KeyAlgorithm,
    ) -> Result<Option<Arc<dyn VaultKey>>, Failure> {
        let is_of_service = matches!(peer.class, ClientClass::Command | ClientClass::Administrator);
        let inspected = self.vault(key)?.keys().inspecting().map(|keys| keys.inspect(key));
        if !is_of_service || !matches!(inspected, Some(Ok(()))) {
            return Ok(None);
        }
        let Ok(opened) = self.opened(peer, key) else { return Ok(None) };
        let identity = opened.public_key().digest();
        let is_bound = Bound::read(self.parts.journal.directory(), &identity)?.is_some();
        if !is_bound || !self.is_left(peer, key, &identity)? {
            return Ok(None);
        }
        let own = opened.public_key().algorithm();
        if own != algorithm {
            return Err(KeyError::Prevented {
                code: Code::KeyExists,
                reason: format!("the key {} was made already, as {own}, and not as {algorithm}", key.uri),
                hint: "make the CA with the kind of key that is there, or choose another name".into(),
            }
            .into());
        }
        // one command gets it: two with one key would each give it up for the other
        Ok(self.bound_again.take(peer, key, &identity).then_some(opened))
    }

    /// Returns whether the signer knows no certificate of a CA with this key. Such a key has signed certificates of
    /// itself alone, which were never shown.
    fn is_left(&self, peer: &Peer, key: &KeyRef, identity: &Identity) -> Result<bool, Failure> {
        Copies::read(self.parts.journal.directory())?.must_have_no_envelope(key)?;
        let has_certificate = !self.parts.rules.kept(key, identity)?.certificates.is_empty();
        let (_, _, journal) = self.remembers(peer)?;
        Ok(!has_certificate && journal.turn()?.record().last_crl(identity)?.is_none())
    }

    /// Has a key made.
    pub(super) fn generate(&self, peer: &Peer, key: &KeyRef, algorithm: &str) -> Answer {
        let algorithm: KeyAlgorithm =
            algorithm.parse().map_err(|reason| signer(&Reason::to_string(&reason)))?;
        if let Some(left) = self.left(peer, key, algorithm)? {
            return Ok(Frame::with(Reply::Key, vec![left.public_key().as_der().to_vec()]));
        }
        let bound = self.expected.by(peer, &known_as(key));
        let is_unsaid =
            bound.is_none() && matches!(peer.class, ClientClass::Command | ClientClass::Administrator);
        let make = || {
            if is_unsaid {
                return Err(KeyError::Signer("no administrator has said what the new key is for".into()));
            }
            // before it is there; what it is is known only then
            self.act(peer, ActKind::KeyGenerated, None, format!("{} is to be made", key.uri))?;
            failpoint::passed("signer: making noted");
            self.vault(key)?.make_key(key, algorithm)
        };
        let made = self.parts.ring.make(peer, key, &make)?;
        failpoint::passed("signer: key made");
        let identity = made.public_key().digest();
        // before the journal says which it is: what the disk had no room for can be discarded
        self.made.put(peer, key, identity);
        let mut details = key.uri.clone();
        if let Some((bound, recipients)) = bound {
            // before its public key is told
            self.parts.rules.bind(&identity, Some(&bound))?;
            self.expected.held().remove(&known_as(key));
            details = format!("{details}{MADE_FOR}{}", bound.profile);
            if !recipients.is_empty() {
                let recipients: Vec<String> = recipients.iter().map(ToString::to_string).collect();
                details = format!("{details}, encrypted to {}", recipients.join(", "));
            }
        }
        self.act(peer, ActKind::KeyGenerated, Some(identity), details)?;
        Ok(self.put(peer, key, made))
    }

    /// Gives a key another name, for its user, or for a login that may certify CAs with it.
    pub(super) fn rename(&self, peer: &Peer, from: &KeyRef, to: &KeyRef) -> Answer {
        let keys = self.vault(from)?.keys();
        let inspected = |key: &KeyRef| keys.inspecting().map(|own| own.inspect(key));
        let is_gone = matches!(inspected(from), Some(Err(KeyError::NotFound(_))));
        let identity = match peer.class {
            ClientClass::Child => from.identity,
            // it has its new name already, as after a command that was cut short
            _ if is_gone => return Ok(Reply::Moved { moved: false }.into()),
            _ => {
                let opened = self.opened(peer, from)?;
                self.parts.ring.allow(peer, from, Scope::Ca, 1)?;
                Some(opened.public_key().digest())
            }
        };
        // before its turn at the journal, for which all others wait: a token may take long
        let is_other = from.uri != to.uri;
        let is_taken = is_other && matches!(inspected(to), Some(Ok(()) | Err(KeyError::OtherKey(_))));
        if !is_gone && is_taken {
            return Err(KeyError::Exists(keys.place(to)).into());
        }
        // nobody signs with it, and nobody makes one of either name, until it is done
        let turn = match is_gone {
            true => None,
            false => {
                let (by, at, journal) = self.remembers(peer)?;
                let turn = journal.turn()?;
                let details = format!("{} to {}", from.uri, to.uri);
                let act = Act { kind: ActKind::KeyRenamed, key: identity, details };
                // before it has its new name; one in a token keeps its own
                Some(if is_other { turn.acted(by, at, vec![act])? } else { turn })
            }
        };
        failpoint::passed("signer: renaming noted");
        if let Some(identity) = identity {
            // before the key, which is looked for again until it has its new name
            Copies::read(self.parts.journal.directory())?.rename(from, to, &identity)?;
        }
        let moved = keys.rename(from, to)?;
        drop(turn);
        for key in [from, to] {
            self.parts.ring.forget(key);
            self.made.forget(key);
        }
        Ok(Reply::Moved { moved }.into())
    }

    /// Deletes a key for which no certificate could be issued. A client of the service has only a key deleted that its own
    /// login had made in this run and that has signed nothing.
    pub(super) fn discard(&self, peer: &Peer, key: &KeyRef) -> Answer {
        let identity = match peer.class {
            ClientClass::Child => key.identity,
            _ => {
                let made = self.made.by(peer, key);
                let made =
                    made.ok_or_else(|| signer("it deletes only a key that this login has just made"))?;
                if self.is_used(peer, &made)? {
                    return Err(signer("it deletes no key that has signed something"));
                }
                Some(made)
            }
        };
        // before it is gone
        self.act(peer, ActKind::KeyDiscarded, identity, key.uri.clone())?;
        self.vault(key)?.keys().discard(key)?;
        if let Some(identity) = identity {
            self.parts.rules.bind(&identity, None)?;
        }
        self.parts.ring.forget(key);
        self.made.forget(key);
        Ok(Reply::Done.into())
    }

    /// Returns whether this key signed certificates, or CRLs.
    fn has_signed(&self, peer: &Peer, identity: &Identity) -> Result<bool, Failure> {
        let (_, _, journal) = self.remembers(peer)?;
        let turn = journal.turn()?;
        Ok(has_signed(turn.record(), identity)?)
    }

    /// Returns whether this key signed anything. A request for a certificate is out, and its answer needs the key.
    fn is_used(&self, peer: &Peer, identity: &Identity) -> Result<bool, Failure> {
        let (_, _, journal) = self.remembers(peer)?;
        let turn = journal.turn()?;
        Ok(has_signed(turn.record(), identity)? || turn.record().last_used(identity)?.is_some())
    }
}

fn has_signed(record: &dyn SignatureRecord, key: &Identity) -> Result<bool, RecordError> {
    Ok(record.signed_since(key, UnixTime(i64::MIN))? > 0 || record.last_crl(key)?.is_some())
}
