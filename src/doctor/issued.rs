//! Comparison of `issued/NAME/SERIAL.pem` with the records, in both directions.
use super::finding::{Finding, Mending};
use super::{Examination, FindingCode, counted};
use crate::error::{Shown as _, remedy};
use crate::home::{ASIDE, quoted};
use crate::index::{Authority, CertificateRecord};
use crate::profile::Kind;
use crate::x509::extension::{ExtendedKeyUsage, Purpose};
use crate::x509::{Certificate, CertificateId, SerialNumber};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};

/// The files of each CA whose record was not read yet, and the faults of those whose record was.
pub(super) struct IssuedFiles {
    unmet: HashMap<String, HashMap<SerialNumber, PathBuf>>,
    strange: Vec<PathBuf>,
    /// External CAs, whose certificates are stored by those who run them.
    external: HashSet<String>,
    missing: BTreeMap<String, Vec<CertificateId>>,
    differing: BTreeMap<String, Vec<CertificateId>>,
    met: usize,
}

impl IssuedFiles {
    /// Lists the files of each CA.
    pub(super) fn list(examination: &Examination<'_>, authorities: &[Authority]) -> Self {
        let (mut unmet, mut strange) = (HashMap::new(), Vec::new());
        for authority in authorities {
            let Ok(name) = authority.name.parse() else { continue };
            let mut files = HashMap::new();
            let entries = fs::read_dir(examination.home.issued_directory(&name)).into_iter().flatten();
            for path in entries.filter_map(|entry| entry.ok().map(|entry| entry.path())) {
                let text =
                    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
                if text.starts_with(ASIDE) {
                    continue;
                }
                let serial = text.strip_suffix(".pem").and_then(|hex| hex.parse::<SerialNumber>().ok());
                match serial.filter(|serial| format!("{serial}.pem") == text) {
                    Some(serial) => drop(files.insert(serial, path)),
                    None => strange.push(path),
                }
            }
            unmet.insert(authority.name.clone(), files);
        }
        let external_authority = authorities.iter().filter(|authority| authority.is_external());
        let external = external_authority.map(|authority| authority.name.clone()).collect();
        Self { unmet, strange, external, missing: BTreeMap::new(), differing: BTreeMap::new(), met: 0 }
    }

    /// Matches a record with its file; with `closely`, also compares the certificate.
    pub(super) fn meet(&mut self, record: &CertificateRecord, closely: bool, examination: &Examination<'_>) {
        let Some(certificate) = &record.certificate else { return };
        let file =
            self.unmet.get_mut(&record.authority).and_then(|files| files.remove(&record.id.serial_number));
        match file {
            Some(path) => {
                self.met += 1;
                let is_the_same = || is_file_of(&path, certificate);
                if closely && !is_the_same() {
                    self.differing.entry(record.authority.clone()).or_default().push(record.id.clone());
                }
            }
            None if self.external.contains(&record.authority) => {}
            None if is_stored(record, certificate, examination) => {
                self.missing.entry(record.authority.clone()).or_default().push(record.id.clone());
            }
            None => {}
        }
    }

