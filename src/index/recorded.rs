//! The proof that something is on record. This file alone makes one: an adapter says that it has stored what it was
//! given, and never makes the proof of it.
use super::{IndexError, Intent, IssuanceIndex, RevocationIndex};
use crate::audit::AuditEvent;
use crate::lint::Linted;
use crate::x509::{IssuerId, TbsCertList, TbsCertificate};

/// Proof that something is on record. It is the only thing an issuer signs, and is used up by signing.
///
/// Only this module makes one, and from what was linted:
///
/// ```compile_fail,E0423
/// # use genfic_ca::{index::Recorded, x509::TbsCertificate};
/// fn unrecorded(tbs: TbsCertificate) -> Recorded<TbsCertificate> {
///     Recorded(tbs)
/// }
/// ```
///
/// And nobody outside of this crate has an index of their own, which says that it has stored what it has not:
///
/// ```compile_fail,E0603
/// use genfic_ca::index::RevocationIndex;
/// ```
///
/// ```compile_fail,E0603
/// use genfic_ca::index::IssuanceIndex;
/// ```
#[derive(Debug)]
pub struct Recorded<T>(T);

impl<T> Recorded<T> {
    /// What is on record.
    pub fn get(&self) -> &T {
        &self.0
    }

    /// Gives the proof up.
    pub fn into_inner(self) -> T {
        self.0
    }
}

/// [`IssuanceIndex::record_intent`], whatever the index.
pub(super) fn intents<I: IssuanceIndex + ?Sized>(
    index: &I,
    intents: Vec<Intent>,
) -> Result<Vec<Recorded<TbsCertificate>>, IndexError> {
    index.store_intents(&intents)?;
    Ok(intents.into_iter().map(|intent| Recorded(intent.tbs.into_inner())).collect())
}

/// [`RevocationIndex::record_crl`], whatever the index.
pub(super) fn crl<I: RevocationIndex + ?Sized>(
    index: &I,
    issuer: &IssuerId,
    tbs: Linted<TbsCertList>,
    event: AuditEvent,
) -> Result<Recorded<TbsCertList>, IndexError> {
    index.store_crl(issuer, &tbs, event)?;
    Ok(Recorded(tbs.into_inner()))
}
