//! `renew` and `rekey` of several certificates, or of all that are due.
mod due;
mod files;
mod gain;
mod others;
mod report;

use super::chain::{issuers, pem};
use super::hook::{hook_status, hooked};
use super::renewal::{Former, directory, due_until, former, make, request};
use super::request::{Made, not_signed, passphrase};
use super::sign::applicant;
use super::values::{issued as issued_fields, usage};
use crate::cli::{Chain, Rekey, Renew};
use crate::progress;
use crate::report::{Report, path_value};
use crate::session::Session;
use due::Due;
use files::{Files, Place};
pub(super) use gain::{alone, check_gain, check_later};
use genfic_ca::ca::{IssuanceRequest, IssuedCertificate, IssuingAuthority, Published, Refusal};
use genfic_ca::error::{Code, Exit, Notice, Problem, Shown as _};
use genfic_ca::index::CertificateRecord;
use genfic_ca::signing::Secret;
use genfic_ca::x509::{Certificate, CertificateId};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::fs::File;
use std::path::PathBuf;

/// Number of certificates that are issued before their files are written.
const GROUP: usize = 100;

/// Issues several certificates again, each with its present key.
pub(crate) fn renew(session: &Session, args: &Renew, lock: Option<File>) -> Result<Report, Problem> {
    Renewals::begin(session, args, None)?.run(lock)
}

/// Issues several certificates again, each with a new key. The lock is given up before the hook runs.
pub(crate) fn rekey(session: &Session, args: &Rekey, lock: Option<File>) -> Result<Report, Problem> {
    if args.request.is_some() {
        return Err(usage("--request is about one certificate", "name it; nothing was done"));
    }
    Renewals::begin(session, &args.renew, Some(args))?.run(lock)
}

/// A certificate that is about to be issued again.
struct Prepared {
    former: Former,
    place: Option<Place>,
    made: Option<Made>,
    request: IssuanceRequest,
}

/// One command on several certificates.
struct Renewals<'a> {
    session: &'a Session,
    args: &'a Renew,
    rekey: Option<&'a Rekey>,
    secret: Option<Secret>,
    files: Option<Files>,
    /// The CAs that were opened, or why they could not be: a passphrase is asked for once.
    issuers: HashMap<String, Result<IssuingAuthority, Problem>>,
    chains: HashMap<String, Vec<Published<Certificate>>>,
    rows: Vec<Vec<String>>,
    certificates: Vec<Value>,
    placed: Vec<Value>,
    /// Certificates whose files an earlier command has written, and whose hook may not have succeeded.
    owed: Vec<Value>,
    refused: Vec<Refusal>,
    /// Number of certificates that another command has renewed since this one has begun.
    overtaken: usize,
    notices: Vec<Notice>,
    /// Why a file could not be written; the certificate is kept in the home.
    unplaced: Option<Problem>,
    /// What failed and would meet the others too.
    stopped: Option<Problem>,
}

impl<'a> Renewals<'a> {
    /// Checks what was asked for, before anything is done.
    fn begin(session: &'a Session, args: &'a Renew, rekey: Option<&'a Rekey>) -> Result<Self, Problem> {
        if args.same_holder_as.is_some() {
            return Err(usage("--same-holder-as is about one certificate", "name it; nothing was done"));
        }
        let within = match (&args.output, &args.dir) {
            (Some(output), None) if output.is_dir() => Some(output.clone()),
            (Some(output), None) => {
                let message =
                    format!("{} is no directory, and there may be several certificates", output.shown());
                return Err(usage(message, "give --dir a directory that exists; nothing was done"));
            }
            (Some(_), Some(_)) => {
                return Err(usage("-o is about one certificate", "leave it out: --dir has all files"));
            }
            (None, Some(_)) => Some(directory(args)?),
            (None, None) => rekey.map(|_| PathBuf::new()),
        };
        let secret = match rekey.is_some_and(|rekey| rekey.encrypt) {
            true => Some(passphrase(&session.global, "the new keys")?),
            false => None,
        };
        let files = within.map(|within| Files::new(within, args.chain.is_some(), rekey.is_some()));
        Ok(Self {
            session,
            args,
            rekey,
            secret,
            files,
            issuers: HashMap::new(),
            chains: HashMap::new(),
            rows: Vec::new(),
            certificates: Vec::new(),
            placed: Vec::new(),
            owed: Vec::new(),
            refused: Vec::new(),
            overtaken: 0,
            notices: Vec::new(),
            unplaced: None,
            stopped: None,
        })
    }

