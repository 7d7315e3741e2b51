//! Looks for new files, and replaces the snapshot when something has changed.
use super::delegate::DelegatedResponder;
use super::faults::{MARK, report, unusable};
use super::file_version::FileVersion;
use super::floor::Floors;
use super::known_responders::KnownResponders;
use super::public_files::{PublicFiles, PublicKind, ServedFile};
use super::responder_files::ResponderFiles;
use super::served::{ServedStatus, Terms};
use super::snapshot::{ServedIssuer, Snapshot};
use super::watch::Watch;
use crate::error::Reason;
use crate::status::{PublishedAuthority, StatusError, StatusReader};
use crate::x509::{CrlReason, IssuerId, SerialNumber, UnixTime};
use arc_swap::ArcSwap;
use std::collections::{BTreeMap, HashMap};
use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::sync::Arc;

/// Seconds for which a replaced file stays in memory, for clients that are still fetching it.
const FORMER: i64 = 60;

/// Seconds after which a published status whose files are not all there counts as a fault. A copy to another host takes
/// them one after the other.
const COPYING: i64 = 10;

/// Keeps a snapshot up to date with the files that it is made from.
///
/// The snapshot has no status while the published status cannot be read: the status that was read before may be
/// outdated (O13). While a file is missing that the manifest names, as it is during a copy from another host, the status
/// that was read before stays in use, as long as it is not too old. So does a file of answers when the one that came after it
/// cannot be used. Any other file that cannot be used changes nothing: the one loaded before stays until it lapses.
/// Each fault is logged once.
///
/// Neither a status with an earlier change number nor a CRL with a lower number than the one loaded before is taken
/// up. Such a refusal is logged once and listed in the snapshot.
pub(crate) struct Reloader<S: ServedStatus> {
    source: S,
    responder_files: ResponderFiles,
    public_files: PublicFiles,
    current: Arc<ArcSwap<Snapshot>>,
    view: Option<Arc<S::View>>,
    unreadable_since: Option<UnixTime>,
    incomplete_since: Option<UnixTime>,
    responders: HashMap<IssuerId, KnownResponders>,
    files: HashMap<String, (Option<FileVersion>, Option<Arc<ServedFile>>)>,
    /// The file that the newest replaced, and the time of the replacement, for clients that are still fetching it.
    former: HashMap<String, (Arc<ServedFile>, UnixTime)>,
    faults: BTreeMap<String, String>,
    /// The published status that was refused last.
    refused: Option<S::View>,
    floors: Floors,
    refusals: BTreeMap<String, String>,
    /// What tells of changes between two polls; `None` where the system has none.
    watch: Option<Watch>,
}

impl<S: ServedStatus> Reloader<S> {
    /// Loads everything for the first time. What cannot be read yet is tried again at every poll.
    #[must_use]
    pub(crate) fn new(
        source: S,
        responder_files: ResponderFiles,
        public_files: PublicFiles,
        now: UnixTime,
    ) -> Self {
        let mut reloader = Self {
            source,
            responder_files,
            public_files,
            current: Arc::new(ArcSwap::from_pointee(Snapshot::unreadable(now))),
            view: None,
            unreadable_since: None,
            incomplete_since: None,
            responders: HashMap::new(),
            files: HashMap::new(),
            former: HashMap::new(),
            faults: BTreeMap::new(),
            refused: None,
            floors: Floors::default(),
            refusals: BTreeMap::new(),
            watch: None,
        };
        reloader.poll(now);
        reloader
    }

    /// Has the system tell of changes from now on, of files that the next poll finds. Returns the descriptor that tells.
    ///
    /// # Errors
    /// When the system has none: then changes show at the next poll.
    pub(crate) fn watch(&mut self) -> io::Result<OwnedFd> {
        let watch = Watch::new()?;
        let descriptor = watch.descriptor()?;
        self.watch = Some(watch);
        Ok(descriptor)
    }

    /// Returns the status that is in use; `None` without one.
    #[must_use]
    pub(crate) fn view(&self) -> Option<&Arc<S::View>> {
        self.view.as_ref()
    }

