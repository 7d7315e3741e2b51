//! `index.txt`, the record of `openssl ca`, which easy-rsa keeps and XCA exports too: one line a certificate, six
//! fields with tabs between. Pure.
use super::oneline::subject;
use crate::error::Reason;
use crate::index::Revocation;
use crate::x509::{CrlReason, Name, SerialNumber, UnixTime};

/// How many lines are read at most.
const MOST_LINES: usize = 5_000_000;
/// How long a line may be.
const LONGEST_LINE: usize = 64 * 1024;
/// How many mistakes are told.
const TOLD: usize = 20;

/// One certificate as the record has it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct IndexLine {
    /// Its number in the file, from 1.
    pub line: usize,
    /// The serial number; `None` for one that no certificate may have any more (RFC 5280 §4.1.2.2): zero,
    /// negative, or of more than 20 octets.
    pub serial_number: Option<SerialNumber>,
    /// The serial number as written.
    pub serial_text: String,
    /// When it ends.
    pub not_after: UnixTime,
    /// When and why it was revoked; `None` when it was not, whether or not it has expired.
    pub revocation: Option<Revocation>,
    /// Its file as the record names it; `None` where it says `unknown`.
    pub file: Option<String>,
    /// Its subject, as far as it can be read.
    pub subject: Name,
}

/// What is wrong with a line.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("line {line}: {reason}")]
pub struct MalformedLine {
    /// Its number, from 1.
    pub line: usize,
    /// What is wrong.
    pub reason: String,
}

/// Reads the whole record. A line that cannot be read may be a revocation, so that none is passed over.
///
/// # Errors
/// Every line that is wrong, up to twenty of them.
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

/// The fields; a tab with a backslash before it belongs to its field.
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

/// What a message repeats of a file.
fn shown(text: &str) -> String {
    text.chars().take(40).flat_map(char::escape_debug).collect()
}

/// Hexadecimal, as OpenSSL writes it, with a sign where it is negative.
fn serial_number(text: &str) -> Result<Option<SerialNumber>, Reason> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    if digits.is_empty() || !digits.chars().all(|digit| digit.is_ascii_hexdigit()) {
        return Err(format!("`{}` is not a serial number in hexadecimal", shown(text)).into());
    }
    Ok(if text.starts_with('-') { None } else { text.parse().ok() })
}

/// `YYMMDDHHMMSSZ` (through 2049) or `YYYYMMDDHHMMSSZ`.
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

/// `TIME[,REASON[,MORE]]`: what follows is the time since when the key is not to be trusted (`keyTime`,
/// `CAkeyTime`) or the instruction of a hold, which is on hold whatever it instructs (RFC 5280 §5.3.1 has done
/// away with instructions).
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
            // an entry for a delta CRL; in a record of revocations it says that one was lifted, which V says too
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
