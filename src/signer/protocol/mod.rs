//! What a client and the signer say to each other: requests and replies in frames.
//!
//! The protocol is described in `ca-layout/doc/internals.md`. Whatever octets come, the answer is an error and
//! never a panic.
mod administering;
mod begun;
mod failure;
mod frame;
mod message;
mod orders;
mod serials;
mod unlocking;
mod words;

pub(crate) use administering::WireDescription;
pub(crate) use begun::Begun;
pub(crate) use failure::Failure;
pub(crate) use frame::{Frame, FrameError, MOST_DESCRIPTORS};
pub(crate) use message::{Reply, Request, VERSION, WireFound};
pub(crate) use orders::{Orders, WireSource};
pub(crate) use serials::{MOST_SERIALS, ends, put_end, put_serial, serials};
pub(crate) use unlocking::{WireGrant, WireHanded, WireTerms, confirmed};
pub(crate) use words::{WireKey, WirePath};
