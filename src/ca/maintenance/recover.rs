//! Recovery from commands that were cut short: abandons interrupted issuance and repeats outstanding
//! publication.
use super::Maintenance;
use crate::error::Problem;
use crate::index::{AuthoritySummary, CertificateState};
use crate::signing::KeyRef;
use crate::x509::extension::{ExtendedKeyUsage, Purpose};
use crate::x509::{Certificate, CertificateId, IssuerId, SerialNumber};
use std::collections::HashMap;

/// Number of consecutive changes whose certificates are all stored, after which the search for missing files
/// ends. A batch of certificates is one change, and its files are written in the order of rising serial
/// numbers, so its last certificate shows whether all are stored. Sixteen is more than the few batches that a
/// killed command has in work.
const RECENT: usize = 16;

/// Number of latest changes, bounds the search while no file is missing; revocations are changes too, so that
/// it must be larger than `RECENT`.
const LATEST: usize = 1024;

/// Number of certificates that are read and stored at a time; bounds the memory used.
const BATCH: usize = 500;

/// Names of CAs by issuer.
type Names<'n> = HashMap<IssuerId, &'n str>;

/// The results of a recovery.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Recovered {
    /// Number of certificates that were recorded, and possibly signed, by commands that did not finish: they
    /// count as revoked now.
    pub abandoned: usize,
    /// Repeated publications, a sentence each.
    pub repeated: Vec<String>,
    /// Outstanding publications, with the reason. They hold nothing else up: the next command tries again.
    pub owed: Vec<Problem>,
}

impl Recovered {
    fn note(&mut self, what: &str, outcome: Result<bool, Problem>) {
        match outcome {
            Ok(false) => {}
            Ok(true) => self.repeated.push(format!("{what} was owed and is published now")),
            Err(problem) => {
                let message = format!("{what} is still to be published: {}", problem.message);
                self.owed.push(Problem { message, ..problem });
            }
        }
    }
}

