//! Revocations that a CA signed and that its index has lost: taken over from its CRL.
use super::Revocations;
use crate::error::Problem;
use crate::index::{FoundRevocation, Revocation, contradicting};
use crate::status::{check_contradicting, signed_list};
use crate::x509::{CertificateId, SerialNumber};

impl Revocations<'_> {
    /// Takes over as revoked what the published CRL of a CA, which the CA's key signed, has revoked for good and the
    /// index has not: with date and reason, each on record. Returns how many there were.
    ///
    /// # Errors
    /// When the index or the list cannot be read, or the index not be written.
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
        Ok(taken.revoked.saturating_add(taken.known_by_number))
    }

    /// Says no to the release of what the CA's published CRL revokes for good: it was never on hold, whatever the
    /// index says.
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
