//! The calendar as iCalendar (RFC 5545).
use super::{Calendar, CalendarEntry, Occasion};
use crate::error::Remedy;
use crate::x509::UnixTime;

/// Maximum length of a line in octets, without its end (RFC 5545 §3.1).
const LONGEST: usize = 75;

impl Calendar {
    /// Returns the calendar with one `VEVENT` and its reminders for each entry. The `UID` of an event consists of the
    /// occasion and the CA's issuer identifier, so that importing the calendar again updates events instead of adding
    /// them. `say` returns the words of a remedy.
    #[must_use]
    pub fn icalendar(&self, say: impl Fn(&Remedy) -> String) -> String {
        let mut out = Lines::default();
        out.push("BEGIN", "VCALENDAR");
        out.push("VERSION", "2.0");
        out.push("PRODID", "-//genfic-ca//calendar//EN");
        out.push("CALSCALE", "GREGORIAN");
        out.push("X-WR-CALNAME", "Certificate authorities");
        for entry in self.entries() {
            event(&entry, self.now, &say(&entry.remedy()), &mut out);
        }
        out.push("END", "VCALENDAR");
        out.text
    }
}

fn event(entry: &CalendarEntry<'_>, now: UnixTime, remedy: &str, out: &mut Lines) {
    let occasion = entry.occasion.word();
    out.push("BEGIN", "VEVENT");
    let issuer = base16ct::lower::encode_string(&entry.authority.issuer.0);
    out.push("UID", &format!("{occasion}-{issuer}@genfic-ca"));
    out.push("DTSTAMP", &stamp(now));
    out.push("DTSTART", &stamp(entry.at));
    out.push("SUMMARY", &escaped(&entry.sentence()));
    out.push("DESCRIPTION", &escaped(remedy));
    out.push("CATEGORIES", occasion);
    out.push("TRANSP", "TRANSPARENT");
    for before in reminders(entry.occasion) {
        out.push("BEGIN", "VALARM");
        out.push("ACTION", "DISPLAY");
        out.push("TRIGGER", before);
        out.push("DESCRIPTION", &escaped(&entry.sentence()));
        out.push("END", "VALARM");
    }
    out.push("END", "VEVENT");
}

/// Returns how long before the event the reminders are, as RFC 5545 durations.
fn reminders(occasion: Occasion) -> &'static [&'static str] {
    match occasion {
        Occasion::End => &["-P365D", "-P90D", "-P30D"],
        Occasion::LastFullLength => &["-P180D", "-P30D"],
        Occasion::Crl | Occasion::Responder => &["PT0S"],
    }
}

/// Writes `DATE-TIME` in UTC (RFC 5545 §3.3.5).
fn stamp(at: UnixTime) -> String {
    at.to_string().chars().filter(|c| !matches!(c, '-' | ':')).collect()
}

/// Escapes `TEXT` (RFC 5545 §3.3.11).
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' | ';' | ',' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            c if c.is_control() => {}
            c => out.push(c),
        }
    }
    out
}

#[derive(Default)]
struct Lines {
    text: String,
}

impl Lines {
    /// Adds a content line. A long line is folded between characters (RFC 5545 §3.1).
    fn push(&mut self, name: &str, value: &str) {
        let mut length = 0;
        for c in name.chars().chain([':']).chain(value.chars()) {
            if length + c.len_utf8() > LONGEST {
                self.text.push_str("\r\n ");
                length = 1;
            }
            self.text.push(c);
            length += c.len_utf8();
        }
        self.text.push_str("\r\n");
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{NOW, calendar};
    use super::*;

    fn told(remedy: &Remedy) -> String {
        format!("{remedy:?}")
    }

    #[test]
    fn lines_end_in_crlf_and_are_folded_at_75_octets() {
        let text = calendar().icalendar(told);
        assert!(text.ends_with("END:VCALENDAR\r\n"));
        assert_eq!(text.matches('\n').count(), text.matches("\r\n").count());
        assert!(text.split("\r\n").all(|line| line.len() <= 75));
        assert!(text.contains("\r\n "), "no line of this text is long enough to prove it");
        let unfolded = text.replace("\r\n ", "");
        assert!(unfolded.contains("\r\nSUMMARY:CRL of genfic-user due\\, lapses 20"), "{unfolded}");
    }

    #[test]
    fn a_character_of_several_octets_is_never_cut() {
        let mut lines = Lines::default();
        lines.push("SUMMARY", &"é".repeat(100));
        assert!(lines.text.split("\r\n").all(|line| line.len() <= 75));
        assert_eq!(lines.text.replace("\r\n ", ""), format!("SUMMARY:{}\r\n", "é".repeat(100)));
    }

    #[test]
    fn an_event_keeps_its_identifier_while_it_moves() {
        let identifiers = |calendar: &Calendar| {
            let text = calendar.icalendar(told).replace("\r\n ", "");
            let mut found: Vec<String> =
                text.lines().filter(|line| line.starts_with("UID:")).map(str::to_owned).collect();
            found.sort();
            found
        };
        let first = calendar();
        let mut outlooks = first.outlooks().to_vec();
        for crl in outlooks.iter_mut().filter_map(|outlook| outlook.crl.as_mut()) {
            crl.due = crl.due.plus_days(7);
        }
        let later = Calendar::new(outlooks, NOW.plus_days(7));
        assert_eq!(identifiers(&first), identifiers(&later));
        let mut unique = identifiers(&first);
        unique.dedup();
        assert_eq!(unique.len(), first.entries().len());
    }

    #[test]
    fn text_is_escaped() {
        assert_eq!(escaped("a;b,c\\d\ne\u{7}"), "a\\;b\\,c\\\\d\\ne");
    }
}
