//! Comparison of the published status with the index.
use super::manifest::StatusManifest;
use super::publish::is_continued;
use super::snapshot::StatusSnapshot;
use super::{PublishedAuthority, StatusDirectory, StatusError, StatusReader, StatusSource as _};
use crate::index::{CertificateState, IndexReader, is_final};
use crate::x509::{CertificateId, UnixTime};
use std::path::Path;

/// Bound of the certificates that are listed for each kind of difference.
const NAMED: usize = 20;

/// Result of a comparison of the published status with the index. Up to 20 certificates of each kind are
/// listed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct StatusComparison {
    /// When the published status was last confirmed.
    pub time: UnixTime,
    /// Whether the published status includes the latest change.
    pub is_current: bool,
    /// Number of certificates that were compared.
    pub compared: u64,
    /// Certificates whose published status differs from the record, except for changes since the publication.
    pub differing: Vec<CertificateId>,
    /// Certificates that are published as permanently revoked and are not so on record: the index has lost a
    /// revocation.
    pub lost: Vec<CertificateId>,
    /// CAs that are published otherwise than they are on record, except for changes since the publication.
    pub authorities: Vec<String>,
}

pub(super) fn compare(path: &Path, index: &dyn IndexReader) -> Result<StatusComparison, StatusError> {
    let snapshot = StatusDirectory::new(path).open(None)?;
    // A status that a restore took over has change numbers of another index.
    let continued = match StatusManifest::read(path)? {
        Some((manifest, _)) => is_continued(index, &manifest)?,
        None => true,
    };
    let change = if continued { snapshot.change() } else { 0 };
    let mut comparison = StatusComparison {
        time: snapshot.time(),
        is_current: index.change_number()? == change,
        compared: 0,
        differing: Vec::new(),
        lost: Vec::new(),
        authorities: authorities(&snapshot, index, change)?,
    };
    let mut matched: u64 = 0;
    let mut failed = Ok(());
    index.status_rows(0, &mut |row| {
        if failed.is_err() {
            return;
        }
        comparison.compared = comparison.compared.saturating_add(1);
        match snapshot.status(&row.id) {
            Ok(Some(published)) => {
                matched = matched.saturating_add(1);
                if published == row.state {
                    return;
                }
                if is_final(&published) && !matches!(row.state, CertificateState::Revoked(_)) {
                    name(&mut comparison.lost, row.id);
                } else if row.change <= change {
                    name(&mut comparison.differing, row.id);
                }
            }
            Ok(None) if row.change <= change => name(&mut comparison.differing, row.id),
            Ok(None) => {}
            Err(error) => failed = Err(error),
        }
    })?;
    failed?;
    if matched < count(&snapshot)? {
        unknown(&snapshot, index, &mut comparison)?;
    }
    Ok(comparison)
}

fn count(snapshot: &StatusSnapshot) -> Result<u64, StatusError> {
    let mut count: u64 = 0;
    snapshot.for_each(&mut |_, _| count = count.saturating_add(1))?;
    Ok(count)
}

/// Adds certificates that are published and not on record.
fn unknown(
    snapshot: &StatusSnapshot,
    index: &dyn IndexReader,
    comparison: &mut StatusComparison,
) -> Result<(), StatusError> {
    let mut failed = Ok(());
    snapshot.for_each(&mut |id, state| match index.status(&id) {
        Ok(None) if is_final(&state) => name(&mut comparison.lost, id),
        Ok(None) => name(&mut comparison.differing, id),
        Ok(Some(_)) => {}
        Err(error) => failed = Err(error),
    })?;
    Ok(failed?)
}

fn name(list: &mut Vec<CertificateId>, id: CertificateId) {
    if list.len() < NAMED && !list.contains(&id) {
        list.push(id);
    }
}

/// Returns the CAs that differ. CAs that were added since the publication do not count.
fn authorities(
    snapshot: &StatusSnapshot,
    index: &dyn IndexReader,
    change: u64,
) -> Result<Vec<String>, StatusError> {
    let is_current = index.change_number()? == change;
    let on_record = index.authorities()?;
    let mut differing = Vec::new();
    for authority in &on_record {
        let published = snapshot.authorities().iter().find(|one| one.name == authority.name);
        let expected =
            PublishedAuthority::of(authority, &on_record, index.names_of_issuer(&authority.issuer)?);
        if is_current && published != Some(&expected) {
            differing.push(authority.name.clone());
        }
    }
    for published in snapshot.authorities() {
        if !on_record.iter().any(|authority| authority.name == published.name) {
            differing.push(published.name.clone());
        }
    }
    Ok(differing)
}
