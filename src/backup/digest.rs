//! Lengths and digests of files.
use aws_lc_rs::digest::{Context, SHA256};
use base16ct::lower::encode_string as hex;
use std::io::{self, ErrorKind, Read};

/// Returns the number of octets and their SHA-256 digest.
pub(super) fn digest(mut source: impl Read) -> io::Result<(u64, String)> {
    let mut context = Context::new(&SHA256);
    let mut buffer = vec![0; 1 << 16];
    let mut size = 0_u64;
    loop {
        match source.read(&mut buffer) {
            Ok(0) => return Ok((size, hex(context.finish().as_ref()))),
            Ok(read) => {
                context.update(buffer.get(..read).unwrap_or_default());
                size = size.saturating_add(u64::try_from(read).unwrap_or(u64::MAX));
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}
