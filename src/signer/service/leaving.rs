//! Keys that leave for another signer. None signs between the time at which its file is handed out and its departure: the
//! other signer would not know of it.
use super::answers::{Answer, Signer};
use crate::error::Code;
use crate::failpoint;
use crate::signer::protocol::{Failure, Frame, Reply};
use crate::signer::unlocking::known_as;
use crate::signer::{ActKind, Peer, Scope};
use crate::signing::{KeyError, KeyRef};
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Time for a move. A key that has not departed by then, as when the command was killed, signs again.
const MOVES_FOR: Duration = Duration::from_secs(15 * 60);

/// The keys that leave, by name, and until when they do not sign.
#[derive(Default)]
pub(super) struct Leaving(Mutex<HashMap<String, Instant>>);

impl Leaving {
    fn held(&self) -> MutexGuard<'_, HashMap<String, Instant>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn begins(&self, key: &KeyRef) {
        self.held().insert(known_as(key), Instant::now() + MOVES_FOR);
    }

    /// The key signs again, as after its departure another one of its name does.
    pub(super) fn ends(&self, key: &KeyRef) {
        self.held().remove(&known_as(key));
    }

    fn is_leaving(&self, key: &KeyRef) -> bool {
        self.held().get(&known_as(key)).is_some_and(|until| Instant::now() < *until)
    }
}

impl Signer {
    /// Hands the file of a key out.
    pub(super) fn leave(&self, peer: &Peer, key: &KeyRef) -> Answer {
        let file = self.files(key)?.handed_out(key)?;
        self.parts.ring.allow(peer, key, Scope::Move, 0)?;
        // before its turn at the journal, for which whoever signs with it has waited, or waits after this
        self.leaving.begins(key);
        self.act(peer, ActKind::KeyExported, key.identity, key.uri.clone())?;
        failpoint::passed("signer: leaving noted");
        Ok(Frame { message: Reply::Done, parts: Vec::new(), descriptors: vec![file] })
    }

    /// Removes a key that has left, or that has come and not settled.
    pub(super) fn depart(&self, peer: &Peer, key: &KeyRef) -> Answer {
        let files = self.files(key)?;
        let is_here = match files.handed_out(key) {
            Ok(_) => true,
            Err(KeyError::NotFound(_)) => false,
            Err(error) => return Err(error.into()),
        };
        let identity =
            if is_here { Some(self.meant(peer, key)?) } else { self.identity_of_coming(peer, key) };
        if is_here {
            self.parts.ring.allow(peer, key, Scope::Move, 1)?;
            self.act(peer, ActKind::KeyMoved, identity, format!("{} goes", key.uri))?;
            failpoint::passed("signer: departure noted");
        }
        // without the right to remove one that is here: it may have settled meanwhile
        let moved = if is_here { files.remove(key)? } else { files.give_up(key)? };
        if let (true, Some(identity)) = (moved, identity) {
            // after the key, which never is here without its limits
            self.parts.rules.drop_envelope(key, &identity)?;
            failpoint::passed("signer: envelope of the departed key removed");
        }
        self.parts.ring.forget(key);
        self.leaving.ends(key);
        self.made.forget(key);
        self.coming().remove(&key.uri);
        Ok(Reply::Moved { moved }.into())
    }

    /// Refuses to sign with a key that leaves. It is asked within the turn at the journal, so that what is signed is either
    /// known to the other signer or not signed.
    pub(super) fn must_not_leave(&self, key: &KeyRef) -> Result<(), Failure> {
        match self.leaving.is_leaving(key) {
            false => Ok(()),
            true => Err(KeyError::Prevented {
                code: Code::KeyInUse,
                reason: format!("the key of {} is being moved", known_as(key)),
                hint: "go on with `key move`; where it is not to be moved any more, an administrator unlocks it again".into(),
            }
            .into()),
        }
    }
}
