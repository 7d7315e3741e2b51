//! Readiness of the daemon, for `/readyz`, the log and checks before a start.
use super::freshness::Freshness;
use super::public_files::{PublicFiles, PublicKind};
use super::reload::Reloader;
use super::responder_files::ResponderFiles;
use super::served::ServedStatus;
use super::settings::ResponderSettings;
use super::snapshot::Snapshot;
use crate::error::{Code, Problem, remedy};
use crate::x509::UnixTime;

/// Whether a daemon that started now would be ready, and what it would lack.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Readiness {
    /// Why it would not be ready, one sentence each; empty when it would be.
    pub reasons: Vec<String>,
    /// What it would lack, although it may be ready: faults of files with their paths, and CRLs.
    pub lacking: Vec<String>,
}

impl Readiness {
    /// Returns the problem that the daemon would not be ready, or would lack something; `None` when all is well.
    #[must_use]
    pub fn problem(&self) -> Option<Problem> {
        let all: Vec<&str> = self.reasons.iter().chain(&self.lacking).map(String::as_str).collect();
        let what = if self.reasons.is_empty() { "something is lacking" } else { "it would not be ready" };
        let message = match all.as_slice() {
            [] => return None,
            [one] => format!("{what}: {one}"),
            several => format!("{what}:\n  - {}", several.join("\n  - ")),
        };
        Some(Problem::new(Code::DaemonNotReady, message).hint(remedy::Access::ExamineHome))
    }
}

/// Loads what the daemon loads, and returns whether it would be ready.
pub(crate) fn readiness<S: ServedStatus>(
    source: S,
    responder_files: ResponderFiles,
    public_files: PublicFiles,
    settings: &ResponderSettings,
    now: UnixTime,
) -> Readiness {
    let current = Reloader::new(source, responder_files, public_files, now).current();
    let snapshot = current.load();
    let mut lacking: Vec<String> = snapshot.faults().to_vec();
    lacking.extend(crls_lacking(&snapshot, now));
    Readiness { reasons: unreadiness(&snapshot, settings, now), lacking }
}

/// Returns why the daemon is not ready, one sentence each; empty when it is. It is ready when the status is readable,
/// recent enough and not found damaged, and every CA that should have a responder has a valid one. A CA that has
/// expired, is revoked, disabled or retired needs none. The sentences name no files, because everybody may read them;
/// the log names the files.
#[must_use]
pub(crate) fn unreadiness(snapshot: &Snapshot, settings: &ResponderSettings, now: UnixTime) -> Vec<String> {
    let mut reasons = Vec::new();
    match snapshot.status() {
        None => reasons.push("there is no published status that can be read".into()),
        Some(status) if snapshot.freshness(settings, now) != Some(Freshness::Current) => {
            let time = status.time();
            let what = if time > now { "lies in the future" } else { "is too old" };
            reasons.push(format!("the published status is of {time}, which {what}"));
        }
        Some(status) if status.is_damaged() => {
            reasons.push("a part of the published status is damaged".into())
        }
        Some(_) => {}
    }
    for (issuer, _) in snapshot.authority_states(now).filter(|(_, state)| state.is_lacking()) {
        let name = &issuer.authority.name;
        let why = if issuer.is_withdrawn { ": it is revoked" } else { "" };
        reasons.push(match snapshot.answers() {
            Some(_) => format!("there are answers about certificates of {name} that have lapsed"),
            None => format!("{name} has no valid responder certificate{why}"),
        });
    }
    reasons
}

/// Returns what is lacking although the daemon is ready, one sentence each: CRLs that are missing or have ended, and
/// files that cannot be used. A CRL is missed of a CA that is answered for by OCSP, and of one that had a CRL since the
/// daemon started. One that has expired, is revoked or retired needs none.
#[must_use]
pub(crate) fn lacking(snapshot: &Snapshot, now: UnixTime) -> Vec<String> {
    let mut lacking = crls_lacking(snapshot, now);
    lacking.extend(snapshot.unusable().iter().map(|what| format!("{what} cannot be used")));
    lacking
}

fn crls_lacking(snapshot: &Snapshot, now: UnixTime) -> Vec<String> {
    let mut lacking = Vec::new();
    for (issuer, state) in snapshot.authority_states(now) {
        let name = &issuer.authority.name;
        if state.has_ended() {
            continue;
        }
        match snapshot.file(&PublicKind::Crl.file_name(&issuer.authority)) {
            // beside a file of answers there need not be CRLs
            None if (issuer.authority.serves_ocsp && snapshot.answers().is_none())
                || snapshot.has_list(&issuer.authority.issuer) =>
            {
                lacking.push(format!("the CRL of {name} is missing"));
            }
            Some(file) => {
                lacking.extend(
                    file.next_update
                        .filter(|end| *end < now)
                        .map(|end| format!("the CRL of {name} ended at {end}")),
                );
            }
            None => {}
        }
    }
    lacking
}

/// Returns the lines of `/readyz`: ready or why not, what is lacking, what was refused, and the state of each CA.
#[must_use]
pub(crate) fn report(reasons: &[String], snapshot: &Snapshot, now: UnixTime) -> String {
    let ready = if reasons.is_empty() { &["ready".to_owned()][..] } else { reasons };
    let refused = snapshot.refusals().iter().map(|refusal| format!("refused: {refusal}"));
    let states = snapshot.authority_states(now);
    let states = states.map(|(issuer, state)| format!("{}: {state}", issuer.authority.name));
    let lacking = lacking(snapshot, now).into_iter().map(|sentence| format!("lacking: {sentence}"));
    let lines: Vec<String> = ready.iter().cloned().chain(lacking).chain(refused).chain(states).collect();
    lines.join("\n") + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::index::{CertificateState, Revocation};
    use crate::ocsp::fixture::{Hierarchy, MemoryStatus, NOW};
    use crate::ocsp::responder::answer;
    use crate::status::{PublishedAuthority, StatusEntry, StatusError, StatusReader};
    use crate::x509::{CertificateId, CrlReason};

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

    struct Damaged(MemoryStatus);

    impl StatusReader for Damaged {
        fn entry(&self, id: &CertificateId) -> Result<Option<StatusEntry>, StatusError> {
            self.0.entry(id)
        }

        fn authorities(&self) -> &[PublishedAuthority] {
            self.0.authorities()
        }

        fn change(&self) -> u64 {
            self.0.change()
        }

        fn time(&self) -> UnixTime {
            self.0.time()
        }

        fn is_damaged(&self) -> bool {
            true
        }
    }

    #[test]
    fn with_a_status_that_was_found_damaged_the_daemon_is_not_ready() {
        // O13
        let (hierarchy, settings) = (Hierarchy::new(), ResponderSettings::default());
        let issuers = hierarchy.snapshot().issuers().to_vec();
        let snapshot = Snapshot::new(std::sync::Arc::new(Damaged(hierarchy.status())), issuers);
        assert_eq!(unreadiness(&snapshot, &settings, NOW), ["a part of the published status is damaged"]);
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
