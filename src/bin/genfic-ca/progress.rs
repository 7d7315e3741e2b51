//! A progress bar on standard error for what takes over a second. It is drawn on a terminal only, gives way to
//! questions, and is cleared at the end.
use crate::cli::Global;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::{self, IsTerminal};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// Time without a question after which the bar is drawn.
const PATIENCE: Duration = Duration::from_secs(1);
/// Time between two drawings.
const TICK: Duration = Duration::from_millis(100);

/// The work of this process; one command runs at a time.
struct Work {
    what: String,
    /// Number of steps; `None` while it is not known.
    total: Option<u64>,
    done: u64,
    /// When the work began, or the last question was answered.
    since: Instant,
    /// Number of questions that are being asked.
    asides: usize,
    bar: Option<ProgressBar>,
}

static WORK: Mutex<Option<Work>> = Mutex::new(None);

fn work() -> MutexGuard<'static, Option<Work>> {
    WORK.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A bar that may be drawn, until it is dropped.
pub(crate) struct Progress {
    drawing: Option<(Sender<()>, JoinHandle<()>)>,
}

impl Progress {
    /// Begins work of this name. Without a terminal, or where little is to be said, nothing is ever drawn.
    pub(crate) fn begin(global: &Global, name: &str) -> Self {
        if global.quiet || global.json || !io::stderr().is_terminal() {
            return Self { drawing: None };
        }
        let since = Instant::now();
        *work() = Some(Work { what: name.to_owned(), total: None, done: 0, since, asides: 0, bar: None });
        let (end, ended) = channel();
        let drawing = thread::Builder::new().name("progress".into()).spawn(move || {
            while let Err(RecvTimeoutError::Timeout) = ended.recv_timeout(TICK) {
                draw();
            }
        });
        // without a thread to draw it there is no bar
        Self { drawing: drawing.ok().map(|drawing| (end, drawing)) }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some((end, drawing)) = self.drawing.take() {
            drop(end);
            let _ = drawing.join();
        }
        if let Some(bar) = work().take().and_then(|work| work.bar) {
            bar.finish_and_clear();
        }
    }
}

/// Says what is counted from now on, and how much of it there will be.
pub(crate) fn count(what: &str, total: Option<usize>) {
    if let Some(work) = work().as_mut() {
        work.what = what.to_owned();
        work.total = total.and_then(|total| u64::try_from(total).ok());
        work.done = 0;
        if let Some(bar) = work.bar.take() {
            bar.finish_and_clear();
        }
    }
}

/// Counts one step.
pub(crate) fn step() {
    if let Some(work) = work().as_mut() {
        work.done = work.done.saturating_add(1);
    }
}

/// Returns the connection to the command that started this process: no command did.
pub(crate) fn starter() -> Option<io::Stdout> {
    None
}

/// Does something that uses the terminal itself; the bar is not drawn meanwhile.
pub(crate) fn aside<T>(act: impl FnOnce() -> T) -> T {
    if let Some(work) = work().as_mut() {
        work.asides = work.asides.saturating_add(1);
        if let Some(bar) = work.bar.take() {
            bar.finish_and_clear();
        }
    }
    let done = act();
    if let Some(work) = work().as_mut() {
        work.asides = work.asides.saturating_sub(1);
        work.since = Instant::now();
    }
    done
}

/// Does something while another process uses the terminal.
pub(crate) fn yielding(act: &mut dyn FnMut()) {
    aside(act);
}

fn draw() {
    let mut work = work();
    let Some(work) = work.as_mut() else { return };
    if work.asides > 0 || work.since.elapsed() < PATIENCE {
        return;
    }
    let (what, total) = (&work.what, work.total);
    let bar = work.bar.get_or_insert_with(|| new_bar(what, total));
    bar.set_position(work.done);
    if work.total.is_none() && work.done > 0 {
        bar.set_message(format!("{}: {}", work.what, work.done));
    }
    bar.tick();
}

fn new_bar(what: &str, total: Option<u64>) -> ProgressBar {
    let template = match total {
        Some(_) => "{msg} [{bar:30}] {pos}/{len} {eta}",
        None => "{spinner} {msg} {elapsed}",
    };
    let bar = ProgressBar::with_draw_target(total, ProgressDrawTarget::stderr());
    let style = ProgressStyle::with_template(template);
    let style = style.unwrap_or_else(|_| ProgressStyle::default_bar());
    bar.set_style(style.progress_chars("=> ").tick_chars("|/-\\ "));
    bar.set_message(what.to_owned());
    bar
}
