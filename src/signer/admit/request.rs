//! Certification requests (RFC 2986).
use super::certificate::without_certificate;
use super::{Admission, AdmittedContents, AdmittedTbs, KeyInUse, Refusal};
use crate::error::Code;
use crate::signer::{Scope, Signed};
use crate::x509::extension::SUBJECT_ALT_NAME;
use crate::x509::{CertificationRequest, encode_signed};

impl Admission<'_> {
    /// Decides on a CertificationRequestInfo, which is for this key itself.
    ///
    /// # Errors
    /// The first broken rule.
    pub(crate) fn request(&self, key: &KeyInUse<'_>, octets: Vec<u8>) -> Result<AdmittedTbs, Refusal> {
        // a signature that is none: the decoder reads whole requests
        let whole = encode_signed(&octets, key.key.algorithm().signature_algorithm(), &[0]);
        let request = CertificationRequest::from_der(&whole)
            .map_err(|error| Refusal::malformed("CertificationRequestInfo", error))?;
        let refuse = |message: String| {
            let hint = "this program never asks for it: see who used the account of the CA, and when";
            Err(Refusal::new(Code::SignerRequest, "RFC 2986 §3", message, hint))
        };
        if request.public_key() != key.key {
            return refuse("the request is for another key than the one that is to sign it".into());
        }
        let is_own = |own: &crate::x509::Certificate| own.tbs().subject().is_same_as(request.subject());
        if !key.own.is_empty() && !key.own.iter().any(is_own) {
            return refuse(format!(
                "the request is for `{}`, which is no name of this key's CA",
                request.subject()
            ));
        }
        if key.own.is_empty() && key.envelope.is_some() {
            return Err(without_certificate());
        }
        if request.extensions().iter().any(|one| one.oid != SUBJECT_ALT_NAME) {
            return refuse("the request asks for more than names".into());
        }
        let entry = Signed::request(key.key.digest(), &octets);
        let contents = AdmittedContents::Request;
        Ok(AdmittedTbs {
            octets,
            entry,
            scope: Scope::Ca,
            contents,
            enrolled_by: None,
            by_timer: false,
            changes: None,
        })
    }
}
