//! Comparison of the published CRLs with the index (C1, C3, C7).
use super::finding::{Finding, Mending, Severity};
use super::records::bring_back;
use super::{Examination, FindingCode, Looked, counted, due, external_crls, only_files};
use crate::ca::Hierarchy;
use crate::error::{Shown as _, remedy};
use crate::home::{AuthorityName, PublicFile};
use crate::index::{Authority, CertificateState, CrlRecord, Index, IndexError, contradicting};
use crate::signing::{KeyRef, Mark, MarkError};
use crate::x509::extension::CrlNumber;
use crate::x509::{CertificateId, CertificateList, CrlListing, CrlReason, SerialNumber, pem};
use std::collections::HashSet;
use std::fs;
use std::path::Path;

pub(super) fn check(examination: &Examination<'_>, findings: &mut Vec<Finding>) -> Looked {
    let index = examination.index()?;
    let all = examination.authorities()?;
    only_files(&examination.home.public_directory())?;
    let mut entries: usize = 0;
    let own: Vec<&Authority> = all.iter().filter(|authority| !authority.is_external()).collect();
    for authority in &own {
        // the CRL is read before the index: a certificate that is revoked in between is then no surplus entry
        let published = examination.publisher.published_crl(&authority.name);
        let last = index.last_crl(&authority.issuer)?;
        let mut subject = Subject { examination, authority, index, findings };
        subject.note(published.as_ref().ok().and_then(Option::as_ref))?;
        match published {
            Ok(Some(crl)) => entries += subject.judge(&crl, last)?,
            Ok(None) if authority.retired.is_some() => {}
            Ok(None) => subject.absent(),
            Err(error) => subject.unreadable(&error.to_string()),
        }
    }
    let brought = external_crls::check(examination, &all, findings)?;
    Ok(format!("{}, {entries} entries", counted(own.len() + brought, "CRL")).into())
}

/// Bound of the CRL numbers by which an older copy of an index can be behind; a larger difference means a wrong mark.
const PROPORTION: u64 = 1 << 32;
struct Subject<'a, 'f> {
    examination: &'a Examination<'a>,
    authority: &'a Authority,
    index: &'a dyn Index,
    findings: &'f mut Vec<Finding>,
}

impl Subject<'_, '_> {
    /// Adds a finding that a new CRL repairs.
    fn tell(&mut self, severity: Severity, code: FindingCode, message: impl std::fmt::Display) {
        let name = &self.authority.name;
        self.findings.push(due::to_be_published(Finding::of(severity, code, name, message), self.authority));
    }

    fn absent(&mut self) {
        self.tell(Severity::Error, FindingCode::CrlMissing, due::MISSING);
    }

    fn unreadable(&mut self, fault: &str) {
        let name = &self.authority.name;
        let file = self.file(PublicFile::Crl);
        let remedy = remedy::Repair::MoveAsideThenPublishCrl(file, name.clone());
        self.findings.push(due::crl_unreadable(name, fault).remedy(remedy));
    }

    fn file(&self, file: PublicFile) -> std::path::PathBuf {
        match self.authority.name.parse::<AuthorityName>() {
            Ok(name) => self.examination.home.public_file(&name, file),
            Err(_) => self.examination.home.public_directory(),
        }
    }

    fn judge(&mut self, crl: &CertificateList, last: Option<CrlRecord>) -> Result<usize, IndexError> {
        let tbs = self.authority.certificate.tbs();
        if !crl.tbs().issuer().is_same_as(tbs.subject()) || !crl.is_signed_by(tbs.public_key()) {
            self.tell(Severity::Error, FindingCode::CrlSignature, due::OF_ANOTHER);
            return Ok(0);
        }
        self.numbers(crl, last)?;
        self.dates(crl)?;
        self.text(crl);
        self.entries(crl)
    }

