//! Everything the responder answers from at one moment; swapped as a whole when a file has changed.
use super::cert_id::{CertId, HashAlgorithm, issuer_hashes};
use super::delegate::DelegatedResponder;
use super::public_files::PublicFile;
use super::status::{PublishedAuthority, PublishedStatus};
use crate::x509::UnixTime;
use std::collections::HashMap;
use std::sync::Arc;

/// A CA and the responders it delegated to, the preferred one first.
#[derive(Clone, Debug)]
pub struct ServedIssuer {
    /// The CA.
    pub authority: PublishedAuthority,
    /// Its responders; may be empty or lapsed.
    pub responders: Vec<Arc<DelegatedResponder>>,
}

impl ServedIssuer {
    /// Whether OCSP is answered for it: it is to have a responder, or has one.
    #[must_use]
    pub fn is_served(&self) -> bool {
        self.authority.serves_ocsp || !self.responders.is_empty()
    }

    /// The responders whose certificates are valid at `now`.
    pub fn valid_responders(&self, now: UnixTime) -> impl Iterator<Item = &Arc<DelegatedResponder>> {
        self.responders.iter().filter(move |responder| responder.is_valid(now))
    }
}

/// Status, responders and public files as they stand together.
#[derive(Default)]
pub struct Snapshot {
    status: Option<Arc<dyn PublishedStatus>>,
    unreadable_since: Option<UnixTime>,
    issuers: Vec<ServedIssuer>,
    by_hashes: HashMap<(HashAlgorithm, Vec<u8>, Vec<u8>), usize>,
    files: HashMap<String, Arc<PublicFile>>,
    faults: Vec<String>,
}

impl Snapshot {
    /// Without a status, since this time.
    #[must_use]
    pub fn unreadable(since: UnixTime) -> Self {
        Self { unreadable_since: Some(since), ..Self::default() }
    }

    /// Of this status and these responders.
    #[must_use]
    pub fn new(status: Arc<dyn PublishedStatus>, issuers: Vec<ServedIssuer>) -> Self {
        let mut by_hashes = HashMap::new();
        for (at, issuer) in issuers.iter().enumerate() {
            for hash in HashAlgorithm::ALL {
                let tbs = issuer.authority.certificate.tbs();
                for name in issuer.authority.names.iter().chain([tbs.subject()]) {
                    let (name, key) = issuer_hashes(hash, name, tbs.public_key());
                    by_hashes.insert((hash, name, key), at);
                }
            }
        }
        Self { status: Some(status), issuers, by_hashes, ..Self::default() }
    }

    /// The same with these files, by file name.
    #[must_use]
    pub fn with_files(mut self, files: HashMap<String, Arc<PublicFile>>) -> Self {
        self.files = files;
        self
    }

    /// The same with what is wrong with files that were left aside for it, one sentence each.
    #[must_use]
    pub fn with_faults(mut self, faults: Vec<String>) -> Self {
        self.faults = faults;
        self
    }

    /// The status; `None` while it could not be read at all.
    #[must_use]
    pub fn status(&self) -> Option<&Arc<dyn PublishedStatus>> {
        self.status.as_ref()
    }

    /// Since when there is no status.
    #[must_use]
    pub fn unreadable_since(&self) -> Option<UnixTime> {
        self.unreadable_since
    }

    /// Every CA.
    #[must_use]
    pub fn issuers(&self) -> &[ServedIssuer] {
        &self.issuers
    }

    /// The CA that a CertID names, when it is served.
    #[must_use]
    pub fn issuer(&self, id: &CertId) -> Option<&ServedIssuer> {
        let (name, key) = (id.issuer_name_hash().to_vec(), id.issuer_key_hash().to_vec());
        let at = self.by_hashes.get(&(id.hash_algorithm()?, name, key))?;
        self.issuers.get(*at).filter(|issuer| issuer.is_served())
    }

    /// The public file of this name.
    #[must_use]
    pub fn file(&self, name: &str) -> Option<&Arc<PublicFile>> {
        self.files.get(name)
    }

    /// What is wrong with files that were left aside.
    #[must_use]
    pub fn faults(&self) -> &[String] {
        &self.faults
    }
}
