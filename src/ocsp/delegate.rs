//! The delegated responder (RFC 6960 §4.2.2.2): a short-lived certificate and its key.
use super::response::encode_certificates;
use super::response_data::ResponderId;
use crate::signing::ResponseSigner;
use crate::x509::extension::{ExtendedKeyUsage, KeyUsage, Purpose};
use crate::x509::{Certificate, Fingerprint, SignatureAlgorithm, UnixTime};
use bytes::Bytes;
use std::fmt;
use std::sync::Arc;

/// Why a certificate is not an OCSP responder certificate of this CA.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum DelegationError {
    /// The certificate names another issuer, or another key made the signature.
    #[error("the responder certificate was not issued by this CA's key")]
    NotIssuedByAuthority,
    /// `id-kp-OCSPSigning` is missing.
    #[error("the responder certificate is not for OCSPSigning")]
    NotForOcspSigning,
    /// The certificate has a keyUsage without digitalSignature.
    #[error("the responder certificate's key is not for digital signatures")]
    NotForSignatures,
    /// The certificate is a CA's. A CA that signs answers would act as a responder for its own issuer.
    #[error("the responder certificate is a CA certificate")]
    IsAuthority,
    /// The key is not that of the certificate.
    #[error("the key is not the responder certificate's")]
    OtherKey,
}

/// Checks that a certificate is that of a responder to which this CA has delegated OCSP. The validity is not checked
/// (O7).
///
/// # Errors
/// The first condition that does not hold.
pub(crate) fn check_delegation(
    certificate: &Certificate,
    issuer: &Certificate,
) -> Result<(), DelegationError> {
    let tbs = certificate.tbs();
    if !tbs.names_as_issuer(issuer.tbs()) || !certificate.is_signed_by(issuer.tbs().public_key()) {
        return Err(DelegationError::NotIssuedByAuthority);
    }
    if !ExtendedKeyUsage::of(tbs).is_some_and(|usage| usage.0.contains(&Purpose::OCSP_SIGNING)) {
        return Err(DelegationError::NotForOcspSigning);
    }
    let is_for_signatures = match tbs.extension(crate::x509::extension::KEY_USAGE) {
        None => true,
        Some(extension) => {
            KeyUsage::from_value(&extension.value).is_ok_and(|usage| usage.has(KeyUsage::DIGITAL_SIGNATURE))
        }
    };
    if is_for_signatures { Ok(()) } else { Err(DelegationError::NotForSignatures) }
}

/// A responder certificate with its key. No value exists for a CA that did not issue the certificate.
#[derive(Clone)]
pub struct DelegatedResponder {
    certificate: Certificate,
    signer: Arc<ResponseSigner>,
    octets: Arc<SameInAll>,
}

/// What all answers of a responder have in common. It outlives the responder's key, as the answers do.
pub(crate) struct SameInAll {
    /// SHA-256 of the responder certificate.
    pub(crate) fingerprint: Fingerprint,
    /// `responderID`
    pub(crate) responder_id: Box<[u8]>,
    /// `signatureAlgorithm`
    pub(crate) algorithm: Box<[u8]>,
    /// `certs`
    pub(crate) certificates: Bytes,
}

impl SameInAll {
    /// Returns what the answers of the responder with this certificate have in common when they are signed so. The
    /// `ResponderID` is `byKey`, the SHA-1 of the responder's public key (O7).
    pub(crate) fn of(certificate: &Certificate, algorithm: SignatureAlgorithm) -> Self {
        let id = ResponderId::ByKey(certificate.tbs().public_key().key_hash());
        Self {
            fingerprint: certificate.fingerprint(),
            responder_id: id.to_der().into(),
            algorithm: algorithm.to_der().into(),
            certificates: encode_certificates(certificate).into(),
        }
    }
}

impl DelegatedResponder {
    /// Binds the key to the certificate.
    ///
    /// # Errors
    /// When the certificate is not one of a delegated responder of the issuer, is a CA's, or is for another key.
    pub fn new(
        certificate: Certificate,
        signer: Arc<ResponseSigner>,
        issuer: &Certificate,
    ) -> Result<Self, DelegationError> {
        check_delegation(&certificate, issuer)?;
        if certificate.is_ca() {
            return Err(DelegationError::IsAuthority);
        }
        if signer.public_key() != certificate.tbs().public_key() {
            return Err(DelegationError::OtherKey);
        }
        let octets = SameInAll::of(&certificate, signer.algorithm());
        Ok(Self { certificate, signer, octets: Arc::new(octets) })
    }

    /// The responder certificate.
    #[must_use]
    pub fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    /// SHA-256 of the responder certificate.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        self.octets.fingerprint
    }

    /// The responder's key.
    #[must_use]
    pub fn signer(&self) -> &ResponseSigner {
        &self.signer
    }

    /// Whether the certificate is valid at `now`.
    #[must_use]
    pub(crate) fn is_valid(&self, now: UnixTime) -> bool {
        self.certificate.tbs().validity().contains(now)
    }

    /// What all answers of this responder have in common.
    #[must_use]
    pub(crate) fn octets(&self) -> &Arc<SameInAll> {
        &self.octets
    }
}

/// Writes the certificate without the key.
impl fmt::Debug for DelegatedResponder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DelegatedResponder")
            .field("certificate", &self.octets.fingerprint)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ocsp::fixture::{Hierarchy, NOW, TestKey, leaf, responder};
    use crate::x509::extension::BasicConstraints;

    #[test]
    fn only_a_certificate_by_this_ca_for_ocsp_signing_and_for_this_key_makes_a_responder() {
        // O7
        let hierarchy = Hierarchy::new();
        let key = Arc::new(TestKey::p256());
        let made = |certificate: Certificate| {
            DelegatedResponder::new(certificate, key.signer(), &hierarchy.ca).map(|made| made.is_valid(NOW))
        };
        assert_eq!(made(hierarchy.issue(responder(&key))), Ok(true));
        let other = hierarchy.issue(responder(&TestKey::p256()));
        assert_eq!(made(other), Err(DelegationError::OtherKey));
        assert_eq!(made(hierarchy.issue(leaf(90, &key))), Err(DelegationError::NotForOcspSigning));
        let constraints = BasicConstraints { ca: true, path_length: None };
        let ca = hierarchy.issue(responder(&key).with([constraints.to_extension()]));
        assert_eq!(made(ca), Err(DelegationError::IsAuthority));
        let stranger = hierarchy.issue_by_other_ca(responder(&key));
        assert_eq!(made(stranger), Err(DelegationError::NotIssuedByAuthority));
    }

    #[test]
    fn the_responder_id_is_the_sha_1_of_the_key_and_not_the_key_identifier() {
        // O7
        let hierarchy = Hierarchy::new();
        let key = hierarchy.responder.certificate().tbs().public_key().clone();
        assert_eq!(*hierarchy.responder.octets().responder_id, *ResponderId::ByKey(key.key_hash()).to_der());
        assert_ne!(key.key_hash(), key.key_identifier());
    }
}
