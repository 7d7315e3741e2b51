//! The records of one command taken together. Pure.
//!
//! Each record has the number of its process, and the first one of a command names it. Numbers of processes come again,
//! and records of commands that run at the same time stand mixed.
use super::{Actor, AuditEvent, AuditRecord, COMMAND, Outcome};
use crate::x509::UnixTime;
use std::collections::BTreeMap;

/// Seconds without a record after which a record of the same process is not of the same act; ten minutes, in which
/// somebody can be found who has a passphrase.
const PAUSE: i64 = 600;
/// Records of others after which it is not either; bounds the acts that are kept.
const OTHERS: u64 = 10_000;

/// What one command did.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Act {
    /// Sequence number of its first record.
    pub first: u64,
    /// Sequence number of its last record so far.
    pub last: u64,
    /// Time of its first record.
    pub at: UnixTime,
    /// Time of its last record.
    pub until: UnixTime,
    /// Who did it.
    pub actor: Actor,
    /// Name of the command; `None` for records of versions that did not note it.
    pub command: Option<String>,
    /// Action of the first record.
    pub action: String,
    /// Object of the first record.
    pub object: String,
    /// Number of further objects of the same action.
    pub others: usize,
    /// Code of the last refusal among its records, if any.
    pub refused: Option<String>,
    /// Whether something was done all the same: more than what was intended and given up.
    pub has_done: bool,
    /// Details of the first record, on one line.
    pub details: String,
    /// Number of records.
    pub steps: usize,
}

impl Act {
    fn of(record: &AuditRecord) -> Self {
        let event = &record.event;
        let mut act = Self {
            first: record.sequence,
            last: record.sequence,
            at: event.at,
            until: event.at,
            actor: event.actor.clone(),
            command: None,
            action: event.action.clone(),
            object: event.object.clone(),
            others: 0,
            refused: None,
            has_done: false,
            details: without_command(event).details_text(),
            steps: 0,
        };
        act.take(record);
        act
    }

    fn take(&mut self, record: &AuditRecord) {
        let event = &record.event;
        self.last = record.sequence;
        self.until = event.at;
        self.steps = self.steps.saturating_add(1);
        if let Some(command) = event.begins() {
            self.command = Some(command.to_owned());
        }
        if self.steps > 1 && event.action == self.action && event.object != self.object {
            self.others = self.others.saturating_add(1);
        }
        match &event.outcome {
            Outcome::Refused(code) => self.refused = Some(code.clone()),
            Outcome::Done => {
                let is_given_up =
                    |action: &str| action.ends_with(".intended") || action.ends_with(".abandoned");
                self.has_done |= !is_given_up(&event.action);
            }
        }
    }

    fn is_over(&self, record: &AuditRecord) -> bool {
        let pause = record.event.at.0.saturating_sub(self.until.0);
        pause.abs() > PAUSE || record.sequence.saturating_sub(self.last) > OTHERS
    }

    fn goes_on_with(&self, record: &AuditRecord) -> bool {
        let event = &record.event;
        let is_other_refusal = !event.action.contains('.')
            && self.command.as_ref().is_some_and(|command| *command != event.action);
        self.actor == event.actor
            && !self.is_over(record)
            && !(event.begins().is_some() && (self.command.is_some() || self.refused.is_some()))
            && !(matches!(event.outcome, Outcome::Refused(_)) && event.begins().is_none() && is_other_refusal)
    }

    /// Returns the name of the command, or of the first action where it is not known.
    #[must_use]
    pub fn name(&self) -> &str {
        self.command.as_deref().unwrap_or(&self.action)
    }
}

fn without_command(event: &AuditEvent) -> AuditEvent {
    let mut event = event.clone();
    event.details.retain(|(name, _)| name != COMMAND);
    event
}

/// Takes records together into acts, as they come in order.
#[derive(Debug, Default)]
pub struct Acts {
    /// Acts by their first record, with whether more may come.
    kept: BTreeMap<u64, (Act, bool)>,
}

