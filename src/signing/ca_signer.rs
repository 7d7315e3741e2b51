//! The signer of a CA.
use super::private_key::PrivateKey;
use super::sealed::Sealed;
use super::{KeyError, KeyLimits, PresentResponder, SigningError, admit, request};
use crate::failpoint;
use crate::index::Recorded;
use crate::par_map::par_map;
use crate::x509::{
    Certificate, CertificateList, GeneralName, Name, SignatureAlgorithm, SubjectPublicKeyInfo, TbsCertList,
    TbsCertificate, encode_signed,
};

/// A CA's unlocked key, in memory or on a token. It signs certificates and CRLs that were linted and recorded, each
/// once, and certification requests for itself. The trait is sealed, so no other crate can implement a signer that
/// passes its values on.
///
/// ```compile_fail,E0308
/// fn raw(signer: &dyn genfic_ca::signing::CaSigner) {
///     let _ = signer.sign_certificate(b"anything", None);
/// }
/// ```
///
/// ```compile_fail,E0308
/// # use genfic_ca::{lint::Linted, signing::CaSigner, x509::{Certificate, TbsCertList}};
/// fn unrecorded(signer: &dyn CaSigner, tbs: Linted<TbsCertList>, issuer: &Certificate) {
///     let _ = signer.sign_crl(tbs, issuer);
/// }
/// ```
///
/// ```compile_fail,E0382
/// # use genfic_ca::{index::Recorded, signing::CaSigner, x509::{Certificate, TbsCertList}};
/// fn twice(signer: &dyn CaSigner, tbs: Recorded<TbsCertList>, issuer: &Certificate) {
///     let _ = signer.sign_crl(tbs, issuer);
///     let _ = signer.sign_crl(tbs, issuer);
/// }
/// ```
///
/// ```compile_fail,E0599
/// # use genfic_ca::{signing::CaSigner, x509::{Name, SubjectPublicKeyInfo}};
/// fn answers(signer: &dyn CaSigner, data: &genfic_ca::signing::EncodedResponseData) {
///     let _ = signer.sign(data);
/// }
/// ```
///
/// ```compile_fail,E0603
/// fn admitted(octets: &[u8]) {
///     let _ = genfic_ca::signing::admit::response(octets, &[]);
/// }
/// ```
///
/// ```compile_fail,E0277
/// use genfic_ca::index::Recorded;
/// use genfic_ca::signing::{CaSigner, SigningError};
/// use genfic_ca::x509::{
///     Certificate, CertificateList, GeneralName, Name, SubjectPublicKeyInfo, TbsCertList, TbsCertificate,
/// };
///
/// struct Deputy(Box<dyn CaSigner>);
///
/// impl CaSigner for Deputy {
///     fn public_key(&self) -> &SubjectPublicKeyInfo {
///         self.0.public_key()
///     }
///     fn sign_certificate(
///         &self,
///         tbs: Recorded<TbsCertificate>,
///         issuer: Option<&Certificate>,
///     ) -> Result<Certificate, SigningError> {
///         self.0.sign_certificate(tbs, issuer)
///     }
///     fn sign_crl(&self, tbs: Recorded<TbsCertList>, issuer: &Certificate) -> Result<CertificateList, SigningError> {
///         self.0.sign_crl(tbs, issuer)
///     }
///     fn sign_request(&self, subject: &Name, names: &[GeneralName]) -> Result<Vec<u8>, SigningError> {
///         self.0.sign_request(subject, names)
///     }
/// }
/// ```
pub trait CaSigner: Sealed + Send + Sync {
    /// Returns the public key.
    fn public_key(&self) -> &SubjectPublicKeyInfo;

    /// Returns the signature algorithm.
    fn algorithm(&self) -> SignatureAlgorithm {
        self.public_key().algorithm().signature_algorithm()
    }

    /// Signs a TBSCertificate and verifies the signature. The issuer is the CA of this key with the certificate
    /// `issuer`; without `issuer`, the certificate is self-signed.
    ///
    /// # Errors
    /// [`SigningError::Issuer`] when the TBSCertificate names another issuer, by name or by key;
    /// [`SigningError::Contents`] when the octets are no such TBSCertificate; [`SigningError::Signature`] when the
    /// signature does not verify; [`SigningError::Key`] when the key's store fails.
    fn sign_certificate(
        &self,
        tbs: Recorded<TbsCertificate>,
        issuer: Option<&Certificate>,
    ) -> Result<Certificate, SigningError>;

