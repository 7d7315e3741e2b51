//! A separate home for each test, with a clock that the test sets.
use super::faulty::{Script, Status};
use super::faulty_keys::Keys;
use super::faulty_publication::Publication;
use crate::audit::{Actor, AuditRecord, Verifier};
use crate::ca::{
    CaSettings, ClockWatch, CommandPurpose, DiskReserve, Engine, EngineParts, HeldReserve, IssuanceOutcome,
    IssuanceRequest, NewAuthority, SerialSource,
};
use crate::clock::Clock;
use crate::config::Config;
use crate::error::{Problem, Remedy};
use crate::home::{AuthorityName, Home, PublicFile};
use crate::index::memory::MemoryIndex;
use crate::index::sqlite::SqliteIndex;
use crate::index::{CertificateRecord, Index, Selector, StoredIndex};
use crate::profile::{Applicant, Profiles, RequestedValidity, RequestedValues, SHIPPED};
use crate::repository::HomeDirectory;
use crate::signing::{
    AgeFileStore, KeyError, Secret, SecretPurpose, SecretSource, SubscriberKey, random_serial,
};
use crate::status::{StatusDirectory, StatusPublisher, unmarked};
use crate::x509::extension::NameConstraints;
use crate::x509::{
    Certificate, CertificateList, CertificationRequest, GeneralName, KeyAlgorithm, Name, SerialNumber,
    UnixTime,
};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use tempfile::TempDir;

pub(super) use crate::testing::NOW;

pub(super) const DAY: i64 = UnixTime::DAY;

#[derive(Clone, Default)]
pub(super) struct Hands(Arc<AtomicI64>);

impl Hands {
    pub(super) fn advance(&self, seconds: i64) {
        self.0.fetch_add(seconds, Ordering::SeqCst);
    }
}

impl Clock for Hands {
    fn now(&self) -> UnixTime {
        UnixTime(self.0.load(Ordering::SeqCst))
    }
}

/// Gives the passphrase, and records each purpose that it was asked for.
#[derive(Default)]
pub(super) struct Custodian(Mutex<Vec<SecretPurpose>>);

impl SecretSource for Custodian {
    fn secret(&self, purpose: &SecretPurpose) -> Result<Secret, KeyError> {
        self.0.lock().unwrap().push(purpose.clone());
        Ok(Secret::new("correct horse battery staple".into()))
    }
}

/// A disk with space for everything.
struct Unlimited;

impl DiskReserve for Unlimited {
    fn find(&self, _: CommandPurpose) -> Result<HeldReserve, Problem> {
        Ok(Box::new(()))
    }
}

struct Random;

impl SerialSource for Random {
    fn serial_number(&self) -> Result<SerialNumber, Problem> {
        Ok(random_serial()?)
    }
}

pub(super) struct Fixture {
    pub(super) home: Home,
    pub(super) records: Arc<dyn Index>,
    /// The index in memory, when it is not in a file.
    pub(super) memory: Arc<MemoryIndex>,
    /// The index in a file, when it is in one.
    pub(super) file: Option<Arc<dyn StoredIndex>>,
    pub(super) keys: Arc<Keys>,
    pub(super) publication: Arc<Publication>,
    pub(super) status: Arc<Status>,
    pub(super) clock: Hands,
    /// A person confirms every clock, unless a test says otherwise.
    pub(super) watch: Arc<ClockWatch>,
    pub(super) custodian: Arc<Custodian>,
    pub(super) settings: CaSettings,
    pub(super) script: Script,
    config: String,
    directory: Arc<TempDir>,
}

impl Fixture {
    /// An empty home with this configuration, besides a URL and an organization.
    pub(super) fn with(config: &str) -> Self {
        Self::made(config, false)
    }

    fn made(config: &str, in_a_file: bool) -> Self {
        let directory = Arc::new(tempfile::tempdir().unwrap());
        let home = Home::at(directory.path().join("home"));
        home.create().unwrap();
        let file = in_a_file
            .then(|| -> Arc<dyn StoredIndex> { Arc::new(SqliteIndex::create(&home.index_file()).unwrap()) });
        let clock = Hands::default();
        clock.advance(NOW.0);
        let fixture = Self::opened(config, directory, &MemoryIndex::default(), file, clock);
        fixture.status.publish_status(&*fixture.records, unmarked(&HomeDirectory::new(home)), NOW).unwrap();
        fixture.script.steps();
        fixture
    }

