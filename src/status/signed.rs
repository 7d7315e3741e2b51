//! Comparison of what a CA signed last with its index.
use super::{SignedEvidence, StatusError};
use crate::audit::Outcome;
use crate::index::{Authority, IndexReader, StoreError, is_final, need_not_be_listed};
use crate::repository::{PublishError, Publisher};
use crate::x509::extension::CrlNumber;
use crate::x509::{CertificateId, CrlListing, SerialNumber, compare_serials};
use std::collections::HashSet;
use std::sync::Arc;

/// What the CAs of a home signed, as known outside its index.
#[derive(Clone, Copy)]
pub struct SignedCrls<'a> {
    /// The published CRLs.
    pub lists: &'a dyn Publisher,
    /// The CRL numbers that were taken, whether or not a CRL was published with them.
    pub marks: &'a dyn CrlMarks,
}

/// Reads the highest CRL number ever taken with the key of each CA.
pub trait CrlMarks {
    /// Returns the number for this CA; `None` when there is none that can be read.
    fn mark(&self, authority: &Authority) -> Option<CrlNumber>;
}

/// Bound of the serial numbers that an error lists.
const NAMED: usize = 3;

/// Returns the CRL that a CA signed last, as it is published. When it is missing or older than the record, the
/// index's own audit records are checked instead: every certificate that they revoke must be revoked.
///
/// # Errors
/// [`StatusError::Contradicts`] by the audit records; when the index or the CRL cannot be read.
pub(crate) fn last_signed(
    index: &dyn IndexReader,
    publisher: &dyn Publisher,
    authority: &Authority,
) -> Result<Option<Arc<CrlListing>>, StatusError> {
    let list = signed_list(publisher, authority)?;
    let recorded = index.last_crl(&authority.issuer)?.map(|last| last.number);
    if recorded > list.as_ref().map(|list| list.number()) {
        check_audit(index, authority)?;
    }
    Ok(list)
}

/// Returns the published CRL of a CA of this home; `None` for an external CA.
pub(crate) fn signed_list(
    publisher: &dyn Publisher,
    authority: &Authority,
) -> Result<Option<Arc<CrlListing>>, StatusError> {
    if authority.is_external() {
        return Ok(None);
    }
    match publisher.signed_list(&authority.name, &authority.certificate) {
        Ok(list) => Ok(list),
        Err(PublishError::Unreadable { .. }) => Ok(None),
        Err(error) => Err(StoreError::Backend(error.to_string()).into()),
    }
}

/// Refuses a CRL that revokes certificates that are not revoked in the index. Other processes may publish
/// meanwhile. Certificates that a newer CRL leaves out were compared when that CRL was made.
///
/// # Errors
/// [`StatusError::Contradicts`]; [`StatusError::OlderCopy`] when the index never took the number of the CRL.
pub(crate) fn check_contradicting(
    index: &dyn IndexReader,
    publisher: &dyn Publisher,
    authority: &Authority,
    list: &CrlListing,
    mut serials: Vec<SerialNumber>,
) -> Result<(), StatusError> {
    let mut number = list.number();
    while !serials.is_empty() {
        let Some(newer) = signed_list(publisher, authority)?.filter(|newer| newer.number() > number) else {
            break;
        };
        number = newer.number();
        let mut still = Vec::new();
        for serial in serials {
            let is_listed = newer.find(&serial).is_some_and(|entry| entry.is_final());
            if is_listed && !need_not_be_listed(index, authority, &newer, &serial)? {
                still.push(serial);
            }
        }
        serials = still;
    }
    let Some(first) = serials.first() else { return Ok(()) };
    let name = &authority.name;
    if number > index.highest_crl_number(&authority.issuer)? {
        return Err(StatusError::OlderCopy(format!(
            "CRL {number} of {name} is published and not on record, and lists {first}, which is not revoked in the \
             index"
        )));
    }
    Err(contradicts(SignedEvidence::Crl(number, name.clone()), authority, &serials))
}

/// Returns the error for evidence that contradicts the index.
pub(crate) fn contradicts(
    evidence: SignedEvidence,
    authority: &Authority,
    serials: &[SerialNumber],
) -> StatusError {
    StatusError::Contradicts {
        evidence,
        authority: authority.name.clone(),
        count: serials.len(),
        first: serials.iter().take(NAMED).cloned().collect(),
    }
}

/// Refuses an index whose audit records revoke a certificate of a CA that is not revoked.
fn check_audit(index: &dyn IndexReader, authority: &Authority) -> Result<(), StatusError> {
    let mut revoked: HashSet<SerialNumber> = HashSet::new();
    index.audit_records(1, &mut |record| {
        let event = &record.event;
        let is_act = ["certificate.revoked", "certificate.abandoned"].contains(&event.action.as_str());
        if is_act
            && event.outcome == Outcome::Done
            && let Some((name, serial)) = event.object.split_once('/')
            && name == authority.name
            && let Ok(serial) = serial.parse()
        {
            revoked.insert(serial);
        }
        true
    })?;
    let mut lost = Vec::new();
    for serial_number in revoked {
        let id = CertificateId { issuer: authority.issuer, serial_number };
        if !index.status(&id)?.is_some_and(|state| is_final(&state)) {
            lost.push(id.serial_number);
        }
    }
    lost.sort_by(|a, b| compare_serials(a.as_be_octets(), b.as_be_octets()));
    match lost.is_empty() {
        true => Ok(()),
        false => Err(contradicts(SignedEvidence::Audit(authority.name.clone()), authority, &lost)),
    }
}

/// Returns these CRLs, for a home without marks.
#[cfg(test)]
pub(crate) fn unmarked(lists: &dyn Publisher) -> SignedCrls<'_> {
    struct None;
    impl CrlMarks for None {
        fn mark(&self, _: &Authority) -> Option<CrlNumber> {
            Option::None
        }
    }
    SignedCrls { lists, marks: &None }
}
