//! Durations as users write them.
use crate::error::Reason;

/// Units with their lengths in seconds, longer names first where one begins like another. A month has 30 days.
const UNITS: [(&str, i64); 7] =
    [("mo", 2_592_000), ("min", 60), ("w", 604_800), ("d", 86_400), ("h", 3600), ("m", 60), ("s", 1)];

/// Reads `90d`, `24h`, `1d12h`, `30m`: whole numbers of mo (months of 30 days), w, d, h, m or min (minutes), or s.
/// Returns seconds.
///
/// # Errors
/// When the text has another form, or the sum does not fit.
pub fn parse_duration(text: &str) -> Result<i64, Reason> {
    read(text, r#""90d", "1d12h" or "30m""#).map(|(seconds, _)| seconds)
}

/// Reads what [`parse_duration`] reads, except the unit `m`: where a period is counted in days, people mean months
/// by it as often as minutes.
///
/// # Errors
/// As [`parse_duration`]; and when the unit is `m`.
pub fn parse_period(text: &str) -> Result<i64, Reason> {
    let (seconds, has_m) = read(text, r#""30d", "2w" or "1mo""#)?;
    if has_m {
        let spelled = |unit| text.trim().replace("min", "m").replace('m', unit);
        let meant = format!("`{}` for months, `{}` for minutes", spelled("mo"), spelled("min"));
        return Err(format!("`{text}` may mean months or minutes: write {meant}; or `30d`, `2w`").into());
    }
    Ok(seconds)
}

/// Returns the seconds, and whether the unit `m` is among the units.
fn read(text: &str, examples: &str) -> Result<(i64, bool), Reason> {
    let malformed = || format!("`{text}` is not a length of time such as {examples}");
    let mut rest = text.trim();
    let mut seconds = 0_i64;
    let mut last = i64::MAX;
    let mut has_m = false;
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
        has_m |= *unit == "m";
        let number: i64 = digits.parse().map_err(|_| malformed())?;
        seconds = number
            .checked_mul(*length)
            .and_then(|part| seconds.checked_add(part))
            .ok_or_else(|| format!("`{text}` is too long a time"))?;
        rest = tail.strip_prefix(unit).unwrap_or_default();
    }
    Ok((seconds, has_m))
}

/// Writes seconds in the largest of the units d, h, m and s that divides them: `90d`, `36h`.
#[must_use]
pub fn format_duration(seconds: i64) -> String {
    let fits = |length: i64| seconds != 0 && seconds % length == 0;
    let written = UNITS.iter().filter(|(unit, _)| unit.len() == 1 && *unit != "w");
    let (unit, length) = written.copied().find(|(_, length)| fits(*length)).unwrap_or(("s", 1));
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
            ("1mo", 2_592_000),
            ("1mo2w", 3_801_600),
            ("30min", 1800),
            ("1h30min10s", 5410),
            ("0s", 0),
        ] {
            assert_eq!(parse_duration(text), Ok(seconds));
        }
    }

    #[test]
    fn what_is_no_length_of_time_is_refused() {
        for text in [
            "",
            "90",
            "d",
            "1 d",
            "-1d",
            "1.5h",
            "12h1d",
            "1d1d",
            "1y",
            "1min1m",
            "1month",
            "99999999999999999999d",
            "é1d",
        ] {
            assert!(parse_duration(text).is_err(), "{text}");
        }
        assert!(parse_duration("9223372036854775807d").unwrap_err().to_string().contains("too long"));
    }

    #[test]
    fn a_period_in_m_is_refused_with_what_may_be_meant() {
        for (text, seconds) in [("30d", 2_592_000), ("1mo", 2_592_000), ("2w", 1_209_600), ("5min", 300)] {
            assert_eq!(parse_period(text), Ok(seconds));
        }
        for (text, months, minutes) in [("1m", "`1mo`", "`1min`"), ("1d2m", "`1d2mo`", "`1d2min`")] {
            let said = parse_period(text).unwrap_err().to_string();
            assert!(said.contains(months) && said.contains(minutes) && said.contains("`30d`"), "{said}");
        }
        assert!(parse_period("soon").is_err());
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(seconds in 0_i64..100_000_000_000) {
            prop_assert_eq!(parse_duration(&format_duration(seconds)), Ok(seconds));
        }
    }
}
