//! What ends when: CAs, the last day on which they give certificates their full length, CRLs and responder
//! certificates that are due. As a timeline for people, as SVG and as iCalendar. Pure.
mod icalendar;
mod scale;
mod svg;
mod timeline;

use crate::error::{Remedy, remedy};
use crate::x509::{IssuerId, UnixTime, Validity};

/// What lies before one CA.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Outlook {
    /// Its name.
    pub name: String,
    /// How many CAs are above it.
    pub depth: usize,
    /// Its name and key, which a renewed certificate keeps.
    pub issuer: IssuerId,
    /// When it is valid.
    pub validity: Validity,
    /// Whether it may issue: neither it nor one above it is revoked or ended.
    pub is_fit: bool,
    /// Until when it gives its certificates their full length; `None` when no profile says how long that is, or another
    /// generation issues in its place.
    pub full_length: Option<FullLength>,
    /// Its CRL.
    pub crl: Option<Renewal>,
    /// Its responder's certificate.
    pub responder: Option<Renewal>,
}

/// Certificates that end with their issuer are shorter than their profile says.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct FullLength {
    /// The profile that the CA issues under when nobody says otherwise, or the longest of the CAs below it.
    pub profile: String,
    /// The last moment at which a certificate of this profile gets its full length; it may be past.
    pub last: UnixTime,
}

/// Something that is made anew again and again.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Renewal {
    /// When the present one began.
    pub begins: UnixTime,
    /// When the next one is due.
    pub due: UnixTime,
    /// When the present one ends.
    pub ends: UnixTime,
}

/// What happens at a moment.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Occasion {
    /// The CA's certificate ends.
    End,
    /// The last day of full-length certificates.
    LastFullLength,
    /// The CRL is due.
    Crl,
    /// The responder's certificate is due.
    Responder,
}

impl Occasion {
    /// The word for programs, stable.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::End => "ca-end",
            Self::LastFullLength => "last-full-length",
            Self::Crl => "crl-due",
            Self::Responder => "responder-due",
        }
    }
}

/// One line of the calendar.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Entry<'a> {
    /// When.
    pub at: UnixTime,
    /// What.
    pub occasion: Occasion,
    /// Of which CA.
    pub authority: &'a Outlook,
}

impl Entry<'_> {
    /// What happens, in a few words: `CRL of genfic due, lapses 2026-11-28`.
    #[must_use]
    pub fn sentence(&self) -> String {
        let name = &self.authority.name;
        let end = |renewal: Option<Renewal>| renewal.map(|renewal| day(renewal.ends)).unwrap_or_default();
        match self.occasion {
            Occasion::End => format!("CA {name} ends"),
            Occasion::LastFullLength => {
                let profile = self.authority.full_length.as_ref().map_or("", |full| &full.profile);
                format!("{name}: last full-length certificate ({profile})")
            }
            Occasion::Crl => format!("CRL of {name} due, lapses {}", end(self.authority.crl)),
            Occasion::Responder => {
                format!("responder of {name} due, ends {}", end(self.authority.responder))
            }
        }
    }

    /// What to do about it.
    #[must_use]
    pub fn remedy(&self) -> Remedy {
        let name = &self.authority.name;
        match self.occasion {
            Occasion::End => {
                format!("What {name} issued ends with it; its successor has to be in use by then.").into()
            }
            Occasion::LastFullLength => {
                format!("From then on, certificates of {name} end with it. Renew it, or make its successor.")
                    .into()
            }
            Occasion::Crl => remedy::Repair::PublishCrl(name.clone()).into(),
            Occasion::Responder => remedy::Repair::Responder(name.clone()).into(),
        }
    }
}

/// What lies before the CAs of a home, seen from a moment.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Calendar {
    now: UnixTime,
    outlooks: Vec<Outlook>,
}

impl Calendar {
    /// The calendar of these CAs, parents before children.
    #[must_use]
    pub fn new(outlooks: Vec<Outlook>, now: UnixTime) -> Self {
        Self { now, outlooks }
    }

