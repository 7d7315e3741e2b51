//! What tests share.
mod skipped;

pub(crate) use skipped::is_root;
