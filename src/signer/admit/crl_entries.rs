//! Comparison of a CRL with the one before it: a revocation is not taken back (K3, C3). Both are streams in the order
//! of serial numbers, so a list of a million entries takes no memory beside its own octets.
use super::{Admission, Refusal};
use crate::error::Code;
use crate::signer::{LastCrl, ListChanges};
use crate::x509::extension::CrlNumber;
use crate::x509::{CrlReason, MalformedDer, Revoked, SerialNumber, TbsCertList, UnixTime, compare_serials};
use std::cmp::Ordering;

/// Most entries of which the client is asked to show the certificates at once.
const MOST_UNKNOWN: usize = 1000;
/// Serial numbers that a message names.
const SHOWN: usize = 5;

impl Admission<'_> {
    /// Compares a complete list with the last one.
    ///
    /// An entry may leave when it was a hold, which was lifted; or when the certificate had ended when the last list,
    /// which has it, was made (RFC 5280 §3.3). The signer's own record says when it ends. Of a certificate that it does
    /// not know, it waits for the end of the CA. One that stays says of a revocation for good no less than before: no later
    /// date, and nothing else in the place of a compromise of the key (RFC 5280 §5.3.1).
    ///
    /// Returns what the list says otherwise than the last one.
    pub(super) fn check_entries(
        &self,
        key: &[u8; 32],
        list: &TbsCertList,
        last: &LastCrl,
        ca_end: Option<UnixTime>,
    ) -> Result<ListChanges, Refusal> {
        let mut next = Entries::of(list);
        let (mut dropped, mut fault) = (Packed::default(), None);
        let (mut held_again, mut weaker) = (Faults::default(), Faults::default());
        let mut changes = ListChanges::from(last.number);
        self.record.each_last_entry(key, &mut |serial, before| {
            match next.reach_by(serial, |added, revoked| changes.note(added, revoked)) {
                Ok(Some(now)) if now == before => {}
                Ok(Some(now)) if before.is_final() && !now.is_final() => held_again.note(serial),
                Ok(Some(now)) if before.is_final() && now.is_weaker_than(before) => weaker.note(serial),
                Ok(Some(now)) => changes.note(serial, now),
                Ok(None) if before.is_final() => dropped.push(serial),
                Ok(None) => {}
                Err(refusal) => fault = Some(refusal),
            }
            fault.is_none()
        })?;
        if let Some(refusal) = fault {
            return Err(refusal);
        }
        next.rest_by(|added, revoked| changes.note(added, revoked))?;
        if held_again.count > 0 {
            let message = format!(
                "CRL {} revokes for good what this one would put on hold: {}",
                last.number,
                held_again.list()
            );
            return Err(taken_back(message));
        }
        if weaker.count > 0 {
            let message = format!(
                "CRL {} says an earlier date, or that the key was compromised, of what this one would weaken: {}",
                last.number,
                weaker.list()
            );
            return Err(taken_back(message));
        }
        let (mut missing, mut unknown) = (Faults::default(), Vec::new());
        for serial in dropped.iter() {
            match self.record.not_after(key, &serial)? {
                Some(end) if end < last.this_update => {}
                Some(_) => missing.note(&serial),
                None if ca_end.is_some_and(|end| end < last.this_update) => {}
                None if unknown.len() < MOST_UNKNOWN => unknown.push(serial),
                None => {}
            }
        }
        if missing.count > 0 {
            let message = format!(
                "the CRL leaves out what CRL {} revokes, and what had not ended by then: {}",
                last.number,
                missing.list()
            );
            return Err(taken_back(message));
        }
        if !unknown.is_empty() {
            let message = format!(
                "the CRL leaves out {} entries of CRL {}, and the signer does not know when their certificates end",
                unknown.len(),
                last.number
            );
            let hint = "show the signer these certificates, or keep the entries until the end of the CA";
            let refusal = Refusal::new(Code::SignerCrlEntryUnknown, "RFC 5280 §3.3", message, hint);
            return Err(Refusal { unknown, ..refusal });
        }
        Ok(changes)
    }

    /// Compares a delta with the complete list of the same number: of each certificate it says what that says, and it
    /// has everything that was revoked since the base (RFC 5280 §5.2.4). A shorter one would hide a revocation from
    /// those who have an older complete list. What is taken off need not be there: whoever misses that takes a
    /// certificate for held, and not for good.
    pub(super) fn check_delta_entries(
        &self,
        key: &[u8; 32],
        delta: &TbsCertList,
        complete: &LastCrl,
        base: CrlNumber,
    ) -> Result<(), Refusal> {
        let Some(mut changed) = self.record.changed_since(key, base)? else {
            let message = format!(
                "the signer does not know what was revoked since CRL {base}, which the delta is based on"
            );
            let hint = "make the delta with the complete CRL after this one, based on this one";
            return Err(Refusal::new(Code::SignerDelta, "RFC 5280 §5.2.4", message, hint));
        };
        changed.sort_unstable_by(order);
        changed.dedup();
        let (mut different, mut fault) = (Faults::default(), None);
        let mut next = Entries::of(delta);
        let mut changed = changed.iter().peekable();
        self.record.each_last_entry(key, &mut |serial, complete| {
            while changed.next_if(|changed| order(changed, serial).is_lt()).is_some() {}
            let is_changed = changed.next_if(|changed| order(changed, serial).is_eq()).is_some();
            let found = next.reach_by(serial, |between, now| {
                // beside entries of the complete list, those that left it
                if !is_removal(now) {
                    different.note(between);
                }
            });
            match found {
                Ok(Some(now)) if now == complete => {}
                Ok(None) if !is_changed => {}
                Ok(_) => different.note(serial),
                Err(refusal) => fault = Some(refusal),
            }
            fault.is_none()
        })?;
        if let Some(refusal) = fault {
            return Err(refusal);
        }
        next.rest_by(|between, now| {
            if !is_removal(now) {
                different.note(between);
            }
        })?;
        if different.count == 0 {
            return Ok(());
        }
        let message = format!(
            "the delta and the complete CRL {} say different things of {}",
            complete.number,
            different.list()
        );
        let hint = "make the delta of the entries of its complete CRL that changed since its base";
        Err(Refusal::new(Code::SignerDelta, "RFC 5280 §5.2.4", message, hint))
    }
}

