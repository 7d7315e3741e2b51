//! Checks of the CRLs of external CAs, which are brought here from where their keys are.
use super::finding::{Finding, Severity};
use super::{Examination, FindingCode, Unseen, due};
use crate::ca::ExternalCrl;
use crate::error::remedy;
use crate::index::Authority;

/// Adds the findings about the CRLs of external CAs; returns how many of these CRLs are in place.
pub(super) fn check(
    examination: &Examination<'_>,
    all: &[Authority],
    findings: &mut Vec<Finding>,
) -> Result<usize, Unseen> {
    let (settings, hierarchy) = (examination.settings(), examination.hierarchy()?);
    let mut count = 0;
    for authority in all.iter().filter(|one| one.is_external()) {
        let name = &authority.name;
        if hierarchy.is_retired(authority, examination.now)? {
            continue;
        }
        let below = all.iter().filter(|one| one.parent.as_ref() == Some(name)).map(|one| &one.certificate);
        let base = settings.publication.url.as_deref();
        let state = ExternalCrl::of(examination.publisher, authority, below, base);
        let finding = match state.map_err(|error| Unseen::Record(error.into()))? {
            ExternalCrl::NotServedHere => None,
            ExternalCrl::Unnamed => {
                let message = "has no CRL in public/, and no certificate says where its CRL is";
                Some(Finding::note(FindingCode::CrlMissing, name, message))
            }
            ExternalCrl::Missing(url) => {
                let message = format!("has no CRL in public/, and certificates say that it is at {url}");
                Some(Finding::error(FindingCode::CrlMissing, name, message))
            }
            ExternalCrl::Unreadable(fault) => Some(due::crl_unreadable(name, &fault)),
            ExternalCrl::OfAnother => Some(Finding::error(FindingCode::CrlSignature, name, due::OF_ANOTHER)),
            ExternalCrl::InPlace(_, this_update, next_update) => {
                count += 1;
                let life = next_update.map(|next| settings.crl_lifetime(name, true, this_update, next));
                let has_ended = hierarchy.has_ended(authority, examination.now);
                life.and_then(|life| due::crl_times(name, &life, has_ended, examination.now))
            }
        };
        let file = examination.publisher.crl_files(name).unwrap_or_default().into_iter().next();
        findings.extend(finding.map(|finding| match finding.severity {
            Severity::Note if finding.code == FindingCode::CrlLapsed => finding,
            _ => finding.remedy(remedy::Repair::BringCrl(name.clone(), file.unwrap_or_default())),
        }));
    }
    Ok(count)
}
