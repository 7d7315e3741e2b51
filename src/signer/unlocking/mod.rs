//! Unlocking: which keys the service may use now, for what, how often, until when, and for whom.
//!
//! A key is unlocked by an administrator of the machine, with a passphrase that reaches the signer as an unread
//! descriptor. What is unlocked is pure state (`unlocked.rs`); the signer's keyring (`keyring.rs`) gives it the time and is asked for a key before
//! each group of signatures.
mod attempts;
mod brought;
mod custody;
mod descriptor;
mod expected;
mod keyring;
mod names;
mod openings;
mod prepared;
mod renewing;
mod ring;
mod terminal;
mod unlocked;

use attempts::Attempts;
pub(crate) use brought::ForeignFile;
pub(crate) use custody::Resealed;
pub(crate) use descriptor::Handed;
pub(crate) use keyring::{Asked, Event, UnlockError};
pub(crate) use names::{known_as, login_of};
pub(crate) use prepared::{Prepared, TokenPins};
pub(crate) use ring::SharedRing;
pub(crate) use terminal::Restored;
pub(crate) use unlocked::{Grant, Login, Terms};
