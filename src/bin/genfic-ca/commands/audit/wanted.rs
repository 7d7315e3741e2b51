//! Which audit records are asked for.
use super::super::select::matches;
use super::super::values::usage;
use crate::cli::AuditShow;
use crate::session::Session;
use genfic_ca::audit::AuditRecord;
use genfic_ca::config::parse_period;
use genfic_ca::error::Problem;
use genfic_ca::x509::UnixTime;
use std::ops::RangeInclusive;

/// Fewest digits by which a serial number is looked for.
const DIGITS: usize = 6;

/// Conditions on records; an absent one holds for every record.
pub(super) struct Wanted {
    /// First and last time.
    pub(super) times: RangeInclusive<UnixTime>,
    who: Option<String>,
    /// The object as it was typed, and the certificates on record that it names.
    objects: Option<(String, Vec<String>)>,
    action: Option<String>,
}

impl Wanted {
    /// Returns the conditions of these options.
    pub(super) fn by(session: &Session, args: &AuditShow) -> Result<Self, Problem> {
        let now = session.engine().now();
        let time = |option: &str, text: &str, ends: bool| {
            moment(text, ends, now).ok_or_else(|| {
                let hint = "RFC 3339, a date such as 2030-01-31, or a time ago such as 12h or 30d";
                usage(format!("{option} takes a time, not `{text}`"), hint)
            })
        };
        let since = args.since.as_deref().map(|text| time("--since", text, false)).transpose()?;
        let until = args.until.as_deref().map(|text| time("--until", text, true)).transpose()?;
        let objects =
            args.object.as_ref().map(|word| Ok::<_, Problem>((word.clone(), named(session, word)?)));
        Ok(Self {
            times: since.unwrap_or_default()..=until.unwrap_or(UnixTime::NO_END),
            who: args.who.clone(),
            objects: objects.transpose()?,
            action: args.action.clone(),
        })
    }

    /// Whether a record is asked for; `command` is that of its act, if known.
    pub(super) fn includes(&self, record: &AuditRecord, command: Option<&str>) -> bool {
        let event = &record.event;
        let is_by = |who: &String| event.actor.user == *who || event.actor.on_behalf_of.as_ref() == Some(who);
        let is_about = |(word, certificates): &(String, Vec<String>)| {
            certificates.contains(&event.object) || is_object(&event.object, word)
        };
        let is_act = |pattern: &String| {
            matches_glob(&event.action, pattern)
                || command.is_some_and(|command| matches_glob(command, pattern))
        };
        self.who.as_ref().is_none_or(is_by)
            && self.objects.as_ref().is_none_or(is_about)
            && self.action.as_ref().is_none_or(is_act)
    }
}

/// Returns the certificates that a word names, as objects of records.
fn named(session: &Session, word: &str) -> Result<Vec<String>, Problem> {
    let found = matches(session.engine().record(), word).unwrap_or_default();
    Ok(found.iter().map(|one| format!("{}/{}", one.authority, one.id.serial_number)).collect())
}

/// Returns the first or the last second that is meant: of a day, of a time, or so long before now.
fn moment(text: &str, ends: bool, now: UnixTime) -> Option<UnixTime> {
    if let Some(at) = UnixTime::parse(text) {
        let is_day = !text.contains('T');
        return Some(if ends && is_day { at.plus(UnixTime::DAY - 1) } else { at });
    }
    parse_period(text).ok().map(|seconds| now.plus(-seconds))
}

/// Whether an object is the one that was typed: a CA with what is of it, a serial number by its beginning, or a
/// pattern.
fn is_object(object: &str, word: &str) -> bool {
    let (authority, serial) = object.split_once('/').unwrap_or((object, ""));
    let digits = word.trim_start_matches("serial:").to_ascii_lowercase();
    let is_serial = digits.len() >= DIGITS && digits.chars().all(|digit| digit.is_ascii_hexdigit());
    authority == word || is_serial && serial.starts_with(&digits) || matches_glob(object, word)
}

/// Whether a text matches a pattern in which `*` stands for any text and `?` for one character.
fn matches_glob(text: &str, pattern: &str) -> bool {
    let (text, pattern): (Vec<char>, Vec<char>) = (text.chars().collect(), pattern.chars().collect());
    let (mut at, mut next) = (0_usize, 0_usize);
    let mut star: Option<(usize, usize)> = None;
    while at < text.len() {
        match pattern.get(next) {
            Some('*') => {
                star = Some((next, at));
                next = next.saturating_add(1);
            }
            Some(c) if *c == '?' || text.get(at) == Some(c) => {
                (at, next) = (at.saturating_add(1), next.saturating_add(1));
            }
            _ => match star {
                Some((place, from)) => {
                    at = from.saturating_add(1);
                    star = Some((place, at));
                    next = place.saturating_add(1);
                }
                None => return false,
            },
        }
    }
    pattern.get(next..).is_some_and(|rest| rest.iter().all(|c| *c == '*'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_is_a_ca_with_all_of_it_a_serial_number_or_a_pattern() {
        for (word, is) in [
            ("genfic-user", true),
            ("genfic-user/4f1a2b3c", true),
            ("4f1a2b", true),
            ("serial:4F1A2B", true),
            ("4f1a", false),
            ("genfic", false),
            ("genfic*", true),
            ("*/4f1a2b3?", true),
            ("*/5*", false),
        ] {
            assert_eq!(is_object("genfic-user/4f1a2b3c", word), is, "{word}");
        }
        assert!(is_object("genfic", "genfic") && matches_glob("", "*") && !matches_glob("a", ""));
        assert!(
            matches_glob("certificate.revoked", "cert*.rev*ed") && !matches_glob("certificate.revoked", "*x")
        );
    }

    #[test]
    fn a_time_is_a_moment_a_day_with_its_end_or_so_long_ago() {
        let now = UnixTime::parse("2030-06-15T12:00:00Z").unwrap();
        let at = |text: &str, ends| moment(text, ends, now).map(|at| at.to_string());
        assert_eq!(at("2030-01-31", false).unwrap(), "2030-01-31T00:00:00Z");
        assert_eq!(at("2030-01-31", true).unwrap(), "2030-01-31T23:59:59Z");
        assert_eq!(at("2030-01-31T10:00:00Z", true).unwrap(), "2030-01-31T10:00:00Z");
        assert_eq!(at("2d", false).unwrap(), "2030-06-13T12:00:00Z");
        assert_eq!(at("soon", true), None);
    }
}
