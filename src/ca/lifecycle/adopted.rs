//! The index record of an adopted CA, and its publication after that.
use super::Lifecycle;
use crate::ca::authority::key_usage_allows;
use crate::ca::maintenance::{OwnSignatures, WithoutCrl};
use crate::ca::publication::News;
use crate::ca::{
    AdoptedAuthority, Adoption, AdoptionPlan, CrlAuthority, IssuingAuthority, PriorCertificate, Published,
    PublishedCrl,
};
use crate::error::{Notice, Problem, remedy};
use crate::index::{Authority, CertificateState, Import, Imported, ImportedCertificate, ImportedContents};
use crate::signing::CaSigner;
use crate::x509::extension::KeyUsage;
use crate::x509::{Certificate, UnixTime};
use std::sync::Arc;

impl Lifecycle<'_> {
    /// Returns the record of an adoption for the index.
    pub(in crate::ca) fn import_of(
        &self,
        authority: &Authority,
        adoption: &Adoption,
        plan: &AdoptionPlan,
        at: UnixTime,
    ) -> Import {
        let name = &authority.name;
        let issuer_path = plan.issuer_path.iter().map(|one| {
            let mut event = self.engine.event(at, "authority.known", &*one.name);
            event.details.push(("subject".into(), one.certificate.tbs().subject().to_string()));
            event.details.push(("fingerprint".into(), one.certificate.fingerprint().to_string()));
            (one.clone(), event)
        });
        let action = if adoption.renews.is_some() { "authority.renewed" } else { "authority.imported" };
        let mut event = self.engine.event(at, action, &**name);
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
            issuer_path: issuer_path.collect(),
            authority: authority.clone(),
            renews: adoption.renews.is_some(),
            certificates: self.imported_certificates(name, &adoption.prior, at),
            crl_number: adoption.crl_number,
            event,
        }
    }

    /// Returns a CA's earlier certificates in the form that the index imports.
    pub(in crate::ca) fn imported_certificates(
        &self,
        name: &str,
        prior: &[PriorCertificate],
        at: UnixTime,
    ) -> Vec<ImportedCertificate> {
        let certificates = prior.iter().map(|prior| {
            let mut event =
                self.engine.event(at, "certificate.imported", format!("{name}/{}", prior.serial_number));
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

    /// Publishes everything of an adopted CA, once it is on record.
    pub(in crate::ca) fn publish_adopted_authority(
        &self,
        adoption: Adoption,
        plan: AdoptionPlan,
        imported: Imported,
        signer: Option<Arc<dyn CaSigner>>,
    ) -> Result<AdoptedAuthority, Problem> {
        let name = &adoption.name;
        self.engine.publisher().remove_pending_request(name)?;
        let authority = self.engine.hierarchy().authority(name)?;
        let own = (&authority.parent, name, &authority.certificate);
        let issuer_path = plan.issuer_path.iter().map(|one| (&one.parent, &one.name, &one.certificate));
        let mut adopted: Vec<(&str, Vec<&Certificate>)> = std::iter::once(own)
            .chain(issuer_path)
            .map(|(parent, name, certificate)| (parent.as_ref().unwrap_or(name).as_str(), vec![certificate]))
            .collect();
        adopted.push((name, kept(&adoption.prior, &authority)));
        let mut authorities: Vec<&str> = plan.issuer_path.iter().map(|one| one.name.as_str()).collect();
        authorities.push(name);
        let changes_chains = adoption.renews.is_some();
        let news = News { adopted, authorities, changes_chains, ..News::default() };
        let (published, files) = self.engine.publication().publish(news)?.last_authority()?;
        let mut notices = plan.notices;
        if adoption.renews.is_some() {
            notices.extend(self.bound_to_one_certificate(&authority)?.map(Notice::from));
        }
        let to_bring = self.engine.maintenance().crl_to_bring(&authority)?;
        notices.extend(to_bring.map(|one| {
            let remedy = remedy::Repair::BringCrl(one.authority.clone(), one.file.clone());
            Notice::from(one.message(name)).remedy(remedy)
        }));
        let (mut crl, mut responder) = (None, None);
        match signer {
            None => notices.push(
                Notice::from(format!("without its key no CRL of {name} is signed"))
                    .remedy(remedy::Authority::BringKey(name.to_string())),
            ),
            Some(signer) => {
                (crl, responder) = self.first_signatures(&authority, signer, &mut notices)?;
            }
        }
        let issuer_path = plan.issuer_path.into_iter().map(|one| one.name).collect();
        Ok(AdoptedAuthority { authority: published, issuer_path, imported, files, crl, responder, notices })
    }

    /// Signs the first CRL and the responder certificate, as far as the CA's certificate allows them.
    fn first_signatures(
        &self,
        authority: &Authority,
        signer: Arc<dyn CaSigner>,
        notices: &mut Vec<Notice>,
    ) -> Result<(Option<PublishedCrl>, Option<Published<Certificate>>), Problem> {
        let (name, certificate) = (&authority.name, &authority.certificate);
        let lists = key_usage_allows(certificate.tbs(), KeyUsage::CRL_SIGN)
            .then(|| CrlAuthority::new(name, certificate.clone(), Arc::clone(&signer)))
            .transpose()?;
        let hierarchy = self.engine.hierarchy();
        let issuer = authority
            .serves_ocsp
            .then(|| IssuingAuthority::new(&hierarchy, authority.clone(), signer, self.engine.now()))
            .transpose();
        let OwnSignatures { crl, responder } = self.engine.maintenance().sign_own(
            name,
            Ok(lists.as_ref()),
            issuer.as_ref().map(Option::as_ref).map_err(Problem::clone),
            WithoutCrl::NoResponder,
        );
        let crl = crl?;
        match responder {
            Ok(None) => Ok((crl, None)),
            Ok(Some(issued)) => {
                notices.extend(issued.notices);
                Ok((crl, Some(issued.certificate)))
            }
            Err(problem) => {
                notices.push(format!("no responder certificate could be issued: {problem}").into());
                Ok((crl, None))
            }
        }
    }
}

/// Returns the certificates that are stored in files: all whose octets are known, except the CA's own.
pub(super) fn kept<'p>(prior: &'p [PriorCertificate], authority: &Authority) -> Vec<&'p Certificate> {
    prior
        .iter()
        .filter_map(|prior| match &prior.contents {
            ImportedContents::Certificate(certificate) => Some(certificate),
            ImportedContents::Number { .. } => None,
        })
        .filter(|certificate| **certificate != authority.certificate)
        .collect()
}
