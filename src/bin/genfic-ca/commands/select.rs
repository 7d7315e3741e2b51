//! Resolves the `CERT` argument of commands.
use super::difference::difference;
use super::values::{read, until, usage};
use crate::report::{Column, table};
use genfic_ca::error::{Code, Problem, Remedy, Shown as _, did_you_mean};
use genfic_ca::index::{CertificateRecord, IndexReader, Selector};
use genfic_ca::x509::{Certificate, SerialNumber, UnixTime};
use std::path::Path;

/// Number of matches that are listed when the argument is ambiguous.
const SHOWN: usize = 20;

/// Least number of hexadecimal digits that are taken for the beginning of a serial number.
const LEAST_DIGITS: usize = 6;
/// Number of certificates of which one is meant that are looked up, and of names on either side of one that is not on
/// record, among which a similar one is looked for: whatever the size of the index, a mistake costs as little.
const MOST: usize = 1000;
const NEAR: usize = 200;

/// Returns every certificate that the word may name, newest first. The word is `serial:HEX`, `sha256:PREFIX`,
/// `CA/SERIAL`, an exact subject CN or SAN, `-` for standard input, or a file when nothing is on record under that
/// name. HEX and SERIAL may be the first digits of a serial number, at least six, and a word of such digits is one of
/// them when it is no name; `dec:NUMBER` and `0xNUMBER` are whole numbers.
pub(crate) fn matches(index: &dyn IndexReader, word: &str) -> Result<Vec<CertificateRecord>, Problem> {
    Ok(meaning(index, word)?.0)
}

/// What a word identifies even when nothing is on record.
pub(crate) enum Named {
    /// A whole certificate, read from a file.
    Certificate(Box<Certificate>),
    /// A serial number, and the CA that was given with it.
    Number(Option<String>, SerialNumber),
    /// The first digits of the serial numbers that were found. As a number they are not on record, and may be that of
    /// a certificate that is not.
    Beginning(SerialNumber),
    /// Nothing without a record.
    Otherwise,
}

/// Returns what [`matches()`] does, and what the word identifies when nothing matches.
pub(crate) fn meaning(
    index: &dyn IndexReader,
    word: &str,
) -> Result<(Vec<CertificateRecord>, Named), Problem> {
    let select = |selector: &Selector| Ok::<_, Problem>(index.select(selector, MOST)?);
    let in_file = |path: &Path| {
        let certificate = certificate_in(path)?;
        let found = select(&Selector::Exact(certificate.fingerprint()))?;
        Ok::<_, Problem>((found, Named::Certificate(Box::new(certificate))))
    };
    if word == "-" {
        return in_file(Path::new("-"));
    }
    if let Some(text) = word.strip_prefix("serial:") {
        return numbered(index, None, text, serial_number(text)?);
    }
    if let Some(text) = word.strip_prefix("dec:") {
        let number = decimal(text)?;
        return Ok((select(&Selector::Serial(number.clone()))?, Named::Number(None, number)));
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
    if let Some((name, text)) = word.split_once('/')
        && let Some(number) =
            text.strip_prefix("dec:").map_or_else(|| text.parse().ok(), |text| decimal(text).ok())
        && index.authority(name)?.is_some()
    {
        return numbered(index, Some(name), text, number);
    }
    let named = select(&Selector::Name(word.into()))?;
    if named.is_empty() && Path::new(word).is_file() {
        return in_file(Path::new(word));
    }
    if named.is_empty()
        && let (Some(_), Ok(number)) = (beginning(word), word.parse::<SerialNumber>())
    {
        let (found, _) = numbered(index, None, word, number)?;
        return Ok((found, Named::Otherwise));
    }
    if named.is_empty()
        && let Some(problem) = misspelt(index, word)?
    {
        return Err(problem);
    }
    Ok((named, Named::Otherwise))
}

/// Returns the certificates of this serial number, of any CA or of this one; where there is none, those whose numbers
/// begin with the digits that were typed. A whole number on record is never the beginning of another.
fn numbered(
    index: &dyn IndexReader,
    authority: Option<&str>,
    typed: &str,
    number: SerialNumber,
) -> Result<(Vec<CertificateRecord>, Named), Problem> {
    let whole = match authority {
        Some(name) => Selector::AuthoritySerial(name.into(), number.clone()),
        None => Selector::Serial(number.clone()),
    };
    let found = index.select(&whole, MOST)?;
    if found.is_empty()
        && let Some(digits) = beginning(typed)
    {
        let found = index.select(&Selector::SerialBeginning(authority.map(str::to_owned), digits), MOST)?;
        if !found.is_empty() {
            return Ok((found, Named::Beginning(number)));
        }
    }
    Ok((found, Named::Number(authority.map(str::to_owned), number)))
}

/// Returns the digits of a word that can be the beginning of a serial number: `0x` and `dec:` are before whole numbers
/// alone.
fn beginning(word: &str) -> Option<String> {
    let digits = word.replace(':', "").to_ascii_lowercase();
    let is_one = digits.len() >= LEAST_DIGITS && digits.chars().all(|digit| digit.is_ascii_hexdigit());
    is_one.then_some(digits)
}

/// Returns the problem of a name that is on record nowhere but for a letter or two. It is compared with the names
/// next to it in the order of letters and with those of CAs: so a wrong letter near the beginning is not found.
fn misspelt(index: &dyn IndexReader, word: &str) -> Result<Option<Problem>, Problem> {
    let mut known = index.names_near(word, NEAR)?;
    known.extend(index.authorities()?.into_iter().map(|one| one.name));
    Ok(did_you_mean(word, &known).map(|question| {
        Problem::new(Code::CertificateNotFound, format!("nothing on record is named `{word}`"))
            .hint(Remedy::from(question).and(FORMS))
    }))
}

const FORMS: &str = "`genfic-ca list` shows what is on record; a CERT is serial:HEX, sha256:PREFIX, an exact name, CA/SERIAL, the first six digits or more of a serial number, a file, or -";

/// Returns the only certificate that was found; none and several are problems.
pub(crate) fn the_one(
    found: Vec<CertificateRecord>,
    word: &str,
    among: &str,
    now: UnixTime,
) -> Result<CertificateRecord, Problem> {
    let mut found = found;
    if found.len() > 1 {
        let differing = difference(&found).map(|said| format!("\n{said}")).unwrap_or_default();
        let message =
            format!("`{word}` means {} certificates\n{}{differing}", found.len(), list(&found, now));
        return Err(Problem::new(Code::CertificateAmbiguous, message)
            .hint("name one of them by its CERT, as in the first column"));
    }
    found.pop().ok_or_else(|| {
        Problem::new(Code::CertificateNotFound, format!("no {among} matches `{word}`")).hint(FORMS)
    })
}

const COLUMNS: [Column; 4] =
    [Column::serial("CERT"), Column::whole("STATUS"), Column::times("UNTIL"), Column::subject("SUBJECT")];

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
    let text = table(&COLUMNS, &rows);
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

fn decimal(text: &str) -> Result<SerialNumber, Problem> {
    SerialNumber::from_decimal(text)
        .map_err(|error| usage(format!("`{text}`: {error}"), "for example dec:20250"))
}
