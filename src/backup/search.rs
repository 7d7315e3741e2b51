//! Looking through directories for what was published: CRLs, certificates, status.
use super::problems::unreadable;
use crate::error::{Problem, in_words};
use crate::home::open_file;
use crate::x509::{Certificate, CertificateList, pem};
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// No directory is followed deeper than this.
const DEEPEST: usize = 16;
/// No CRL is larger.
const LARGEST: u64 = 1 << 30;
/// What a published status is known by.
const STATUS: &str = "manifest.json";

/// Takes what is found.
pub(super) trait Finder {
    /// A CRL.
    fn crl(&mut self, path: &Path, crl: CertificateList) -> Result<(), Problem>;
    /// A certificate.
    fn certificate(&mut self, path: &Path, certificate: Certificate) -> Result<(), Problem>;
    /// A directory with a published status.
    fn status(&mut self, directory: &Path) -> Result<(), Problem>;
    /// Something that cannot be used, and why.
    fn passed_over(&mut self, path: &Path, reason: String);
}

/// Looks at every file, and below every directory, that was named.
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

/// Whether something could be used in this file.
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

/// `None` when it cannot be what is looked for: a database, an encrypted key.
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
