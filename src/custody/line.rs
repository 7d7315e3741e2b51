//! Lines of text on paper: ten octets, with symbols that say which character was mistyped.
//!
//! A line has 20 symbols of five bits in groups of four: 16 of data, then 4 of a Reed-Solomon code over GF(32). Its
//! number, as two symbols more that are not written, is part of the code word, so that a line does not pass for another.
//! The distance of the code is 5: a single wrong symbol is found, two to four are noticed.
use super::field::SYMBOLS;
use std::fmt;
use zeroize::Zeroizing;

/// Octets of a line.
pub(super) const OCTETS: usize = 10;
/// Symbols of data, and of the code.
const DATA: usize = 16;
const CHECK: usize = 4;
/// Symbols that are written.
const WRITTEN: usize = DATA + CHECK;
/// Roots of the code's generator: the first powers of 2.
const ROOTS: [u8; CHECK] = [2, 4, 8, 16];
/// Highest number of a line.
pub(super) const MOST: u16 = 1023;
/// The symbols in their order: digits and letters without I, L, O and U.
const ALPHABET: &str = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// A line of a page.
#[derive(Clone, Eq, PartialEq)]
pub struct Line {
    number: u16,
    octets: Zeroizing<[u8; OCTETS]>,
}

/// What is wrong with a typed line. Positions count the characters of the line without spaces and without its number.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum LineFault {
    /// The number of characters.
    #[error("it has {0} characters, and a line has {WRITTEN}: five groups of four")]
    Length(usize),
    /// A character that no line has.
    #[error("character {0} is `{1}`, and no line has that")]
    Character(usize, char),
    /// A single character is wrong.
    #[error("character {0} is wrong: `{1}`, where `{2}` would fit")]
    Wrong(usize, char, char),
    /// More than one character is wrong, or this is another line.
    #[error("more than one character is wrong, or it is another line")]
    Several,
    /// The number at its beginning is another than that of the line that comes next.
    #[error("it begins with {0}, and line {1} comes next")]
    Number(u16, u16),
}

impl Line {
    pub(super) fn new(number: u16, octets: [u8; OCTETS]) -> Self {
        Self { number, octets: Zeroizing::new(octets) }
    }

    pub(super) fn octets(&self) -> &[u8; OCTETS] {
        &self.octets
    }

    /// Reads line `number` as somebody typed it: with or without its number and spaces, in capitals or not.
    ///
    /// # Errors
    /// What is wrong with it, and where.
    pub fn parse(number: u16, text: &str) -> Result<Self, LineFault> {
        let text = text.trim();
        let compact = |text: &str| -> Zeroizing<Vec<char>> {
            Zeroizing::new(text.chars().filter(|c| !c.is_whitespace() && *c != '-').collect())
        };
        let mut typed = compact(text);
        // a whole line has 20 characters; with more, the first word is its number
        if typed.len() > WRITTEN
            && let Some((first, rest)) = text.split_once(char::is_whitespace)
            && let Ok(found) = first.trim_end_matches(['.', ':']).parse::<u16>()
        {
            if found != number {
                return Err(LineFault::Number(found, number));
            }
            typed = compact(rest);
        }
        let mut symbols = Zeroizing::new(Vec::with_capacity(WRITTEN));
        for (at, c) in typed.iter().enumerate() {
            symbols.push(value(*c).ok_or(LineFault::Character(at + 1, *c))?);
        }
        let symbols: &mut [u8; WRITTEN] =
            symbols.as_mut_slice().try_into().map_err(|_| LineFault::Length(typed.len()))?;
        if !fits(number, symbols) {
            return Err(fault(number, symbols, &typed));
        }
        Ok(Self::new(number, packed(symbols)))
    }

    /// Returns the 20 symbols.
    fn symbols(&self) -> Zeroizing<[u8; WRITTEN]> {
        let mut out = Zeroizing::new([0; WRITTEN]);
        let bit = |at: usize| self.octets.get(at / 8).is_some_and(|octet| octet >> (7 - at % 8) & 1 == 1);
        for (at, symbol) in out.iter_mut().take(DATA).enumerate() {
            *symbol = (0..5).fold(0, |value, place| value << 1 | u8::from(bit(at * 5 + place)));
        }
        let check = check_symbols(self.number, out.get(..DATA).unwrap_or_default());
        for (symbol, check) in out.iter_mut().skip(DATA).zip(check) {
            *symbol = check;
        }
        out
    }
}

/// Writes the number and five groups of four.
impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:>2}", self.number)?;
        for group in self.symbols().chunks(4) {
            f.write_str(" ")?;
            for symbol in group {
                fmt::Write::write_char(f, character(*symbol))?;
            }
        }
        Ok(())
    }
}

/// Writes only the number.
impl fmt::Debug for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Line({})", self.number)
    }
}

fn character(symbol: u8) -> char {
    ALPHABET.chars().nth(usize::from(symbol)).unwrap_or('?')
}

/// Returns the value of a character. Letters that look like digits count as those.
fn value(c: char) -> Option<u8> {
    let c = match c.to_ascii_uppercase() {
        'O' => '0',
        'I' | 'L' => '1',
        other => other,
    };
    ALPHABET.chars().position(|known| known == c).and_then(|at| u8::try_from(at).ok())
}

fn packed(symbols: &[u8; WRITTEN]) -> [u8; OCTETS] {
    let mut out = [0; OCTETS];
    let bit = |at: usize| symbols.get(at / 5).is_some_and(|symbol| symbol >> (4 - at % 5) & 1 == 1);
    for (at, octet) in out.iter_mut().enumerate() {
        *octet = (0..8).fold(0, |value, place| value << 1 | u8::from(bit(at * 8 + place)));
    }
    out
}