    fn numbers(&mut self, crl: &CertificateList, last: Option<CrlRecord>) -> Result<(), IndexError> {
        let number = crl.tbs().crl_number().unwrap_or(0);
        let recorded = last.map_or(0, |last| last.number);
        if number < recorded {
            self.tell(Severity::Error, FindingCode::CrlNumberBehind, due::number_behind(number, recorded));
        } else if number > recorded {
            let taken = number <= self.index.highest_crl_number(&self.authority.issuer)?;
            let why = if taken {
                "a command was cut short, or the index was restored"
            } else {
                "the index is an older copy"
            };
            let message = format!(
                "has CRL number {number} in public/, and {recorded} is the last on record as published: {why}"
            );
            self.tell(Severity::Warning, FindingCode::CrlNumberAhead, message);
        }
        Ok(())
    }

    /// Checks the mark beside the key: it is neither below the published numbers nor out of all proportion above
    /// them.
    fn note(&mut self, crl: Option<&CertificateList>) -> Result<(), IndexError> {
        let Ok(name) = self.authority.name.parse::<AuthorityName>() else { return Ok(()) };
        let key = self.authority.certificate.tbs().public_key();
        let published = crl.filter(|crl| crl.is_signed_by(key)).and_then(|crl| crl.tbs().crl_number());
        let recorded = self.index.last_crl(&self.authority.issuer)?.map_or(0, |last| last.number);
        let known = recorded.max(published.unwrap_or(0));
        let taken = self.index.highest_crl_number(&self.authority.issuer)?.max(known);
        let aside =
            |file: &Path| remedy::Repair::MoveAsideThenPublishCrl(file.to_path_buf(), name.to_string());
        let home = self.examination.home.directory();
        let called = |place: &Path| place.strip_prefix(home).unwrap_or(place).shown().to_string();
        match self.examination.keys.mark(&KeyRef::of(self.authority)) {
            // reported by the check of owners and modes
            Err(MarkError::NotAFile { .. }) => {}
            // reported by the check of the keys
            Err(MarkError::Key(error)) if error.is_unasked() => {}
            Err(error) => {
                let (what, path) = match error.fault() {
                    Some((path, fault)) => (format!("{} {fault}", called(path)), Some(path)),
                    None => (error.to_string(), None),
                };
                let message = format!("publishes no CRL: {what}");
                let finding = Finding::error(FindingCode::CrlNoteUnreadable, name.as_str(), message);
                self.findings.push(match path {
                    Some(path) => finding.remedy(aside(path)),
                    None => finding,
                });
            }
            Ok(Mark { number: Some(noted), place }) if noted.saturating_sub(taken) > PROPORTION => {
                let place = place.as_path();
                let message = format!(
                    "has {noted} noted as its highest CRL number in {}, and {taken} is the \
                     highest known otherwise: the note is wrong",
                    called(place)
                );
                let finding = Finding::error(FindingCode::CrlNoteTooLarge, name.as_str(), message);
                self.findings.push(finding.remedy(aside(place)));
            }
            Ok(Mark { number: Some(noted), place }) if noted > taken => {
                let message = format!(
                    "has CRL number {noted} noted in {}, and neither the index nor its published \
                     CRL has one above {taken}: the index is an older copy",
                    called(place.as_path())
                );
                let finding = Finding::error(FindingCode::CrlNoteAhead, name.as_str(), message);
                self.findings.push(finding.remedy(bring_back(self.examination)));
            }
            Ok(Mark { number, place }) if known > 0 && number.is_none_or(|noted| noted < known) => {
                let message = format!(
                    "has no note of CRL number {known} in {}: an older index could take it again",
                    called(place.as_path())
                );
                self.tell(Severity::Warning, FindingCode::CrlHighWater, message);
            }
            Ok(_) => {}
        }
        Ok(())
    }

    /// Checks the times of the CRL. A retired CA needs no new one.
    fn dates(&mut self, crl: &CertificateList) -> Result<(), IndexError> {
        let (now, authority) = (self.examination.now, self.authority);
        let hierarchy = Hierarchy::over(self.index);
        let Some(next) = crl.tbs().next_update() else {
            return Ok(());
        };
        if hierarchy.is_retired(authority, now)? {
            return Ok(());
        }
        let (name, offline) = (&authority.name, authority.is_offline_unless_configured());
        let life = self.examination.settings().crl_lifetime(name, offline, crl.tbs().this_update(), next);
        let late = due::crl_times(name, &life, hierarchy.has_ended(authority, now), now);
        self.findings.extend(late.map(|late| due::to_be_published(late, self.authority)));
        self.findings.extend(due::delta_crl(self.examination, self.index, authority)?);
        Ok(())
    }

