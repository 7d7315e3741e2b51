//! Search of a directory for certificates, CRLs and files with private keys, recognized by their contents.
use crate::error::{Code, Problem, Shown as _};
use crate::home::{ReadError, read_file};
use crate::x509::{Certificate, CertificateList, MalformedDer, pem};
use std::collections::HashSet;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// Bound of a file that is read, in octets (256 MiB). A larger one is not read.
const LARGEST: u64 = 256 * 1024 * 1024;
/// Bound of the number of regular files in the directory and below it. With more, nothing is imported.
const MOST_FILES: usize = 2_000_000;
/// Bound of the depth of directories, in levels below the named one. Deeper directories are left out.
const DEEPEST: usize = 8;
/// Bound of the number of unreadable files that are named. Further ones are counted.
const TOLD: usize = 10;

/// A certificate and its file.
#[derive(Clone, Debug)]
pub(super) struct TreeCertificate {
    pub(super) path: PathBuf,
    pub(super) certificate: Certificate,
}

/// A file that could not be read, with the reason.
#[derive(Clone, Debug)]
pub(super) struct Fault {
    pub(super) path: PathBuf,
    text: String,
    /// For a certificate, the error of decoding it.
    pub(super) certificate: Option<MalformedDer>,
}

/// Everything of use in a directory, sorted by path.
#[derive(Debug, Default)]
pub(super) struct Tree {
    pub(super) certificates: Vec<TreeCertificate>,
    pub(super) crls: Vec<(PathBuf, CertificateList)>,
    /// Files with a private key. Their contents are not kept.
    pub(super) keys: Vec<PathBuf>,
    pub(super) faults: Vec<Fault>,
    seen: HashSet<[u8; 32]>,
    files: usize,
}

/// Returns whether a PEM label is one of certificates, including obsolete ones.
pub(super) fn is_certificate(label: &str) -> bool {
    ["CERTIFICATE", "X509 CERTIFICATE"].contains(&label)
}

impl Tree {
    /// Searches a directory and its subdirectories. Symbolic links are followed to files only.
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

    /// Adds a certificate, unless it was found before.
    pub(super) fn put_certificate(&mut self, path: &Path, certificate: Certificate) {
        // of several copies of a certificate the first counts
        if self.seen.insert(certificate.fingerprint().0) {
            self.certificates.push(TreeCertificate { path: path.to_owned(), certificate });
        }
    }

    /// Returns notices about the files that could not be read.
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

/// Returns the contents of a file within the bound. A path that is no regular file is an error, so that reading does
/// not block.
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

/// Reads a record as text. Octets that are not UTF-8 occur in names only, and are replaced.
pub(super) fn read_text(path: &Path) -> Result<String, Problem> {
    Ok(String::from_utf8_lossy(&read_octets(path)?).into_owned())
}
