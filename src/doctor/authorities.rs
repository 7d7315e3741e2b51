//! Checks of the CAs: revoked, expired, expiring soon, expiring too close to a sibling, outliving the issuer.
use super::finding::{Finding, Severity};
use super::{Examination, FindingCode, Looked, Unseen, certificates, counted};
use crate::ca::Hierarchy;
use crate::error::remedy;
use crate::index::Authority;
use crate::profile::{IssuerView, Sibling};
use crate::signing::{KeyError, KeyRef};
use crate::x509::UnixTime;
use std::sync::Arc;

/// Days before a CA's notAfter from which a successor is due, since relying parties need time to learn of it.
const SOON: i64 = 365;
/// Days after a CA's notAfter up to which its expiry is reported.
const RECENT: i64 = 90;

pub(super) fn check(examination: &Examination<'_>, findings: &mut Vec<Finding>) -> Looked {
    let hierarchy = examination.hierarchy()?;
    let all = examination.authorities()?;
    let mut living = Vec::new();
    for authority in all.iter().filter(|one| one.retired.is_none()) {
        let path = hierarchy.path_of(authority)?;
        let affected = path.revoked_or_held().next();
        if affected.is_some_and(|one| one.name == authority.name) {
            findings.push(
                Finding::note(FindingCode::AuthorityRevoked, &authority.name, "is revoked")
                    .remedy(remedy::Repair::Hierarchy),
            );
        } else if let Some(affected) = affected {
            let message = format!("stands below {}, which is revoked: nobody trusts it", affected.name);
            findings.push(
                Finding::warning(FindingCode::AuthorityIssuerRevoked, &authority.name, message).remedy(
                    remedy::Repair::RevokeAffected(
                        authority.certificate.tbs().serial_number().to_string(),
                        authority.parent.as_ref().unwrap_or(&authority.name).clone(),
                    ),
                ),
            );
        } else if !is_succeeded(authority, &all) {
            // an older generation may expire, since its successor keeps its own distance from the siblings
            lapses(examination, authority, path.members().get(1..).unwrap_or_default(), findings);
            living.push(authority);
        }
    }
    staggered(examination, &living, &hierarchy, findings);
    for (older, newer) in hierarchy.unlinked(examination.now)? {
        let key = KeyRef::of(&older);
        let keys = examination.keys.inspecting();
        let is_gone = keys.is_some_and(|keys| matches!(keys.inspect(&key), Err(KeyError::NotFound(_))));
        let (older, newer) = (older.name, newer.name);
        let message = format!(
            "lacks link certificates with {older} before it: a command was cut short before it made them"
        );
        let remedy = match is_gone {
            true => remedy::Repair::GiveUpRollover(newer.clone()),
            false => remedy::Repair::CrossSign(newer.clone(), older),
        };
        findings.push(Finding::warning(FindingCode::AuthorityUnlinked, &newer, message).remedy(remedy));
    }
    Ok(counted(all.len(), "CA").into())
}

fn end_of(authority: &Authority) -> UnixTime {
    authority.certificate.tbs().validity().not_after
}

/// Returns the repair by which the CA goes on: a new certificate for the same key, or the request for one.
fn successor(authority: &Authority, issuer: Option<&Authority>) -> remedy::Repair {
    let name = authority.name.clone();
    if authority.is_external() {
        return remedy::Repair::AskForNext(name);
    }
    match issuer.is_some_and(Authority::is_external) {
        true => remedy::Repair::RequestRenewal(name),
        false => remedy::Repair::Renew(name),
    }
}

fn lapses(
    examination: &Examination<'_>,
    authority: &Authority,
    issuer_path: &[Arc<Authority>],
    findings: &mut Vec<Finding>,
) {
    let (now, end, name) = (examination.now, end_of(authority), &authority.name);
    let remedy = successor(authority, issuer_path.first().map(Arc::as_ref));
    let ends: Vec<(&str, UnixTime)> = issuer_path.iter().map(|one| (&*one.name, end_of(one))).collect();
    if let Some((parent, first)) = outlived(end, &ends) {
        let message = format!("ends on {end}, after {parent} above it on {first}");
        findings.push(Finding::warning(FindingCode::StaggerOutlives, name, message).remedy(remedy.clone()));
    }
    if let Some(ends) = ending(name, end, now) {
        findings.push(match ends.severity {
            Severity::Note => ends.remedy(remedy::Repair::Hierarchy),
            _ => ends.remedy(remedy),
        });
    } else if let Some(last) = last_full_length(examination, authority, issuer_path)
        && now > last
    {
        let message =
            format!("ends on {end}: since {last} its certificates are shorter than their profile says");
        findings.push(Finding::warning(FindingCode::AuthorityShortLeaves, name, message).remedy(remedy));
    }
}

