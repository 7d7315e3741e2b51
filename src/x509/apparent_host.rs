//! The host that a common name would be taken for, however it is dressed up.
use super::attribute::is_invisible;
use unicode_normalization::UnicodeNormalization;

/// The host in a text that people or programs would take for the name of one: without scheme, port, path, blanks
/// around it, full stops at its end, characters that cannot be seen, and with the full stops of other scripts as
/// dots. `None` when nothing in it looks like a host: it has no dot, no scheme and no port, or blanks within.
#[must_use]
pub fn apparent_host(text: &str) -> Option<String> {
    let plain: String = unescaped(text)
        .nfkc()
        .filter(|character| !is_unseen(*character))
        .map(|character| if is_full_stop(character) { '.' } else { character })
        .collect();
    let trimmed = plain.trim();
    let (has_scheme, rest) = match trimmed.split_once("://") {
        Some((scheme, rest)) if !scheme.is_empty() && scheme.chars().all(is_of_scheme) => (true, rest),
        _ => match trimmed.split_once(':') {
            // a scheme without slashes
            Some((scheme, rest)) if is_word(scheme) && rest.contains('.') && !rest.contains(':') => {
                (true, rest)
            }
            _ => (trimmed.starts_with("//"), trimmed.trim_start_matches('/')),
        },
    };
    let authority = rest.split(['/', '\\', '?', '#']).next().unwrap_or_default();
    let host = match authority.rsplit_once('@') {
        // without a scheme it is a mailbox
        Some((_, host)) if has_scheme => host,
        Some(_) => return None,
        None => authority,
    };
    let (host, has_port) = without_port(host.trim());
    let host = host.trim().trim_end_matches(['.', ',', ';']);
    let is_host = has_scheme || has_port || host.contains(['.', ':']);
    let fits = !host.is_empty() && !host.chars().any(char::is_whitespace);
    (is_host && fits).then(|| host.to_lowercase())
}

/// Full stops that IDNA takes for a dot (RFC 3490 §3.1); normalization makes them of others.
fn is_full_stop(character: char) -> bool {
    matches!(character, '\u{3002}' | '\u{ff0e}' | '\u{ff61}' | '\u{2024}' | '\u{fe52}')
}

/// Joiners show nothing of themselves within Latin letters.
fn is_unseen(character: char) -> bool {
    (is_invisible(character) && !character.is_whitespace())
        || matches!(character, '\u{200c}' | '\u{200d}' | '\u{34f}' | '\u{fe00}'..='\u{fe0f}')
}

fn is_word(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|character| character.is_ascii_alphabetic())
}

fn is_of_scheme(character: char) -> bool {
    character.is_ascii_alphanumeric() || "+-.".contains(character)
}

/// An address in brackets, or what stands before the last colon, when a number, the name of a service or nothing
/// follows it.
fn without_port(host: &str) -> (&str, bool) {
    if let Some((address, after)) = host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        return (address, after.starts_with(':'));
    }
    match host.rsplit_once(':') {
        Some((name, port)) if !name.contains(':') && is_port(port.trim(), name) => (name, true),
        _ => (host, false),
    }
}

/// A number or nothing; behind a name with dots the name of a service too.
fn is_port(port: &str, name: &str) -> bool {
    let is_service = |character: char| character.is_ascii_alphanumeric() || character == '-';
    port.chars().all(|character| character.is_ascii_digit())
        || name.contains('.') && port.chars().all(is_service)
}

/// Percent-encoding undone where it hides a character of ASCII.
fn unescaped(text: &str) -> String {
    let mut parts = text.split('%');
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let octet = part.get(..2).and_then(|digits| u8::from_str_radix(digits, 16).ok()).filter(u8::is_ascii);
        match octet {
            Some(octet) => {
                out.push(char::from(octet));
                out.push_str(part.get(2..).unwrap_or_default());
            }
            None => {
                out.push('%');
                out.push_str(part);
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_seen_in_whatever_it_is_dressed_up() {
        // X8
        for text in [
            "www.b.example",
            "WWW.b.Example",
            "www.b.example.",
            "www.b.example...",
            " www.b.example",
            "www.b.example\u{a0}",
            "\twww.b.example\n",
            "www.b.example:443",
            "www.b.example: 443",
            "www.b.example:",
            "www.b.example:https",
            "http:www.b.example",
            "www.b.example,",
            "https://www.b.example",
            "HTTPS://www.b.example:8443/x?y#z",
            "https://user:secret@www.b.example/",
            "//www.b.example",
            "www.b.example/",
            "www.b.example/path",
            "www\u{3002}b\u{ff0e}example",
            "www\u{ff61}b\u{ff61}example",
            "www.b\u{200b}.exam\u{200d}ple",
            "\u{feff}www.b.example",
            "ｗｗｗ.b.example",
            "www%2eb%2Eexample",
        ] {
            assert_eq!(apparent_host(text).as_deref(), Some("www.b.example"), "{text:?}");
        }
        for (text, host) in [
            ("192.0.2.1:80", "192.0.2.1"),
            ("[2001:db8::1]:80", "2001:db8::1"),
            ("2001:db8::1", "2001:db8::1"),
            ("https://intranet/", "intranet"),
            ("intranet:8443", "intranet"),
            ("*.b.example.", "*.b.example"),
            ("a_b.example", "a_b.example"),
        ] {
            assert_eq!(apparent_host(text).as_deref(), Some(host), "{text:?}");
        }
    }

    #[test]
    fn the_names_of_people_and_things_are_no_hosts() {
        for text in [
            "",
            " ",
            "Amber McStone",
            "Dr. Amber McStone",
            "intranet",
            "amber@b.example",
            "C++ team",
            "50% off",
            ".",
        ] {
            assert_eq!(apparent_host(text), None, "{text:?}");
        }
    }
}
