//! What lies in a directory, told by contents: certificates, CRLs, and where there are private keys.
use crate::error::{Code, Problem, Shown as _};
use crate::home::{ReadError, read_file};
use crate::x509::{Certificate, CertificateList, MalformedDer, pem};
use std::collections::HashSet;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// The largest file that is looked into.
const LARGEST: u64 = 256 * 1024 * 1024;
/// How many files are looked into.
const MOST_FILES: usize = 2_000_000;
/// How deep directories are gone into.
const DEEPEST: usize = 8;
/// How many files that could not be read are named.
const TOLD: usize = 10;

/// A certificate and its file.
#[derive(Clone, Debug)]
pub(super) struct FoundCertificate {
    pub(super) path: PathBuf,
    pub(super) certificate: Certificate,
}

/// What could not be read, and why.
#[derive(Clone, Debug)]
pub(super) struct Fault {
    pub(super) path: PathBuf,
    text: String,
    /// Of a certificate, what is wrong with it.
    pub(super) certificate: Option<MalformedDer>,
}

/// Everything of use in a directory, by path.
#[derive(Debug, Default)]
pub(super) struct Tree {
    pub(super) certificates: Vec<FoundCertificate>,
    pub(super) crls: Vec<(PathBuf, CertificateList)>,
    /// Files with a private key. What is in them is not kept.
    pub(super) keys: Vec<PathBuf>,
    pub(super) faults: Vec<Fault>,
    seen: HashSet<[u8; 32]>,
    files: usize,
}

/// Labels of certificates, old ones included.
pub(super) fn is_certificate(label: &str) -> bool {
    ["CERTIFICATE", "X509 CERTIFICATE"].contains(&label)
}

impl Tree {
    /// Looks through a directory and those in it; symbolic links are followed to files only.
    pub(super) fn read(directory: &Path) -> Result<Self, Problem> {
        let mut tree = Self::default();
        tree.look_into(directory, 0)?;
        Ok(tree)
    }

    fn look_into(&mut self, directory: &Path, depth: usize) -> Result<(), Problem> {
        let failed = |error: std::io::Error| unreadable(directory, &error);
        let mut paths = Vec::new();
        for entry in fs::read_dir(directory).map_err(failed)? {
            paths.push(entry.map_err(failed)?.path());
        }
        paths.sort();
        for path in paths {
            let is_link = path.symlink_metadata().is_ok_and(|metadata| metadata.is_symlink());
            match fs::metadata(&path) {
                Ok(metadata) if metadata.is_dir() && !is_link && depth < DEEPEST => {
                    self.look_into(&path, depth + 1)?;
                }
                Ok(metadata) if metadata.is_file() => self.add(&path)?,
                _ => {}
            }
        }
        Ok(())
    }

    fn add(&mut self, path: &Path) -> Result<(), Problem> {
        self.files += 1;
        if self.files > MOST_FILES {
            let message = format!("there are more than {MOST_FILES} files");
            return Err(
                Problem::new(Code::ImportTooLarge, message).hint("name the directory of the CA alone")
            );
        }
        match read_octets(path) {
            Ok(octets) => self.classify(path, &octets),
            Err(problem) => {
                self.faults.push(Fault { path: path.to_owned(), text: problem.message, certificate: None });
            }
        }
        Ok(())
    }

    fn classify(&mut self, path: &Path, octets: &[u8]) {
        match std::str::from_utf8(octets) {
            Ok(text) if text.contains(pem::BEGIN) => self.classify_pem(path, text),
            _ if octets.first() == Some(&0x30) => self.classify_der(path, octets),
            _ => {}
        }
    }

