//! A CA certificate together with its unlocked key.
use super::{Engine, Hierarchy};
use crate::error::{Code, Problem, remedy};
use crate::index::{Authority, Recorded};
use crate::signing::{CaSigner, KeyRef, PresentResponder, SigningError};
use crate::x509::extension::{BasicConstraints, KeyUsage};
use crate::x509::{
    Certificate, CertificateList, SerialNumber, SignatureAlgorithm, TbsCertList, TbsCertificate, UnixTime,
};
use std::sync::Arc;

/// Signs certificates. It exists only for a CA that may issue: the key matches the certificate, the
/// certificate has CA:TRUE and keyCertSign, and neither the CA nor one of its issuers is expired or revoked.
pub struct IssuingAuthority {
    authority: Authority,
    ancestors: Vec<Certificate>,
    signer: Arc<dyn CaSigner>,
}

/// Signs CRLs and nothing else. The CA may be expired or revoked.
pub struct CrlAuthority {
    certificate: Certificate,
    signer: Arc<dyn CaSigner>,
}

/// What came of the signing of a CRL.
pub(in crate::ca) enum CrlSigned {
    /// The CRL.
    Signed(CertificateList),
    /// It leaves out entries with these serial numbers, and the signer does not know when their certificates end.
    Unknown(Vec<SerialNumber>),
    /// The signer refuses it for its number: it has signed a CRL with a higher one.
    Overtaken(Problem),
    /// The signer refuses a delta CRL: it does not know what changed since its base, or that otherwise.
    NoDelta,
}

pub(super) fn mismatched(name: &str) -> Problem {
    Problem::new(Code::KeyMismatch, format!("the key of {name} is not the one its certificate is for"))
        .hint("restore the key file that belongs to this CA")
}

impl IssuingAuthority {
    /// Pairs a CA's certificate with its key and checks that the CA may issue at `now`.
    ///
    /// # Errors
    /// When the key does not match, the certificate does not allow signing certificates, or the CA or one of
    /// its issuers is expired or revoked.
    pub fn new(
        hierarchy: &Hierarchy<'_>,
        authority: Authority,
        signer: Arc<dyn CaSigner>,
        now: UnixTime,
    ) -> Result<Self, Problem> {
        let ancestors = hierarchy.ancestors(&authority)?;
        hierarchy.check_usable(&authority, now)?;
        let tbs = authority.certificate.tbs();
        if signer.public_key() != tbs.public_key() {
            return Err(mismatched(&authority.name));
        }
        if !key_usage_allows(tbs, KeyUsage::KEY_CERT_SIGN) {
            let message =
                format!("the certificate of {} does not allow it to sign certificates", authority.name);
            return Err(Problem::new(Code::IssuerUnfit, message)
                .hint("a CA certificate has basicConstraints CA:TRUE and keyUsage keyCertSign"));
        }
        Ok(Self { authority, ancestors, signer })
    }

    /// The CA on record.
    #[must_use]
    pub fn authority(&self) -> &Authority {
        &self.authority
    }

    /// The certificates of its issuer path: its issuer's first, the root's last.
    #[must_use]
    pub fn ancestors(&self) -> &[Certificate] {
        &self.ancestors
    }

    /// The signature algorithm of the CA's key.
    #[must_use]
    pub fn algorithm(&self) -> SignatureAlgorithm {
        self.signer.algorithm()
    }

    /// Signs a linted and recorded certificate and verifies the signature.
    ///
    /// ```
    /// # use genfic_ca::{ca::IssuingAuthority, index::Recorded, x509::TbsCertificate};
    /// fn once(issuer: &IssuingAuthority, tbs: Recorded<TbsCertificate>) {
    ///     let _ = issuer.issue(tbs);
    /// }
    /// ```
    ///
    /// Signing the same record twice does not compile:
    ///
    /// ```compile_fail,E0382
    /// # use genfic_ca::{ca::IssuingAuthority, index::Recorded, x509::TbsCertificate};
    /// fn twice(issuer: &IssuingAuthority, tbs: Recorded<TbsCertificate>) {
    ///     let _ = issuer.issue(tbs);
    ///     let _ = issuer.issue(tbs);
    /// }
    /// ```
    ///
    /// Nor does signing what is not on record:
    ///
    /// ```compile_fail,E0308
    /// # use genfic_ca::{ca::IssuingAuthority, lint::Linted, x509::TbsCertificate};
    /// fn unrecorded(issuer: &IssuingAuthority, tbs: Linted<TbsCertificate>) {
    ///     let _ = issuer.issue(tbs);
    /// }
    /// ```
    ///
    /// # Errors
    /// When the record is of another issuer, the key store fails, or the signature does not verify.
    pub fn issue(&self, tbs: Recorded<TbsCertificate>) -> Result<Certificate, Problem> {
        Ok(self.signer.sign_certificate(tbs, Some(&self.authority.certificate))?)
    }

