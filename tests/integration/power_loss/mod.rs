//! Power that fails: whatever was not made durable is lost or not, each for itself, and the next command puts it right.
#[cfg(debug_assertions)]
mod each_moment;
#[cfg(debug_assertions)]
mod possible_states;
#[cfg(debug_assertions)]
mod simulated_disk;
#[cfg(debug_assertions)]
mod trace;
