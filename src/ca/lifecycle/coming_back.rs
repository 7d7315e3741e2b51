//! A revoked or held CA may not come back under another certificate.
use super::Lifecycle;
use crate::ca::PriorCertificate;
use crate::error::{Code, Notice, Problem, remedy};
use crate::index::{CertificateState, ImportedContents, KeyConflict, check_key};
use crate::x509::{Certificate, CertificateId, CrlReason};
use std::collections::HashSet;

impl Lifecycle<'_> {
    /// Checks that a CA's name and key may be certified once more or adopted: no recorded certificate
    /// for this name and key is revoked for good or on hold, whoever issued it, and the key is not known to be
    /// compromised. The index checks this again when it records the certificate.
    ///
    /// # Errors
    /// Exit status 7 when not.
    pub fn may_come_back(&self, label: &str, certificate: &Certificate) -> Result<(), Problem> {
        let tbs = certificate.tbs();
        let refuse = |problem: Problem| {
            let message = format!("{label}: {}", problem.message);
            Problem { message, ..problem }
        };
        if self.engine.settings().compromised_keys.contains(&tbs.public_key().digest()) {
            let problem =
                Problem::new(Code::PolicyCompromisedKey, "the key is on the list of compromised keys");
            return Err(refuse(problem.hint("have the CA make a new key")));
        }
        let uses = self.engine.index().key_uses(&tbs.public_key().digest())?;
        match check_key(&uses, tbs.subject(), true, &[]) {
            Err(
                conflict @ (KeyConflict::Compromised(_) | KeyConflict::Revoked(..) | KeyConflict::Held(..)),
            ) => {
                return Err(refuse(conflict.into()));
            }
            // whether another CA or subscriber has the key is decided with the profile
            Ok(()) | Err(KeyConflict::OfAuthority(_) | KeyConflict::Reused(_)) => {}
        }
        self.is_not_revoked_by_number(certificate).map_err(refuse)
    }

    /// Returns a warning, with the command that revokes it, for each certificate that another program reports
    /// as valid although its key is compromised, or although a CA of its name and key is revoked or on hold.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub fn doubts(&self, name: &str, prior: &[PriorCertificate]) -> Result<Vec<Notice>, Problem> {
        let is_stolen = |state: &CertificateState| matches!(state, CertificateState::Revoked(one) if one.reason == Some(CrlReason::KeyCompromise));
        let digest = |one: &Certificate| one.tbs().public_key().digest();
        let stolen: HashSet<[u8; 32]> = prior
            .iter()
            .filter(|one| is_stolen(&one.state))
            .filter_map(|one| certificate_of(&one.contents).map(digest))
            .collect();
        let mut doubts = Vec::new();
        for one in prior.iter().filter(|one| matches!(one.state, CertificateState::Issued)) {
            let Some(certificate) = certificate_of(&one.contents) else { continue };
            if certificate.tbs().validity().not_after < self.engine.now() {
                continue;
            }
            let object = format!("{name}/{}", one.serial_number);
            let key = digest(certificate);
            let why = if stolen.contains(&key) || self.engine.settings().compromised_keys.contains(&key) {
                Some(format!("{object}: others have its key"))
            } else if certificate.is_ca() {
                self.may_come_back(&object, certificate).err().map(|problem| problem.message)
            } else {
                let uses = self.engine.index().key_uses(&key)?;
                let conflict = check_key(&uses, certificate.tbs().subject(), false, &[]).err();
                let is_known = matches!(conflict, Some(KeyConflict::Compromised(_)));
                is_known.then(|| format!("{object}: others have its key"))
            };
            let remedy = match certificate.is_ca() {
                true => remedy::Repair::RevokeCa(object),
                false => remedy::Repair::RevokeSubscriber(object),
            };
            doubts.extend(why.map(|why| {
                Notice::from(format!("{why}; on record it is valid all the same")).remedy(remedy)
            }));
        }
        Ok(doubts)
    }

    /// Checks that this very certificate is not revoked here by its serial number, whether or not its octets
    /// are on record.
    fn is_not_revoked_by_number(&self, certificate: &Certificate) -> Result<(), Problem> {
        let tbs = certificate.tbs();
        for issuer in self.engine.index().authorities()? {
            let issued = issuer.certificate.tbs();
            if !issued.subject().is_same_as(tbs.issuer()) || !certificate.was_signed_by(issued.public_key()) {
                continue;
            }
            let serial_number = tbs.serial_number().clone();
            let id = CertificateId { issuer: issuer.issuer, serial_number: serial_number.clone() };
            if let Some(CertificateState::Revoked(revocation)) = self.engine.index().status(&id)? {
                let at = revocation.revoked_at;
                return Err(match revocation.is_hold() {
                    true => KeyConflict::Held(serial_number, at).into(),
                    false => KeyConflict::Revoked(serial_number, at).into(),
                });
            }
        }
        Ok(())
    }
}

fn certificate_of(contents: &ImportedContents) -> Option<&Certificate> {
    match contents {
        ImportedContents::Certificate(certificate) => Some(certificate),
        ImportedContents::Number { .. } => None,
    }
}
