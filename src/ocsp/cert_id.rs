//! `CertID` (RFC 6960 §4.1.1): identifies a certificate by hashes of its issuer's name and key, and its serial
//! number.
use crate::x509::octets::{OCTET_STRING, sequence, tlv};
use crate::x509::{
    Certificate, MalformedDer, Name, SerialNumber, SubjectPublicKeyInfo, sha1, sha256, sha384, sha512,
};
use const_oid::db::rfc5912;
use der::asn1::{AnyRef, Null, ObjectIdentifier, OctetStringRef};
use der::{Decode, Encode, Reader, SliceReader, Tag, Tagged};
use std::fmt;

const ID_SHA_1: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.14.3.2.26");

/// Length in octets of the longest hash that is accepted: that of SHA-512.
const LONGEST_HASH: usize = 64;

/// Length in octets of the longest serial number that is accepted. Other CAs may exceed the 20 octets of RFC 5280
/// §4.1.2.2.
const LONGEST_SERIAL_NUMBER: usize = 64;

/// Hash algorithms of the CertIDs that are answered.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum HashAlgorithm {
    Sha1,
    Sha256,
    Sha384,
    Sha512,
}

impl HashAlgorithm {
    /// All hash algorithms.
    pub const ALL: [Self; 4] = [Self::Sha1, Self::Sha256, Self::Sha384, Self::Sha512];

    /// Object identifier of the algorithm.
    #[must_use]
    pub fn oid(self) -> ObjectIdentifier {
        match self {
            Self::Sha1 => ID_SHA_1,
            Self::Sha256 => rfc5912::ID_SHA_256,
            Self::Sha384 => rfc5912::ID_SHA_384,
            Self::Sha512 => rfc5912::ID_SHA_512,
        }
    }

    /// Length of the hash in octets.
    #[must_use]
    pub fn length(self) -> usize {
        match self {
            Self::Sha1 => 20,
            Self::Sha256 => 32,
            Self::Sha384 => 48,
            Self::Sha512 => 64,
        }
    }

    /// Returns the hash of these octets.
    #[must_use]
    pub fn digest(self, octets: &[u8]) -> Vec<u8> {
        match self {
            Self::Sha1 => sha1(octets),
            Self::Sha256 => sha256(octets).to_vec(),
            Self::Sha384 => sha384(octets),
            Self::Sha512 => sha512(octets),
        }
    }
}

/// Writes the algorithm as OpenSSL's options name it, for example `sha256`.
impl fmt::Display for HashAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sha1 => "sha1",
            Self::Sha256 => "sha256",
            Self::Sha384 => "sha384",
            Self::Sha512 => "sha512",
        })
    }
}

/// A CertID together with its octets as received, which answers repeat.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct CertId {
    der: Vec<u8>,
    hash_algorithm: Option<HashAlgorithm>,
    issuer_name_hash: Vec<u8>,
    issuer_key_hash: Vec<u8>,
    serial_number: Option<SerialNumber>,
}

impl CertId {
    /// Returns the CertID of the certificate with this serial number. The issuer's name is hashed as the issuer's own
    /// certificate encodes it.
    #[must_use]
    pub fn new(hash: HashAlgorithm, issuer: &Certificate, serial_number: SerialNumber) -> Self {
        let tbs = issuer.tbs();
        Self::of(hash, tbs.subject(), tbs.public_key(), serial_number)
    }

    /// Returns the CertID of the certificate with this `issuer` field and serial number. The hash is over the octets
    /// of that field, whose encoding may differ from the subject in the issuer's certificate (RFC 6960 §4.1.1).
    #[must_use]
    pub fn of(
        hash: HashAlgorithm,
        issuer: &Name,
        key: &SubjectPublicKeyInfo,
        serial_number: SerialNumber,
    ) -> Self {
        let (issuer_name_hash, issuer_key_hash) = issuer_hashes(hash, issuer, key);
        let algorithm = sequence(&[&hash.oid().to_der().unwrap_or_default(), &tlv(0x05, &[])]);
        let der = sequence(&[
            &algorithm,
            &tlv(OCTET_STRING, &issuer_name_hash),
            &tlv(OCTET_STRING, &issuer_key_hash),
            &serial_number.to_der(),
        ]);
        Self {
            der,
            hash_algorithm: Some(hash),
            issuer_name_hash,
            issuer_key_hash,
            serial_number: Some(serial_number),
        }
    }