fn taken_back(message: String) -> Refusal {
    let hint = "somebody may have changed the index, or it lacks what the last CRL says: `audit verify` and `doctor` tell; a \
                revocation is not taken back. With the last CRL as the published one of the CA, the next one has its word";
    Refusal::new(Code::SignerCrlEntryMissing, "RFC 5280 §3.3", message, hint)
}

/// Tells whether an entry of a delta says that the certificate left the list.
fn is_removal(entry: Revoked) -> bool {
    entry.reason == CrlReason::RemoveFromCrl.number()
}

/// The entries of a new list, one after the other.
struct Entries<'a> {
    entries: Box<dyn Iterator<Item = Result<(SerialNumber, Revoked), MalformedDer>> + 'a>,
    /// The entry that was read last and not passed yet.
    at: Option<(SerialNumber, Revoked)>,
    /// Whether that entry was asked for.
    is_met: bool,
}

impl<'a> Entries<'a> {
    fn of(list: &'a TbsCertList) -> Self {
        Self { entries: Box::new(list.revoked()), at: None, is_met: false }
    }

    /// Reads the next entry, which must be above the one before.
    fn advance(&mut self) -> Result<(), Refusal> {
        let next =
            self.entries.next().transpose().map_err(|error| Refusal::malformed("TBSCertList", error))?;
        if let (Some((before, _)), Some((after, _))) = (&self.at, &next)
            && order(before, after) != Ordering::Less
        {
            let message = format!(
                "the entry {after} follows {before}: entries are in the order of their serial numbers"
            );
            let hint = "list the entries in order, each once";
            return Err(Refusal::new(Code::SignerCrlOrder, "order of this program's CRLs", message, hint));
        }
        (self.at, self.is_met) = (next, false);
        Ok(())
    }

    /// Returns what the entry says with this serial number, if there is one; those before it are passed, and
    /// `between` is called for each that was not asked for.
    fn reach_by(
        &mut self,
        serial: &SerialNumber,
        mut between: impl FnMut(&SerialNumber, Revoked),
    ) -> Result<Option<Revoked>, Refusal> {
        if self.at.is_none() {
            self.advance()?;
        }
        while let Some((found, revoked)) = &self.at {
            match order(found, serial) {
                Ordering::Less if self.is_met => {}
                Ordering::Less => between(found, *revoked),
                Ordering::Equal => {
                    self.is_met = true;
                    return Ok(Some(*revoked));
                }
                Ordering::Greater => return Ok(None),
            }
            self.advance()?;
        }
        Ok(None)
    }

    /// Reads what is left, for its order, and calls `between` for each entry that was not asked for.
    fn rest_by(mut self, mut between: impl FnMut(&SerialNumber, Revoked)) -> Result<(), Refusal> {
        if self.at.is_none() {
            self.advance()?;
        }
        while let Some((found, revoked)) = &self.at {
            if !self.is_met {
                between(found, *revoked);
            }
            self.advance()?;
        }
        Ok(())
    }
}

fn order(one: &SerialNumber, other: &SerialNumber) -> Ordering {
    compare_serials(one.as_be_octets(), other.as_be_octets())
}

/// Serial numbers without the room that each takes as a value: a million take 18 MB.
#[derive(Default)]
struct Packed(Vec<u8>);

impl Packed {
    fn push(&mut self, serial: &SerialNumber) {
        let octets = serial.as_be_octets();
        self.0.push(u8::try_from(octets.len()).unwrap_or_default());
        self.0.extend_from_slice(octets);
    }

    fn iter(&self) -> impl Iterator<Item = SerialNumber> + '_ {
        let mut rest = self.0.as_slice();
        std::iter::from_fn(move || {
            let (length, after) = rest.split_first()?;
            let (serial, after) = after.split_at_checked(usize::from(*length))?;
            rest = after;
            SerialNumber::from_be_octets(serial).ok()
        })
    }
}

/// Entries that break a rule: how many, and the first few.
#[derive(Default)]
struct Faults {
    count: usize,
    first: Vec<String>,
}

impl Faults {
    fn note(&mut self, serial: &SerialNumber) {
        self.count = self.count.saturating_add(1);
        if self.first.len() < SHOWN {
            self.first.push(serial.to_string());
        }
    }

    fn list(&self) -> String {
        let named = self.first.join(", ");
        match self.count.saturating_sub(self.first.len()) {
            0 => named,
            more => format!("{named}, and {more} more"),
        }
    }
}
