//! What a name means after renewals: the newest certificate of one holder, for commands that read, renew or hand out.
use super::select::the_one;
use crate::session::Session;
use genfic_ca::error::Problem;
use genfic_ca::index::{CertificateRecord, StatusValue};
use genfic_ca::x509::{GeneralName, UnixTime};

/// A certificate that a name means, and which it is when there are several of its holder.
pub(crate) struct Taken {
    pub(crate) record: CertificateRecord,
    pub(crate) notice: Option<String>,
}

/// Returns the certificate that the word names among those that were found, which are newest first. Of several of one
/// holder it is the newest that is valid, and the newest when none is. Those of several holders are a problem.
pub(crate) fn newest(
    session: &Session,
    found: Vec<CertificateRecord>,
    word: &str,
    among: &str,
    now: UnixTime,
) -> Result<Taken, Problem> {
    let is_signed = |one: &CertificateRecord| one.certificate.is_some();
    let mut found = found;
    if found.iter().any(is_signed) {
        found.retain(is_signed);
    }
    // the first digits of several numbers are no name
    let is_name = found.iter().all(|one| has_name(one, word));
    if found.len() < 2 || !is_name || !session.engine().hierarchy().are_one_holder(&found)? {
        return Ok(Taken { record: the_one(found, word, among, now)?, notice: None });
    }
    let several = found.len();
    let valid = found.iter().position(|one| one.status(now) == StatusValue::Valid);
    let record = found.swap_remove(valid.unwrap_or(0));
    let which = match valid {
        None | Some(0) => "the newest",
        Some(_) => "the newest that is valid",
    };
    let notice = taken(word, several, &record, which);
    Ok(Taken { record, notice: Some(notice) })
}

/// Whether a certificate has this common name or alternative name.
fn has_name(record: &CertificateRecord, word: &str) -> bool {
    let names = record.subject_alt_names.iter().map(GeneralName::value).chain(record.subject.common_name());
    names
        .into_iter()
        .any(|name| name.eq_ignore_ascii_case(word) || name.to_lowercase() == word.to_lowercase())
}

/// Says which of several certificates was taken.
pub(crate) fn taken(word: &str, several: usize, record: &CertificateRecord, which: &str) -> String {
    let id = format!("{}/{}", record.authority, record.id.serial_number);
    format!("`{word}` means {several} certificates; {id} was taken, {which}")
}

/// Returns the newest of several certificates of one holder, which earlier renewals left.
pub(crate) fn newest_of_one_subscriber(
    session: &Session,
    fit: Vec<CertificateRecord>,
    word: &str,
    now: UnixTime,
) -> Result<CertificateRecord, Problem> {
    match fit.first() {
        Some(first) if session.engine().hierarchy().are_one_holder(&fit)? => Ok(first.clone()),
        _ => the_one(fit, word, "certificate", now),
    }
}
