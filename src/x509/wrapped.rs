//! Finds PEM and DER in what mail programs and web forms make of it: quoted or indented lines, quoted-printable (RFC
//! 2045 §6.7) and base64 around the whole (RFC 2045 §6.8).
use super::octets::{SEQUENCE, first_element};
use super::pem::{BEGIN, Block, decode_all};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use quoted_printable::ParseMode;
use zeroize::Zeroizing;

/// Bound of what is looked into, in octets: as much as is read of a request.
const LARGEST: usize = 1 << 20;
/// Number of wrappings within each other: a mail is quoted, encoded and attached once each.
const DEEPEST: usize = 3;
/// Number of paragraphs of a text that are tried as base64: headers stand before what they are about.
const PARAGRAPHS: usize = 8;

/// Octets of one step, which may be those of a private key that somebody sent.
type Octets = Zeroizing<Vec<u8>>;

/// Returns the PEM blocks, or one DER element with this label, within a text; `None` when there is nothing of the
/// kind. No step makes a text longer.
#[must_use]
pub(super) fn unwrap(text: &[u8], label: &str) -> Option<Vec<Block>> {
    if text.len() > LARGEST || text.contains(&0) {
        return None;
    }
    search(text, label, DEEPEST)
}

fn search(octets: &[u8], label: &str, depth: usize) -> Option<Vec<Block>> {
    if octets.first() == Some(&SEQUENCE) && first_element(octets).is_ok_and(|one| one.len() == octets.len()) {
        return Some(vec![Block { label: label.into(), der: octets.to_vec() }]);
    }
    if octets.windows(BEGIN.len()).any(|part| part == BEGIN.as_bytes())
        && let Ok(blocks) = decode_all(&Zeroizing::new(String::from_utf8_lossy(octets).into_owned()))
        && !blocks.is_empty()
    {
        return Some(blocks);
    }
    let depth = depth.checked_sub(1)?;
    let steps = [unquoted(octets), printable(octets)].into_iter().flatten().chain(base64(octets));
    steps.into_iter().find_map(|step| search(&step, label, depth))
}

/// Returns the lines without what stands before each: blanks, and the marks of quoted mail (RFC 3676 §4.5).
fn unquoted(octets: &[u8]) -> Option<Octets> {
    let mut out = Octets::new(Vec::with_capacity(octets.len()));
    for line in octets.split_inclusive(|octet| *octet == b'\n') {
        let is_mark = |octet: &u8| matches!(octet, b'>' | b' ' | b'\t');
        let start = line.iter().position(|octet| !is_mark(octet)).unwrap_or(line.len());
        let (_, rest) = line.split_at(start);
        out.extend_from_slice(rest);
    }
    (out.len() < octets.len()).then_some(out)
}

fn printable(octets: &[u8]) -> Option<Octets> {
    if !octets.contains(&b'=') {
        return None;
    }
    let mut decoded = Octets::new(quoted_printable::decode(octets, ParseMode::Robust).ok()?);
    // decoding ends every line with CRLF, also those of a text that was saved with LF
    decoded.retain(|octet| *octet != b'\r');
    (decoded.len() < octets.len()).then_some(decoded)
}

/// Returns what the whole text is the base64 of, and what its paragraphs are.
fn base64(octets: &[u8]) -> Vec<Octets> {
    let lines: Vec<&[u8]> = octets.split(|octet| *octet == b'\n').map(<[u8]>::trim_ascii).collect();
    let paragraphs = lines.split(|line| line.is_empty()).filter(|lines| !lines.is_empty());
    let whole = std::iter::once(lines.as_slice());
    whole.chain(paragraphs.take(PARAGRAPHS)).filter_map(decoded).collect()
}