/// Returns the number of a line as the two symbols before its first.
fn number_symbols(number: u16) -> [u8; 2] {
    [number / 32, number % 32].map(|symbol| u8::try_from(symbol).unwrap_or_default())
}

/// Whether the symbols are a word of the code: its polynomial has each root.
fn fits(number: u16, symbols: &[u8; WRITTEN]) -> bool {
    let word = || number_symbols(number).into_iter().chain(symbols.iter().copied());
    ROOTS.iter().all(|root| word().fold(0, |sum, symbol| SYMBOLS.product(sum, *root) ^ symbol) == 0)
}

/// Returns the symbols that make a word of the code: the remainder of the division by its generator.
fn check_symbols(number: u16, data: &[u8]) -> [u8; CHECK] {
    // the product of all (x - root), the highest coefficient first
    let generator = ROOTS.iter().fold([1, 0, 0, 0, 0], |before: [u8; CHECK + 1], root| {
        let mut product = before;
        for (coefficient, higher) in product.iter_mut().skip(1).zip(before) {
            *coefficient ^= SYMBOLS.product(*root, higher);
        }
        product
    });
    let mut remainder = [0; CHECK];
    for symbol in number_symbols(number).iter().chain(data) {
        let [first, rest @ ..] = remainder;
        let factor = symbol ^ first;
        let [second, third, fourth] = rest;
        remainder = [second, third, fourth, 0];
        for (place, coefficient) in remainder.iter_mut().zip(generator.iter().skip(1)) {
            *place ^= SYMBOLS.product(factor, *coefficient);
        }
    }
    remainder
}

/// Returns what is wrong with symbols that are no word of the code: whether one other symbol would make them one.
fn fault(number: u16, symbols: &[u8; WRITTEN], typed: &[char]) -> LineFault {
    for at in 0..WRITTEN {
        for symbol in 0..32 {
            let mut other = Zeroizing::new(*symbols);
            if let Some(place) = other.get_mut(at) {
                *place = symbol;
            }
            if fits(number, &other) {
                let found = typed.get(at).copied().unwrap_or('?');
                return LineFault::Wrong(at + 1, found, character(symbol));
            }
        }
    }
    LineFault::Several
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_line_is_read_as_it_is_written_and_as_people_type_it() {
        let line = Line::new(3, *b"\x00\x01\x42\x10\x84\xff\x00\x33\x21\x08");
        let written = line.to_string();
        assert_eq!(written.len(), 27);
        for typed in [
            written.clone(),
            written.to_lowercase(),
            written.split_whitespace().skip(1).collect::<Vec<_>>().join(" "),
            written.split_whitespace().skip(1).collect(),
            format!("3: {}", written[3..].replace(' ', "-")),
            written.replace('1', "l").replace('0', "o"),
        ] {
            assert!(Line::parse(3, &typed).is_ok_and(|read| read == line), "{typed}");
        }
        assert_eq!(Line::parse(4, &written), Err(LineFault::Number(3, 4)));
        assert_eq!(Line::parse(3, ""), Err(LineFault::Length(0)));
        assert_eq!(Line::parse(3, &written[3..26]), Err(LineFault::Length(19)));
        assert_eq!(Line::parse(3, &written[3..].replacen('0', "U", 1)), Err(LineFault::Character(1, 'U')));
    }

    #[test]
    fn a_line_of_another_number_is_noticed_although_its_number_is_not_typed() {
        let octets = *b"0123456789";
        for number in 1..200 {
            let typed = Line::new(number, octets).to_string()[3..].to_owned();
            for other in (1..200).filter(|other| *other != number) {
                assert!(Line::parse(other, &typed).is_err(), "{number} {other}");
            }
        }
    }

    #[test]
    fn one_flipped_bit_is_named_wherever_it_is() {
        // G6
        let line = Line::new(5, *b"\x12\x34\x56\x78\x9a\xbc\xde\xf0\x11\x22");
        let symbols = line.symbols();
        let typed: Vec<char> = symbols.iter().map(|symbol| character(*symbol)).collect();
        for at in 0..WRITTEN {
            for bit in 0..5 {
                let mut wrong = typed.clone();
                wrong[at] = character(symbols[at] ^ 1 << bit);
                let text: String = wrong.iter().collect();
                let named = LineFault::Wrong(at + 1, wrong[at], typed[at]);
                assert_eq!(Line::parse(5, &text), Err(named), "{text}");
            }
        }
    }

    proptest! {
        #[test]
        fn every_line_comes_back(number in 1..=MOST, octets in any::<[u8; OCTETS]>()) {
            let line = Line::new(number, octets);
            prop_assert_eq!(Line::parse(number, &line.to_string()), Ok(line));
        }

        #[test]
        fn up_to_four_wrong_characters_never_pass(
            octets in any::<[u8; OCTETS]>(),
            wrong in prop::collection::btree_map(0..WRITTEN, 1_u8..32, 1..=4),
        ) {
            let line = Line::new(1, octets);
            let mut symbols = *line.symbols();
            for (at, change) in &wrong {
                symbols[*at] ^= change;
            }
            let text: String = symbols.iter().map(|symbol| character(*symbol)).collect();
            let fault = Line::parse(1, &text);
            prop_assert!(fault.is_err());
            if wrong.len() == 1 {
                let at = wrong.keys().next().unwrap() + 1;
                prop_assert!(matches!(fault, Err(LineFault::Wrong(found, _, _)) if found == at));
            }
        }

        #[test]
        fn whatever_is_typed_is_read_or_refused(number in 0..=MOST, text in any::<String>()) {
            let _ = Line::parse(number, &text);
        }
    }
}
