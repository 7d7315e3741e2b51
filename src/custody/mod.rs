//! Custody: a key's passphrase in shares for several people, and what is printed of keys and shares.
//!
//! No I/O, apart from random numbers. [`Share`] is a part of the passphrase of a key file, [`Combination`] puts parts together,
//! [`ShareSet`] is what is kept beside the key about them. [`Line`] and [`BlockReader`] are their form on paper, which
//! says where it was mistyped; [`page`] makes the PDF.
mod block;
mod combination;
mod field;
mod line;
pub mod page;
mod set;
mod share;
mod split;

pub use block::{Block, BlockFault, BlockReader, lines_of_key, lines_of_share, read_block};
pub use combination::{Combination, NotTaken};
pub use line::{Line, LineFault};
pub use set::{InvalidSet, ShareSet};
pub use share::{Share, WrongPassphrase};
pub use split::{InvalidNumbers, Numbers, SPLIT_WORK, split};

#[cfg(test)]
mod tests;
