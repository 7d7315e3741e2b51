//! The entries of a CRL in the order of their serial numbers, 21 octets an entry.
use crate::x509::{SerialNumber, TbsCertList};

/// Serial number in 20 octets, so that octets sort as numbers do, and the reasonCode.
pub(super) type Packed = [u8; 21];

/// Returns the entries of a CRL in order; `None` when one of them cannot be read.
pub(super) fn packed(tbs: &TbsCertList) -> Option<Vec<Packed>> {
    let mut entries = Vec::new();
    for entry in tbs.reasons() {
        let (serial, reason) = entry.ok()?;
        entries.push(pack(&serial, reason));
    }
    if !entries.is_sorted() {
        entries.sort_unstable();
    }
    Some(entries)
}

/// Returns one entry.
pub(super) fn pack(serial: &SerialNumber, reason: u8) -> Packed {
    let mut packed = [0; 21];
    let octets = serial.as_be_octets();
    let start = 20_usize.saturating_sub(octets.len());
    for (to, from) in packed.iter_mut().skip(start).zip(octets) {
        *to = *from;
    }
    if let Some(last) = packed.last_mut() {
        *last = reason;
    }
    packed
}

/// Returns the octets of an entry that say its serial number.
pub(super) fn serial_of(packed: &Packed) -> &[u8] {
    packed.split_last().map_or(&[], |(_, serial)| serial)
}

/// Returns the serial number and the reasonCode of an entry; `None` for octets that are none.
pub(super) fn unpack(packed: &[u8]) -> Option<(SerialNumber, u8)> {
    let (reason, serial) = packed.split_last()?;
    Some((SerialNumber::from_be_octets(serial).ok()?, *reason))
}
