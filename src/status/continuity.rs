//! Checks that a new status revokes everything that was published or signed as permanently revoked.
use super::base::Base;
use super::entry::Entry;
use super::manifest::StatusManifest;
use super::{
    SignedCrls, SignedEvidence, StatusError, check_contradicting, contradicts, delta_file, former,
    last_signed, signed_list,
};
use crate::home::status_file_change;
use crate::index::{Authority, IndexReader, StatusRow, contradicting, is_final};
use crate::x509::extension::CrlNumber;
use crate::x509::{CertificateId, IssuerId, SerialNumber, compare_serials};
use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

/// Largest plausible difference between a CRL number noted outside the index and the highest number in the
/// index. No older copy of an index is 2^32 CRL numbers behind, so that a larger difference means that the note
/// is wrong.
const PROPORTION: CrlNumber = 1 << 32;

/// Serial numbers grouped by issuer.
type ByIssuer = BTreeMap<IssuerId, Vec<SerialNumber>>;

/// The facts for the checks before status files are written.
pub(super) struct Continuity<'a> {
    pub(super) reader: &'a dyn IndexReader,
    pub(super) signed: Option<SignedCrls<'a>>,
    pub(super) directory: &'a Path,
    /// The manifest that was published last.
    pub(super) old: Option<&'a StatusManifest>,
    /// Whether the index continues the state of that manifest. It is false when a restore took that state over.
    pub(super) continued: bool,
}

