//! Places of a CA's index, certificate, key and CRL number in the directories of other programs.
use super::index_txt::IndexLine;
use super::inventory::own_crls;
use super::tree::{Tree, TreeCertificate, TreeKey, read_contents, read_text, unreadable};
use crate::error::{Code, Problem, Remedy, Shown as _, remedy};
use crate::signing::{FindKeys, FoundKey, KeyError};
use crate::x509::{Certificate, MalformedDer};
use std::fs;
use std::path::{Path, PathBuf};

/// The program that made a directory.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Layout {
    /// `openssl ca`, or an export of XCA with certificates and key beside the index.
    OpenSsl,
    /// easy-rsa 3: a `pki/`, or the directory that contains one.
    EasyRsa,
}

/// The parameters of an import: the directory, and files that are not in their usual places.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    /// The directory.
    pub directory: &'a Path,
    /// The program that made the directory.
    pub layout: Layout,
    /// The record, instead of `index.txt`.
    pub index: Option<&'a Path>,
    /// The CA's certificate.
    pub certificate: Option<&'a PathBuf>,
    /// The CA's key.
    pub key: Option<&'a Path>,
    /// Whether the key is not imported.
    pub without_key: bool,
    /// Certificates of the issuer path.
    pub chain: &'a [PathBuf],
}

/// The directory and record that were found.
#[derive(Debug)]
pub(super) struct SourcePaths {
    /// The directory to be searched.
    pub(super) directory: PathBuf,
    pub(super) index_file: PathBuf,
}

/// Usual places of a CA's certificate, relative to the directory of its index.
const CERTIFICATES: [&str; 14] = [
    "cacert.pem",
    "ca.crt",
    "ca.pem",
    "ca.cer",
    "ca.der",
    "cacert.crt",
    "cacert.der",
    "ca-cert.pem",
    "root.crt",
    "certs/ca.cert.pem",
    "certs/ca.crt",
    "certs/cacert.pem",
    "certs/ca.pem",
    "certs/intermediate.cert.pem",
];
/// Usual places of a CA's key, relative to the directory of its index.
const KEYS: [&str; 11] = [
    "private/cakey.pem",
    "private/ca.key",
    "private/ca.key.pem",
    "private/ca.pem",
    "private/cakey.der",
    "private/root.key",
    "private/intermediate.key.pem",
    "cakey.pem",
    "ca.key",
    "ca.key.pem",
    "ca-key.pem",
];
/// Bound of the number of files that a message lists for a choice.
const NAMED: usize = 20;

fn list(paths: &[&Path]) -> String {
    let mut names: Vec<String> = paths.iter().take(NAMED).map(|path| path.shown().to_string()).collect();
    if paths.len() > NAMED {
        names.push("...".into());
    }
    names.join("\n")
}

/// Finds the index, and the directory to be searched.
pub(super) fn source_paths(wanted: &Wanted<'_>, finder: &dyn FindKeys) -> Result<SourcePaths, Problem> {
    let given = wanted.directory;
    let metadata = fs::metadata(given).map_err(|error| unreadable(given, &error))?;
    if !metadata.is_dir() {
        let message = format!("{} is not a directory", given.shown());
        return Err(Problem::new(Code::Usage, message).hint("name the directory that has index.txt"));
    }
    let pki = given.join("pki");
    let directory = if wanted.layout == Layout::EasyRsa && fs::metadata(pki.join("index.txt")).is_ok() {
        &pki
    } else {
        given
    };
    if let Some(index) = wanted.index {
        return Ok(SourcePaths { directory: directory.to_owned(), index_file: index.to_owned() });
    }
    let index_file = directory.join("index.txt");
    // reading reports an object of this name that is no usable file
    if fs::metadata(&index_file).is_ok() {
        return Ok(SourcePaths { directory: directory.to_owned(), index_file });
    }
    let found = if wanted.layout == Layout::EasyRsa { Vec::new() } else { other_indexes(directory, finder)? };
    let paths: Vec<&Path> = found.iter().map(PathBuf::as_path).collect();
    match paths.as_slice() {
        [only] => Ok(SourcePaths { directory: directory.to_owned(), index_file: (*only).to_owned() }),
        [] => {
            let hint: Remedy = match wanted.layout {
                Layout::OpenSsl => remedy::Import::Directory.into(),
                Layout::EasyRsa => {
                    "name easy-rsa's pki directory; a CA of easy-rsa 2 is imported as openssl's".into()
                }
            };
            let message = format!("there is no index.txt in {}", given.shown());
            Err(Problem::new(Code::ImportNoIndex, message).hint(hint))
        }
        several => {
            let message = format!("more than one CA has its record in {}\n{}", given.shown(), list(several));
            Err(Problem::new(Code::UsageAmbiguous, message).hint(remedy::Import::OneByOne))
        }
    }
}

