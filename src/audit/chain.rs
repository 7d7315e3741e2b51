//! Hash chain of audit records. Pure.
//!
//! The digest of a record is SHA-256 over a tag, the digest of the record before, the sequence number and the octets
//! of the event. A record therefore cannot be changed, removed, moved or inserted without changing the digest of the
//! newest record. Whoever has noted an older digest notices when newer records are cut off or rewritten.
use super::AuditEvent;
use crate::x509::sha256;

/// SHA-256 of a record and, through the chain, of every record before it.
pub(crate) type Digest = [u8; 32];

/// Prefix that separates these digests from every other use of SHA-256.
const TAG: &[u8] = b"genfic-ca audit record 1\0";

/// Newest record of a chain. The default is the state before the first record.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Head {
    /// Sequence number; 0 before the first record.
    pub sequence: u64,
    /// Digest; zeros before the first record.
    pub digest: Digest,
}

/// An event with its position in the chain.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct AuditRecord {
    /// Sequence number, which starts at 1 and has no gaps.
    pub sequence: u64,
    /// Recorded event.
    pub event: AuditEvent,
    /// Digest of the record before; zeros in the first record.
    pub previous: Digest,
    /// Digest of this record.
    pub digest: Digest,
}

impl AuditRecord {
    /// Returns the head of the chain that ends with this record.
    #[must_use]
    pub fn head(&self) -> Head {
        Head { sequence: self.sequence, digest: self.digest }
    }
}

fn digest(previous: &Digest, sequence: u64, event: &AuditEvent) -> Digest {
    sha256(&[TAG, previous, &sequence.to_be_bytes(), &event.to_octets()].concat())
}

/// Makes records, each linked to the one before by its digest.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Chain {
    head: Head,
}

impl Chain {
    /// Returns a chain that continues after this record.
    #[must_use]
    pub(crate) fn after(head: Head) -> Self {
        Self { head }
    }

    /// Returns the newest record.
    #[must_use]
    pub(crate) fn head(&self) -> Head {
        self.head
    }

    /// Returns a record of this event, which becomes the newest record.
    pub(crate) fn append(&mut self, event: AuditEvent) -> AuditRecord {
        let sequence = self.head.sequence.saturating_add(1);
        let previous = self.head.digest;
        let digest = digest(&previous, sequence, &event);
        self.head = Head { sequence, digest };
        AuditRecord { sequence, event, previous, digest }
    }
}

/// Kind and position of a break in the chain.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Break {
    /// The record does not match its digest, or does not continue the digest of the record before.
    #[error("record {0} was changed, or the one before it")]
    Changed(u64),
    /// Records are missing.
    #[error("records {first} to {last} are missing")]
    Gap {
        /// First missing record.
        first: u64,
        /// Last missing record.
        last: u64,
    },
    /// A record is at the position of a later one.
    #[error("record {found} stands where record {expected} belongs")]
    Reordered {
        /// Sequence number expected at this position.
        expected: u64,
        /// Sequence number found.
        found: u64,
    },
    /// The chain ends before the noted head.
    #[error("the newest records are missing: the last is {last}, and {expected} was written")]
    Cut {
        /// Last record that exists.
        last: u64,
        /// Noted record.
        expected: u64,
    },
    /// The chain is intact, but it is not the one whose head was noted.
    #[error("record {0} is not the one whose digest was noted: the log was written anew")]
    Rewritten(u64),
}

/// Checks a chain, one record after another.
#[derive(Clone, Debug, Default)]
pub struct Verifier {
    head: Head,
    noted: Option<Head>,
}

impl Verifier {
    /// Returns a verifier at the beginning of the chain. `noted` is a head that was noted earlier and kept outside
    /// the log.
    #[must_use]
    pub fn new(noted: Option<Head>) -> Self {
        Self { head: Head::default(), noted: noted.filter(|noted| noted.sequence > 0) }
    }

    /// Checks the next record. After a break, the check continues from this record, so that all breaks are found.
    ///
    /// # Errors
    /// The break at this record.
    pub fn check(&mut self, record: &AuditRecord) -> Result<(), Break> {
        let before = std::mem::replace(&mut self.head, record.head());
        let expected = before.sequence.saturating_add(1);
        if record.sequence > expected {
            return Err(Break::Gap { first: expected, last: record.sequence.saturating_sub(1) });
        }
        if record.sequence < expected {
            return Err(Break::Reordered { expected, found: record.sequence });
        }
        if record.previous != before.digest
            || record.digest != digest(&before.digest, record.sequence, &record.event)
        {
            return Err(Break::Changed(record.sequence));
        }
        match self.noted {
            Some(noted) if noted.sequence == record.sequence && noted.digest != record.digest => {
                Err(Break::Rewritten(record.sequence))
            }
            _ => Ok(()),
        }
    }

