//! Overwriting of a file before it is removed.
use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::Path;

/// Most octets that are written at once: no key file is longer.
const MOST: usize = 1 << 20;

/// Overwrites a file with zeros, durably. That reaches the device only where it overwrites in place.
///
/// # Errors
/// When it is not there, or cannot be written.
pub(crate) fn overwrite(path: &Path) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).open(path)?;
    let length = usize::try_from(file.metadata()?.len()).unwrap_or_default();
    file.write_all(&vec![0; length.min(MOST)])?;
    file.sync_all()
}
