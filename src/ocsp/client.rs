//! OCSP client: asks about one certificate, and verifies the response (RFC 6960 §3.2).
use super::cert_id::{CertId, HashAlgorithm};
use super::delegate::{DelegationError, check_delegation};
use super::request::OcspRequest;
use super::response::{BasicOcspResponse, OcspResponse, ResponseStatus};
use super::response_data::CertStatus;
use crate::error::{Code, Problem, Remedy, remedy};
use crate::x509::extension::{AUTHORITY_INFO_ACCESS, CRL_DISTRIBUTION_POINTS, OCSP_NO_CHECK};
use crate::x509::{Certificate, MalformedDer, Name, SerialNumber, UnixTime};

/// A request about one certificate, and what verifying the response needs.
#[derive(Clone, Debug)]
pub struct Question {
    id: CertId,
    issuer: Certificate,
    /// The issuer's name as the certificate's `issuer` field encodes it.
    issuer_name: Name,
    serial_number: SerialNumber,
    nonce: Option<Vec<u8>>,
}

/// Why a response is not accepted.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum VerificationError {
    /// The named CA did not issue the certificate.
    #[error("the certificate was not issued by {0}")]
    OtherIssuer(String),
    /// The octets are not an OCSP response.
    #[error(transparent)]
    Malformed(#[from] MalformedDer),
    /// The responder answered with this error status.
    #[error("the responder answered {0}")]
    Refused(ResponseStatus),
    /// The signature is neither the issuer's nor that of a certificate in the response.
    #[error("the answer is not signed by the issuer or a responder whose certificate it carries")]
    NotSigned,
    /// The responder certificate is not one of a delegated responder of the issuer.
    #[error("{0}")]
    NotDelegated(#[from] DelegationError),
    /// The responder certificate is valid from the first time to the second, and not now.
    #[error("the responder certificate is valid from {0} to {1} only")]
    ResponderLapsed(UnixTime, UnixTime),
    /// The response is about other certificates.
    #[error("the answer is not about this certificate")]
    OtherCertificate,
    /// The response has expired, or its nextUpdate lies before its thisUpdate.
    #[error("the answer was for {this_update} to {next_update}")]
    Lapsed {
        /// `thisUpdate`
        this_update: UnixTime,
        /// `nextUpdate`
        next_update: UnixTime,
    },
    /// The response states this time, which lies in the future.
    #[error("the answer is of {0}, which is to come")]
    NotYet(UnixTime),
    /// The nonce in the response is not that of the request.
    #[error("the answer has another nonce than the request")]
    OtherNonce,
}

impl From<VerificationError> for Problem {
    fn from(error: VerificationError) -> Self {
        let hint: Remedy = match &error {
            VerificationError::Refused(ResponseStatus::Unauthorized) => {
                "this responder does not serve the certificate's issuer; look at the URL".into()
            }
            VerificationError::Refused(_) => "look at the responder's /readyz".into(),
            VerificationError::ResponderLapsed(..) => remedy::Access::RenewResponder.into(),
            VerificationError::OtherIssuer(_) => "name the CA certificate that issued it".into(),
            VerificationError::Lapsed { .. } | VerificationError::NotYet(_) => {
                "look at the clocks here and at the responder, and at caches between".into()
            }
            _ => "do not rely on this answer".into(),
        };
        Self::of(Code::OcspNotVerified, error).hint(hint)
    }
}

/// The content of a verified response.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct VerifiedStatus {
    /// `certStatus`
    pub status: CertStatus,
    /// `thisUpdate`
    pub this_update: UnixTime,
    /// `nextUpdate`
    pub next_update: Option<UnixTime>,
    /// `producedAt`
    pub produced_at: UnixTime,
    /// Certificate of the delegated responder; `None` when the CA signed the response itself.
    pub responder: Option<Certificate>,
    /// Deviations that do not invalidate the response, one sentence each.
    pub remarks: Vec<String>,
}

