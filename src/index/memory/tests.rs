//! The contract, and that a watched one fails where it is told to.
use super::MemoryIndex;
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
    let index = MemoryIndex::watched(|method| match method {
        "record_event" => Err(IndexError::Store(StoreError::Busy)),
        _ => Ok(()),
    });
    CertificateAuthority::root(&index, "genfic");
    let head = index.audit_head().unwrap();
    let failed = index.record_event(event(NOW, "x"));
    assert!(matches!(failed, Err(IndexError::Store(StoreError::Busy))), "{failed:?}");
    assert_eq!(index.audit_head().unwrap(), head);
}
