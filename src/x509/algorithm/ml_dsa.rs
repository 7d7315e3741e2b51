//! ML-DSA of FIPS 204 (RFC 9881): the pure variant, with an empty context. Profiles accept it only when they name it.
#[cfg(test)]
use super::KeyAlgorithm;
use super::scheme::{KeyScheme, Parameters, PrivateAlgorithm, Verification};
use super::signature::{SignatureAlgorithm, SignatureIdentifier};
use crate::x509::MalformedDer;
use crate::x509::extension::KeyUsage;
use aws_lc_rs::signature::{self as aws, PqdsaSigningAlgorithm};
use const_oid::db::fips204::{ID_ML_DSA_44, ID_ML_DSA_65, ID_ML_DSA_87};
use der::asn1::ObjectIdentifier;

#[cfg(test)]
impl KeyAlgorithm {
    /// ML-DSA-44.
    pub(crate) const ML_DSA_44: Self = Self { scheme: &ML_DSA_44, length: None };
    /// ML-DSA-65.
    pub(crate) const ML_DSA_65: Self = Self { scheme: &ML_DSA_65, length: None };
    /// ML-DSA-87.
    pub(crate) const ML_DSA_87: Self = Self { scheme: &ML_DSA_87, length: None };
}

impl SignatureAlgorithm {
    /// `id-ml-dsa-44`
    pub(crate) const ML_DSA_44: Self = Self(&SIGNATURE_44);
    /// `id-ml-dsa-65`
    pub(crate) const ML_DSA_65: Self = Self(&SIGNATURE_65);
    /// `id-ml-dsa-87`
    pub(crate) const ML_DSA_87: Self = Self(&SIGNATURE_87);
}

static SIGNATURE_44: SignatureIdentifier =
    SignatureIdentifier { oid: ID_ML_DSA_44, name: "ML-DSA-44", has_null: false };
static SIGNATURE_65: SignatureIdentifier =
    SignatureIdentifier { oid: ID_ML_DSA_65, name: "ML-DSA-65", has_null: false };
static SIGNATURE_87: SignatureIdentifier =
    SignatureIdentifier { oid: ID_ML_DSA_87, name: "ML-DSA-87", has_null: false };

pub(super) static ML_DSA_44: KeyScheme = KeyScheme {
    name: "ml-dsa-44",
    read: |key| of_length(key, 1312),
    ..of_parameter_set(
        ID_ML_DSA_44,
        &aws::ML_DSA_44_SIGNING,
        (SignatureAlgorithm::ML_DSA_44, &aws::ML_DSA_44),
    )
};

pub(super) static ML_DSA_65: KeyScheme = KeyScheme {
    name: "ml-dsa-65",
    read: |key| of_length(key, 1952),
    ..of_parameter_set(
        ID_ML_DSA_65,
        &aws::ML_DSA_65_SIGNING,
        (SignatureAlgorithm::ML_DSA_65, &aws::ML_DSA_65),
    )
};

pub(super) static ML_DSA_87: KeyScheme = KeyScheme {
    name: "ml-dsa-87",
    read: |key| of_length(key, 2592),
    ..of_parameter_set(
        ID_ML_DSA_87,
        &aws::ML_DSA_87_SIGNING,
        (SignatureAlgorithm::ML_DSA_87, &aws::ML_DSA_87),
    )
};

/// Returns the row of a parameter set; the arguments are what differs between parameter sets.
const fn of_parameter_set(
    oid: ObjectIdentifier,
    private: &'static PqdsaSigningAlgorithm,
    signature: Verification,
) -> KeyScheme {
    KeyScheme {
        name: "",
        oid,
        parameters: Parameters::Absent,
        read: |_| Ok(None),
        // any octets of the right length are a valid key
        weaknesses: |_| Vec::new(),
        lengths: None,
        generated: &[None],
        // RFC 9881 §5
        uses: KeyUsage::SIGNATURES,
        signature,
        private: PrivateAlgorithm::MlDsa(private),
        other_signatures: &[],
        signs_quickly: false,
        is_usual: false,
        caution: Some("few programs verify ML-DSA signatures yet"),
    }
}