/// Finds records in the subdirectories, or, as XCA writes them, `*.txt` in this directory.
fn other_indexes(directory: &Path, finder: &dyn FindKeys) -> Result<Vec<PathBuf>, Problem> {
    let failed = |error: std::io::Error| unreadable(directory, &error);
    let (mut below, mut texts) = (Vec::new(), Vec::new());
    for entry in fs::read_dir(directory).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let index = path.join("index.txt");
        if fs::metadata(&index).is_ok() {
            below.push(index);
        } else if path.extension().is_some_and(|ending| ending == "txt") && path.is_file() {
            let text = read_text(&path, finder)?;
            if !text.is_empty() && super::parse_index_txt(&text).is_ok() {
                texts.push(path);
            }
        }
    }
    let mut found = if below.is_empty() { texts } else { below };
    found.sort();
    Ok(found)
}

/// Returns the directories that the usual places are relative to: that of the index, then the named one.
pub(super) fn bases(source_paths: &SourcePaths) -> Vec<&Path> {
    let beside = source_paths.index_file.parent().filter(|parent| !parent.as_os_str().is_empty());
    let mut bases: Vec<&Path> =
        beside.into_iter().filter(|base| base.starts_with(&source_paths.directory)).collect();
    bases.push(&source_paths.directory);
    bases.dedup();
    bases
}

/// Finds the CA's certificate: the one named; else the CA certificate that signed most of the record; of several, the
/// one in a usual place.
pub(super) fn certificate<'t>(
    wanted: &Wanted<'_>,
    source_paths: &SourcePaths,
    tree: &'t Tree,
    lines: &[IndexLine],
    finder: &dyn FindKeys,
) -> Result<&'t TreeCertificate, Problem> {
    let at = |path: &Path| tree.certificates.iter().find(|found| found.path == path);
    if let Some(path) = wanted.certificate {
        // the directory may contain the same certificate under another name
        let named = super::certificates(&read_contents(path, finder)?.octets, path)?;
        let is_named = |found: &&TreeCertificate| named.first() == Some(&found.certificate);
        return tree
            .certificates
            .iter()
            .find(is_named)
            .ok_or_else(|| missing_certificate(source_paths, tree));
    }
    let usual = |candidates: &[&'t TreeCertificate]| {
        let source_paths =
            bases(source_paths).into_iter().flat_map(|base| CERTIFICATES.map(|name| base.join(name)));
        source_paths
            .filter_map(|path| at(&path))
            .find(|found| candidates.iter().any(|one| one.path == found.path))
    };
    if wanted.layout == Layout::EasyRsa {
        return at(&source_paths.directory.join("ca.crt"))
            .ok_or_else(|| missing_certificate(source_paths, tree));
    }
    let candidates: Vec<&TreeCertificate> =
        tree.certificates.iter().filter(|found| found.certificate.is_ca()).collect();
    let scores: Vec<usize> = candidates.iter().map(|one| signed(one, tree, lines)).collect();
    let most = scores.iter().copied().max().unwrap_or(0);
    let best: Vec<&TreeCertificate> =
        candidates.iter().zip(&scores).filter(|(_, score)| **score == most).map(|(one, _)| *one).collect();
    match best.as_slice() {
        // a certificate that signed nothing of the record is not taken while one in a usual place cannot be read
        [_, ..] if most == 0 && in_usual_place(source_paths, tree).is_some() => {
            Err(missing_certificate(source_paths, tree))
        }
        [only] => Ok(only),
        [] => Err(missing_certificate(source_paths, tree)),
        several => usual(several).ok_or_else(|| {
            let paths: Vec<&Path> = several.iter().map(|found| found.path.as_path()).collect();
            let message = format!("any of these could be the certificate of the CA\n{}", list(&paths));
            Problem::new(Code::UsageAmbiguous, message).hint(remedy::Import::Certificate)
        }),
    }
}

/// Returns a certificate in a usual place that cannot be read, with the reason.
fn in_usual_place<'t>(source_paths: &SourcePaths, tree: &'t Tree) -> Option<(&'t Path, &'t MalformedDer)> {
    let usual = bases(source_paths).into_iter().flat_map(|base| CERTIFICATES.map(|name| base.join(name)));
    let at = |path: PathBuf| tree.faults.iter().find(|fault| fault.path == path);
    usual.filter_map(at).find_map(|fault| Some((fault.path.as_path(), fault.certificate.as_ref()?)))
}

fn missing_certificate(source_paths: &SourcePaths, tree: &Tree) -> Problem {
    let elsewhere = || {
        let unread = tree.faults.iter();
        unread.filter_map(|fault| Some((fault.path.as_path(), fault.certificate.as_ref()?))).next()
    };
    let message = format!("the certificate of the CA is not in {}", source_paths.directory.shown());
    match in_usual_place(source_paths, tree).or_else(elsewhere) {
        Some((path, fault)) => {
            let hint = super::unread_hint(Some(fault));
            let message = format!("{message}, and {} cannot be read: {fault}", path.shown());
            Problem::new(Code::ImportNoCertificate, message).hint(remedy::Import::CertificateOr(hint.into()))
        }
        None => Problem::new(Code::ImportNoCertificate, message).hint(remedy::Import::CaCertificate),
    }
}

