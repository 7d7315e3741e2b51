//! What is published, against the index.
use super::StatusDirectory;
use super::manifest::Manifest;
use super::publish::is_continued;
use super::snapshot::StatusSnapshot;
use crate::index::{
    CertificateState, IndexError, IndexReader, PublishedAuthority, StatusComparison, StatusReader, is_final,
};
use crate::x509::CertificateId;
use std::path::Path;

/// How many certificates are named.
const NAMED: usize = 20;

pub(super) fn compare(path: &Path, index: &dyn IndexReader) -> Result<StatusComparison, IndexError> {
    let snapshot = StatusDirectory::new(path).open(None)?;
    // one that a restore took over counts changes otherwise than this index
    let continued = match Manifest::read(path)? {
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

fn count(snapshot: &StatusSnapshot) -> Result<u64, IndexError> {
    let mut count: u64 = 0;
    snapshot.for_each(&mut |_, _| count = count.saturating_add(1))?;
    Ok(count)
}

/// What is published and not on record at all.
fn unknown(
    snapshot: &StatusSnapshot,
    index: &dyn IndexReader,
    comparison: &mut StatusComparison,
) -> Result<(), IndexError> {
    let mut failed = Ok(());
    snapshot.for_each(&mut |id, state| match index.status(&id) {
        Ok(None) if is_final(&state) => name(&mut comparison.lost, id),
        Ok(None) => name(&mut comparison.differing, id),
        Ok(Some(_)) => {}
        Err(error) => failed = Err(error),
    })?;
    failed
}

fn name(list: &mut Vec<CertificateId>, id: CertificateId) {
    if list.len() < NAMED && !list.contains(&id) {
        list.push(id);
    }
}

/// CAs that differ; those that were added since do not count.
fn authorities(
    snapshot: &StatusSnapshot,
    index: &dyn IndexReader,
    change: u64,
) -> Result<Vec<String>, IndexError> {
    let is_current = index.change_number()? == change;
    let on_record = index.authorities()?;
    let mut differing = Vec::new();
    for authority in &on_record {
        let published = snapshot.authorities().iter().find(|one| one.name == authority.name);
        // files of before names were compared do not say how they are written
        let says_names = published.is_some_and(|one| !one.names.is_empty());
        let names = if says_names { index.names_of_issuer(&authority.issuer)? } else { Vec::new() };
        let mut expected = PublishedAuthority::of(authority, &on_record, names);
        // a file of an earlier version does not say when one retires
        expected.retires = expected.retires.filter(|_| published.is_some_and(|one| one.retires.is_some()));
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
