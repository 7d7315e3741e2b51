//! Whether the daemon can do its work, for `/readyz`.
use super::settings::ResponderSettings;
use super::snapshot::Snapshot;
use super::status::Freshness;
use crate::x509::UnixTime;

/// Why not, one sentence each; empty when it can: the status is readable and young enough, and every CA
/// that is to have a responder has a valid one. Anybody may read it, so it names no files: those are in the log.
#[must_use]
pub fn unreadiness(snapshot: &Snapshot, settings: &ResponderSettings, now: UnixTime) -> Vec<String> {
    let mut reasons = Vec::new();
    match snapshot.status() {
        None => reasons.push("there is no published status that can be read".into()),
        Some(status) if Freshness::of(status.time(), settings, now) != Freshness::Current => {
            let time = status.time();
            reasons.push(format!("the published status is of {time}, too far from now, {now}"));
        }
        Some(_) => {}
    }
    for issuer in snapshot.issuers().iter().filter(|issuer| issuer.is_served()) {
        if issuer.valid_responders(now).next().is_none() {
            reasons.push(format!("{} has no valid responder certificate", issuer.authority.name));
        }
    }
    reasons
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ocsp::fixture::{Hierarchy, NOW};

    #[test]
    fn ready_means_a_current_status_and_a_valid_responder_for_every_ca_that_has_one() {
        // O13
        let (hierarchy, settings) = (Hierarchy::new(), ResponderSettings::default());
        assert!(unreadiness(&hierarchy.snapshot(), &settings, NOW).is_empty());
        let bare = hierarchy.snapshot_of(hierarchy.status(), Vec::new());
        assert_eq!(unreadiness(&bare, &settings, NOW), ["ca has no valid responder certificate"]);
        let late = NOW.plus_days(40);
        assert_eq!(unreadiness(&hierarchy.snapshot(), &settings, late).len(), 2);
        assert_eq!(unreadiness(&Snapshot::unreadable(NOW), &settings, NOW).len(), 1);
    }
}
