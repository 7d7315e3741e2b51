//! Admission: what the signer signs, decided over the octets that it is told to sign. Pure; the time is a parameter.
//!
//! The signer believes its client nothing. It reads the octets with this project's decoders and lints them, and asks its
//! own copies of the CAs' certificates, the envelope of the key, the security administrator's profiles, and its own
//! record of what it signed before. Only this module makes an [`AdmittedTbs`], which the journal takes.
mod certificate;
mod crl;
mod crl_entries;
mod refusal;
mod request;
mod rollover;

pub(crate) use refusal::Refusal;
pub(crate) use rollover::Vouching;

use super::{Act, ActKind, KeyEnvelope, ListChanges, Scope, SignatureRecord, Signed, ToBeSigned};
use crate::error::Code;
use crate::profile::Profiles;
use crate::x509::extension::CrlNumber;
use crate::x509::{
    Certificate, Name, SerialNumber, SubjectPublicKeyInfo, TbsCertList, TbsCertificate, UnixTime,
};
use std::collections::HashSet;
use std::sync::OnceLock;
use std::sync::atomic::AtomicUsize;

/// A key that is to sign, and what the signer knows of it.
pub(crate) struct KeyInUse<'a> {
    /// The key.
    pub(crate) key: &'a SubjectPublicKeyInfo,
    /// Its envelope; `None` for a key that has no certificate yet. Such a key signs a certificate of itself, or a
    /// request for itself, and nothing else.
    pub(crate) envelope: Option<&'a KeyEnvelope>,
    /// The signer's own copies of the certificates of the CA with this key.
    pub(crate) own: &'a [Certificate],
    /// The signer's own copies of the certificates above: that of the issuer first, the root's last. They may end
    /// before the root, where the signer does not know who is above.
    pub(crate) above: &'a [Certificate],
    /// The signer's own copies of the certificates of CAs with other keys that it has.
    pub(crate) others: &'a [Certificate],
    /// What is known of them as other generations of this CA.
    pub(crate) generations: &'a (dyn Fn(&Certificate) -> Vouching + Sync),
    /// The profile that a key without a certificate is bound to, where an administrator bound it.
    pub(crate) bound: Option<&'a str>,
    /// The name in the certificate of itself that a key without one has signed, which was not shown yet.
    pub(crate) named: Option<&'a Name>,
    /// The mark beside the key: what the number of a CRL that is to be signed is not below. `None` where there is none.
    pub(crate) mark: Option<CrlNumber>,
    /// Whether a timer asks, for which nobody has unlocked the key.
    pub(crate) by_timer: bool,
}

impl KeyInUse<'_> {
    /// Returns the newest of its own certificates, by the end of its validity.
    fn newest(&self) -> Option<&Certificate> {
        self.own.iter().max_by_key(|one| one.tbs().validity().not_after)
    }
}

/// What is admitted to the journal, and after that to the key.
#[derive(Debug)]
pub(crate) struct AdmittedTbs {
    /// The octets; empty for a CRL, whose octets are in its contents once.
    octets: Vec<u8>,
    entry: Signed,
    scope: Scope,
    contents: AdmittedContents,
    /// serialNumber of the certificate of the responder that vouches for this one.
    enrolled_by: Option<SerialNumber>,
    /// Whether it is a CRL that a timer asks for.
    by_timer: bool,
    /// What a complete CRL lists otherwise than the one before it.
    changes: Option<ListChanges>,
}

/// What the admitted octets are.
#[derive(Debug)]
pub(crate) enum AdmittedContents {
    /// A certificate.
    Certificate {
        /// The certificate.
        tbs: Box<TbsCertificate>,
    },
    /// A CRL.
    Crl {
        /// The CRL.
        list: TbsCertList,
    },
    /// A certification request for the key itself.
    Request,
}

impl AdmittedTbs {
    /// Returns the octets that are to be signed.
    pub(crate) fn octets(&self) -> &[u8] {
        match &self.contents {
            AdmittedContents::Crl { list, .. } => list.as_der(),
            AdmittedContents::Certificate { .. } | AdmittedContents::Request => &self.octets,
        }
    }

