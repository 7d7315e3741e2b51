//! Summaries of the CAs, without their certificates.
use super::state::{Entry, State};
use crate::index::{Authority, AuthoritySummary, CertificateState};
use crate::x509::Certificate;

impl State {
    pub(super) fn summary(&self, authority: &Authority) -> AuthoritySummary {
        let tbs = authority.certificate.tbs();
        let own = self.entered(&authority.issuer).map(|ca| self.entries[ca.certificate].id.issuer);
        let has_cross_certificate = |entry: &&Entry| {
            entry.key() == Some(tbs.public_key().digest())
                && entry.subject().is_same_as(tbs.subject())
                && entry.state == CertificateState::Issued
                && Some(entry.id.issuer) != own
        };
        let cross_certificates =
            self.entries.iter().filter(has_cross_certificate).filter_map(|entry| entry.certificate.as_ref());
        let mut names = self.issuer_names.get(&authority.issuer).cloned().unwrap_or_default();
        names.sort_by(|a, b| a.as_der().cmp(b.as_der()));
        AuthoritySummary {
            name: authority.name.clone(),
            issuer: authority.issuer,
            parent: authority.parent.clone(),
            certificate: authority.certificate.fingerprint(),
            not_before: tbs.validity().not_before,
            cross_certificates: cross_certificates.map(Certificate::fingerprint).collect(),
            names,
            serves_ocsp: authority.serves_ocsp,
            succeeds: authority.succeeds.clone(),
            last_end: authority.last_end,
            retired: authority.retired.clone(),
        }
    }
}