    /// Signs a group of TBSCertificates as [`CaSigner::sign_certificate`] does, all or none.
    ///
    /// # Errors
    /// As [`CaSigner::sign_certificate`], for the first of them that is not signed.
    fn sign_certificates(
        &self,
        group: Vec<Recorded<TbsCertificate>>,
        issuer: Option<&Certificate>,
    ) -> Result<Vec<Certificate>, SigningError> {
        par_map(group, |tbs| self.sign_certificate(tbs, issuer)).into_iter().collect()
    }

    /// Signs the certificate of a responder as [`CaSigner::sign_certificate`] does. `present` returns the responder that
    /// is in use, if there is one: a signer that is a service takes the word of its key for the one that comes after it,
    /// and may be asked for that without anybody who unlocks a key for certificates of responders.
    ///
    /// # Errors
    /// As [`CaSigner::sign_certificate`].
    fn sign_responder(
        &self,
        tbs: Recorded<TbsCertificate>,
        issuer: &Certificate,
        present: &dyn Fn() -> Option<PresentResponder>,
    ) -> Result<Certificate, SigningError> {
        let _ = present;
        self.sign_certificate(tbs, Some(issuer))
    }

    /// Signs a TBSCertList of the CA of this key with the certificate `issuer`, and verifies the signature.
    ///
    /// # Errors
    /// As [`CaSigner::sign_certificate`].
    fn sign_crl(
        &self,
        tbs: Recorded<TbsCertList>,
        issuer: &Certificate,
    ) -> Result<CertificateList, SigningError>;

    /// Returns a certification request (RFC 2986) for this key, DER. The names go into a subjectAltName in an
    /// extensionRequest; without names there is no such attribute.
    ///
    /// # Errors
    /// [`SigningError::Signature`] when the signature does not verify, [`SigningError::Key`] when the key's store
    /// fails.
    fn sign_request(&self, subject: &Name, names: &[GeneralName]) -> Result<Vec<u8>, SigningError>;

    /// Returns the envelope of the key, or where it has none yet, the one that it gets with this certificate; none for a
    /// key without a signer of its own.
    ///
    /// # Errors
    /// When the signer cannot be asked, or the envelope cannot be read.
    fn envelope_with(&self, tbs: &TbsCertificate) -> Result<Option<KeyLimits>, KeyError> {
        let _ = tbs;
        Ok(None)
    }
}

/// A CA's key in the memory of this process.
pub(crate) struct LocalSigner<K>(pub(crate) K);

impl<K: PrivateKey> Sealed for LocalSigner<K> {}

impl<K: PrivateKey> CaSigner for LocalSigner<K> {
    fn public_key(&self) -> &SubjectPublicKeyInfo {
        self.0.public_key()
    }

    fn sign_certificate(
        &self,
        tbs: Recorded<TbsCertificate>,
        issuer: Option<&Certificate>,
    ) -> Result<Certificate, SigningError> {
        let admitted = admit::certificate(tbs, issuer, self.public_key())?;
        let signature = self.0.sign(&admitted)?;
        failpoint::passed("certificate signed");
        let tbs = admitted.into_inner();
        let certificate = Certificate::from_der(&encode_signed(tbs.as_der(), self.algorithm(), &signature))?;
        let is_own = certificate.is_signed_by(self.public_key());
        if is_own { Ok(certificate) } else { Err(SigningError::Signature) }
    }

    fn sign_crl(
        &self,
        tbs: Recorded<TbsCertList>,
        issuer: &Certificate,
    ) -> Result<CertificateList, SigningError> {
        let admitted = admit::crl(tbs, issuer, self.public_key())?;
        let signature = self.0.sign(&admitted)?;
        failpoint::passed("CRL signed");
        let crl = CertificateList::encode_signed(admitted.into_inner(), &signature);
        if crl.is_signed_by(self.public_key()) { Ok(crl) } else { Err(SigningError::Signature) }
    }

    fn sign_request(&self, subject: &Name, names: &[GeneralName]) -> Result<Vec<u8>, SigningError> {
        request::sign(&self.0, subject, names)
    }
}
