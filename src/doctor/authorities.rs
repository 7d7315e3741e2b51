//! The CAs: revoked, ended, ending soon, too near their siblings, outliving their issuer.
use super::finding::Finding;
use super::{Examination, Looked, ancestors, certificates, counted};
use crate::error::remedy;
use crate::index::{Authority, CertificateState, Index, unlinked};
use crate::profile::{IssuerView, Sibling};
use crate::signing::{KeyError, KeyRef};
use crate::x509::{CertificateId, UnixTime};

/// A successor is due this many days before a CA ends: relying parties need time to learn of it.
const SOON: i64 = 365;
/// A CA that ended longer ago than this, in days, is history.
const RECENT: i64 = 90;

pub(super) fn check(examination: &Examination<'_>, findings: &mut Vec<Finding>) -> Looked {
    let index = examination.index()?;
    let all = examination.authorities()?;
    let mut living = Vec::new();
    for authority in &all {
        let above = ancestors(authority, &all);
        let revoked = is_revoked(index, authority, &all)?;
        let fallen = above.iter().find(|one| is_revoked(index, one, &all).unwrap_or(false));
        if revoked {
            findings.push(
                Finding::note("authority.revoked", &authority.name, "is revoked")
                    .remedy(remedy::Repair::Hierarchy),
            );
        } else if let Some(fallen) = fallen {
            let message = format!("stands below {}, which is revoked: nobody trusts it", fallen.name);
            findings.push(Finding::warning("authority.issuer-revoked", &authority.name, message).remedy(
                remedy::Repair::RevokeFallen(
                    authority.certificate.tbs().serial_number().to_string(),
                    authority.parent.as_ref().unwrap_or(&authority.name).clone(),
                ),
            ));
        } else if !all.iter().any(|one| one.succeeds.as_deref() == Some(&authority.name)) {
            // an older generation ends by itself, and its successor keeps apart from the others
            lapses(examination, authority, &above, findings);
            living.push(authority);
        }
    }
    staggered(examination, &living, &all, findings);
    for (older, newer) in unlinked(index, examination.now).map_err(|error| error.to_string())? {
        let file = examination.home.keys_directory().join(&older.key);
        let key = examination.keys.inspect(&KeyRef::AgeFile(file));
        let (older, newer) = (older.name, newer.name);
        let message = format!(
            "lacks link certificates with {older} before it: a command was cut short before it made them"
        );
        let remedy = match key {
            Err(KeyError::NotFound(_)) => remedy::Repair::GiveUpLinks(newer.clone()),
            _ => remedy::Repair::CrossSign(newer.clone(), older),
        };
        findings.push(Finding::warning("authority.unlinked", &newer, message).remedy(remedy));
    }
    Ok(counted(all.len(), "CA"))
}

/// A CA is revoked by the state of its own certificate.
pub(super) fn is_revoked(
    index: &dyn Index,
    authority: &Authority,
    all: &[Authority],
) -> Result<bool, String> {
    let parent = authority.parent.as_ref().and_then(|name| all.iter().find(|one| one.name == *name));
    let id = CertificateId {
        issuer: parent.map_or(authority.issuer, |parent| parent.issuer),
        serial_number: authority.certificate.tbs().serial_number().clone(),
    };
    let state = index.status(&id).map_err(|error| error.to_string())?;
    Ok(matches!(state, Some(CertificateState::Revoked(_))))
}

fn end_of(authority: &Authority) -> UnixTime {
    authority.certificate.tbs().validity().not_after
}

/// The command that lets the CA go on: a new certificate of the same key, or the request for one.
fn successor(authority: &Authority, issuer: Option<&Authority>) -> remedy::Repair {
    let name = authority.name.clone();
    if authority.is_elsewhere() {
        return remedy::Repair::AskForNext(name);
    }
    match issuer.is_some_and(Authority::is_elsewhere) {
        true => remedy::Repair::RequestRenewal(name),
        false => remedy::Repair::Renew(name),
    }
}

fn lapses(
    examination: &Examination<'_>,
    authority: &Authority,
    above: &[&Authority],
    findings: &mut Vec<Finding>,
) {
    let (now, end, name) = (examination.now, end_of(authority), &authority.name);
    let remedy = successor(authority, above.first().copied());
    let ends: Vec<(&str, UnixTime)> = above.iter().map(|one| (&*one.name, end_of(one))).collect();
    if let Some((parent, first)) = outlived(end, &ends) {
        let message = format!("ends on {end}, after {parent} above it on {first}");
        findings.push(Finding::warning("stagger.outlives", name, message).remedy(remedy.clone()));
    }
    if now > end.plus_days(RECENT) {
        let message = format!("ended on {end}");
        findings.push(Finding::note("authority.ended", name, message).remedy(remedy::Repair::Hierarchy));
    } else if now > end {
        let message = format!("ended on {end} and can issue nothing");
        findings.push(Finding::warning("authority.ended", name, message).remedy(remedy));
    } else if now.plus_days(SOON) > end {
        let message = format!("ends on {end}, within a year");
        findings.push(Finding::warning("authority.ends-soon", name, message).remedy(remedy));
    } else if let Some(last) = last_full_length(examination, authority, above)
        && now > last
    {
        let message =
            format!("ends on {end}: since {last} its certificates are shorter than their profile says");
        findings.push(Finding::warning("authority.short-leaves", name, message).remedy(remedy));
    }
}

/// The first above it that ends before it: nobody trusts it longer than that.
fn outlived<'a>(end: UnixTime, above: &[(&'a str, UnixTime)]) -> Option<(&'a str, UnixTime)> {
    above.iter().copied().find(|(_, other)| *other < end)
}

/// The last time at which a certificate of the CA's default profile has its full length.
fn last_full_length(
    examination: &Examination<'_>,
    authority: &Authority,
    above: &[&Authority],
) -> Option<UnixTime> {
    let profiles = examination.profiles.ok()?;
    let leaf = profiles.get(profiles.get(&authority.profile)?.default_leaf_profile()?)?;
    let ancestors = certificates(above);
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

/// Pairs of siblings, each told once.
fn staggered(
    examination: &Examination<'_>,
    living: &[&Authority],
    all: &[Authority],
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
            let remedy = successor(authority, ancestors(authority, all).first().copied());
            findings.push(Finding::warning("stagger.siblings", &authority.name, message).remedy(remedy));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ca_outlives_the_first_above_it_that_ends_before_it() {
        // G4
        let above = [("sub", UnixTime(100)), ("root", UnixTime(90))];
        assert_eq!(outlived(UnixTime(95), &above), Some(("root", UnixTime(90))));
        assert_eq!(outlived(UnixTime(101), &above), Some(("sub", UnixTime(100))));
        assert_eq!(outlived(UnixTime(90), &above), None, "in the same second");
    }
}
