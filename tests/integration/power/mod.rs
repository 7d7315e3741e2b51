//! Power that fails: whatever was not made durable is lost or not, each for itself, and the next command puts it right.
#[cfg(debug_assertions)]
mod disk;
#[cfg(debug_assertions)]
mod loss;
#[cfg(debug_assertions)]
mod states;
#[cfg(debug_assertions)]
mod trace;
