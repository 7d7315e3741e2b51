//! What the lines of a page are together: a share, or a key file.
use super::line::{Line, LineFault, MOST, OCTETS as LINE};
use super::share::{self, LOCKED, PLAIN, Share};
use crate::error::{Code, Problem};
use crate::x509::sha256;
use zeroize::Zeroizing;

/// The kind of a key file: its length in two octets and seven of SHA-256 follow.
const KEY: u8 = 3;
/// Octets before a key file.
const HEAD: usize = 10;

/// What was read from a page.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Block {
    /// A share.
    Share(Share),
    /// The contents of a key file.
    Key(Vec<u8>),
}

/// Why lines are not read.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum BlockFault {
    /// A line is wrong.
    #[error("line {0}: {1}")]
    Line(u16, LineFault),
    /// The lines are right, and what they say together is not.
    #[error("{0}")]
    Whole(&'static str),
    /// The end is missing.
    #[error("it ends before line {0}")]
    Short(u16),
}

impl From<BlockFault> for Problem {
    fn from(error: BlockFault) -> Self {
        let hint = match error {
            BlockFault::Line(..) => "compare this line with the paper, and type it again",
            BlockFault::Whole(_) => "scan the code or type the lines again, those of one page at a time",
            BlockFault::Short(_) => "add the lines that are missing",
        };
        Self::of(Code::ShareDamaged, error).hint(hint)
    }
}

/// Reads the lines of one block. A wrong line is not taken, and may be given again.
#[derive(Default)]
pub struct BlockReader {
    octets: Zeroizing<Vec<u8>>,
    taken: u16,
}

impl BlockReader {
    /// Returns the number of the line that comes next, from 1.
    #[must_use]
    pub fn next(&self) -> u16 {
        self.taken.saturating_add(1)
    }

    /// Returns how many lines there are, once the first was read.
    #[must_use]
    pub fn lines(&self) -> Option<u16> {
        let octets = self.length()?.div_ceil(LINE);
        u16::try_from(octets).ok()
    }

    fn length(&self) -> Option<usize> {
        match self.octets.as_slice() {
            [PLAIN | LOCKED, ..] => Some(share::OCTETS),
            [KEY, high, low, ..] => Some(HEAD + usize::from(u16::from_be_bytes([*high, *low]))),
            _ => None,
        }
    }

    /// Takes the next line, and returns the block when it is complete. Comments (`#`) and empty lines are passed over.
    ///
    /// # Errors
    /// Why the line was not taken; after [`BlockFault::Whole`] the block begins anew.
    pub fn push(&mut self, text: &str) -> Result<Option<Block>, BlockFault> {
        if text.trim().is_empty() || text.trim_start().starts_with('#') {
            return Ok(None);
        }
        let line = Line::parse(self.next(), text).map_err(|fault| BlockFault::Line(self.next(), fault))?;
        // no reallocation, which would leave a copy behind
        let mut octets = Zeroizing::new(Vec::with_capacity(self.octets.len() + LINE));
        octets.extend_from_slice(&self.octets);
        octets.extend_from_slice(line.octets());
        self.octets = octets;
        self.taken = self.next();
        let whole = match (self.length(), self.lines()) {
            (Some(length), Some(lines)) if lines <= MOST => {
                if self.taken < lines {
                    return Ok(None);
                }
                self.whole(length)
            }
            _ => Err(BlockFault::Whole("it is neither a share nor a key, or of a later version")),
        };
        *self = Self::default();
        whole.map(Some)
    }

    fn whole(&self, length: usize) -> Result<Block, BlockFault> {
        let octets = self.octets.get(..length).unwrap_or_default();
        if let Ok(octets) = <&[u8; share::OCTETS]>::try_from(octets)
            && octets.first() != Some(&KEY)
        {
            return Share::from_octets(octets).map(Block::Share).map_err(BlockFault::Whole);
        }
        let (head, file) = octets.split_at_checked(HEAD).unwrap_or_default();
        if head.get(3..) != sha256(file).get(..HEAD - 3) {
            return Err(BlockFault::Whole("each line is right, but they do not belong together"));
        }
        Ok(Block::Key(file.to_vec()))
    }
}

/// Reads a text with exactly one block.
///
/// # Errors
/// What is wrong with it, and in which line of the block.
pub fn read_block(text: &str) -> Result<Block, BlockFault> {
    let mut reader = BlockReader::default();
    let mut found = None;
    for line in text.lines() {
        match reader.push(line)? {
            Some(_) if found.is_some() => return Err(BlockFault::Whole("it has more than one share or key")),
            Some(block) => found = Some(block),
            None => {}
        }
    }
    if reader.taken > 0 {
        return Err(BlockFault::Short(reader.next()));
    }
    found.ok_or(BlockFault::Short(1))
}

/// Returns a share as lines.
#[must_use]
pub fn lines_of_share(share: &Share) -> Vec<Line> {
    lines(&share.to_octets())
}

/// Returns a key file as lines; `None` when it is too long for that.
#[must_use]
pub fn lines_of_key(file: &[u8]) -> Option<Vec<Line>> {
    let length = u16::try_from(file.len()).ok()?;
    if (HEAD + file.len()).div_ceil(LINE) > usize::from(MOST) {
        return None;
    }
    let mut octets = vec![KEY];
    octets.extend(length.to_be_bytes());
    octets.extend(sha256(file).get(..HEAD - 3)?);
    octets.extend(file);
    Some(lines(&octets))
}

fn lines(octets: &[u8]) -> Vec<Line> {
    let numbered = octets.chunks(LINE).zip(1..=MOST);
    numbered
        .map(|(chunk, number)| {
            let mut padded = [0; LINE];
            for (to, from) in padded.iter_mut().zip(chunk) {
                *to = *from;
            }
            Line::new(number, padded)
        })
        .collect()
}