/// Returns the finding about the end of a CA that no newer generation has succeeded, without a remedy.
fn ending(name: &str, end: UnixTime, now: UnixTime) -> Option<Finding> {
    if now > end.plus_days(RECENT) {
        Some(Finding::note(FindingCode::AuthorityEnded, name, format!("ended on {end}")))
    } else if now > end {
        let message = format!("ended on {end} and can issue nothing");
        Some(Finding::warning(FindingCode::AuthorityEnded, name, message))
    } else if now.plus_days(SOON) > end {
        let message = format!("ends on {end}, within a year");
        Some(Finding::warning(FindingCode::AuthorityEndsSoon, name, message))
    } else {
        None
    }
}

/// Adds the findings about CAs that have ended or end soon, without those that are revoked, succeeded or retired.
pub(super) fn check_ends(
    examination: &Examination<'_>,
    all: &[Authority],
    findings: &mut Vec<Finding>,
) -> Result<(), Unseen> {
    let hierarchy = examination.hierarchy()?;
    for authority in all.iter().filter(|one| one.retired.is_none()) {
        let path = hierarchy.path_of(authority)?;
        if path.revoked_or_held().next().is_some() || is_succeeded(authority, all) {
            continue;
        }
        let issuer = path.members().get(1).map(Arc::as_ref);
        let ends = ending(&authority.name, end_of(authority), examination.now);
        findings.extend(ends.map(|ends| match ends.severity {
            Severity::Note => ends.remedy(remedy::Repair::Hierarchy),
            _ => ends.remedy(successor(authority, issuer)),
        }));
    }
    Ok(())
}

fn is_succeeded(authority: &Authority, all: &[Authority]) -> bool {
    all.iter().any(|one| one.succeeds.as_deref() == Some(&authority.name))
}

/// Returns the first CA of the issuer path that expires before `end`, since nobody trusts a certificate longer than
/// its issuers.
fn outlived<'a>(end: UnixTime, issuer_path: &[(&'a str, UnixTime)]) -> Option<(&'a str, UnixTime)> {
    issuer_path.iter().copied().find(|(_, other)| *other < end)
}

/// Returns the last time at which a certificate of the CA's default profile can have its full validity.
fn last_full_length(
    examination: &Examination<'_>,
    authority: &Authority,
    issuer_path: &[Arc<Authority>],
) -> Option<UnixTime> {
    let profiles = examination.profiles.ok()?;
    let leaf = profiles.get(profiles.get(&authority.profile)?.default_leaf_profile()?)?;
    let ancestors = certificates(issuer_path);
    let view = IssuerView {
        certificate: &authority.certificate,
        ancestors: &ancestors,
        profile: &authority.profile,
        crl_urls: Vec::new(),
        ca_issuers_url: None,
        ocsp_url: None,
    };
    let backdate = examination.settings().issuance.backdate;
    let full = leaf.full_length(Some(&view), backdate, examination.now);
    let ahead = full.not_after.0.saturating_sub(examination.now.0);
    Some(view.end().plus(ahead.saturating_neg()))
}

/// Finds pairs of siblings that expire too close to each other, each pair once.
fn staggered(
    examination: &Examination<'_>,
    living: &[&Authority],
    hierarchy: &Hierarchy<'_>,
    findings: &mut Vec<Finding>,
) {
    let Ok(profiles) = examination.profiles else { return };
    let gap = examination.settings().issuance.stagger_days;
    for (at, authority) in living.iter().enumerate().filter(|(_, one)| one.parent.is_some()) {
        let siblings: Vec<Sibling> = living
            .iter()
            .skip(at + 1)
            .filter(|other| other.parent == authority.parent)
            .map(|other| Sibling {
                name: other.name.clone(),
                profile: other.profile.clone(),
                end: end_of(other),
            })
            .collect();
        let now = examination.now;
        if end_of(authority) <= now {
            continue;
        }
        for warning in profiles.stagger_warnings(&authority.profile, end_of(authority), &siblings, gap, now) {
            let message = format!("is badly staggered: {warning}");
            let issuer_path = hierarchy.issuer_path(authority).unwrap_or_default();
            let remedy = successor(authority, issuer_path.first().map(Arc::as_ref));
            findings.push(
                Finding::warning(FindingCode::StaggerSiblings, &authority.name, message).remedy(remedy),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ca_outlives_the_first_above_it_that_ends_before_it() {
        // G4
        let issuer_path = [("sub", UnixTime(100)), ("root", UnixTime(90))];
        assert_eq!(outlived(UnixTime(95), &issuer_path), Some(("root", UnixTime(90))));
        assert_eq!(outlived(UnixTime(101), &issuer_path), Some(("sub", UnixTime(100))));
        assert_eq!(outlived(UnixTime(90), &issuer_path), None, "in the same second");
    }
}