    /// Checks that the CRL in PEM is the same as in DER.
    fn text(&mut self, crl: &CertificateList) {
        let expected = pem::encode("X509 CRL", crl.as_der());
        let file = self.file(PublicFile::CrlPem);
        if !fs::read(&file).is_ok_and(|found| found == expected.as_bytes()) {
            self.findings.push(due::pem_differs(&self.authority.name));
        }
    }

    /// Checks that every revocation is on the CRL, and that every entry of the CRL is revoked.
    fn entries(&mut self, crl: &CertificateList) -> Result<usize, IndexError> {
        let mut listed: HashSet<SerialNumber> = HashSet::new();
        let (mut extra, mut released, mut garbled): (Vec<SerialNumber>, usize, usize) = (Vec::new(), 0, 0);
        let mut held: HashSet<SerialNumber> = HashSet::new();
        for entry in crl.tbs().entries() {
            let Ok(entry) = entry else {
                garbled += 1;
                continue;
            };
            if entry.reason == Some(CrlReason::CertificateHold) {
                held.insert(entry.serial_number.clone());
            }
            listed.insert(entry.serial_number);
        }
        let count = listed.len();
        let contradicting = contradicting(self.index, self.authority, &CrlListing::of(crl))?;
        let lost: HashSet<&SerialNumber> = contradicting.iter().collect();
        let mut lacking: Vec<SerialNumber> = Vec::new();
        self.index.revoked(&self.authority.issuer, &mut |entry| {
            if !listed.remove(&entry.serial_number) {
                lacking.push(entry.serial_number);
            }
        })?;
        for serial_number in listed {
            let id = CertificateId { issuer: self.authority.issuer, serial_number };
            match self.index.status(&id)? {
                Some(CertificateState::Revoked(_)) => {}
                Some(CertificateState::Issued) if held.contains(&id.serial_number) => released += 1,
                _ if lost.contains(&id.serial_number) => {}
                _ => extra.push(id.serial_number),
            }
        }
        let number = crl.tbs().crl_number().unwrap_or(0);
        match number <= self.index.highest_crl_number(&self.authority.issuer)? {
            true => self.contradicted(number, &contradicting),
            // the index is an older copy, which lacks more than these entries
            false => extra.extend(contradicting),
        }
        self.told(&lacking, released, garbled, &extra)?;
        Ok(count)
    }

    fn contradicted(&mut self, number: CrlNumber, serials: &[SerialNumber]) {
        let Some(first) = serials.first() else { return };
        let name = &self.authority.name;
        let what = counted(serials.len(), "certificate");
        let message = format!(
            "signed CRL {number}, which has {what} revoked that the index has not so, among them {first}: the index \
             was changed"
        );
        let finding = Finding::error(FindingCode::IndexContradictsCrl, name, message);
        self.findings.push(finding.mending(Mending::Revocations(name.clone())));
    }

    fn told(
        &mut self,
        lacking: &[SerialNumber],
        released: usize,
        garbled: usize,
        extra: &[SerialNumber],
    ) -> Result<(), IndexError> {
        if let Some(first) = lacking.first() {
            let what = counted(lacking.len(), "revoked certificate");
            let message = format!("has a CRL that lacks {what}, among them {first}");
            self.tell(Severity::Error, FindingCode::CrlLacksRevocation, message);
        } else if released > 0 || self.index.crl_is_owed(&self.authority.issuer)? {
            self.tell(Severity::Warning, FindingCode::CrlOwed, due::OWED);
        }
        if garbled > 0 {
            let message = format!("has a CRL with {} that cannot be read", counted(garbled, "entry"));
            self.tell(Severity::Error, FindingCode::CrlEntries, message);
        }
        if let Some(first) = extra.first() {
            let name = &self.authority.name;
            let what = counted(extra.len(), "certificate");
            let message = format!(
                "has a CRL that lists {what} not revoked on record, among them {first}: the index has lost a \
                 revocation"
            );
            self.findings.push(
                Finding::error(FindingCode::CrlExtraEntry, name, message)
                    .remedy(bring_back(self.examination)),
            );
        }
        Ok(())
    }
}
