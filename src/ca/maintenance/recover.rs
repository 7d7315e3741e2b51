//! Putting right what a command that was cut short left behind, and repeating what is owed.
use super::Maintenance;
use crate::error::Problem;
use crate::index::{Authority, CertificateState};
use crate::x509::extension::{ExtendedKeyUsage, Purpose};
use crate::x509::{Certificate, CertificateId};

/// So many changes in a row must be kept before the search for certificates that are not kept yet ends. A group
/// that is issued is one change, and its files are put in place by rising serial number: the last tells of all.
const RECENT: usize = 16;

/// So many of the latest changes are looked at at most while nothing is missing: revocations are changes too.
const LATEST: usize = 64;

/// So many certificates are kept at a time.
const GROUP: usize = 500;

/// What was put right, and what could not be.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Recovered {
    /// Certificates that were intended and may have been signed: they count as revoked now.
    pub abandoned: usize,
    /// What was published again, a sentence each.
    pub repeated: Vec<String>,
    /// What is still owed and why. It holds nothing else up: the next command tries again.
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
    /// Abandons what a command recorded and did not live to sign; while another command is signing, nothing
    /// of that is touched. Then repeats what needs no key and was not done or is gone: the published status,
    /// the certificates and chains of CAs, recently issued certificates; what was left half written is removed.
    /// CRLs and responder certificates that are due need the key: [`Maintenance::crl_is_due`], [`Maintenance::responder_is_due`], [`Maintenance::keep_up`].
    ///
    /// # Errors
    /// When the index fails. What cannot be published is no error, but is told.
    pub(crate) fn recover(&self) -> Result<Recovered, Problem> {
        self.engine.publisher().sweep(&[]);
        let mut recovered = Recovered { abandoned: self.abandon_pending()?, ..Recovered::default() };
        // What is on record by now is public after its status is.
        let authorities = self.engine.index().authorities()?;
        let unkept = self.unkept()?;
        recovered.note("the status", self.engine.publication().repeat_status());
        if !recovered.owed.is_empty() {
            return Ok(recovered);
        }
        for authority in &authorities {
            let what = format!("the certificate of {}", authority.name);
            recovered.note(&what, self.engine.publication().repeat_authority(authority));
        }
        for authority in &authorities {
            self.repeat_issued(authority, &unkept, &mut recovered);
        }
        if !unkept.is_empty() {
            let of = |authority: &&Authority| unkept.iter().any(|id| id.issuer == authority.issuer);
            let names: Vec<&str> = authorities.iter().filter(of).map(|one| one.name.as_str()).collect();
            self.engine.publisher().sweep(&names);
        }
        Ok(recovered)
    }

    /// Abandons what is pending unless somebody is signing; returns how many there were.
    ///
    /// # Errors
    /// When the index fails.
    pub(crate) fn abandon_pending(&self) -> Result<usize, Problem> {
        if self.engine.index().pending()?.is_empty() {
            return Ok(0);
        }
        let Some(_alone) = self.engine.index().nobody_is_signing()? else { return Ok(0) };
        let now = self.engine.now();
        let authorities = self.engine.index().authorities()?;
        let pending: Vec<_> = self
            .engine
            .index()
            .pending()?
            .into_iter()
            .map(|id| {
                let name = authorities
                    .iter()
                    .find(|authority| authority.issuer == id.issuer)
                    .map_or("", |authority| authority.name.as_str());
                let event =
                    self.engine.event(now, "certificate.abandoned", format!("{name}/{}", id.serial_number));
                (id, event)
            })
            .collect();
        Ok(self.engine.index().abandon(&pending)?)
    }

    /// The certificates that were issued and are not kept: those of the latest changes. Where one is found, its
    /// whole change is looked through, and more changes before it: many commands may have been cut short, or the
    /// disk was full for long.
    fn unkept(&self) -> Result<Vec<CertificateId>, Problem> {
        let authorities = self.engine.index().authorities()?;
        let (mut looked_at, mut kept) = (0, 0);
        let mut wanting = Vec::new();
        let mut failed = None;
        self.engine.index().last_of_changes(&mut |row| {
            looked_at += 1;
            if row.state == CertificateState::Issued {
                match self.is_kept(&authorities, &row.id) {
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
        let mut unkept = Vec::new();
        for id in issued {
            if !self.is_kept(&authorities, &id)? {
                unkept.push(id);
            }
        }
        Ok(unkept)
    }

    /// Whether a certificate is where it should be: responders' are kept beside their keys, roots' in public.
    fn is_kept(&self, authorities: &[Authority], id: &CertificateId) -> Result<bool, Problem> {
        let Some(issuer) = authorities.iter().find(|authority| authority.issuer == id.issuer) else {
            return Ok(true);
        };
        if self.engine.publisher().is_kept(&issuer.name, &id.serial_number) {
            return Ok(true);
        }
        let Some(record) = self.engine.index().certificate(id)? else { return Ok(true) };
        // of one that is known by its number there is nothing to keep
        let Some(certificate) = &record.certificate else { return Ok(true) };
        let is_root = certificate.tbs().as_issuer() == id.issuer;
        // by what it is, for its profile may be unreadable
        let purposes = ExtendedKeyUsage::of(certificate.tbs());
        let is_responders = purposes.is_some_and(|purposes| purposes.0 == [Purpose::OCSP_SIGNING]);
        Ok(is_root || is_responders || !self.engine.practices().keeps(&record.profile))
    }

    /// Keeps what this CA issued and is not kept, in groups.
    fn repeat_issued(&self, authority: &Authority, unkept: &[CertificateId], recovered: &mut Recovered) {
        let own: Vec<&CertificateId> = unkept.iter().filter(|id| id.issuer == authority.issuer).collect();
        for group in own.chunks(GROUP) {
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
