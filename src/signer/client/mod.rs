//! The client's side: keys that the signer has. No key and no passphrase of one comes into this process.
mod administering;
mod administration;
mod bringing;
mod custody;
mod journal;
mod keys;
mod link;
mod moving;
mod remembering;
mod remote_signer;
mod start;

pub(crate) use administration::{Administration, ProposedKey};
pub(crate) use bringing::{ForeignKeyFor, HandedKey};
pub(crate) use custody::{BundledKey, CustodyDoor, PutBack};
pub(crate) use journal::RemoteJournal;
pub(crate) use keys::RemoteKeys;
pub(crate) use link::Link;
