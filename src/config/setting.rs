//! Settings of one value.
use crate::document::Section;
use std::path::PathBuf;

/// Reads a path.
pub(super) fn path(section: &mut Section, key: &str) -> Option<PathBuf> {
    section.get_as(
        key,
        |path: String| {
            if path.is_empty() { Err("is empty".to_owned()) } else { Ok(PathBuf::from(path)) }
        },
    )
}
