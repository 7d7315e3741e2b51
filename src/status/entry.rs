//! One certificate in a status file, as octets; pure.
//!
//! ```text
//! entry   shared    1 octet     number of octets that the serial number has in common with the one before it
//!         rest      1 octet     number of the others, at least 1
//!         octets    rest        the others
//!         kind      1 octet     bits 0 and 1: 0 pending, 1 issued, 2 revoked; bit 2: there is an invalidity date;
//!                               bits 4 to 7: CRLReason (RFC 5280 §5.3.1) plus one, 0 where there is none
//!         notAfter  5 octets    seconds since 1970 in UTC, big-endian two's complement, as are the others
//!         revoked   5 octets    revocationTime; only of kind 2
//!         invalid   5 octets    invalidityDate; only with bit 2
//! ```
//!
//! Serial numbers are in the order of their values, in which the index has them. An octet
//! string that another entry would be written as is refused, so that equal statuses are equal octets.
use crate::index::{CertificateState, Revocation};
use crate::x509::{CrlReason, SerialNumber, UnixTime};

/// Octets of the longest serial number (RFC 5280 §4.1.2.2).
const LONGEST: usize = 20;
/// Octets of the longest entry.
pub(super) const LONGEST_ENTRY: usize = 2 + LONGEST + 1 + 3 * TIME;
/// Octets of a time.
const TIME: usize = 5;
/// The latest time that is written, in seconds; that of the earliest is as far before 1970. Times of certificates and
/// CRLs end with the year 9999, long before.
const LATEST: i64 = (1 << 39) - 1;

const PENDING: u8 = 0;
const ISSUED: u8 = 1;
const REVOKED: u8 = 2;
const STATE: u8 = 0b0000_0011;
const HAS_INVALIDITY_DATE: u8 = 0b0000_0100;
const NEVER: u8 = 0b0000_1000;

/// Octets that are not what they should be.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Malformed;

/// A serial number without an allocation, ordered by its value.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub(super) struct Serial {
    // The first octet is not zero: of two numbers the longer one is the greater one, whatever the octets are.
    length: u8,
    octets: [u8; LONGEST],
}

impl Serial {
    /// Returns the serial number of these octets; `None` when they are none.
    pub(super) fn new(octets: &[u8]) -> Option<Self> {
        let first = *octets.first()?;
        let length = u8::try_from(octets.len()).ok()?;
        // As a DER INTEGER a number of 20 octets needs another one when its first bit is set.
        if first == 0 || octets.len() > LONGEST || (octets.len() == LONGEST && first >= 0x80) {
            return None;
        }
        let mut padded = [0; LONGEST];
        padded.get_mut(..octets.len())?.copy_from_slice(octets);
        Some(Self { octets: padded, length })
    }

    /// Returns the serial number of a certificate.
    pub(super) fn of(serial: &SerialNumber) -> Self {
        // Every serial number has this form.
        Self::new(serial.as_be_octets()).unwrap_or_default()
    }

    pub(super) fn as_octets(&self) -> &[u8] {
        self.octets.get(..usize::from(self.length)).unwrap_or_default()
    }

    pub(super) fn to_number(self) -> Result<SerialNumber, Malformed> {
        SerialNumber::from_be_octets(self.as_octets()).map_err(|_| Malformed)
    }

    /// Returns the number of octets at the beginning that both have.
    fn shared(&self, other: &Self) -> usize {
        self.as_octets().iter().zip(other.as_octets()).take_while(|(one, other)| one == other).count()
    }
}

/// What is published about one certificate.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Entry {
    pub(super) serial: Serial,
    pub(super) state: CertificateState,
    pub(super) not_after: UnixTime,
}

impl Entry {
    /// Appends the octets of this entry, which comes after the one with the serial number `former`.
    pub(super) fn put(&self, former: Option<&Serial>, out: &mut Vec<u8>) {
        let shared = former.map_or(0, |former| former.shared(&self.serial));
        let rest = self.serial.as_octets().get(shared..).unwrap_or_default();
        let length = |octets: usize| u8::try_from(octets).unwrap_or(u8::MAX);
        out.extend([length(shared), length(rest.len())]);
        out.extend(rest);
        match &self.state {
            CertificateState::Pending => out.push(PENDING),
            CertificateState::Issued => out.push(ISSUED),
            CertificateState::Revoked(Revocation { reason, invalidity_date, .. }) => {
                let reason = reason.map_or(0, |reason| reason.number().saturating_add(1));
                let date = if invalidity_date.is_some() { HAS_INVALIDITY_DATE } else { 0 };
                out.push(REVOKED | date | reason.wrapping_shl(4));
            }
        }
        put_time(self.not_after, out);
        if let CertificateState::Revoked(revocation) = &self.state {
            put_time(revocation.revoked_at, out);
            revocation.invalidity_date.into_iter().for_each(|date| put_time(date, out));
        }
    }
}

