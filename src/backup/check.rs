//! Checks of the home that was read from a backup.
use super::manifest::{AuthorityEntry, BackupManifest};
use super::{Stores, problems::unreadable};
use crate::audit::Verifier;
use crate::error::{Problem, Shown as _};
use crate::home::{AuthorityName, Home, PublicFile, ReadError, read_file};
use crate::index::{Authority, Index, IndexReader};
use crate::signing::{CaKeys, KeyFile, KeyPlace};
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
        match CertificateList::from_der(&octets) {
            Ok(crl) if !crl.is_signed_by(authority.certificate.tbs().public_key()) => {
                faults.push(format!("public/{name}.crl is not signed by {name}"));
            }
            Ok(crl) if crl.tbs().crl_number().is_none_or(|number| number > noted) => {
                faults.push(format!(
                    "public/{name}.crl has a number above {noted}, which is the highest noted"
                ));
            }
            Ok(_) => {}
            Err(error) => faults.push(format!("public/{name}.crl: {error}")),
        }
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

fn read_if_there(path: &Path) -> Result<Option<Vec<u8>>, Problem> {
    match fs::read(path) {
        Ok(octets) => Ok(Some(octets)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(unreadable(path, &error)),
    }
}
