//! What is due and what has lapsed: the published status, CRLs, responder certificates, and the CAs themselves.
//!
//! [`due`] finds it without reading every certificate. The checks of the doctor, which read everything, judge times by
//! the same functions.
use super::finding::{Finding, Mending, Severity};
use super::{Examination, FindingCode, Unseen, authorities, external_crls, keys, responders};
use crate::ca::Hierarchy;
use crate::config::{Lifetime, Stage};
use crate::error::remedy;
use crate::index::{Authority, Index, IndexError, StoreError};
use crate::signing::KeyRef;
use crate::status::{StatusAge, StatusError};
use crate::x509::UnixTime;
use crate::x509::extension::CrlNumber;

/// What is due in a home.
#[derive(Clone, Debug)]
pub struct Due {
    /// The findings, in the order of the CAs; those about the status first.
    pub findings: Vec<Finding>,
    /// Whether responders can answer: the status is readable and recent, and every CA that is to have a responder
    /// has a valid one.
    pub is_ready: bool,
}

/// The errors for which a responder is not ready.
const UNREADY: [FindingCode; 8] = [
    FindingCode::StatusMissing,
    FindingCode::StatusDamaged,
    FindingCode::StatusOld,
    FindingCode::StatusFuture,
    FindingCode::ResponderMissing,
    FindingCode::ResponderLapsed,
    FindingCode::ResponderFuture,
    FindingCode::ResponderUnusable,
];

impl Due {
    fn of(findings: Vec<Finding>) -> Self {
        let holds_up = |one: &Finding| one.severity == Severity::Error && UNREADY.contains(&one.code);
        Self { is_ready: !findings.iter().any(holds_up), findings }
    }

    /// Returns whether somebody has to act.
    #[must_use]
    pub fn is_any(&self) -> bool {
        self.findings.iter().any(|one| one.severity > Severity::Note)
    }
}

/// Returns what is due or has lapsed.
///
/// # Errors
/// When the index or a directory of the home cannot be read.
pub fn due(examination: &Examination<'_>) -> Result<Due, Unseen> {
    let hierarchy = examination.hierarchy()?;
    let all = examination.authorities()?;
    let mut findings = Vec::new();
    status(examination, &mut findings)?;
    for authority in all.iter().filter(|one| !one.is_external()) {
        if !hierarchy.publishes_crls(authority, examination.now)? {
            continue;
        }
        findings.extend(crl(examination, authority, &hierarchy)?);
        findings.extend(delta_crl(examination, examination.index()?, authority)?);
    }
    findings.extend(signer_away(examination, &all));
    external_crls::check(examination, &all, &mut findings)?;
    responders::check(examination, &mut findings)?;
    authorities::check_ends(examination, &all, &mut findings)?;
    Ok(Due::of(findings))
}

/// Returns findings about CAs whose keys the signer that listens has, when it is not reached: their CRLs will lapse.
fn signer_away(examination: &Examination<'_>, all: &[Authority]) -> Vec<Finding> {
    let keys = examination.keys.inspecting();
    let in_service = all.iter().filter(|one| one.retired.is_none() && one.has_key_in_service());
    let unasked = |authority: &Authority| match keys?.inspect(&KeyRef::of(authority)) {
        Err(error) if error.is_unasked() => Some(keys::unasked(&authority.name, error)),
        _ => None,
    };
    in_service.filter_map(unasked).collect()
}

fn status(examination: &Examination<'_>, findings: &mut Vec<Finding>) -> Result<(), Unseen> {
    let status = examination.status;
    match status.published_change() {
        Ok(Some(_)) => {
            if let Ok(false) = status.is_current(examination.index()?) {
                findings.push(status_stale());
            }
            let limit = examination.settings().ocsp.max_status_age;
            let time = status.confirmed().ok().flatten();
            findings.extend(time.and_then(|time| status_age(time, limit, examination.now)));
        }
        Ok(None) | Err(StatusError::Store(StoreError::Missing(_))) => findings.push(status_missing()),
        Err(StatusError::Store(StoreError::Busy)) => {}
        Err(error) => findings.push(status_damaged(&error)),
    }
    Ok(())
}

const STATUS: &str = "status/";

pub(super) fn status_missing() -> Finding {
    let message = "has no published status: responders answer nothing";
    Finding::error(FindingCode::StatusMissing, STATUS, message)
        .remedy(remedy::Repair::PublishStatus)
        .mending(Mending::Status)
}

pub(super) fn status_damaged(error: &StatusError) -> Finding {
    Finding::error(FindingCode::StatusDamaged, STATUS, format!("cannot be read: {error}"))
        .mending(Mending::WholeStatus)
}

