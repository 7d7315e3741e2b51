//! The serial numbers that a key has used, as they go with it to a medium: `NAME.used`, a line for each with the serial
//! number and notAfter of its certificate.
use crate::x509::{SerialNumber, UnixTime, sha256};
use std::collections::HashMap;
use std::fmt::Write as _;

/// Serial numbers that a key has used elsewhere, each with notAfter of its certificate.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct UsedSerials(HashMap<SerialNumber, UnixTime>);

/// Reason why a text has no serial numbers that were used: the number of the first such line.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("line {0} is not a serial number and a time")]
pub(crate) struct MalformedLine(usize);

/// Reasons why the file of a medium is of no use.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub(crate) enum UnusableSerials {
    /// The list of the medium's files has it with another digest, or it is missing.
    #[error("it is not the file of which bundle.toml has the digest")]
    NotListed,
    /// Octets that are no text.
    #[error("it is not UTF-8")]
    NotText,
    /// A line that says something else.
    #[error(transparent)]
    Line(#[from] MalformedLine),
}

impl UsedSerials {
    /// Extension of the file, after the name of the key.
    pub(crate) const ENDING: &str = "used";
    /// The list of the files of a medium, with their digests.
    pub(crate) const MANIFEST: &str = "bundle.toml";
    /// Bound of the file, in octets: that of a medium's files.
    pub(crate) const LARGEST: u64 = 256 << 20;

    /// Enters a certificate. Of two ends the later one counts.
    pub(crate) fn add(&mut self, serial: SerialNumber, until: UnixTime) {
        let end = self.0.entry(serial).or_insert(until);
        *end = (*end).max(until);
    }

    /// Returns notAfter of the certificate with this serial number; `None` where the key has not used it.
    pub(crate) fn not_after(&self, serial: &SerialNumber) -> Option<UnixTime> {
        self.0.get(serial).copied()
    }

    /// Returns the text of the file, for the key of this name. The same numbers make the same text.
    pub(crate) fn to_text(&self, name: &str) -> String {
        let mut text = format!(
            "# The serial numbers that the key {name} has used, with the end of each certificate. It uses none of them again.\n"
        );
        let mut lines: Vec<String> = self.0.iter().map(|(serial, end)| format!("{serial} {end}")).collect();
        lines.sort();
        for line in lines {
            let _ = writeln!(text, "{line}");
        }
        text
    }

    /// Reads the file of this name on a medium, `None` where it has none. Where the list of the files of the medium has
    /// it, it has to be there with that digest: the numbers of a shorter one could be used again.
    ///
    /// # Errors
    /// When it is another file than the list has, or says something else.
    pub(crate) fn of_medium(
        (name, contents): (&str, Option<Vec<u8>>),
        manifest: Option<&[u8]>,
    ) -> Result<Option<Self>, UnusableSerials> {
        let listed = manifest.and_then(|manifest| {
            let line = format!("\"{name}\" = \"");
            let text = str::from_utf8(manifest).ok()?;
            text.lines().find_map(|one| one.strip_prefix(&line)?.strip_suffix('"'))
        });
        let digest = contents.as_ref().map(|contents| base16ct::lower::encode_string(&sha256(contents)));
        if listed.is_some() && listed != digest.as_deref() {
            return Err(UnusableSerials::NotListed);
        }
        let Some(contents) = contents else { return Ok(None) };
        let text = String::from_utf8(contents).map_err(|_| UnusableSerials::NotText)?;
        Ok(Some(Self::parse(&text)?))
    }

    /// Reads the text of the file.
    ///
    /// # Errors
    /// The first line that says something else.
    pub(crate) fn parse(text: &str) -> Result<Self, MalformedLine> {
        let mut used = Self::default();
        let lines = text.lines().enumerate().filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
        for (at, line) in lines {
            let read = || {
                let (serial, end) = line.split_once(' ')?;
                Some((serial.parse().ok()?, UnixTime::parse(end)?))
            };
            let (serial, end) = read().ok_or(MalformedLine(at.saturating_add(1)))?;
            used.add(serial, end);
        }
        Ok(used)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_used_is_read_as_it_was_written_and_anything_else_is_told_with_its_line() {
        let serial = |text: &str| text.parse::<SerialNumber>().unwrap();
        let mut used = UsedSerials::default();
        for (number, end) in [("80", 900), ("4a", 700), ("4a", 800), ("4a", 100)] {
            used.add(serial(number), UnixTime(end));
        }
        let text = used.to_text("genfic");
        assert!(text.starts_with("# ") && text.lines().count() == 3, "{text}");
        assert_eq!(UsedSerials::parse(&text), Ok(used.clone()));
        assert_eq!(used.not_after(&serial("4a")), Some(UnixTime(800)));
        assert_eq!(used.not_after(&serial("4b")), None);
        assert_eq!(UsedSerials::parse(""), Ok(UsedSerials::default()));
        for wrong in ["4a", "4a soon", "zz 1970-01-01T00:15:00Z", " "] {
            assert_eq!(UsedSerials::parse(&format!("{text}{wrong}\n")), Err(MalformedLine(4)), "{wrong}");
        }
    }

    #[test]
    fn a_file_that_the_list_of_a_medium_has_is_there_as_it_was_written() {
        let mut used = UsedSerials::default();
        used.add("4a".parse().unwrap(), UnixTime(700));
        let text = used.to_text("genfic").into_bytes();
        let digest = base16ct::lower::encode_string(&sha256(&text));
        let listed =
            format!("[files]\n\"genfic.pem\" = \"00\"\n\"genfic.used\" = \"{digest}\"\n").into_bytes();
        let read = |contents: Option<&[u8]>, manifest: Option<&[u8]>| {
            UsedSerials::of_medium(("genfic.used", contents.map(<[u8]>::to_vec)), manifest)
        };
        let without = b"[files]\n\"genfic.pem\" = \"00\"\n".as_slice();
        for manifest in [None, Some(without), Some(&listed[..])] {
            assert_eq!(read(Some(&text), manifest), Ok(Some(used.clone())));
        }
        for manifest in [None, Some(without)] {
            assert_eq!(read(None, manifest), Ok(None));
            assert_eq!(read(Some(b""), manifest), Ok(Some(UsedSerials::default())));
        }
        for contents in [None, Some(&b""[..])] {
            assert_eq!(read(contents, Some(&listed)), Err(UnusableSerials::NotListed));
        }
        assert_eq!(read(Some(&[0xff]), None), Err(UnusableSerials::NotText));
    }
}
