//! `export hashed-dir`: a directory in which OpenSSL finds CAs and CRLs by the hash of their names.
use super::super::output::Output;
use super::super::values::read;
use super::anchors::{anchors, listed};
use super::removal::{Removed, remove};
use crate::cli::HashedDir;
use crate::report::{Report, counted, path_value, path_values};
use crate::session::Session;
use genfic_ca::ca::{Engine, Published};
use genfic_ca::error::{Code, Exit, Problem, Shown as _};
use genfic_ca::export::subject_hash;
use genfic_ca::index::Authority;
use genfic_ca::x509::{Certificate, CertificateList, pem};
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};

/// Limit of the files with one name hash; nobody has a thousand CAs whose names have the same hash.
const MOST: usize = 1000;

/// Writes the certificates of CAs as `HASH.N`, and the CRLs of these CAs and of all CAs below them as `HASH.rN`.
/// Files of CAs that are no longer trusted are removed first.
pub(crate) fn hashed_dir(session: &Session, args: &HashedDir) -> Result<Report, Problem> {
    let engine = session.engine();
    let (chosen, mut said) = match anchors(session, &args.authorities, args.all) {
        Err(problem) if args.authorities.is_empty() && problem.exit == Exit::NotFound => {
            return nothing_left(args, remove(session, &args.directory, &[], &[])?, problem);
        }
        chosen => chosen?,
    };
    let with_lists = below(engine, &chosen)?;
    let removed = remove(session, &args.directory, &chosen, &with_lists)?;
    said.extend(removed.iter().map(notice));
    fs::create_dir_all(&args.directory).map_err(|error| {
        let message = format!("{} cannot be made: {error}", args.directory.shown());
        Problem::new(Code::FileNotWritten, message).hint("check the name and the directory above it")
    })?;
    let mut files: Vec<PathBuf> = Vec::new();
    for authority in &chosen {
        let own = |octets: &[u8]| {
            Certificate::from_pem_or_der(octets).is_ok_and(|found| found == authority.certificate)
        };
        let path = place(&args.directory, authority, "", &own)?;
        Output::within(&path)?.put(authority.certificate().to_pem().as_bytes())?;
        files.push(path);
    }
    let mut lists = 0_usize;
    for authority in &with_lists {
        let Some(text) = published(engine, authority)? else {
            said.push(if authority.is_external() {
                format!("the CRL of {} is not here: others run it", authority.name)
            } else {
                format!("{} has no CRL: genfic-ca crl publish {}", authority.name, authority.name)
            });
            continue;
        };
        let own = |octets: &[u8]| is_list_of(octets, authority);
        let path = place(&args.directory, authority, "r", &own)?;
        Output::within(&path)?.put(&text)?;
        files.push(path);
        lists += 1;
    }
    let text = format!(
        "{} and {} in {}",
        counted(chosen.len(), "certificate"),
        counted(lists, "CRL"),
        args.directory.shown()
    );
    Ok(Report::done(fields(args, &chosen, lists, &files, &removed), text).warn(said))
}

/// Reports that there is no CA to trust. What was removed before is reported too.
fn nothing_left(args: &HashedDir, removed: Vec<Removed>, problem: Problem) -> Result<Report, Problem> {
    if removed.is_empty() {
        return Err(problem);
    }
    let text = format!("{} removed from {}", counted(removed.len(), "file"), args.directory.shown());
    let report = Report::done(fields(args, &[], 0, &[], &removed), text);
    Ok(report.warn(removed.iter().map(notice)).ending(Some(problem)))
}

fn notice(removed: &Removed) -> String {
    format!("removed {}: {}", removed.file.shown(), removed.why)
}

fn fields(
    args: &HashedDir,
    chosen: &[Published<Authority>],
    lists: usize,
    files: &[PathBuf],
    removed: &[Removed],
) -> Value {
    json!({
        "directory": path_value(&args.directory),
        "authorities": listed(chosen),
        "crls": lists,
        "files": path_values(files),
        "removed": path_values(removed.iter().map(|one| &one.file)),
    })
}

/// Returns these CAs and all CAs below them.
fn below(engine: &Engine, chosen: &[Published<Authority>]) -> Result<Vec<Authority>, Problem> {
    let mut out = Vec::new();
    for authority in engine.record().authorities()? {
        let chain = engine.hierarchy().path(&authority.name)?.complete()?.to_vec();
        if chain.iter().any(|one| chosen.iter().any(|anchor| anchor.name == one.name)) {
            out.push(authority);
        }
    }
    Ok(out)
}

/// Returns the published CRL as PEM.
fn published(engine: &Engine, authority: &Authority) -> Result<Option<Vec<u8>>, Problem> {
    let files = engine.publication().crl_files(&authority.name)?;
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

/// Returns the first file name of a hash at which there is no regular file of others. A file of this CA is returned,
/// to be replaced. So is a FIFO or a dangling link: OpenSSL would find none of the files after it.
fn place(
    directory: &Path,
    authority: &Authority,
    mark: &str,
    is_own: &dyn Fn(&[u8]) -> bool,
) -> Result<PathBuf, Problem> {
    let hash = subject_hash(authority.certificate.tbs().subject());
    for number in 0..MOST {
        let path = directory.join(format!("{hash}.{mark}{number}"));
        if !path.is_file() || read(&path).is_ok_and(|octets| is_own(&octets)) {
            return Ok(path);
        }
    }
    let message = format!("{} has {MOST} files of {hash}.{mark}", directory.shown());
    Err(Problem::new(Code::FileExists, message).hint("choose another directory"))
}