    /// The moment it is seen from.
    #[must_use]
    pub fn now(&self) -> UnixTime {
        self.now
    }

    /// The CAs, in the order given.
    #[must_use]
    pub fn outlooks(&self) -> &[Outlook] {
        &self.outlooks
    }

    /// All that lies ahead, and what is overdue, earliest first. CAs that ended or may issue nothing any more have
    /// no part in it.
    #[must_use]
    pub fn entries(&self) -> Vec<Entry<'_>> {
        let mut entries: Vec<Entry<'_>> = Vec::new();
        for authority in self.outlooks.iter().filter(|authority| authority.is_fit) {
            let mut enter = |at, occasion| entries.push(Entry { at, occasion, authority });
            enter(authority.validity.not_after, Occasion::End);
            if let Some(full) = authority.full_length.as_ref().filter(|full| full.last >= self.now) {
                enter(full.last, Occasion::LastFullLength);
            }
            if let Some(renewal) = authority.crl {
                enter(renewal.due, Occasion::Crl);
            }
            if let Some(renewal) = authority.responder {
                enter(renewal.due, Occasion::Responder);
            }
        }
        entries.sort_by_key(|entry| entry.at);
        entries
    }
}

/// The date alone, in UTC.
pub(crate) fn day(at: UnixTime) -> String {
    at.to_string().chars().take_while(|c| *c != 'T').collect()
}

#[cfg(test)]
pub(super) mod fixture {
    use super::*;

    pub(in crate::calendar) const NOW: UnixTime = UnixTime(1_800_000_000);

    pub(in crate::calendar) fn outlook(name: &str, depth: usize, years: i64) -> Outlook {
        let end = NOW.plus_days(years * 365);
        Outlook {
            name: name.into(),
            depth,
            issuer: IssuerId(crate::x509::sha256(name.as_bytes())),
            validity: Validity { not_before: NOW.plus_days(-100), not_after: end },
            is_fit: true,
            full_length: Some(FullLength { profile: "system".into(), last: end.plus_days(-396) }),
            crl: Some(Renewal { begins: NOW, due: NOW.plus_days(3), ends: NOW.plus_days(7) }),
            responder: Some(Renewal {
                begins: NOW.plus_days(-20),
                due: NOW.plus_days(-5),
                ends: NOW.plus_days(10),
            }),
        }
    }

    pub(in crate::calendar) fn calendar() -> Calendar {
        let mut root = outlook("genfic", 0, 20);
        root.responder = None;
        root.full_length = Some(FullLength { profile: "user-ca".into(), last: NOW.plus_days(3650) });
        let mut revoked = outlook("genfic-old", 1, 3);
        revoked.is_fit = false;
        let below = [outlook("genfic-user", 1, 9), outlook("genfic-system", 1, 10), revoked];
        Calendar::new([vec![root], below.to_vec()].concat(), NOW)
    }
}

#[cfg(test)]
mod tests {
    use super::fixture::{NOW, calendar, outlook};
    use super::*;

    #[test]
    fn what_lies_ahead_is_told_earliest_first_and_what_is_overdue_before_that() {
        let calendar = calendar();
        let entries = calendar.entries();
        let told: Vec<String> = entries.iter().map(Entry::sentence).collect();
        assert!(told[0].starts_with("responder of genfic-user due, ends 20"), "{told:?}");
        assert!(entries.is_sorted_by_key(|entry| entry.at));
        assert_eq!(told.last().unwrap(), "CA genfic ends");
        assert_eq!(entries.len(), 3 + 4 + 4);
        assert!(!told.iter().any(|line| line.contains("genfic-old")), "it is revoked");
    }

    #[test]
    fn a_last_day_that_is_past_is_not_announced() {
        let mut short = outlook("short", 0, 1);
        assert!(short.full_length.as_ref().unwrap().last < NOW);
        short.crl = None;
        short.responder = None;
        let calendar = Calendar::new(vec![short], NOW);
        let occasions: Vec<Occasion> = calendar.entries().iter().map(|entry| entry.occasion).collect();
        assert_eq!(occasions, [Occasion::End]);
    }
}