pub(super) fn status_stale() -> Finding {
    let message = "lacks the latest changes: responders do not know of them";
    Finding::error(FindingCode::StatusStale, STATUS, message)
        .remedy(remedy::Repair::PublishStatus)
        .mending(Mending::Status)
}

/// Returns the finding about a status of this time, if it is not recent.
pub(super) fn status_age(time: UnixTime, limit: i64, now: UnixTime) -> Option<Finding> {
    let told = format!("was last confirmed at {time}");
    let finding = match StatusAge::of(time, limit, now) {
        StatusAge::Current => return None,
        StatusAge::Aging => Finding::warning(
            FindingCode::StatusOld,
            STATUS,
            format!("{told}, and responders soon stop to answer from it; does the timer run"),
        ),
        StatusAge::TooOld => Finding::error(
            FindingCode::StatusOld,
            STATUS,
            format!("{told}, too long ago for a responder to answer from it"),
        ),
        StatusAge::Future => {
            Finding::error(FindingCode::StatusFuture, STATUS, format!("{told}, which is in the future"))
        }
    };
    Some(finding.remedy(remedy::Repair::PublishStatus).mending(Mending::Status))
}

/// Returns the finding about the CRL of one of this home's CAs, the gravest that there is.
fn crl(
    examination: &Examination<'_>,
    authority: &Authority,
    hierarchy: &Hierarchy<'_>,
) -> Result<Option<Finding>, Unseen> {
    let (index, name, now) = (examination.index()?, &authority.name, examination.now);
    let published = match examination.publisher.crl_in_place(name) {
        Ok(Some(published)) => published,
        Ok(None) => return Ok(Some(without_crl(examination, authority))),
        Err(error) => return Ok(Some(unreadable(examination, name, &error.to_string()))),
    };
    if !published.issuer().is_same_as(authority.certificate.tbs().subject()) {
        return Ok(Some(of_another(authority)));
    }
    let (number, recorded) = (
        published.crl_number().unwrap_or(0),
        index.last_crl(&authority.issuer)?.map_or(0, |last| last.number),
    );
    let behind = (number < recorded)
        .then(|| Finding::error(FindingCode::CrlNumberBehind, name, number_behind(number, recorded)));
    let life = published.next_update().map(|next| {
        let offline = authority.is_offline_unless_configured();
        examination.settings().crl_lifetime(name, offline, published.this_update(), next)
    });
    let late = life.and_then(|life| crl_times(name, &life, hierarchy.has_ended(authority, now), now));
    let owed = index.crl_is_owed(&authority.issuer)?;
    let owed = owed.then(|| Finding::warning(FindingCode::CrlOwed, name, OWED));
    let gravest = [behind, owed, late].into_iter().flatten().rev().max_by_key(|one| one.severity);
    Ok(gravest.map(|finding| to_be_published(finding, authority)))
}

/// Returns the finding about the delta CRL of a CA that is to have one: it belongs to the last complete CRL.
pub(super) fn delta_crl(
    examination: &Examination<'_>,
    index: &dyn Index,
    authority: &Authority,
) -> Result<Option<Finding>, IndexError> {
    let (settings, name) = (examination.settings(), &authority.name);
    let last = index.last_crl(&authority.issuer)?;
    let (Some(last), Some(_)) =
        (last, settings.delta_crl_next_update(name, authority.is_offline_unless_configured()))
    else {
        return Ok(None);
    };
    let due = |message: String| Finding::warning(FindingCode::CrlDeltaDue, name, message);
    let subject = authority.certificate.tbs().subject();
    let found = match examination.publisher.delta_crl_in_place(name) {
        Ok(Some(delta)) if delta.issuer().is_same_as(subject) && delta.base_crl_number().is_some() => {
            let next_update = delta.next_update().unwrap_or_default();
            let life = settings.crl_lifetime(name, false, delta.this_update(), next_update);
            let number = delta.crl_number().unwrap_or(0);
            match life.stage(examination.now) {
                Stage::Lapsed => Some(Finding::error(
                    FindingCode::CrlDeltaLapsed,
                    name,
                    format!("has a delta CRL that lapsed at {next_update}"),
                )),
                _ if number < last.number => {
                    Some(due(format!("has the delta CRL {number}, and CRL {} was published", last.number)))
                }
                Stage::Due => Some(due(format!(
                    "has a delta CRL that is due to be renewed; it lapses at {next_update}"
                ))),
                Stage::Future | Stage::Current => None,
            }
        }
        Ok(_) => Some(due("has no delta CRL beside its CRL".into())),
        Err(error) => Some(due(format!("has a delta CRL that cannot be read: {error}"))),
    };
    Ok(found.map(|finding| to_be_published(finding, authority)))
}

