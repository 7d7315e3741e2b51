//! Revocations that a CA signed and its index has lost, taken over from the CRL.
use super::Revocations;
use crate::error::Problem;
use crate::index::{FoundRevocation, Revocation, contradicting};
use crate::status::{check_contradicting, signed_list};
use crate::x509::{CertificateId, SerialNumber};

impl Revocations<'_> {
    /// Records as revoked, with date and reason, what the published CRL revokes for good and the index does
    /// not. The CRL must be signed with the CA's key. Returns the number of certificates.
    ///
    /// # Errors
    /// When the index or the CRL cannot be read, or the index cannot be written.
    pub(crate) fn take_over_from_crl(&self, name: &str) -> Result<usize, Problem> {
        let authority = self.engine.hierarchy().authority(name)?;
        let Some(list) = signed_list(self.engine.publisher(), &authority)? else { return Ok(0) };
        let lacking = contradicting(self.engine.index(), &authority, &list)?;
        let now = self.engine.now();
        let found = |serial_number: SerialNumber| {
            let entry = list.find(&serial_number)?;
            let mut event = self.engine.event(now, "certificate.revoked", format!("{name}/{serial_number}"));
            event.details.extend(entry.reason.map(|reason| ("reason".into(), reason.to_string())));
            event.details.push(("revoked_at".into(), entry.revocation_date.to_string()));
            event.details.push(("source".into(), format!("CRL {} of {name}", list.number())));
            Some(FoundRevocation {
                id: CertificateId { issuer: authority.issuer, serial_number },
                revocation: Revocation {
                    revoked_at: entry.revocation_date,
                    reason: entry.reason,
                    invalidity_date: entry.invalidity_date,
                },
                event,
            })
        };
        let revocations: Vec<FoundRevocation> = lacking.into_iter().filter_map(found).collect();
        let taken = self.engine.index().take_over(&revocations)?;
        Ok(taken.revoked.saturating_add(taken.serial_only))
    }

    /// Refuses to release a certificate that the CA's published CRL revokes for good: it was not merely on
    /// hold, whatever the index says.
    pub(in crate::ca) fn check_releasable(&self, authority: &str, id: &CertificateId) -> Result<(), Problem> {
        let authority = self.engine.hierarchy().authority(authority)?;
        let Some(list) = signed_list(self.engine.publisher(), &authority)? else { return Ok(()) };
        let is_revoked = list.find(&id.serial_number).is_some_and(|entry| entry.is_final());
        let contradicted = if is_revoked { vec![id.serial_number.clone()] } else { Vec::new() };
        Ok(check_contradicting(
            self.engine.index(),
            self.engine.publisher(),
            &authority,
            &list,
            contradicted,
        )?)
    }
}
