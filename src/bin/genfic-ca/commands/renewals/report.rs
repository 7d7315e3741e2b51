//! What is reported of several certificates that were issued again.
use super::super::several::refusal;
use super::Renewals;
use super::due::Due;
use crate::report::{Report, counted, table};
use genfic_ca::ca::Refusal;
use genfic_ca::error::{Exit, Problem, Remedy};
use serde_json::json;

impl Renewals<'_> {
    /// Returns the report with a total.
    pub(super) fn report(self, due: &Due) -> Report {
        let recorded = match self.refused.is_empty() {
            true => Ok(()),
            false => self.session.engine().record_refusals(self.command(), &self.refused),
        };
        let mut parts =
            vec![format!("{} {}", counted(self.certificates.len(), "certificate"), self.command_done())];
        if !self.placed.is_empty() {
            parts.push(format!("{} written that an earlier command had not", self.placed.len()));
        }
        if !self.owed.is_empty() {
            parts.push(format!("{} written before, whose hook is run again", self.owed.len()));
        }
        let replaced = due.replaced.saturating_add(self.overtaken);
        if replaced > 0 {
            parts.push(format!("{replaced} replaced before"));
        }
        if due.early > 0 {
            parts.push(format!("{} not due", due.early));
        }
        if !self.refused.is_empty() {
            parts.push(format!("{} refused", self.refused.len()));
        }
        let total = parts.join(", ");
        let text = match self.rows.is_empty() {
            true => total,
            false => format!("{}\n{total}", table(&["CERT", "NOW UNTIL", "FILE"], &self.rows)),
        };
        let changed = !self.certificates.is_empty() || !self.placed.is_empty() || !self.owed.is_empty();
        let exit = self.unplaced.clone().or_else(|| self.problem()).or(recorded.err());
        let result = json!({
            "certificates": self.certificates,
            "refused": self.refused.iter().map(refusal).collect::<Vec<_>>(),
            "placed": self.placed,
            "hook_owed": self.owed,
            "replaced_before": replaced,
            "not_due": due.early,
        });
        let report = Report::seen(result, text).warn(self.notices).ending(exit);
        Report { changed, ..report }
    }

    pub(super) fn command(&self) -> &'static str {
        if self.rekey.is_some() { "rekey" } else { "renew" }
    }

    fn command_done(&self) -> &'static str {
        if self.rekey.is_some() { "rekeyed" } else { "renewed" }
    }

    /// Returns one problem for all that was refused: the first failure with its exit status, else the first refusal.
    fn problem(&self) -> Option<Problem> {
        let is_failure = |one: &&Refusal| {
            matches!(
                one.problem.exit,
                Exit::Failure | Exit::Busy | Exit::KeyUnavailable | Exit::Permissions | Exit::Integrity
            )
        };
        let failed = self.refused.iter().find(is_failure);
        let first = failed.or(self.refused.first())?;
        if self.refused.len() == 1 && self.certificates.is_empty() && self.args.certificates.len() == 1 {
            return Some(first.problem.clone());
        }
        let all = counted(self.refused.len().saturating_add(self.certificates.len()), "certificate");
        let were = if self.refused.len() == 1 { "was" } else { "were" };
        let lines: Vec<String> = self
            .refused
            .iter()
            .map(|one| format!("{}: {}", one.label, one.problem.message.lines().next().unwrap_or_default()))
            .collect();
        let message = format!(
            "{} of {all} {were} not {}\n{}",
            self.refused.len(),
            self.command_done(),
            lines.join("\n")
        );
        let hint = match self.certificates.is_empty() {
            true => "nothing was issued; mend these, and give the same command again",
            false => "the others are done; mend these, and give the same command again",
        };
        let is_partly_done = !self.certificates.is_empty();
        let exit = match failed.map(|one| one.problem.exit) {
            // it is about some CAs only, and the certificates of others are renewed
            Some(Exit::KeyUnavailable | Exit::Permissions) if is_partly_done => Exit::Refused,
            Some(exit) => exit,
            None => Exit::Refused,
        };
        let is_common = self.refused.iter().all(|one| one.problem.hint == first.problem.hint);
        let remedy = if is_common { first.problem.hint.clone() } else { Remedy::NONE };
        Some(Problem::new(first.problem.code, message).exiting(exit).hint(remedy.and(hint)))
    }
}
