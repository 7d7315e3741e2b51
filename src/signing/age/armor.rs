//! Age files as text: one PEM block, as `age -a` writes them and as the codes of a printed page have them.
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

const BEGIN: &str = "-----BEGIN AGE ENCRYPTED FILE-----";
const END: &str = "-----END AGE ENCRYPTED FILE-----";

/// Length of a line, in characters; the last one may be shorter.
const LINE: usize = 64;

/// Returns the age file that is in this text, and any other octets as they are. Empty lines and those that begin with `#`
/// are passed over, since scanners and the codes of pages add them; nothing else may be there but the block.
#[must_use]
pub(crate) fn unarmored(octets: Vec<u8>) -> Vec<u8> {
    decoded(&octets).unwrap_or(octets)
}

/// Returns the octets of an armored file; `None`, without a copy of anything, for what is none: it may be a private key.
pub(super) fn decoded(octets: &[u8]) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(octets).ok()?;
    let lines = text.lines().map(|line| line.trim_ascii_end());
    let mut lines = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
    if lines.next()? != BEGIN {
        return None;
    }
    let (mut body, mut is_last) = (String::with_capacity(octets.len()), false);
    loop {
        let line = lines.next()?;
        if line == END {
            break;
        }
        if is_last || line.len() > LINE {
            return None;
        }
        is_last = line.len() < LINE;
        body.push_str(line);
    }
    if lines.next().is_some() {
        return None;
    }
    STANDARD.decode(body).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &[u8] = b"age-encryption.org/v1\n-> X25519 c2hhcmU\nYm9keQ\n--- mac\n\x01binary of a key";

    fn armored() -> String {
        let lines = FILE.chunks(48).map(|line| STANDARD.encode(line) + "\n");
        format!("{BEGIN}\n{}{END}\n", lines.collect::<String>())
    }

    fn is_read(text: &str) -> bool {
        unarmored(text.as_bytes().to_vec()) == FILE
    }

    #[test]
    fn text_that_has_one_age_file_is_that_file() {
        let text = armored();
        assert!(is_read(&text));
        assert!(is_read(&text.replace('\n', "\r\n")));
        assert!(is_read(&format!("# genfic.age 1 of 2\n{}", text.replace('\n', "\n\n"))));
        assert!(is_read(text.trim_end()));
        assert_eq!(unarmored(FILE.to_vec()), FILE, "it is not text");
    }

    #[test]
    fn what_is_more_than_one_age_file_or_less_is_taken_as_it_is() {
        let text = armored();
        let long = text.split_once('\n').unwrap().1;
        for wrong in [
            text.replace(END, ""),
            text.replace(BEGIN, "-----BEGIN CERTIFICATE-----"),
            format!("{text}{text}"),
            format!("{text}more\n"),
            format!("from the safe\n{text}"),
            text.replacen('\n', "\n!", 1),
            // one of its lines is missing a character, and one is too long
            format!("{BEGIN}\n{}", long.replacen(|c: char| c.is_ascii(), "", 4)),
            format!("{BEGIN}\nAAAA{long}"),
            format!("{BEGIN}\n{END}"),
        ] {
            let kept = unarmored(wrong.as_bytes().to_vec());
            assert!(kept == wrong.as_bytes() || kept.is_empty(), "{wrong}");
        }
    }
}