    /// Returns the entry for the journal.
    #[cfg(test)]
    pub(crate) fn entry(&self) -> &Signed {
        &self.entry
    }

    /// Returns the scope that the key has to be unlocked for.
    pub(crate) fn scope(&self) -> Scope {
        self.scope
    }

    /// Returns the same certificate of a responder, for which the one with this serial number vouches.
    #[must_use]
    pub(in crate::signer) fn enrolled(self, by: SerialNumber) -> Self {
        Self { scope: Scope::Renewal, enrolled_by: Some(by), ..self }
    }

    /// Returns what the octets are.
    pub(crate) fn contents(&self) -> &AdmittedContents {
        &self.contents
    }
}

/// The rules, for the requests of one group, which are recorded together. A serial number is admitted once, whether its
/// first use is on record or in the same group.
pub(crate) struct Admission<'a> {
    record: &'a dyn SignatureRecord,
    profiles: &'a Profiles,
    now: UnixTime,
    /// Serial numbers of this group, by key.
    serials: HashSet<([u8; 32], SerialNumber)>,
    /// Number of certificates of the last 24 hours, this group included, by key.
    today: Vec<([u8; 32], u64)>,
    /// The number of the last CRL of a key, where its entries are not known.
    list_unknown: OnceLock<([u8; 32], Option<CrlNumber>)>,
    /// The profile that grants the first certificate of this group.
    likely: OnceLock<String>,
    /// How often a profile was asked whether it grants a certificate.
    tried: AtomicUsize,
}

impl<'a> Admission<'a> {
    /// Starts a group.
    pub(crate) fn new(record: &'a dyn SignatureRecord, profiles: &'a Profiles, now: UnixTime) -> Self {
        let (serials, today) = (HashSet::new(), Vec::new());
        let (list_unknown, likely, tried) = (OnceLock::new(), OnceLock::new(), AtomicUsize::new(0));
        Self { record, profiles, now, serials, today, list_unknown, likely, tried }
    }

    fn count_certificate(&mut self, key: &[u8; 32], envelope: Option<&KeyEnvelope>) -> Result<(), Refusal> {
        let at = match self.today.iter().position(|(counted, _)| counted == key) {
            Some(at) => at,
            None => {
                let before = self.record.signed_since(key, self.now.plus(-UnixTime::DAY))?;
                self.today.push((*key, before));
                self.today.len().saturating_sub(1)
            }
        };
        let Some((_, count)) = self.today.get_mut(at) else { return Ok(()) };
        if envelope.is_some_and(|envelope| *count >= envelope.a_day) {
            let message = format!("{count} certificates were signed in the last 24 hours, as many as may be");
            let hint = "wait, or have the security administrator widen what the key is for; see who asks for so many";
            return Err(Refusal::new(Code::SignerEnvelopeDay, "envelope of the key", message, hint));
        }
        *count = count.saturating_add(1);
        Ok(())
    }
}

impl ToBeSigned for AdmittedTbs {
    fn octets(&self) -> &[u8] {
        Self::octets(self)
    }

    fn entry(&self, _key: [u8; 32]) -> Signed {
        self.entry.clone()
    }

    fn as_crl(&self) -> Option<&TbsCertList> {
        match &self.contents {
            AdmittedContents::Crl { list, .. } => Some(list),
            AdmittedContents::Certificate { .. } | AdmittedContents::Request => None,
        }
    }

    fn changes(&self) -> Option<&ListChanges> {
        self.changes.as_ref()
    }

    fn act(&self, key: [u8; 32]) -> Option<Act> {
        if self.by_timer
            && let Some(number) = self.entry.crl_number
        {
            let details = format!("CRL {number}, for a timer");
            return Some(Act { kind: ActKind::TimerCrl, key: Some(key), details });
        }
        let (by, serial) = (self.enrolled_by.as_ref()?, self.entry.serial.as_ref()?);
        let details = format!("the certificate {serial}, by the responder with the certificate {by}");
        Some(Act { kind: ActKind::Enrolled, key: Some(key), details })
    }
}

#[cfg(test)]
pub(in crate::signer) mod tests;