fn put_time(time: UnixTime, out: &mut Vec<u8>) {
    let [_, _, _, octets @ ..] = time.0.clamp(-LATEST, LATEST).to_be_bytes();
    out.extend(octets);
}

fn time(octets: &[u8]) -> Result<UnixTime, Malformed> {
    let octets: [u8; TIME] = octets.try_into().map_err(|_| Malformed)?;
    let sign = if octets.first().is_some_and(|first| *first >= 0x80) { 0xff } else { 0 };
    let [a, b, c, d, e] = octets;
    let seconds = i64::from_be_bytes([sign, sign, sign, a, b, c, d, e]);
    if seconds < -LATEST { Err(Malformed) } else { Ok(UnixTime(seconds)) }
}

/// Takes the first `count` octets off.
pub(super) fn take<'a>(octets: &mut &'a [u8], count: usize) -> Result<&'a [u8], Malformed> {
    let (taken, left) = octets.split_at_checked(count).ok_or(Malformed)?;
    *octets = left;
    Ok(taken)
}

/// Takes an array off.
pub(super) fn take_array<const N: usize>(octets: &mut &[u8]) -> Result<[u8; N], Malformed> {
    take(octets, N)?.try_into().map_err(|_| Malformed)
}

/// Reads the entries in octets one after the other. The serial numbers must ascend.
#[derive(Debug)]
pub(super) struct Entries<'a> {
    left: &'a [u8],
    former: Option<Serial>,
}

/// An entry whose times are not decoded.
pub(super) struct RawEntry<'a> {
    pub(super) serial: Serial,
    kind: u8,
    times: &'a [u8],
}

impl<'a> Entries<'a> {
    pub(super) fn of(octets: &'a [u8]) -> Self {
        Self { left: octets, former: None }
    }

    /// Returns the octets that are not read yet.
    pub(super) fn left(&self) -> &'a [u8] {
        self.left
    }

    /// Reads the next entry.
    pub(super) fn next_raw(&mut self) -> Result<RawEntry<'a>, Malformed> {
        let [shared, rest] = take_array(&mut self.left)?;
        let (shared, rest) = (usize::from(shared), take(&mut self.left, usize::from(rest))?);
        let serial = self.joined(shared, rest).ok_or(Malformed)?;
        let kind = *take(&mut self.left, 1)?.first().ok_or(Malformed)?;
        let is_revoked = kind & STATE == REVOKED;
        if kind & NEVER != 0 || kind & STATE > REVOKED || (!is_revoked && kind & !STATE != 0) {
            return Err(Malformed);
        }
        let count = match (is_revoked, kind & HAS_INVALIDITY_DATE != 0) {
            (false, _) => 1,
            (true, false) => 2,
            (true, true) => 3,
        };
        self.former = Some(serial);
        Ok(RawEntry { serial, kind, times: take(&mut self.left, count * TIME)? })
    }

    /// Reads the next entry.
    pub(super) fn next_entry(&mut self) -> Result<Entry, Malformed> {
        self.next_raw()?.decode()
    }

    fn joined(&self, shared: usize, rest: &[u8]) -> Option<Serial> {
        let former = self.former.as_ref().map(Serial::as_octets).unwrap_or_default();
        let next = *rest.first()?;
        // All octets that are shared are said to be.
        if former.get(shared) == Some(&next) {
            return None;
        }
        let mut octets = [0; LONGEST];
        octets.get_mut(..shared)?.copy_from_slice(former.get(..shared)?);
        let length = shared.checked_add(rest.len())?;
        octets.get_mut(shared..length)?.copy_from_slice(rest);
        Serial::new(octets.get(..length)?).filter(|serial| self.former.is_none_or(|former| former < *serial))
    }
}

impl RawEntry<'_> {
    pub(super) fn decode(&self) -> Result<Entry, Malformed> {
        let mut times = self.times.chunks(TIME).map(time);
        let mut next = || times.next().unwrap_or(Err(Malformed));
        let not_after = next()?;
        let state = match self.kind & STATE {
            PENDING => CertificateState::Pending,
            ISSUED => CertificateState::Issued,
            _ => {
                let revoked_at = next()?;
                let has_date = self.kind & HAS_INVALIDITY_DATE != 0;
                let invalidity_date = if has_date { Some(next()?) } else { None };
                CertificateState::Revoked(Revocation {
                    revoked_at,
                    reason: reason(self.kind >> 4)?,
                    invalidity_date,
                })
            }
        };
        Ok(Entry { serial: self.serial, state, not_after })
    }
}

