//! `export hashed-dir`: a directory in which OpenSSL looks CAs and CRLs up by the hash of their names.
use super::super::request::not_written;
use super::super::values::read;
use super::anchors::{anchors, listed};
use crate::cli::HashedDir;
use crate::report::{Report, counted};
use crate::session::Session;
use genfic_ca::ca::Pki;
use genfic_ca::handout::subject_hash;
use genfic_ca::index::Authority;
use genfic_ca::problem::{Exit, Problem};
use genfic_ca::publish::{Mode, replace};
use genfic_ca::x509::{Certificate, CertificateList, pem};
use serde_json::json;
use std::fs;
use std::path::{Path, PathBuf};

/// More of one hash than anybody has.
const MOST: usize = 1000;

/// Writes the certificates of CAs as `HASH.N`, and the CRLs of these CAs and of all below them as `HASH.rN`.
pub(crate) fn hashed_dir(session: &Session, args: &HashedDir) -> Result<Report, Problem> {
    let pki = session.pki();
    let (chosen, mut said) = anchors(session, &args.authorities)?;
    fs::create_dir_all(&args.directory).map_err(|error| {
        let message = format!("{} cannot be made: {error}", args.directory.display());
        Problem::new(Exit::Failure, "file.write", message).hint("check the name and the directory above it")
    })?;
    let mut files: Vec<PathBuf> = Vec::new();
    for authority in &chosen {
        let own = |octets: &[u8]| {
            Certificate::from_pem_or_der(octets).is_ok_and(|found| found == authority.certificate)
        };
        let path = place(&args.directory, authority, "", &own)?;
        replace(&path, authority.certificate.to_pem().as_bytes(), Mode::Public).map_err(not_written)?;
        files.push(path);
    }
    let mut lists = 0_usize;
    for authority in below(&pki, &chosen)? {
        let Some(text) = published(&pki, &authority)? else {
            said.push(format!("{} has no CRL: genfic-ca crl publish {}", authority.name, authority.name));
            continue;
        };
        let own = |octets: &[u8]| is_list_of(octets, &authority);
        let path = place(&args.directory, &authority, "r", &own)?;
        replace(&path, &text, Mode::Public).map_err(not_written)?;
        files.push(path);
        lists += 1;
    }
    let text = format!(
        "{} and {} in {}",
        counted(chosen.len(), "certificate"),
        counted(lists, "CRL"),
        args.directory.display()
    );
    let result = json!({
        "directory": args.directory,
        "authorities": listed(&chosen),
        "crls": lists,
        "files": files,
    });
    Ok(Report::done(result, text).warn(said))
}

/// The CAs that have one of these above them, or are one.
fn below(pki: &Pki<'_>, chosen: &[Authority]) -> Result<Vec<Authority>, Problem> {
    let mut out = Vec::new();
    for authority in pki.index.authorities()? {
        let chain = pki.with_ancestors(&authority.name)?;
        if chain.iter().any(|one| chosen.iter().any(|anchor| anchor.name == one.name)) {
            out.push(authority);
        }
    }
    Ok(out)
}

/// The published CRL, PEM.
fn published(pki: &Pki<'_>, authority: &Authority) -> Result<Option<Vec<u8>>, Problem> {
    let files = pki.publisher.crl_files(&authority.name).map_err(Problem::from)?;
    match files.first() {
        Some(der) if der.is_file() => Ok(Some(pem::encode("X509 CRL", &read(der)?).into_bytes())),
        _ => Ok(None),
    }
}

fn is_list_of(octets: &[u8], authority: &Authority) -> bool {
    let blocks = pem::decode_file(octets, "X509 CRL").unwrap_or_default();
    let list = blocks.first().and_then(|block| CertificateList::from_der(&block.der).ok());
    list.is_some_and(|list| list.is_signed_by(authority.certificate.tbs().public_key()))
}

/// The first name of a hash that is free or has what belongs to this CA.
fn place(
    directory: &Path,
    authority: &Authority,
    mark: &str,
    is_own: &dyn Fn(&[u8]) -> bool,
) -> Result<PathBuf, Problem> {
    let hash = subject_hash(authority.certificate.tbs().subject());
    for number in 0..MOST {
        let path = directory.join(format!("{hash}.{mark}{number}"));
        if path.symlink_metadata().is_err() || read(&path).is_ok_and(|octets| is_own(&octets)) {
            return Ok(path);
        }
    }
    let message = format!("{} has {MOST} files of {hash}.{mark}", directory.display());
    Err(Problem::new(Exit::Exists, "file.exists", message).hint("choose another directory"))
}