    /// Another process in the same home, with the same clock.
    pub(super) fn another_process(&self) -> Self {
        let file = self.file.clone();
        Self::opened(&self.config, self.directory.clone(), &self.memory, file, self.clock.clone())
    }

    fn opened(
        config: &str,
        directory: Arc<TempDir>,
        memory: &MemoryIndex,
        file: Option<Arc<dyn StoredIndex>>,
        clock: Hands,
    ) -> Self {
        let home = Home::at(directory.path().join("home"));
        let text = format!("organization = {{ organization = 'Genfic' }}\n{config}");
        let parsed = Config::parse(&text).unwrap();
        let shipped = SHIPPED.iter().filter_map(|(file, text)| Some((file.strip_suffix(".toml")?, *text)));
        let script = Script::default();
        let memory = Arc::new(memory.watched(script.clone()));
        let records: Arc<dyn Index> = match &file {
            Some(file) => file.clone(),
            None => memory.clone(),
        };
        let status = StatusDirectory::new(&home.status_directory());
        let custodian = Arc::new(Custodian::default());
        let store = AgeFileStore::new(home.keys_directory(), 10, custodian.clone()).unwrap();
        Self {
            records,
            memory,
            file,
            keys: Arc::new(Keys { store, script: script.clone() }),
            publication: Arc::new(Publication {
                directory: HomeDirectory::new(home.clone()),
                script: script.clone(),
            }),
            status: Arc::new(Status { directory: status, script: script.clone() }),
            clock,
            watch: Arc::new(ClockWatch::attended(|_| true)),
            custodian,
            settings: CaSettings {
                config: parsed,
                profiles: Profiles::parse(shipped).unwrap(),
                compromised_keys: std::collections::HashSet::new(),
                takes_flawed_profiles: false,
            },
            script,
            home,
            config: config.into(),
            directory,
        }
    }

    pub(super) fn new() -> Self {
        Self::with("publication = { url = 'http://engine.example' }")
    }

    /// A home with a root and a system CA below it.
    pub(super) fn with_system_ca() -> Self {
        Self::new().and_system_ca()
    }

    /// The same with an index in a file, which tests can tamper with and copy; it does not fail on request.
    pub(super) fn with_system_ca_in_a_file() -> Self {
        Self::made("publication = { url = 'http://engine.example' }", true).and_system_ca()
    }

    fn and_system_ca(self) -> Self {
        self.root("genfic");
        self.child("genfic", "genfic-system", "system-ca");
        self.script.steps();
        self.asked();
        self
    }

    /// The index as another process has it: no step fails, and none is recorded.
    pub(super) fn external(&self) -> MemoryIndex {
        self.memory.unwatched()
    }

    pub(super) fn set(&self, now: UnixTime) {
        self.clock.0.store(now.0, Ordering::SeqCst);
    }

    pub(super) fn now(&self) -> UnixTime {
        self.clock.now()
    }

    pub(super) fn wait(&self, seconds: i64) {
        self.clock.advance(seconds);
    }

    pub(super) fn engine(&self) -> Engine {
        Engine::new(EngineParts {
            index: self.records.clone(),
            keys: self.keys.clone(),
            publisher: self.publication.clone(),
            status: self.status.clone(),
            clock: Arc::new(self.clock.clone()),
            watch: self.watch.clone(),
            serials: Arc::new(Random),
            settings: Arc::new(self.settings.clone()),
            reserve: Arc::new(Unlimited),
            actor: Actor::named("alice"),
        })
    }

    /// Returns the purposes that a passphrase was asked for since the last call.
    pub(super) fn asked(&self) -> Vec<SecretPurpose> {
        std::mem::take(&mut self.custodian.0.lock().unwrap())
    }

