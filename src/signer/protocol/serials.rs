//! Serial numbers in one part of a frame: for each an octet with its length, and its octets.
use super::Failure;
use crate::x509::{SerialNumber, UnixTime};

/// Bound of the serial numbers in one part.
pub(crate) const MOST_SERIALS: usize = 4096;

/// Appends a serial number.
pub(crate) fn put_serial(part: &mut Vec<u8>, serial: &SerialNumber) {
    let octets = serial.as_be_octets();
    part.push(u8::try_from(octets.len()).unwrap_or(u8::MAX));
    part.extend_from_slice(octets);
}

/// Returns the serial numbers of a part.
///
/// # Errors
/// When it is none, or of too many.
pub(crate) fn serials(part: &[u8]) -> Result<Vec<SerialNumber>, Failure> {
    let malformed = || Failure::Signer { reason: "what should be serial numbers is none".into() };
    let (mut serials, mut rest) = (Vec::new(), part);
    while let Some((length, after)) = rest.split_first() {
        let (octets, after) = after.split_at_checked(usize::from(*length)).ok_or_else(malformed)?;
        if serials.len() >= MOST_SERIALS {
            let reason = format!("it takes {MOST_SERIALS} serial numbers at once");
            return Err(Failure::Signer { reason });
        }
        serials.push(SerialNumber::from_be_octets(octets).map_err(|_| malformed())?);
        rest = after;
    }
    Ok(serials)
}

/// Appends notAfter of a certificate; `None` where it is not known.
pub(crate) fn put_end(part: &mut Vec<u8>, end: Option<UnixTime>) {
    part.extend_from_slice(&end.map_or(i64::MAX, |end| end.0).to_be_bytes());
}

/// Returns each notAfter of a part.
///
/// # Errors
/// When it is none.
pub(crate) fn ends(part: &[u8]) -> Result<Vec<Option<UnixTime>>, Failure> {
    let (times, rest) = part.as_chunks::<8>();
    if !rest.is_empty() {
        return Err(Failure::Signer { reason: "what should be times is none".into() });
    }
    let times = times.iter().map(|octets| i64::from_be_bytes(*octets));
    Ok(times.map(|time| (time != i64::MAX).then_some(UnixTime(time))).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn serial_numbers_come_over_and_anything_else_does_not() {
        let all: Vec<SerialNumber> =
            ["1", "80", "7fffffffffffffffffffffffffffffffffffffff"].map(|text| text.parse().unwrap()).into();
        let mut part = Vec::new();
        all.iter().for_each(|serial| put_serial(&mut part, serial));
        assert_eq!(serials(&part).unwrap(), all);
        assert_eq!(serials(&[]).unwrap(), []);
        assert_eq!(serials(&[1, 7].repeat(MOST_SERIALS)).unwrap().len(), MOST_SERIALS);
        assert!(serials(&[1, 7].repeat(MOST_SERIALS + 1)).is_err());
        let mut times = Vec::new();
        let all = [Some(UnixTime(-1)), None, Some(UnixTime(1 << 40))];
        all.iter().for_each(|end| put_end(&mut times, *end));
        assert_eq!(ends(&times).unwrap(), all);
        assert!(ends(&times[1..]).is_err());
        for wrong in [&part[..part.len() - 1], &[1], &[0], &[1, 0], &[255; 300]] {
            assert!(serials(wrong).is_err(), "{wrong:?}");
        }
    }
}
