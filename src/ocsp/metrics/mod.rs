//! Counts what the daemon does, for those who watch it from outside.
//!
//! Each thread counts in a place of its own, so that counting a request costs no other thread anything. The places are
//! summed up when somebody asks.
mod gauges;
mod text;

pub(crate) use gauges::{Gauges, gauges};
pub(crate) use text::exposition;

use super::response::ResponseStatus;
use hyper::{Method, StatusCode};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::thread::available_parallelism;
use std::time::Duration;

/// Upper bounds of the times in the histogram, in microseconds; one more place has what takes longer.
const BOUNDS: [u64; 12] =
    [50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 50_000, 250_000, 1_000_000, 10_000_000];

/// Methods that are told apart, and the others.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum MethodKind {
    /// GET
    Get,
    /// HEAD
    Head,
    /// POST
    Post,
    /// All others.
    Other,
}

impl MethodKind {
    const NAMES: [&str; 4] = ["GET", "HEAD", "POST", "other"];

    /// Returns the kind of a method.
    pub(crate) fn of(method: &Method) -> Self {
        match *method {
            Method::GET => Self::Get,
            Method::HEAD => Self::Head,
            Method::POST => Self::Post,
            _ => Self::Other,
        }
    }

    fn place(self) -> usize {
        match self {
            Self::Get => 0,
            Self::Head => 1,
            Self::Post => 2,
            Self::Other => 3,
        }
    }
}

/// What becomes of a request.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Outcome {
    /// 200 or 206: an OCSP answer, a file or a page.
    Answered,
    /// 304: the client has it.
    NotModified,
    /// Any other status of a client's error.
    Refused,
    /// A status of the server's error.
    Failed,
}

impl Outcome {
    const NAMES: [&str; 4] = ["answered", "not_modified", "refused", "failed"];

    fn of(status: StatusCode) -> Self {
        match status.as_u16() {
            ..300 => Self::Answered,
            300..400 => Self::NotModified,
            400..500 => Self::Refused,
            _ => Self::Failed,
        }
    }

    fn place(self) -> usize {
        match self {
            Self::Answered => 0,
            Self::NotModified => 1,
            Self::Refused => 2,
            Self::Failed => 3,
        }
    }
}

/// Where an answer came from.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum AnswerPath {
    /// From the cache.
    Kept,
    /// Signed, or refused.
    Live,
    /// From a file of answers that were signed beforehand, or refused because it has none.
    Stored,
}

impl AnswerPath {
    const NAMES: [&str; 3] = ["kept", "live", "stored"];

    fn place(self) -> usize {
        match self {
            Self::Kept => 0,
            Self::Live => 1,
            Self::Stored => 2,
        }
    }
}

/// One number per name in each of two lists.
type Table<const ROWS: usize, const COLUMNS: usize> = [[AtomicU64; COLUMNS]; ROWS];

/// What one thread has counted.
#[derive(Default)]
#[repr(align(128))]
struct Shard {
    requests: Table<{ MethodKind::NAMES.len() }, { Outcome::NAMES.len() }>,
    answers: Table<{ ResponseStatus::ALL.len() }, { AnswerPath::NAMES.len() }>,
    signatures: AtomicU64,
    failures: AtomicU64,
    times: [AtomicU64; BOUNDS.len() + 1],
    nanoseconds: AtomicU64,
}

/// The counters of a daemon.
pub(crate) struct Metrics {
    shards: Box<[Shard]>,
}

impl Default for Metrics {
    fn default() -> Self {
        // beside the threads that serve there are some that sign
        let threads = 2 * available_parallelism().map_or(2, usize::from);
        Self { shards: std::iter::repeat_with(Shard::default).take(threads).collect() }
    }
}

impl Metrics {
    /// Counts a request and what became of it.
    pub(crate) fn request(&self, method: MethodKind, status: StatusCode) {
        self.count(|shard| shard.requests.get(method.place())?.get(Outcome::of(status).place()));
    }

    /// Counts an OCSP answer.
    pub(crate) fn answer(&self, status: ResponseStatus, path: AnswerPath) {
        self.count(|shard| shard.answers.get(status.place())?.get(path.place()));
    }

    /// Counts a signature, or that a key has failed.
    pub(crate) fn signature(&self, is_made: bool) {
        self.count(|shard| Some(if is_made { &shard.signatures } else { &shard.failures }));
    }

