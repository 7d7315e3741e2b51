//! Sources of what the daemon answers from.
use super::presigned::{AnswerFile, AnswerStore};
use crate::status::StatusSource;
use std::sync::Arc;

/// Where the status comes from, and perhaps answers that were signed beforehand.
pub trait ServedStatus: StatusSource {
    /// Returns the answers that a state is made of, in place of which nothing is signed.
    #[must_use]
    fn answers(_: &Arc<Self::View>) -> Option<Arc<AnswerStore>> {
        None
    }
}

impl ServedStatus for AnswerFile {
    fn answers(view: &Arc<AnswerStore>) -> Option<Arc<AnswerStore>> {
        Some(Arc::clone(view))
    }
}
