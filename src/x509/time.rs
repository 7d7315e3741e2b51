//! `Time` and `Validity` (RFC 5280 §4.1.2.5).
use super::MalformedDer;
use der::asn1::{GeneralizedTime, UtcTime};
use der::{Decode, Encode, Reader};
use std::fmt;
use std::time::Duration;

/// Seconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct UnixTime(pub i64);

const EPOCH: jiff::civil::DateTime = jiff::civil::date(1970, 1, 1).at(0, 0, 0, 0);

/// 2050-01-01T00:00:00Z: the first second that is written as GeneralizedTime.
const YEAR_2050: i64 = 2_524_608_000;

impl UnixTime {
    /// `99991231235959Z`, "no well-defined expiration date" (RFC 5280 §4.1.2.5).
    pub const NO_END: Self = Self(253_402_300_799);
    /// Seconds of one day.
    pub const DAY: i64 = 86_400;

    /// This many seconds later, or earlier when negative; stays within what DER can write.
    #[must_use]
    pub fn plus(self, seconds: i64) -> Self {
        Self(self.0.saturating_add(seconds).clamp(0, Self::NO_END.0))
    }

    /// This many days later, or earlier when negative.
    #[must_use]
    pub fn plus_days(self, days: i64) -> Self {
        self.plus(days.saturating_mul(Self::DAY))
    }

    /// Reads RFC 3339, for example `2030-01-31T00:00:00Z`; a bare date means its first second in UTC.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if let Ok(at) = text.parse::<jiff::Timestamp>() {
            return Some(Self(at.as_second()));
        }
        // The library's timestamps end a day before the last one that DER can write.
        let civil = match text.strip_suffix('Z') {
            Some(utc) => utc.parse::<jiff::civil::DateTime>().ok()?,
            None => text.parse::<jiff::civil::Date>().ok()?.to_datetime(jiff::civil::Time::midnight()),
        };
        Some(Self(civil.duration_since(EPOCH).as_secs()))
    }

    /// `UTCTime` through 2049 and `GeneralizedTime` after, DER (RFC 5280 §4.1.2.5).
    #[must_use]
    pub fn to_der(self) -> Vec<u8> {
        if self.0 < YEAR_2050 {
            UtcTime::from_unix_duration(self.duration()).and_then(|time| time.to_der()).unwrap_or_default()
        } else {
            self.to_generalized_der()
        }
    }

    /// Appends the same.
    pub(crate) fn put(self, out: &mut Vec<u8>) {
        out.extend(self.to_der());
    }

    /// `GeneralizedTime` whatever the year, DER: what OCSP and `invalidityDate` use.
    #[must_use]
    pub fn to_generalized_der(self) -> Vec<u8> {
        GeneralizedTime::from_unix_duration(self.duration())
            .and_then(|time| time.to_der())
            .unwrap_or_default()
    }

    fn duration(self) -> Duration {
        let within = self.0.clamp(0, Self::NO_END.0);
        Duration::from_secs(u64::try_from(within).unwrap_or_default())
    }

    /// From a duration since the epoch.
    #[must_use]
    pub fn from_duration(since: Duration) -> Self {
        Self(i64::try_from(since.as_secs()).unwrap_or(i64::MAX))
    }
}

/// RFC 3339 in UTC, whole seconds.
impl fmt::Display for UnixTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match EPOCH.checked_add(jiff::SignedDuration::from_secs(self.0)) {
            Ok(at) => write!(f, "{at}Z"),
            Err(_) => write!(f, "@{}", self.0),
        }
    }
}

/// `Validity`; both ends are inclusive.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Validity {
    /// `notBefore`
    pub not_before: UnixTime,
    /// `notAfter`
    pub not_after: UnixTime,
}

impl Validity {
    /// Whether `now` lies within, both ends included.
    #[must_use]
    pub fn contains(&self, now: UnixTime) -> bool {
        self.not_before <= now && now <= self.not_after
    }

    /// `SEQUENCE { notBefore Time, notAfter Time }`, DER.
    #[must_use]
    pub fn to_der(self) -> Vec<u8> {
        super::octets::sequence(&[&self.not_before.to_der(), &self.not_after.to_der()])
    }

    /// Reads the same from DER.
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

/// Reads one `Time` from a reader.
pub(crate) fn read_time<'r>(reader: &mut impl Reader<'r>) -> der::Result<UnixTime> {
    let time = x509_cert::time::Time::decode(reader)?;
    Ok(UnixTime::from_duration(time.to_unix_duration()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn utc_time_through_2049_and_generalized_time_after() {
        // X2
        assert_eq!(UnixTime(YEAR_2050 - 1).to_der(), b"\x17\x0d491231235959Z");
        assert_eq!(UnixTime(YEAR_2050).to_der(), b"\x18\x0f20500101000000Z");
        assert_eq!(UnixTime::NO_END.to_der(), b"\x18\x0f99991231235959Z");
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
