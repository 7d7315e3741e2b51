//! `Time` as it is written in the octets (RFC 5280 §4.1.2.5, §5.1.2.4).
use super::element::Element;

/// Time in UTC as the digits `YYYYMMDDHHMMSS`, which compare in the order of time.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct Moment([u8; 14]);

impl Moment {
    /// Reads a `Time`: UTCTime through 2049 and GeneralizedTime after, in whole seconds, with `Z`.
    pub(super) fn read(element: Element<'_>) -> Result<Self, &'static str> {
        let moment = match element.tag {
            0x17 => Self::from_utc_time(element.contents)?,
            0x18 => Self::from_generalized_time(element.contents)?,
            _ => return Err("is neither UTCTime nor GeneralizedTime"),
        };
        if element.tag == 0x18 && moment.0 < *b"20500101000000" {
            return Err("is before 2050 and not in UTCTime");
        }
        Ok(moment)
    }

    /// Reads the contents of a `GeneralizedTime`, whatever the year.
    pub(super) fn from_generalized_time(contents: &[u8]) -> Result<Self, &'static str> {
        let Some((b"Z", digits)) = contents.split_last_chunk::<1>().map(|(rest, last)| (last, rest)) else {
            return Err("is not in UTC: it must end in Z");
        };
        let digits: [u8; 14] = digits.try_into().map_err(|_| "is not written YYYYMMDDHHMMSSZ")?;
        Self(digits).checked()
    }

    fn from_utc_time(contents: &[u8]) -> Result<Self, &'static str> {
        let [y1, y2, m1, m2, d1, d2, h1, h2, n1, n2, s1, s2, b'Z'] = *contents else {
            return Err("is not written YYMMDDHHMMSSZ");
        };
        let (c1, c2) = if y1 >= b'5' { (b'1', b'9') } else { (b'2', b'0') };
        Self([c1, c2, y1, y2, m1, m2, d1, d2, h1, h2, n1, n2, s1, s2]).checked()
    }

    fn checked(self) -> Result<Self, &'static str> {
        if !self.0.iter().all(u8::is_ascii_digit) {
            return Err("has something else than digits in it");
        }
        let [y1, y2, y3, y4, m1, m2, d1, d2, h1, h2, n1, n2, s1, s2] =
            self.0.map(|digit| u16::from(digit - b'0'));
        let year = y1 * 1000 + y2 * 100 + y3 * 10 + y4;
        let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
        let longest = match m1 * 10 + m2 {
            1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
            4 | 6 | 9 | 11 => 30,
            2 if leap => 29,
            2 => 28,
            _ => 0,
        };
        let real = (1..=longest).contains(&(d1 * 10 + d2))
            && h1 * 10 + h2 < 24
            && n1 * 10 + n2 < 60
            && s1 * 10 + s2 < 60;
        if real { Ok(self) } else { Err("is not a date and time that exists") }
    }
}

/// Writes `2030-01-31T00:00:00Z`.
impl std::fmt::Display for Moment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut digits = self.0.iter().map(|digit| char::from(*digit));
        for (count, after) in [(4, "-"), (2, "-"), (2, "T"), (2, ":"), (2, ":"), (2, "Z")] {
            let part: String = digits.by_ref().take(count).collect();
            write!(f, "{part}{after}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::x509::UnixTime;

    fn read(tag: u8, text: &str) -> Result<Moment, &'static str> {
        let octets = crate::x509::octets::tlv(tag, text.as_bytes());
        Moment::read(Element::only(&octets).unwrap())
    }

    #[test]
    fn moments_are_ordered_and_written_as_our_own_times_are() {
        // X2
        let mut last = None;
        for at in [0, 951_782_400, 2_524_607_999, 2_524_608_000, UnixTime::NO_END.0] {
            let octets = UnixTime(at).to_der();
            let moment = Moment::read(Element::only(&octets).unwrap()).unwrap();
            assert_eq!(moment.to_string(), UnixTime(at).to_string());
            assert!(last < Some(moment));
            last = Some(moment);
        }
    }

    #[test]
    fn every_other_way_to_write_a_time_is_refused() {
        // X2
        assert!(read(0x17, "240229000000Z").is_ok());
        for (tag, text) in [
            (0x17, "2402290000Z"),
            (0x17, "240229000000+0000"),
            (0x17, "230229000000Z"),
            (0x17, "24O229000000Z"),
            (0x17, "240229246000Z"),
            (0x18, "20240229000000Z"),
            (0x18, "20600229000000.5Z"),
            (0x18, "20600229000000"),
            (0x18, "21000229000000Z"),
            (0x16, "20600229000000Z"),
        ] {
            assert!(read(tag, text).is_err(), "{text}");
        }
    }
}
