//! Killed at every step: what others see at that moment, and what the next commands make of it.
#[cfg(debug_assertions)]
pub(crate) mod kills;
#[cfg(debug_assertions)]
mod limits;
#[cfg(debug_assertions)]
mod links;
#[cfg(debug_assertions)]
pub(crate) mod look;
#[cfg(debug_assertions)]
mod mounts;
mod release;