/// Checks the length of the octets of `pkEncode` (FIPS 204 §7.2), which are the contents of the BIT STRING.
fn of_length(key: &[u8], octets: usize) -> Result<Option<u32>, MalformedDer> {
    if key.len() == octets {
        return Ok(None);
    }
    let reason = format!("an ML-DSA key of {} octets where {octets} belong", key.len());
    Err(MalformedDer::new("SubjectPublicKeyInfo", reason))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::x509::octets::{sequence, tlv};
    use crate::x509::{Certificate, SubjectPublicKeyInfo, verify};
    use der::Encode;

    /// Certificates of RFC 9881 appendix C.4.
    const CERTIFICATES: [(&str, KeyAlgorithm, SignatureAlgorithm); 3] = [
        (
            include_str!("../../../tests/vectors/rfc9881/ML-DSA-44.crt"),
            KeyAlgorithm::ML_DSA_44,
            SignatureAlgorithm::ML_DSA_44,
        ),
        (
            include_str!("../../../tests/vectors/rfc9881/ML-DSA-65.crt"),
            KeyAlgorithm::ML_DSA_65,
            SignatureAlgorithm::ML_DSA_65,
        ),
        (
            include_str!("../../../tests/vectors/rfc9881/ML-DSA-87.crt"),
            KeyAlgorithm::ML_DSA_87,
            SignatureAlgorithm::ML_DSA_87,
        ),
    ];

    #[test]
    fn the_certificates_of_rfc_9881_are_signed_by_their_own_keys() {
        // X14
        for (text, algorithm, signature_algorithm) in CERTIFICATES {
            let certificate = Certificate::from_pem_or_der(text.as_bytes()).unwrap();
            let key = certificate.tbs().public_key();
            assert_eq!(key.algorithm(), algorithm);
            assert_eq!(certificate.signature_algorithm(), signature_algorithm);
            assert!(certificate.is_signed_by(key) && certificate.was_signed_by(key), "{algorithm}");
            let signature = certificate.signature();
            assert!(!verify(key, signature_algorithm, b"other octets", signature));
            assert!(!verify(key, SignatureAlgorithm::ED25519, certificate.tbs().as_der(), signature));
            let mut changed = signature.to_vec();
            changed[100] ^= 1;
            assert!(!verify(key, signature_algorithm, certificate.tbs().as_der(), &changed));
            let longer = [signature, &[0]].concat();
            assert!(!verify(key, signature_algorithm, certificate.tbs().as_der(), &longer));
        }
    }

    #[test]
    fn keys_of_another_length_or_with_parameters_or_for_hash_ml_dsa_are_refused() {
        // X13, X14
        let read = |oid: ObjectIdentifier, parameters: &[u8], octets: usize| {
            let identifier = sequence(&[&oid.to_der().unwrap(), parameters]);
            let bits = tlv(3, &vec![0; octets + 1]);
            SubjectPublicKeyInfo::from_der(&sequence(&[&identifier, &bits]))
        };
        for (oid, octets) in [(ID_ML_DSA_44, 1312), (ID_ML_DSA_65, 1952), (ID_ML_DSA_87, 2592)] {
            assert!(read(oid, &[], octets).is_ok());
            for wrong in [0, octets - 1, octets + 1] {
                let error = read(oid, &[], wrong).unwrap_err();
                assert!(!error.unsupported && error.reason.contains("belong"), "{error}");
            }
            assert!(read(oid, &[5, 0], octets).is_err());
        }
        // RFC 9881 §8.3
        let hash_ml_dsa_65 = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.3.33");
        assert!(read(hash_ml_dsa_65, &[], 1952).unwrap_err().unsupported);
    }
}