    fn classify_der(&mut self, path: &Path, octets: &[u8]) {
        let read = Certificate::from_der(octets);
        if let Ok(certificate) = read {
            self.put_certificate(path, certificate);
        } else if let Err(error) = read
            && error.unsupported
        {
            self.fault(path, &error, Some(error.clone()));
        } else if let Ok(crl) = CertificateList::from_der(octets) {
            self.crls.push((path.to_owned(), crl));
        } else if matches!(crate::subscriber_key::ForeignKey::find(octets, path), Ok(Some(_))) {
            self.keys.push(path.to_owned());
        }
    }

    fn classify_pem(&mut self, path: &Path, text: &str) {
        let mut has_key = false;
        let mut read = 0;
        for block in pem::frames(text) {
            let at = text.len() - block.from.len();
            if at < read {
                continue;
            }
            read = at + block.whole().len();
            has_key |= block.label.ends_with("PRIVATE KEY");
            if is_certificate(block.label) || block.label == "X509 CRL" {
                self.put_block(path, block.whole());
            }
        }
        if has_key {
            self.keys.push(path.to_owned());
        }
    }

    fn put_block(&mut self, path: &Path, text: &str) {
        let block = match pem::decode_all(text) {
            Ok(blocks) => blocks.into_iter().next(),
            Err(error) => return self.fault(path, &error, None),
        };
        let Some(block) = block else { return };
        if block.label == "X509 CRL" {
            match CertificateList::from_der(&block.der) {
                Ok(crl) => self.crls.push((path.to_owned(), crl)),
                Err(error) => self.fault(path, &error, None),
            }
            return;
        }
        match Certificate::from_der(&block.der) {
            Ok(certificate) => self.put_certificate(path, certificate),
            Err(error) => self.fault(path, &error, Some(error.clone())),
        }
    }

    fn fault(&mut self, path: &Path, error: &dyn std::fmt::Display, certificate: Option<MalformedDer>) {
        let text = format!("{}: {error}", path.shown());
        self.faults.push(Fault { path: path.to_owned(), text, certificate });
    }

    /// Takes in a certificate, once.
    pub(super) fn put_certificate(&mut self, path: &Path, certificate: Certificate) {
        // the same certificate lies in several places, of which the first counts
        if self.seen.insert(certificate.fingerprint().0) {
            self.certificates.push(FoundCertificate { path: path.to_owned(), certificate });
        }
    }

    /// What could not be read, in few sentences.
    pub(super) fn told_faults(&self) -> Vec<String> {
        let mut told: Vec<String> =
            self.faults.iter().take(TOLD).map(|fault| format!("not read: {}", fault.text)).collect();
        if self.faults.len() > TOLD {
            told.push(format!("{} more files were not read", self.faults.len() - TOLD));
        }
        told
    }
}

pub(super) fn unreadable(path: &Path, error: &std::io::Error) -> Problem {
    if error.kind() == ErrorKind::NotFound {
        return Problem::new(Code::FileMissing, format!("there is no {}", path.shown()))
            .hint("check the name and the directory");
    }
    let message = format!("{} cannot be read: {error}", path.shown());
    Problem::new(Code::FileNotRead, message)
        .hint("check owner and mode; the import must be able to read all of the directory")
}

/// All of a file that is not too large. What is no file is not waited for.
pub(super) fn read_octets(path: &Path) -> Result<Vec<u8>, Problem> {
    read_file(path, LARGEST).map_err(|error| match error {
        ReadError::Io(error) => unreadable(path, &error),
        ReadError::TooLarge(_) => {
            let message = format!("{} {error}", path.shown());
            Problem::new(Code::FileTooLarge, message).hint("that is no certificate, CRL or record of a CA")
        }
        ReadError::Kind(_) => {
            let message = format!("{} {error}, not a file", path.shown());
            Problem::new(Code::FileNotAFile, message).hint("name the file itself")
        }
    })
}

/// A record as text; octets that are no UTF-8 are in names only, and replaced.
pub(super) fn read_text(path: &Path) -> Result<String, Problem> {
    Ok(String::from_utf8_lossy(&read_octets(path)?).into_owned())
}
