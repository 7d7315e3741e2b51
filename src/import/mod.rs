//! Import of CAs from the directories of other programs, which are only read: the CA's certificate, the place of its
//! key, its certificates and revocations, and its highest CRL number.
//!
//! The other program's record (`index.txt`) is believed. Certificates anywhere in the directory are matched to it by
//! the CA's signature and their serial numbers. Revocations that only a CRL has count as well, since it is signed. A
//! certificate whose file is missing, or whose algorithm this program does not read, is imported as its serial
//! number. No length that a file claims decides how much memory is allocated.
mod index_txt;
mod inventory;
mod layout;
mod numbers;
mod oneline;
mod tree;

pub(crate) use index_txt::MalformedLine;
pub use index_txt::parse_index_txt;
pub use inventory::Inventory;
pub use layout::{Layout, Wanted, unusable_key};

use crate::error::{Code, Problem, Shown as _, remedy};
use crate::index::Revocation;
use crate::signing::{FindKeys, FoundKey};
use crate::x509::CrlReason;
use crate::x509::extension::CrlNumber;
use crate::x509::{Certificate, CertificateList, MalformedDer, pem};
use numbers::Numbers;
use std::path::{Path, PathBuf};
use tree::{Tree, TreeCertificate};

/// A CA of another program.
#[derive(Debug)]
pub struct ForeignAuthority {
    /// Path of the record.
    pub index_file: PathBuf,
    /// The CA's certificate.
    pub certificate: Certificate,
    /// File of the CA's certificate.
    pub certificate_file: PathBuf,
    /// The file of the private key, and what it is; `None` when it is not imported.
    pub key: Option<(PathBuf, FoundKey)>,
    /// Other CA certificates that were found in the directory or given; the issuers may be among them.
    pub others: Vec<Certificate>,
    /// The certificates that it issued and revoked.
    pub inventory: Inventory,
    /// The highest CRL number so far; 0 when there was no CRL.
    pub crl_number: CrlNumber,
    /// The CRL with the highest number among those that were found.
    pub last_crl: Option<CertificateList>,
    /// Number of private keys of other owners in the directory; they are not read further.
    pub other_keys: usize,
    /// Warnings: inconsistencies, and files that could not be read.
    pub notices: Vec<String>,
}

/// Reads a CA's directory. `finder` looks at each file first: what has a private key is not read here.
///
/// # Errors
/// When the directory cannot be read, a required file is missing or ambiguous, the record has a malformed line, or
/// the CA's certificate or key cannot be used here.
pub fn read(wanted: &Wanted<'_>, finder: &dyn FindKeys) -> Result<ForeignAuthority, Problem> {
    let source_paths = layout::source_paths(wanted, finder)?;
    let text = tree::read_text(&source_paths.index_file, finder)?;
    let lines = parse_index_txt(&text).map_err(|wrong| malformed_index(&source_paths.index_file, &wrong))?;
    let mut tree = Tree::read(&source_paths.directory, finder)?;
    for file in wanted.chain.iter().chain(wanted.certificate) {
        for certificate in certificates(&tree::read_contents(file, finder)?.octets, file)? {
            tree.put_certificate(file, certificate);
        }
    }
    let chosen = layout::certificate(wanted, &source_paths, &tree, &lines, finder)?.clone();
    let certificate = chosen.certificate;
    check_certificate(&certificate, &chosen.path)?;
    let key = match wanted.without_key {
        true => None,
        false => Some(layout::key(wanted, &source_paths, &tree, &certificate, &chosen.path, finder)?),
    };
    let taken = key.as_ref().map(|(path, _)| path);
    let other_keys = tree.keys.iter().filter(|one| Some(&one.path) != taken).count();
    let Numbers { highest, last, mut notices } =
        numbers::crl_number(&source_paths, &tree, &certificate, finder)?;
    let inventory = Inventory::of(&lines, &tree, &certificate, &mut notices);
    notices.extend(tree.told_faults());
    let others = tree.certificates.into_iter().map(|found: TreeCertificate| found.certificate);
    let others = others.filter(|other| other.is_ca() && *other != certificate).collect();
    Ok(ForeignAuthority {
        index_file: source_paths.index_file,
        certificate_file: chosen.path,
        certificate,
        key,
        others,
        inventory,
        crl_number: highest,
        last_crl: last,
        other_keys,
        notices,
    })
}

