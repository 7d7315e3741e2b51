//! Pieces of work that do not depend on each other, on all processors.
use std::num::NonZero;
use std::thread;

/// So many pieces are worth a thread of their own.
const WORTH_A_THREAD: usize = 16;

/// Does the same with each of many, on as many threads as there are processors; the outcomes come in the order
/// of what they are of.
pub fn abreast<T: Send, R: Send>(all: Vec<T>, act: impl Fn(T) -> R + Sync) -> Vec<R> {
    let processors = thread::available_parallelism().map_or(1, NonZero::get);
    let share = all.len().div_ceil(processors).max(WORTH_A_THREAD);
    let mut rest = all.into_iter();
    let act = &act;
    thread::scope(|scope| {
        let mut others = Vec::new();
        let own: Vec<T> = rest.by_ref().take(share).collect();
        while rest.len() > 0 {
            let share: Vec<T> = rest.by_ref().take(share).collect();
            others.push(scope.spawn(move || share.into_iter().map(act).collect::<Vec<R>>()));
        }
        let mut outcomes: Vec<R> = own.into_iter().map(act).collect();
        for other in others {
            match other.join() {
                Ok(more) => outcomes.extend(more),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        outcomes
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_outcomes_come_in_order_however_many_there_are() {
        for count in [0, 1, WORTH_A_THREAD, WORTH_A_THREAD + 1, 1000] {
            let doubled: Vec<usize> = (0..count).map(|number| number * 2).collect();
            assert_eq!(abreast((0..count).collect(), |number: usize| number * 2), doubled);
        }
    }
}
