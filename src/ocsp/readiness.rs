//! Readiness of the daemon, for `/readyz`.
use super::freshness::Freshness;
use super::settings::ResponderSettings;
use super::snapshot::Snapshot;
use crate::x509::UnixTime;

/// Returns why the daemon is not ready, one sentence each; empty when it is. It is ready when the status is readable
/// and recent enough, and every CA that should have a responder has a valid one. A CA that has expired, is revoked,
/// disabled or retired needs none. The sentences name no files, because everybody may read them; the log names the
/// files.
#[must_use]
pub(crate) fn unreadiness(snapshot: &Snapshot, settings: &ResponderSettings, now: UnixTime) -> Vec<String> {
    let mut reasons = Vec::new();
    match snapshot.status() {
        None => reasons.push("there is no published status that can be read".into()),
        Some(status) if Freshness::of(status.time(), settings, now) != Freshness::Current => {
            let time = status.time();
            reasons.push(format!("the published status is of {time}, too far from now, {now}"));
        }
        Some(_) => {}
    }
    for (name, _) in snapshot.authority_states(now).filter(|(_, state)| state.is_lacking()) {
        reasons.push(format!("{name} has no valid responder certificate"));
    }
    reasons
}

/// Returns the lines of `/readyz`: ready or why not, what was refused, and the state of each CA.
#[must_use]
pub(crate) fn report(reasons: &[String], snapshot: &Snapshot, now: UnixTime) -> String {
    let ready = if reasons.is_empty() { &["ready".to_owned()][..] } else { reasons };
    let refused = snapshot.refusals().iter().map(|refusal| format!("refused: {refusal}"));
    let states = snapshot.authority_states(now).map(|(name, state)| format!("{name}: {state}"));
    let lines: Vec<String> = ready.iter().cloned().chain(refused).chain(states).collect();
    lines.join("\n") + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::index::{CertificateState, Revocation};
    use crate::ocsp::fixture::{Hierarchy, MemoryStatus, NOW};
    use crate::ocsp::responder::answer;
    use crate::x509::CrlReason;

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

    fn state_of(hierarchy: &Hierarchy, change: impl FnOnce(&mut MemoryStatus), now: UnixTime) -> String {
        let mut status = hierarchy.status();
        status.time = now;
        change(&mut status);
        let snapshot = hierarchy.snapshot_of(status, vec![hierarchy.responder.clone()]);
        let settings = ResponderSettings::default();
        let reasons = unreadiness(&snapshot, &settings, now);
        let answer = answer(&hierarchy.request(2), &snapshot, &settings, None, now);
        let text = report(&reasons, &snapshot, now);
        let line = text.lines().find(|line| line.starts_with("ca: ")).unwrap().to_owned();
        format!("{line} | {} | {}", if reasons.is_empty() { "ready" } else { "not ready" }, answer.status())
    }

    #[test]
    fn what_has_ended_is_revoked_or_disabled_is_not_answered_and_does_not_count() {
        // O4: RFC 6960 §2.3
        let hierarchy = Hierarchy::new();
        let own = hierarchy.ca.tbs().serial_number().as_be_octets()[0];
        let late = NOW.plus_days(3001);
        let revoke = |reason| {
            move |status: &mut MemoryStatus| {
                let revocation = Revocation { revoked_at: NOW, reason, invalidity_date: None };
                status.set(own, CertificateState::Revoked(revocation));
            }
        };
        let none = |_: &mut MemoryStatus| {};
        assert_eq!(
            state_of(&hierarchy, none, NOW),
            "ca: answered, responder certificate until 2027-02-13T08:00:00Z | ready | successful"
        );
        let ended = state_of(&hierarchy, none, late);
        assert!(ended.starts_with("ca: ended at "), "{ended}");
        assert!(ended.ends_with(", not answered | ready | unauthorized"), "{ended}");
        let revoked = state_of(&hierarchy, revoke(None), NOW);
        assert_eq!(revoked, "ca: revoked, not answered | ready | unauthorized");
        let disabled = state_of(&hierarchy, |status| status.authorities[0].serves_ocsp = false, NOW);
        assert_eq!(disabled, "ca: disabled, no responder answers for it | ready | unauthorized");
    }

    #[test]
    fn what_gets_no_responder_any_more_is_answered_while_it_has_one_and_does_not_count() {
        // O7
        let hierarchy = Hierarchy::new();
        let own = hierarchy.ca.tbs().serial_number().as_be_octets()[0];
        let retires = |at| move |status: &mut MemoryStatus| status.authorities[0].retires = Some(at);
        let hold = move |status: &mut MemoryStatus| {
            let reason = Some(CrlReason::CertificateHold);
            let revocation = Revocation { revoked_at: NOW, reason, invalidity_date: None };
            status.set(own, CertificateState::Revoked(revocation));
        };
        let lapsed = NOW.plus_days(40);
        for (said, told) in [
            (state_of(&hierarchy, retires(NOW.plus(-1)), NOW), "retired, its last certificate ended at "),
            (state_of(&hierarchy, retires(NOW), NOW), "answered, "),
            (state_of(&hierarchy, hold, NOW), "answered, "),
        ] {
            assert!(said.contains(told) && said.ends_with("| ready | successful"), "{said}");
        }
        for (said, told) in [
            (state_of(&hierarchy, retires(NOW), lapsed), "retired, its last certificate ended at "),
            (state_of(&hierarchy, hold, lapsed), "on hold"),
        ] {
            assert!(said.contains(told) && said.contains("| ready | "), "{said}");
        }
        let living = state_of(&hierarchy, retires(lapsed), lapsed);
        assert!(living.contains("ca: no valid responder certificate | not ready"), "{living}");
    }
}
