//! Resolves the `CERT` argument of commands.
use super::values::{read, until, usage};
use crate::report::table;
use genfic_ca::error::{Code, Problem, Shown as _};
use genfic_ca::index::{CertificateRecord, IndexReader, Selector};
use genfic_ca::x509::{Certificate, SerialNumber, UnixTime};
use std::path::Path;

/// Number of matches that are listed when the argument is ambiguous.
const SHOWN: usize = 20;

/// Returns every certificate that the word may name, newest first. The word is `serial:HEX`, `sha256:PREFIX`,
/// `CA/SERIAL`, an exact subject CN or SAN, `-` for standard input, or a file when nothing is on record under that
/// name.
pub(crate) fn matches(index: &dyn IndexReader, word: &str) -> Result<Vec<CertificateRecord>, Problem> {
    Ok(meaning(index, word)?.0)
}

/// What a word identifies even when nothing is on record.
pub(crate) enum Named {
    /// A whole certificate, read from a file.
    Certificate(Box<Certificate>),
    /// A serial number, and the CA that was given with it.
    Number(Option<String>, SerialNumber),
    /// Nothing without a record.
    Otherwise,
}

/// Returns what [`matches()`] does, and what the word identifies when nothing matches.
pub(crate) fn meaning(
    index: &dyn IndexReader,
    word: &str,
) -> Result<(Vec<CertificateRecord>, Named), Problem> {
    let select = |selector: &Selector| Ok::<_, Problem>(index.select(selector, 1000)?);
    let in_file = |path: &Path| {
        let certificate = certificate_in(path)?;
        let found = select(&Selector::Exact(certificate.fingerprint()))?;
        Ok::<_, Problem>((found, Named::Certificate(Box::new(certificate))))
    };
    if word == "-" {
        return in_file(Path::new("-"));
    }
    if let Some(serial) = word.strip_prefix("serial:") {
        let serial = serial_number(serial)?;
        return Ok((select(&Selector::Serial(serial.clone()))?, Named::Number(None, serial)));
    }
    if let Some(prefix) = word.strip_prefix("sha256:") {
        let digits = prefix.replace(':', "").to_ascii_lowercase();
        if digits.len() < 4 || !digits.chars().all(|digit| digit.is_ascii_hexdigit()) {
            return Err(usage(
                format!("`{word}` is not a fingerprint"),
                "at least four hexadecimal digits follow sha256:",
            ));
        }
        return Ok((select(&Selector::Fingerprint(digits))?, Named::Otherwise));
    }
    if let Some((name, serial)) = word.split_once('/')
        && let Ok(serial) = serial.parse::<SerialNumber>()
        && index.authority(name)?.is_some()
    {
        let found = select(&Selector::AuthoritySerial(name.into(), serial.clone()))?;
        return Ok((found, Named::Number(Some(name.into()), serial)));
    }
    let named = select(&Selector::Name(word.into()))?;
    if named.is_empty() && Path::new(word).is_file() {
        return in_file(Path::new(word));
    }
    Ok((named, Named::Otherwise))
}

/// Returns the only certificate that was found; none and several are problems.
pub(crate) fn the_one(
    found: Vec<CertificateRecord>,
    word: &str,
    among: &str,
    now: UnixTime,
) -> Result<CertificateRecord, Problem> {
    let mut found = found;
    if found.len() > 1 {
        let message = format!("`{word}` means {} certificates\n{}", found.len(), list(&found, now));
        return Err(Problem::new(Code::CertificateAmbiguous, message)
            .hint("name one of them by its CERT, as in the first column"));
    }
    found.pop().ok_or_else(|| {
        Problem::new(Code::CertificateNotFound, format!("no {among} matches `{word}`"))
            .hint("`genfic-ca list` shows what is on record; a CERT is serial:HEX, sha256:PREFIX, an exact name, CA/SERIAL, a file, or -")
    })
}

/// Returns a table of certificates. The first column identifies each on the command line.
pub(crate) fn list(found: &[CertificateRecord], now: UnixTime) -> String {
    let rows: Vec<Vec<String>> = found
        .iter()
        .take(SHOWN)
        .map(|record| {
            vec![
                format!("{}/{}", record.authority, record.id.serial_number),
                record.status(now).to_string(),
                until(record),
                record.subject.to_string(),
            ]
        })
        .collect();
    let text = table(&["CERT", "STATUS", "UNTIL", "SUBJECT"], &rows);
    match found.len().checked_sub(SHOWN) {
        Some(more) if more > 0 => format!("{text}\nand {more} more"),
        _ => text,
    }
}

fn certificate_in(path: &Path) -> Result<Certificate, Problem> {
    Certificate::from_pem_or_der(&read(path)?).map_err(|error| {
        Problem::new(Code::OtherFile, format!("{}: {error}", path.shown()))
            .hint("a PEM or DER certificate is needed")
    })
}

fn serial_number(text: &str) -> Result<SerialNumber, Problem> {
    text.parse::<SerialNumber>()
        .map_err(|error| usage(format!("`{text}`: {error}"), "for example serial:4f1a"))
}