    /// Adds the findings, and returns what was checked.
    pub(super) fn finish(
        mut self,
        examination: &Examination<'_>,
        authorities: &[Authority],
        findings: &mut Vec<Finding>,
    ) -> String {
        // some certificates were issued after the files were listed
        for (name, ids) in &mut self.missing {
            let Ok(name) = name.parse() else { continue };
            ids.retain(|id| !examination.home.issued_file(&name, &id.serial_number).is_file());
        }
        self.missing.retain(|_, ids| !ids.is_empty());
        for (code, group, what) in [
            (FindingCode::IssuedMissing, self.missing, "lacks"),
            (FindingCode::IssuedDiffers, self.differing, "has other contents than the record for"),
        ] {
            for (name, ids) in group {
                let first = ids.first().map(|id| id.serial_number.to_string()).unwrap_or_default();
                let message = format!("{what} {}, the newest {first}", counted(ids.len(), "certificate"));
                let finding = Finding::warning(code, format!("issued/{name}"), message);
                findings.push(finding.mending(Mending::Issued(name, ids)));
            }
        }
        let unmet = self.unmet.into_iter().flat_map(|(name, files)| {
            let mut files: Vec<PathBuf> = files.into_values().collect();
            files.sort();
            files.into_iter().map(move |file| (name.clone(), file))
        });
        for (name, path) in unmet {
            let issuer = authorities.iter().find(|authority| authority.name == name);
            findings.extend(of_unrecorded(issuer, &path, examination));
        }
        for path in self.strange {
            let remedy = format!("mv {} ELSEWHERE, if nobody knows what it is for", quoted(&path));
            let object = path.shown().to_string();
            findings.push(
                Finding::note(FindingCode::HomeUnknownFile, object, "is none of this home's files")
                    .remedy(remedy),
            );
        }
        format!("{} kept", counted(self.met, "file"))
    }
}

/// Returns whether a path is a regular file with exactly this certificate.
fn is_file_of(path: &Path, certificate: &Certificate) -> bool {
    path.symlink_metadata().is_ok_and(|metadata| metadata.is_file() && metadata.len() < 1 << 20)
        && fs::read(path)
            .ok()
            .and_then(|octets| Certificate::from_pem_or_der(&octets).ok())
            .is_some_and(|found| found == *certificate)
}

/// Returns whether a certificate belongs into `issued/`. Roots are in `public/`, responder certificates beside their
/// keys.
fn is_stored(record: &CertificateRecord, certificate: &Certificate, examination: &Examination<'_>) -> bool {
    let is_root = certificate.tbs().as_issuer() == record.id.issuer;
    let is_responder = match examination.profiles.ok().and_then(|profiles| profiles.get(&record.profile)) {
        Some(profile) => profile.kind() == Kind::OcspResponder,
        // recorded by a restore, which does not know the profile
        None => ExtendedKeyUsage::of(certificate.tbs())
            .is_some_and(|usage| usage.0.contains(&Purpose::OCSP_SIGNING)),
    };
    !is_root && !is_responder && !record.authority.is_empty()
}

/// Returns the finding about a certificate without a record. If it is signed by a key of this home, that is the most
/// severe finding: the index lost it, or the key is stolen.
fn of_unrecorded(issuer: Option<&Authority>, path: &Path, examination: &Examination<'_>) -> Option<Finding> {
    let issuer = issuer?;
    let metadata = path.symlink_metadata().ok()?;
    let object = path.shown().to_string();
    let read = metadata.is_file().then(|| fs::read(path).ok()).flatten();
    let certificate = read.and_then(|octets| Certificate::from_pem_or_der(&octets).ok());
    if let Some(certificate) = &certificate {
        // the certificate may have been issued since the records were read
        let serial_number = certificate.tbs().serial_number().clone();
        let id = CertificateId { issuer: issuer.issuer, serial_number };
        let record = examination.index.ok()?.certificate(&id).ok().flatten();
        let is_the_same = |record: &CertificateRecord| record.certificate.as_ref() == Some(certificate);
        // a record that has only the serial number cannot be compared; the certificate is revoked
        if record.is_some_and(|record| record.serial_only || is_the_same(&record)) {
            return None;
        }
    }
    Some(match certificate {
        Some(certificate) if certificate.was_signed_by(issuer.certificate.tbs().public_key()) => {
            let message = format!(
                "is signed by {} and not on record: the index is an older copy, or the CA's key was used elsewhere",
                issuer.name
            );
            Finding::error(FindingCode::IssuedUnrecorded, object, message)
                .remedy(remedy::Repair::Unrecorded(path.to_owned(), issuer.name.clone()))
        }
        _ => Finding::note(FindingCode::HomeUnknownFile, object, "is none of this home's files")
            .remedy(format!("mv {} ELSEWHERE, if nobody knows what it is for", quoted(path))),
    })
}
