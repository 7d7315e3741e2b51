//! CRLs that were signed elsewhere, of CAs whose keys are not here (G6).
use super::Maintenance;
use crate::error::{Code, Notice, Problem, remedy};
use crate::index::{Authority, CertificateState, FoundRevocation, Revocation, need_not_be_listed};
use crate::lint::crl_findings;
use crate::repository::PublishError;
use crate::signing::KeyRef;
use crate::status::signed_list;
use crate::x509::extension::{CrlNumber, DELTA_CRL_INDICATOR, ISSUING_DISTRIBUTION_POINT};
use crate::x509::octets::{SEQUENCE, contents_of};
use crate::x509::{CertificateId, CertificateList, CrlEntry, CrlListing, TbsCertList, UnixTime};
use std::path::PathBuf;

/// A CRL that was taken in.
#[derive(Clone, Debug)]
pub struct ImportedCrl {
    /// `cRLNumber`
    pub number: CrlNumber,
    /// `nextUpdate`
    pub next_update: UnixTime,
    /// Number of certificates that it lists.
    pub entries: usize,
    /// Number of revocations that were not on record: of certificates that were, and of unknown ones.
    pub recorded: (usize, usize),
    /// Serial numbers of certificates that are revoked here and that it lacks.
    pub lacking: Vec<String>,
    /// Files in which it is published, DER then PEM.
    pub files: Vec<PathBuf>,
    /// Whether it was not in place before.
    pub is_new: bool,
    /// What is unusual about it.
    pub notices: Vec<Notice>,
}

