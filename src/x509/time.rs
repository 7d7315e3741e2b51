//! `Time` and `Validity` (RFC 5280 §4.1.2.5).
use super::MalformedDer;
use der::{Decode, Reader};
use std::fmt;
use std::time::Duration;

/// Seconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct UnixTime(pub i64);

const EPOCH: jiff::civil::DateTime = jiff::civil::date(1970, 1, 1).at(0, 0, 0, 0);

/// 2050-01-01T00:00:00Z, the first second that is written as GeneralizedTime.
const YEAR_2050: i64 = 2_524_608_000;

impl UnixTime {
    /// `99991231235959Z`, which means "no well-defined expiration date" (RFC 5280 §4.1.2.5).
    pub const NO_END: Self = Self(253_402_300_799);
    /// Seconds in one day.
    pub const DAY: i64 = 86_400;

    /// Returns the time this many seconds later, or earlier when negative. The result is limited to what DER can
    /// write.
    #[must_use]
    pub fn plus(self, seconds: i64) -> Self {
        Self(self.0.saturating_add(seconds).clamp(0, Self::NO_END.0))
    }

    /// Returns the time this many days later, or earlier when negative.
    #[must_use]
    pub fn plus_days(self, days: i64) -> Self {
        self.plus(days.saturating_mul(Self::DAY))
    }

    /// Reads RFC 3339, for example `2030-01-31T00:00:00Z`. A date without a time means its first second in UTC.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if let Ok(at) = text.parse::<jiff::Timestamp>() {
            return Some(Self(at.as_second()));
        }
        // `jiff::Timestamp` ends a day before the last second that DER can write.
        let civil = match text.strip_suffix('Z') {
            Some(utc) => utc.parse::<jiff::civil::DateTime>().ok()?,
            None => text.parse::<jiff::civil::Date>().ok()?.to_datetime(jiff::civil::Time::midnight()),
        };
        Some(Self(civil.duration_since(EPOCH).as_secs()))
    }

    /// Encodes `UTCTime` through 2049 and `GeneralizedTime` after, DER (RFC 5280 §4.1.2.5).
    #[must_use]
    pub fn to_der(self) -> Vec<u8> {
        let mut out = Vec::with_capacity(17);
        self.put(&mut out);
        out
    }

    /// Appends the same encoding to `out`. A long CRL has a million times, so no buffer of its own is allocated.
    pub(crate) fn put(self, out: &mut Vec<u8>) {
        if self.0 < YEAR_2050 {
            out.extend_from_slice(&[0x17, 13]);
            self.put_digits(out, false);
        } else {
            out.extend_from_slice(&[0x18, 15]);
            self.put_digits(out, true);
        }
    }

    /// Encodes `GeneralizedTime` whatever the year, DER, as OCSP and `invalidityDate` require.
    #[must_use]
    pub(crate) fn to_generalized_der(self) -> Vec<u8> {
        let mut out = Vec::with_capacity(Self::GENERALIZED_LENGTH);
        self.put_generalized(&mut out);
        out
    }

    /// Number of octets of a `GeneralizedTime`.
    pub(crate) const GENERALIZED_LENGTH: usize = 17;

    /// Appends `GeneralizedTime` ([`Self::to_generalized_der`]).
    pub(crate) fn put_generalized(self, out: &mut Vec<u8>) {
        out.extend_from_slice(&[0x18, 15]);
        self.put_digits(out, true);
    }

    /// Appends `YYMMDDHHMMSSZ`, with the two digits of the century before it when `century` is set. A time that DER
    /// cannot write is written as the nearest one that it can.
    fn put_digits(self, out: &mut Vec<u8>, century: bool) {
        let within = self.0.clamp(0, Self::NO_END.0);
        let (days, second) = (within / Self::DAY, within % Self::DAY);
        // Years begin in March here, so that a leap day is the last day of its year. An era is 400 years.
        let day = days + 719_468;
        let (era, day) = (day / 146_097, day % 146_097);
        let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
        let day = day - (365 * year + year / 4 - year / 100);
        let month = (5 * day + 2) / 153;
        let day = day - (153 * month + 2) / 5 + 1;
        let (month, next) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
        let year = era * 400 + year + next;
        let fields = [year / 100, year % 100, month, day, second / 3600, second / 60 % 60, second % 60];
        for field in fields.into_iter().skip(usize::from(!century)) {
            out.extend([field / 10, field % 10].map(|digit| b'0' + u8::try_from(digit).unwrap_or_default()));
        }
        out.push(b'Z');
    }

    /// Returns the first second of this day of this year, from 1970 on. Not every month has each day: the caller knows.
    pub(crate) fn of_day(year: i64, month: i64, day: i64) -> Self {
        // as above: years begin in March
        let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
        let (era, year) = (year / 400, year % 400);
        let day = (153 * month + 2) / 5 + day - 1;
        let day = 365 * year + year / 4 - year / 100 + day;
        Self((era * 146_097 + day - 719_468) * Self::DAY)
    }

    /// Returns the time this long after the epoch, in whole seconds.
    #[must_use]
    pub(crate) fn from_duration(since: Duration) -> Self {
        Self(i64::try_from(since.as_secs()).unwrap_or(i64::MAX))
    }
}