fn decoded(lines: &[&[u8]]) -> Option<Octets> {
    let mut text = Octets::new(Vec::with_capacity(lines.iter().map(|line| line.len()).sum()));
    lines.iter().for_each(|line| text.extend_from_slice(line));
    STANDARD.decode(&*text).ok().map(Octets::new).filter(|octets| !octets.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::x509::pem::{decode_file, encode};
    use proptest::prelude::*;

    fn der() -> Vec<u8> {
        let contents: Vec<u8> = (0..300).map(|at| u8::try_from(at % 256).unwrap_or_default()).collect();
        crate::x509::octets::tlv(SEQUENCE, &contents)
    }

    fn quoted(text: &str, mark: &str) -> String {
        text.lines().map(|line| format!("{mark}{line}\r\n")).collect()
    }

    fn in_base64(octets: &[u8]) -> String {
        let text = STANDARD.encode(octets);
        text.as_bytes().chunks(76).map(|line| format!("{}\n", String::from_utf8_lossy(line))).collect()
    }

    #[test]
    fn a_request_is_found_in_whatever_mail_made_of_it() {
        let pem = encode("CERTIFICATE REQUEST", &der());
        let printed = quoted_printable::encode_to_str(&pem);
        assert!(printed.contains("=3D") || !pem.contains('='));
        for text in [
            quoted(&pem, "> "),
            quoted(&pem, "    "),
            quoted(&pem, "\t>> > "),
            format!("Dear CA,\n\n{}\nYours", quoted(&pem, "> ")),
            printed.clone(),
            quoted(&printed, "> "),
            in_base64(pem.as_bytes()),
            STANDARD.encode(&pem),
            in_base64(&der()),
            quoted(&in_base64(pem.as_bytes()), "> "),
            format!(
                "Content-Type: text/plain\nContent-Transfer-Encoding: base64\n\n{}\n--\nme",
                in_base64(pem.as_bytes())
            ),
            in_base64(in_base64(pem.as_bytes()).as_bytes()),
        ] {
            let blocks = decode_file(text.as_bytes(), "CERTIFICATE REQUEST").unwrap();
            assert_eq!(blocks.len(), 1, "{text}");
            assert_eq!((blocks[0].label.as_str(), &blocks[0].der), ("CERTIFICATE REQUEST", &der()), "{text}");
        }
    }

    #[test]
    fn quoted_printable_is_read_whatever_its_lines_end_with() {
        let pem = (0..3)
            .map(|more| {
                encode("CERTIFICATE REQUEST", &crate::x509::octets::tlv(SEQUENCE, &vec![7; 300 + more]))
            })
            .find(|pem| pem.matches('=').count() == 1)
            .unwrap();
        let printed = pem.replace('=', "=3D");
        for text in [printed.clone(), format!("Hi\n{printed}"), format!("> Hi\n{}", quoted(&printed, "> "))] {
            for text in [text.replace("\r\n", "\n"), text.replace("\r\n", "\n").replace('\n', "\r\n")] {
                let blocks = decode_file(text.as_bytes(), "X").unwrap();
                let read: Vec<String> = blocks.iter().map(|one| encode(&one.label, &one.der)).collect();
                assert_eq!(read, [pem.as_str()], "{text:?}");
            }
        }
    }

    #[test]
    fn what_is_readable_as_it_stands_is_not_looked_into() {
        let (pem, other) = (encode("A", &der()), encode("B", &der()));
        let text = format!("{pem}\n{}", quoted(&other, "> "));
        assert_eq!(
            decode_file(text.as_bytes(), "X").unwrap().len(),
            1,
            "what was quoted below is no second block"
        );
        let both = quoted(&format!("{pem}{other}"), "> ");
        assert_eq!(decode_file(both.as_bytes(), "X").unwrap().len(), 2, "nothing beside it is left out");
        for text in ["", "nothing", "> nothing", "QUJDRA==", "=", "a=3Db\n", "> -----BEGIN A-----\n> !\n"] {
            assert_eq!(unwrap(text.as_bytes(), "X"), None, "{text}");
        }
        assert_eq!(unwrap(&vec![b'>'; LARGEST + 1], "X"), None);
        let deep = (0..=DEEPEST).fold(pem, |text, _| in_base64(text.as_bytes()));
        assert_eq!(unwrap(deep.as_bytes(), "X"), None, "there is an end to it");
    }

    proptest! {
        #[test]
        fn nothing_that_is_found_is_longer_than_the_text(text in "[A-Za-z0-9+/=> \n-]{0,400}") {
            let found = unwrap(text.as_bytes(), "X").unwrap_or_default();
            prop_assert!(found.iter().map(|block| block.der.len()).sum::<usize>() <= text.len());
        }
    }
}
