//! Runs the contract on this index, and tests that an observer can make it fail.
use super::{MemoryIndex, Watch};
use crate::index::contract::{CertificateAuthority, NOW, contract, event};
use crate::index::prelude::*;
use crate::index::{IndexError, StoreError};

fn make() -> (MemoryIndex, ()) {
    (MemoryIndex::default(), ())
}

fn nothing_more(_: &MemoryIndex) {}

contract!(make, nothing_more; issuance revocation authorities audit reading restoration);

#[test]
fn what_is_made_to_fail_changes_nothing() {
    struct NoEvents;
    impl Watch for NoEvents {
        fn writes(&self, method: &'static str) -> Result<(), IndexError> {
            if method == "record_event" { Err(IndexError::Store(StoreError::Busy)) } else { Ok(()) }
        }
    }
    let index = MemoryIndex::default().watched(NoEvents);
    CertificateAuthority::root(&index, "genfic");
    let head = index.audit_head().unwrap();
    let failed = index.record_event(event(NOW, "x"));
    assert!(matches!(failed, Err(IndexError::Store(StoreError::Busy))), "{failed:?}");
    assert_eq!(index.audit_head().unwrap(), head);
}
