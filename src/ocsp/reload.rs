//! Looking for new files, and swapping the snapshot when there are some.
use super::delegate::DelegatedResponder;
use super::floor::Floors;
use super::public_files::{PublicFile, PublicFiles, PublicKind};
use super::responder_files::{ResponderFiles, Stamps};
use super::snapshot::{ServedIssuer, Snapshot};
use super::stamp::Stamp;
use crate::error::Reason;
use crate::status::{PublishedAuthority, StatusReader, StatusSource};
use crate::x509::{IssuerId, UnixTime};
use arc_swap::ArcSwap;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// For how long a file is kept, in seconds, when there is a newer one.
const FORMER: i64 = 60;

/// Keeps a snapshot up to date with the files it is made from.
///
/// While the published status cannot be read there is none: the one that was read before may be wrong by now
/// (O13). Of other files, one that cannot be used changes nothing: what was loaded before stays until it
/// lapses. The fault is logged once.
///
/// Nothing goes back: neither to a status of an earlier change nor to a CRL of a lower number than what was taken up
/// before. What is refused for that is logged once, and said in the snapshot.
pub(crate) struct Reloader<S: StatusSource> {
    source: S,
    responder_files: ResponderFiles,
    public_files: PublicFiles,
    current: Arc<ArcSwap<Snapshot>>,
    view: Option<Arc<S::View>>,
    unreadable_since: Option<UnixTime>,
    responders: HashMap<IssuerId, (Stamps, Vec<Arc<DelegatedResponder>>)>,
    files: HashMap<String, (Option<Stamp>, Option<Arc<PublicFile>>)>,
    /// What the newest took the place of, and when: for clients that are fetching it.
    former: HashMap<String, (Arc<PublicFile>, UnixTime)>,
    faults: BTreeMap<String, String>,
    /// The published status that was refused last.
    refused: Option<S::View>,
    floors: Floors,
    refusals: BTreeMap<String, String>,
}

