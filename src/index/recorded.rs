//! The proof that a value is on record. Only this file creates one: an adapter reports that it has stored the
//! value, and never creates the proof.
use super::{IndexError, Intent, IssuanceIndex, RevocationIndex};
use crate::audit::AuditEvent;
use crate::lint::Linted;
use crate::x509::{IssuerId, TbsCertList, TbsCertificate};

/// Proof that a value is on record. An issuer signs nothing else, and signing consumes the proof.
///
/// Only this module creates one, and only of a linted value:
///
/// ```compile_fail,E0423
/// # use genfic_ca::{index::Recorded, x509::TbsCertificate};
/// fn unrecorded(tbs: TbsCertificate) -> Recorded<TbsCertificate> {
///     Recorded(tbs)
/// }
/// ```
///
/// Code outside of this crate cannot implement an index that claims to have stored what it has not:
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
    /// Returns the value that is on record.
    pub fn get(&self) -> &T {
        &self.0
    }

    /// Returns the value and consumes the proof.
    pub fn into_inner(self) -> T {
        self.0
    }
}

/// Implements [`IssuanceIndex::record_intent`] for every index.
pub(super) fn intents<I: IssuanceIndex + ?Sized>(
    index: &I,
    intents: Vec<Intent>,
) -> Result<Vec<Recorded<TbsCertificate>>, IndexError> {
    index.store_intents(&intents)?;
    Ok(intents.into_iter().map(|intent| Recorded(intent.tbs.into_inner())).collect())
}

/// Records on a medium what a ceremony is about to sign. There is no index where an offline key signs: what is to be
/// signed is on record in that of the home which asks for it, and `record` writes its digest to the medium.
pub(crate) fn recorded_on_medium<T>(
    tbs: Linted<T>,
    octets: fn(&T) -> &[u8],
    record: &dyn Fn(&[u8]) -> Result<(), crate::error::Problem>,
) -> Result<Recorded<T>, crate::error::Problem> {
    record(octets(tbs.get()))?;
    Ok(Recorded(tbs.into_inner()))
}

/// Implements [`RevocationIndex::record_crl`] for every index.
pub(super) fn crl<I: RevocationIndex + ?Sized>(
    index: &I,
    issuer: &IssuerId,
    tbs: Linted<TbsCertList>,
    event: AuditEvent,
) -> Result<Recorded<TbsCertList>, IndexError> {
    index.store_crl(issuer, &tbs, event)?;
    Ok(Recorded(tbs.into_inner()))
}
