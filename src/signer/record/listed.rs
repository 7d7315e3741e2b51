//! The entries of a CRL in the order of their serial numbers, 26 octets an entry.
use crate::x509::{Revoked, SerialNumber, TbsCertList, UnixTime};

/// Octets of a serial number, so that octets sort as numbers do.
const SERIAL: usize = 20;
/// Serial number in 20 octets, the reasonCode, and the seconds of revocationDate in 5 octets, of which 9999 takes all but
/// two bits.
pub(super) type Packed = [u8; 26];

/// Returns the entries of a CRL in order; `None` when one of them cannot be read.
pub(super) fn packed(tbs: &TbsCertList) -> Option<Vec<Packed>> {
    let mut entries = Vec::new();
    for entry in tbs.revoked() {
        let (serial, revoked) = entry.ok()?;
        entries.push(pack(&serial, revoked));
    }
    if !entries.is_sorted() {
        entries.sort_unstable();
    }
    Some(entries)
}

/// Returns one entry.
pub(super) fn pack(serial: &SerialNumber, revoked: Revoked) -> Packed {
    let mut packed = [0; 26];
    packed_serial(serial, &mut packed);
    let [_, _, _, date @ ..] = revoked.date.0.max(0).to_be_bytes();
    let rest = packed.iter_mut().skip(SERIAL);
    for (to, from) in rest.zip(std::iter::once(revoked.reason).chain(date)) {
        *to = from;
    }
    packed
}

fn packed_serial(serial: &SerialNumber, to: &mut [u8]) {
    let octets = serial.as_be_octets();
    let start = SERIAL.saturating_sub(octets.len());
    for (to, from) in to.iter_mut().skip(start).zip(octets) {
        *to = *from;
    }
}

/// Returns a serial number as the entries have it.
pub(super) fn wanted(serial: &SerialNumber) -> [u8; SERIAL] {
    let mut wanted = [0; SERIAL];
    packed_serial(serial, &mut wanted);
    wanted
}

/// Returns the octets of an entry that say its serial number.
pub(super) fn serial_of(packed: &Packed) -> &[u8] {
    packed.split_at(SERIAL).0
}

/// Returns the serial number of an entry, and what it says; `None` for octets that are none.
pub(super) fn unpack(packed: &[u8]) -> Option<(SerialNumber, Revoked)> {
    let (serial, [reason, date @ ..]) = packed.split_first_chunk::<SERIAL>()? else { return None };
    let date: &[u8; 5] = date.try_into().ok()?;
    let date = date.iter().fold(0_i64, |date, octet| date << 8 | i64::from(*octet));
    let revoked = Revoked { reason: *reason, date: UnixTime(date) };
    Some((SerialNumber::from_be_octets(serial).ok()?, revoked))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_read_as_it_was_packed() {
        for date in [0, 1, 1 << 31, UnixTime::NO_END.0] {
            let revoked = Revoked { reason: 10, date: UnixTime(date) };
            for serial in ["01", "4a00", "7fffffffffffffffffffffffffffffffffffffff"] {
                let serial: SerialNumber = serial.parse().unwrap();
                let packed = pack(&serial, revoked);
                assert_eq!(unpack(&packed), Some((serial.clone(), revoked)));
                assert_eq!(serial_of(&packed), wanted(&serial));
            }
        }
        assert_eq!(unpack(&[1; 25]), None);
        assert_eq!(unpack(&[1; 27]), None);
    }
}
