//! Selects the certificate that is exported, and what belongs to it.
use super::super::newest::{newest_of_one_subscriber, taken};
use super::super::select::{list, matches, the_one};
use crate::session::Session;
use genfic_ca::ca::{Engine, Published};
use genfic_ca::error::{Code, Problem, Shown as _};
use genfic_ca::index::{CertificateRecord, StatusValue};
use genfic_ca::signing::SubscriberKey;
use genfic_ca::x509::Certificate;
use std::path::Path;

/// A certificate that is exported.
pub(super) struct Chosen {
    pub(super) record: Published<CertificateRecord>,
    pub(super) certificate: Published<Certificate>,
    /// Warnings about the certificate.
    pub(super) notices: Vec<String>,
}

/// Returns every certificate that the word names; none is a problem.
pub(super) fn found(engine: &Engine, word: &str) -> Result<Vec<CertificateRecord>, Problem> {
    let found = matches(engine.record(), word)?;
    if found.is_empty() {
        the_one(Vec::new(), word, "certificate", engine.now())?;
    }
    Ok(found)
}

/// Returns the certificate that the word names. Of several it returns the newest valid one, provided that all valid
/// ones are of one subscriber.
pub(super) fn of_subscriber(session: &Session, word: &str) -> Result<Chosen, Problem> {
    let engine = session.engine();
    let now = engine.now();
    let found = found(engine, word)?;
    let several = found.len();
    let record = match valid(engine, &found) {
        _ if several < 2 => the_one(found, word, "certificate", now)?,
        fit if fit.is_empty() => newest_of_one_subscriber(session, found, word, now)?,
        fit => newest_of_one_subscriber(session, fit, word, now)?,
    };
    let which =
        if record.status(now) == StatusValue::Valid { "the newest that is valid" } else { "the newest" };
    chosen(engine, record, word, several, which)
}

/// Returns the certificate for this key. Of several it returns the newest valid one.
pub(super) fn of_key(
    engine: &Engine,
    found: Vec<CertificateRecord>,
    word: &str,
    key: &SubscriberKey,
    file: &Path,
) -> Result<Chosen, Problem> {
    let now = engine.now();
    let several = found.len();
    if several < 2 {
        let record = the_one(found, word, "certificate", now)?;
        let chosen = chosen(engine, record, word, several, "")?;
        must_match(key, file, &chosen.certificate)?;
        return Ok(chosen);
    }
    let has_key = |record: &CertificateRecord| {
        let certificate = record.certificate.as_ref();
        certificate.is_some_and(|certificate| certificate.tbs().public_key() == key.public_key())
    };
    let (of_key, others): (Vec<_>, Vec<_>) = found.into_iter().partition(has_key);
    if of_key.is_empty() {
        let message = format!(
            "{} is the key of no certificate that `{word}` means\n{}",
            file.shown(),
            list(&others, now)
        );
        return Err(Problem::new(Code::KeyOfAnother, message)
            .hint("name the key that one of them was asked for with, or the certificate of this key"));
    }
    let record = match valid(engine, &of_key).into_iter().next() {
        Some(newest) => newest,
        None => the_one(of_key, word, "certificate", now)?,
    };
    chosen(engine, record, word, several, "the newest of this key")
}

/// Returns the valid ones in the same order, newest first.
fn valid(engine: &Engine, found: &[CertificateRecord]) -> Vec<CertificateRecord> {
    let now = engine.now();
    let is_fit = |record: &&CertificateRecord| {
        record.status(now) == StatusValue::Valid && record.certificate.is_some()
    };
    found.iter().filter(is_fit).cloned().collect()
}

fn chosen(
    engine: &Engine,
    record: CertificateRecord,
    word: &str,
    several: usize,
    why: &str,
) -> Result<Chosen, Problem> {
    let unknown = || {
        let message = format!("`{word}` is on record by its number only");
        Problem::new(Code::CertificateNotFound, message).hint("its certificate was lost, or never signed")
    };
    if record.certificate.is_none() {
        return Err(unknown());
    }
    let record = engine.publication().check_published(&record.id)?;
    let certificate = record.certificate().ok_or_else(unknown)?;
    let mut notices = Vec::new();
    let serial = &record.id.serial_number;
    if several > 1 {
        notices.push(taken(word, several, &record, why));
    }
    match record.status(engine.now()) {
        StatusValue::Valid => {}
        other => notices.push(format!("the certificate {serial} is {other}")),
    }
    Ok(Chosen { record, certificate, notices })
}

/// Checks that a key is that of a certificate.
pub(super) fn must_match(key: &SubscriberKey, file: &Path, certificate: &Certificate) -> Result<(), Problem> {
    if key.public_key() == certificate.tbs().public_key() {
        return Ok(());
    }
    let message =
        format!("{} is not the key of the certificate {}", file.shown(), certificate.tbs().serial_number());
    Err(Problem::new(Code::KeyOfAnother, message)
        .hint("name the key that the certificate was asked for with, or the certificate of this key"))
}
