//! Extracts the host name that a reader or a program would see in a text, such as a common name, even when it is
//! disguised.
use super::attribute::is_invisible;
use unicode_normalization::UnicodeNormalization;

/// URI schemes that are recognised even when the two slashes after the colon are missing.
const SCHEMES: [&str; 12] =
    ["http", "https", "ftp", "ftps", "ldap", "ldaps", "ws", "wss", "imap", "imaps", "smtp", "smtps"];

/// Returns the host in lower case that people or programs would read in the text.
///
/// The scheme, port, path, surrounding blanks, trailing full stops and invisible characters are removed. Full stops
/// of other scripts become dots. Returns `None` when the text does not look like a host: when it has no dot, no
/// scheme and no port, or when it has blanks within.
#[must_use]
pub(crate) fn apparent_host(text: &str) -> Option<String> {
    let plain: String = unescaped(text)
        .nfkc()
        .filter(|character| !is_unseen(*character))
        .map(|character| if is_full_stop(character) { '.' } else { character })
        .collect();
    let trimmed = plain.trim();
    let (has_scheme, rest) = match trimmed.split_once("://") {
        Some((scheme, rest)) if !scheme.is_empty() && scheme.chars().all(is_of_scheme) => (true, rest),
        _ => match trimmed.split_once(':') {
            // a frequent typing error: a scheme without its slashes
            Some((scheme, rest)) if SCHEMES.contains(&scheme.to_ascii_lowercase().as_str()) => {
                let rest = rest.trim_start_matches(['/', '\\', ' ']);
                (rest.contains('.'), if rest.contains('.') { rest } else { trimmed })
            }
            _ => (trimmed.starts_with("//"), trimmed.trim_start_matches('/')),
        },
    };
    let authority = rest.split(['/', '\\', '?', '#']).next().unwrap_or_default();
    let host = match authority.rsplit_once('@') {
        // without a scheme, text with an `@` is a mailbox
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

/// Tells whether IDNA reads the character as a dot (RFC 3490 §3.1). The list includes characters that normalization
/// turns into such full stops.
fn is_full_stop(character: char) -> bool {
    matches!(character, '\u{3002}' | '\u{ff0e}' | '\u{ff61}' | '\u{2024}' | '\u{fe52}')
}

/// Tells whether the character is invisible in a host name. Joiners and variation selectors count, since they are
/// invisible between Latin letters.
fn is_unseen(character: char) -> bool {
    (is_invisible(character) && !character.is_whitespace())
        || matches!(character, '\u{200c}' | '\u{200d}' | '\u{34f}' | '\u{fe00}'..='\u{fe0f}')
}

fn is_of_scheme(character: char) -> bool {
    character.is_ascii_alphanumeric() || "+-.".contains(character)
}

/// Splits off the port, and returns the host and whether there was a port.
///
/// The host is the address in brackets, or the text before the last colon. A colon counts as the start of a port when
/// a number or nothing follows it, or when the name before it has a dot and a service name follows.
fn without_port(host: &str) -> (&str, bool) {
    if let Some((address, after)) = host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        return (address, after.starts_with(':'));
    }
    let Some((name, port)) = host.rsplit_once(':') else { return (host, false) };
    if port.is_empty() && name.contains('.') {
        // a superfluous colon at the end
        return (without_port(name).0, true);
    }
    let is_number = port.trim().chars().all(|c| c.is_ascii_digit());
    let is_service = name.contains('.') && port.trim().chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    if !name.contains(':') && (is_number || is_service) { (name, true) } else { (host, false) }
}

/// Decodes percent-encoded ASCII characters. Other percent signs stay.
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
            "www.b.example,",
            "www.b.example:443:",
            "http:www.b.example",
            "https:/www.b.example:8443",
            "HTTPS: www.b.example",
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
            "Team: mail",
            "https",
            ".",
        ] {
            assert_eq!(apparent_host(text), None, "{text:?}");
        }
    }
}