/// Returns the finding about a CA whose CRL is not in place, or in place in only one of its two forms.
fn without_crl(examination: &Examination<'_>, authority: &Authority) -> Finding {
    let (name, tbs) = (&authority.name, authority.certificate.tbs());
    match examination.publisher.published_crl(name) {
        Ok(None) => to_be_published(Finding::error(FindingCode::CrlMissing, name, MISSING), authority),
        Ok(Some(crl)) if crl.is_signed_by(tbs.public_key()) => pem_differs(name),
        Ok(Some(_)) => of_another(authority),
        Err(error) => unreadable(examination, name, &error.to_string()),
    }
}

fn of_another(authority: &Authority) -> Finding {
    to_be_published(Finding::error(FindingCode::CrlSignature, &authority.name, OF_ANOTHER), authority)
}

fn unreadable(examination: &Examination<'_>, name: &str, fault: &str) -> Finding {
    let file = examination.publisher.crl_files(name).unwrap_or_default().into_iter().next();
    let aside = remedy::Repair::MoveAsideThenPublishCrl(file.unwrap_or_default(), name.to_owned());
    crl_unreadable(name, fault).remedy(aside)
}

pub(super) fn pem_differs(name: &str) -> Finding {
    Finding::warning(FindingCode::CrlPemDiffers, name, "has another CRL in PEM than in DER, or none")
        .mending(Mending::CrlPem(name.to_owned()))
}

pub(super) fn number_behind(number: CrlNumber, recorded: CrlNumber) -> String {
    format!("has CRL number {number} in public/, and number {recorded} was published")
}

/// What is said of a CA in whose place another's CRL is.
pub(super) const OF_ANOTHER: &str = "has a CRL in public/ that it did not sign";
/// What is said of a CA that has no CRL in `public/`.
pub(super) const MISSING: &str = "has no published CRL";
/// What is said of a CA whose CRL lacks a change.
pub(super) const OWED: &str = "owes a CRL: something was revoked or released since the last";

pub(super) fn crl_unreadable(name: &str, fault: &str) -> Finding {
    Finding::error(FindingCode::CrlUnreadable, name, format!("has a CRL that cannot be read: {fault}"))
}

/// Adds the repair by a new CRL; for a key that is on media, somebody has to bring it.
pub(super) fn to_be_published(finding: Finding, authority: &Authority) -> Finding {
    let name = authority.name.clone();
    if authority.has_key_on_media() {
        return finding.remedy(remedy::Access::BringMedium(name));
    }
    finding.remedy(remedy::Repair::PublishCrl(name.clone())).mending(Mending::Crl(name))
}

/// Returns the finding about the times of a CRL, without a remedy. That of a CA that has ended is only noted.
pub(super) fn crl_times(name: &str, life: &Lifetime, has_ended: bool, now: UnixTime) -> Option<Finding> {
    let severity = |severity| if has_ended { Severity::Note } else { severity };
    let (begins, next) = (life.begins, life.ends);
    let told = match life.stage(now) {
        Stage::Current => return None,
        Stage::Future => {
            let message = format!("has a CRL of {begins}, which is in the future");
            (Severity::Error, FindingCode::CrlFuture, message)
        }
        Stage::Lapsed => {
            (severity(Severity::Error), FindingCode::CrlLapsed, format!("has a CRL that lapsed at {next}"))
        }
        Stage::Due => (
            severity(Severity::Warning),
            FindingCode::CrlDue,
            format!("has a CRL that is due to be renewed; it lapses at {next}"),
        ),
    };
    let (severity, code, message) = told;
    Some(Finding::of(severity, code, name, message))
}

/// Returns the finding about the times of a responder certificate, without a remedy.
pub(super) fn responder_times(name: &str, life: &Lifetime, now: UnixTime) -> Option<Finding> {
    let end = life.ends;
    Some(match life.stage(now) {
        Stage::Current => return None,
        Stage::Future => Finding::error(
            FindingCode::ResponderFuture,
            name,
            format!("has a responder certificate that is not valid before {}", life.begins),
        ),
        Stage::Lapsed => Finding::error(
            FindingCode::ResponderLapsed,
            name,
            format!("has a responder certificate that lapsed at {end}: nothing is answered"),
        ),
        Stage::Due if life.due > life.renewable => Finding::warning(
            FindingCode::ResponderDue,
            name,
            format!("has a responder certificate that lapses at {end}, and its key is kept offline"),
        ),
        Stage::Due => Finding::warning(
            FindingCode::ResponderDue,
            name,
            format!("has a responder certificate past half its life; it lapses at {end}"),
        ),
    })
}
