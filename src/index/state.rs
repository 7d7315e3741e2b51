//! The states of a certificate and their transitions, as a pure state machine.
use crate::x509::{CrlReason, UnixTime};

/// State of a certificate.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum CertificateState {
    /// The intent is recorded; a signature may or may not exist.
    Pending,
    /// The certificate is signed and recorded.
    Issued,
    /// The certificate is revoked, on hold, or was abandoned while pending.
    Revoked(Revocation),
}

/// `RevokedInfo` (RFC 6960 §4.2.1) and `invalidityDate` (RFC 5280 §5.3.2).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Revocation {
    /// `revocationTime`
    pub revoked_at: UnixTime,
    /// `revocationReason`; absent rather than `unspecified`.
    pub reason: Option<CrlReason>,
    /// `invalidityDate`
    pub invalidity_date: Option<UnixTime>,
}

impl Revocation {
    /// Returns whether this is a hold, which can be released.
    #[must_use]
    pub fn is_hold(&self) -> bool {
        self.reason == Some(CrlReason::CertificateHold)
    }

    /// Returns whether the reason is a compromise of the key, so that no certificate for the key can be
    /// trusted.
    #[must_use]
    pub fn is_of_the_key(&self) -> bool {
        self.reason.is_some_and(CrlReason::is_of_the_key)
    }
}

/// Reason why a change of state was refused.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum TransitionError {
    /// The certificate is revoked already, and not on hold.
    #[error("it was revoked at {}", .0.revoked_at)]
    AlreadyRevoked(Revocation),
    /// The certificate is on hold already, and was to be held again.
    #[error("it has been on hold since {}", .0.revoked_at)]
    AlreadyHeld(Revocation),
    /// A pending certificate cannot be held, because a release would need a signature that may not exist.
    #[error("it is pending: it can be revoked or abandoned, not held")]
    PendingHold,
    /// `removeFromCRL` is an entry of a delta CRL, not a revocation.
    #[error("remove-from-crl is not a reason to revoke; `release` lifts a hold")]
    NotARevocationReason,
    /// The certificate's octets are not on record, so that a release has nothing to restore.
    #[error("its certificate is not on record, only its number: it can be revoked, not released")]
    KnownByNumber,
    /// Only a certificate on hold can be released.
    #[error("it is not on hold")]
    NotHeld,
}

impl CertificateState {
    /// Returns the state after a revocation or hold. A pending certificate can be revoked but not held. A
    /// certificate on hold can be revoked permanently.
    ///
    /// # Errors
    /// When the certificate is permanently revoked already, is held twice, is held while pending, or the reason
    /// is `removeFromCRL`.
    pub fn revoke(&self, revocation: Revocation) -> Result<Self, TransitionError> {
        if revocation.reason == Some(CrlReason::RemoveFromCrl) {
            return Err(TransitionError::NotARevocationReason);
        }
        match self {
            Self::Revoked(old) if !old.is_hold() => Err(TransitionError::AlreadyRevoked(old.clone())),
            Self::Revoked(old) if revocation.is_hold() => Err(TransitionError::AlreadyHeld(old.clone())),
            Self::Pending if revocation.is_hold() => Err(TransitionError::PendingHold),
            Self::Pending | Self::Issued | Self::Revoked(_) => {
                let reason = revocation.reason.filter(|reason| *reason != CrlReason::Unspecified);
                Ok(Self::Revoked(Revocation { reason, ..revocation }))
            }
        }
    }

    /// Returns the state after a hold is lifted.
    ///
    /// # Errors
    /// [`TransitionError::NotHeld`] for every certificate that is not on hold.
    pub fn release(&self) -> Result<Self, TransitionError> {
        match self {
            Self::Revoked(old) if old.is_hold() => Ok(Self::Issued),
            Self::Revoked(_) | Self::Pending | Self::Issued => Err(TransitionError::NotHeld),
        }
    }

    /// Checks whether `to` can follow this state by a revocation, hold or release. An index checks this before
    /// it stores a state.
    ///
    /// # Errors
    /// The reason why `to` cannot follow.
    pub(crate) fn check_transition(&self, to: &Self) -> Result<(), TransitionError> {
        match to {
            Self::Revoked(revocation) => self.revoke(revocation.clone()).map(drop),
            Self::Issued => self.release().map(drop),
            Self::Pending => Err(TransitionError::NotHeld),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn revocation(reason: Option<CrlReason>) -> Revocation {
        Revocation { revoked_at: UnixTime(5), reason, invalidity_date: None }
    }

    #[test]
    fn only_a_hold_can_be_lifted() {
        // C4
        let held = CertificateState::Issued.revoke(revocation(Some(CrlReason::CertificateHold))).unwrap();
        assert_eq!(held.release(), Ok(CertificateState::Issued));
        let revoked = held.revoke(revocation(Some(CrlReason::KeyCompromise))).unwrap();
        assert_eq!(revoked.release(), Err(TransitionError::NotHeld));
        assert_eq!(CertificateState::Issued.release(), Err(TransitionError::NotHeld));
    }

    #[test]
    fn what_is_revoked_stays_revoked_as_it_was() {
        // C4
        let revoked = CertificateState::Issued.revoke(revocation(None)).unwrap();
        let again = revoked.revoke(revocation(Some(CrlReason::Superseded)));
        assert_eq!(again, Err(TransitionError::AlreadyRevoked(revocation(None))));
        let removed = CertificateState::Issued.revoke(revocation(Some(CrlReason::RemoveFromCrl)));
        assert_eq!(removed, Err(TransitionError::NotARevocationReason));
    }

    #[test]
    fn unspecified_is_kept_as_no_reason() {
        // C2
        let revoked = CertificateState::Issued.revoke(revocation(Some(CrlReason::Unspecified))).unwrap();
        assert_eq!(revoked, CertificateState::Revoked(revocation(None)));
    }

    #[test]
    fn a_pending_certificate_is_revoked_but_not_held() {
        // C4: a release would make a certificate of something that was never signed.
        let hold = CertificateState::Pending.revoke(revocation(Some(CrlReason::CertificateHold)));
        assert_eq!(hold, Err(TransitionError::PendingHold));
        assert!(CertificateState::Pending.revoke(revocation(None)).is_ok());
    }

    #[test]
    fn a_transition_is_checked_by_the_same_rules() {
        let revoked = CertificateState::Issued.revoke(revocation(None)).unwrap();
        assert_eq!(CertificateState::Issued.check_transition(&revoked), Ok(()));
        assert_eq!(revoked.check_transition(&CertificateState::Issued), Err(TransitionError::NotHeld));
        assert_eq!(revoked.check_transition(&CertificateState::Pending), Err(TransitionError::NotHeld));
    }
}
