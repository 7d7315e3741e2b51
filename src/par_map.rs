//! Parallel mapping of independent pieces of work over all processors.
use crate::failpoint;
use std::num::NonZero;
use std::sync::{Mutex, PoisonError};
use std::thread;

/// Number of items that a thread takes at a time; for fewer than sixteen a thread of its own costs more than
/// it saves.
const SHARE: usize = 16;

/// Applies `act` to every item, on as many threads as there are processors, and returns the results in the
/// order of the items.
pub fn par_map<T: Send, R: Send>(all: Vec<T>, act: impl Fn(T) -> R + Sync) -> Vec<R> {
    let processors = thread::available_parallelism().map_or(1, NonZero::get);
    let others = all.len().div_ceil(SHARE).min(processors).saturating_sub(1);
    let rest = Mutex::new(all.into_iter().enumerate());
    let work = || {
        let mut done: Vec<(usize, R)> = Vec::new();
        loop {
            let share: Vec<(usize, T)> =
                rest.lock().unwrap_or_else(PoisonError::into_inner).by_ref().take(SHARE).collect();
            if share.is_empty() {
                return done;
            }
            failpoint::in_thread("abreast");
            done.extend(share.into_iter().map(|(place, one)| (place, act(one))));
        }
    };
    let mut outcomes = thread::scope(|scope| {
        let others: Vec<_> = (0..others).map(|_| scope.spawn(work)).collect();
        let mut outcomes = work();
        for other in others {
            outcomes.extend(other.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        }
        outcomes
    });
    outcomes.sort_unstable_by_key(|(place, _)| *place);
    outcomes.into_iter().map(|(_, outcome)| outcome).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_outcomes_come_in_order_however_many_there_are() {
        for count in [0, 1, SHARE, SHARE + 1, 1000] {
            let doubled: Vec<usize> = (0..count).map(|number| number * 2).collect();
            assert_eq!(par_map((0..count).collect(), |number: usize| number * 2), doubled);
        }
    }
}