    /// Counts the time from the first octet of a request to the last of its answer.
    pub(crate) fn time(&self, took: Duration) {
        let microseconds = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let place = BOUNDS.iter().position(|bound| microseconds <= *bound).unwrap_or(BOUNDS.len());
        self.count(|shard| shard.times.get(place));
        let nanoseconds = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        if let Some(shard) = self.shard() {
            shard.nanoseconds.fetch_add(nanoseconds, Ordering::Relaxed);
        }
    }

    fn count(&self, what: impl FnOnce(&Shard) -> Option<&AtomicU64>) {
        if let Some(counter) = self.shard().and_then(what) {
            counter.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// The place of this thread. Threads that are many share some.
    fn shard(&self) -> Option<&Shard> {
        thread_local! {
            static NUMBER: usize = {
                static NEXT: AtomicUsize = AtomicUsize::new(0);
                NEXT.fetch_add(1, Ordering::Relaxed)
            };
        }
        self.shards.get(NUMBER.with(|number| number.checked_rem(self.shards.len()))?)
    }

    /// Returns all numbers as they are now.
    pub(crate) fn counts(&self) -> Counts {
        let sum = |what: &dyn Fn(&Shard) -> Option<&AtomicU64>| {
            self.shards.iter().filter_map(what).map(|counter| counter.load(Ordering::Relaxed)).sum()
        };
        let table = |rows: &[&'static str], columns: &[&'static str], of: Cell| {
            let row_of = |row: usize, name: &'static str| {
                let cell = move |column: usize| {
                    move |shard: &Shard| -> Option<u64> {
                        Some(of(shard, row, column)?.load(Ordering::Relaxed))
                    }
                };
                let counts = columns.iter().enumerate().map(move |(column, other)| {
                    (name, *other, self.shards.iter().filter_map(cell(column)).sum())
                });
                counts.collect::<Vec<_>>()
            };
            rows.iter().enumerate().flat_map(|(row, name)| row_of(row, name)).collect()
        };
        let statuses = ResponseStatus::ALL.map(|(_, _, name)| name);
        Counts {
            requests: table(&MethodKind::NAMES, &Outcome::NAMES, |shard, row, column| {
                shard.requests.get(row)?.get(column)
            }),
            answers: table(&statuses, &AnswerPath::NAMES, |shard, row, column| {
                shard.answers.get(row)?.get(column)
            }),
            signatures: sum(&|shard| Some(&shard.signatures)),
            failures: sum(&|shard| Some(&shard.failures)),
            times: (0..=BOUNDS.len()).map(|place| sum(&move |shard| shard.times.get(place))).collect(),
            nanoseconds: sum(&|shard| Some(&shard.nanoseconds)),
        }
    }
}

/// Finds a counter by its row and column.
type Cell = fn(&Shard, usize, usize) -> Option<&AtomicU64>;

/// What was counted since the daemon started.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Counts {
    /// By method and outcome.
    requests: Vec<(&'static str, &'static str, u64)>,
    /// By `responseStatus` and path.
    answers: Vec<(&'static str, &'static str, u64)>,
    signatures: u64,
    failures: u64,
    /// For each bound the times up to it and above the one before; then those above all.
    times: Vec<u64>,
    nanoseconds: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_several_threads_count_is_summed_up() {
        let metrics = Metrics::default();
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    metrics.request(MethodKind::Post, StatusCode::OK);
                    metrics.request(MethodKind::Get, StatusCode::NOT_MODIFIED);
                    metrics.answer(ResponseStatus::Unauthorized, AnswerPath::Live);
                    metrics.answer(ResponseStatus::Successful, AnswerPath::Kept);
                    metrics.signature(true);
                    metrics.time(Duration::from_micros(60));
                });
            }
        });
        metrics.signature(false);
        metrics.time(Duration::from_secs(100));
        let counts = metrics.counts();
        let requests: Vec<_> = counts.requests.iter().filter(|row| row.2 > 0).copied().collect();
        assert_eq!(requests, [("GET", "not_modified", 8), ("POST", "answered", 8)]);
        let answers: Vec<_> = counts.answers.iter().filter(|row| row.2 > 0).copied().collect();
        assert_eq!(answers, [("successful", "kept", 8), ("unauthorized", "live", 8)]);
        assert_eq!((counts.signatures, counts.failures), (8, 1));
        assert_eq!((counts.times[1], counts.times[BOUNDS.len()]), (8, 1));
        assert_eq!(counts.nanoseconds, 8 * 60_000 + 100_000_000_000);
    }
}