    fn run(mut self, lock: Option<File>) -> Result<Report, Problem> {
        let was_cut_short = self.files.as_ref().is_some_and(Files::was_cut_short);
        let due = self.due(was_cut_short)?;
        if was_cut_short {
            self.place_missing(&due.renewed)?;
        }
        if !due.ids.is_empty() {
            if let Some(files) = &self.files {
                files.mark()?;
            }
            progress::count(if self.rekey.is_some() { "rekeyed" } else { "renewed" }, Some(due.ids.len()));
            for group in due.ids.chunks(GROUP) {
                self.renew_group(group)?;
            }
        }
        self.maintain();
        let files = self.files.take().filter(|_| self.unplaced.is_none());
        let (args, command) = (self.args, self.command());
        drop(lock);
        let report = hooked(args, command, self.report(&due), false);
        let is_owed = report.result.get("hook").is_some() && hook_status(&report.result) != Some(0);
        if let Some(files) = files.filter(|_| !is_owed) {
            files.unmark();
        }
        Ok(report)
    }

    /// Returns what is to be issued again: what was named, or all that ends soon.
    fn due(&mut self, was_cut_short: bool) -> Result<Due, Problem> {
        let until = due_until(self.session, self.args)?;
        if self.args.certificates.is_empty() {
            let Some(until) = until else { return Ok(Due::default()) };
            return due::all(self.session, self.args, until, was_cut_short);
        }
        let mut due = Due::default();
        for word in &self.args.certificates {
            match former(self.session, self.args, word, false) {
                Ok(former) if until.is_some_and(|until| former.record.validity.not_after > until) => {
                    due.early = due.early.saturating_add(1);
                    due.renewed.push(former.record.id);
                }
                Ok(former) if due.ids.contains(&former.record.id) => {}
                Ok(former) => due.ids.push(former.record.id),
                Err(problem) if problem.exit == Exit::Failure => return Err(problem),
                Err(problem) => self.refused.push(Refusal { label: word.clone(), problem }),
            }
        }
        Ok(due)
    }

    fn chain(&mut self, authority: &str) -> Result<Vec<Published<Certificate>>, Problem> {
        let Some(wanted) = &self.args.chain else { return Ok(Vec::new()) };
        if let Some(known) = self.chains.get(authority) {
            return Ok(known.clone());
        }
        let chain = issuers(self.session.engine(), authority, matches!(wanted, Chain::WithRoot))?;
        self.chains.insert(authority.to_owned(), chain.clone());
        Ok(chain)
    }

    /// Issues a group, and writes its files.
    fn renew_group(&mut self, ids: &[CertificateId]) -> Result<(), Problem> {
        let mut prepared: HashMap<(String, String), Vec<Prepared>> = HashMap::new();
        for id in ids {
            let Some(record) = self.session.engine().record().certificate(id)? else { continue };
            let label = format!("{}/{}", record.authority, record.id.serial_number);
            match self.prepare(record, label.clone()) {
                Ok(None) => progress::step(),
                Ok(Some(one)) => {
                    let under = (one.former.authority.clone(), one.former.profile.clone());
                    prepared.entry(under).or_default().push(one);
                }
                Err(problem) => {
                    progress::step();
                    self.refused.push(Refusal { label, problem });
                }
            }
        }
        let mut groups: Vec<_> = prepared.into_iter().collect();
        groups.sort_by(|(one, _), (other, _)| one.cmp(other));
        for ((authority, profile), group) in groups {
            self.issue_group(&authority, &profile, group);
        }
        Ok(())
    }

    /// Returns nothing for what another command has renewed meanwhile. That is looked at before a new key is made, and
    /// for a present key after it is known what the record is asked beside.
    fn prepare(&mut self, record: CertificateRecord, label: String) -> Result<Option<Prepared>, Problem> {
        if let Some(problem) = &self.stopped {
            return Err(problem.clone());
        }
        if self.rekey.is_some() && self.is_replaced(&record)? {
            return Ok(None);
        }
        let former = Former::of(self.session, self.args, record)?;
        check_gain(self.session, self.args, &former)?;
        let place = match &mut self.files {
            Some(files) => Some(files.place(self.session, &former)?),
            None => None,
        };
        // no key is made for a CA whose own cannot be opened
        if self.rekey.is_some() {
            self.unlock(&former.authority)?;
        }
        let (subscriber, made) = match (self.rekey, &place) {
            (Some(rekey), Some(place)) => {
                let made = match place.earlier() {
                    Some(made) => made,
                    None => {
                        let into = (place.directory().to_owned(), place.name());
                        make(self.session, rekey, &former, into, self.secret.clone())?
                    }
                };
                (applicant(&made.request)?, Some(made))
            }
            _ => (former.applicant(), None),
        };
        let request = request(self.session, self.args, &former, subscriber, label);
        let request = request.map_err(|problem| match &made {
            Some(made) => not_signed(problem, made),
            None => problem,
        })?;
        if made.is_none() && self.is_replaced(&former.record)? {
            return Ok(None);
        }
        Ok(Some(Prepared { former, place, made, request }))
    }

