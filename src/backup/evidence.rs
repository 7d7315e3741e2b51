//! Evaluation of data from after a backup. Data signed by one of the CAs is believed. Data without a signature is
//! believed only where it makes a certificate less trusted.
use super::Stores;
use super::search::Finder;
use crate::audit::Head;
use crate::error::{Problem, Shown as _};
use crate::index::{Authority, CertificateState, IndexReader, Revocation};
use crate::x509::extension::{self, CrlNumber};
use crate::x509::{Certificate, CertificateId, CertificateList, CrlReason, IssuerId, SerialNumber, UnixTime};
use std::collections::HashMap;
use std::path::Path;

/// Number of problems of single files that are reported one by one.
const TOLD: usize = 50;

/// The evidence found so far.
pub(super) struct Evidence<'a> {
    index: &'a dyn IndexReader,
    stores: &'a dyn Stores,
    authorities: &'a [Authority],
    change: u64,
    /// The complete CRL with the highest number of each CA.
    pub(super) newest_crl: HashMap<IssuerId, CertificateList>,
    /// The highest number of any CRL of each CA.
    pub(super) highest: HashMap<IssuerId, CrlNumber>,
    /// Revocations that the index lacks, and where each was found.
    pub(super) revocations: HashMap<CertificateId, (Revocation, String)>,
    /// Certificates that are missing or pending in the index, and where each was found.
    pub(super) certificates: HashMap<CertificateId, (Certificate, String)>,
    /// Certificates that a published status lists as good and the index lacks.
    pub(super) unproved: Vec<CertificateId>,
    /// The highest change number of a published status.
    pub(super) highest_change: u64,
    /// The newest audit records that the published statuses name.
    pub(super) heads: Vec<Head>,
    /// The newest time in any of the data.
    pub(super) newest: Option<UnixTime>,
    /// The newest time at which a CA or responder signed something.
    pub(super) signed: Option<UnixTime>,
    /// Warnings: data that could not be used or is inconsistent.
    pub(super) notices: Vec<String>,
    untold: usize,
}

impl<'a> Evidence<'a> {
    pub(super) fn new(
        index: &'a dyn IndexReader,
        stores: &'a dyn Stores,
        authorities: &'a [Authority],
    ) -> Result<Self, Problem> {
        let change = index.change_number()?;
        Ok(Self {
            index,
            stores,
            authorities,
            change,
            newest_crl: HashMap::new(),
            highest: HashMap::new(),
            revocations: HashMap::new(),
            certificates: HashMap::new(),
            unproved: Vec::new(),
            highest_change: change,
            heads: Vec::new(),
            newest: None,
            signed: None,
            notices: Vec::new(),
            untold: 0,
        })
    }

    /// Adds the holds of the newest CRLs; an older CRL may list a hold that was released since. Then removes from
    /// `unproved` the certificates that were found, and adds the number of warnings omitted.
    pub(super) fn conclude(&mut self) -> Result<(), Problem> {
        let newest: Vec<(IssuerId, CertificateList)> = self.newest_crl.clone().into_iter().collect();
        for (issuer, crl) in newest {
            let number = crl.tbs().crl_number().unwrap_or(0);
            if number <= self.index.highest_crl_number(&issuer)? {
                continue;
            }
            for entry in crl.tbs().entries().flatten() {
                let revocation = Revocation {
                    revoked_at: entry.revocation_date,
                    reason: entry.reason,
                    invalidity_date: entry.invalidity_date,
                };
                if revocation.is_hold() {
                    let id = CertificateId { issuer, serial_number: entry.serial_number };
                    self.revocation(id, revocation, &format!("CRL {number}"))?;
                }
            }
        }
        self.unproved.retain(|id| !self.certificates.contains_key(id) && !self.revocations.contains_key(id));
        self.unproved.sort_by(|a, b| a.serial_number.cmp(&b.serial_number));
        self.unproved.dedup();
        if self.untold > 0 {
            self.notices.push(format!("and {} more files could not be used", self.untold));
        }
        Ok(())
    }

    fn revocation(&mut self, id: CertificateId, found: Revocation, source: &str) -> Result<(), Problem> {
        if found.reason == Some(CrlReason::RemoveFromCrl) {
            return Ok(());
        }
        let says_more = match self.index.status(&id)? {
            Some(CertificateState::Revoked(known)) => known.is_hold() && !found.is_hold(),
            Some(CertificateState::Pending | CertificateState::Issued) | None => true,
        };
        if says_more {
            let kept = self.revocations.entry(id).or_insert_with(|| (found.clone(), source.to_owned()));
            let is_final = kept.0.is_hold() && !found.is_hold();
            let is_earlier = kept.0.is_hold() == found.is_hold() && found.revoked_at < kept.0.revoked_at;
            if is_final || is_earlier {
                *kept = (found, source.to_owned());
            }
        }
        Ok(())
    }

    fn saw(&mut self, at: UnixTime) {
        self.newest = self.newest.max(Some(at));
    }

    fn saw_signed(&mut self, at: UnixTime) {
        self.saw(at);
        self.signed = self.signed.max(Some(at));
    }