impl Maintenance<'_> {
    /// Abandons certificates that a killed command recorded and did not sign, unless another command is
    /// signing. Then repeats what needs no key and is missing: the published status, the certificates and
    /// chains of CAs, the files of recently issued certificates. Removes half-written files. CRLs and
    /// responder certificates that are due need the key: see [`Maintenance::crl_is_due`],
    /// [`Maintenance::responder_is_due`], [`Maintenance::maintain`].
    ///
    /// # Errors
    /// When the index fails. A publication that fails is not an error but is reported in the result.
    pub(crate) fn recover(&self) -> Result<Recovered, Problem> {
        self.engine.publisher().sweep(&[]);
        let mut recovered = Recovered { abandoned: self.abandon_pending()?, ..Recovered::default() };
        // the record is read before the status is published, so that every certificate found here is known to
        // responders
        let all = self.engine.index().summaries()?;
        self.complete(&all, &mut recovered);
        let names: Names<'_> = all.iter().map(|one| (one.issuer, &*one.name)).collect();
        let unstored = self.unstored(&names)?;
        let status = match self.engine.publication().repeat_status() {
            Ok((status, was_owed)) => {
                recovered.note("the status", Ok(was_owed));
                status
            }
            Err(problem) => {
                recovered.note("the status", Err(problem));
                return Ok(recovered);
            }
        };
        for summary in self.engine.publication().unpublished(&all) {
            let what = format!("the certificate of {}", summary.name);
            recovered.note(&what, self.engine.publication().repeat_summed_up(summary, &all, &status));
        }
        let concerned = all.iter().filter(|one| unstored.iter().any(|id| id.issuer == one.issuer));
        let concerned: Vec<&AuthoritySummary> = concerned.collect();
        for summary in &concerned {
            self.repeat_issued(summary, &unstored, &mut recovered);
        }
        if !concerned.is_empty() {
            let names: Vec<&str> = concerned.iter().map(|one| &*one.name).collect();
            self.engine.publisher().sweep(&names);
        }
        Ok(recovered)
    }

    /// Completes retirements that a killed command left half done.
    fn complete(&self, all: &[AuthoritySummary], recovered: &mut Recovered) {
        match self.complete_retirements(all) {
            Ok(completed) => recovered.repeated.extend(
                completed
                    .iter()
                    .map(|name| format!("the retirement of {name} was begun and is complete now")),
            ),
            Err(problem) => {
                let message = format!("a retirement is still to be completed: {}", problem.message);
                recovered.owed.push(Problem { message, ..problem });
            }
        }
    }

    /// Abandons pending certificates unless another command is signing; returns how many there were.
    ///
    /// # Errors
    /// When the index fails.
    pub(crate) fn abandon_pending(&self) -> Result<usize, Problem> {
        if self.engine.index().pending()?.is_empty() {
            return Ok(0);
        }
        let Some(_alone) = self.engine.index().nobody_is_signing()? else { return Ok(0) };
        let now = self.engine.now();
        let all = self.engine.index().summaries()?;
        let names: Names<'_> = all.iter().map(|one| (one.issuer, &*one.name)).collect();
        let waits = |id: &CertificateId| match names.get(&id.issuer) {
            Some(name) => self.engine.waits_for_ceremony(name, &id.serial_number),
            None => Ok(false),
        };
        let mut given_up = Vec::new();
        for id in self.engine.index().pending()? {
            if !waits(&id)? {
                given_up.push(id);
            }
        }
        let pending: Vec<_> = given_up
            .into_iter()
            .map(|id| {
                let name = names.get(&id.issuer).copied().unwrap_or_default();
                let event =
                    self.engine.event(now, "certificate.abandoned", format!("{name}/{}", id.serial_number));
                (id, event)
            })
            .collect();
        let abandoned = self.engine.index().abandon(&pending)?;
        self.tell_signer(pending.iter().map(|(id, _)| id));
        Ok(abandoned)
    }

    /// Tells the signer what was given up. Its journal has these certificates as intended, so nothing is wrong where it
    /// cannot be told.
    fn tell_signer<'i>(&self, given_up: impl Iterator<Item = &'i CertificateId>) {
        let Some(signer) = self.engine.keys().remembering() else { return };
        let mut by_issuer: HashMap<IssuerId, Vec<SerialNumber>> = HashMap::new();
        for id in given_up {
            by_issuer.entry(id.issuer).or_default().push(id.serial_number.clone());
        }
        for authority in self.engine.index().authorities().into_iter().flatten() {
            if let Some(serials) = by_issuer.get(&authority.issuer) {
                let _ = signer.abandon(&KeyRef::of(&authority), serials);
            }
        }
    }

    /// Returns the issued certificates whose files are missing, of the latest changes. When one is found, its
    /// whole change is searched, and more changes before it: many commands may have been cut short, or the
    /// disk may have been full for long.
    fn unstored(&self, names: &Names<'_>) -> Result<Vec<CertificateId>, Problem> {
        let (mut looked_at, mut kept) = (0, 0);
        let mut wanting = Vec::new();
        let mut failed = None;
        self.engine.index().last_of_changes(&mut |row| {
            looked_at += 1;
            if row.state == CertificateState::Issued {
                match self.is_stored(names, &row.id) {
                    Ok(true) => kept += 1,
                    Ok(false) => {
                        wanting.push(row.change);
                        (looked_at, kept) = (0, 0);
                    }
                    Err(problem) => failed = Some(problem),
                }
            }
            failed.is_none() && kept < RECENT && looked_at < LATEST
        })?;
        if let Some(problem) = failed {
            return Err(problem);
        }
        let Some(earliest) = wanting.last() else { return Ok(Vec::new()) };
        let mut issued = Vec::new();
        self.engine.index().status_rows(earliest.saturating_sub(1).max(1), &mut |row| {
            if row.state == CertificateState::Issued && wanting.contains(&row.change) {
                issued.push(row.id);
            }
        })?;
        let mut unstored = Vec::new();
        for id in issued {
            if !self.is_stored(names, &id)? {
                unstored.push(id);
            }
        }
        Ok(unstored)
    }

    /// Whether the file of a certificate is where it should be. Responders' certificates are stored beside
    /// their keys, roots' among the public files.
    fn is_stored(&self, names: &Names<'_>, id: &CertificateId) -> Result<bool, Problem> {
        let Some(issuer) = names.get(&id.issuer) else { return Ok(true) };
        if self.engine.publisher().is_stored(issuer, &id.serial_number) {
            return Ok(true);
        }
        let Some(record) = self.engine.index().certificate(id)? else { return Ok(true) };
        // there is no file of a certificate of which only the serial number is known
        let Some(certificate) = &record.certificate else { return Ok(true) };
        let is_root = certificate.tbs().as_issuer() == id.issuer;
        // recognised by the certificate, since its profile may be unreadable
        let purposes = ExtendedKeyUsage::of(certificate.tbs());
        let is_responders = purposes.is_some_and(|purposes| purposes.0 == [Purpose::OCSP_SIGNING]);
        Ok(is_root || is_responders || !self.engine.settings().keeps(&record.profile))
    }

    /// Stores the missing certificates of this CA, in batches.
    fn repeat_issued(
        &self,
        authority: &AuthoritySummary,
        unstored: &[CertificateId],
        recovered: &mut Recovered,
    ) {
        let own: Vec<&CertificateId> = unstored.iter().filter(|id| id.issuer == authority.issuer).collect();
        for group in own.chunks(BATCH) {
            let what = match group {
                [id] => format!("the certificate {}/{}", authority.name, id.serial_number),
                more => format!("the copy of {} certificates of {}", more.len(), authority.name),
            };
            let repeat = || {
                let mut certificates = Vec::with_capacity(group.len());
                for id in group {
                    certificates
                        .extend(self.engine.index().certificate(id)?.and_then(|record| record.certificate));
                }
                let certificates: Vec<&Certificate> = certificates.iter().collect();
                self.engine.publication().keep(&authority.name, &certificates)?;
                Ok(true)
            };
            recovered.note(&what, repeat());
        }
    }
}
