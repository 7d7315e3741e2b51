//! What only an index in a file of its own can do.
use super::{Examined, Index, IndexError};
use std::path::Path;

/// An index that is a file of its own: what backups and the doctor do with it.
pub trait StoredIndex: Index {
    /// Writes all of it, as it is at one moment, into a new file of its own. Others may write meanwhile.
    ///
    /// # Errors
    /// When the path names something, or the file cannot be written.
    fn copy_to(&self, path: &Path) -> Result<(), IndexError>;

    /// Looks at everything that is stored: that it can be read, refers to nothing that is missing, and that
    /// what is kept beside each certificate agrees with its octets. Hands every damage to `visit`, and every
    /// certificate that can be read, newest first.
    fn examine(&self, visit: &mut dyn FnMut(Examined)) -> Result<(), IndexError>;
}