impl Maintenance<'_> {
    /// Takes in a CRL that was signed elsewhere: checks signature, issuer, scope, number and dates, records revocations
    /// that are not on record, and publishes it. It is never older than the one before it, and lacks no revocation for
    /// good that the one before it has, unless the certificate had ended (K3).
    ///
    /// # Errors
    /// `crl.signed-here` when the CA's key is here; `crl.signature`, `crl.other-issuer`, `crl.scope`, `crl.dates`,
    /// `crl.number`, `crl.older`, `crl.drops-entries`; when the index or the disk fails.
    pub fn import_crl(&self, name: &str, crl: &CertificateList) -> Result<ImportedCrl, Problem> {
        let authority = self.engine.hierarchy().authority(name)?;
        if !authority.is_external() && self.has_key(&authority) {
            let message = format!("the key of {name} is here, so its CRLs are signed here");
            return Err(
                Problem::new(Code::CrlSignedHere, message).hint(remedy::Repair::PublishCrl(name.to_owned()))
            );
        }
        let tbs = crl.tbs();
        check_origin(&authority, crl)?;
        check_scope(name, tbs)?;
        let next_update = check_dates(name, tbs, self.engine.now())?;
        let number = tbs.crl_number().ok_or_else(|| {
            Problem::new(Code::CrlNumber, format!("the CRL of {name} has no number"))
                .hint("sign one with the extension cRLNumber (RFC 5280 §5.2.3)")
        })?;
        let mut imported = ImportedCrl {
            number,
            next_update,
            entries: tbs.entries().count(),
            recorded: (0, 0),
            lacking: Vec::new(),
            files: Vec::new(),
            is_new: true,
            notices: lint_notices(tbs, &authority),
        };
        if self.engine.index().is_recorded(&authority.issuer, tbs)? {
            imported.is_new = false;
        } else {
            self.check_later(&authority, number, tbs)?;
            if !authority.is_external() {
                self.record(&authority, crl, &mut imported)?;
            }
        }
        imported.files = match self.engine.publisher().crl(name, crl) {
            // the same one is in place
            Err(error @ PublishError::Older { published, offered }) => {
                let before = self.engine.publisher().published_crl(name)?;
                let is_same = before.is_some_and(|before| before.as_der() == crl.as_der());
                if published != offered || !is_same {
                    return Err(Problem::of(Code::CrlOlder, error)
                        .hint("bring the newest one; what is published is never replaced by an older one"));
                }
                imported.is_new = false;
                self.engine.publisher().crl_files(name)?
            }
            published => published?,
        };
        if authority.is_external() && imported.is_new {
            let event = self.engine.event(self.engine.now(), "crl.imported", name);
            self.engine.index().record_event(with_details(event, number, imported.entries))?;
        }
        Ok(imported)
    }

    /// Refuses a CRL that is not above the last one, or is from before it.
    fn check_later(
        &self,
        authority: &Authority,
        number: CrlNumber,
        tbs: &TbsCertList,
    ) -> Result<(), Problem> {
        let name = &authority.name;
        let published = self.engine.publisher().crl_number_floor(name)?;
        let taken = match authority.is_external() {
            true => 0,
            false => self.engine.index().highest_crl_number(&authority.issuer)?,
        };
        let mark = self.engine.keys().mark(&self.engine.keys().key_of(authority))?.number.unwrap_or(0);
        let floor = published.max(taken).max(mark);
        if number == published && authority.is_external() {
            return Ok(());
        }
        if number <= floor {
            let message =
                format!("the CRL of {name} has number {number}, and number {floor} was taken before");
            return Err(Problem::new(Code::CrlOlder, message)
                .hint(format!("bring the newest one; or have one signed with a number above {floor}")));
        }
        if let Some(last) = self.engine.index().last_crl(&authority.issuer)?
            && tbs.this_update() < last.this_update
        {
            let message = format!(
                "the CRL of {name} is of {}, and the one before it of {}",
                tbs.this_update(),
                last.this_update
            );
            return Err(Problem::new(Code::CrlDates, message).hint("bring the newest one"));
        }
        Ok(())
    }

    fn record(
        &self,
        authority: &Authority,
        crl: &CertificateList,
        imported: &mut ImportedCrl,
    ) -> Result<(), Problem> {
        let (index, name, number) = (self.engine.index(), &authority.name, imported.number);
        let listing = CrlListing::of(crl);
        if let Some(last) = signed_list(self.engine.publisher(), authority)? {
            let mut dropped = Vec::new();
            for entry in (0..last.len()).filter_map(|at| last.entry(at)).filter(CrlEntry::is_final) {
                let is_kept = listing.find(&entry.serial_number).is_some_and(|entry| entry.is_final());
                if !is_kept && !need_not_be_listed(index, authority, &last, &entry.serial_number)? {
                    dropped.push(entry.serial_number.to_string());
                }
            }
            if !dropped.is_empty() {
                let message = format!(
                    "the CRL of {name} lacks what number {} revokes for good: {}",
                    last.number(),
                    dropped.join(", ")
                );
                return Err(Problem::new(Code::CrlDropsEntries, message)
                    .hint("have one signed that lists them; find out why they were left out"));
            }
        }
        let now = self.engine.now();
        let mut unknown = Vec::new();
        for entry in crl.tbs().entries() {
            let entry = entry.map_err(|error| Problem::of(Code::FileMalformed, error))?;
            let id = CertificateId { issuer: authority.issuer, serial_number: entry.serial_number.clone() };
            let known = index.status(&id)?;
            let is_on_record = match &known {
                Some(CertificateState::Revoked(known)) => !entry.is_final() || !known.is_hold(),
                _ => false,
            };
            if is_on_record {
                continue;
            }
            match known {
                Some(_) => imported.recorded.0 += 1,
                None => {
                    imported.recorded.1 += 1;
                    unknown.push(entry.serial_number.to_string());
                }
            }
            let mut event =
                self.engine.event(now, "certificate.revoked", format!("{name}/{}", entry.serial_number));
            event.details.extend(entry.reason.map(|reason| ("reason".into(), reason.to_string())));
            event.details.push(("revoked_at".into(), entry.revocation_date.to_string()));
            event.details.push(("source".into(), format!("CRL {number} of {name}, signed elsewhere")));
            let revocation = Revocation {
                revoked_at: entry.revocation_date,
                reason: entry.reason,
                invalidity_date: entry.invalidity_date,
            };
            index.take_over(&[FoundRevocation { id, revocation, event }])?;
        }
        if !unknown.is_empty() {
            imported.notices.push(
                format!(
                    "it lists certificates that are not on record, which are now, by their numbers only: {}",
                    unknown.join(", ")
                )
                .into(),
            );
        }
        let mut lacking = Vec::new();
        index.revoked(&authority.issuer, &mut |entry| {
            if listing.find(&entry.serial_number).is_none() {
                lacking.push(entry.serial_number.to_string());
            }
        })?;
        self.engine.publication().publish_status()?;
        self.engine.keys().raise_mark(&KeyRef::of(authority), number)?;
        let event = self.engine.event(self.engine.now(), "crl.imported", &**name);
        let event = with_details(event, number, imported.entries);
        index.record_foreign_crl(&authority.issuer, crl.tbs(), lacking.is_empty(), event)?;
        imported.lacking = lacking;
        Ok(())
    }
}

