//! Signing of one group: admitted, recorded, signed, in this order.
use super::answers::{Answer, Signer, signer};
use super::seams::{Asked, PermittedGroup};
use crate::error::Code;
use crate::failpoint;
use crate::par_map::par_map;
use crate::signer::protocol::{Failure, Frame, Reply};
use crate::signer::{Asker, ClientClass, RecordError, Scope};
use crate::signing::{KeyError, VaultKey};
use std::collections::BTreeMap;
use std::sync::Arc;

impl Signer {
    /// Signs a group of structures with an open key, all or none.
    pub(super) fn sign(&self, key: &Arc<dyn VaultKey>, asked: &Asked<'_>, group: Vec<Vec<u8>>) -> Answer {
        let (by, at) = (Asker::from(asked.peer), (self.parts.now)());
        let journal = self.parts.journal.journal(by, at)?;
        let turn = journal.turn()?;
        self.must_not_leave(asked.key)?;
        let PermittedGroup { permitted, brought } = self.parts.rules.admit(asked, turn.record(), group)?;
        if permitted.is_empty() {
            return Err(signer("nothing was given to be signed"));
        }
        let mut counts: BTreeMap<Scope, u64> = BTreeMap::new();
        permitted.iter().for_each(|one| *counts.entry(one.scope).or_default() += 1);
        for (scope, count) in counts {
            self.parts.ring.allow(asked.peer, asked.key, scope, count)?;
        }
        let (identity, group) = (asked.public_key.digest(), permitted.into_iter().map(|one| one.tbs));
        let group: Vec<_> = group.collect();
        turn.may_intend(&identity, &group)?;
        let turn = match brought {
            Some(mut brought) => {
                // the journal first: what is kept is never more than it says
                let acts = std::mem::take(&mut brought.acts);
                let turn = if acts.is_empty() { turn } else { turn.acted(by, at, acts)? };
                failpoint::passed("signer: what came along noted");
                self.parts.rules.keep_brought(asked, brought)?;
                turn
            }
            None => turn,
        };
        let recorded = turn.intend(by, at, identity, group)?;
        let ends =
            recorded.first().zip(recorded.last()).map(|(first, last)| (first.sequence(), last.sequence()));
        let signatures: Result<Vec<Vec<u8>>, KeyError> =
            par_map(recorded, |one| key.sign(one.for_key())).into_iter().collect();
        let signatures = signatures.inspect_err(|error| {
            let is_away = matches!(
                error,
                KeyError::TokenGone(..) | KeyError::Prevented { .. } | KeyError::PinRejected(_)
            );
            if is_away && asked.peer.class != ClientClass::Child {
                // what is told to be unlocked can be used
                self.parts.ring.forget(asked.key);
            }
        })?;
        failpoint::passed("signer: signed");
        if let Some((first, last)) = ends {
            journal.signed(by, at, first, last)?;
        }
        failpoint::passed("signer: signatures recorded");
        Ok(Frame::with(Reply::Signed, signatures))
    }
}

impl From<RecordError> for Failure {
    fn from(error: RecordError) -> Self {
        match error {
            RecordError::NotAccepted => KeyError::Prevented {
                code: Code::RestoreNotAccepted,
                reason: error.to_string(),
                hint: "see what is missing, and have an administrator accept it".into(),
            }
            .into(),
            RecordError::Repeated(_) | RecordError::ListUnknown(_) | RecordError::ListOlder(_) => {
                Self::Refused { reason: error.to_string() }
            }
            other => KeyError::from(other).into(),
        }
    }
}
