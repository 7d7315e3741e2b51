//! What a CA signed, against its index: nobody takes a revocation back by changing a row.
use super::{Authority, CertificateState, Evidence, IndexError, IndexReader};
use crate::audit::Outcome;
use crate::repository::{PublishError, Publisher};
use crate::x509::{CertificateId, CrlEntry, CrlListing, SerialNumber, compare_serials};
use std::cmp::Ordering;
use std::collections::HashSet;
use std::sync::Arc;

/// How many certificates are named.
const NAMED: usize = 3;

/// A CA's last signed list, while it is compared with what the next list is to have. Entries come by serial number,
/// as those of the list do.
pub(crate) struct Comparison<'a> {
    list: &'a CrlListing,
    at: usize,
    missing: Vec<usize>,
}

impl<'a> Comparison<'a> {
    /// With this list, before the first entry.
    pub(crate) fn with(list: &'a CrlListing) -> Self {
        Self { list, at: 0, missing: Vec::new() }
    }

    /// Goes on to an entry of the next list.
    pub(crate) fn meet(&mut self, entry: &CrlEntry) {
        let serial = entry.serial_number.as_be_octets();
        while let Some(listed) = self.list.serial_octets(self.at) {
            match compare_serials(listed, serial) {
                Ordering::Less => self.missing.push(self.at),
                Ordering::Equal => {
                    if !entry.is_final() {
                        self.missing.push(self.at);
                    }
                    self.at += 1;
                    return;
                }
                Ordering::Greater => return,
            }
            self.at += 1;
        }
    }

    /// The serial numbers that the list revokes for good and that the next one has not, and must have.
    pub(crate) fn finish(
        mut self,
        index: &dyn IndexReader,
        authority: &Authority,
    ) -> Result<Vec<SerialNumber>, IndexError> {
        self.missing.extend(self.at..self.list.len());
        let mut serials = Vec::new();
        for entry in self.missing.iter().filter_map(|at| self.list.entry(*at)).filter(CrlEntry::is_final) {
            if !need_not_be_listed(index, authority, self.list, &entry.serial_number)? {
                serials.push(entry.serial_number);
            }
        }
        Ok(serials)
    }
}

/// Whether a certificate that a list revoked may be absent from the next: it is revoked in the index too, and had
/// ended when that list was made (C3). What it says itself of its end counts, not what is kept beside it.
fn need_not_be_listed(
    index: &dyn IndexReader,
    authority: &Authority,
    list: &CrlListing,
    serial_number: &SerialNumber,
) -> Result<bool, IndexError> {
    let id = CertificateId { issuer: authority.issuer, serial_number: serial_number.clone() };
    let record = match index.certificate(&id) {
        // a row that was tampered with may not even be readable
        Err(IndexError::Damaged(_)) => None,
        record => record?,
    };
    Ok(record.is_some_and(|record| {
        let end = record.certificate.as_ref().map_or(record.validity, |one| one.tbs().validity()).not_after;
        is_final(&record.state) && end < list.this_update()
    }))
}

/// Revoked for good: there is no way back from there.
pub(crate) fn is_final(state: &CertificateState) -> bool {
    matches!(state, CertificateState::Revoked(revocation) if !revocation.is_hold())
}

/// The serial numbers that a list of a CA revokes for good and that the CA's next list would lack although they have
/// to be on it. The list is to be read before this is asked.
///
/// # Errors
/// When the index cannot be read.
pub fn contradicting(
    index: &dyn IndexReader,
    authority: &Authority,
    list: &CrlListing,
) -> Result<Vec<SerialNumber>, IndexError> {
    let mut comparison = Comparison::with(list);
    index.revoked(&authority.issuer, &mut |entry| comparison.meet(&entry))?;
    comparison.finish(index, authority)
}

/// The list that a CA signed last, as it is in its public place. Where that is gone, or an older one stands there,
/// the index's own audit records have to do: what they say was revoked must be so.
///
/// # Errors
/// [`IndexError::Contradicts`] by the audit records; when the index or the list cannot be read.
pub(crate) fn last_signed(
    index: &dyn IndexReader,
    publisher: &dyn Publisher,
    authority: &Authority,
) -> Result<Option<Arc<CrlListing>>, IndexError> {
    let list = signed_list(publisher, authority)?;
    let recorded = index.last_crl(&authority.issuer)?.map(|last| last.number);
    if recorded > list.as_ref().map(|list| list.number()) {
        check_audit(index, authority)?;
    }
    Ok(list)
}

/// The published list of a CA of this home; of those that others run there is none.
pub(crate) fn signed_list(
    publisher: &dyn Publisher,
    authority: &Authority,
) -> Result<Option<Arc<CrlListing>>, IndexError> {
    if authority.is_elsewhere() {
        return Ok(None);
    }
    match publisher.signed_list(&authority.name, &authority.certificate) {
        Ok(list) => Ok(list),
        Err(PublishError::Unreadable { .. }) => Ok(None),
        Err(error) => Err(IndexError::Backend(error.to_string())),
    }
}

/// Says no when a list revokes what is not revoked in the index. Other processes may publish meanwhile: what a newer
/// list has left out was compared when that was made.
///
/// # Errors
/// [`IndexError::Contradicts`]; [`IndexError::OlderCopy`] when the list is of a number that the index never took.
pub(crate) fn check_contradicting(
    index: &dyn IndexReader,
    publisher: &dyn Publisher,
    authority: &Authority,
    list: &CrlListing,
    mut serials: Vec<SerialNumber>,
) -> Result<(), IndexError> {
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
        return Err(IndexError::OlderCopy(format!(
            "CRL {number} of {name} is published and not on record, and lists {first}, which is not revoked in the \
             index"
        )));
    }
    Err(contradicts(Evidence::Crl(number, name.clone()), authority, &serials))
}

/// The error that says so.
pub(crate) fn contradicts(evidence: Evidence, authority: &Authority, serials: &[SerialNumber]) -> IndexError {
    IndexError::Contradicts {
        evidence,
        authority: authority.name.clone(),
        count: serials.len(),
        first: serials.iter().take(NAMED).cloned().collect(),
    }
}

/// Says no when the audit records have a certificate of a CA revoked that is not revoked.
fn check_audit(index: &dyn IndexReader, authority: &Authority) -> Result<(), IndexError> {
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
        false => Err(contradicts(Evidence::Audit(authority.name.clone()), authority, &lost)),
    }
}
