//! Reading secrets into memory that does not move.
use std::io::{self, Read};

/// Fills the buffer from a source until either ends; the number of octets read.
///
/// A vector that grows leaves copies behind; this one is as long as it has to be.
pub(crate) fn read_up_to(mut source: impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match source.read(rest) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}
