//! What was typed: words without their quotes, and how the completion of the last one has to be quoted.

/// The mark within which the cursor stands.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Quote {
    None,
    Single,
    Double,
}

/// A command line up to the cursor.
#[derive(Debug)]
pub(super) struct Line {
    /// The words, the last one as far as it was typed.
    pub(super) words: Vec<String>,
    quote: Quote,
    /// The beginning of the last word that the shell keeps as it was typed.
    kept: String,
}

impl Line {
    /// Reads a line as bash gives it, with the characters at which bash divides words (`COMP_WORDBREAKS`): it replaces
    /// what follows the last of them, or the mark that is open. Nothing in the line is expanded or run. `None` when
    /// the last word has a closed mark in it, where what bash replaces is not known.
    pub(super) fn of_bash(line: &str, breaks: &str) -> Option<Self> {
        let mut words = Vec::new();
        let mut word = String::new();
        let mut is_word = false;
        let mut quote = Quote::None;
        let mut kept = 0;
        let mut has_closed = false;
        let mut characters = line.chars();
        while let Some(character) = characters.next() {
            match (quote, character) {
                (Quote::None, blank) if blank.is_whitespace() => {
                    if is_word {
                        words.push(std::mem::take(&mut word));
                    }
                    (is_word, kept, has_closed) = (false, 0, false);
                    continue;
                }
                (Quote::None, '\'' | '"') => {
                    quote = if character == '"' { Quote::Double } else { Quote::Single };
                    kept = word.len();
                }
                (Quote::Single, '\'') | (Quote::Double, '"') => {
                    quote = Quote::None;
                    has_closed = true;
                }
                (Quote::None, '\\') => word.extend(characters.next()),
                (Quote::Double, '\\') => match characters.next() {
                    Some(escaped) if matches!(escaped, '\\' | '"' | '$' | '`') => word.push(escaped),
                    Some(other) => word.extend(['\\', other]),
                    None => {}
                },
                (Quote::None, character) => {
                    let before = word.len();
                    word.push(character);
                    if breaks.contains(character) {
                        // this one begins the word that is replaced, where others end what is kept
                        kept = if character == '@' { before } else { word.len() };
                    }
                }
                (_, character) => word.push(character),
            }
            is_word = true;
        }
        if has_closed {
            return None;
        }
        let kept = word.get(..kept)?.to_owned();
        words.push(word);
        Some(Self { words, quote, kept })
    }

    /// Takes words whose quoting the shell itself does, and undoes but for the last one where that is as typed.
    pub(super) fn of_words(words: &[String], is_as_typed: bool) -> Option<Self> {
        let (last, rest) = words.split_last()?;
        if !is_as_typed {
            return Some(Self { words: words.to_vec(), quote: Quote::None, kept: String::new() });
        }
        let plain = Self::of_bash(&format!("x {last}"), "").and_then(|line| match line.words.as_slice() {
            [_, word] => Some(word.clone()),
            _ => None,
        });
        let words = rest.iter().cloned().chain([plain.unwrap_or_else(|| last.clone())]).collect();
        Some(Self { words, quote: Quote::None, kept: String::new() })
    }

    /// Returns a completion of the last word as it has to stand in the line of bash, without what is kept. `None` when
    /// it cannot stand there as text, or is none of what was typed.
    pub(super) fn quoted(&self, value: &str) -> Option<String> {
        let rest = value.get(self.kept.len()..)?;
        if !value.get(..self.kept.len())?.eq_ignore_ascii_case(&self.kept) {
            return None;
        }
        match self.quote {
            // a `!` is that of the history even after a backslash
            Quote::Double if rest.contains('!') => None,
            Quote::Double => Some(escaped(rest, |character| matches!(character, '\\' | '"' | '$' | '`'))),
            Quote::Single => (!rest.contains('\'')).then(|| rest.to_owned()),
            Quote::None => Some(escaped(rest, |character| {
                !character.is_alphanumeric() && !"_-./:=@%+,".contains(character)
            })),
        }
    }
}

