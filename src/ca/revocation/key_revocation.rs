//! Revocation of a certificate together with the others for the same key, and of certificates that a CA
//! signed without a record.
use super::Revocations;
use super::revoke::action;
use crate::ca::{PublishedCrl, Revoked};
use crate::error::{Code, Problem, remedy};
use crate::index::{
    Authority, CertificateRecord, CertificateState, ImportedCertificate, ImportedContents, IndexError,
    Revocation, Selector, Supplement,
};
use crate::x509::{Certificate, CertificateId, CrlReason, Name, SerialNumber, UnixTime};

/// Number of certificates of one name that are read when looking for others of a subscriber; bounds the
/// memory used.
const MANY: usize = 1000;
/// Number of rounds that look for certificates recorded meanwhile for a revoked key; each needs another
/// command that was on its way before the first, so ten suffice.
pub(in crate::ca) const ROUNDS: usize = 10;

/// The result of revoking a certificate and the others for its key.
#[derive(Clone, Debug)]
pub struct KeyRevocation {
    /// The certificate that was named.
    pub named: Revoked,
    /// Other certificates for its key that were revoked with it.
    pub also: Vec<CertificateRecord>,
    /// CRLs of their issuers, except the issuer of the named certificate.
    pub crls: Vec<PublishedCrl>,
    /// Outstanding CRLs of these issuers: name of the CA, and the reason.
    pub owed: Vec<(String, Problem)>,
    /// Other certificates for its key that are still relied on: all of them, or only those of CAs when the
    /// key is compromised.
    pub left: Vec<CertificateRecord>,
    /// Why the file of a certificate that was not on record could not be stored.
    pub unstored: Option<Problem>,
}

/// A certificate that a CA of this home signed and that is not on record.
#[derive(Clone, Debug)]
pub struct Unrecorded {
    /// The CA.
    pub authority: Authority,
    /// `serialNumber`
    pub serial_number: SerialNumber,
    /// The certificate; `None` when only its serial number is known.
    pub certificate: Option<Certificate>,
}