    /// Returns the shared snapshot, which later polls replace.
    #[must_use]
    pub(crate) fn current(&self) -> Arc<ArcSwap<Snapshot>> {
        Arc::clone(&self.current)
    }

    /// Looks for changes, and replaces the snapshot when there are some. Returns whether it was replaced.
    pub(crate) fn poll(&mut self, now: UnixTime) -> bool {
        let (faults, refusals) = (self.faults.clone(), self.refusals.clone());
        self.former.retain(|_, (_, since)| (since.0..since.0.saturating_add(FORMER)).contains(&now.0));
        let is_new = self.poll_status(now);
        if self.view.as_ref().is_some_and(|view| view.is_damaged()) {
            let fault = "a part of the published status is damaged, and is not answered from until the CA publishes \
                         it anew";
            self.faults.entry("status".to_owned()).or_insert_with(|| fault.to_owned());
        }
        let mut changed = is_new;
        let authorities: Vec<PublishedAuthority> =
            self.view.iter().flat_map(|view| view.authorities()).cloned().collect();
        if let Some(watch) = &mut self.watch {
            // before the looks, so that what changes after them is told
            let status = self.source.directory().into_iter().chain([self.public_files.directory()]);
            let responders = self.responder_files.directories(&authorities);
            watch.follow(status.map(Path::to_owned).chain(responders));
        }
        for authority in &authorities {
            changed |= self.poll_responders(authority, now);
            for kind in PublicKind::ALL {
                changed |= self.poll_file(kind, authority, now);
            }
        }
        self.compare(&authorities, is_new);
        match self.view.as_ref().map(|view| self.source.remember(view)) {
            Some(Err(fault)) => self.faults.insert(MARK.to_owned(), fault),
            _ => self.faults.remove(MARK),
        };
        report(&faults, &self.faults);
        report(&refusals, &self.refusals);
        changed |= faults != self.faults || refusals != self.refusals;
        if changed {
            self.current.store(Arc::new(self.snapshot(&authorities)));
        }
        changed
    }

    /// Whether the published status differs from the loaded one. This check costs far less than a poll.
    #[must_use]
    pub(crate) fn is_behind(&self) -> bool {
        self.view.as_ref().is_none_or(|view| self.source.changed_since(view))
            && self.refused.as_ref().is_none_or(|refused| self.source.changed_since(refused))
    }

    fn poll_status(&mut self, now: UnixTime) -> bool {
        let key = "status".to_owned();
        if !self.is_behind() {
            if self.view.as_ref().is_some_and(|view| !self.source.changed_since(view)) {
                // the refused status is gone, and the loaded one is published again
                self.refused = None;
                self.refusals.remove(&key);
            }
            self.faults.remove(&key);
            self.incomplete_since = None;
            return self.unreadable_since.take().is_some();
        }
        self.refused = None;
        let is_listed = |one: &PublishedAuthority, serial: &SerialNumber| self.is_listed(one, serial);
        let opened = self.source.open_at(self.view.as_deref(), &Terms { now, is_listed: &is_listed });
        if !matches!(opened, Err(StatusError::Incomplete(_))) {
            self.incomplete_since = None;
        }
        match opened {
            Ok(view) if self.view.as_ref().is_some_and(|newest| view.change() < newest.change()) => {
                let newest = self.view.as_ref().map(|newest| newest.change()).unwrap_or_default();
                let refusal = format!(
                    "the published status is of change {}, earlier than {newest}, which stays in use",
                    view.change()
                );
                self.refusals.insert(key.clone(), refusal);
                self.refused = Some(view);
                self.faults.remove(&key);
                self.unreadable_since.take().is_some()
            }
            Ok(view) => {
                self.refusals.remove(&key);
                tracing::debug!(change = view.change(), time = %view.time(), "status loaded");
                self.view = Some(Arc::new(view));
                self.faults.remove(&key);
                self.unreadable_since = None;
                true
            }
            Err(error @ StatusError::Answers(_))
                if self.view.is_some() && self.unreadable_since.is_none() =>
            {
                self.faults.insert(key, format!("{error}; the former answers stay in use"));
                false
            }
            Err(error @ StatusError::Incomplete(_))
                if self.view.is_some() && self.unreadable_since.is_none() =>
            {
                let since = *self.incomplete_since.get_or_insert(now);
                if now.0.saturating_sub(since.0) >= COPYING {
                    self.faults.insert(key, format!("{error}; the former status stays in use"));
                }
                false
            }
            Err(error) => {
                self.faults.insert(key, format!("the published status cannot be read: {error}"));
                let has_been = self.unreadable_since.is_some();
                self.unreadable_since = self.unreadable_since.or(Some(now));
                !has_been
            }
        }
    }

