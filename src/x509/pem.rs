//! PEM (RFC 7468), and the distinction of PEM from DER.
use super::octets::SEQUENCE;
use super::wrapped;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

/// One `-----BEGIN LABEL-----` block.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Block {
    /// Label, for example `CERTIFICATE`.
    pub label: String,
    /// Decoded contents.
    pub der: Vec<u8>,
}

/// Reason why a text is not PEM.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum PemError {
    /// The block has no END line, or one with another label.
    #[error("the {0} block has no matching END line")]
    Unterminated(String),
    /// The contents are not base64.
    #[error("the {0} block is not base64")]
    NotBase64(String),
}

/// Encodes one block with 64 characters a line and a final line feed.
#[must_use]
pub fn encode(label: &str, der: &[u8]) -> String {
    let mut out = begin(label);
    out.extend(body(der));
    out.push_str(&end(label));
    out
}

/// Returns the BEGIN line of a block.
#[must_use]
pub fn begin(label: &str) -> String {
    format!("-----BEGIN {label}-----\n")
}

/// Returns the END line of a block.
#[must_use]
pub fn end(label: &str) -> String {
    format!("-----END {label}-----\n")
}

/// Beginning of the line before a block.
pub(crate) const BEGIN: &str = "-----BEGIN ";

/// Number of octets encoded in one line: 48, which are 64 characters.
pub const LINE: usize = 48;
/// Number of lines encoded at once: 1024, which are about 66 kB of text.
const LINES: usize = 1024;

/// Returns the lines between BEGIN and END in pieces of about 66 kB, so that a block of any size can be written
/// without holding it in memory twice.
pub fn body(der: &[u8]) -> impl Iterator<Item = String> + '_ {
    der.chunks(LINE * LINES).map(|octets| {
        let text = STANDARD.encode(octets);
        let mut piece = String::with_capacity(text.len() + text.len() / 64 + 1);
        let mut rest = text.as_str();
        while !rest.is_empty() {
            let (line, more) = rest.split_at(rest.len().min(64));
            piece.push_str(line);
            piece.push('\n');
            rest = more;
        }
        piece
    })
}

/// Returns the length of a block in characters, for contents of this many octets.
#[must_use]
pub(crate) fn encoded_length(label: &str, octets: u64) -> u64 {
    let line = u64::try_from(LINE).unwrap_or(u64::MAX);
    let frame = u64::try_from(begin(label).len() + end(label).len()).unwrap_or(u64::MAX);
    frame.saturating_add(octets.div_ceil(3).saturating_mul(4)).saturating_add(octets.div_ceil(line))
}

/// Decodes every block in order. Text around the blocks is skipped, since openssl writes such text.
///
/// # Errors
/// When a block has no END line or is not base64.
pub fn decode_all(text: &str) -> Result<Vec<Block>, PemError> {
    let mut blocks = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let Some(label) = delimiter(line, "BEGIN") else { continue };
        let mut contents = Vec::new();
        loop {
            let line = lines.next().ok_or_else(|| PemError::Unterminated(label.into()))?;
            match delimiter(line, "END") {
                Some(end) if end == label => break,
                Some(_) => return Err(PemError::Unterminated(label.into())),
                None if delimiter(line, "BEGIN").is_some() => {
                    return Err(PemError::Unterminated(label.into()));
                }
                None => contents.push(line),
            }
        }
        let der = decode_lines(&contents).ok_or_else(|| PemError::NotBase64(label.into()))?;
        blocks.push(Block { label: label.into(), der });
    }
    Ok(blocks)
}

fn delimiter<'a>(line: &'a str, word: &str) -> Option<&'a str> {
    line.trim_end().strip_prefix("-----")?.strip_prefix(word)?.strip_prefix(' ')?.strip_suffix("-----")
}

/// A block as it stands in text, not decoded: between its lines may be headers (RFC 1421).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Framed<'a> {
    /// The label.
    pub(crate) label: &'a str,
    /// The text from its BEGIN line on.
    pub(crate) from: &'a str,
    /// The text after its BEGIN line.
    after: &'a str,
}

impl<'a> Framed<'a> {
    fn end(&self) -> String {
        format!("-----END {}-----", self.label)
    }

    /// What is between its lines; `None` without an END line.
    pub(crate) fn body(&self) -> Option<&'a str> {
        self.after.split_once(&self.end()).map(|(body, _)| body)
    }

    /// Both lines and what is between them; without an END line, all text from its BEGIN line on.
    pub(crate) fn whole(&self) -> &'a str {
        let begin = self.from.len() - self.after.len();
        let length = self.body().map(|body| begin + body.len() + self.end().len());
        length.and_then(|length| self.from.get(..length)).unwrap_or(self.from)
    }
}

