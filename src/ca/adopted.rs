//! The record of an adopted CA, and what others see of it after that.
use super::authority::{ancestors, may};
use super::{
    AdoptedAuthority, Adoption, AdoptionPlan, CrlAuthority, IssuingAuthority, Pki, PriorCertificate,
    PublishedCrl,
};
use crate::error::Problem;
use crate::index::{Authority, CertificateState, Import, Imported, ImportedCertificate, ImportedContents};
use crate::signing::CaSigner;
use crate::x509::extension::KeyUsage;
use crate::x509::{Certificate, UnixTime};
use std::sync::Arc;

/// How many certificates are put into files at once.
pub(super) const GROUP: usize = 500;

impl Pki<'_> {
    /// What the index is told.
    pub(super) fn import_of(
        &self,
        authority: &Authority,
        adoption: &Adoption,
        plan: &AdoptionPlan,
        at: UnixTime,
    ) -> Import {
        let name = &authority.name;
        let above = plan.above.iter().map(|one| {
            let mut event = self.event(at, "authority.known", &*one.name);
            event.details.push(("subject".into(), one.certificate.tbs().subject().to_string()));
            event.details.push(("fingerprint".into(), one.certificate.fingerprint().to_string()));
            (one.clone(), event)
        });
        let action = if adoption.renews.is_some() { "authority.renewed" } else { "authority.imported" };
        let mut event = self.event(at, action, &**name);
        if let Some(known) = &adoption.renews {
            let replaces = known.certificate.tbs().serial_number().to_string();
            event.details.push(("replaces".into(), replaces));
        }
        if let Some(succeeds) = &adoption.succeeds {
            event.details.push(("succeeds".into(), succeeds.clone()));
        }
        event.details.extend([
            ("subject".into(), authority.certificate.tbs().subject().to_string()),
            ("fingerprint".into(), authority.certificate.fingerprint().to_string()),
            ("source".into(), adoption.source.clone()),
            ("certificates".into(), adoption.prior.len().to_string()),
            ("crl_number".into(), adoption.crl_number.to_string()),
        ]);
        Import {
            above: above.collect(),
            authority: authority.clone(),
            renews: adoption.renews.is_some(),
            certificates: self.imported_certificates(name, &adoption.prior, at),
            crl_number: adoption.crl_number,
            event,
        }
    }

    /// Certificates of a CA as the index is told of them.
    pub(super) fn imported_certificates(
        &self,
        name: &str,
        prior: &[PriorCertificate],
        at: UnixTime,
    ) -> Vec<ImportedCertificate> {
        let certificates = prior.iter().map(|prior| {
            let mut event = self.event(at, "certificate.imported", format!("{name}/{}", prior.serial_number));
            match &prior.contents {
                ImportedContents::Certificate(certificate) => {
                    event.details.push(("subject".into(), certificate.tbs().subject().to_string()));
                    event.details.push(("fingerprint".into(), certificate.fingerprint().to_string()));
                }
                ImportedContents::Number { subject, .. } => {
                    event.details.push(("subject".into(), subject.to_string()));
                }
            }
            if let CertificateState::Revoked(revocation) = &prior.state {
                event.details.push(("revoked_at".into(), revocation.revoked_at.to_string()));
                let reason = revocation.reason.map(|reason| ("reason".into(), reason.to_string()));
                event.details.extend(reason);
            }
            ImportedCertificate {
                serial_number: prior.serial_number.clone(),
                contents: prior.contents.clone(),
                state: prior.state.clone(),
                event,
            }
        });
        certificates.collect()
    }

    /// Everything that others see of it, once it is on record.
    pub(super) fn equip_adopted(
        &self,
        adoption: Adoption,
        plan: AdoptionPlan,
        imported: Imported,
        signer: Option<Arc<dyn CaSigner>>,
    ) -> Result<AdoptedAuthority, Problem> {
        let name = &adoption.name;
        self.publisher.waits_no_longer(name)?;
        self.publish_status()?;
        for above in &plan.above {
            let above = self.authority(&above.name)?;
            let (certificates, crossed) = (ancestors(self.index, &above)?, self.crossed(&above)?);
            self.publisher.authority(&above.name, &above.certificate, &certificates, &crossed)?;
        }
        if adoption.renews.is_some() {
            self.republish()?;
        }
        let authority = self.authority(name)?;
        let mut notices = plan.notices;
        if adoption.renews.is_some() {
            notices.extend(self.bound_to_one_certificate(&authority)?);
        }
        let (above, crossed) = (ancestors(self.index, &authority)?, self.crossed(&authority)?);
        let files = self.publisher.authority(name, &authority.certificate, &above, &crossed)?;
        let own = [(&authority.parent, name, &authority.certificate)].into_iter();
        for (parent, name, certificate) in
            own.chain(plan.above.iter().map(|one| (&one.parent, &one.name, &one.certificate)))
        {
            self.publisher.issued(parent.as_ref().unwrap_or(name), &[certificate])?;
        }
        let kept: Vec<&Certificate> = adoption
            .prior
            .iter()
            .filter_map(|prior| match &prior.contents {
                ImportedContents::Certificate(certificate) => Some(certificate),
                ImportedContents::Number { .. } => None,
            })
            .filter(|certificate| **certificate != authority.certificate)
            .collect();
        for group in kept.chunks(GROUP) {
            self.publisher.issued(name, group)?;
        }
        let (mut crl, mut responder) = (None, None);
        match signer {
            None => notices.push(format!(
                "without its key no CRL of {name} is signed; bring it by `genfic-ca key import {name} FILE`"
            )),
            Some(signer) => {
                (crl, responder) = self.first_signatures(&authority, signer, &mut notices)?;
            }
        }
        let above = plan.above.into_iter().map(|one| one.name).collect();
        Ok(AdoptedAuthority { authority, above, imported, files, crl, responder, notices })
    }

    /// The CRL and the responder certificate, as far as this CA may sign them.
    fn first_signatures(
        &self,
        authority: &Authority,
        signer: Arc<dyn CaSigner>,
        notices: &mut Vec<String>,
    ) -> Result<(Option<PublishedCrl>, Option<Certificate>), Problem> {
        let name = &authority.name;
        let mut crl = None;
        if may(authority.certificate.tbs(), KeyUsage::CRL_SIGN) {
            let signer = CrlAuthority::new(name, authority.certificate.clone(), Arc::clone(&signer))?;
            crl = Some(self.publish_crl(name, &signer)?);
        }
        if !authority.serves_ocsp {
            return Ok((crl, None));
        }
        let issued = IssuingAuthority::new(self.index, authority.clone(), signer, self.clock.now())
            .and_then(|issuer| self.issue_responder(&issuer));
        match issued {
            Ok(issued) => {
                notices.extend(issued.notices);
                Ok((crl, Some(issued.certificate)))
            }
            Err(problem) => {
                notices.push(format!("no responder certificate could be issued: {problem}"));
                Ok((crl, None))
            }
        }
    }
}
