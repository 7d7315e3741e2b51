//! What becomes of certificates that the signer refuses to sign.
use super::Issuance;
use crate::error::{Code, Problem};
use crate::x509::CertificateId;

impl Issuance<'_> {
    /// Abandons certificates of this command that the signer has refused to sign, so that the next command finds nothing to
    /// abandon. After another failure they may have been signed, and stay pending until then. Each comes with what the
    /// audit record calls it.
    pub(super) fn abandon_refused(&self, refused: &[(CertificateId, String)], problem: &Problem) {
        let is_refusal = (problem.code.code().starts_with("signer.")
            && problem.code != Code::SignerUnavailable)
            || problem.code == Code::JournalListUnknown;
        if !is_refusal {
            return;
        }
        let now = self.engine.now();
        let abandoned = refused.iter().map(|(id, object)| {
            let mut event = self.engine.event(now, "certificate.abandoned", &**object);
            event.details.push(("refused".into(), problem.code.to_string()));
            (id.clone(), event)
        });
        // what fails here is left to the next command
        if self.engine.index().abandon(&abandoned.collect::<Vec<_>>()).is_ok() {
            let _ = self.engine.publication().publish_status();
        }
    }
}