impl<S: StatusSource> Reloader<S> {
    /// Loads for the first time; what cannot be read yet is looked for again at every poll.
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
            responders: HashMap::new(),
            files: HashMap::new(),
            former: HashMap::new(),
            faults: BTreeMap::new(),
            refused: None,
            floors: Floors::default(),
            refusals: BTreeMap::new(),
        };
        reloader.poll(now);
        reloader
    }

    /// The snapshot as it is swapped.
    #[must_use]
    pub(crate) fn current(&self) -> Arc<ArcSwap<Snapshot>> {
        Arc::clone(&self.current)
    }

    /// Looks whether something has changed, and swaps the snapshot when it has; returns whether it did.
    pub(crate) fn poll(&mut self, now: UnixTime) -> bool {
        let (faults, refusals) = (self.faults.clone(), self.refusals.clone());
        self.former.retain(|_, (_, since)| (since.0..since.0.saturating_add(FORMER)).contains(&now.0));
        let is_new = self.poll_status(now);
        let mut changed = is_new;
        let authorities: Vec<PublishedAuthority> =
            self.view.iter().flat_map(|view| view.authorities()).cloned().collect();
        for authority in &authorities {
            changed |= self.poll_responders(authority, now);
            for kind in PublicKind::ALL {
                changed |= self.poll_file(kind, authority, now);
            }
        }
        self.compare(&authorities, is_new);
        report(&faults, &self.faults);
        report(&refusals, &self.refusals);
        changed |= faults != self.faults || refusals != self.refusals;
        if changed {
            self.current.store(Arc::new(self.snapshot(&authorities)));
        }
        changed
    }

    /// Whether other status is published than what is loaded; costs far less than a poll.
    #[must_use]
    pub(crate) fn is_behind(&self) -> bool {
        self.view.as_ref().is_none_or(|view| self.source.changed_since(view))
            && self.refused.as_ref().is_none_or(|refused| self.source.changed_since(refused))
    }

    fn poll_status(&mut self, now: UnixTime) -> bool {
        let key = "status".to_owned();
        if !self.is_behind() {
            if self.view.as_ref().is_some_and(|view| !self.source.changed_since(view)) {
                // what was refused is gone, and what is loaded is back in its place
                self.refused = None;
                self.refusals.remove(&key);
            }
            self.faults.remove(&key);
            return self.unreadable_since.take().is_some();
        }
        self.refused = None;
        let opened = self.source.open(self.view.as_deref());
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
        let known = self.responders.get(&authority.issuer);
        if known.is_some_and(|(known, _)| *known == stamps) {
            return false;
        }
        let (loaded, faults) = self.responder_files.load(authority);
        let before = known.map(|(_, responders)| responders.clone()).unwrap_or_default();
        let is_usable =
            |responders: &[Arc<DelegatedResponder>]| responders.iter().any(|one| one.is_valid(now));
        let is_withdrawn = loaded.is_empty() && faults.is_empty();
        let keeps = !is_withdrawn && !is_usable(&loaded) && is_usable(&before);
        let key = format!("responder of {}", authority.name);
        if faults.is_empty() && !keeps {
            self.faults.remove(&key);
        } else {
            let mut reasons: Vec<String> = faults.iter().map(ToString::to_string).collect();
            if keeps {
                reasons.push(format!("the former responder certificate of {} stays in use", authority.name));
            }
            self.faults.insert(key, reasons.join("; "));
        }
        for responder in &loaded {
            let not_after = responder.certificate().tbs().validity().not_after;
            tracing::info!(ca = authority.name, %not_after, "responder certificate loaded");
        }
        self.responders.insert(authority.issuer, (stamps, if keeps { before } else { loaded }));
        true
    }

    fn poll_file(&mut self, kind: PublicKind, authority: &PublishedAuthority, now: UnixTime) -> bool {
        let name = kind.file_name(authority);
        let stamp = self.public_files.stamp(kind, authority);
        let known = self.files.get(&name);
        if known.is_some_and(|(known, _)| *known == stamp) {
            return false;
        }
        let before = known.and_then(|(_, file)| file.clone());
        // never three of them at once
        self.former.remove(&name);
        let loaded = match stamp {
            None => None,
            Some(_) => match self.public_files.load(kind, authority) {
                Ok(file) => match self.takes(authority, &file) {
                    Ok(()) => Some(Arc::new(file)),
                    Err(refusal) => {
                        self.faults.remove(&name);
                        self.refusals.insert(name.clone(), refusal.into());
                        self.files.insert(name, (stamp, before));
                        return true;
                    }
                },
                Err(fault) => {
                    self.faults.insert(name.clone(), fault.into());
                    self.files.insert(name, (stamp, before));
                    return true;
                }
            },
        };
        self.faults.remove(&name);
        if let Some(before) = before {
            self.former.insert(name.clone(), (before, now));
        }
        self.refusals.remove(&name);
        self.files.insert(name, (stamp, loaded));
        true
    }

    /// Takes a list that was verified for the CA's newest, unless that has a higher number.
    fn takes(&mut self, authority: &PublishedAuthority, file: &PublicFile) -> Result<(), Reason> {
        let Some(list) = &file.list else { return Ok(()) };
        if let Some(newest) = self.floors.list(&authority.issuer).map(|newest| newest.number())
            && list.number() < newest
        {
            return Err(format!(
                "the published CRL of {} has number {}, lower than {newest}, which stays in use",
                authority.name,
                list.number()
            )
            .into());
        }
        self.floors.raise(authority.issuer, list);
        Ok(())
    }

    /// Looks whether the status has as revoked what the lists have.
    fn compare(&mut self, authorities: &[PublishedAuthority], is_new: bool) {
        // a list that was made after a newer status is not compared with the one before
        if self.unreadable_since.is_some() || self.is_behind() {
            return;
        }
        let Some(view) = &self.view else { return };
        self.floors.compare(view.as_ref(), is_new);
        for authority in authorities {
            let key = format!("status of {}", authority.name);
            match self.floors.contradiction(&authority.issuer, &authority.name) {
                Some(contradiction) => self.refusals.insert(key, contradiction),
                None => self.refusals.remove(&key),
            };
        }
    }

    fn snapshot(&self, authorities: &[PublishedAuthority]) -> Snapshot {
        let issuers = authorities.iter().map(|authority| ServedIssuer {
            authority: authority.clone(),
            responders: self
                .responders
                .get(&authority.issuer)
                .map(|known| known.1.clone())
                .unwrap_or_default(),
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
            .with_files(files.collect())
            .with_faults(self.faults.values().cloned().collect())
            .with_lists(self.floors.lists())
            .with_refusals(self.refusals.values().cloned().collect())
    }
}

/// Says once what has come and what has gone.
fn report(before: &BTreeMap<String, String>, now: &BTreeMap<String, String>) {
    for (what, fault) in now.iter().filter(|(what, fault)| before.get(*what) != Some(*fault)) {
        tracing::error!(what, "{fault}");
    }
    for what in before.keys().filter(|what| !now.contains_key(*what)) {
        tracing::info!(what, "mended");
    }
}

#[cfg(test)]
#[path = "reload_tests.rs"]
mod tests;
