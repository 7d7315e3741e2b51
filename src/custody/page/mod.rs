//! Printed pages of keys and shares, as PDF: QR codes, the same as lines of text, and what a stranger does with them.
//!
//! All is black, within what A4 and Letter have in common, in the fonts that every reader of PDF has. A test runs the
//! program that is printed, taken out of the page.
mod code;
mod sheet;
mod words;

use self::code::{DENSE, SAFE, codes_of};
use self::sheet::Sheet;
use super::block::{lines_of_key, lines_of_share};
use super::set::ShareSet;
use super::share::Share;
use crate::x509::{UnixTime, sha256};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// The program on the pages.
const PROGRAM: &str = include_str!("restore.py");

/// A size of paper.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Paper {
    /// 210 mm by 297 mm.
    A4,
    /// 8.5 inches by 11.
    Letter,
}

/// What cannot be put on a page.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum PageError {
    /// The key file is too long.
    #[error("the key file is too long for a page")]
    TooLong,
    /// A QR code cannot be made.
    #[error("a QR code cannot be made")]
    Code,
}

/// What a page of a key says of it.
#[derive(Clone, Copy, Debug)]
pub struct KeyFacts<'a> {
    /// The name of the key.
    pub name: &'a str,
    /// The contents of its file.
    pub file: &'a [u8],
    /// How the file is protected, in words.
    pub protection: &'a str,
    /// The shares that open it, if it was split.
    pub shares: Option<&'a ShareSet>,
    /// When the page is made.
    pub made: UnixTime,
}

/// Returns the pages of an encrypted key.
///
/// # Errors
/// When it is too long.
pub fn of_key(paper: Paper, facts: &KeyFacts<'_>) -> Result<Vec<u8>, PageError> {
    let KeyFacts { name, file, made, .. } = *facts;
    let lines = lines_of_key(file).ok_or(PageError::TooLong)?;
    let mut sheet = Sheet::new(paper, &format!("{name}, key, {}", date(made)));
    sheet.title(&format!("The key of the CA {name}, encrypted"));
    sheet.facts(&words::facts_of_key(facts));
    sheet.heading("What this is, and how it is used");
    for paragraph in words::key(facts) {
        sheet.paragraph(&paragraph);
    }
    sheet.heading("The file in QR codes");
    let codes = codes_of(&format!("{name}.age"), &armored(file), SAFE)?;
    sheet.codes(&codes);
    sheet.keep_together(lines.len());
    sheet.heading("The same file as text");
    sheet.paragraph(words::LINES);
    sheet.columns(&lines.iter().map(ToString::to_string).collect::<Vec<_>>());
    program(&mut sheet)?;
    Ok(sheet.finish())
}

/// Returns the pages of a share. `key` is the name of the key.
///
/// # Errors
/// When a QR code cannot be made.
pub fn of_share(paper: Paper, key: &str, share: &Share, made: UnixTime) -> Result<Vec<u8>, PageError> {
    let lines: Vec<String> = lines_of_share(share).iter().map(ToString::to_string).collect();
    let numbers = share.numbers();
    let title = format!("Share {} of {} of the key of the CA {key}", share.index(), numbers.count());
    let mut sheet = Sheet::new(paper, &format!("{key}, share {}, {}", share.index(), date(made)));
    sheet.title(&title);
    sheet.facts(&words::facts_of_share(share, made));
    sheet.heading("What this is, and how it is used");
    for paragraph in words::share(key, share) {
        sheet.paragraph(&paragraph);
    }
    sheet.heading("The share");
    sheet.share(&code::of(&share_text(share))?, &lines);
    sheet.paragraph(words::LINES);
    program(&mut sheet)?;
    Ok(sheet.finish())
}

/// Returns a share as text: its lines, with a comment before them that says no more than they do.
#[must_use]
pub fn share_text(share: &Share) -> String {
    let numbers = share.numbers();
    let lock = if share.is_locked() { ", with a passphrase of its own" } else { "" };
    let mut text = format!(
        "# share {} of {}, {} are needed, set {}{lock}\n",
        share.index(),
        numbers.count(),
        numbers.threshold(),
        share.set()
    );
    lines_of_share(share).iter().for_each(|line| text.push_str(&format!("{line}\n")));
    text
}

fn program(sheet: &mut Sheet) -> Result<(), PageError> {
    sheet.break_page();
    sheet.heading("The program restore.py");
    sheet.paragraph(words::PROGRAM);
    sheet.program(PROGRAM);
    sheet.codes(&codes_of("restore.py", PROGRAM, DENSE)?);
    Ok(())
}

/// Returns the armored form of an age file, which `age -d` reads.
fn armored(file: &[u8]) -> String {
    let mut text = "-----BEGIN AGE ENCRYPTED FILE-----\n".to_owned();
    // 48 octets are a line of 64 characters
    for line in file.chunks(48) {
        text.push_str(&STANDARD.encode(line));
        text.push('\n');
    }
    text + "-----END AGE ENCRYPTED FILE-----\n"
}

fn date(time: UnixTime) -> String {
    time.to_string().chars().take_while(|c| *c != 'T').collect()
}

fn digest(file: &[u8]) -> String {
    base16ct::lower::encode_string(&sha256(file))
}
