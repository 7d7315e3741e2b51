//! Amounts of memory as users write them.
use crate::error::Reason;

/// Units with their octets, the largest first.
const UNITS: [(&str, u64); 3] = [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)];

/// Reads `64MiB`, `512KiB`, `2GiB`: a whole number and its unit. Returns octets.
///
/// # Errors
/// When the text has another form, or the amount does not fit.
pub(crate) fn parse_octets(text: &str) -> Result<u64, Reason> {
    let malformed = || format!("`{text}` is not an amount of memory such as \"64MiB\" or \"2GiB\"");
    let read = UNITS.iter().find_map(|(unit, octets)| Some((text.trim().strip_suffix(unit)?, octets)));
    let (digits, unit) = read.ok_or_else(malformed)?;
    let is_number = !digits.is_empty() && digits.bytes().all(|octet| octet.is_ascii_digit());
    let number: u64 =
        if is_number { digits.parse().map_err(|_| malformed())? } else { return Err(malformed().into()) };
    Ok(number.checked_mul(*unit).ok_or_else(malformed)?)
}

/// Writes octets in the largest unit that divides them.
#[must_use]
pub(crate) fn format_octets(octets: u64) -> String {
    let fits = |unit: u64| octets != 0 && octets.is_multiple_of(unit);
    match UNITS.iter().find(|(_, unit)| fits(*unit)) {
        Some((name, unit)) => format!("{}{name}", octets / unit),
        None => octets.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_as_written_and_nothing_else_is() {
        for (text, octets) in [("64MiB", 64 << 20), ("1KiB", 1024), ("2GiB", 2 << 30), ("0MiB", 0)] {
            assert_eq!(parse_octets(text), Ok(octets));
        }
        assert_eq!(format_octets(64 << 20), "64MiB");
        assert_eq!((format_octets(1536), format_octets(0)), ("1536".into(), "0".into()));
        for text in [
            "",
            "64",
            "MiB",
            "64MB",
            "64 MiB",
            "-1MiB",
            "+1MiB",
            "1.5GiB",
            "99999999999999999999MiB",
            "18446744073709551615KiB",
        ] {
            assert!(parse_octets(text).is_err(), "{text}");
        }
    }
}
