//! A script for tests: records the steps of an index, of keys and of a publisher in order, and makes chosen
//! steps fail.
use crate::home::WriteError;
use crate::index::memory::Watch;
use crate::index::{IndexError, IndexReader, StoreError};
use crate::status::{SignedCrls, StatusComparison, StatusDirectory, StatusError, StatusPublisher};
use crate::x509::UnixTime;
use std::io;
use std::sync::{Arc, Mutex};

/// Forwards methods to a field. A method with a named step records the step first, and fails when the script
/// says so.
macro_rules! forward {
    ($to:ident $check:ident;
     $($name:ident($($given:ident: $type:ty),*) $(-> $out:ty $(, $step:literal)?)?;)*) => {
        $(fn $name(&self, $($given: $type),*) $(-> $out)? {
            $($(self.script.$check($step)?;)?)?
            self.$to.$name($($given),*)
        })*
    };
}
pub(super) use forward;

/// The steps taken, in order, and the steps that are to fail.
#[derive(Clone, Default)]
pub(super) struct Script(Arc<Mutex<Scene>>);

type Interruption = Box<dyn FnOnce() + Send>;

#[derive(Default)]
struct Scene {
    steps: Vec<&'static str>,
    /// A step that is to fail, and how many times it still succeeds before.
    failing: Vec<(&'static str, usize)>,
    /// Names of the CAs that were read.
    read: Vec<String>,
    /// An action of another process before a step.
    before: Option<(&'static str, Interruption)>,
}

impl Script {
    /// Records a step; returns whether it is to fail.
    pub(super) fn fails(&self, step: &'static str) -> bool {
        let act = self.0.lock().unwrap().before.take_if(|(before, _)| *before == step);
        if let Some((_, act)) = act {
            act();
        }
        let mut script = self.0.lock().unwrap();
        script.steps.push(step);
        match script.failing.iter_mut().find(|(failing, _)| *failing == step) {
            Some((_, 0)) => true,
            Some((_, times)) => {
                *times -= 1;
                false
            }
            None => false,
        }
    }

    /// Whether this step is to fail from now on.
    pub(super) fn is_failing(&self, step: &'static str) -> bool {
        self.0.lock().unwrap().failing.contains(&(step, 0))
    }

    /// Makes these steps fail from now on, and no others.
    pub(super) fn fail(&self, steps: &[&'static str]) {
        self.0.lock().unwrap().failing = steps.iter().map(|step| (*step, 0)).collect();
    }

    /// Makes this step fail after it has succeeded `times` more times.
    pub(super) fn fail_after(&self, times: usize, step: &'static str) {
        self.0.lock().unwrap().failing = vec![(step, times)];
    }

    /// Runs `act`, as another process, before the step is next taken.
    pub(super) fn before(&self, step: &'static str, act: impl FnOnce() + Send + 'static) {
        self.0.lock().unwrap().before = Some((step, Box::new(act)));
    }

    /// Returns the steps since the last call.
    pub(super) fn steps(&self) -> Vec<&'static str> {
        std::mem::take(&mut self.0.lock().unwrap().steps)
    }

    /// Returns the names of the CAs that were read since the last call.
    pub(super) fn read(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap().read)
    }

    /// Records a step that fails with a full disk.
    pub(super) fn write(&self, step: &'static str) -> Result<(), WriteError> {
        let full = || WriteError { path: step.into(), source: io::Error::from(io::ErrorKind::StorageFull) };
        if self.fails(step) { Err(full()) } else { Ok(()) }
    }

    fn store(&self, step: &'static str) -> Result<(), StoreError> {
        if self.fails(step) { Err(StoreError::Backend(format!("{step} was made to fail"))) } else { Ok(()) }
    }
}

impl Watch for Script {
    fn writes(&self, method: &'static str) -> Result<(), IndexError> {
        let step = match method {
            "store_intents" => "intent",
            "record_issued" => "recorded",
            "next_crl_number" => "number",
            "store_crl" => "list",
            "record_crl_published" => "listed",
            "take_over" => "take over",
            "record_events" => "events",
            "transition" | "import" | "supplement" => method,
            // no test asks for other methods
            _ => return Ok(()),
        };
        Ok(self.store(step)?)
    }

    fn reads(&self, authority: &str) {
        self.0.lock().unwrap().read.push(authority.to_owned());
    }
}

pub(super) struct Status {
    pub(super) directory: StatusDirectory,
    pub(super) script: Script,
}

impl StatusPublisher for Status {
    forward! { directory store;
        publish_status(index: &dyn IndexReader, signed: SignedCrls<'_>, now: UnixTime) -> Result<(), StatusError>, "status";
        published_change() -> Result<Option<u64>, StatusError>;
        is_current(index: &dyn IndexReader) -> Result<bool, StatusError>;
        is_whole() -> Result<bool, StatusError>;
        check_continued(index: &dyn IndexReader, signed: SignedCrls<'_>) -> Result<(), StatusError>;
        confirmed() -> Result<Option<UnixTime>, StatusError>;
        compare(index: &dyn IndexReader) -> Result<StatusComparison, StatusError>;
        rebuild_status(index: &dyn IndexReader, signed: SignedCrls<'_>, now: UnixTime) -> Result<(), StatusError>;
    }
}