    /// Signs a group of linted and recorded certificates as [`IssuingAuthority::issue`] does, all or none.
    ///
    /// # Errors
    /// As [`IssuingAuthority::issue`], for the first of them that is not signed.
    pub(in crate::ca) fn issue_group(
        &self,
        group: Vec<Recorded<TbsCertificate>>,
    ) -> Result<Vec<Certificate>, Problem> {
        Ok(self.signer.sign_certificates(group, Some(&self.authority.certificate))?)
    }

    /// Signs the certificates of this CA's responder as [`IssuingAuthority::issue`] does. `present` returns the responder
    /// that is in use.
    ///
    /// # Errors
    /// As [`IssuingAuthority::issue`].
    pub(in crate::ca) fn issue_responders(
        &self,
        group: Vec<Recorded<TbsCertificate>>,
        present: &dyn Fn() -> Option<PresentResponder>,
    ) -> Result<Vec<Certificate>, Problem> {
        let own = &self.authority.certificate;
        group.into_iter().map(|tbs| Ok(self.signer.sign_responder(tbs, own, present)?)).collect()
    }

    /// Returns whether a signer that is a service has the key.
    #[must_use]
    pub(in crate::ca) fn is_in_service(&self) -> bool {
        KeyRef::of(&self.authority).is_in_service()
    }

    /// Returns the same CA as a signer of CRLs.
    #[must_use]
    pub(in crate::ca) fn crl_authority(&self) -> CrlAuthority {
        let (certificate, signer) = (self.authority.certificate.clone(), Arc::clone(&self.signer));
        CrlAuthority { certificate, signer }
    }
}

/// Whether this is a CA certificate whose key usage allows `what`. A certificate without keyUsage allows
/// everything (RFC 5280 §4.2.1.3).
pub(super) fn key_usage_allows(tbs: &TbsCertificate, what: KeyUsage) -> bool {
    BasicConstraints::of(tbs).is_some_and(|constraints| constraints.ca)
        && KeyUsage::of(tbs).is_none_or(|usage| usage.has(what))
}

impl CrlAuthority {
    /// Pairs a CA's certificate with its key.
    ///
    /// # Errors
    /// When the key does not match, or the certificate is not that of a CA that may sign CRLs.
    pub fn new(name: &str, certificate: Certificate, signer: Arc<dyn CaSigner>) -> Result<Self, Problem> {
        if signer.public_key() != certificate.tbs().public_key() {
            return Err(mismatched(name));
        }
        if !key_usage_allows(certificate.tbs(), KeyUsage::CRL_SIGN) {
            let message = format!("the certificate of {name} does not allow it to sign CRLs");
            return Err(Problem::new(Code::IssuerUnfit, message)
                .hint("a CA certificate has basicConstraints CA:TRUE and keyUsage cRLSign"));
        }
        Ok(Self { certificate, signer })
    }

    /// The CA's certificate.
    #[must_use]
    pub fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    /// The signature algorithm of the CA's key.
    #[must_use]
    pub fn algorithm(&self) -> SignatureAlgorithm {
        self.signer.algorithm()
    }

    /// Signs a linted and recorded CRL once and verifies the signature.
    ///
    /// # Errors
    /// When the CRL is of another issuer, the key store fails, or the signature does not verify.
    pub fn sign(&self, tbs: Recorded<TbsCertList>) -> Result<CertificateList, Problem> {
        Ok(self.signer.sign_crl(tbs, &self.certificate)?)
    }

    /// As [`CrlAuthority::sign`], with the refusals after which the CRL is made again.
    pub(in crate::ca) fn sign_or_again(&self, tbs: Recorded<TbsCertList>) -> Result<CrlSigned, Problem> {
        match self.signer.sign_crl(tbs, &self.certificate) {
            Ok(crl) => Ok(CrlSigned::Signed(crl)),
            Err(SigningError::NotAdmitted { unknown, .. }) if !unknown.is_empty() => {
                Ok(CrlSigned::Unknown(unknown))
            }
            Err(error @ SigningError::NotAdmitted { code: Code::SignerCrlNumber, .. }) => {
                Ok(CrlSigned::Overtaken(error.into()))
            }
            Err(SigningError::NotAdmitted { code: Code::SignerDelta, .. }) => Ok(CrlSigned::NoDelta),
            Err(error) => Err(error.into()),
        }
    }
}

impl Engine {
    pub(super) fn open(&self, authority: &Authority) -> Result<Arc<dyn CaSigner>, Problem> {
        if authority.is_external() {
            let message = format!("{} is run by others; it is here for the CAs below it", authority.name);
            return Err(Problem::new(Code::KeyElsewhere, message).hint(remedy::Authority::AskItsOwners));
        }
        let key = KeyRef::of(authority);
        self.keys().note_profile(&key, &authority.profile);
        Ok(self.keys().signer(&key)?)
    }
}