fn with_details(
    mut event: crate::audit::AuditEvent,
    number: CrlNumber,
    entries: usize,
) -> crate::audit::AuditEvent {
    event.details.push(("number".into(), number.to_string()));
    event.details.push(("entries".into(), entries.to_string()));
    event
}

fn check_origin(authority: &Authority, crl: &CertificateList) -> Result<(), Problem> {
    let (name, own) = (&authority.name, authority.certificate.tbs());
    if !crl.tbs().issuer().is_same_as(own.subject()) {
        let message = format!("the CRL is one of {}, not of {name}", crl.tbs().issuer());
        return Err(Problem::new(Code::CrlOtherIssuer, message).hint("name the CA whose CRL it is"));
    }
    if !crl.is_signed_by(own.public_key()) {
        let message = format!("the CRL is not signed by the key of {name}");
        return Err(Problem::new(Code::CrlSignature, message)
            .hint("do not use it: somebody else made it, or another generation of the CA"));
    }
    Ok(())
}

/// Refuses a CRL that is about a part only.
fn check_scope(name: &str, tbs: &TbsCertList) -> Result<(), Problem> {
    partial_scope(tbs).map_or(Ok(()), |what| {
        let message = format!("the CRL of {name} {what}");
        Err(Problem::new(Code::CrlScope, message).hint("bring the complete one"))
    })
}

/// Says of a CRL that it is about a part only: a delta, or one whose issuingDistributionPoint (RFC 5280 §5.2.5) restricts
/// it. `None` for a complete one.
pub(crate) fn partial_scope(tbs: &TbsCertList) -> Option<&'static str> {
    tbs.extensions().iter().find_map(|extension| match extension.oid {
        DELTA_CRL_INDICATOR => Some("is a delta CRL"),
        ISSUING_DISTRIBUTION_POINT if !names_a_place_only(&extension.value) => {
            Some("is about some certificates or reasons only, by its issuingDistributionPoint")
        }
        _ => None,
    })
}

/// Whether the value has the element distributionPoint `[0]` and nothing else.
fn names_a_place_only(value: &[u8]) -> bool {
    let Ok(contents) = contents_of(value, SEQUENCE) else { return false };
    contents.is_empty() || contents_of(contents, 0xa0).is_ok()
}

fn check_dates(name: &str, tbs: &TbsCertList, now: UnixTime) -> Result<UnixTime, Problem> {
    let refuse = |message: String, hint: &'static str| Err(Problem::new(Code::CrlDates, message).hint(hint));
    if tbs.this_update() > now {
        let message = format!("the CRL of {name} is of {}, which is in the future", tbs.this_update());
        return refuse(message, "look at the clocks here and there");
    }
    match tbs.next_update() {
        None => refuse(
            format!("the CRL of {name} does not say until when it holds"),
            "sign one with nextUpdate (RFC 5280 §5.1.2.5)",
        ),
        Some(next) if next <= now => {
            refuse(format!("the CRL of {name} lapsed at {next}"), "bring the newest one")
        }
        Some(next) => Ok(next),
    }
}

fn lint_notices(tbs: &TbsCertList, authority: &Authority) -> Vec<Notice> {
    let findings = crl_findings(tbs, Some(&authority.certificate));
    findings
        .into_iter()
        .map(|finding| Notice::from(format!("the CRL breaks a rule: {}", finding.message)))
        .collect()
}