    fn poll_responders(&mut self, authority: &PublishedAuthority, now: UnixTime) -> bool {
        let stamps = self.responder_files.stamps(authority);
        let key = format!("responder of {}", authority.name);
        let is_usable =
            |responders: &[Arc<DelegatedResponder>]| responders.iter().any(|one| one.is_valid(now));
        if let Some(known) = self.responders.get_mut(&authority.issuer)
            && known.stamps == stamps
        {
            if known.former.is_empty() || !is_usable(&known.loaded) {
                return known.turns(now);
            }
            // the time of the new certificate has come
            known.former.clear();
            self.faults.remove(&key);
            known.turns(now);
            tracing::info!(ca = authority.name, "the new responder certificate is valid, and in use");
            return true;
        }
        let (loaded, faults) = self.responder_files.load(authority);
        let before = self.responders.remove(&authority.issuer).unwrap_or_default();
        let is_withdrawn = loaded.is_empty() && faults.is_empty();
        let former: Vec<Arc<DelegatedResponder>> = match !is_withdrawn && !is_usable(&loaded) {
            true => before.all().filter(|one| one.is_valid(now)).cloned().collect(),
            false => Vec::new(),
        };
        if faults.is_empty() && former.is_empty() {
            self.faults.remove(&key);
        } else {
            let mut reasons: Vec<String> = faults.iter().map(ToString::to_string).collect();
            if let Some(begin) = loaded.iter().map(|one| one.certificate().tbs().validity().not_before).min()
                && begin > now
            {
                reasons.push(format!(
                    "the new responder certificate of {} is valid from {begin}",
                    authority.name
                ));
            }
            if !former.is_empty() {
                reasons.push(format!("the former responder certificate of {} stays in use", authority.name));
            }
            self.faults.insert(key, reasons.join("; "));
        }
        for responder in &loaded {
            let not_after = responder.certificate().tbs().validity().not_after;
            tracing::info!(ca = authority.name, %not_after, "responder certificate loaded");
        }
        self.responders.insert(authority.issuer, KnownResponders::new(stamps, loaded, former, now));
        true
    }

    fn poll_file(&mut self, kind: PublicKind, authority: &PublishedAuthority, now: UnixTime) -> bool {
        let name = kind.file_name(authority);
        let file_version = self.public_files.file_version(kind, authority);
        let known = self.files.get(&name);
        if known.is_some_and(|(known, _)| *known == file_version) {
            return false;
        }
        let before = known.and_then(|(_, file)| file.clone());
        // at most two versions of a file are in memory
        self.former.remove(&name);
        let loaded = match file_version {
            None => None,
            Some(_) => match self.public_files.load(kind, authority) {
                Ok(file) => match file
                    .follows(before.as_deref(), &authority.name)
                    .and_then(|()| self.takes(authority, &file))
                {
                    Ok(()) => Some(Arc::new(file)),
                    Err(refusal) => {
                        self.faults.remove(&name);
                        self.refusals.insert(name.clone(), refusal.into());
                        self.files.insert(name, (file_version, before));
                        return true;
                    }
                },
                Err(fault) => {
                    self.faults.insert(name.clone(), fault.into());
                    self.files.insert(name, (file_version, before));
                    return true;
                }
            },
        };
        self.faults.remove(&name);
        if let Some(before) = before {
            self.former.insert(name.clone(), (before, now));
        }
        self.refusals.remove(&name);
        self.files.insert(name, (file_version, loaded));
        true
    }

