//! Search of directories for published data: CRLs, certificates and status.
use super::problems::unreadable;
use crate::error::{Problem, in_words};
use crate::home::open_file;
use crate::x509::{Certificate, CertificateList, pem};
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// Bound of the depth of directories.
const DEEPEST: usize = 16;
/// Bound of a CRL, in octets.
const LARGEST: u64 = 1 << 30;
/// Name of the file that marks a published status.
const STATUS: &str = "manifest.json";

/// Receiver of what is found.
pub(super) trait Finder {
    /// Receives a CRL.
    fn crl(&mut self, path: &Path, crl: CertificateList) -> Result<(), Problem>;
    /// Receives a certificate.
    fn certificate(&mut self, path: &Path, certificate: Certificate) -> Result<(), Problem>;
    /// Receives a directory with a published status.
    fn status(&mut self, directory: &Path) -> Result<(), Problem>;
    /// Receives a file that cannot be used, with the reason.
    fn passed_over(&mut self, path: &Path, reason: String);
}

/// Reads every named file, and every file below the named directories.
pub(super) fn search(paths: &[PathBuf], finder: &mut dyn Finder) -> Result<(), Problem> {
    for path in paths {
        let metadata = fs::metadata(path).map_err(|error| unreadable(path, &error))?;
        if metadata.is_dir() {
            walk(path, 0, finder)?;
        } else if metadata.is_file() {
            if !look(path, finder)? {
                finder.passed_over(path, "it is neither a CRL nor a certificate".into());
            }
        } else {
            finder.passed_over(path, "it is neither a file nor a directory".into());
        }
    }
    Ok(())
}

fn walk(directory: &Path, depth: usize, finder: &mut dyn Finder) -> Result<(), Problem> {
    if depth > DEEPEST {
        finder.passed_over(directory, "it lies too deep".into());
        return Ok(());
    }
    let mut entries: Vec<fs::DirEntry> = match fs::read_dir(directory).and_then(Iterator::collect) {
        Ok(entries) => entries,
        Err(error) => {
            finder.passed_over(directory, in_words(error.to_string()));
            return Ok(());
        }
    };
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let path = entry.path();
        // symbolic links are not followed
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => walk(&path, depth + 1, finder)?,
            Ok(kind) if kind.is_file() && entry.file_name() == STATUS => finder.status(directory)?,
            Ok(kind) if kind.is_file() => drop(look(&path, finder)?),
            Ok(_) => {}
            Err(error) => finder.passed_over(&path, in_words(error.to_string())),
        }
    }
    Ok(())
}

/// Reads a file, and returns whether it contained something of use.
fn look(path: &Path, finder: &mut dyn Finder) -> Result<bool, Problem> {
    let octets = match read(path) {
        Ok(Some(octets)) => octets,
        Ok(None) => return Ok(false),
        Err(error) => {
            finder.passed_over(path, in_words(error.to_string()));
            return Ok(true);
        }
    };
    let blocks = match pem::decode_file(&octets, "") {
        Ok(blocks) => blocks,
        Err(error) => {
            finder.passed_over(path, error.to_string());
            return Ok(true);
        }
    };
    let mut used = false;
    for block in blocks {
        let is = |label: &str| block.label.is_empty() || block.label == label;
        if is("X509 CRL")
            && let Ok(crl) = CertificateList::from_der(&block.der)
        {
            finder.crl(path, crl)?;
            used = true;
        } else if is("CERTIFICATE")
            && let Ok(certificate) = Certificate::from_der(&block.der)
        {
            finder.certificate(path, certificate)?;
            used = true;
        } else if !block.label.is_empty() && (is("X509 CRL") || is("CERTIFICATE")) {
            finder.passed_over(path, format!("the {} in it is malformed", block.label));
            used = true;
        }
    }
    let name = path.extension().unwrap_or_default();
    if !used && (name == "crl" || name == "crt" || name == "cer") {
        finder.passed_over(path, "it is malformed".into());
    }
    Ok(used)
}

/// Returns the contents of a file; `None` when it is none of the formats searched for, such as a database or an
/// encrypted key.
fn read(path: &Path) -> io::Result<Option<Vec<u8>>> {
    let mut file = open_file(path)?;
    if file.metadata()?.len() > LARGEST {
        return Ok(None);
    }
    let mut beginning = Vec::new();
    file.by_ref().take(32).read_to_end(&mut beginning)?;
    if beginning.starts_with(b"SQLite format 3") || beginning.starts_with(b"age-encryption.org/") {
        return Ok(None);
    }
    file.take(LARGEST).read_to_end(&mut beginning)?;
    Ok(Some(beginning))
}