    /// Reads exactly one CertID. An unknown hash algorithm and an INTEGER that is no valid serial number are kept:
    /// such a CertID identifies no certificate of this responder, but the request is well-formed. Everything that is
    /// kept is repeated in the answer, which clients have to be able to read.
    ///
    /// # Errors
    /// When the octets are malformed.
    pub fn from_der(octets: &[u8]) -> Result<Self, MalformedDer> {
        Self::read(octets).map_err(|error| error.reading("CertID"))
    }

    fn read(octets: &[u8]) -> Result<Self, MalformedDer> {
        let mut reader = SliceReader::new(octets)?;
        let id = reader.sequence(|fields| {
            let algorithm = fields.sequence(|algorithm| {
                let oid = ObjectIdentifier::decode(algorithm)?;
                // hash algorithms have no parameters; both encodings of that are accepted (RFC 5754 §2)
                if !algorithm.is_finished() {
                    Null::decode(algorithm)?;
                }
                Ok::<_, der::Error>(oid)
            })?;
            let hash_algorithm = HashAlgorithm::ALL.into_iter().find(|hash| hash.oid() == algorithm);
            let issuer_name_hash = read_hash(fields, hash_algorithm)?;
            let issuer_key_hash = read_hash(fields, hash_algorithm)?;
            let integer = AnyRef::decode(fields)?;
            integer.tag().assert_eq(Tag::Integer)?;
            Ok::<_, MalformedDer>(Self {
                der: octets.to_vec(),
                hash_algorithm,
                issuer_name_hash,
                issuer_key_hash,
                serial_number: read_serial_number(integer.value())?,
            })
        })?;
        reader.finish()?;
        Ok(id)
    }

    /// DER octets as received.
    #[must_use]
    pub fn as_der(&self) -> &[u8] {
        &self.der
    }

    /// `hashAlgorithm`; `None` when it is not one of [`HashAlgorithm::ALL`].
    #[must_use]
    pub(crate) fn hash_algorithm(&self) -> Option<HashAlgorithm> {
        self.hash_algorithm
    }

    /// `issuerNameHash`
    #[must_use]
    pub(crate) fn issuer_name_hash(&self) -> &[u8] {
        &self.issuer_name_hash
    }

    /// `issuerKeyHash`
    #[must_use]
    pub(crate) fn issuer_key_hash(&self) -> &[u8] {
        &self.issuer_key_hash
    }

    /// `serialNumber`; `None` when it is not valid for any certificate.
    #[must_use]
    pub fn serial_number(&self) -> Option<&SerialNumber> {
        self.serial_number.as_ref()
    }

    /// Whether the CertID identifies the certificate with this `issuer` field, issuer's key and serial number, with
    /// any of the hash algorithms.
    #[must_use]
    pub fn names(&self, issuer: &Name, key: &SubjectPublicKeyInfo, serial_number: &SerialNumber) -> bool {
        self.serial_number.as_ref() == Some(serial_number)
            && self.hash_algorithm.is_some_and(|hash| {
                let (name, key) = issuer_hashes(hash, issuer, key);
                name == self.issuer_name_hash && key == self.issuer_key_hash
            })
    }
}

/// Returns the `issuerNameHash` and `issuerKeyHash` of CertIDs for certificates with this `issuer` field and issuer's
/// key.
#[must_use]
pub(crate) fn issuer_hashes(
    hash: HashAlgorithm,
    issuer: &Name,
    key: &SubjectPublicKeyInfo,
) -> (Vec<u8>, Vec<u8>) {
    (hash.digest(issuer.as_der()), hash.digest(key.key_octets()))
}

/// Reads a hash. Its length must be that of its algorithm. The hash of an unknown algorithm must be no longer than
/// [`LONGEST_HASH`].
fn read_hash(
    fields: &mut SliceReader<'_>,
    algorithm: Option<HashAlgorithm>,
) -> Result<Vec<u8>, MalformedDer> {
    let hash = <&OctetStringRef>::decode(fields)?.as_bytes();
    let fits = match algorithm {
        Some(algorithm) => hash.len() == algorithm.length(),
        None => (1..=LONGEST_HASH).contains(&hash.len()),
    };
    if fits { Ok(hash.to_vec()) } else { Err(MalformedDer::new("CertID", "a hash of another length")) }
}