fn escaped(text: &str, is_special: impl Fn(char) -> bool) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        if is_special(character) {
            out.push('\\');
        }
        out.push(character);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What bash divides words at, as it is set everywhere.
    const BREAKS: &str = " \t\n\"'@><=;|&(:";

    fn read(line: &str) -> Line {
        Line::of_bash(line, BREAKS).unwrap()
    }

    #[test]
    fn words_lose_their_quotes_and_nothing_is_expanded() {
        for (line, words) in [
            ("genfic-ca sh", &["genfic-ca", "sh"][..]),
            ("genfic-ca show ", &["genfic-ca", "show", ""]),
            (r"genfic-ca 'a b' c\ d", &["genfic-ca", "a b", "c d"]),
            (r#"genfic-ca "$(id)" '`id`' $HOME "a\"#, &["genfic-ca", "$(id)", "`id`", "$HOME", "a"]),
            ("genfic-ca ''  \"x y", &["genfic-ca", "", "x y"]),
            ("genfic-ca --home=/tmp/x -p genfic", &["genfic-ca", "--home=/tmp/x", "-p", "genfic"]),
        ] {
            assert_eq!(read(line).words, words, "{line}");
        }
        assert!(Line::of_bash("genfic-ca \"a\"b", BREAKS).is_none());
    }

    #[test]
    fn a_completion_is_quoted_as_the_cursor_stands() {
        let value = "Bea $(id) `x` O'Neill \"q\" *;|&!";
        for (line, quoted) in [
            ("g show B", Some(r#"Bea\ \$\(id\)\ \`x\`\ O\'Neill\ \"q\"\ \*\;\|\&\!"#)),
            (r"g show Bea\ ", Some(r#"Bea\ \$\(id\)\ \`x\`\ O\'Neill\ \"q\"\ \*\;\|\&\!"#)),
            ("g show 'Bea", None),
            ("g show \"Bea", None),
        ] {
            assert_eq!(read(line).quoted(value).as_deref(), quoted, "{line}");
        }
        assert_eq!(read("g show \"Be").quoted("Bea $(id) `x`").as_deref(), Some(r"Bea \$(id) \`x\`"));
        assert_eq!(read("g show 'Be").quoted("Bea $(id)").as_deref(), Some("Bea $(id)"));
    }

    #[test]
    fn what_the_shell_keeps_is_not_repeated() {
        for (line, value, quoted) in [
            ("g show serial:4f", "serial:4f1a2b", Some("4f1a2b")),
            ("g show amber@ge", "Amber@genfic.example", Some("@genfic.example")),
            ("g list --type=l", "--type=leaf", Some("leaf")),
            (r"g show amber\@ge", "amber@genfic.example", Some("amber@genfic.example")),
            ("g show serial:4f", "other", None),
            ("g show é:", "é", None),
        ] {
            assert_eq!(read(line).quoted(value).as_deref(), quoted, "{line}");
        }
    }

    #[test]
    fn words_that_a_shell_has_read_are_taken_as_they_are() {
        let words = |words: &[&str]| -> Vec<String> {
            Line::of_words(&words.iter().map(ToString::to_string).collect::<Vec<_>>(), true).unwrap().words
        };
        assert_eq!(words(&["g", "a b", "'Bea S"]), ["g", "a b", "Bea S"]);
        assert_eq!(words(&["g", r"Bea\ S"]), ["g", "Bea S"]);
        assert_eq!(words(&["g", "Bea S"]), ["g", "Bea S"]);
        assert_eq!(words(&["g", ""]), ["g", ""]);
        let read = Line::of_words(&["g".to_owned(), "O'Neill".to_owned()], false).unwrap();
        assert_eq!(read.words, ["g", "O'Neill"]);
        assert!(Line::of_words(&[], true).is_none());
    }
}
