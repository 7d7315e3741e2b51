//! The public key of a pair in a token, as a SubjectPublicKeyInfo.
use super::scheme::{Scheme, integer};
use crate::x509::SubjectPublicKeyInfo;
use crate::x509::octets::{OCTET_STRING, contents_of, sequence, tlv};
use cryptoki::error::Error;
use cryptoki::object::{Attribute, AttributeType, ObjectClass, ObjectHandle};
use cryptoki::session::Session;

/// AlgorithmIdentifier of RSA keys, of EC keys up to the curve, and of Ed25519.
const RSA: &[u8] =
    &[0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00];
const EC: &[u8] = &[0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
const ED25519: &[u8] = &[0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70];
const BIT_STRING: u8 = 0x03;

/// Returns the public key of this object, which is a key or a certificate; `None` when it does not tell it.
pub(super) fn of(session: &Session, object: ObjectHandle) -> Result<Option<SubjectPublicKeyInfo>, Error> {
    let wanted = [
        AttributeType::PublicKeyInfo,
        AttributeType::Modulus,
        AttributeType::PublicExponent,
        AttributeType::EcParams,
        AttributeType::EcPoint,
    ];
    let mut found = Found::default();
    // one by one: a module may refuse all for one that an object of this kind has not
    for attribute in wanted {
        for value in session.get_attributes(object, &[attribute]).unwrap_or_default() {
            found.take(value);
        }
    }
    Ok(found.key())
}

/// Returns the public key of a certificate in the token.
pub(super) fn of_certificate(
    session: &Session,
    object: ObjectHandle,
) -> Result<Option<SubjectPublicKeyInfo>, Error> {
    for value in session.get_attributes(object, &[AttributeType::Value])? {
        if let Attribute::Value(der) = value
            && let Ok(certificate) = crate::x509::Certificate::from_der(&der)
        {
            return Ok(Some(certificate.tbs().public_key().clone()));
        }
    }
    Ok(None)
}

/// Returns the public key that belongs to a private one: as the private key itself, the public one with its CKA_ID or
/// a certificate with it tells.
pub(super) fn beside(
    session: &Session,
    private: ObjectHandle,
    id: &[u8],
) -> Result<Option<SubjectPublicKeyInfo>, Error> {
    if !id.is_empty() {
        let with = |class| [Attribute::Class(class), Attribute::Id(id.to_vec())];
        for object in session.find_objects(&with(ObjectClass::PUBLIC_KEY))? {
            if let Some(key) = of(session, object)? {
                return Ok(Some(key));
            }
        }
        for object in session.find_objects(&with(ObjectClass::CERTIFICATE))? {
            if let Some(key) = of_certificate(session, object)? {
                return Ok(Some(key));
            }
        }
    }
    of(session, private)
}

#[derive(Default)]
struct Found {
    whole: Vec<u8>,
    modulus: Vec<u8>,
    exponent: Vec<u8>,
    curve: Vec<u8>,
    point: Vec<u8>,
}

impl Found {
    fn take(&mut self, value: Attribute) {
        match value {
            Attribute::PublicKeyInfo(octets) => self.whole = octets,
            Attribute::Modulus(octets) => self.modulus = octets,
            Attribute::PublicExponent(octets) => self.exponent = octets,
            Attribute::EcParams(octets) => self.curve = octets,
            Attribute::EcPoint(octets) => self.point = octets,
            _ => {}
        }
    }

    fn key(&self) -> Option<SubjectPublicKeyInfo> {
        let from = |der: &[u8]| SubjectPublicKeyInfo::from_der(der).ok();
        if let Some(key) = from(&self.whole) {
            return Some(key);
        }
        if !self.modulus.is_empty() && !self.exponent.is_empty() {
            let key = sequence(&[&integer(&self.modulus), &integer(&self.exponent)]);
            return from(&sequence(&[RSA, &bits(&key)]));
        }
        let scheme = Scheme::of_curve(&self.curve)?;
        // some modules return the point itself, others as PKCS #11 says within an OCTET STRING
        let point = contents_of(&self.point, OCTET_STRING).unwrap_or(&self.point);
        match scheme {
            Scheme::Ed25519 => from(&sequence(&[ED25519, &bits(point)])),
            _ => from(&sequence(&[&sequence(&[EC, &self.curve]), &bits(point)])),
        }
    }
}

fn bits(octets: &[u8]) -> Vec<u8> {
    tlv(BIT_STRING, &[&[0][..], octets].concat())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::signing::SoftKey;
    use crate::x509::KeyAlgorithm;

    #[test]
    fn what_a_token_tells_of_a_key_makes_the_same_public_key() {
        for algorithm in [KeyAlgorithm::P256, KeyAlgorithm::P384, KeyAlgorithm::ED25519] {
            let key = SoftKey::generate(algorithm).unwrap().public_key().clone();
            let (_, _, attributes) = Scheme::of(algorithm).unwrap().generation();
            for point in [key.key_octets().to_vec(), tlv(OCTET_STRING, key.key_octets())] {
                let mut found = Found { point, ..Found::default() };
                attributes.iter().for_each(|value| found.take(value.clone()));
                assert_eq!(found.key().as_ref(), Some(&key), "{algorithm}");
            }
        }
        assert_eq!(Found::default().key(), None);
        assert_eq!(Found { point: vec![4; 65], ..Found::default() }.key(), None);
    }
}