fn read_serial_number(contents: &[u8]) -> Result<Option<SerialNumber>, MalformedDer> {
    match contents {
        [] => Err(MalformedDer::new("CertID", "an INTEGER without octets")),
        [0, second, ..] if *second < 0x80 => Err(MalformedDer::new("CertID", "an INTEGER with a needless 0")),
        [0xff, second, ..] if *second >= 0x80 => {
            Err(MalformedDer::new("CertID", "an INTEGER with a needless octet"))
        }
        contents if contents.len() > LONGEST_SERIAL_NUMBER => {
            Err(MalformedDer::new("CertID", "an INTEGER that no serial number is as long as"))
        }
        contents => Ok(SerialNumber::from_integer_contents(contents).ok()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ocsp::fixture::Hierarchy;

    #[test]
    fn cert_ids_of_every_hash_survive_a_round_trip_and_name_their_certificate() {
        // O3
        let hierarchy = Hierarchy::new();
        let serial = SerialNumber::from_be_octets(&[0x80, 1]).unwrap();
        for (hash, length) in HashAlgorithm::ALL.into_iter().zip([20, 32, 48, 64]) {
            let id = CertId::new(hash, &hierarchy.ca, serial.clone());
            assert_eq!(CertId::from_der(id.as_der()), Ok(id.clone()), "{hash}");
            assert_eq!(id.issuer_key_hash().len(), length);
            let names = |ca: &Certificate| id.names(ca.tbs().subject(), ca.tbs().public_key(), &serial);
            assert!(names(&hierarchy.ca) && !names(&hierarchy.other_ca));
        }
    }

    #[test]
    fn an_unknown_hash_or_an_impossible_serial_number_is_not_malformed() {
        let algorithm = [0x30, 4, 6, 2, 0x2a, 3];
        let id = |integer: &[u8]| sequence(&[&algorithm, &[4, 1, 1], &[4, 1, 2], integer]);
        let decoded = CertId::from_der(&id(&[2, 1, 0x80])).unwrap();
        assert_eq!((decoded.hash_algorithm(), decoded.serial_number()), (None, None));
        assert!(CertId::from_der(&id(&[2, 2, 0, 1])).is_err());
        assert!(CertId::from_der(&id(&[2, 2, 0xff, 0x80])).is_err());
        assert!(CertId::from_der(&id(&[2, 0])).is_err());
        assert!(CertId::from_der(&[&id(&[2, 1, 1])[..], &[0]].concat()).is_err());
    }

    #[test]
    fn nothing_that_a_client_could_not_read_is_kept_to_be_repeated() {
        // O2, O3
        let sha1 = ID_SHA_1.to_der().unwrap();
        let id = |parameters: &[u8], name: &[u8], serial: &[u8]| {
            let algorithm = sequence(&[&sha1, parameters]);
            CertId::from_der(&sequence(&[&algorithm, &tlv(4, name), &tlv(4, &[2; 20]), &tlv(2, serial)]))
        };
        let hash = [1; 20];
        assert!(id(&[], &hash, &[1]).is_ok() && id(&[5, 0], &hash, &[1]).is_ok());
        let garbage: [&[u8]; 7] =
            [&[5, 1, 0], &[0x30, 0], &[0x30, 2, 0xff, 0xff], &[2, 1, 1], &[4, 0], &[5, 0, 5, 0], &[0x1f]];
        for parameters in garbage {
            assert!(id(parameters, &hash, &[1]).is_err(), "{parameters:02x?}");
        }
        for length in [0, 1, 19, 21, 32, 64] {
            assert!(id(&[], &vec![1; length], &[1]).is_err(), "{length}");
        }
        assert!(id(&[], &hash, &[1; 64]).is_ok_and(|id| id.serial_number().is_none()));
        assert!(id(&[], &hash, &[1; 65]).is_err());
        let unknown = |length: usize| {
            let algorithm = [0x30, 4, 6, 2, 0x2a, 3];
            let hash = tlv(4, &vec![1; length]);
            CertId::from_der(&sequence(&[&algorithm, &hash, &hash, &[2, 1, 1]]))
        };
        assert!(unknown(1).is_ok() && unknown(64).is_ok());
        assert!(unknown(0).is_err() && unknown(65).is_err());
    }
}
