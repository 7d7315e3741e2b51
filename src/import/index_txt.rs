//! `index.txt`, the record of `openssl ca`, which easy-rsa keeps and XCA exports too: one line a certificate, six
//! fields separated by tabs. Pure.
use super::oneline::subject;
use crate::error::Reason;
use crate::index::Revocation;
use crate::x509::{CrlReason, Name, SerialNumber, UnixTime};

/// Bound of the number of lines, empty ones and comments included. The lines after it are reported as mistakes.
const MOST_LINES: usize = 5_000_000;
/// Bound of a line, in octets (64 KiB). A longer line is reported as a mistake.
const LONGEST_LINE: usize = 64 * 1024;
/// Bound of the number of reported mistakes. After so many, reading ends.
const TOLD: usize = 20;

/// One certificate of the record.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct IndexLine {
    /// Number of the line, from 1.
    pub line: usize,
    /// The serial number; `None` for one that RFC 5280 §4.1.2.2 no longer allows: zero, negative, or of more than 20
    /// octets.
    pub serial_number: Option<SerialNumber>,
    /// The serial number as written.
    pub serial_text: String,
    /// notAfter of the certificate.
    pub not_after: UnixTime,
    /// Time and reason of the revocation; `None` for a certificate that is not revoked, expired or not.
    pub revocation: Option<Revocation>,
    /// File of the certificate as named by the record; `None` for `unknown`.
    pub file: Option<String>,
    /// Subject, as far as it can be read.
    pub subject: Name,
}

/// A mistake in a line.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("line {line}: {reason}")]
pub struct MalformedLine {
    /// Number of the line, from 1.
    pub line: usize,
    /// The mistake.
    pub reason: String,
}

/// Reads the whole record. A malformed line is an error, since it may be a revocation.
///
/// # Errors
/// Every malformed line, up to twenty of them.
pub fn parse_index_txt(text: &str) -> Result<Vec<IndexLine>, Vec<MalformedLine>> {
    let mut lines = Vec::new();
    let mut wrong = Vec::new();
    for (at, text) in text.lines().enumerate() {
        let line = at + 1;
        if text.trim().is_empty() || text.starts_with('#') {
            continue;
        }
        let read = if line > MOST_LINES {
            Err(format!("there are more than {MOST_LINES} lines").into())
        } else if text.len() > LONGEST_LINE {
            Err("it is longer than 64 KiB".into())
        } else {
            read_line(line, text)
        };
        match read {
            Ok(entry) => lines.push(entry),
            Err(reason) => {
                wrong.push(MalformedLine { line, reason: reason.into() });
                if wrong.len() >= TOLD {
                    break;
                }
            }
        }
    }
    if wrong.is_empty() { Ok(lines) } else { Err(wrong) }
}

fn read_line(line: usize, text: &str) -> Result<IndexLine, Reason> {
    let fields = fields(text);
    let [status, end, revoked, serial, file, name] = fields.as_slice() else {
        return Err(format!("it has {} fields; six with tabs between are needed", fields.len()).into());
    };
    let not_after = time(end).ok_or_else(|| format!("`{}` is not a time", shown(end)))?;
    let revocation = match status.as_str() {
        "R" => Some(revocation(revoked)?),
        "V" | "E" if revoked.is_empty() => None,
        "V" | "E" => return Err(format!("it is {status} and has a revocation").into()),
        other => return Err(format!("`{}` is none of V, R and E", shown(other)).into()),
    };
    Ok(IndexLine {
        line,
        serial_number: serial_number(serial)?,
        serial_text: shown(serial),
        not_after,
        revocation,
        file: Some(file.clone()).filter(|file| !file.is_empty() && file != "unknown"),
        subject: subject(name),
    })
}

/// Splits a line into fields. A tab after a backslash belongs to its field.
fn fields(text: &str) -> Vec<String> {
    let mut fields = vec![String::new()];
    for (at, part) in text.split('\t').enumerate() {
        match fields.last_mut() {
            Some(last) if at > 0 && last.ends_with('\\') => {
                last.pop();
                last.push('\t');
                last.push_str(part);
            }
            Some(last) if at == 0 => last.push_str(part),
            _ => fields.push(part.to_owned()),
        }
    }
    fields
}

/// Returns the part of a text that a message repeats.
fn shown(text: &str) -> String {
    text.chars().take(40).flat_map(char::escape_debug).collect()
}

/// Reads a hexadecimal serial number as OpenSSL writes it, with a sign if it is negative. Returns `None` for one that
/// RFC 5280 does not allow.
fn serial_number(text: &str) -> Result<Option<SerialNumber>, Reason> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    if digits.is_empty() || !digits.chars().all(|digit| digit.is_ascii_hexdigit()) {
        return Err(format!("`{}` is not a serial number in hexadecimal", shown(text)).into());
    }
    Ok(if text.starts_with('-') { None } else { text.parse().ok() })
}

/// Reads `YYMMDDHHMMSSZ` (through 2049) or `YYYYMMDDHHMMSSZ`.
pub(super) fn time(text: &str) -> Option<UnixTime> {
    let digits = text.strip_suffix('Z')?;
    if !digits.chars().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let full = match digits.len() {
        12 if digits < "50" => format!("20{digits}"),
        12 => format!("19{digits}"),
        14 => digits.to_owned(),
        _ => return None,
    };
    let part = |from: usize, to: usize| full.get(from..to).unwrap_or_default();
    let (date, clock) = ((part(0, 4), part(4, 6), part(6, 8)), (part(8, 10), part(10, 12), part(12, 14)));
    UnixTime::parse(&format!("{}-{}-{}T{}:{}:{}Z", date.0, date.1, date.2, clock.0, clock.1, clock.2))
}

/// Reads `TIME[,REASON[,MORE]]`. MORE is the invalidity date (`keyTime`, `CAkeyTime`) or a hold instruction, which is
/// ignored: the certificate is on hold (RFC 5280 §5.3.1 has removed instructions).
fn revocation(text: &str) -> Result<Revocation, Reason> {
    let mut parts = text.splitn(3, ',');
    let at = parts.next().unwrap_or_default();
    let revoked_at = time(at).ok_or_else(|| format!("`{}` is not the time of a revocation", shown(at)))?;
    let (word, more) = (parts.next().unwrap_or_default(), parts.next());
    let since = || {
        let more = more.unwrap_or_default();
        time(more).map(Some).ok_or_else(|| format!("`{}` is not a time", shown(more)))
    };
    let (reason, invalidity_date) = match word.to_ascii_lowercase().as_str() {
        "" => (None, None),
        "keytime" => (Some(CrlReason::KeyCompromise), since()?),
        "cakeytime" => (Some(CrlReason::CaCompromise), since()?),
        "holdinstruction" => (Some(CrlReason::CertificateHold), None),
        _ => match word.parse::<CrlReason>() {
            // removeFromCRL is an entry of delta CRLs; in this record the state V says that a hold was released
            Ok(CrlReason::RemoveFromCrl) | Err(_) => {
                return Err(format!("`{}` is not a reason of a revocation", shown(word)).into());
            }
            Ok(CrlReason::Unspecified) => (None, None),
            Ok(reason) => (Some(reason), None),
        },
    };
    Ok(Revocation { revoked_at, reason, invalidity_date })
}

#[cfg(test)]
mod tests;
