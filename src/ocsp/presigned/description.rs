//! The description at the beginning of a file of answers: the CAs, and the responders that signed.
use super::{IssuerForm, Malformed, put_long, take, take_array, take_long};
use crate::ocsp::delegate::{SameInAll, check_delegation};
use crate::status::{PublishedAuthority, StatusError, encode_authorities, read_authorities};
use crate::x509::{Certificate, IssuerId, SignatureAlgorithm};
use std::collections::HashMap;
use std::sync::Arc;

const MAGIC: [u8; 8] = *b"GFANSWR1";
/// Octets before the contents.
pub(super) const HEAD: usize = 12;
/// The longest description that is read: some ten thousand CAs.
const LONGEST: u32 = 64 << 20;

/// A responder that signed answers in the file.
#[derive(Clone)]
pub(super) struct StoredResponder {
    /// Number of its CA.
    pub(super) authority: u32,
    pub(super) certificate: Certificate,
    pub(super) algorithm: SignatureAlgorithm,
    /// What its answers have in common.
    pub(super) same: Arc<SameInAll>,
}

/// The CAs and responders of a file.
#[derive(Clone)]
pub(super) struct Description {
    pub(super) authorities: Vec<PublishedAuthority>,
    pub(super) responders: Vec<StoredResponder>,
    /// The forms of the CertIDs of each CA.
    pub(super) forms: Vec<Vec<IssuerForm>>,
    by_issuer: HashMap<IssuerId, u32>,
}

impl StoredResponder {
    /// Returns the responder of the CA with this number.
    pub(super) fn new(authority: u32, certificate: Certificate, algorithm: SignatureAlgorithm) -> Self {
        let same = Arc::new(SameInAll::of(&certificate, algorithm));
        Self { authority, certificate, algorithm, same }
    }
}

impl Description {
    /// Returns the description of these CAs and responders.
    pub(super) fn new(authorities: Vec<PublishedAuthority>, responders: Vec<StoredResponder>) -> Self {
        let numbers = (0..).zip(&authorities).map(|(at, authority)| (authority.issuer, at));
        let by_issuer = numbers.collect();
        let forms = authorities.iter().map(IssuerForm::all).collect();
        Self { authorities, responders, forms, by_issuer }
    }

    /// Returns the number of a CA.
    pub(super) fn authority(&self, issuer: &IssuerId) -> Option<u32> {
        self.by_issuer.get(issuer).copied()
    }

    /// Returns the forms of the CertIDs of a CA.
    pub(super) fn forms_of(&self, authority: u32) -> &[IssuerForm] {
        let at = usize::try_from(authority).unwrap_or(usize::MAX);
        self.forms.get(at).map(Vec::as_slice).unwrap_or_default()
    }

    pub(super) fn responder(&self, at: u16) -> Option<&StoredResponder> {
        self.responders.get(usize::from(at))
    }

    /// Returns the octets of the description.
    pub(super) fn encode(&self) -> Result<Vec<u8>, StatusError> {
        let mut contents = Vec::new();
        put_long(&mut contents, &encode_authorities(&self.authorities)?);
        contents.extend(u16::try_from(self.responders.len()).unwrap_or(u16::MAX).to_be_bytes());
        for responder in &self.responders {
            contents.extend(responder.authority.to_be_bytes());
            put_long(&mut contents, responder.certificate.as_der());
            put_long(&mut contents, &responder.algorithm.to_der());
        }
        let mut out = MAGIC.to_vec();
        put_long(&mut out, &contents);
        Ok(out)
    }

    /// Returns the number of octets after these.
    pub(super) fn length(mut head: &[u8]) -> Result<usize, Malformed> {
        let head = &mut head;
        let (magic, length) = (take_array(head)?, u32::from_be_bytes(take_array(head)?));
        if magic != MAGIC || length > LONGEST {
            return Err(Malformed);
        }
        usize::try_from(length).map_err(|_| Malformed)
    }

    /// Reads what comes after the head. Each responder is one to which its CA has delegated OCSP.
    pub(super) fn parse(mut contents: &[u8]) -> Result<Self, Malformed> {
        let left = &mut contents;
        let authorities = read_authorities(take_long(left)?).ok_or(Malformed)?;
        let count = u16::from_be_bytes(take_array(left)?);
        let mut responders = Vec::new();
        for _ in 0..count {
            let number = u32::from_be_bytes(take_array(left)?);
            let authority = authorities.get(usize::try_from(number).map_err(|_| Malformed)?);
            let certificate = Certificate::from_der(take_long(left)?).map_err(|_| Malformed)?;
            let algorithm = SignatureAlgorithm::from_der(take_long(left)?).map_err(|_| Malformed)?;
            check_delegation(&certificate, &authority.ok_or(Malformed)?.certificate)
                .map_err(|_| Malformed)?;
            responders.push(StoredResponder::new(number, certificate, algorithm));
        }
        let is_distinct = |made: &Self| made.by_issuer.len() == made.authorities.len();
        let made = Self::new(authorities, responders);
        let left = take(left, left.len())?;
        if left.is_empty() && is_distinct(&made) { Ok(made) } else { Err(Malformed) }
    }
}
