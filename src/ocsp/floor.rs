//! The newest verified CRL of each CA. Certificates that a CRL revokes permanently are answered as revoked, whatever
//! the published status says: the CRL is signed and the status is not.
use crate::index::CertificateState;
use crate::status::StatusReader;
use crate::x509::{CertificateId, CrlEntry, CrlListing, IssuerId, SerialNumber};
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

/// Number of CRL entries that are compared with the status in one go; 5,000 take some milliseconds.
const COMPARED: usize = 5_000;
/// Number of contradicting serial numbers that are remembered for each CA; 1,000 bound the memory, and beyond that
/// the count is reported as "or more".
const REMEMBERED: usize = 1_000;

/// The newest CRL of each CA, and how far it has been compared with the status.
#[derive(Default)]
pub(super) struct Floors(HashMap<IssuerId, Floor>);

struct Floor {
    list: Arc<CrlListing>,
    /// Position at which the comparison continues.
    at: usize,
    /// Number of entries that are still to be compared.
    left: usize,
    /// Serial numbers that the CRL revokes permanently and the status does not.
    contradicted: BTreeSet<SerialNumber>,
}

impl Floors {
    /// Returns the newest CRL of a CA.
    pub(super) fn list(&self, issuer: &IssuerId) -> Option<&Arc<CrlListing>> {
        self.0.get(issuer).map(|floor| &floor.list)
    }

    /// Takes the newest CRL of a CA in place of an older one.
    pub(super) fn raise(&mut self, issuer: IssuerId, list: &Arc<CrlListing>) {
        let mut contradicted = self.0.remove(&issuer).map(|floor| floor.contradicted).unwrap_or_default();
        contradicted.retain(|serial| list.find(serial).is_some_and(|entry| entry.is_final()));
        let floor = Floor { list: Arc::clone(list), at: 0, left: list.len(), contradicted };
        self.0.insert(issuer, floor);
    }

    /// Returns the newest CRL of every CA.
    pub(super) fn lists(&self) -> HashMap<IssuerId, Arc<CrlListing>> {
        self.0.iter().map(|(issuer, floor)| (*issuer, Arc::clone(&floor.list))).collect()
    }

    /// Compares the next entries of each CRL with a status. A new status has all entries compared again.
    pub(super) fn compare(&mut self, status: &dyn StatusReader, is_new: bool) {
        for (issuer, floor) in &mut self.0 {
            floor.left = if is_new { floor.list.len() } else { floor.left };
            for _ in 0..floor.left.min(COMPARED) {
                floor.at = if floor.at < floor.list.len() { floor.at } else { 0 };
                let entry = floor.list.entry(floor.at).filter(CrlEntry::is_final);
                floor.at = floor.at.saturating_add(1);
                floor.left = floor.left.saturating_sub(1);
                let Some(entry) = entry else { continue };
                let id = CertificateId { issuer: *issuer, serial_number: entry.serial_number };
                match status.status(&id) {
                    Ok(Some(CertificateState::Revoked(revocation))) if !revocation.is_hold() => {
                        floor.contradicted.remove(&id.serial_number);
                    }
                    Ok(_) if floor.contradicted.len() < REMEMBERED => {
                        floor.contradicted.insert(id.serial_number);
                    }
                    // a certificate whose status cannot be read is not answered
                    Ok(_) | Err(_) => {}
                }
            }
        }
    }

    /// Returns the report for a CA of this name whose CRL the status contradicts; `None` when it does not.
    pub(super) fn contradiction(&self, issuer: &IssuerId, name: &str) -> Option<String> {
        let floor = self.0.get(issuer)?;
        let first = floor.contradicted.first()?;
        let count = floor.contradicted.len();
        let (more, are) = match count {
            REMEMBERED => ("or more ", "s are"),
            1 => ("", " is"),
            _ => ("", "s are"),
        };
        Some(format!(
            "{count} {more}certificate{are} revoked by CRL {} of {name} and not by the published status, among them \
             {first}: answered as revoked",
            floor.list.number()
        ))
    }
}
