//! Operations of an index that is a file.
use super::{Examined, Index, IndexError};
use std::path::Path;

/// An index that is a file, as backups and the doctor use it.
pub trait StoredIndex: Index {
    /// Writes the whole index, as it is at one moment, into a new file. Other processes may write meanwhile.
    ///
    /// # Errors
    /// When the path exists, or the file cannot be written.
    fn copy_to(&self, path: &Path) -> Result<(), IndexError>;

    /// Examines everything that is stored: that it can be read, refers to nothing that is missing, and that the
    /// columns of each certificate agree with its octets. Passes every damage to `visit`, and every certificate
    /// that can be read, newest first.
    fn examine(&self, visit: &mut dyn FnMut(Examined)) -> Result<(), IndexError>;
}
