//! The engine: the parts that the use cases work with.
use super::hierarchy::Loaded;
use super::{CaSettings, ClockWatch, CommandPurpose, DiskReserve, HeldReserve, Hierarchy};
use crate::audit::{Actor, AuditEvent, COMMAND, Outcome};
use crate::clock::Clock;
use crate::error::Problem;
use crate::index::{Authority, Index, IndexReader};
use crate::repository::Publisher;
use crate::signing::{CaKeys, KeyRef};
use crate::status::{CrlMarks, SignedCrls, StatusPublisher};
use crate::x509::extension::CrlNumber;
use crate::x509::{SerialNumber, UnixTime};
use std::sync::{Arc, Mutex, PoisonError};

/// Generates serial numbers.
pub(crate) trait SerialSource: Send + Sync {
    /// Returns a fresh serial number with 128 random bits.
    ///
    /// # Errors
    /// When the system's random generator fails.
    fn serial_number(&self) -> Result<SerialNumber, Problem>;
}

/// The parts of an [`Engine`].
pub(crate) struct EngineParts {
    /// The index.
    pub(crate) index: Arc<dyn Index>,
    /// The keys, which ask for their passphrases themselves.
    pub(crate) keys: Arc<dyn CaKeys>,
    /// Publishes certificates and CRLs.
    pub(crate) publisher: Arc<dyn Publisher>,
    /// Publishes certificate statuses for responders.
    pub(crate) status: Arc<dyn StatusPublisher>,
    /// The clock.
    pub(crate) clock: Arc<dyn Clock>,
    /// Who confirms a clock that is far from the last confirmed time.
    pub(crate) watch: Arc<ClockWatch>,
    /// The source of serial numbers.
    pub(crate) serials: Arc<dyn SerialSource>,
    /// Profiles and settings.
    pub(crate) settings: Arc<CaSettings>,
    /// The disk space that is reserved for revocation.
    pub(crate) reserve: Arc<dyn DiskReserve>,
    /// The actor that audit events name.
    pub(crate) actor: Actor,
}

/// The CRL number marks that the key store keeps.
impl CrlMarks for Arc<dyn CaKeys> {
    fn mark(&self, authority: &Authority) -> Option<CrlNumber> {
        self.as_ref().mark(&KeyRef::of(authority)).ok()?.number
    }
}

/// A CA home in use: index, keys, files, clock and settings, and the use cases over them. A holder of an
/// engine can run the use cases and nothing else: neither the keys nor the index can be used around them.
///
/// ```compile_fail,E0616
/// fn parts(engine: &genfic_ca::ca::Engine) {
///     let _ = &engine.parts;
/// }
/// ```
///
/// ```compile_fail,E0624
/// fn keys(engine: &genfic_ca::ca::Engine) {
///     let _ = engine.keys();
/// }
/// ```
///
/// The record can be read:
///
/// ```
/// fn head(engine: &genfic_ca::ca::Engine) -> Option<u64> {
///     engine.record().audit_head().ok().map(|head| head.sequence)
/// }
/// ```
pub struct Engine {
    parts: EngineParts,
    hierarchy: Loaded,
    step: fn(),
    /// The command that runs, until its first event names it.
    command: Mutex<Option<String>>,
}

impl Engine {
    /// Makes an engine of its parts.
    #[must_use]
    pub(crate) fn new(parts: EngineParts) -> Self {
        Self { parts, hierarchy: Loaded::default(), step: || (), command: Mutex::default() }
    }

    /// Returns the engine with a function that it calls after each step of what takes long: a certificate signed or
    /// revoked. It is called from any thread.
    #[must_use]
    pub fn counting(self, step: fn()) -> Self {
        Self { step, ..self }
    }

    /// The CAs on record.
    #[must_use]
    pub fn hierarchy(&self) -> Hierarchy<'_> {
        Hierarchy::with(self.index(), self.hierarchy.clone())
    }

    /// The index, for reading.
    #[must_use]
    pub fn record(&self) -> &dyn IndexReader {
        self.index()
    }

    /// Profiles and settings.
    #[must_use]
    pub fn settings(&self) -> &CaSettings {
        &self.parts.settings
    }

    /// The time of the system clock.
    #[must_use]
    pub fn now(&self) -> UnixTime {
        self.parts.clock.now()
    }

    pub(super) fn index(&self) -> &dyn Index {
        self.parts.index.as_ref()
    }

    pub(super) fn keys(&self) -> &dyn CaKeys {
        self.parts.keys.as_ref()
    }

    pub(super) fn publisher(&self) -> &dyn Publisher {
        self.parts.publisher.as_ref()
    }

    /// CRLs and CRL numbers that are kept outside the index.
    pub(super) fn signed(&self) -> SignedCrls<'_> {
        SignedCrls { lists: self.publisher(), marks: &self.parts.keys }
    }

    pub(super) fn status(&self) -> &dyn StatusPublisher {
        self.parts.status.as_ref()
    }

    pub(super) fn clock(&self) -> &dyn Clock {
        self.parts.clock.as_ref()
    }

    pub(super) fn watch(&self) -> &ClockWatch {
        &self.parts.watch
    }

    pub(super) fn serials(&self) -> &dyn SerialSource {
        self.parts.serials.as_ref()
    }

    pub(super) fn actor(&self) -> &Actor {
        &self.parts.actor
    }

    pub(super) fn step(&self) {
        (self.step)();
    }

    pub(super) fn find_reserve(&self, purpose: CommandPurpose) -> Result<HeldReserve, Problem> {
        self.parts.reserve.find(purpose)
    }

    /// Has the next event name the command that begins. [`Engine::run`] does it for what it runs.
    pub fn begin_act(&self, command: &str) {
        *self.command.lock().unwrap_or_else(PoisonError::into_inner) = Some(command.to_owned());
    }

    /// Returns an event of now. The first one of a command names it, so that the records of one command can be told
    /// from those of the next ([`crate::audit::Acts`]).
    pub(super) fn event(&self, at: UnixTime, action: &str, object: impl Into<String>) -> AuditEvent {
        let mut event = event(self.actor(), at, action, object);
        let command = self.command.lock().unwrap_or_else(PoisonError::into_inner).take();
        event.details.extend(command.map(|command| (COMMAND.to_owned(), command)));
        event
    }
}

pub(super) fn event(actor: &Actor, at: UnixTime, action: &str, object: impl Into<String>) -> AuditEvent {
    AuditEvent {
        at,
        actor: actor.clone(),
        action: action.into(),
        object: object.into(),
        outcome: Outcome::Done,
        details: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::Engine;

    #[test]
    fn an_engine_can_be_held_by_a_server_and_used_from_many_threads() {
        fn shared<T: Send + Sync + 'static>() {}
        shared::<Engine>();
    }
}