impl Acts {
    /// Takes the next record. Returns the act that it belongs to, as far as it is known.
    pub fn push(&mut self, record: &AuditRecord) -> &Act {
        let found =
            self.kept.iter().rev().find(|(_, (act, is_open))| *is_open && act.actor == record.event.actor);
        let found = found.map(|(first, (act, _))| (*first, act.goes_on_with(record)));
        let first = match found {
            Some((first, true)) => first,
            Some((first, false)) => {
                if let Some((_, is_open)) = self.kept.get_mut(&first) {
                    *is_open = false;
                }
                record.sequence
            }
            None => record.sequence,
        };
        for (act, is_open) in self.kept.values_mut() {
            *is_open &= !act.is_over(record) || act.first == first;
        }
        let (act, _) = self
            .kept
            .entry(first)
            .and_modify(|(act, _)| act.take(record))
            .or_insert_with(|| (Act::of(record), true));
        act
    }

    /// Returns the next act that is complete, in the order of their first records.
    pub fn next_complete(&mut self) -> Option<Act> {
        let first = self.kept.first_entry().filter(|entry| !entry.get().1)?;
        Some(first.remove().0)
    }

    /// Returns the acts that are left when there are no more records.
    #[must_use]
    pub fn rest(self) -> Vec<Act> {
        self.kept.into_values().map(|(act, _)| act).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::Chain;

    struct Log(Chain, Acts, Vec<Act>);

    impl Log {
        fn record(
            &mut self,
            at: i64,
            process: u32,
            action: &str,
            object: &str,
            command: Option<&str>,
        ) -> u64 {
            let event = AuditEvent {
                at: UnixTime(at),
                actor: Actor { process, ..Actor::named("alice") },
                action: action.into(),
                object: object.into(),
                outcome: if action.contains('.') { Outcome::Done } else { Outcome::Refused("x.y".into()) },
                details: command.map(|command| ("command".into(), command.into())).into_iter().collect(),
            };
            let first = self.1.push(&self.0.append(event)).first;
            self.2.extend(std::iter::from_fn(|| self.1.next_complete()));
            first
        }

        fn told(self) -> Vec<String> {
            let told = |act: &Act| {
                format!(
                    "{}-{} {} {}+{} {:?}",
                    act.first,
                    act.last,
                    act.name(),
                    act.object,
                    act.others,
                    act.refused
                )
            };
            self.2.iter().chain(&self.1.rest()).map(told).collect()
        }
    }

    fn log() -> Log {
        Log(Chain::default(), Acts::default(), Vec::new())
    }

    #[test]
    fn the_records_of_a_command_are_one_act_also_where_two_run_at_once() {
        // G15
        let mut log = log();
        log.record(10, 1, "certificate.intended", "ca/1", Some("sign"));
        log.record(10, 2, "certificate.revoked", "ca/9", Some("revoke"));
        log.record(10, 1, "certificate.intended", "ca/2", None);
        log.record(11, 1, "certificate.issued", "ca/1", None);
        assert_eq!(log.record(11, 2, "crl.issued", "ca", None), 2);
        assert_eq!(log.told(), ["1-4 sign ca/1+1 None", "2-5 revoke ca/9+0 None"]);
    }

    #[test]
    fn two_commands_of_one_process_number_are_two_acts() {
        let mut log = log();
        log.record(10, 1, "certificate.revoked", "ca/1", Some("revoke"));
        log.record(12, 1, "certificate.revoked", "ca/2", Some("revoke"));
        log.record(13, 1, "sign", "ca", None);
        log.record(14, 1, "certificate.held", "ca/3", Some("hold"));
        assert_eq!(
            log.told(),
            [
                "1-1 revoke ca/1+0 None",
                "2-2 revoke ca/2+0 None",
                "3-3 sign ca+0 Some(\"x.y\")",
                "4-4 hold ca/3+0 None"
            ]
        );
    }

    #[test]
    fn records_that_name_no_command_are_taken_together_by_process_and_time() {
        let mut log = log();
        log.record(10, 1, "certificate.revoked", "ca/1", None);
        log.record(12, 1, "crl.issued", "ca", None);
        log.record(12 + PAUSE + 1, 1, "crl.issued", "ca", None);
        assert_eq!(log.told(), ["1-2 certificate.revoked ca/1+0 None", "3-3 crl.issued ca+0 None"]);
    }

    #[test]
    fn acts_that_are_over_are_not_kept() {
        let mut log = log();
        for process in 0..1000 {
            log.record(i64::from(process) * 60, process, "crl.issued", "ca", Some("crl publish"));
        }
        assert!(log.1.kept.len() < 20, "{}", log.1.kept.len());
        assert_eq!(log.told().len(), 1000);
    }
}
