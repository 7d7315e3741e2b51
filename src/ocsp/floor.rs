//! The newest list of each CA that was verified here. What it has revoked for good is answered as revoked, whatever
//! the published status says: that is not signed.
use crate::index::CertificateState;
use crate::status::StatusReader;
use crate::x509::{CertificateId, CrlEntry, CrlListing, IssuerId, SerialNumber};
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

/// So many entries of each list are compared with the status at a time: some milliseconds.
const COMPARED: usize = 5_000;
/// So many that contradict are remembered.
const REMEMBERED: usize = 1_000;

/// The lists, and how far each was compared with the status.
#[derive(Default)]
pub(super) struct Floors(HashMap<IssuerId, Floor>);

struct Floor {
    list: Arc<CrlListing>,
    /// Where comparing goes on.
    at: usize,
    /// How many entries are still to be compared.
    left: usize,
    /// What the status has otherwise.
    contradicted: BTreeSet<SerialNumber>,
}

impl Floors {
    /// The list of a CA.
    pub(super) fn list(&self, issuer: &IssuerId) -> Option<&Arc<CrlListing>> {
        self.0.get(issuer).map(|floor| &floor.list)
    }

    /// Takes a list in the place of one that is no newer.
    pub(super) fn raise(&mut self, issuer: IssuerId, list: &Arc<CrlListing>) {
        let mut contradicted = self.0.remove(&issuer).map(|floor| floor.contradicted).unwrap_or_default();
        contradicted.retain(|serial| list.find(serial).is_some_and(|entry| entry.is_final()));
        let floor = Floor { list: Arc::clone(list), at: 0, left: list.len(), contradicted };
        self.0.insert(issuer, floor);
    }

    /// All of them.
    pub(super) fn lists(&self) -> HashMap<IssuerId, Arc<CrlListing>> {
        self.0.iter().map(|(issuer, floor)| (*issuer, Arc::clone(&floor.list))).collect()
    }

    /// Compares the next entries of each list with a status; all of them from here on when it is a new one.
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
                    // of what cannot be read nothing is answered
                    Ok(_) | Err(_) => {}
                }
            }
        }
    }

    /// What is said of the CA of this name, when the status contradicts its list.
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
