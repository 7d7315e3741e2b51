//! A CA's key in a signer.
use super::administering::limits_in;
use super::keys::unexpected;
use super::link::Link;
use crate::failpoint;
use crate::index::Recorded;
use crate::par_map::par_map;
use crate::signer::Enrolment;
use crate::signer::protocol::{Failure, Frame, Reply, Request, WireKey};
use crate::signing::{CaSigner, KeyError, KeyLimits, PresentResponder, SigningError, request_info, sealed};
use crate::x509::{
    Certificate, CertificateList, GeneralName, Name, SubjectPublicKeyInfo, TbsCertList, TbsCertificate,
    encode_signed, verify,
};
use std::sync::Arc;

/// A CA's key, open in a signer. Each signature that comes is verified.
pub(super) struct RemoteSigner {
    link: Arc<Link>,
    key: WireKey,
    public_key: SubjectPublicKeyInfo,
    /// The profile of the CA, where it is known.
    profile: Option<String>,
}

impl RemoteSigner {
    pub(super) fn new(
        link: Arc<Link>,
        key: WireKey,
        public_key: SubjectPublicKeyInfo,
        profile: Option<String>,
    ) -> Self {
        Self { link, key, public_key, profile }
    }

    fn signatures(
        &self,
        request: impl FnOnce(WireKey) -> Request,
        parts: Vec<Vec<u8>>,
        count: usize,
    ) -> Result<Vec<Vec<u8>>, SigningError> {
        let answer = self.link.ask(Frame::with(request(self.key.clone()), parts))?;
        if answer.message == Reply::Signed && answer.parts.len() == count {
            Ok(answer.parts)
        } else {
            let reason = "it did not give as many signatures as were asked for".into();
            Err(Failure::Signer { reason }.into())
        }
    }

    fn one(
        &self,
        request: impl FnOnce(WireKey) -> Request,
        parts: Vec<Vec<u8>>,
    ) -> Result<Vec<u8>, SigningError> {
        Ok(self.signatures(request, parts, 1)?.pop().unwrap_or_default())
    }

    fn certificate(&self, tbs: &TbsCertificate, signature: &[u8]) -> Result<Certificate, SigningError> {
        failpoint::passed("certificate signed");
        let certificate = Certificate::from_der(&encode_signed(tbs.as_der(), self.algorithm(), signature))?;
        let is_own = certificate.is_signed_by(&self.public_key);
        if is_own { Ok(certificate) } else { Err(SigningError::Signature) }
    }
}

impl sealed::Sealed for RemoteSigner {}

impl CaSigner for RemoteSigner {
    fn public_key(&self) -> &SubjectPublicKeyInfo {
        &self.public_key
    }

    fn sign_certificate(
        &self,
        tbs: Recorded<TbsCertificate>,
        issuer: Option<&Certificate>,
    ) -> Result<Certificate, SigningError> {
        let mut signed = self.sign_certificates(vec![tbs], issuer)?;
        signed.pop().ok_or(SigningError::Signature)
    }

    fn sign_certificates(
        &self,
        group: Vec<Recorded<TbsCertificate>>,
        issuer: Option<&Certificate>,
    ) -> Result<Vec<Certificate>, SigningError> {
        let group: Vec<TbsCertificate> = group.into_iter().map(Recorded::into_inner).collect();
        let octets = group.iter().map(|tbs| tbs.as_der().to_vec());
        let parts = octets.chain(issuer.map(|issuer| issuer.as_der().to_vec())).collect();
        let profile = self.profile.clone();
        let request =
            |key| Request::SignCertificates { key, issuer: issuer.is_some(), profile, enrolment: false };
        let signatures = self.signatures(request, parts, group.len())?;
        par_map(group.into_iter().zip(signatures).collect(), |(tbs, signature)| {
            self.certificate(&tbs, &signature)
        })
        .into_iter()
        .collect()
    }

    fn sign_responder(
        &self,
        tbs: Recorded<TbsCertificate>,
        issuer: &Certificate,
        present: &dyn Fn() -> Option<PresentResponder>,
    ) -> Result<Certificate, SigningError> {
        let vouching = |tbs: &TbsCertificate| {
            let present = present()?;
            Enrolment::by(present.certificate, &present.key, tbs).ok()
        };
        let enrolment = if self.link.is_to_service() { vouching(tbs.get()) } else { None };
        let Some(enrolment) = enrolment else { return self.sign_certificate(tbs, Some(issuer)) };
        let tbs = tbs.into_inner();
        let former = enrolment.former.as_der().to_vec();
        let parts = vec![tbs.as_der().to_vec(), issuer.as_der().to_vec(), former, enrolment.signature];
        let profile = self.profile.clone();
        let request = |key| Request::SignCertificates { key, issuer: true, profile, enrolment: true };
        let signature = self.one(request, parts)?;
        self.certificate(&tbs, &signature)
    }

    fn sign_crl(
        &self,
        tbs: Recorded<TbsCertList>,
        issuer: &Certificate,
    ) -> Result<CertificateList, SigningError> {
        let tbs = tbs.into_inner();
        let parts = vec![tbs.as_der().to_vec(), issuer.as_der().to_vec()];
        let signature = self.one(|key| Request::SignCrl { key, profile: self.profile.clone() }, parts)?;
        failpoint::passed("CRL signed");
        let crl = CertificateList::encode_signed(tbs, &signature);
        if crl.is_signed_by(&self.public_key) { Ok(crl) } else { Err(SigningError::Signature) }
    }

    fn envelope_with(&self, tbs: &TbsCertificate) -> Result<Option<KeyLimits>, KeyError> {
        let request = Request::EnvelopeWith { key: self.key.clone(), profile: self.profile.clone() };
        let answer = self.link.ask(Frame::with(request, vec![tbs.as_der().to_vec()]))?;
        let text = answer.only_part().ok().and_then(|octets| String::from_utf8(octets).ok());
        let text = text.ok_or_else(unexpected)?;
        limits_in(&text).map(Some)
    }

    fn sign_request(&self, subject: &Name, names: &[GeneralName]) -> Result<Vec<u8>, SigningError> {
        let info = request_info(subject, names, &self.public_key);
        let signature = self.one(|key| Request::SignRequest { key }, vec![info.clone()])?;
        if !verify(&self.public_key, self.algorithm(), &info, &signature) {
            return Err(SigningError::Signature);
        }
        Ok(encode_signed(&info, self.algorithm(), &signature))
    }
}