impl Continuity<'_> {
    /// Checks the changed rows that are not permanently revoked: neither the published files nor a CRL may have
    /// them as permanently revoked. `published` are those that the published files have so.
    pub(super) fn check_changed(
        &self,
        rows: &[StatusRow],
        published: Vec<CertificateId>,
    ) -> Result<(), StatusError> {
        let mut by_issuer = ByIssuer::new();
        for id in published {
            by_issuer.entry(id.issuer).or_default().push(id.serial_number);
        }
        self.check_listed(rows)?;
        self.refuse(&by_issuer)
    }

    /// Checks the same rows against the CRLs of their CAs. Each CRL is read once.
    fn check_listed(&self, rows: &[StatusRow]) -> Result<(), StatusError> {
        let Some(SignedCrls { lists, .. }) = self.signed else { return Ok(()) };
        let mut changed = ByIssuer::new();
        for row in rows {
            changed.entry(row.id.issuer).or_default().push(row.id.serial_number.clone());
        }
        for (issuer, serials) in changed {
            let Some(authority) = self.reader.authority_of(&issuer)? else { continue };
            let Some(list) = signed_list(lists, &authority)? else { continue };
            let is_revoked = |serial: &&SerialNumber| list.find(serial).is_some_and(|entry| entry.is_final());
            let listed: Vec<SerialNumber> = serials.iter().filter(is_revoked).cloned().collect();
            // The certificate may have been revoked and listed since the row was read.
            let lost = self.not_revoked(authority.issuer, listed)?;
            check_contradicting(self.reader, lists, &authority, &list, lost)?;
        }
        Ok(())
    }

    fn not_revoked(
        &self,
        issuer: IssuerId,
        serials: Vec<SerialNumber>,
    ) -> Result<Vec<SerialNumber>, StatusError> {
        let mut lost = Vec::new();
        for serial_number in serials {
            let id = CertificateId { issuer, serial_number };
            if !self.reader.status(&id)?.is_some_and(|state| is_final(&state)) {
                lost.push(id.serial_number);
            }
        }
        Ok(lost)
    }

    fn refuse(&self, published: &ByIssuer) -> Result<(), StatusError> {
        for (issuer, serials) in published {
            let Some(authority) = self.reader.authority_of(issuer)? else { continue };
            let mut lost = self.not_revoked(*issuer, serials.clone())?;
            // Both base and delta may have the certificate.
            lost.sort_by(|a, b| compare_serials(a.as_be_octets(), b.as_be_octets()));
            lost.dedup();
            if !lost.is_empty() {
                return Err(contradicts(SignedEvidence::Status(authority.name.clone()), &authority, &lost));
            }
        }
        Ok(())
    }

    /// Checks the last CRL of every CA before everything is published again.
    pub(super) fn check_lists(&self) -> Result<(), StatusError> {
        let Some(SignedCrls { lists, .. }) = self.signed else { return Ok(()) };
        for authority in self.reader.authorities()? {
            let Some(list) = last_signed(self.reader, lists, &authority)? else { continue };
            let serials = contradicting(self.reader, &authority, &list)?;
            check_contradicting(self.reader, lists, &authority, &list, serials)?;
        }
        Ok(())
    }

    /// Checks all CRLs and status files, when no file is continued.
    pub(super) fn check_all(&self) -> Result<(), StatusError> {
        self.check_lists()?;
        self.check_remains()
    }

    /// Checks the remaining status files. Without a manifest, only the change and CRL numbers in use can show
    /// that the index is an older copy.
    pub(super) fn check_remains(&self) -> Result<(), StatusError> {
        let authorities = self.reader.authorities()?;
        if self.old.is_none() {
            let change = self.reader.change_number()?;
            if let Some((name, number)) = self.files().into_iter().find(|(_, number)| *number > change) {
                let name = name.file_name().unwrap_or_default().to_string_lossy().into_owned();
                return Err(StatusError::OlderCopy(format!(
                    "status/{name} has change {number}, and the index none above {change}"
                )));
            }
            authorities.iter().try_for_each(|authority| self.check_numbers(authority))?;
        }
        if !self.continued {
            return Ok(());
        }
        let names: HashMap<IssuerId, ()> = authorities.iter().map(|one| (one.issuer, ())).collect();
        let mut published = ByIssuer::new();
        for (file, _) in self.files() {
            for id in revoked_in(&file).into_iter().filter(|id| names.contains_key(&id.issuer)) {
                if !self.reader.status(&id)?.is_some_and(|state| is_final(&state)) {
                    published.entry(id.issuer).or_default().push(id.serial_number);
                }
            }
        }
        self.refuse(&published)
    }

    fn check_numbers(&self, authority: &Authority) -> Result<(), StatusError> {
        let Some(signed) = self.signed.filter(|_| !authority.is_external()) else { return Ok(()) };
        let name = &authority.name;
        let listed = signed_list(signed.lists, authority)?.map_or(0, |list| list.number());
        // A CRL that cannot be read is reported when the next CRL is made.
        let published = signed.lists.crl_number_floor(name).unwrap_or(0);
        let noted = signed.marks.mark(authority).unwrap_or(0).max(published);
        // The index is read last, because other processes may be taking numbers.
        let highest = self.reader.highest_crl_number(&authority.issuer)?;
        let noted = if noted.saturating_sub(highest) > PROPORTION { 0 } else { noted };
        let used = listed.max(noted);
        if used > highest {
            return Err(StatusError::OlderCopy(format!(
                "CRL number {used} of {name} was used, as its published CRL or the note beside its key says, and the \
                 index knows of none above {highest}"
            )));
        }
        Ok(())
    }

    /// Returns the existing status files, whether or not a manifest names them, with the change number of each.
    fn files(&self) -> Vec<(PathBuf, u64)> {
        let entries = std::fs::read_dir(self.directory).into_iter().flatten().flatten();
        let mut files: Vec<(PathBuf, u64)> = entries
            .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_file()))
            .filter_map(|entry| Some((entry.path(), status_file_change(entry.file_name().to_str()?)?)))
            .collect();
        for (path, number) in &mut files {
            // A delta grows after it has got its name.
            if let Ok((_, newest)) = delta_file::read_unnamed(path) {
                *number = newest.max(*number);
            }
        }
        files.sort();
        files
    }
}

/// Returns the certificates that a status file has as permanently revoked. What cannot be read of it gives no evidence.
fn revoked_in(path: &Path) -> Vec<CertificateId> {
    if path.extension().is_some_and(|ending| ending == "db") {
        return former::revoked_in(path).unwrap_or_default();
    }
    let mut revoked = Vec::new();
    let mut note = |issuer: &IssuerId, entry: Entry| {
        if is_final(&entry.state)
            && let Ok(serial_number) = entry.serial.to_number()
        {
            revoked.push(CertificateId { issuer: *issuer, serial_number });
        }
    };
    if let Ok((changes, _)) = delta_file::read_unnamed(path) {
        changes.all().into_iter().for_each(|(issuer, entry)| note(&issuer, entry));
    } else if let Ok(base) = Base::open_unnamed(path) {
        base.for_each_left(&mut note);
    }
    revoked
}
