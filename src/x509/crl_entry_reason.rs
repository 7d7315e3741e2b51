//! Serial numbers, reasons and dates of the entries of a CRL, read without decoding each entry: nearly all are written alike.
use super::crl::read_entry;
use super::octets::SEQUENCE;
use super::{CrlEntry, CrlReason, MalformedDer, SerialNumber, TbsCertList, UnixTime};

/// Extensions with reasonCode alone, as DER has them, without the octet of the reason itself (RFC 5280 §5.3.1).
const REASON_ALONE: [u8; 13] =
    [SEQUENCE, 12, SEQUENCE, 10, 0x06, 0x03, 0x55, 0x1d, 0x15, 0x04, 0x03, 0x0a, 0x01];

/// Returns the reason when these are the extensions of an entry that has reasonCode alone, whatever its number is.
pub(crate) fn reason_alone(extensions: &[u8]) -> Option<u8> {
    let (reason, head) = extensions.split_last()?;
    (head == REASON_ALONE).then_some(*reason)
}

/// What an entry says of its certificate.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Revoked {
    /// reasonCode; 0 where there is none.
    pub(crate) reason: u8,
    /// revocationDate
    pub(crate) date: UnixTime,
}

impl Revoked {
    fn of(entry: &CrlEntry) -> Self {
        Self { reason: entry.reason.map_or(0, CrlReason::number), date: entry.revocation_date }
    }

    /// Tells whether the revocation is permanent.
    pub(crate) fn is_final(self) -> bool {
        let passing = [CrlReason::CertificateHold.number(), CrlReason::RemoveFromCrl.number()];
        !passing.contains(&self.reason)
    }

    /// Tells whether this says less than `before`, and both are permanent: that it was revoked later, so that more of what the
    /// key signed before would be believed, or that its key was not compromised.
    pub(crate) fn is_weaker_than(self, before: Self) -> bool {
        let is_of_the_key =
            |one: Self| CrlReason::from_number(one.reason).is_some_and(CrlReason::is_of_the_key);
        self.date > before.date || (is_of_the_key(before) && !is_of_the_key(self))
    }
}

impl TbsCertList {
    /// Returns the serial number of every entry in order, with its reasonCode and date. The result is that of
    /// [`TbsCertList::entries`] at a fraction of its cost.
    pub(crate) fn revoked(&self) -> impl Iterator<Item = Result<(SerialNumber, Revoked), MalformedDer>> + '_ {
        let mut rest = self.entry_octets();
        std::iter::from_fn(move || {
            if rest.is_empty() {
                return None;
            }
            let length = rest.get(1).map_or(0, |length| usize::from(*length).saturating_add(2));
            if let Some((element, after)) = rest.split_at_checked(length)
                && let Some(read) = plain(element)
            {
                rest = after;
                return Some(Ok(read));
            }
            let (entry, after) = read_entry(rest);
            rest = after;
            Some(entry.map(|entry| (entry.serial_number.clone(), Revoked::of(&entry))))
        })
    }
}

/// Reads an entry that is written as nearly all are: a serial number, a date in UTCTime, and no extension or reasonCode
/// alone. `None` for any other, whether it is an entry or not.
fn plain(element: &[u8]) -> Option<(SerialNumber, Revoked)> {
    let [SEQUENCE, length, 0x02, serial @ 1..=20, after @ ..] = element else { return None };
    if *length >= 0x80 {
        return None;
    }
    let (serial, after) = after.split_at_checked(usize::from(*serial))?;
    let (date, extensions) = after.split_first_chunk::<15>()?;
    let date = time(date)?;
    let reason = match extensions {
        [] => 0,
        extensions => CrlReason::from_number(reason_alone(extensions)?)?.number(),
    };
    Some((SerialNumber::from_integer_contents(serial).ok()?, Revoked { reason, date }))
}

