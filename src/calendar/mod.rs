//! Calendar of the CAs: their ends, the last days on which they issue certificates with their full validity, and when
//! CRLs and responder certificates are due. Written as a text timeline, SVG and iCalendar. Pure.
mod icalendar;
mod leaves;
mod scale;
mod svg;
mod timeline;

pub use leaves::{Leaves, Month, Week};

use crate::error::{Remedy, remedy};
use crate::x509::{IssuerId, UnixTime, Validity};
use std::path::PathBuf;

/// Dates of one CA.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Outlook {
    /// Name of the CA.
    pub name: String,
    /// Number of CAs above it.
    pub depth: usize,
    /// Identifier of its name and key, which stay the same when its certificate is renewed.
    pub issuer: IssuerId,
    /// Validity of its certificate.
    pub validity: Validity,
    /// Whether its key is kept offline, so that its next CRL takes a ceremony.
    pub is_offline: bool,
    /// Whether the CA may issue: neither it nor a CA above it is revoked or expired.
    pub is_usable: bool,
    /// Until when the CA issues certificates with their full validity; `None` when no profile says how long that is,
    /// or when another generation issues instead.
    pub full_length: Option<FullLength>,
    /// Current CRL.
    pub crl: Option<Renewal>,
    /// Where each new CRL of an external CA is brought; `None` for a CA whose CRLs are signed here.
    pub brought_to: Option<PathBuf>,
    /// Current certificate of its OCSP responder.
    pub responder: Option<Renewal>,
}

/// Time after which certificates end with their issuer, earlier than their profile allows.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct FullLength {
    /// Default profile of the CA, or the one with the longest validity among the CAs below it.
    pub profile: String,
    /// Last second at which a certificate of this profile gets its full validity. It may be in the past.
    pub last: UnixTime,
}

/// Validity of something that is renewed regularly: a CRL or a responder certificate.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Renewal {
    /// Start of the current one.
    pub begins: UnixTime,
    /// Time at which the next one is due.
    pub due: UnixTime,
    /// End of the current one.
    pub ends: UnixTime,
}

/// Kind of an entry.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Occasion {
    /// The CA's certificate ends.
    End,
    /// Last day on which certificates get their full validity.
    LastFullLength,
    /// The next CRL is due.
    Crl,
    /// The next responder certificate is due.
    Responder,
}

impl Occasion {
    /// Returns a stable word for programs.
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

/// Entry of the calendar.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct CalendarEntry<'a> {
    /// When it happens, or is due.
    pub at: UnixTime,
    /// What happens, or is due.
    pub occasion: Occasion,
    /// The CA that it happens to.
    pub authority: &'a Outlook,
}

impl CalendarEntry<'_> {
    /// Returns a short description: `CRL of genfic due, lapses 2026-11-28`.
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
            Occasion::Crl if self.authority.is_offline => {
                format!("CRL of {name} due, ceremony by {}", end(self.authority.crl))
            }
            Occasion::Responder if self.authority.is_offline => {
                format!("responder of {name} due, ceremony by {}", end(self.authority.responder))
            }
            Occasion::Crl => format!("CRL of {name} due, lapses {}", end(self.authority.crl)),
            Occasion::Responder => {
                format!("responder of {name} due, ends {}", end(self.authority.responder))
            }
        }
    }

    /// Returns the time by which the key of a CA kept offline has to be fetched for this, since what it signed last
    /// lapses then; `None` where no ceremony is needed.
    #[must_use]
    pub fn ceremony_by(&self) -> Option<UnixTime> {
        let renewal = match self.occasion {
            Occasion::Crl => self.authority.crl,
            Occasion::Responder => self.authority.responder,
            Occasion::End | Occasion::LastFullLength => None,
        };
        renewal.filter(|_| self.authority.is_offline).map(|renewal| renewal.ends)
    }

    /// Returns what to do.
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
            Occasion::Crl => match &self.authority.brought_to {
                Some(file) => remedy::Repair::BringCrl(name.clone(), file.clone()).into(),
                None => remedy::Repair::PublishCrl(name.clone()).into(),
            },
            Occasion::Responder => remedy::Repair::Responder(name.clone()).into(),
        }
    }
}