/// Reads the certificates of a file, PEM or DER, in order.
///
/// # Errors
/// When the file contains none, or one of them cannot be read.
pub fn certificates(octets: &[u8], file: &Path) -> Result<Vec<Certificate>, Problem> {
    let blocks = pem::decode_file(octets, "CERTIFICATE")
        .map_err(|error| no_certificate(format!("{}: {error}", file.shown()), None))?;
    let found: Vec<Certificate> = blocks
        .iter()
        .filter(|block| tree::is_certificate(&block.label))
        .map(|block| Certificate::from_der(&block.der))
        .collect::<Result<_, _>>()
        .map_err(|error| no_certificate(format!("{}: {error}", file.shown()), Some(&error)))?;
    if found.is_empty() {
        return Err(no_certificate(format!("there is no certificate in {}", file.shown()), None));
    }
    Ok(found)
}

fn no_certificate(message: String, fault: Option<&MalformedDer>) -> Problem {
    Problem::new(Code::FileMalformed, message).hint(unread_hint(fault))
}

/// Returns the advice about a CA certificate that cannot be read.
fn unread_hint(fault: Option<&MalformedDer>) -> &'static str {
    match fault {
        Some(fault) if fault.unsupported && fault.what == "SubjectPublicKeyInfo" => {
            "a CA with such a key cannot be on record here, with its key or without: RSA, P-256, P-384, P-521 and Ed25519 \
             are supported. Have its last CRLs made by the program it comes from, and issue anew under another CA"
        }
        Some(fault) if fault.unsupported => {
            "one that is signed with SHA-1 or RSA-PSS must be made anew for the same key first, for example by: openssl \
             x509 -in OLD -signkey KEY -sha256 -out NEW. Of DSA, Ed448 and other keys than RSA, P-256, P-384, P-521 and \
             Ed25519 it cannot be on record here, with its key or without: issue anew under another CA"
        }
        _ => "a certificate, PEM or DER, is needed; take another copy of it",
    }
}

fn malformed_index(file: &Path, wrong: &[MalformedLine]) -> Problem {
    let lines: Vec<String> = wrong.iter().map(ToString::to_string).collect();
    let message = format!("{} cannot be read as a whole\n{}", file.shown(), lines.join("\n"));
    Problem::new(Code::ImportIndexMalformed, message).hint(remedy::Import::MendedIndex)
}

/// Checks that the certificate can be that of a CA here.
fn check_certificate(certificate: &Certificate, file: &Path) -> Result<(), Problem> {
    if certificate.is_ca() {
        return Ok(());
    }
    let message =
        format!("{} is not the certificate of a CA: it has no basicConstraints with CA:TRUE", file.shown());
    Err(Problem::new(Code::ImportNoCa, message).hint(remedy::Import::CertificateOfTheCa))
}

/// Returns the more distrustful of two revocations of one certificate: a final one before a hold, a compromise of the key
/// before another reason, and the earlier date.
fn stricter(one: Revocation, other: Revocation) -> Revocation {
    match (one.is_hold(), other.is_hold()) {
        (false, true) => one,
        (true, false) => other,
        (true, true) if other.revoked_at < one.revoked_at => other,
        (true, true) => one,
        (false, false) => {
            let is_of_the_key = |one: &Revocation| one.reason.is_some_and(CrlReason::is_of_the_key);
            let revoked_at = one.revoked_at.min(other.revoked_at);
            // a compromise of the key is not taken back, nor a date put off
            let is_graver = is_of_the_key(&other) && !is_of_the_key(&one);
            let is_earlier = other.revoked_at < one.revoked_at && !is_of_the_key(&one);
            let word = if is_graver || is_earlier { other } else { one };
            Revocation { revoked_at, ..word }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::x509::UnixTime;

    #[test]
    fn of_two_revocations_the_earlier_date_and_the_compromise_count_and_neither_is_taken_back() {
        // C3
        let one = |reason, at| Revocation { revoked_at: UnixTime(at), reason, invalidity_date: None };
        let (key, other, hold) =
            (Some(CrlReason::KeyCompromise), Some(CrlReason::Superseded), Some(CrlReason::CertificateHold));
        for (first, second, strict) in [
            (one(other, 5), one(key, 9), one(key, 5)),
            (one(key, 9), one(other, 5), one(key, 5)),
            (one(other, 5), one(None, 3), one(None, 3)),
            (one(other, 3), one(None, 5), one(other, 3)),
            (one(hold, 1), one(other, 5), one(other, 5)),
            (one(other, 5), one(hold, 1), one(other, 5)),
            (one(hold, 4), one(hold, 2), one(hold, 2)),
        ] {
            assert_eq!(stricter(first, second), strict);
        }
    }
}
