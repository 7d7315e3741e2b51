//! Publishes what has changed since the last publication: a group at the end of the delta or, when the delta is too
//! long, a new base that the former one and its delta are folded into.
use super::base::Base;
use super::base_writer::BaseWriter;
use super::changes::Changes;
use super::continuity::Continuity;
use super::delta::{Chain, Change};
use super::delta_file::{self, Delta};
use super::entry::{Entry, Serial};
use super::manifest::{FilePart, StatusFiles};
use super::publish::{Written, authorities, part_file};
use super::{StatusError, failed};
use crate::home::Aside;
use crate::index::{CertificateState, StatusRow, is_final};
use crate::x509::{CertificateId, IssuerId};
use base16ct::lower::encode_string as hex;
use std::collections::{BTreeMap, HashMap};

/// Octets of a base for each octet that its delta may have: a delta is folded when it is longer than a thirty-second of
/// its base, so that folding adds some 3 kB to what a change costs.
const SHARE: u64 = 32;
/// The shortest bound of a delta, 64 KiB, for small bases.
const LEAST: u64 = 64 << 10;
/// The longest bound of a delta, 4 MiB: it is in the memory of every responder.
const MOST: u64 = 4 << 20;

/// Bound of the changes that are held in memory, 200,000. With more a base is made from the index.
const HELD: usize = 200_000;

/// What was published and is continued.
struct Standing<'a> {
    files: &'a StatusFiles,
    /// The delta, and its octets; `None` when there is none that can be continued.
    delta: Option<(&'a FilePart, Chain, Vec<u8>)>,
    /// The change number that the published files have.
    since: u64,
}

/// Adds what has changed to the published files. Returns `None` when they cannot be continued.
pub(super) fn add(
    continuity: &Continuity<'_>,
    files: &StatusFiles,
    change: u64,
    asides: &mut Vec<Aside>,
) -> Result<Option<(StatusFiles, Written)>, StatusError> {
    let directory = continuity.directory;
    let delta = files.delta.as_ref().and_then(|part| {
        // A delta that cannot be read is made again from the changes since the base.
        let (chain, octets) = delta_file::prefix(directory, part).ok()?;
        (hex(&chain.over) == files.base.sha256).then_some((part, chain, octets))
    });
    let published = continuity.old.map_or(0, super::manifest::StatusManifest::change);
    let since = match &delta {
        None if files.delta.is_some() => match Base::open(directory, &files.base) {
            Ok(base) => base.change(),
            Err(_) => return Ok(None),
        },
        _ => published,
    };
    let standing = Standing { files, delta, since };
    let Some(rows) = changed(continuity, standing.since)? else { return Ok(None) };
    let is_open = |row: &&StatusRow| !is_final(&row.state);
    let below = if rows.iter().any(|row| is_open(&row)) { Below::open(continuity, &standing) } else { None };
    if let Some(below) = &below {
        let open: Vec<StatusRow> = rows.iter().filter(is_open).cloned().collect();
        if below.check(continuity, &open)?.is_none() {
            return Ok(None);
        }
    } else if rows.iter().any(|row| is_open(&row)) {
        return Ok(None);
    }
    let mut newest = BTreeMap::new();
    for row in rows {
        newest.insert((row.id.issuer, Serial::of(&row.id.serial_number)), row);
    }
    let changes: Vec<Change> =
        newest.into_iter().map(|((issuer, _), row)| (issuer, Entry::from(row))).collect();
    if let Some(added) = standing.extended(continuity, change, &changes, asides)? {
        return Ok(Some(added));
    }
    let Some(below) = below.or_else(|| Below::open(continuity, &standing)) else { return Ok(None) };
    continuity.check_lists()?;
    fold(continuity, &below, (files, change), changes, asides)
}

/// Returns the rows that have changed; `None` when there are too many.
fn changed(continuity: &Continuity<'_>, since: u64) -> Result<Option<Vec<StatusRow>>, StatusError> {
    let mut rows = Vec::new();
    continuity.reader.status_rows(since, &mut |row| {
        if rows.len() <= HELD {
            rows.push(row);
        }
    })?;
    Ok((rows.len() <= HELD).then_some(rows))
}

impl Standing<'_> {
    /// Adds a group to the delta, or begins one. Returns `None` when it would be too long.
    fn extended(
        &self,
        continuity: &Continuity<'_>,
        change: u64,
        changes: &[Change],
        asides: &mut Vec<Aside>,
    ) -> Result<Option<(StatusFiles, Written)>, StatusError> {
        let (directory, files) = (continuity.directory, self.files);
        let (chain, mut octets) = match &self.delta {
            Some((_, chain, octets)) => (chain.clone(), octets.clone()),
            None => {
                let Some(over) = digest(&files.base) else { return Ok(None) };
                Chain::begin(self.since, &over)
            }
        };
        let (chain, group) = chain.group(change, changes);
        if chain.length > (files.base.length / SHARE).clamp(LEAST, MOST) {
            return Ok(None);
        }
        let authorities = authorities(continuity, Some(&files.authorities), change, asides)?;
        let delta = match &self.delta {
            // Behind what is in force there may be what a publisher left that was killed.
            Some((part, ..)) if ends_there(continuity, part)? => {
                delta_file::append(directory, part, &group)?;
                FilePart { file: part.file.clone(), length: chain.length, sha256: hex(&chain.digest) }
            }
            _ => {
                octets.extend(group);
                let path = part_file(directory, "delta", change);
                let (part, aside) = delta_file::write(&path, &octets, &chain)?;
                asides.push(aside);
                part
            }
        };
        let files = StatusFiles { authorities, base: files.base.clone(), delta: Some(delta) };
        Ok(Some((files, Written::Delta(u64::try_from(changes.len()).unwrap_or(u64::MAX)))))
    }
}