/// Dates of the CAs of a home, as of a point in time.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Calendar {
    now: UnixTime,
    outlooks: Vec<Outlook>,
    leaves: Option<Leaves>,
}

impl Calendar {
    /// Returns the calendar of these CAs, which are given with issuers before the CAs below them.
    #[must_use]
    pub fn new(outlooks: Vec<Outlook>, now: UnixTime) -> Self {
        Self { now, outlooks, leaves: None }
    }

    /// Returns the calendar with what is known of holders' certificates.
    #[must_use]
    pub fn with_leaves(self, leaves: Option<Leaves>) -> Self {
        Self { leaves, ..self }
    }

    /// Returns what is known of holders' certificates.
    #[must_use]
    pub fn leaves(&self) -> Option<&Leaves> {
        self.leaves.as_ref()
    }

    /// Returns the time as of which the calendar is made.
    #[must_use]
    pub fn now(&self) -> UnixTime {
        self.now
    }

    /// Returns the CAs in the order given.
    #[must_use]
    pub fn outlooks(&self) -> &[Outlook] {
        &self.outlooks
    }

    /// Returns all future and overdue entries in order of time. CAs that are expired or may no longer issue are left
    /// out.
    #[must_use]
    pub fn entries(&self) -> Vec<CalendarEntry<'_>> {
        let mut entries: Vec<CalendarEntry<'_>> = Vec::new();
        for authority in self.outlooks.iter().filter(|authority| authority.is_usable) {
            let mut enter = |at, occasion| entries.push(CalendarEntry { at, occasion, authority });
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

/// Returns the date only, in UTC.
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
            is_offline: depth == 0,
            is_usable: true,
            full_length: Some(FullLength { profile: "system".into(), last: end.plus_days(-396) }),
            crl: Some(Renewal { begins: NOW, due: NOW.plus_days(3), ends: NOW.plus_days(7) }),
            brought_to: None,
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
        revoked.is_usable = false;
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
        let told: Vec<String> = entries.iter().map(CalendarEntry::sentence).collect();
        assert!(told[0].starts_with("responder of genfic-user due, ends 20"), "{told:?}");
        assert!(entries.is_sorted_by_key(|entry| entry.at));
        assert_eq!(told.last().unwrap(), "CA genfic ends");
        assert_eq!(entries.len(), 3 + 4 + 4);
        assert!(!told.iter().any(|line| line.contains("genfic-old")), "it is revoked");
    }

    #[test]
    fn the_crl_of_a_ca_kept_offline_is_told_with_the_day_by_which_its_key_has_to_be_fetched() {
        // C8
        let calendar = calendar();
        let ends = day(NOW.plus_days(7));
        let of = |name: &str| {
            let mut entries = calendar.entries();
            entries.retain(|entry| entry.authority.name == name && entry.occasion == Occasion::Crl);
            let entry = entries.pop().unwrap();
            (entry.sentence(), entry.ceremony_by())
        };
        assert_eq!(of("genfic"), (format!("CRL of genfic due, ceremony by {ends}"), Some(NOW.plus_days(7))));
        assert_eq!(of("genfic-user"), (format!("CRL of genfic-user due, lapses {ends}"), None));
        let svg = calendar.svg();
        let title = format!("CRL of genfic: ceremony by {ends}");
        assert!(svg.contains(&title), "{svg}");
        let summary = format!("SUMMARY:CRL of genfic due\\, ceremony by {ends}");
        let ics = calendar.icalendar(|_| String::new()).replace("\r\n ", "");
        assert!(ics.contains(&summary), "{ics}");
        assert!(calendar.timeline().unwrap().contains(&format!("ceremony by {ends}")));
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