impl Revocations<'_> {
    /// Returns the other certificates for the key of this one that can be relied on now.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub fn others_of_the_key(&self, record: &CertificateRecord) -> Result<Vec<CertificateRecord>, Problem> {
        let Some(key) = record.key else { return Ok(Vec::new()) };
        let now = self.engine.time_to_distrust()?;
        let mut others = Vec::new();
        for other in self.engine.index().key_uses(&key)? {
            if other.id != record.id && other.is_live(now) {
                others.extend(self.engine.index().certificate(&other.id)?);
            }
        }
        Ok(others)
    }

    /// Returns the other certificates of this one's subject, for other keys, that can be relied on now.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub fn others_of_the_holder(
        &self,
        record: &CertificateRecord,
    ) -> Result<Vec<CertificateRecord>, Problem> {
        let name = record.subject_alt_names.first().map(crate::x509::GeneralName::value);
        let Some(name) = record.subject.common_name().or(name) else { return Ok(Vec::new()) };
        let now = self.engine.time_to_distrust()?;
        let mut others = self.engine.index().select(&Selector::Name(name), MANY)?;
        others.retain(|other| {
            let is_gone = other.revocation().is_some_and(|revocation| !revocation.is_hold());
            other.id != record.id
                && other.key != record.key
                && other.subject.is_same_as(&record.subject)
                && !is_gone
                && other.validity.not_after >= now
        });
        Ok(others)
    }

    /// Revokes a certificate. When the reason is that the key is compromised, revokes every certificate for
    /// that key that can be relied on, whichever CA of this home issued it. CA certificates among them are
    /// left to [`Revocations::revoke_authority`], unless the named certificate is a CA's.
    ///
    /// # Errors
    /// As [`Revocations::revoke`].
    pub fn revoke_with_key(
        &self,
        record: &CertificateRecord,
        reason: Option<CrlReason>,
        invalidity_date: Option<UnixTime>,
        with_crl: bool,
    ) -> Result<KeyRevocation, Problem> {
        self.check_invalidity_date(invalidity_date)?;
        let now = self.engine.time_to_distrust()?;
        let to = record.state.revoke(Revocation { revoked_at: now, reason, invalidity_date })?;
        let named = self.record_transition(record, to, action(reason), reason)?;
        self.with_others(named, reason, invalidity_date, with_crl)
    }

    fn with_others(
        &self,
        named: CertificateRecord,
        reason: Option<CrlReason>,
        invalidity_date: Option<UnixTime>,
        with_crl: bool,
    ) -> Result<KeyRevocation, Problem> {
        let mut unanswered = self.answer();
        let is_of_the_key = reason.is_some_and(CrlReason::is_of_the_key);
        let with_authorities = is_authoritys(&named);
        let mut also: Vec<CertificateRecord> = Vec::new();
        // whatever fails here, the named certificate is revoked, and its status and CRL are published
        let stopped = match is_of_the_key {
            true => self.revoke_others(&named, with_authorities, reason, invalidity_date, &mut also).err(),
            false => None,
        };
        if !also.is_empty() {
            unanswered = self.answer();
        }
        let left = self.others_of_the_key(&named).unwrap_or_default();
        let named = self.list(named, unanswered, with_crl);
        let mut issuers: Vec<&str> = also.iter().map(|one| one.authority.as_str()).collect();
        issuers.sort_unstable();
        issuers.dedup();
        issuers.retain(|issuer| *issuer != named.record.authority);
        let (mut crls, mut owed) = (Vec::new(), Vec::new());
        owed.extend(stopped.map(|problem| (named.record.authority.clone(), unfinished(problem))));
        for issuer in issuers.into_iter().filter(|_| with_crl) {
            match self.engine.maintenance().crl_of(issuer) {
                Ok(crl) => crls.push(crl),
                Err(problem) => owed.push((issuer.to_owned(), problem)),
            }
        }
        Ok(KeyRevocation { named, also, crls, owed, left, unstored: None })
    }

    /// Revokes the other certificates for the key. New records for the key are refused from now on; those
    /// begun before are found in a later round.
    pub(super) fn revoke_others(
        &self,
        named: &CertificateRecord,
        with_authorities: bool,
        reason: Option<CrlReason>,
        invalidity_date: Option<UnixTime>,
        also: &mut Vec<CertificateRecord>,
    ) -> Result<(), Problem> {
        for _ in 0..ROUNDS {
            let mut others = self.others_of_the_key(named)?;
            others.retain(|other| with_authorities || !is_authoritys(other));
            if others.is_empty() {
                break;
            }
            for other in others {
                let revocation =
                    Revocation { revoked_at: self.engine.time_to_distrust()?, reason, invalidity_date };
                let Ok(to) = other.state.revoke(revocation) else { continue };
                match self.record_transition(&other, to, action(reason), reason) {
                    Ok(other) => also.push(other),
                    // another command was faster, and the next round reads the new state
                    Err(problem) if problem.code == Code::IndexConflict => {}
                    Err(problem) => return Err(problem),
                }
            }
        }
        Ok(())
    }

    /// Returns the CA of this home that signed an unrecorded certificate; the signature is verified.
    ///
    /// # Errors
    /// Exit status 5 when no CA of this home is named as its issuer, it has expired, or the issuer is an
    /// external CA; 11 when the signature is not the CA's; 2 when another certificate of that CA has its
    /// serial number.
    pub fn unrecorded(&self, certificate: &Certificate) -> Result<Unrecorded, Problem> {
        let tbs = certificate.tbs();
        let mut named = self.engine.index().authorities()?;
        named.retain(|one| one.certificate.tbs().subject().is_same_as(tbs.issuer()));
        if named.is_empty() {
            let message = format!("it was issued by `{}`, which is no CA of this home", tbs.issuer());
            return Err(Problem::new(Code::IssuerUnknown, message).hint(remedy::Record::RevokedByItsOwners));
        }
        let signed = named.iter().find(|one| certificate.was_signed_by(one.certificate.tbs().public_key()));
        let Some(authority) = signed.cloned() else {
            let message = format!("it names `{}` as its issuer, and is not signed by its key", tbs.issuer());
            return Err(Problem::new(Code::CertificateSignature, message)
                .hint("nothing was changed: it is damaged, or somebody else made it"));
        };
        if authority.is_external() {
            let message = format!("{}, which issued it, is run by others", authority.name);
            return Err(Problem::new(Code::KeyNotHere, message).hint("ask those who run it to revoke it"));
        }
        let end = tbs.validity().not_after;
        if end < self.engine.time_to_distrust()? {
            let message = format!("it is not on record, and expired at {end}: there is nothing to revoke");
            return Err(Problem::new(Code::CertificateExpired, message)
                .hint("what is expired or revoked stays as it is"));
        }
        let serial_number = tbs.serial_number().clone();
        let id = CertificateId { issuer: authority.issuer, serial_number: serial_number.clone() };
        if let Some(known) = self.engine.index().certificate(&id)? {
            let word = format!("{}/{serial_number}", authority.name);
            if let Some(revocation) = known.revocation().filter(|revocation| !revocation.is_hold()) {
                let message = format!("{word} was revoked at {}", revocation.revoked_at);
                return Err(Problem::new(Code::CertificateRevokedBefore, message)
                    .hint(remedy::Record::ShowCertificate(word)));
            }
            if !known.serial_only {
                let message =
                    format!("another certificate of {} has the number {serial_number}", authority.name);
                return Err(Problem::new(Code::CertificateOtherOnRecord, message)
                    .hint(remedy::Record::RevokeNumber(word)));
            }
        }
        Ok(Unrecorded { authority, serial_number, certificate: Some(certificate.clone()) })
    }

    /// Puts an unrecorded certificate on record as revoked, and then proceeds as
    /// [`Revocations::revoke_with_key`].
    ///
    /// # Errors
    /// When the serial number is on record already, or the index fails.
    pub fn revoke_unrecorded(
        &self,
        unrecorded: &Unrecorded,
        reason: Option<CrlReason>,
        invalidity_date: Option<UnixTime>,
        with_crl: bool,
    ) -> Result<KeyRevocation, Problem> {
        let Unrecorded { authority, serial_number, certificate } = unrecorded;
        self.check_invalidity_date(invalidity_date)?;
        let now = self.engine.time_to_distrust()?;
        let revocation = Revocation { revoked_at: now, reason, invalidity_date };
        let state = CertificateState::Issued.revoke(revocation)?;
        let object = format!("{}/{serial_number}", authority.name);
        let mut event = self.engine.event(self.engine.now(), action(reason), object);
        let contents = match certificate {
            Some(certificate) => {
                event.details.push(("subject".into(), certificate.tbs().subject().to_string()));
                event.details.push(("fingerprint".into(), certificate.fingerprint().to_string()));
                ImportedContents::Certificate(certificate.clone())
            }
            None => ImportedContents::Number { subject: Name::empty(), not_after: UnixTime::NO_END },
        };
        event.details.push(("was_on_record".into(), "no".into()));
        event.details.extend(reason.map(|reason| ("reason".into(), reason.to_string())));
        let found = ImportedCertificate { serial_number: serial_number.clone(), contents, state, event };
        let supplement =
            Supplement { issuer: authority.issuer, certificates: vec![found], crl_number: 0, event: None };
        let id = CertificateId { issuer: authority.issuer, serial_number: serial_number.clone() };
        let taken = self.engine.index().supplement(&supplement)?;
        let record = self.engine.index().certificate(&id)?.ok_or_else(|| IndexError::NotFound(id.clone()))?;
        if taken.revoked == 0 {
            return Err(IndexError::Conflict(id).into());
        }
        let mut done = self.with_others(record, reason, invalidity_date, with_crl)?;
        if let Some(certificate) = certificate {
            done.unstored = self.engine.publication().keep(&authority.name, &[certificate]).err();
        }
        Ok(done)
    }
}

fn unfinished(problem: Problem) -> Problem {
    let message = format!("not every certificate for the key is revoked: {}", problem.message);
    Problem { message, ..problem }.hint(remedy::Record::RevokeLeft)
}

fn is_authoritys(record: &CertificateRecord) -> bool {
    record.certificate.as_ref().is_some_and(Certificate::is_ca)
}
