//! CAs that other programs kept, read from their directories and changed by nothing: the CA's certificate, where
//! its key is, what it issued, what it revoked, and how far its CRL numbers got.
//!
//! The record of the other program (`index.txt`) is believed; certificates are matched to it by the CA's
//! signature and their serial numbers, wherever they lie; where a CRL, also signed, knows of more revocations, they
//! count. A certificate whose file is missing, or of an algorithm that this program does not read, is known by its
//! number. Nothing that is read decides over more memory than its size.
mod index_txt;
mod inventory;
mod layout;
mod oneline;
mod tree;

pub use index_txt::{IndexLine, MalformedLine, parse_index_txt};
pub use inventory::{ForeignCertificate, Inventory};
pub use layout::{Layout, Wanted, unusable_key};

use crate::index::Revocation;
use crate::key::ForeignKey;
use crate::problem::{Exit, Problem};
use crate::x509::extension::CrlNumber;
use crate::x509::{Certificate, pem};
use std::path::{Path, PathBuf};
use tree::{FoundCertificate, Tree};

/// A CA as another program kept it.
#[derive(Debug)]
pub struct ForeignAuthority {
    /// The record.
    pub index_file: PathBuf,
    /// The CA's certificate.
    pub certificate: Certificate,
    /// Its file.
    pub certificate_file: PathBuf,
    /// The private key, not opened yet, and its file; `None` when it is to be left away.
    pub key: Option<(PathBuf, ForeignKey)>,
    /// Certificates of CAs that were found beside it or given: those that issued it may be among them.
    pub others: Vec<Certificate>,
    /// What it issued and revoked.
    pub inventory: Inventory,
    /// The highest number of its CRLs so far; 0 when there was none.
    pub crl_number: CrlNumber,
    /// How many private keys of others lie in the directory; they are not touched.
    pub other_keys: usize,
    /// What is odd, and what could not be read.
    pub notices: Vec<String>,
}

/// Reads a CA's directory.
///
/// # Errors
/// When it cannot be read, what is needed is missing or could be more than one file, the record has a line that
/// cannot be read, or the CA's certificate or key is none that can be used here.
pub fn read(wanted: &Wanted<'_>) -> Result<ForeignAuthority, Problem> {
    let places = layout::places(wanted)?;
    let text = tree::read_text(&places.index_file)?;
    let lines = parse_index_txt(&text).map_err(|wrong| malformed_index(&places.index_file, &wrong))?;
    let mut tree = Tree::read(&places.directory)?;
    for file in wanted.chain.iter().chain(wanted.certificate) {
        for certificate in certificates(&tree::read_octets(file)?, file)? {
            tree.put_certificate(file, certificate);
        }
    }
    let chosen = layout::certificate(wanted, &places, &tree, &lines)?.clone();
    let certificate = chosen.certificate;
    check_certificate(&certificate, &chosen.path)?;
    let key = match wanted.without_key {
        true => None,
        false => Some(layout::key(wanted, &places, &tree, &certificate, &chosen.path)?),
    };
    let taken = key.as_ref().map(|(path, _)| path);
    let other_keys = tree.keys.iter().filter(|path| Some(*path) != taken).count();
    let (crl_number, mut notices) = layout::crl_number(&places, &tree, &certificate)?;
    let inventory = Inventory::of(&lines, &tree, &certificate, &mut notices);
    notices.extend(tree.told_faults());
    let others = tree.certificates.into_iter().map(|found: FoundCertificate| found.certificate);
    let others = others.filter(|other| other.is_ca() && *other != certificate).collect();
    Ok(ForeignAuthority {
        index_file: places.index_file,
        certificate_file: chosen.path,
        certificate,
        key,
        others,
        inventory,
        crl_number,
        other_keys,
        notices,
    })
}

/// The certificates of a file, PEM or DER, in order.
///
/// # Errors
/// When there is none, or one of them cannot be read.
pub fn certificates(octets: &[u8], file: &Path) -> Result<Vec<Certificate>, Problem> {
    let malformed =
        |error: &dyn std::fmt::Display| no_certificate(file, &format!("{}: {error}", file.display()));
    let blocks = pem::decode_file(octets, "CERTIFICATE").map_err(|error| malformed(&error))?;
    let found: Vec<Certificate> = blocks
        .iter()
        .filter(|block| tree::is_certificate(&block.label))
        .map(|block| Certificate::from_der(&block.der).map_err(|error| malformed(&error)))
        .collect::<Result<_, _>>()?;
    if found.is_empty() { Err(no_certificate(file, "")) } else { Ok(found) }
}

fn no_certificate(file: &Path, fault: &str) -> Problem {
    let message = if fault.is_empty() {
        format!("there is no certificate in {}", file.display())
    } else {
        fault.to_owned()
    };
    Problem::new(Exit::NotVerified, "file.malformed", message).hint(
        "a certificate, PEM or DER, is needed, signed with SHA-256 or better; one that is signed with SHA-1 must be \
         made anew for the same key first, for example by: openssl x509 -in OLD -signkey KEY -sha256 -out NEW",
    )
}

fn malformed_index(file: &Path, wrong: &[MalformedLine]) -> Problem {
    let lines: Vec<String> = wrong.iter().map(ToString::to_string).collect();
    let message = format!("{} cannot be read as a whole\n{}", file.display(), lines.join("\n"));
    Problem::new(Exit::NotVerified, "import.index-malformed", message).hint(
        "mend these lines in a copy and name it with --index: none is passed over, since it may be a revocation",
    )
}

/// Whether it can be the certificate of a CA here.
fn check_certificate(certificate: &Certificate, file: &Path) -> Result<(), Problem> {
    if certificate.is_ca() {
        return Ok(());
    }
    let message =
        format!("{} is not the certificate of a CA: it has no basicConstraints with CA:TRUE", file.display());
    Err(Problem::new(Exit::Refused, "import.no-ca", message)
        .hint("name the CA's certificate with --cert; without CA:TRUE no client accepts what it issued"))
}

/// Of two revocations of one certificate the one that distrusts more: for good before on hold, the earlier one.
fn stricter(one: Revocation, other: Revocation) -> Revocation {
    match (one.is_hold(), other.is_hold()) {
        (false, true) => one,
        (true, false) => other,
        _ if other.revoked_at < one.revoked_at => other,
        _ => one,
    }
}
