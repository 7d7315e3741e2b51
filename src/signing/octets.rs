//! Reading of secrets into memory that is not reallocated.
use std::io::{self, Read};

/// Reads until the source ends or the buffer is full, and returns the number of octets read.
///
/// A vector that grows would leave copies of a secret in freed memory; this buffer has its length from the beginning.
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
