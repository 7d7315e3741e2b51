//! ML-DSA private keys (RFC 9881 §6): read as seed, expanded key or both, and written as the seed where it is known.
use super::private_half::{PrivateHalf, PrivateScheme, rejected};
use crate::signing::KeyError;
use crate::x509::octets::{OCTET_STRING, tlv};
use aws_lc_rs::encoding::{AsDer, AsRawBytes, PublicKeyX509Der};
use aws_lc_rs::error::Unspecified;
use aws_lc_rs::signature::{KeyPair, PqdsaKeyPair, PqdsaSigningAlgorithm};
use der::Encode;
use der::asn1::{ObjectIdentifier, OctetStringRef};
use pkcs8::PrivateKeyInfoRef;
use pkcs8::spki::AlgorithmIdentifierRef;
use zeroize::Zeroizing;

/// Keys of one parameter set.
pub(super) struct MlDsa(pub(super) &'static PqdsaSigningAlgorithm, pub(super) ObjectIdentifier);

struct MlDsaKey {
    pair: PqdsaKeyPair,
    oid: ObjectIdentifier,
}

impl MlDsa {
    fn half(&self, pair: PqdsaKeyPair) -> Box<dyn PrivateHalf> {
        Box::new(MlDsaKey { pair, oid: self.1 })
    }
}

impl PrivateScheme for MlDsa {
    fn generate(&self, _length: Option<u32>) -> Result<Box<dyn PrivateHalf>, Unspecified> {
        Ok(self.half(PqdsaKeyPair::generate(self.0)?))
    }

    fn read_pkcs8(&self, octets: &[u8]) -> Result<Box<dyn PrivateHalf>, KeyError> {
        let pair = PqdsaKeyPair::from_pkcs8(self.0, octets).map_err(|error| rejected(&error))?;
        // the library ignores the public key that version 2 may contain
        let written = PrivateKeyInfoRef::try_from(octets).ok().and_then(|info| info.public_key);
        if written.is_some_and(|key| key.as_bytes() != Some(KeyPair::public_key(&pair).as_ref())) {
            return Err(KeyError::Malformed("its halves do not belong together".into()));
        }
        Ok(self.half(pair))
    }
}

impl PrivateHalf for MlDsaKey {
    fn public_key(&self) -> Result<PublicKeyX509Der<'_>, Unspecified> {
        KeyPair::public_key(&self.pair).as_der()
    }

    fn to_pkcs8(&self) -> Result<Zeroizing<Vec<u8>>, Unspecified> {
        match self.pair.to_pkcs8v1() {
            Ok(seed) => Ok(Zeroizing::new(seed.as_ref().to_vec())),
            // the key was read in expanded form, from which the seed cannot be computed
            Err(_) => self.to_expanded_pkcs8(),
        }
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Unspecified> {
        let mut out = vec![0; self.pair.algorithm().signature_len()];
        self.pair.sign(message, &mut out)?;
        Ok(out)
    }
}

impl MlDsaKey {
    fn to_expanded_pkcs8(&self) -> Result<Zeroizing<Vec<u8>>, Unspecified> {
        let raw = self.pair.private_key().as_raw_bytes()?;
        let key = Zeroizing::new(tlv(OCTET_STRING, raw.as_ref()));
        let key = OctetStringRef::new(&key).map_err(|_| Unspecified)?;
        let algorithm = AlgorithmIdentifierRef { oid: self.oid, parameters: None };
        let encoded = PrivateKeyInfoRef::new(algorithm, key).to_der();
        Ok(Zeroizing::new(encoded.map_err(|_| Unspecified)?))
    }
}

#[cfg(test)]
mod tests {
    use crate::signing::{PrivateKey, SoftKey};
    use crate::x509::{Certificate, KeyAlgorithm, pem, verify};
    use proptest::prelude::*;
    use std::path::Path;

    /// Returns an example of RFC 9881 appendix C.
    fn example(name: &str) -> String {
        let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/rfc9881");
        std::fs::read_to_string(directory.join(name)).unwrap()
    }

    fn octets(name: &str) -> Vec<u8> {
        pem::decode_all(&example(name)).unwrap().remove(0).der
    }

    #[test]
    fn the_private_keys_of_rfc_9881_are_read_in_each_of_their_forms_and_belong_to_its_certificates() {
        // G1, X14
        for set in ["ML-DSA-44", "ML-DSA-65", "ML-DSA-87"] {
            let certificate =
                Certificate::from_pem_or_der(example(&format!("{set}.crt")).as_bytes()).unwrap();
            let seed = octets(&format!("{set}-seed.priv"));
            for form in ["seed", "expanded", "both"] {
                let der = octets(&format!("{set}-{form}.priv"));
                let key = SoftKey::from_pkcs8_der(&der).unwrap();
                assert_eq!(key.public_key(), certificate.tbs().public_key(), "{set} {form}");
                let signature = key.forge(b"to be signed");
                assert!(verify(key.public_key(), key.algorithm(), b"to be signed", &signature));
                let written = if form == "expanded" { &der } else { &seed };
                assert_eq!(key.to_pkcs8_der().unwrap().as_slice(), written, "{set} {form}");
            }
        }
    }

    #[test]
    fn private_keys_whose_parts_do_not_belong_together_are_refused() {
        for number in 1..=3 {
            let bad = octets(&format!("bad-ML-DSA-44-{number}.priv"));
            assert!(SoftKey::from_pkcs8_der(&bad).is_err(), "{number}");
        }
        let one = SoftKey::generate(KeyAlgorithm::ML_DSA_44).unwrap();
        let other = SoftKey::generate(KeyAlgorithm::ML_DSA_44).unwrap();
        let second_version = |public: &SoftKey| {
            let first = one.to_pkcs8_der().unwrap();
            let mut info = pkcs8::PrivateKeyInfoRef::try_from(first.as_slice()).unwrap();
            info.public_key =
                Some(der::asn1::BitStringRef::from_bytes(public.public_key().key_octets()).unwrap());
            der::Encode::to_der(&info).unwrap()
        };
        assert_eq!(SoftKey::from_pkcs8_der(&second_version(&one)).unwrap().public_key(), one.public_key());
        assert!(SoftKey::from_pkcs8_der(&second_version(&other)).is_err());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn garbled_private_keys_do_no_harm(
            form in proptest::sample::select(vec!["seed", "expanded", "both"]),
            changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
            length in any::<prop::sample::Index>(),
        ) {
            let mut der = octets(&format!("ML-DSA-44-{form}.priv"));
            for (at, octet) in changes {
                let at = at.index(der.len());
                der[at] = octet;
            }
            let _ = SoftKey::from_pkcs8_der(&der[..length.index(der.len() + 1)]);
            if let Ok(key) = SoftKey::from_pkcs8_der(&der) {
                prop_assert!(key.to_pkcs8_der().is_ok());
            }
        }
    }
}
