//! Search of a directory for certificates, CRLs and files with private keys, recognized by their contents.
use crate::error::remedy::Access;
use crate::error::{Code, Problem, Shown as _};
use crate::home::{ReadError, is_of_another_user, open_regular, read_most};
use crate::signing::{FileContents, FindKeys, FoundKey};
use crate::x509::{Certificate, CertificateList, MalformedDer, pem};
use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{ErrorKind, Seek};
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
    pub(super) text: String,
    /// For a certificate, the error of decoding it.
    pub(super) certificate: Option<MalformedDer>,
}

/// A private key and its file. Its contents are not here.
#[derive(Debug)]
pub(super) struct TreeKey {
    pub(super) path: PathBuf,
    /// The key, or why it cannot be used.
    pub(super) key: Result<FoundKey, Problem>,
}

/// Everything of use in a directory, sorted by path.
#[derive(Debug, Default)]
pub(super) struct Tree {
    pub(super) certificates: Vec<TreeCertificate>,
    pub(super) crls: Vec<(PathBuf, CertificateList)>,
    pub(super) keys: Vec<TreeKey>,
    pub(super) faults: Vec<Fault>,
    seen: HashSet<[u8; 32]>,
}

/// Number of files that are open at once.
const OPEN_AT_ONCE: usize = 64;

/// What is in a file, apart from a private key.
pub(super) struct Contents {
    pub(super) octets: Vec<u8>,
    pub(super) key: Option<Result<FoundKey, Problem>>,
}

/// Returns whether a PEM label is one of certificates, including obsolete ones.
pub(super) fn is_certificate(label: &str) -> bool {
    ["CERTIFICATE", "X509 CERTIFICATE"].contains(&label)
}

impl Tree {
    /// Searches a directory and its subdirectories. Symbolic links are followed to files only. No private key comes into
    /// this process: `finder` looks at each file first.
    pub(super) fn read(directory: &Path, finder: &dyn FindKeys) -> Result<Self, Problem> {
        let mut files = Vec::new();
        look_into(directory, 0, &mut files)?;
        let mut tree = Self::default();
        for group in files.chunks(OPEN_AT_ONCE) {
            let group: Vec<&Path> = group.iter().map(PathBuf::as_path).collect();
            for (path, read) in group.iter().zip(read_all(&group, finder)?) {
                tree.add(path, read);
            }
        }
        Ok(tree)
    }

    fn add(&mut self, path: &Path, read: Result<Contents, Problem>) {
        match read {
            Ok(Contents { octets, key }) => {
                self.classify(path, &octets);
                self.keys.extend(key.map(|key| TreeKey { path: path.to_owned(), key }));
            }
            Err(problem) => {
                self.faults.push(Fault { path: path.to_owned(), text: problem.message, certificate: None });
            }
        }
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
        }
    }

    fn classify_pem(&mut self, path: &Path, text: &str) {
        let mut read = 0;
        for block in pem::frames(text) {
            let at = text.len() - block.from.len();
            if at < read {
                continue;
            }
            read = at + block.whole().len();
            if is_certificate(block.label) || block.label == "X509 CRL" {
                self.put_block(path, block.whole());
            }
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
    if is_of_another_user(path, error) {
        return Problem::new(Code::FileNotRead, message).hint(Access::SharedDirectory);
    }
    Problem::new(Code::FileNotRead, message)
        .hint("check owner and mode; the import must be able to read all of the directory")
}

/// Finds the regular files in a directory, sorted.
fn look_into(directory: &Path, depth: usize, files: &mut Vec<PathBuf>) -> Result<(), Problem> {
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
                look_into(&path, depth + 1, files)?;
            }
            Ok(metadata) if metadata.is_file() => files.push(path),
            _ => {}
        }
        if files.len() > MOST_FILES {
            let message = format!("there are more than {MOST_FILES} files");
            return Err(
                Problem::new(Code::ImportTooLarge, message).hint("name the directory of the CA alone")
            );
        }
    }
    Ok(())
}

/// Returns what is in each of these files, apart from private keys.
fn read_all(paths: &[&Path], finder: &dyn FindKeys) -> Result<Vec<Result<Contents, Problem>>, Problem> {
    let mut opened = Vec::new();
    let mut refused = Vec::new();
    for path in paths {
        match open_bounded(path) {
            Ok(file) => {
                opened.push((file, *path));
                refused.push(None);
            }
            Err(error) => refused.push(Some(unread(path, &error))),
        }
    }
    let found = finder.find_keys(&opened)?;
    let mut seen = opened.into_iter().zip(found);
    let read = refused.into_iter().filter_map(|refused| match refused {
        Some(problem) => Some(Err(problem)),
        None => seen.next().map(|((file, path), contents)| contents_of(file, path, contents)),
    });
    Ok(read.collect())
}

fn open_bounded(path: &Path) -> Result<File, ReadError> {
    let file = open_regular(path)?;
    match file.metadata().map_err(ReadError::Io)?.len() > LARGEST {
        true => Err(ReadError::TooLarge(LARGEST)),
        false => Ok(file),
    }
}

fn contents_of(mut file: File, path: &Path, found: FileContents) -> Result<Contents, Problem> {
    match found {
        FileContents::NoKey => {
            // whoever looked into it has read it by the same descriptor
            let read = file.rewind().map_err(ReadError::Io).and_then(|()| read_most(file, LARGEST));
            read.map(|octets| Contents { octets, key: None }).map_err(|error| unread(path, &error))
        }
        FileContents::Key { key, others } => {
            Ok(Contents { octets: others, key: Some(key.map_err(super::unusable_key)) })
        }
        FileContents::NotRead(error) => Err(error.into()),
    }
}

fn unread(path: &Path, error: &ReadError) -> Problem {
    match error {
        ReadError::Io(error) => unreadable(path, error),
        ReadError::TooLarge(_) => {
            let message = format!("{} {error}", path.shown());
            Problem::new(Code::FileTooLarge, message).hint("that is no certificate, CRL or record of a CA")
        }
        ReadError::Kind(_) => {
            let message = format!("{} {error}, not a file", path.shown());
            Problem::new(Code::FileNotAFile, message).hint("name the file itself")
        }
    }
}

/// Returns what is in one file, apart from a private key. A path that is no regular file is an error, so that reading
/// does not block.
pub(super) fn read_contents(path: &Path, finder: &dyn FindKeys) -> Result<Contents, Problem> {
    let none = || Problem::new(Code::FileNotRead, format!("{} was not looked into", path.shown()));
    read_all(&[path], finder)?.pop().ok_or_else(none)?
}

/// Reads a record as text. Octets that are not UTF-8 occur in names only, and are replaced.
pub(super) fn read_text(path: &Path, finder: &dyn FindKeys) -> Result<String, Problem> {
    Ok(String::from_utf8_lossy(&read_contents(path, finder)?.octets).into_owned())
}
