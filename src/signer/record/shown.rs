//! What was shown to the signer, with the proof that its key signed it.
use super::{Shown, SignedList};
use crate::x509::{Certificate, CertificateList, SubjectPublicKeyInfo, TbsCertList, sha256};

/// Something that a key of the signer signed before its journal began, or that the journal lost. Only this file makes
/// one, from a signature that verifies.
#[derive(Debug)]
pub(crate) struct Verified {
    shown: Shown,
    list: Option<TbsCertList>,
}

impl Verified {
    /// Returns the proof; `None` when this key did not sign the certificate.
    #[must_use]
    pub(crate) fn certificate(key: &SubjectPublicKeyInfo, certificate: &Certificate) -> Option<Self> {
        let tbs = certificate.tbs();
        let shown = Shown::Certificate {
            key: key.digest(),
            serial: tbs.serial_number().clone(),
            until: tbs.validity().not_after,
        };
        certificate.was_signed_by(key).then_some(Self { shown, list: None })
    }

    /// Returns the proof; `None` when this key did not sign the CRL, or it is a delta, or has no number or one
    /// above those that are recorded.
    #[must_use]
    pub(crate) fn crl(key: &SubjectPublicKeyInfo, crl: &CertificateList) -> Option<Self> {
        let (tbs, place) = (crl.tbs(), SignedList::of(crl.tbs()));
        let number =
            tbs.crl_number().filter(|number| place.base.is_none() && i64::try_from(*number).is_ok())?;
        let shown = Shown::Crl { key: key.digest(), list: place, number, digest: sha256(tbs.as_der()) };
        crl.was_signed_by(key).then(|| Self { shown, list: Some(tbs.clone()) })
    }

    pub(in crate::signer) fn shown(&self) -> &Shown {
        &self.shown
    }

    pub(in crate::signer) fn list(&self) -> Option<&TbsCertList> {
        self.list.as_ref()
    }
}
