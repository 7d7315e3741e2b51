//! Threads that sign answers with keys that take longer: as many as processors, which take what there is to sign in its
//! order. Who signs one goes on with the next without waiting for anybody.
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{Builder, available_parallelism};

/// What one of the threads does.
pub(super) type Job = Box<dyn FnOnce() + Send>;

/// The threads, which begin with the first job and end when this is dropped.
#[derive(Default)]
pub(super) struct Signers(Mutex<Option<Sender<Job>>>);

impl Signers {
    /// Has one of the threads do this.
    ///
    /// # Errors
    /// When there is no thread, and none can be made.
    pub(super) fn hand(&self, job: Job) -> io::Result<()> {
        let mut jobs = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let sender = match jobs.take() {
            Some(sender) => sender,
            None => begin()?,
        };
        let handed = sender.send(job).map_err(|_| io::Error::other("the threads that sign have ended"));
        if handed.is_ok() {
            *jobs = Some(sender);
        }
        handed
    }
}

/// Begins the threads. Fewer than processors are enough.
fn begin() -> io::Result<Sender<Job>> {
    let (sender, jobs) = channel();
    let jobs = Arc::new(Mutex::new(jobs));
    for number in 0..available_parallelism().map_or(2, usize::from) {
        let jobs = Arc::clone(&jobs);
        let begun = Builder::new().name("sign".into()).spawn(move || work(&jobs));
        if let Err(error) = begun
            && number == 0
        {
            return Err(error);
        }
    }
    Ok(sender)
}

fn work(jobs: &Mutex<Receiver<Job>>) {
    loop {
        // who waits for the next has the lock, and those behind wait for that
        let job = jobs.lock().unwrap_or_else(PoisonError::into_inner).recv();
        match job {
            // a panic is logged, and whoever waits for this job is told that nothing comes
            Ok(job) => drop(catch_unwind(AssertUnwindSafe(job))),
            Err(_) => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_job_is_done_by_threads_that_begin_with_the_first_and_end_with_their_owner() {
        let signers = Signers::default();
        assert!(signers.0.lock().unwrap().is_none());
        let (done, all) = channel();
        for number in 0..100 {
            let done = done.clone();
            signers.hand(Box::new(move || done.send(number).unwrap())).unwrap();
        }
        let mut numbers: Vec<i32> = all.iter().take(100).collect();
        numbers.sort_unstable();
        assert_eq!(numbers, (0..100).collect::<Vec<_>>());
        signers.hand(Box::new(|| panic!("a job that fails"))).unwrap();
        let (held, waits) = channel::<()>();
        signers.hand(Box::new(move || drop(held))).unwrap();
        drop(signers);
        assert!(waits.recv().is_err(), "what was handed is done all the same");
    }
}
