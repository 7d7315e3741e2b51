//! `revoke`, `hold` and `release` of several certificates: one list, one question, one CRL of each CA.
mod holder;
mod report;

pub(crate) use report::refusal;

use super::ensure::{unchanged, would_change};
use super::many_words::words;
use super::question::{Choice, choose, confirm_attended};
use super::revocable::is_authoritys;
use super::select::{Named, list, meaning, the_one};
use super::values::{read, usage};
use crate::cli::{Ensure, Several};
use crate::progress;
use crate::report::{Report, counted};
use crate::session::Session;
use genfic_ca::ca::{ChangedStates, Refusal, StateChange};
use genfic_ca::error::{Code, Exit, Problem, Shown as _};
use genfic_ca::index::{CertificateRecord, StatusValue};
use genfic_ca::x509::{CrlReason, UnixTime};
use holder::is_of_one_subject;
use report::report;
use serde_json::json;
use std::collections::HashSet;
use std::path::Path;

/// What is done to certificates, and which ones it can be done to.
pub(crate) struct Act {
    pub(crate) change: StateChange,
    /// CAs whose certificates are looked at; none stands for all.
    pub(crate) meant: Vec<String>,
    pub(crate) with_crl: bool,
    pub(crate) now: UnixTime,
    pub(crate) ensure: Ensure,
}

impl Act {
    /// Returns the states from which it can be done.
    pub(crate) fn states(&self) -> &'static [StatusValue] {
        match self.change {
            StateChange::Revoke { reason: Some(CrlReason::CertificateHold), .. } => &[StatusValue::Valid],
            StateChange::Revoke { .. } => &[StatusValue::Valid, StatusValue::Held, StatusValue::Pending],
            StateChange::Release => &[StatusValue::Held],
        }
    }

    /// Returns what such certificates are called.
    pub(crate) fn among(&self) -> &'static str {
        match self.change {
            StateChange::Revoke { reason: Some(CrlReason::CertificateHold), .. } => "valid certificate",
            StateChange::Revoke { .. } => "unexpired, unrevoked certificate",
            StateChange::Release => "certificate on hold",
        }
    }

    /// Returns the state in which it is done already.
    fn aim(&self) -> StatusValue {
        match self.change {
            StateChange::Revoke { reason: Some(CrlReason::CertificateHold), .. } => StatusValue::Held,
            StateChange::Revoke { .. } => StatusValue::Revoked,
            StateChange::Release => StatusValue::Valid,
        }
    }

    /// Returns the word for what was done.
    pub(crate) fn done(&self) -> &'static str {
        match self.aim() {
            StatusValue::Held => "on hold",
            StatusValue::Revoked => "revoked",
            _ => "released",
        }
    }

    fn question(&self) -> String {
        match self.change {
            StateChange::Revoke { reason: Some(CrlReason::CertificateHold), .. } => "Hold them".into(),
            StateChange::Revoke { reason: Some(reason), .. } => format!("Revoke them, for good ({reason})"),
            StateChange::Revoke { reason: None, .. } => "Revoke them, for good".into(),
            StateChange::Release => "Release them".into(),
        }
    }
}

/// What a word or a list means.
#[derive(Default)]
struct Chosen {
    records: Vec<CertificateRecord>,
    /// Those to which it was done before.
    unchanged: Vec<CertificateRecord>,
    /// Words that mean nothing that it can be done to.
    refused: Vec<Refusal>,
}

/// What became of several certificates.
pub(crate) enum Outcome {
    /// It was done to them.
    Done(Report),
    /// One of them was chosen, to which it is still to be done.
    One(CertificateRecord),
}