impl Question {
    /// Returns a request about this certificate. `hash` is that of the CertID; a nonce has 1 to 128 octets.
    ///
    /// # Errors
    /// [`VerificationError::OtherIssuer`] when this issuer did not sign the certificate.
    pub fn new(
        certificate: &Certificate,
        issuer: &Certificate,
        hash: HashAlgorithm,
        nonce: Option<Vec<u8>>,
    ) -> Result<Self, VerificationError> {
        let is_issuer = certificate.tbs().names_as_issuer(issuer.tbs());
        if !is_issuer || !certificate.is_signed_by(issuer.tbs().public_key()) {
            return Err(VerificationError::OtherIssuer(issuer.tbs().subject().to_string()));
        }
        let serial_number = certificate.tbs().serial_number().clone();
        let issuer_name = certificate.tbs().issuer().clone();
        let id = CertId::of(hash, &issuer_name, issuer.tbs().public_key(), serial_number.clone());
        Ok(Self { id, issuer: issuer.clone(), issuer_name, serial_number, nonce })
    }

    /// DER octets of the `OCSPRequest`.
    #[must_use]
    pub(crate) fn to_request(&self) -> Vec<u8> {
        OcspRequest::new(vec![self.id.clone()], self.nonce.clone()).to_der()
    }

    /// Verifies a response: signature, delegation, responder certificate, times within `skew` seconds, and nonce.
    ///
    /// # Errors
    /// The first fault that is found.
    pub fn verify(
        &self,
        octets: &[u8],
        now: UnixTime,
        skew: i64,
    ) -> Result<VerifiedStatus, VerificationError> {
        let response = match OcspResponse::from_der(octets)? {
            OcspResponse::Successful(response) => response,
            OcspResponse::Refused(status) => return Err(VerificationError::Refused(status)),
        };
        let responder = self.responder(&response, now)?;
        let data = response.data();
        let single = data
            .responses
            .iter()
            .find(|single| {
                let key = self.issuer.tbs().public_key();
                single.cert_id.names(&self.issuer_name, key, &self.serial_number)
            })
            .ok_or(VerificationError::OtherCertificate)?;
        if let Some(early) =
            [single.this_update, data.produced_at].into_iter().find(|at| *at > now.plus(skew))
        {
            return Err(VerificationError::NotYet(early));
        }
        let (this_update, next) = (single.this_update, single.next_update);
        if let Some(next_update) = next.filter(|next| next.plus(skew) < now || *next < this_update) {
            return Err(VerificationError::Lapsed { this_update, next_update });
        }
        let mut remarks = responder.as_ref().map(remarks_on).unwrap_or_default();
        if next.is_none() {
            remarks.push("the answer has no nextUpdate: it may be any age".into());
        }
        match (&self.nonce, data.nonce()) {
            (Some(asked), Some(answered)) if *asked != answered => return Err(VerificationError::OtherNonce),
            (None, Some(_)) => return Err(VerificationError::OtherNonce),
            (Some(_), None) => {
                remarks.push("the responder leaves nonces out: it may be a kept answer".into())
            }
            _ => {}
        }
        Ok(VerifiedStatus {
            status: single.status,
            this_update,
            next_update: next,
            produced_at: data.produced_at,
            responder,
            remarks,
        })
    }

    /// Returns the certificate of the delegated responder that signed; `None` when the issuer signed.
    fn responder(
        &self,
        response: &BasicOcspResponse,
        now: UnixTime,
    ) -> Result<Option<Certificate>, VerificationError> {
        if response.is_signed_by(self.issuer.tbs().public_key()) {
            return Ok(None);
        }
        let id = &response.data().responder_id;
        let signers = response.certificates().iter().filter(|certificate| id.names(certificate));
        let responder = signers
            .into_iter()
            .find(|certificate| response.is_signed_by(certificate.tbs().public_key()))
            .ok_or(VerificationError::NotSigned)?;
        check_delegation(responder, &self.issuer)?;
        let validity = responder.tbs().validity();
        if !validity.contains(now) {
            return Err(VerificationError::ResponderLapsed(validity.not_before, validity.not_after));
        }
        Ok(Some(responder.clone()))
    }
}

/// Returns the deviations of a delegated certificate from what O7 asks beyond the conditions of RFC 6960.
fn remarks_on(responder: &Certificate) -> Vec<String> {
    let tbs = responder.tbs();
    let mut remarks = Vec::new();
    if tbs.extension(OCSP_NO_CHECK).is_none() {
        remarks.push("the responder certificate has no ocsp-nocheck: it may itself be revoked".into());
    }
    if tbs.extension(AUTHORITY_INFO_ACCESS).is_some() || tbs.extension(CRL_DISTRIBUTION_POINTS).is_some() {
        remarks.push("the responder certificate points to OCSP or a CRL for itself".into());
    }
    remarks
}

#[cfg(test)]
#[path = "client_tests.rs"]
mod tests;
