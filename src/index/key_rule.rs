//! The rule for which subject a key may be certified, given its earlier certificates (P1, X13).
use super::{CertificateState, IndexError, Intent, KeyUse};
use crate::error::{Code, Problem, Remedy, remedy};
use crate::x509::{CertificateId, Name, SerialNumber, UnixTime};

/// Reason why a key is not certified.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum KeyConflict {
    /// A certificate for this key was revoked because the key was compromised.
    #[error("the key was compromised: certificate {0} for it was revoked for that reason")]
    Compromised(SerialNumber),
    /// A certificate of this CA's name and key is revoked; another certificate would undo the revocation.
    #[error("certificate {0} of this name and key was revoked at {1}")]
    Revoked(SerialNumber, UnixTime),
    /// A certificate for this key is on hold; another certificate would undo the hold.
    #[error("certificate {0} for this key has been on hold since {1}")]
    Held(SerialNumber, UnixTime),
    /// The key belongs to a CA.
    #[error("the key belongs to the CA {0}")]
    OfAuthority(String),
    /// The key belongs to another subject.
    #[error("the key was certified before for another subject, {0}")]
    Reused(String),
}

impl From<KeyConflict> for Problem {
    fn from(conflict: KeyConflict) -> Self {
        let new_key = || Remedy::from("make a request with a new key");
        let (code, hint) = match &conflict {
            KeyConflict::Compromised(_) => (Code::PolicyCompromisedKey, new_key()),
            KeyConflict::Revoked(..) => {
                (Code::AuthorityRevoked, remedy::Request::NewKeyOrNewGeneration.into())
            }
            KeyConflict::Held(..) => (Code::PolicyKeyHeld, remedy::Request::ReleaseOrRevoke.into()),
            KeyConflict::OfAuthority(_) => (Code::PolicyKeyOfACa, new_key()),
            KeyConflict::Reused(_) => (Code::PolicyKeyReused, remedy::Request::NewKeyOrSameHolder.into()),
        };
        Self::new(code, conflict.to_string()).hint(hint)
    }
}

/// Checks whether a key may be certified for a subject. A certificate that was abandoned before it was signed
/// counts as a use of the key by its subject, and for nothing else. `one_subscriber` lists the subjects that are on
/// record as names of one subscriber.
///
/// # Errors
/// The gravest reason why the key may not be certified.
pub(crate) fn check_key(
    uses: &[KeyUse],
    subject: &Name,
    is_ca: bool,
    one_subscriber: &[Name],
) -> Result<(), KeyConflict> {
    let revocations = || {
        uses.iter().filter(|past| !past.is_abandoned).filter_map(|past| match &past.state {
            CertificateState::Revoked(revocation) => Some((past, revocation)),
            CertificateState::Pending | CertificateState::Issued => None,
        })
    };
    let serial = |past: &KeyUse| past.id.serial_number.clone();
    if let Some((past, _)) = revocations().find(|(_, revocation)| revocation.is_of_the_key()) {
        return Err(KeyConflict::Compromised(serial(past)));
    }
    let mut for_good =
        revocations().filter(|(past, revocation)| !revocation.is_hold() && past.is_of(subject));
    if let Some((past, revocation)) = for_good.next().filter(|_| is_ca) {
        return Err(KeyConflict::Revoked(serial(past), revocation.revoked_at));
    }
    if let Some((past, revocation)) = revocations().find(|(_, revocation)| revocation.is_hold()) {
        return Err(KeyConflict::Held(serial(past), revocation.revoked_at));
    }
    for past in uses {
        if let Some(authority) = past.authority.as_ref().filter(|_| !(is_ca && past.is_of(subject))) {
            return Err(KeyConflict::OfAuthority(authority.clone()));
        }
    }
    let names_subscriber = |name: &Name| one_subscriber.iter().any(|one| one.is_same_as(name));
    let is_one_subscriber = names_subscriber(subject);
    let may_have_it =
        |past: &&KeyUse| past.is_of(subject) || is_one_subscriber && names_subscriber(&past.subject);
    let other = uses.iter().find(|past| !may_have_it(past));
    match other {
        Some(past) => Err(KeyConflict::Reused(past.subject.beside(subject).0)),
        None => Ok(()),
    }
}

impl Intent {
    /// Refuses a renewal when one of the uses of its key, which `uses` returns, was not on record when it was decided.
    pub(super) fn check_decided(
        &self,
        uses: impl FnOnce(&[u8; 32]) -> Result<Vec<KeyUse>, IndexError>,
    ) -> Result<(), IndexError> {
        let Some(known) = &self.decided_beside else { return Ok(()) };
        let tbs = self.tbs.get();
        let uses = uses(&tbs.public_key().digest())?;
        match uses.into_iter().find(|one| !one.is_abandoned && !known.contains(&one.id)) {
            None => Ok(()),
            Some(other) => {
                let serial_number = tbs.serial_number().clone();
                let id = CertificateId { issuer: self.issuer, serial_number };
                Err(IndexError::RenewedMeanwhile { id, by: other.id })
            }
        }
    }
}