/// Does it to what `--all` or `--file` means; `--newest` chooses one.
pub(crate) fn several(session: &Session, which: &Several, act: &Act) -> Result<Outcome, Problem> {
    if let Some(word) = &which.newest {
        return newest(session, word, act).map(Outcome::One);
    }
    let chosen = match (&which.all, &which.file) {
        (Some(word), _) => all_of(session, word, act)?,
        (None, Some(file)) => listed(session, file, act)?,
        (None, None) => Chosen::default(),
    };
    if act.ensure.dry_run {
        let fields = json!({ "certificates": [], "refused": [] });
        return Ok(Outcome::Done(match chosen.records.is_empty() {
            true => unchanged(act.ensure, fields, "nothing is to be done"),
            false => would_change(),
        }));
    }
    if !chosen.records.is_empty() {
        confirm_attended(&session.global, || Ok(question(&chosen, act)))?;
    }
    carry_out(session, chosen, act).map(Outcome::Done)
}

/// Offers all certificates of the one holder that a name means, or the newest of them, to a person. Returns `None` when
/// this is not such a name, or nobody can be asked.
pub(crate) fn offered(
    session: &Session,
    found: &[CertificateRecord],
    act: &Act,
) -> Result<Option<Outcome>, Problem> {
    let mut fit: Vec<CertificateRecord> = found.to_vec();
    fit.retain(|record| act.states().contains(&record.status(act.now)));
    if fit.len() < 2 || !is_of_one_subject(session, &fit)? {
        return Ok(None);
    }
    let one_holder = session.engine().hierarchy().are_one_holder(&fit)?;
    let shown = format!(
        "{} of one holder\n{}\n{}?",
        counted(fit.len(), "certificate"),
        list(&fit, act.now),
        act.question()
    );
    Ok(match choose(&session.global, &shown, one_holder)? {
        None => None,
        Some(Choice::All) => {
            let chosen = Chosen { records: fit, ..Chosen::default() };
            Some(Outcome::Done(carry_out(session, chosen, act)?))
        }
        Some(Choice::Newest) => Some(Outcome::One(fit.swap_remove(0))),
    })
}

/// Adds, to the problem of a name with several certificates of one holder, how each can be meant.
pub(crate) fn with_ways(
    session: &Session,
    problem: Problem,
    found: &[CertificateRecord],
    act: &Act,
    word: &str,
) -> Problem {
    let fit: Vec<CertificateRecord> =
        found.iter().filter(|record| act.states().contains(&record.status(act.now))).cloned().collect();
    if problem.code != Code::CertificateAmbiguous || !is_of_one_subject(session, &fit).unwrap_or(false) {
        return problem;
    }
    let word = shell_word(word);
    let newest = match session.engine().hierarchy().are_one_holder(&fit) {
        Ok(true) => format!("; or the newest: --newest {word}"),
        _ => String::new(),
    };
    problem.hint(format!(
        "name one of them by its CERT, as in the first column; or all of them: --all {word}{newest}"
    ))
}

/// Returns a word as a shell reads it.
pub(crate) fn shell_word(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:@+=,%".contains(c);
    match !word.is_empty() && word.chars().all(is_plain) {
        true => word.to_owned(),
        false => format!("'{}'", word.replace('\'', r"'\''")),
    }
}

/// Returns what `--all` means; with `--ensure` it may have been done to all before.
fn all_of(session: &Session, word: &str, act: &Act) -> Result<Chosen, Problem> {
    match of_the_holder(session, word, act) {
        Ok(records) => Ok(Chosen { records, ..Chosen::default() }),
        Err(problem) if act.ensure.ensure && problem.code == Code::CertificateNotFound => {
            let mut unchanged = found(session, word, act)?;
            unchanged.retain(|record| record.status(act.now) == act.aim());
            if unchanged.is_empty() {
                return Err(problem);
            }
            Ok(Chosen { unchanged, ..Chosen::default() })
        }
        Err(problem) => Err(problem),
    }
}

