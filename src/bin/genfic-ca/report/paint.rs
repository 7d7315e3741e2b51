//! Colours beside words. A painted word carries marks that nobody outside can guess; only these become colours, so
//! names that others chose never do.
use super::screen::screen;
use super::visible;
use genfic_ca::signing::random_nonce;
use std::sync::OnceLock;

/// The colour of a word that says the same.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Colour {
    /// As it should be.
    Green,
    /// To be looked at.
    Yellow,
    /// Wrong, or no longer to be trusted.
    Red,
}

impl Colour {
    const ALL: [Self; 3] = [Self::Green, Self::Yellow, Self::Red];

    fn letter(self) -> char {
        match self {
            Self::Green => 'g',
            Self::Yellow => 'y',
            Self::Red => 'r',
        }
    }

    fn sequence(self) -> &'static str {
        match self {
            Self::Green => "\x1b[32m",
            Self::Yellow => "\x1b[33m",
            Self::Red => "\x1b[31m",
        }
    }

    /// Returns the colour of a status word; the words of a table that have none stay plain.
    pub(crate) fn of_state(word: &str) -> Option<Self> {
        match word.split_whitespace().next()? {
            "valid" | "done" | "ok" => Some(Self::Green),
            "expired" | "held" | "waiting" | "missing" | "replaced" => Some(Self::Yellow),
            "revoked" | "issuer-revoked" | "refused" => Some(Self::Red),
            _ => None,
        }
    }
}

/// The end of a colour, as a letter after the mark and on the terminal.
const END: char = '0';
const PLAIN: &str = "\x1b[0m";

/// Returns the mark of this process; `None` where the system has no random numbers, and then nothing is painted.
fn mark() -> Option<&'static str> {
    static MARK: OnceLock<Option<String>> = OnceLock::new();
    let made =
        || random_nonce().ok().map(|octets| format!("\u{e}{}", base16ct::lower::encode_string(&octets)));
    MARK.get_or_init(made).as_deref()
}

/// Returns a word of this program's own in a colour, for text that goes to a terminal through [`shown`]; elsewhere
/// the word.
pub(crate) fn painted(colour: Colour, word: &str) -> String {
    let screen = screen();
    if screen.colours_output || screen.colours_errors { marked(colour, word) } else { word.to_owned() }
}

fn marked(colour: Colour, word: &str) -> String {
    match mark() {
        Some(mark) => format!("{mark}{}{word}{mark}{END}", colour.letter()),
        None => word.to_owned(),
    }
}

/// Returns the text as it is written: marks as colours or as nothing, and all that is invisible escaped.
pub(crate) fn shown(text: &str, in_colour: bool) -> String {
    let Some(mark) = mark() else { return visible(text).into_owned() };
    let mut pieces = text.split(mark);
    let mut out = visible(pieces.next().unwrap_or_default()).into_owned();
    for piece in pieces {
        let mut rest = piece.chars();
        let letter = rest.next();
        let colour = Colour::ALL.into_iter().find(|colour| Some(colour.letter()) == letter);
        if in_colour {
            out.push_str(colour.map_or(PLAIN, Colour::sequence));
        }
        out.push_str(&visible(rest.as_str()));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_painted_word_is_coloured_on_a_terminal_and_plain_elsewhere() {
        let text = format!("a {} b", marked(Colour::Red, "revoked"));
        assert_eq!(shown(&text, true), "a \x1b[31mrevoked\x1b[0m b");
        assert_eq!(shown(&text, false), "a revoked b");
    }

    #[test]
    fn a_name_that_others_chose_brings_no_colour() {
        for name in
            ["\x1b[31mred\x1b[0m", "\u{e}r red", "\u{e}00000000000000000000000000000000rred", "\u{9b}31m"]
        {
            let text = format!("{name} {}", marked(Colour::Green, "valid"));
            let written = shown(&text, true);
            assert_eq!(written.matches('\x1b').count(), 2, "{written:?}");
            assert!(written.ends_with(" \x1b[32mvalid\x1b[0m"), "{written:?}");
            assert!(!shown(&text, false).contains(|c: char| c.is_control()), "{name:?}");
        }
    }
}
