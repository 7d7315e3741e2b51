//! Killed at every step: what others see at that moment, and what the next commands make of it.
#[cfg(debug_assertions)]
mod full_disk;
#[cfg(debug_assertions)]
pub(crate) mod killed_at_each_step;
#[cfg(debug_assertions)]
pub(crate) mod mounts;
#[cfg(debug_assertions)]
pub(crate) mod observed;
#[cfg(debug_assertions)]
mod rekeyed_root;
mod release;