fn reason(nibble: u8) -> Result<Option<CrlReason>, Malformed> {
    let Some(number) = nibble.checked_sub(1) else { return Ok(None) };
    let row = CrlReason::ALL.iter().find(|row| row.1 == number).ok_or(Malformed)?;
    Ok(Some(row.0))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::x509::compare_serials;
    use proptest::prelude::*;

    pub(in super::super) fn any_serial() -> impl Strategy<Value = Serial> {
        // Many share their first octets, and some are the beginning of others.
        let octets = (1_u8..4, proptest::collection::vec(prop_oneof![0_u8..3, any::<u8>()], 0..20));
        octets.prop_filter_map("no serial number", |(first, rest)| {
            Serial::new(&[&[first], rest.as_slice()].concat())
        })
    }

    fn any_time() -> impl Strategy<Value = UnixTime> {
        prop_oneof![Just(-LATEST), Just(LATEST), Just(-1), Just(0), -LATEST..LATEST].prop_map(UnixTime)
    }

    fn any_state() -> impl Strategy<Value = CertificateState> {
        let reason = proptest::option::of(proptest::sample::select(CrlReason::ALL.map(|row| row.0).to_vec()));
        let revoked =
            (any_time(), reason, proptest::option::of(any_time())).prop_map(|(revoked_at, reason, date)| {
                CertificateState::Revoked(Revocation { revoked_at, reason, invalidity_date: date })
            });
        prop_oneof![Just(CertificateState::Pending), Just(CertificateState::Issued), revoked]
    }

    /// Entries of different serial numbers, in order.
    pub(in super::super) fn any_entries(bound: usize) -> impl Strategy<Value = Vec<Entry>> {
        let of_each = proptest::collection::btree_map(any_serial(), (any_state(), any_time()), 0..bound);
        of_each.prop_map(|of_each| {
            let entry = |(serial, (state, not_after))| Entry { serial, state, not_after };
            of_each.into_iter().map(entry).collect()
        })
    }

    fn put(entries: &[Entry]) -> Vec<u8> {
        let (mut out, mut former) = (Vec::new(), None);
        for entry in entries {
            entry.put(former.as_ref(), &mut out);
            former = Some(entry.serial);
        }
        out
    }

    fn read(octets: &[u8]) -> Result<Vec<Entry>, Malformed> {
        let mut entries = Entries::of(octets);
        let mut read = Vec::new();
        while !entries.left().is_empty() {
            read.push(entries.next_entry()?);
        }
        Ok(read)
    }

    proptest! {
        #[test]
        fn entries_are_read_as_they_were_written(entries in any_entries(40)) {
            let octets = put(&entries);
            prop_assert!(octets.len() <= entries.len() * LONGEST_ENTRY);
            prop_assert_eq!(read(&octets), Ok(entries));
        }

        #[test]
        fn what_is_read_would_be_written_in_the_same_octets(octets in proptest::collection::vec(0_u8..24, 0..80)) {
            if let Ok(entries) = read(&octets) {
                prop_assert_eq!(put(&entries), octets);
            }
        }

        #[test]
        fn serial_numbers_are_in_the_order_of_their_values(one in any_serial(), other in any_serial()) {
            prop_assert_eq!(one.cmp(&other), compare_serials(one.as_octets(), other.as_octets()));
        }
    }

    #[test]
    fn octets_that_nobody_writes_are_refused() {
        let end = [0; TIME];
        let of = |parts: &[&[u8]]| parts.concat();
        assert!(read(&of(&[&[0, 1, 7, ISSUED], &end])).is_ok());
        for (wrong, why) in [
            (of(&[&[0, 0, ISSUED], &end]), "no octet of its own"),
            (of(&[&[1, 1, 7, ISSUED], &end]), "nothing to share with"),
            (of(&[&[0, 1, 0, ISSUED], &end]), "a serial number of zero"),
            (of(&[&[0, 20], &[0x80; 20], &[ISSUED], &end]), "20 octets and a sign octet"),
            (of(&[&[0, 21], &[1; 21], &[ISSUED], &end]), "21 octets"),
            (of(&[&[0, 1, 7, 3], &end]), "no such state"),
            (of(&[&[0, 1, 7, ISSUED | 0x10], &end]), "a reason without a revocation"),
            (of(&[&[0, 1, 7, REVOKED | 0x80], &end, &end]), "no such reason"),
            (of(&[&[0, 1, 7, REVOKED | NEVER], &end, &end]), "a bit that has no meaning"),
            (of(&[&[0, 1, 7, REVOKED], &end]), "no revocationTime"),
            (of(&[&[0, 1, 7, ISSUED, 0x80], &[0; 4]]), "a time that is written otherwise"),
            (of(&[&[0, 1, 7, ISSUED], &end, &[0, 1, 7, ISSUED], &end]), "the same once more"),
            (of(&[&[0, 1, 7, ISSUED], &end, &[0, 1, 6, ISSUED], &end]), "a lower number"),
            (of(&[&[0, 2, 7, 7, ISSUED], &end, &[0, 2, 7, 8, ISSUED], &end]), "shares more than it says"),
        ] {
            assert_eq!(read(&wrong), Err(Malformed), "{why}");
        }
    }
}
