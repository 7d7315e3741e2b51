//! The log: lines on standard error, written by a thread of its own.
//!
//! Logging never waits for a line to be written, and never fails. If a line cannot be written, because a disk is full
//! or because the reader of a pipe hangs or has ended, only that line is lost. The number of lost lines is logged
//! when lines can be written again.
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
    /// Marker that is answered when all lines before it have been written or lost.
    Written(SyncSender<()>),
}

/// Accepts log lines; never fails, and never waits.
#[derive(Clone)]
pub(crate) struct Log {
    messages: SyncSender<Message>,
    lost: Arc<AtomicU64>,
}

impl Log {
    /// Starts the writing thread.
    ///
    /// # Errors
    /// When no thread can be started.
    pub(crate) fn start() -> io::Result<Self> {
        let (messages, received) = sync_channel(WAITING);
        let lost = Arc::new(AtomicU64::new(0));
        let counted = Arc::clone(&lost);
        thread::Builder::new().name("log".into()).spawn(move || {
            let _guard = EndsWithIt;
            write_all(&received, &counted);
        })?;
        Ok(Self { messages, lost })
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
        if self.messages.try_send(Message::Line(octets.to_vec())).is_err() {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
        Ok(octets.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn write_all(messages: &Receiver<Message>, lost: &AtomicU64) {
    for message in messages {
        failpoint::in_thread("daemon: log");
        match message {
            Message::Line(octets) => {
                let missing = lost.swap(0, Ordering::Relaxed);
                let mut text = match missing {
                    0 => String::new(),
                    lines => format!("{lines} lines of the log are lost: they could not be written\n"),
                };
                // errors of the system are written in words, without their numbers
                text.push_str(&in_words(String::from_utf8_lossy(&octets).into_owned()));
                if stderr().write_all(text.as_bytes()).is_err() {
                    lost.fetch_add(missing.saturating_add(1), Ordering::Relaxed);
                }
            }
            // the waiting caller may have given up
            Message::Written(written) => drop(written.try_send(())),
        }
    }
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