/// Counts the certificates of the record and the CRLs that a candidate signed.
fn signed(candidate: &TreeCertificate, tree: &Tree, lines: &[IndexLine]) -> usize {
    let authority = &candidate.certificate;
    let (name, key) = (authority.tbs().subject(), authority.tbs().public_key());
    let recorded: std::collections::HashMap<_, _> =
        lines.iter().filter_map(|line| Some((line.serial_number.as_ref()?, line.not_after))).collect();
    let certificates = tree.certificates.iter().filter(|found| {
        let tbs = found.certificate.tbs();
        found.certificate != *authority
            && tbs.issuer().is_same_as(name)
            && recorded.get(tbs.serial_number()) == Some(&tbs.validity().not_after)
            && found.certificate.was_signed_by(key)
    });
    certificates.count() + own_crls(tree, authority).count()
}

/// Finds the CA's private key: the one named; else one in a usual place, one named like the certificate, the only
/// one, or one that is not encrypted and belongs to the certificate.
pub(super) fn key(
    wanted: &Wanted<'_>,
    source_paths: &SourcePaths,
    tree: &Tree,
    certificate: &Certificate,
    certificate_file: &Path,
    finder: &dyn FindKeys,
) -> Result<(PathBuf, FoundKey), Problem> {
    if let Some(path) = wanted.key {
        let none = || missing_key(&format!("there is no private key in {}", path.shown()));
        let key = read_contents(path, finder)?.key.ok_or_else(none)??;
        return Ok((path.to_owned(), key));
    }
    let stem = |path: &Path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        name.split('.').next().unwrap_or_default().to_owned()
    };
    let candidates: Vec<PathBuf> = match wanted.layout {
        Layout::EasyRsa => vec![source_paths.directory.join("private/ca.key")],
        Layout::OpenSsl => {
            bases(source_paths).into_iter().flat_map(|base| KEYS.map(|name| base.join(name))).collect()
        }
    };
    let unread = tree.faults.iter().find(|fault| candidates.contains(&fault.path)).map(|fault| &fault.text);
    let at = |path: &PathBuf| tree.keys.iter().find(|one| one.path == *path);
    let (mut sure, mut others): (Vec<&TreeKey>, _) = (candidates.iter().filter_map(at).collect(), Vec::new());
    if wanted.layout == Layout::OpenSsl {
        for one in &tree.keys {
            let is_called_alike = stem(&one.path) == stem(certificate_file) || one.path == certificate_file;
            match is_called_alike {
                _ if sure.iter().any(|sure| sure.path == one.path) => {}
                true => sure.push(one),
                false => others.push(one),
            }
        }
    }
    let mut closed = Vec::new();
    let mut refused = None;
    let sure = sure.into_iter().map(|one| (one, true));
    for (TreeKey { path, key }, is_sure) in sure.chain(others.into_iter().map(|one| (one, false))) {
        match key {
            Ok(key) if key.is_encrypted() && is_sure => return Ok((path.clone(), key.clone())),
            Ok(key) if key.is_encrypted() => closed.push((path.clone(), key.clone())),
            Ok(key) if key.public_key.as_ref() == Some(certificate.tbs().public_key()) => {
                return Ok((path.clone(), key.clone()));
            }
            Err(problem) if is_sure => refused = Some(problem.clone()),
            Ok(_) | Err(_) => {}
        }
    }
    if let Some(problem) = refused {
        return Err(problem);
    }
    if closed.len() == 1 {
        return closed.pop().ok_or_else(|| missing_key(""));
    }
    let paths: Vec<&Path> = closed.iter().map(|(path, _)| path.as_path()).collect();
    Err(match paths.as_slice() {
        [] => {
            let message = format!("the private key of the CA is not in {}", source_paths.directory.shown());
            missing_key(&unread.map_or(message.clone(), |fault| format!("{message}, and {fault}")))
        }
        several => {
            let message = format!("any of these could be the private key of the CA\n{}", list(several));
            Problem::new(Code::UsageAmbiguous, message).hint(remedy::Import::Key)
        }
    })
}

/// Adds to the error of an unusable key what can be done without the key. Other errors are unchanged.
#[must_use]
pub fn unusable_key(error: KeyError) -> Problem {
    let is_unusable = matches!(error, KeyError::Backend(..) | KeyError::Malformed(_));
    let problem = Problem::from(error);
    if !is_unusable {
        return problem;
    }
    problem.hint(remedy::Import::WithoutKey)
}

fn missing_key(message: &str) -> Problem {
    Problem::new(Code::ImportNoKey, message).hint(remedy::Import::KeyOrLater)
}