/// Returns the certificates of the one holder that has this name.
fn of_the_holder(session: &Session, word: &str, act: &Act) -> Result<Vec<CertificateRecord>, Problem> {
    let found = found(session, word, act)?;
    let (fit, unfit): (Vec<_>, Vec<_>) =
        found.into_iter().partition(|record| act.states().contains(&record.status(act.now)));
    if fit.is_empty() {
        return Err(super::revocable::one_of(unfit, word, act.states(), act.among(), act.now)
            .err()
            .unwrap_or_else(|| Problem::new(Code::CertificateNotFound, "there is no such certificate")));
    }
    if let Some(authority) = fit.iter().find(|one| is_authoritys(one.certificate.as_ref())) {
        return Err(of_a_ca(authority));
    }
    if !is_of_one_subject(session, &fit)? {
        let message = format!("`{word}` means certificates of several holders\n{}", list(&fit, act.now));
        return Err(Problem::new(Code::CertificateAmbiguous, message)
            .hint("write those that are meant into a file, one CERT a line, and give --file FILE"));
    }
    Ok(fit)
}

/// Returns the newest of the certificates of the one holder that has this name.
fn newest(session: &Session, word: &str, act: &Act) -> Result<CertificateRecord, Problem> {
    let mut fit = of_the_holder(session, word, act)?;
    if session.engine().hierarchy().are_one_holder(&fit)? {
        return Ok(fit.swap_remove(0));
    }
    let message = format!("`{word}` means certificates for several uses\n{}", list(&fit, act.now));
    Err(Problem::new(Code::CertificateAmbiguous, message)
        .hint("name one of them by its CERT, as in the first column"))
}

fn found(session: &Session, word: &str, act: &Act) -> Result<Vec<CertificateRecord>, Problem> {
    let (mut found, named) = meaning(session.engine().record(), word)?;
    if let Named::Beginning(number) = named {
        let message = format!("no certificate on record has the number {number}, though others begin so");
        return Err(Problem::new(Code::CertificateNotFound, message)
            .hint("of several at once, each is named by its whole number"));
    }
    found.retain(|record| act.meant.is_empty() || act.meant.contains(&record.authority));
    Ok(found)
}

/// Returns what the lines of a file mean.
fn listed(session: &Session, file: &Path, act: &Act) -> Result<Chosen, Problem> {
    let octets = read(file)?;
    let text = String::from_utf8(octets).map_err(|_| {
        Problem::new(Code::OtherFile, format!("{} is no list: it is not UTF-8", file.shown()))
            .hint("one CERT a line is needed, or what `genfic-ca list --csv` printed")
    })?;
    let words = words(&text);
    if words.is_empty() {
        return Err(usage(
            format!("{} names no certificate", file.shown()),
            "write one CERT a line into it, or what `genfic-ca list --csv` printed",
        ));
    }
    progress::count("looked up", Some(words.len()));
    let mut chosen = Chosen::default();
    let mut seen = HashSet::new();
    for word in words {
        progress::step();
        match one_listed(session, &word, act) {
            Ok((record, _)) if !seen.insert(record.id.clone()) => {}
            Ok((record, true)) => chosen.records.push(record),
            Ok((record, false)) => chosen.unchanged.push(record),
            Err(problem) if problem.exit == Exit::Failure => return Err(problem),
            Err(problem) => chosen.refused.push(Refusal { label: word, problem }),
        }
    }
    Ok(chosen)
}

/// Returns the one certificate that a line means, and whether it is still to be done to it.
fn one_listed(session: &Session, word: &str, act: &Act) -> Result<(CertificateRecord, bool), Problem> {
    if word == "-" {
        return Err(usage("`-` is no certificate in a list", "name a file with the certificate"));
    }
    let found = found(session, word, act)?;
    let (mut fit, unfit): (Vec<_>, Vec<_>) =
        found.into_iter().partition(|record| act.states().contains(&record.status(act.now)));
    match (fit.pop(), fit.is_empty()) {
        (Some(one), true) if is_authoritys(one.certificate.as_ref()) => Err(of_a_ca(&one)),
        (Some(one), true) => Ok((one, true)),
        (Some(one), false) => {
            fit.push(one);
            Err(the_one(fit, word, act.among(), act.now).err().unwrap_or_else(|| {
                Problem::new(Code::CertificateAmbiguous, "several certificates are meant")
            }))
        }
        (None, _) => {
            let before = unfit.iter().find(|one| one.status(act.now) == act.aim());
            match before {
                Some(before) => Ok((before.clone(), false)),
                None if unfit.len() == 1 => Err(as_it_is(unfit.first(), act)),
                None => super::revocable::one_of(unfit, word, act.states(), act.among(), act.now)
                    .map(|one| (one, true)),
            }
        }
    }
}

