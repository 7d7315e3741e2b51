//! Certificates that a CA signs with its own key and that no applicant requested: self-signed certificates
//! and key rollover certificates.
use super::Issuance;
use crate::error::{Code, Problem};
use crate::index::{IntendedAuthority, Intent, Issued, Recorded};
use crate::lint::Linted;
use crate::x509::{Certificate, CertificateId, IssuerId, TbsCertificate};

/// A certificate that is about to be recorded and signed.
pub(in crate::ca) struct SelfIssuance<'a> {
    /// Name of the CA that signs.
    pub(in crate::ca) by: &'a str,
    /// Identity of that CA.
    pub(in crate::ca) issuer: IssuerId,
    /// Name of the profile to put on record.
    pub(in crate::ca) profile: &'a str,
    /// The certificate.
    pub(in crate::ca) tbs: Linted<TbsCertificate>,
    /// The CA that the certificate creates or renews.
    pub(in crate::ca) authority: Option<IntendedAuthority>,
}

impl Issuance<'_> {
    /// Records the intent, signs it through `sign`, and records the signed certificate. The caller holds the
    /// index's signing guard.
    pub(in crate::ca) fn self_issue(
        &self,
        draft: SelfIssuance<'_>,
        sign: impl FnOnce(Recorded<TbsCertificate>) -> Result<Certificate, Problem>,
    ) -> Result<Certificate, Problem> {
        let SelfIssuance { by, issuer, profile, tbs, authority } = draft;
        let object = format!("{by}/{}", tbs.get().serial_number());
        let mut event = self.engine.event(self.engine.now(), "certificate.intended", object.clone());
        event.details.push(("subject".into(), tbs.get().subject().to_string()));
        event.details.push(("profile".into(), profile.into()));
        let intent = Intent {
            issuer,
            profile: profile.into(),
            contact: None,
            same_holder_as: None,
            decided_beside: None,
            authority,
            requested: false,
            event,
            tbs,
        };
        let recorded = self.engine.in_time(|at| {
            let mut intent = intent.clone();
            intent.event.at = at;
            self.engine.index().record_intent(vec![intent])
        })?;
        let tbs = recorded
            .into_iter()
            .next()
            .ok_or_else(|| Problem::new(Code::IndexFailed, "the intent was not recorded"))?;
        let id = CertificateId { issuer, serial_number: tbs.get().serial_number().clone() };
        let certificate = sign(tbs).inspect_err(|problem| {
            self.abandon_refused(&[(id, object.clone())], problem);
        })?;
        let mut event = self.engine.event(self.engine.now(), "certificate.issued", object);
        event.details.push(("fingerprint".into(), certificate.fingerprint().to_string()));
        self.engine.index().record_issued(&[Issued { issuer, certificate: certificate.clone(), event }])?;
        Ok(certificate)
    }
}
