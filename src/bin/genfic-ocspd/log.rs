//! Logs: lines on standard error or in files, written by a thread for each log.
//!
//! Logging never waits for a line to be written, and never fails. If a line cannot be written, because a disk is full
//! or because the reader of a pipe hangs or has ended, only that line is lost. The number of lost lines is logged
//! when lines can be written again.
use crate::output::Output;
use genfic_ca::error::in_words;
use genfic_ca::failpoint;
use std::io::{self, Write, stderr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

/// Bound of the queue of unwritten lines; further lines are lost. 1,024 absorb a burst.
const WAITING: usize = 1024;
/// Time that the end of the program waits for lines to be written.
const PATIENCE: Duration = Duration::from_secs(1);

enum Message {
    Line(Vec<u8>),
    /// Further lines go elsewhere.
    To(Output),
    /// Marker that is answered when all lines before it have been written or lost.
    Written(SyncSender<()>),
}

/// The kind of a log.
#[derive(Clone, Copy, Eq, PartialEq)]
pub(crate) enum Kind {
    /// What the daemon has to say.
    Events,
    /// Requests. Lost lines are told among the events.
    Requests,
}

/// Accepts log lines; never fails, and never waits.
#[derive(Clone)]
pub(crate) struct Log {
    messages: SyncSender<Message>,
    lost: Arc<AtomicU64>,
}

impl Log {
    /// Starts the writing thread, which ends with the last copy of this value.
    ///
    /// # Errors
    /// When no thread can be started.
    pub(crate) fn start(output: Output, kind: Kind) -> io::Result<Self> {
        let (messages, received) = sync_channel(WAITING);
        let lost = Arc::new(AtomicU64::new(0));
        let counted = Arc::clone(&lost);
        let name = if kind == Kind::Events { "log" } else { "access log" };
        thread::Builder::new().name(name.into()).spawn(move || {
            let _guard = EndsWithIt;
            write_all(output, kind, &received, &counted);
        })?;
        Ok(Self { messages, lost })
    }

    /// Adds a line.
    pub(crate) fn add(&self, line: Vec<u8>) {
        if self.messages.try_send(Message::Line(line)).is_err() {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Writes what comes after this elsewhere. While the queue is full the log stays where it is.
    pub(crate) fn switch(&self, output: Output) {
        let _ = self.messages.try_send(Message::To(output));
    }

    /// Waits until everything logged so far has been written, for [`PATIENCE`] at most.
    pub(crate) fn flush(&self) {
        let (written, wait) = sync_channel(1);
        if self.messages.try_send(Message::Written(written)).is_ok() {
            let _ = wait.recv_timeout(PATIENCE);
        }
    }
}

impl Write for Log {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        self.add(octets.to_vec());
        Ok(octets.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn write_all(mut output: Output, kind: Kind, messages: &Receiver<Message>, lost: &AtomicU64) {
    for message in messages {
        failpoint::in_thread("daemon: log");
        match message {
            Message::Line(octets) => {
                let missing = lost.swap(0, Ordering::Relaxed);
                let text = match kind {
                    Kind::Events => text(octets, missing),
                    Kind::Requests => octets,
                };
                if output.write_all(&text).is_err() {
                    lost.fetch_add(missing.saturating_add(1), Ordering::Relaxed);
                } else if kind == Kind::Requests && missing > 0 {
                    tracing::warn!("{missing} lines of the access log are lost: they could not be written");
                }
            }
            Message::To(other) => output = other,
            // the waiting caller may have given up
            Message::Written(written) => drop(written.try_send(())),
        }
    }
}

/// Returns the octets of a line, with a line before it when some were lost.
fn text(octets: Vec<u8>, missing: u64) -> Vec<u8> {
    let mut text = match missing {
        0 => String::new(),
        lines => format!("{lines} lines of the log are lost: they could not be written\n"),
    };
    // errors of the system are written in words, without their numbers
    text.push_str(&in_words(String::from_utf8_lossy(&octets).into_owned()));
    text.into_bytes()
}

/// Ends the daemon when the log thread panics: a daemon without a log would be unattended.
struct EndsWithIt;

impl Drop for EndsWithIt {
    fn drop(&mut self) {
        if thread::panicking() {
            let _ = stderr().write_all(b"error: the log cannot go on\n(exit 1, daemon.ended)\n");
            std::process::exit(1);
        }
    }
}