/// Writes RFC 3339 in UTC, in whole seconds.
impl fmt::Display for UnixTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match EPOCH.checked_add(jiff::SignedDuration::from_secs(self.0)) {
            Ok(at) => write!(f, "{at}Z"),
            Err(_) => write!(f, "@{}", self.0),
        }
    }
}

/// `Validity`. Both ends are inclusive.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Validity {
    /// `notBefore`
    pub not_before: UnixTime,
    /// `notAfter`
    pub not_after: UnixTime,
}

impl Validity {
    /// Tells whether `now` is within the validity, both ends included.
    #[must_use]
    pub fn contains(&self, now: UnixTime) -> bool {
        self.not_before <= now && now <= self.not_after
    }

    /// Encodes `SEQUENCE { notBefore Time, notAfter Time }`, DER.
    #[must_use]
    pub fn to_der(self) -> Vec<u8> {
        super::octets::sequence(&[&self.not_before.to_der(), &self.not_after.to_der()])
    }

    /// Reads exactly one `Validity` from DER.
    ///
    /// # Errors
    /// When the octets are not exactly one `Validity`.
    pub fn from_der(octets: &[u8]) -> Result<Self, MalformedDer> {
        let decoded = x509_cert::time::Validity::<x509_cert::certificate::Rfc5280>::from_der(octets)?;
        Ok(Self {
            not_before: UnixTime::from_duration(decoded.not_before.to_unix_duration()),
            not_after: UnixTime::from_duration(decoded.not_after.to_unix_duration()),
        })
    }
}

/// Reads one `Time`.
pub(crate) fn read_time<'r>(reader: &mut impl Reader<'r>) -> der::Result<UnixTime> {
    let time = x509_cert::time::Time::decode(reader)?;
    Ok(UnixTime::from_duration(time.to_unix_duration()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use der::SliceReader;

    #[test]
    fn utc_time_through_2049_and_generalized_time_after() {
        // X2
        assert_eq!(UnixTime(YEAR_2050 - 1).to_der(), b"\x17\x0d491231235959Z");
        assert_eq!(UnixTime(YEAR_2050).to_der(), b"\x18\x0f20500101000000Z");
        assert_eq!(UnixTime::NO_END.to_der(), b"\x18\x0f99991231235959Z");
        assert_eq!(UnixTime(-1).to_der(), UnixTime(0).to_der());
        assert_eq!(UnixTime(i64::MAX).to_der(), UnixTime::NO_END.to_der());
    }

    #[test]
    fn every_day_is_written_as_the_decoder_reads_it() {
        // X2: every day through 2120, then one day in 59
        let days = (0..55_000).chain((55_000..=UnixTime::NO_END.0 / UnixTime::DAY).step_by(59));
        for day in days {
            let at = UnixTime(day * UnixTime::DAY + day % UnixTime::DAY);
            let read = |octets: &[u8]| read_time(&mut SliceReader::new(octets).unwrap()).unwrap();
            assert_eq!(read(&at.to_der()), at);
            let digits = at.to_generalized_der();
            let number = |range: std::ops::Range<usize>| -> i64 {
                std::str::from_utf8(&digits[range]).unwrap().parse().unwrap()
            };
            let midnight = UnixTime(day * UnixTime::DAY);
            assert_eq!(UnixTime::of_day(number(2..6), number(6..8), number(8..10)), midnight);
            let general = der::asn1::GeneralizedTime::from_der(&at.to_generalized_der()).unwrap();
            assert_eq!(UnixTime::from_duration(general.to_unix_duration()), at);
        }
    }

    #[test]
    fn validity_survives_a_round_trip_and_includes_both_ends() {
        let validity = Validity { not_before: UnixTime(1_000_000), not_after: UnixTime(YEAR_2050 + 5) };
        assert_eq!(Validity::from_der(&validity.to_der()).unwrap(), validity);
        assert!(validity.contains(validity.not_before) && validity.contains(validity.not_after));
        assert!(!validity.contains(validity.not_after.plus(1)));
    }

    #[test]
    fn times_are_printed_and_read_as_rfc_3339() {
        assert_eq!(UnixTime(0).to_string(), "1970-01-01T00:00:00Z");
        assert_eq!(UnixTime::parse("1970-01-02"), Some(UnixTime(86_400)));
        assert_eq!(UnixTime::parse("1970-01-01T00:00:09Z"), Some(UnixTime(9)));
        assert_eq!(UnixTime::NO_END.to_string(), "9999-12-31T23:59:59Z");
        assert_eq!(UnixTime::parse("9999-12-31T23:59:59Z"), Some(UnixTime::NO_END));
        assert_eq!(UnixTime::parse("yesterday"), None);
    }
}