fn ends_there(continuity: &Continuity<'_>, part: &FilePart) -> Result<bool, StatusError> {
    let path = continuity.directory.join(&part.file);
    Ok(std::fs::metadata(&path).map_err(|error| failed(&path, &error))?.len() == part.length)
}

fn digest(part: &FilePart) -> Option<[u8; 32]> {
    base16ct::mixed::decode_vec(&part.sha256).ok()?.try_into().ok()
}

/// The published states, opened for lookups.
struct Below {
    base: Base,
    delta: Changes,
}

impl Below {
    /// Opens the published files; `None` when they cannot be read.
    fn open(continuity: &Continuity<'_>, standing: &Standing<'_>) -> Option<Self> {
        let (directory, files) = (continuity.directory, standing.files);
        let base = Base::open(directory, &files.base).ok()?;
        let delta = match &standing.delta {
            Some((part, ..)) => Delta::open(directory, part, &files.base, None).ok()?.changes().clone(),
            None => Changes::default(),
        };
        Some(Self { base, delta })
    }

    fn state(&self, id: &CertificateId) -> Result<Option<CertificateState>, StatusError> {
        match self.delta.find(id) {
            Some(entry) => Ok(Some(entry.state.clone())),
            None => Ok(self.base.entry(id)?.map(|entry| entry.state)),
        }
    }

    /// Refuses rows that are published as permanently revoked. Returns `None` when a file cannot be read.
    fn check(&self, continuity: &Continuity<'_>, rows: &[StatusRow]) -> Result<Option<()>, StatusError> {
        let mut published = Vec::new();
        for row in rows {
            match self.state(&row.id) {
                Ok(state) if state.as_ref().is_some_and(is_final) => published.push(row.id.clone()),
                Ok(_) => {}
                Err(_) => return Ok(None),
            }
        }
        continuity.check_changed(rows, published).map(Some)
    }
}

/// Writes a base of the former one, its delta and what has changed since. Returns `None` when the former base is
/// damaged.
fn fold(
    continuity: &Continuity<'_>,
    below: &Below,
    (files, change): (&StatusFiles, u64),
    changes: Vec<Change>,
    asides: &mut Vec<Aside>,
) -> Result<Option<(StatusFiles, Written)>, StatusError> {
    let mut delta = below.delta.clone();
    delta.add(changes);
    let mut changed: HashMap<IssuerId, Vec<Entry>> = HashMap::new();
    let mut order = Vec::new();
    for (issuer, entry) in delta.all() {
        let of_issuer = changed.entry(issuer).or_insert_with(|| {
            order.push(issuer);
            Vec::new()
        });
        of_issuer.push(entry);
    }
    let mut writer = BaseWriter::begin(&part_file(continuity.directory, "base", change))?;
    let mut present: Option<IssuerId> = None;
    let mut waiting = Vec::new().into_iter().peekable();
    let mut put = |issuer: &IssuerId, entry: Entry| -> Result<(), StatusError> {
        if present.as_ref() != Some(issuer) {
            if let Some(before) = present.replace(*issuer) {
                waiting.by_ref().try_for_each(|entry: Entry| writer.put(&before, &entry))?;
            }
            waiting = changed.remove(issuer).unwrap_or_default().into_iter().peekable();
        }
        let mut is_replaced = false;
        while let Some(change) = waiting.next_if(|change| change.serial <= entry.serial) {
            is_replaced |= change.serial == entry.serial;
            writer.put(issuer, &change)?;
        }
        if is_replaced { Ok(()) } else { writer.put(issuer, &entry) }
    };
    let mut failed = Ok(());
    let read = below.base.for_each(&mut |issuer, entry| {
        if failed.is_ok() {
            failed = put(issuer, entry);
        }
        Ok(())
    });
    failed?;
    if read.is_err() {
        return Ok(None);
    }
    if let Some(issuer) = present {
        waiting.try_for_each(|entry| writer.put(&issuer, &entry))?;
    }
    for issuer in order {
        let entries = changed.remove(&issuer).unwrap_or_default();
        entries.iter().try_for_each(|entry| writer.put(&issuer, entry))?;
    }
    let entries = writer.entries();
    let (base, aside) = writer.finish(change)?;
    asides.push(aside);
    let authorities = authorities(continuity, Some(&files.authorities), change, asides)?;
    Ok(Some((StatusFiles { authorities, base, delta: None }, Written::Base(entries))))
}