/// Every block that begins, wherever in a line, also within another that has no END line.
pub(crate) fn frames(text: &str) -> impl Iterator<Item = Framed<'_>> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let from = rest.get(rest.find(BEGIN)?..)?;
        let (line, after) = from.split_once('\n').unwrap_or((from, ""));
        rest = after;
        let label = line.trim_end().trim_start_matches(BEGIN).trim_end_matches("-----");
        Some(Framed { label, from, after })
    })
}

/// The octets of lines of base64; `None` when they are not.
pub(crate) fn decode_lines(lines: &[&str]) -> Option<Vec<u8>> {
    let mut contents = Zeroizing::new(Vec::with_capacity(lines.iter().map(|line| line.len()).sum()));
    for line in lines {
        contents.extend(line.bytes().filter(|octet| !octet.is_ascii_whitespace()));
    }
    STANDARD.decode(&*contents).ok()
}

/// Decodes the blocks of a file that may be PEM or one DER element. A DER element gets `label`. What cannot be read as it
/// stands is read as mail programs wrap it: quoted or indented, quoted-printable, base64.
///
/// # Errors
/// When the file looks like PEM and is malformed.
pub fn decode_file(octets: &[u8], label: &str) -> Result<Vec<Block>, PemError> {
    let read = as_it_stands(octets, label);
    let is_read = match read.as_deref() {
        Ok([one]) => one.der != octets || std::str::from_utf8(octets).is_err(),
        Ok(several) => !several.is_empty(),
        Err(_) => false,
    };
    if is_read {
        return read;
    }
    wrapped::unwrap(octets, label).map_or(read, Ok)
}

fn as_it_stands(octets: &[u8], label: &str) -> Result<Vec<Block>, PemError> {
    // a DER element begins with the tag of a SEQUENCE, `0`, and its length is no text
    let is_der = octets.starts_with(&[SEQUENCE]) && std::str::from_utf8(octets).is_err();
    if !is_der && octets.windows(BEGIN.len()).any(|part| part == BEGIN.as_bytes()) {
        // text around the blocks may be in any character set; blocks are ASCII
        let text = String::from_utf8_lossy(octets);
        return decode_all(text.trim_start_matches('\u{feff}'));
    }
    Ok(vec![Block { label: label.into(), der: octets.to_vec() }])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_survive_a_round_trip_with_text_around_them() {
        let text = format!("Certificate:\n  Data\n{}{}", encode("A B", &[1; 100]), encode("C", &[]));
        let blocks = decode_all(&text).unwrap();
        assert_eq!(blocks[0], Block { label: "A B".into(), der: vec![1; 100] });
        assert_eq!(blocks[1].der, Vec::<u8>::new());
    }

    #[test]
    fn a_block_is_as_long_as_is_foretold_and_its_lines_are_full() {
        for length in [0_u16, 1, 47, 48, 49, 95, 96, 97, 49_152, 49_153, 60_000] {
            let der: Vec<u8> = (0..length).map(|octet| u8::try_from(octet % 251).unwrap()).collect();
            let text = encode("X509 CRL", &der);
            let expected = u64::try_from(text.len()).unwrap();
            assert_eq!(encoded_length("X509 CRL", length.into()), expected, "{length}");
            let lines: Vec<&str> = text.lines().collect();
            let body = &lines[1..lines.len() - 1];
            assert!(body.iter().rev().skip(1).all(|line| line.len() == 64), "{length}");
            assert_eq!(body.concat(), STANDARD.encode(&der));
        }
    }

    #[test]
    fn a_block_that_is_cut_or_garbled_is_refused() {
        assert_eq!(decode_all("-----BEGIN A-----\nAA"), Err(PemError::Unterminated("A".into())));
        assert_eq!(decode_all("-----BEGIN A-----\n!\n-----END A-----"), Err(PemError::NotBase64("A".into())));
        let mixed = "-----BEGIN A-----\nAAAA\n-----END B-----";
        assert_eq!(decode_all(mixed), Err(PemError::Unterminated("A".into())));
    }

    #[test]
    fn a_byte_order_mark_line_ends_and_text_in_other_character_sets_do_no_harm() {
        let block = encode("A", &[1; 60]);
        let windows = format!("\u{feff}{}", block.replace('\n', "\r\n"));
        let latin = [&b"Soci\xe9t\xe9\n"[..], block.as_bytes()].concat();
        for file in [windows.as_bytes(), &latin] {
            assert_eq!(decode_file(file, "X").unwrap(), [Block { label: "A".into(), der: vec![1; 60] }]);
        }
        let der = [&[0x30, 0x81, 0xf0][..], block.as_bytes()].concat();
        assert_eq!(decode_file(&der, "X").unwrap()[0].der, der, "text within DER");
    }

    #[test]
    fn der_is_taken_as_it_is() {
        assert_eq!(decode_file(&[0x30, 0], "X").unwrap()[0], Block { label: "X".into(), der: vec![0x30, 0] });
    }
}
