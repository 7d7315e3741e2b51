//! The log: lines on standard error, written by a thread of their own.
//!
//! Nobody who logs waits for a line to be written, and nobody fails because it cannot be: a disk that is full, a
//! pipe that nobody reads or that is gone costs the lines, and nothing else. How many is said when lines can be
//! written again.
use genfic_ca::error::in_words;
use genfic_ca::failpoint;
use std::io::{self, Write, stderr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

/// Lines that wait to be written; what comes beyond them is lost.
const WAITING: usize = 1024;
/// How long the end of the program waits for lines to be written.
const PATIENCE: Duration = Duration::from_secs(1);

enum Message {
    Line(Vec<u8>),
    /// Everything before this has been written, or is lost.
    Written(SyncSender<()>),
}

/// Takes lines; never fails, and never waits.
#[derive(Clone)]
pub(crate) struct Log {
    messages: SyncSender<Message>,
    lost: Arc<AtomicU64>,
}

impl Log {
    /// Starts to write.
    ///
    /// # Errors
    /// When no thread can be had.
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

    /// Waits until what was logged has been written, for a moment at most.
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
                // the system's errors in words alone
                text.push_str(&in_words(String::from_utf8_lossy(&octets).into_owned()));
                if stderr().write_all(text.as_bytes()).is_err() {
                    lost.fetch_add(missing.saturating_add(1), Ordering::Relaxed);
                }
            }
            // whoever asked may have gone on
            Message::Written(written) => drop(written.try_send(())),
        }
    }
}

/// A daemon whose log has ended would not be looked after: it ends too.
struct EndsWithIt;

impl Drop for EndsWithIt {
    fn drop(&mut self) {
        if thread::panicking() {
            let _ = stderr().write_all(b"error: the log cannot go on\n(exit 1, daemon.ended)\n");
            std::process::exit(1);
        }
    }
}