    /// Returns a certificate as users write it, with the name of its CA.
    pub(super) fn shown(&self, issuer: &IssuerId, serial_number: &SerialNumber) -> String {
        let name = self.authorities.iter().find(|one| one.issuer == *issuer);
        format!("{}/{serial_number}", name.map_or("", |one| one.name.as_str()))
    }
}

/// Returns whether a CRL lists all revocations of its CA: a delta CRL does not.
fn is_complete(crl: &CertificateList) -> bool {
    !crl.tbs().extensions().iter().any(|one| one.oid == extension::DELTA_CRL_INDICATOR)
}

impl Finder for Evidence<'_> {
    fn crl(&mut self, path: &Path, crl: CertificateList) -> Result<(), Problem> {
        let tbs = crl.tbs();
        let named: Vec<&Authority> = self
            .authorities
            .iter()
            .filter(|one| one.certificate.tbs().subject().is_same_as(tbs.issuer()))
            .collect();
        let signer = named.iter().find(|one| crl.was_signed_by(one.certificate.tbs().public_key()));
        let Some(signer) = signer else {
            let reason = match named.first() {
                Some(one) => format!("it bears the name of {} and not its signature", one.name),
                None => format!("`{}` is no CA of this backup", tbs.issuer()),
            };
            self.passed_over(path, reason);
            return Ok(());
        };
        let (issuer, name) = (signer.issuer, signer.name.clone());
        let number = tbs.crl_number().unwrap_or(0);
        let source = format!("CRL {number} of {name}");
        for entry in tbs.entries() {
            let Ok(entry) = entry else {
                self.passed_over(path, "an entry of it is malformed".into());
                return Ok(());
            };
            if entry.reason != Some(CrlReason::CertificateHold) {
                let revocation = Revocation {
                    revoked_at: entry.revocation_date,
                    reason: entry.reason,
                    invalidity_date: entry.invalidity_date,
                };
                let id = CertificateId { issuer, serial_number: entry.serial_number };
                self.revocation(id, revocation, &source)?;
            }
        }
        self.saw_signed(tbs.this_update());
        let highest = self.highest.entry(issuer).or_default();
        *highest = number.max(*highest);
        let known = self.newest_crl.get(&issuer).and_then(|known| known.tbs().crl_number());
        if is_complete(&crl) && known.is_none_or(|known| known < number) {
            self.newest_crl.insert(issuer, crl);
        }
        Ok(())
    }

    fn certificate(&mut self, path: &Path, certificate: Certificate) -> Result<(), Problem> {
        let tbs = certificate.tbs();
        let issuer = self.authorities.iter().find(|one| {
            one.certificate.tbs().subject().is_same_as(tbs.issuer())
                && certificate.was_signed_by(one.certificate.tbs().public_key())
        });
        let Some(issuer) = issuer.map(|one| one.issuer) else { return Ok(()) };
        let id = CertificateId { issuer, serial_number: tbs.serial_number().clone() };
        let shown = self.shown(&issuer, &id.serial_number);
        let is_new = match self.index.certificate(&id)? {
            None => true,
            Some(record) => match record.certificate {
                None => record.state == CertificateState::Pending,
                Some(known) if known == certificate => false,
                Some(_) => {
                    let reason = format!("it is another certificate with the serial number of {shown}");
                    self.passed_over(path, reason);
                    false
                }
            },
        };
        if !is_new {
            return Ok(());
        }
        self.saw_signed(tbs.validity().not_before);
        if certificate.is_ca() && !self.certificates.contains_key(&id) {
            self.notices.push(format!(
                "{shown} is the certificate of a CA, `{}`, which came after the backup: the certificate is on \
                 record again, the CA is not",
                tbs.subject()
            ));
        }
        self.certificates.entry(id).or_insert_with(|| (certificate, path.shown().to_string()));
        Ok(())
    }

    fn status(&mut self, directory: &Path) -> Result<(), Problem> {
        let mut states = Vec::new();
        let known: Vec<IssuerId> = self.authorities.iter().map(|one| one.issuer).collect();
        let mut strangers = 0_usize;
        let read = self.stores.published_status(directory, &mut |id, state| {
            if !known.contains(&id.issuer) {
                strangers += 1;
            } else {
                states.push((id, state));
            }
        });
        let published = match read {
            Ok(published) => published,
            Err(error) => {
                self.passed_over(directory, error.to_string());
                return Ok(());
            }
        };
        let source = format!("the status of {}", published.time);
        let is_newer = published.change > self.change;
        for (id, state) in states {
            match state {
                CertificateState::Revoked(revocation) if !revocation.is_hold() || is_newer => {
                    self.revocation(id, revocation, &source)?;
                }
                CertificateState::Revoked(_) => {}
                CertificateState::Pending | CertificateState::Issued => {
                    if self.index.status(&id)?.is_none() {
                        self.unproved.push(id);
                    }
                }
            }
        }
        if strangers > 0 {
            self.notices.push(format!(
                "{}: {strangers} certificates are of CAs that came after the backup",
                directory.shown()
            ));
        }
        self.saw(published.time);
        self.highest_change = self.highest_change.max(published.change);
        self.heads.extend(published.head);
        Ok(())
    }

    fn passed_over(&mut self, path: &Path, reason: String) {
        if self.notices.len() < TOLD {
            self.notices.push(format!("{} was passed over: {reason}", path.shown()));
        } else {
            self.untold += 1;
        }
    }
}
