//! Files that others read: written aside, made durable, then renamed into place.
mod atomic;

pub use atomic::{Mode, WriteError, replace, sync_directory, write_new};