/// Reads an UTCTime with a date that is one for sure. 29 February is left to whoever knows the year, and so are the years
/// before 1970.
fn time(date: &[u8; 15]) -> Option<UnixTime> {
    let [0x17, 13, y1, y2, m1, m2, d1, d2, h1, h2, n1, n2, s1, s2, b'Z'] = date else { return None };
    let digits = date.get(2..14).unwrap_or_default();
    let two = |first: &u8, second: &u8| {
        first.wrapping_sub(b'0').wrapping_mul(10).wrapping_add(second.wrapping_sub(b'0'))
    };
    let (year, month, day) = (two(y1, y2), two(m1, m2), two(d1, d2));
    let (hour, minute, second) = (two(h1, h2), two(n1, n2), two(s1, s2));
    let days = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 => 28,
        _ => 0,
    };
    let is_time = digits.iter().all(u8::is_ascii_digit)
        && !(50..70).contains(&year)
        && (1..=days).contains(&day)
        && hour < 24
        && minute < 60
        && second < 60;
    if !is_time {
        return None;
    }
    let century = if year < 50 { 2000 } else { 1900 };
    let midnight = UnixTime::of_day(century + i64::from(year), month.into(), day.into());
    Some(midnight.plus(i64::from(hour) * 3600 + i64::from(minute) * 60 + i64::from(second)))
}

#[cfg(test)]
mod tests {
    use super::super::octets::{sequence, tlv};
    use super::*;
    use crate::testing::{crl, entry};

    fn by_entries(list: &TbsCertList) -> Vec<Result<(SerialNumber, Revoked), MalformedDer>> {
        let told = |entry: CrlEntry| (entry.serial_number.clone(), Revoked::of(&entry));
        list.entries().map(|entry| entry.map(told)).collect()
    }

    /// A list with these octets in the place of its entries.
    fn listed(octets: Vec<u8>) -> TbsCertList {
        let whole = 0..octets.len();
        TbsCertList { octets, place: whole.clone(), entries: Some(whole), ..crl(7, []).tbs().clone() }
    }

    #[test]
    fn reasons_and_dates_are_those_of_the_decoded_entries() {
        let reasons = (0..=10).map(CrlReason::from_number);
        let mut entries = Vec::new();
        for (number, reason) in (1_u8..).zip(reasons) {
            for date in [500, 500, 700] {
                let plain = CrlEntry {
                    revocation_date: UnixTime(date),
                    ..entry(&[number, date.to_le_bytes()[0]], reason)
                };
                entries.push(CrlEntry { invalidity_date: Some(UnixTime(3)), ..plain.clone() });
                entries.push(plain);
            }
        }
        let list = crl(7, entries);
        let read: Vec<_> = list.tbs().revoked().collect();
        assert_eq!(read.len(), 66);
        assert_eq!(read, by_entries(list.tbs()));
    }

    #[test]
    fn every_date_is_read_as_the_decoder_reads_it() {
        let one = |date: &str| sequence(&[&tlv(2, &[1]), &tlv(0x17, date.as_bytes())]);
        let mut entries = Vec::new();
        for month in 0..=13 {
            for day in 0..=32 {
                entries.push(one(&format!("23{month:02}{day:02}101010Z")));
            }
        }
        for time in ["240000", "236000", "235960", "235959", "000000", "2a0000", "0/0000"] {
            entries.push(one(&format!("240229{time}Z")));
            entries.push(one(&format!("230301{time}Z")));
        }
        for entry in entries {
            let list = listed(entry);
            assert_eq!(list.revoked().collect::<Vec<_>>(), by_entries(&list), "{list:?}");
        }
    }

    #[test]
    fn whatever_octet_of_an_entry_is_changed_both_readers_say_the_same() {
        let date = UnixTime(500).to_der();
        let reason = |reason: u8| [&REASON_ALONE[..], &[reason]].concat();
        let one = |serial: &[u8], more: &[u8]| sequence(&[&tlv(2, serial), &date, more]);
        let whole = [one(&[1], &[]), one(&[2], &reason(1)), one(&[3], &reason(6))].concat();
        for at in 0..whole.len() {
            for octet in [0, 1, 2, 7, 0x0a, 0x0c, 0x13, 0x17, 0x18, 0x30, 0x35, 0x7f, 0x80, 0x81, 0xff] {
                let mut changed = whole.clone();
                changed[at] = octet;
                let list = listed(changed);
                assert_eq!(list.revoked().collect::<Vec<_>>(), by_entries(&list), "{at} {octet}");
            }
        }
    }
}