/// Returns the problem of the only certificate that a line means, to which it cannot be done.
fn as_it_is(record: Option<&CertificateRecord>, act: &Act) -> Problem {
    let what = match record.map(|record| record.status(act.now)) {
        Some(StatusValue::Revoked) => "it is revoked already",
        Some(StatusValue::Held) => "it is on hold already",
        Some(StatusValue::Expired) => "it has expired",
        Some(StatusValue::Pending | StatusValue::Abandoned) => "it was not issued",
        Some(StatusValue::Valid) | None => "it is not on hold",
    };
    Problem::new(Code::CertificateNotFound, what).hint("leave it out of the list")
}

fn of_a_ca(record: &CertificateRecord) -> Problem {
    let id = format!("{}/{}", record.authority, record.id.serial_number);
    usage(
        format!("{id} is a CA's certificate: everything below it would fall too"),
        "use `genfic-ca revoke-ca NAME`, or name this one by itself",
    )
}

fn question(chosen: &Chosen, act: &Act) -> String {
    let mut text = list(&chosen.records, act.now);
    if !chosen.refused.is_empty() {
        text.push_str(&format!("\nleft out:\n{}", reasons(&chosen.refused)));
    }
    let number = counted(chosen.records.len(), "certificate");
    format!("{number}\n{text}\n{}?", act.question())
}

fn reasons(refused: &[Refusal]) -> String {
    let line = |one: &Refusal| {
        let first = one.problem.message.lines().next().unwrap_or_default();
        // what would be listed below is left out
        let first = first.strip_suffix("; there is").unwrap_or(first);
        format!("  {}: {first}", one.label)
    };
    refused.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// Does it, and reports.
fn carry_out(session: &Session, chosen: Chosen, act: &Act) -> Result<Report, Problem> {
    let Chosen { records, unchanged, mut refused } = chosen;
    let engine = session.engine();
    progress::count(act.done(), Some(records.len()));
    let mut states = engine.revocation().change_several(&records, act.change, act.with_crl)?;
    if act.with_crl {
        publish_owed(session, &unchanged, &mut states);
    }
    let stay = std::mem::take(&mut states.refused).into_iter();
    refused.extend(stay.map(|(label, problem)| Refusal { label, problem }));
    if !refused.is_empty() {
        engine.record_refusals(command_of(act), &refused)?;
    }
    Ok(report(&states, &unchanged, &refused, act))
}

/// Publishes the CRLs that an earlier command, which was cut short, still owes for these certificates.
fn publish_owed(session: &Session, unchanged: &[CertificateRecord], states: &mut ChangedStates) {
    let maintenance = session.engine().maintenance();
    for record in unchanged {
        let name = &record.authority;
        let is_tried = states.crls.iter().any(|one| one.authority == *name)
            || states.owed.iter().any(|(owed, _)| owed == name);
        if is_tried || !session.engine().record().crl_is_owed(&record.id.issuer).unwrap_or(false) {
            continue;
        }
        match maintenance.unlock_for_crl(name).and_then(|signer| maintenance.publish_crl(name, &signer)) {
            Ok(crl) => states.crls.push(crl),
            Err(problem) => states.owed.push((name.clone(), problem)),
        }
    }
}

fn command_of(act: &Act) -> &'static str {
    match act.aim() {
        StatusValue::Held => "hold",
        StatusValue::Revoked => "revoke",
        _ => "release",
    }
}