    pub(super) fn root(&self, name: &str) {
        self.engine().lifecycle().create_root(&new(name, "root-ca")).unwrap();
    }

    pub(super) fn child(&self, parent: &str, name: &str, profile: &str) {
        self.engine().lifecycle().create_child(parent, &new(name, profile)).unwrap();
    }

    /// Issues for these requests under the profile `system`, by the system CA.
    pub(super) fn issue(&self, requests: &[IssuanceRequest]) -> Result<IssuanceOutcome, Problem> {
        let engine = self.engine();
        engine.issuance().issue(&engine.issuance().unlock_issuer("genfic-system")?, "system", requests)
    }

    /// Issues one certificate for this host and returns its record.
    pub(super) fn issue_host(&self, host: &str) -> CertificateRecord {
        let issuance = self.issue(&[request(host)]).unwrap();
        assert!(issuance.refused.is_empty(), "{:?}", issuance.refused);
        self.record(host)
    }

    pub(super) fn record(&self, host: &str) -> CertificateRecord {
        let found = self.records.select(&Selector::Name(host.into()), 9).unwrap();
        assert_eq!(found.len(), 1, "{host}");
        found[0].clone()
    }

    pub(super) fn list(&self, name: &str) -> CertificateList {
        let published = HomeDirectory::new(self.home.clone());
        crate::repository::Publisher::published_crl(&published, name).unwrap().unwrap()
    }

    pub(super) fn publish(&self, name: &str) -> Result<crate::ca::PublishedCrl, Problem> {
        let engine = self.engine();
        engine.maintenance().publish_crl(name, &engine.maintenance().unlock_for_crl(name)?)
    }

    pub(super) fn public(&self, name: &str, file: PublicFile) -> std::path::PathBuf {
        self.home.public_file(&name.parse::<AuthorityName>().unwrap(), file)
    }

    pub(super) fn certificate(&self, name: &str) -> Certificate {
        self.records.authority(name).unwrap().unwrap().certificate
    }

    /// Returns all audit records, and checks their hash chain.
    pub(super) fn audit(&self) -> Vec<AuditRecord> {
        let mut verifier = Verifier::new(None);
        let mut all = Vec::new();
        self.records
            .audit_records(1, &mut |record| {
                verifier.check(&record).unwrap();
                all.push(record);
                true
            })
            .unwrap();
        all
    }

    /// Returns the actions on record, oldest first.
    pub(super) fn actions(&self) -> Vec<String> {
        self.audit().into_iter().map(|record| record.event.action).collect()
    }
}

pub(super) fn new(name: &str, profile: &str) -> NewAuthority {
    NewAuthority {
        keystore: crate::signing::Keystore::File,
        name: name.into(),
        profile: profile.into(),
        subject: None,
        key: Some(KeyAlgorithm::P256),
        validity: RequestedValidity::Default,
        name_constraints: NameConstraints::default(),
        ocsp: None,
        succeeds: None,
    }
}

/// A request for a host with this key.
pub(super) fn request_by(key: &SubscriberKey, host: &str) -> IssuanceRequest {
    let subject = Name::parse(&format!("CN={host}")).unwrap();
    let request = key.request(&subject, &[GeneralName::Dns(host.into())]).unwrap();
    let request = CertificationRequest::from_der(&request).unwrap().verified().unwrap();
    let values = RequestedValues { backdate: 3600, ..RequestedValues::default() };
    IssuanceRequest {
        label: host.into(),
        applicant: Applicant::from(&request),
        values,
        authority: None,
        renewal: None,
    }
}

/// A request for a host with a fresh key.
pub(super) fn request(host: &str) -> IssuanceRequest {
    request_by(&key(), host)
}

pub(super) fn key() -> SubscriberKey {
    SubscriberKey::generate(KeyAlgorithm::P256).unwrap()
}

/// Whether this is the last remedy of a problem.
pub(super) fn ends_with(problem: &Problem, last: impl Into<Remedy>) -> bool {
    let last = last.into();
    match &problem.hint {
        Remedy::Several(each) => each.last() == Some(&last),
        one => *one == last,
    }
}
