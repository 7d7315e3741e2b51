//! Checks of the home that was read from a backup.
use super::manifest::{AuthorityEntry, BackupManifest};
use super::{Stores, problems::unreadable};
use crate::audit::Verifier;
use crate::error::{Problem, Shown as _};
use crate::home::{AuthorityName, Home, PublicFile, ReadError, open_file, read_file};
use crate::index::{Authority, Index, IndexReader};
use crate::signer::{JOURNAL, check_journal};
use crate::signing::{CaKeys, KeyFile, KeyPlace};
use crate::x509::extension::CrlNumber;
use crate::x509::{Certificate, CertificateList, IssuerId};
use base16ct::lower::encode_string as hex;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

/// Opens the index of a home that was read from a backup, and returns every fault of the index and the home.
pub(super) fn check(
    home: &Home,
    manifest: &BackupManifest,
    stores: &dyn Stores,
) -> Result<(Box<dyn Index>, Vec<String>), Problem> {
    let mut faults = Vec::new();
    let file = stores.index_in(home);
    for fault in stores.index_faults(&file)? {
        faults.push(format!("index.db: {fault}"));
    }
    let index = stores.open_index(&file)?;
    faults.extend(audit_faults(index.as_ref(), manifest)?);
    let authorities = index.authorities()?;
    let is_same = |(entry, one): (&AuthorityEntry, &Authority)| {
        let tbs = one.certificate.tbs();
        // older backups identify issuers by the octets of their names
        let before = IssuerId::by_octets(tbs.subject(), tbs.public_key());
        entry.name == one.name && [one.issuer, before].iter().any(|id| entry.issuer == hex(&id.0))
    };
    let named = &manifest.authorities;
    if named.len() != authorities.len() || !named.iter().zip(&authorities).all(is_same) {
        faults.push("the manifest names other CAs than the index".into());
    }
    if let Some(fault) = journal_fault(home)? {
        faults.push(format!("keys/{JOURNAL}: {fault}"));
    }
    let keys = stores.keys_in(home);
    for authority in &authorities {
        let parts = (home, keys.as_ref());
        faults.extend(authority_faults(parts, index.as_ref(), authority, &authorities, manifest)?);
    }
    Ok((index, faults))
}

fn audit_faults(index: &dyn IndexReader, manifest: &BackupManifest) -> Result<Vec<String>, Problem> {
    let mut faults = Vec::new();
    let head = index.audit_head()?;
    if !manifest.ends_with(&head) {
        faults.push(format!(
            "the audit records end with {}, which is not record {} of the manifest",
            head.sequence, manifest.audit.sequence
        ));
    }
    let change = index.change_number()?;
    if change != manifest.change {
        faults.push(format!("the index is of change {change}, not {}", manifest.change));
    }
    let mut verifier = Verifier::new(Some(head));
    let mut broken = None;
    index.audit_records(1, &mut |record| {
        broken = verifier.check(&record).err();
        broken.is_none()
    })?;
    if let Some(broken) = broken.or_else(|| verifier.finish().err()) {
        faults.push(format!("the audit log is broken: {broken}"));
    }
    Ok(faults)
}

fn authority_faults(
    (home, keys): (&Home, &dyn CaKeys),
    index: &dyn IndexReader,
    authority: &Authority,
    all: &[Authority],
    manifest: &BackupManifest,
) -> Result<Vec<String>, Problem> {
    let mut faults = Vec::new();
    let name = &authority.name;
    let Ok(files) = name.parse::<AuthorityName>() else {
        return Ok(vec![format!("`{name}` cannot be the name of a CA")]);
    };
    let issuer = match &authority.parent {
        Some(parent) => all.iter().find(|one| one.name == *parent),
        None => Some(authority),
    };
    if !issuer
        .is_some_and(|issuer| authority.certificate.was_signed_by(issuer.certificate.tbs().public_key()))
    {
        faults.push(format!("the certificate of {name} is not signed by its issuer"));
    }
    if let Some(octets) = read_if_there(&home.public_file(&files, PublicFile::CertificateDer))?
        // the CA may have been renewed after the index was copied
        && Certificate::from_der(&octets).map_or(true, |found| found.tbs().as_issuer() != authority.issuer)
    {
        faults.push(format!("public/{name}.crt is not a certificate of the CA on record"));
    }
    let key = keys.key_of(authority);
    if key.is_in_service() {
        // the signer that listens has its key and its mark
        if let Some(octets) = read_if_there(&home.public_file(&files, PublicFile::Crl))? {
            faults.extend(crl_fault(authority, &octets, None));
        }
        return Ok(faults);
    }
    let called = |path: &Path| path.strip_prefix(home.directory()).unwrap_or(path).shown().to_string();
    let (noted, place) = match keys.mark(&key) {
        Ok(mark) => (mark.number.unwrap_or(0), called(mark.place.as_path())),
        Err(error) => {
            let place = keys.place(&key);
            faults.push(match error.fault() {
                Some((path, fault)) => format!("{} {fault}", called(path)),
                None => error.to_string(),
            });
            (0, error.fault().map_or_else(|| place.to_string(), |(path, _)| called(path)))
        }
    };
    let last = index.last_crl(&authority.issuer)?.map_or(0, |crl| crl.number);
    if noted < last {
        faults.push(format!("{place} says {noted}, and CRL {last} was published"));
    }
    if let Some(octets) = read_if_there(&home.public_file(&files, PublicFile::Crl))? {
        faults.extend(crl_fault(authority, &octets, Some(noted)));
    }
    if manifest.with_keys
        && let KeyPlace::File(path) = keys.place(&key)
    {
        match read_file(&path, KeyFile::LARGEST) {
            Ok(octets) if KeyFile::has_key(&octets) => {}
            Ok(_) => faults.push(format!("{} is not an age file", called(&path))),
            Err(ReadError::Io(error)) if error.kind() == ErrorKind::NotFound => {}
            Err(ReadError::Io(error)) => return Err(unreadable(&path, &error)),
            Err(error) => faults.push(format!("{} {error}", called(&path))),
        }
    }
    Ok(faults)
}

/// Returns what is wrong with the published CRL of a CA; `noted` is the mark of its key, where that is in the home.
fn crl_fault(authority: &Authority, octets: &[u8], noted: Option<CrlNumber>) -> Option<String> {
    let name = &authority.name;
    let crl = match CertificateList::from_der(octets) {
        Ok(crl) => crl,
        Err(error) => return Some(format!("public/{name}.crl: {error}")),
    };
    if !crl.is_signed_by(authority.certificate.tbs().public_key()) {
        return Some(format!("public/{name}.crl is not signed by {name}"));
    }
    let noted = noted?;
    let is_above = crl.tbs().crl_number().is_none_or(|number| number > noted);
    is_above.then(|| format!("public/{name}.crl has a number above {noted}, which is the highest noted"))
}

/// Reads the signer's journal, if it is there, and returns what is wrong with it. An end that was being written when it
/// was copied is no fault.
fn journal_fault(home: &Home) -> Result<Option<String>, Problem> {
    let path = home.keys_directory().join(JOURNAL);
    let file = match open_file(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(unreadable(&path, &error)),
    };
    Ok(check_journal(std::io::BufReader::with_capacity(1 << 18, file)).err().map(|fault| fault.to_string()))
}

fn read_if_there(path: &Path) -> Result<Option<Vec<u8>>, Problem> {
    match fs::read(path) {
        Ok(octets) => Ok(Some(octets)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(unreadable(path, &error)),
    }
}
