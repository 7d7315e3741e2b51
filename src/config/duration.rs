//! Durations as users write them.
use crate::error::Reason;

const UNITS: [(&str, i64); 5] = [("w", 604_800), ("d", 86_400), ("h", 3600), ("m", 60), ("s", 1)];

/// Reads `90d`, `24h`, `1d12h`, `30m`: whole numbers of w, d, h, m (minutes) or s. Returns seconds.
///
/// # Errors
/// When the text has another form, or the sum does not fit.
pub fn parse_duration(text: &str) -> Result<i64, Reason> {
    let malformed = || format!("`{text}` is not a length of time such as \"90d\", \"1d12h\" or \"30m\"");
    let mut rest = text.trim();
    let mut seconds = 0_i64;
    let mut last = i64::MAX;
    if rest.is_empty() {
        return Err(malformed().into());
    }
    while !rest.is_empty() {
        let unit_at = rest.find(|c: char| !c.is_ascii_digit()).ok_or_else(malformed)?;
        let (digits, tail) = rest.split_at(unit_at);
        let (unit, length) = UNITS.iter().find(|(unit, _)| tail.starts_with(unit)).ok_or_else(malformed)?;
        if *length >= last {
            return Err(malformed().into());
        }
        last = *length;
        let number: i64 = digits.parse().map_err(|_| malformed())?;
        seconds = number
            .checked_mul(*length)
            .and_then(|part| seconds.checked_add(part))
            .ok_or_else(|| format!("`{text}` is too long a time"))?;
        rest = tail.strip_prefix(unit).unwrap_or_default();
    }
    Ok(seconds)
}

/// Writes seconds in the largest of the units d, h, m and s that divides them: `90d`, `36h`.
#[must_use]
pub fn format_duration(seconds: i64) -> String {
    let fits = |length: i64| seconds != 0 && seconds % length == 0;
    let (unit, length) = UNITS.iter().skip(1).find(|(_, length)| fits(*length)).copied().unwrap_or(("s", 1));
    format!("{}{unit}", seconds / length)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn lengths_are_read_as_written() {
        for (text, seconds) in [
            ("90d", 7_776_000),
            ("24h", 86_400),
            ("1d12h", 129_600),
            ("30m", 1800),
            ("2w", 1_209_600),
            ("0s", 0),
        ] {
            assert_eq!(parse_duration(text), Ok(seconds));
        }
    }

    #[test]
    fn what_is_no_length_of_time_is_refused() {
        for text in
            ["", "90", "d", "1 d", "-1d", "1.5h", "12h1d", "1d1d", "1y", "99999999999999999999d", "é1d"]
        {
            assert!(parse_duration(text).is_err(), "{text}");
        }
        assert!(parse_duration("9223372036854775807d").unwrap_err().to_string().contains("too long"));
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(seconds in 0_i64..100_000_000_000) {
            prop_assert_eq!(parse_duration(&format_duration(seconds)), Ok(seconds));
        }
    }
}