    /// Ends the check and returns the newest record.
    ///
    /// # Errors
    /// [`Break::Cut`] when the noted head was not reached.
    pub fn finish(self) -> Result<Head, Break> {
        match self.noted {
            Some(noted) if noted.sequence > self.head.sequence => {
                Err(Break::Cut { last: self.head.sequence, expected: noted.sequence })
            }
            _ => Ok(self.head),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::{Actor, Outcome};
    use crate::x509::UnixTime;
    use proptest::prelude::*;

    fn event(number: usize) -> AuditEvent {
        AuditEvent {
            at: UnixTime(1_700_000_000),
            actor: Actor { user: "ca".into(), on_behalf_of: Some("alice".into()), process: 7 },
            action: "certificate.issued".into(),
            object: format!("genfic-user/{number:02x}"),
            outcome: if number == 3 { Outcome::Refused("policy.weak-key".into()) } else { Outcome::Done },
            details: vec![("profile".into(), "user".into())],
        }
    }

    fn chain(length: usize) -> Vec<AuditRecord> {
        let mut chain = Chain::default();
        (1..=length).map(|number| chain.append(event(number))).collect()
    }

    fn verify(records: &[AuditRecord], noted: Option<Head>) -> Result<Head, Break> {
        let mut verifier = Verifier::new(noted);
        records.iter().try_for_each(|record| verifier.check(record))?;
        verifier.finish()
    }

    #[test]
    fn a_whole_chain_is_found_whole() {
        // G15
        let records = chain(5);
        let head = records[4].head();
        assert_eq!(verify(&records, None), Ok(head));
        assert_eq!(verify(&records, Some(head)), Ok(head));
        assert_eq!(verify(&records, Some(records[2].head())), Ok(head));
        assert_eq!(verify(&[], None), Ok(Head::default()));
    }

    #[test]
    fn gaps_cuts_and_moved_records_are_told_apart() {
        // G15
        let records = chain(5);
        let head = Some(records[4].head());
        let without = |number: usize| {
            let mut rest = records.clone();
            rest.remove(number - 1);
            rest
        };
        assert_eq!(verify(&without(1), head), Err(Break::Gap { first: 1, last: 1 }));
        assert_eq!(verify(&without(3), head), Err(Break::Gap { first: 3, last: 3 }));
        assert_eq!(verify(&without(5), head), Err(Break::Cut { last: 4, expected: 5 }));
        assert_eq!(verify(&[], head), Err(Break::Cut { last: 0, expected: 5 }));
        let mut moved = records.clone();
        moved.swap(1, 2);
        assert_eq!(verify(&moved, head), Err(Break::Gap { first: 2, last: 2 }));
        let twice = [&records[..2], &records[1..]].concat();
        assert_eq!(verify(&twice, head), Err(Break::Reordered { expected: 3, found: 2 }));
    }

    #[test]
    fn a_chain_that_was_made_anew_is_not_the_one_noted() {
        // G15
        let noted = chain(5)[3].head();
        let mut anew = Chain::default();
        let records: Vec<AuditRecord> = (11..=15).map(|number| anew.append(event(number))).collect();
        assert!(verify(&records, None).is_ok());
        assert_eq!(verify(&records, Some(noted)), Err(Break::Rewritten(4)));
    }

    #[test]
    fn the_digest_of_a_record_never_changes_between_versions() {
        let hex = base16ct::lower::encode_string(&chain(1)[0].digest);
        assert_eq!(hex, "101c8c66272960ac99f7c1a0c3b069953206a61a0e59cdad39007c5ee5e09d67");
    }

    fn flip(octets: &mut [u8], bit: usize) {
        let at = bit / 8 % octets.len();
        octets[at] ^= 1 << (bit % 8);
    }

    proptest! {
        #[test]
        fn a_single_bit_changed_in_what_is_stored_is_found(
            length in 1usize..6, chosen in any::<prop::sample::Index>(), field in 0..4, bit in any::<usize>()
        ) {
            // G15
            let mut records = chain(length);
            let head = records[length - 1].head();
            let chosen = chosen.index(length);
            let record = &mut records[chosen];
            match field {
                0 => record.sequence ^= 1 << (bit % 64),
                1 => flip(&mut record.previous, bit),
                2 => flip(&mut record.digest, bit),
                _ => {
                    let mut octets = record.event.to_octets();
                    flip(&mut octets, bit);
                    match AuditEvent::from_octets(&octets) {
                        Ok(event) => record.event = event,
                        Err(_) => return Ok(()), // a record that cannot be read is noticed too
                    }
                }
            }
            prop_assert!(verify(&records, Some(head)).is_err());
        }
    }
}
