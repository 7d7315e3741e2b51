//! One publisher at a time.
use super::{Hold, PublishError};
use std::time::Duration;

#[test]
fn one_publisher_holds_the_others_off_until_it_is_done() {
    // C7
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("home.lock");
    let first = Hold::take(&path, Duration::ZERO).unwrap();
    assert!(matches!(Hold::take(&path, Duration::from_millis(20)), Err(PublishError::Busy)));
    drop(first);
    Hold::take(&path, Duration::ZERO).unwrap();
}
