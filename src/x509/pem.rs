//! PEM (RFC 7468), and telling PEM from DER.
use super::octets::SEQUENCE;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// One `-----BEGIN LABEL-----` block.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Block {
    /// The label, for example `CERTIFICATE`.
    pub label: String,
    /// The decoded contents.
    pub der: Vec<u8>,
}

/// Why text is not PEM.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum PemError {
    /// No END line, or one for another label.
    #[error("the {0} block has no matching END line")]
    Unterminated(String),
    /// Contents that are not base64.
    #[error("the {0} block is not base64")]
    NotBase64(String),
}

/// Writes one block, 64 characters a line, with a final line feed.
#[must_use]
pub fn encode(label: &str, der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let mut out = format!("-----BEGIN {label}-----\n");
    let mut rest = text.as_str();
    while !rest.is_empty() {
        let (line, more) = rest.split_at(rest.len().min(64));
        out.push_str(line);
        out.push('\n');
        rest = more;
    }
    out.push_str(&format!("-----END {label}-----\n"));
    out
}

/// Every block in order; text around blocks is skipped, as openssl writes it there.
///
/// # Errors
/// When a block that begins does not end or is not base64.
pub fn decode_all(text: &str) -> Result<Vec<Block>, PemError> {
    let mut blocks = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let Some(label) = delimiter(line, "BEGIN") else { continue };
        let mut contents = String::new();
        loop {
            let line = lines.next().ok_or_else(|| PemError::Unterminated(label.into()))?;
            match delimiter(line, "END") {
                Some(end) if end == label => break,
                Some(_) => return Err(PemError::Unterminated(label.into())),
                None if delimiter(line, "BEGIN").is_some() => {
                    return Err(PemError::Unterminated(label.into()));
                }
                None => contents.extend(line.chars().filter(|c| !c.is_ascii_whitespace())),
            }
        }
        let der = STANDARD.decode(contents).map_err(|_| PemError::NotBase64(label.into()))?;
        blocks.push(Block { label: label.into(), der });
    }
    Ok(blocks)
}

fn delimiter<'a>(line: &'a str, word: &str) -> Option<&'a str> {
    line.trim_end().strip_prefix("-----")?.strip_prefix(word)?.strip_prefix(' ')?.strip_suffix("-----")
}

/// The blocks of a file that may be PEM or one DER element; DER gets `label`.
///
/// # Errors
/// When it looks like PEM and is malformed.
pub fn decode_file(octets: &[u8], label: &str) -> Result<Vec<Block>, PemError> {
    // a DER element begins with the tag of a SEQUENCE, `0`, and its length is no text
    let begins = b"-----BEGIN ";
    let is_der = octets.starts_with(&[SEQUENCE]) && std::str::from_utf8(octets).is_err();
    if !is_der && octets.windows(begins.len()).any(|part| part == begins) {
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
