//! A file of signed answers, which a daemon serves without a key, an index or the published status.
//!
//! ```text
//! file          description, blocks, table, seal
//! description   magic       8 octets    "GFANSWR1"
//!               length      4 octets    of what follows, big-endian, as are all numbers
//!               authorities             their number of octets, 4 octets; JSON as in the published status: those that are
//!                                       answered for, then their issuers, which have neither records nor responders
//!               responders              their number, 2 octets; for each: number of its CA, 4 octets; its certificate
//!                                       and its signatureAlgorithm, each with its number of octets in 4 octets
//! block         length      4 octets    of the contents
//!               contents                number of the CA, 4 octets; records (`record.rs`) of certificates of this CA in
//!                                       the order of their serial numbers
//!               digest      32 octets   SHA-256 of the contents
//! table         block       69 octets   for each block, see `table.rs`
//!               CA          16 octets   for each CA: number of records, earliest nextUpdate but of those that end with
//!                                       their certificates
//! seal          see `seal.rs`
//! ```
//!
//! A record has what cannot be had from elsewhere: the state of a certificate, the times, and a signature for each CertID
//! that clients may ask with, of SHA-1 and of SHA-256. The answers are put together from them by the functions that
//! encoded what was signed. So an answer of 820 octets takes some 100.
//!
//! The seal names the number of the file and its time, has the digest of all that is before it, and is signed with a
//! responder's key: no older file is taken for a newer one, and none that was cut short or changed. Every block is compared
//! with its digest when the file is opened, and again whenever it is read.
//!
//! The file is written beside its place, and what was written of one that was not finished is used for the next.
mod answering;
mod description;
mod file;
mod former;
mod make;
mod mark;
#[cfg(test)]
mod mended_tests;
mod record;
#[cfg(test)]
mod refused_tests;
mod seal;
mod store;
mod table;
#[cfg(test)]
mod tests;
mod writer;

pub(crate) use answering::answer;
pub use file::AnswerFile;
pub use make::{Made, MakeError, Making, make};
pub use store::AnswerStore;

use super::cert_id::{CertId, HashAlgorithm, issuer_hashes};
use crate::status::PublishedAuthority;
use crate::x509::octets::{OCTET_STRING, sequence, tlv};
use crate::x509::{Name, SerialNumber};
use der::Encode;

/// Octets that are not what they should be.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Malformed;

/// The hash algorithms of the CertIDs that answers are made for: that of most clients, and that of RFC 9919.
const HASHES: [HashAlgorithm; 2] = [HashAlgorithm::Sha1, HashAlgorithm::Sha256];

/// What the CertIDs for the certificates of a CA have in common: one for each hash algorithm and encoding of its name.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct IssuerForm {
    hash: HashAlgorithm,
    name_hash: Vec<u8>,
    key_hash: Vec<u8>,
    /// The encoded fields before the serial number.
    fields: Vec<u8>,
}

impl IssuerForm {
    /// Returns the forms of a CA, in the order of the signatures of a record.
    fn all(authority: &PublishedAuthority) -> Vec<Self> {
        let tbs = authority.certificate.tbs();
        let mut names: Vec<&Name> = vec![tbs.subject()];
        for name in &authority.names {
            if names.iter().all(|known| known.as_der() != name.as_der()) {
                names.push(name);
            }
        }
        let form = |name: &Name, hash: HashAlgorithm| {
            let (name_hash, key_hash) = issuer_hashes(hash, name, tbs.public_key());
            let algorithm = sequence(&[&hash.oid().to_der().unwrap_or_default(), &tlv(0x05, &[])]);
            let fields = [algorithm, tlv(OCTET_STRING, &name_hash), tlv(OCTET_STRING, &key_hash)].concat();
            Self { hash, name_hash, key_hash, fields }
        };
        names.into_iter().flat_map(|name| HASHES.map(|hash| form(name, hash))).collect()
    }

    /// Returns the encoded CertID of the certificate with this serial number.
    fn cert_id(&self, serial: &SerialNumber) -> Vec<u8> {
        sequence(&[&self.fields, &serial.to_der()])
    }

    /// Whether a CertID is of this form.
    fn is_of(&self, id: &CertId) -> bool {
        id.hash_algorithm() == Some(self.hash)
            && id.issuer_name_hash() == self.name_hash
            && id.issuer_key_hash() == self.key_hash
    }
}

/// Takes octets from the beginning.
fn take<'a>(octets: &mut &'a [u8], count: usize) -> Result<&'a [u8], Malformed> {
    let (taken, rest) = octets.split_at_checked(count).ok_or(Malformed)?;
    *octets = rest;
    Ok(taken)
}

/// Takes an array from the beginning.
fn take_array<const N: usize>(octets: &mut &[u8]) -> Result<[u8; N], Malformed> {
    take(octets, N)?.try_into().map_err(|_| Malformed)
}

/// Takes a number of octets in four octets, and so many octets.
fn take_long<'a>(octets: &mut &'a [u8]) -> Result<&'a [u8], Malformed> {
    let length = usize::try_from(u32::from_be_bytes(take_array(octets)?)).map_err(|_| Malformed)?;
    take(octets, length)
}

/// Appends what [`take_long`] takes.
fn put_long(out: &mut Vec<u8>, octets: &[u8]) {
    out.extend(u32::try_from(octets.len()).unwrap_or(u32::MAX).to_be_bytes());
    out.extend_from_slice(octets);
}