    fn unlock(&mut self, authority: &str) -> Result<(), Problem> {
        let engine = self.session.engine();
        let unlock = || engine.issuance().unlock_issuer(authority);
        let issuer = self.issuers.entry(authority.to_owned()).or_insert_with(unlock);
        issuer.as_ref().map(|_| ()).map_err(Problem::clone)
    }

    fn issue_group(&mut self, authority: &str, profile: &str, group: Vec<Prepared>) {
        let requests: Vec<IssuanceRequest> = group.iter().map(|one| one.request.clone()).collect();
        let engine = self.session.engine();
        let issuer = self
            .issuers
            .entry(authority.to_owned())
            .or_insert_with(|| engine.issuance().unlock_issuer(authority));
        let outcome = match issuer {
            Ok(issuer) => engine.issuance().issue(issuer, profile, &requests),
            Err(problem) => Err(problem.clone()),
        };
        let mut group: HashMap<String, Prepared> =
            group.into_iter().map(|one| (one.request.label.clone(), one)).collect();
        match outcome {
            Err(problem) => {
                let mut labels: Vec<String> = group.keys().cloned().collect();
                labels.sort();
                for label in labels {
                    let problem = given_up(group.remove(&label), problem.clone());
                    self.refused.push(Refusal { label, problem });
                }
            }
            Ok(outcome) => {
                for one in &outcome.issued {
                    if let Some(prepared) = group.remove(&one.label) {
                        self.hand_out(authority, prepared, one);
                    }
                }
                for Refusal { label, problem } in outcome.refused {
                    let is_own = problem.code == Code::RenewalMeanwhile;
                    if matches!(problem.exit, Exit::Failure | Exit::Busy) && !is_own {
                        self.stopped.get_or_insert_with(|| problem.clone());
                    }
                    let prepared = group.remove(&label);
                    match self.taken_over(prepared.as_ref(), &problem) {
                        Ok(true) => {}
                        Ok(false) => {
                            self.refused.push(Refusal { label, problem: given_up(prepared, problem) });
                        }
                        Err(problem) => self.refused.push(Refusal { label, problem }),
                    }
                }
            }
        }
    }

    /// Writes the file of a certificate that was issued, and keeps what is to be reported.
    fn hand_out(&mut self, authority: &str, prepared: Prepared, issued: &IssuedCertificate) {
        let Prepared { former, place, made, .. } = prepared;
        let kept = issued.file.clone().unwrap_or_default();
        let (mut file, mut unwritten) = (kept.clone(), None);
        if let Some(place) = &place {
            let chain = self.chain(authority);
            let put = chain.and_then(|chain| {
                place.put(pem(std::iter::once(&issued.certificate).chain(&chain)).as_bytes())
            });
            match put {
                Ok(()) => file = place.certificate().to_owned(),
                Err(problem) => unwritten = Some(problem),
            }
        }
        let mut fields = issued_fields(issued, authority, &file);
        if let Some(fields) = fields.as_object_mut() {
            fields.insert("replaces".into(), json!(former.record.id.serial_number.to_string()));
            let name = place.as_ref().map_or_else(|| former.file_name(), |place| place.name().to_owned());
            fields.insert("name".into(), json!(name));
            if let Some(made) = &made {
                fields.insert("key".into(), path_value(&made.key));
                fields.insert("request".into(), path_value(&made.request));
            }
            if unwritten.is_some() {
                fields.insert("unwritten".into(), json!(true));
            }
        }
        self.certificates.push(fields);
        let until = issued.certificate.tbs().validity().not_after.to_string();
        self.rows.push(vec![former.id(), until, file.shown().to_string()]);
        let label = former.id();
        let labelled =
            |notice: &Notice| Notice { message: format!("{label}: {}", notice.message), ..notice.clone() };
        self.notices.extend(issued.notices.iter().map(labelled));
        if let Some(problem) = unwritten {
            let hint = "the certificates are issued and kept where it says; copy them from there, or give the same \
                        command again";
            self.unplaced.get_or_insert(problem.hint(hint));
        }
    }

    /// Does what is due with the keys that are open.
    fn maintain(&mut self) {
        if self.certificates.is_empty() {
            return;
        }
        for issuer in std::mem::take(&mut self.issuers).into_values().flatten() {
            match self.session.engine().maintenance().maintain(issuer) {
                Ok(done) => self.notices.extend(done),
                Err(problem) => {
                    self.notices.push(format!("what was due besides could not be done: {problem}").into());
                }
            }
        }
    }
}

/// Removes the new key of a certificate that was not issued, where it was made for it.
fn given_up(prepared: Option<Prepared>, problem: Problem) -> Problem {
    match prepared.and_then(|one| one.made) {
        Some(made) => not_signed(problem, &made),
        None => problem,
    }
}