    /// Whether the newest verified CRL of a CA lists a certificate: the one loaded, or one that is to be loaded.
    fn is_listed(&self, authority: &PublishedAuthority, serial: &SerialNumber) -> bool {
        let version = self.public_files.file_version(PublicKind::Crl, authority);
        let known = self.files.get(&PublicKind::Crl.file_name(authority));
        let file = match known.is_some_and(|(known, _)| *known == version) {
            true => None,
            false => self.public_files.load(PublicKind::Crl, authority).ok(),
        };
        let lists =
            self.floors.list(&authority.issuer).cloned().into_iter().chain(file.and_then(|file| file.list));
        let entry = lists.max_by_key(|list| list.number()).and_then(|list| list.find(serial));
        entry.is_some_and(|entry| entry.reason != Some(CrlReason::RemoveFromCrl))
    }

    /// Takes a verified CRL as the newest of its CA.
    ///
    /// # Errors
    /// When the newest one has a higher number.
    fn takes(&mut self, authority: &PublishedAuthority, file: &ServedFile) -> Result<(), Reason> {
        let Some(list) = &file.list else { return Ok(()) };
        let (name, number) = (&authority.name, list.number());
        if let Some(newest) = self.floors.list(&authority.issuer).map(|newest| newest.number())
            && number < newest
        {
            return Err(format!(
                "the published CRL of {name} has number {number}, lower than {newest}, which stays in use"
            )
            .into());
        }
        self.floors.raise(authority.issuer, list);
        Ok(())
    }

    /// Compares the status with what the CRLs revoke.
    fn compare(&mut self, authorities: &[PublishedAuthority], is_new: bool) {
        // a CRL made after a newer status is not compared with the status before
        if self.unreadable_since.is_some() || self.is_behind() {
            return;
        }
        let Some(view) = &self.view else { return };
        self.floors.compare(view.as_ref(), is_new);
        for authority in authorities {
            let key = format!("status of {}", authority.name);
            // a file of answers has no states for the CAs above those that it is about
            let is_compared = authority.serves_ocsp || S::answers(view).is_none();
            match self.floors.contradiction(&authority.issuer, &authority.name).filter(|_| is_compared) {
                Some(contradiction) => self.refusals.insert(key, contradiction),
                None => self.refusals.remove(&key),
            };
        }
    }

    fn snapshot(&self, authorities: &[PublishedAuthority]) -> Snapshot {
        let answers = self.view.as_ref().and_then(S::answers);
        let issuers = authorities.iter().map(|authority| ServedIssuer {
            stored_until: answers.as_ref().and_then(|answers| answers.ends(&authority.issuer)),
            authority: authority.clone(),
            responders: self
                .responders
                .get(&authority.issuer)
                .map(|known| known.all().cloned().collect())
                .unwrap_or_default(),
            is_withdrawn: false,
        });
        let snapshot = match (&self.view, self.unreadable_since) {
            (Some(view), None) => Snapshot::new(Arc::<S::View>::clone(view), issuers.collect()),
            (_, since) => Snapshot::unreadable(since.unwrap_or_default()),
        };
        let names = authorities.iter().flat_map(|one| PublicKind::ALL.map(|kind| kind.file_name(one)));
        let files = names.filter_map(|name| {
            let file = self.files.get(&name)?.1.clone()?;
            Some((name, file))
        });
        snapshot
            .with_answers(answers)
            .with_files(files.collect())
            .with_faults(self.faults.values().cloned().collect())
            .with_unusable(unusable(&self.faults, self.unreadable_since.is_some()))
            .with_lists(self.floors.lists())
            .with_refusals(self.refusals.values().cloned().collect())
    }
}

#[cfg(test)]
#[path = "reload_tests.rs"]
mod tests;
