//! `--same-holder-as`: a subscriber that had the same key under another name.
use super::question::confirm;
use super::select::{matches, the_one};
use crate::session::Session;
use genfic_ca::error::{Code, Problem};
use genfic_ca::profile::Applicant;
use genfic_ca::x509::{Certificate, Name};

/// Returns the former subject of the key, once a person has confirmed that the subscriber is the same. Nothing is
/// asked when the subject is the same, or in a dry run.
pub(crate) fn same_holder(
    session: &Session,
    word: Option<&str>,
    applicant: &Applicant,
    is_dry_run: bool,
) -> Result<Option<Name>, Problem> {
    let Some(word) = word else { return Ok(None) };
    let engine = session.engine();
    let now = engine.now();
    let mut found = matches(engine.record(), word)?;
    // several certificates of one subscriber are equivalent here
    if let Some(first) = found.first().cloned()
        && found.iter().all(|one| one.subject.is_same_as(&first.subject) && one.key == first.key)
    {
        found = vec![first];
    }
    let former = the_one(found, word, "certificate", now)?;
    if former.key != Some(applicant.public_key.digest()) {
        let message = format!("{}/{} is for another key", former.authority, former.id.serial_number);
        return Err(Problem::new(Code::PolicyOtherKey, message).hint(
            "leave --same-holder-as out: a key that nobody had before needs no word about its holder",
        ));
    }
    if former.certificate.as_ref().is_some_and(Certificate::is_ca) {
        let message = format!("`{}` is a CA, and its key is nobody else's", former.subject);
        return Err(Problem::new(Code::PolicyKeyOfACa, message).hint("make a request with a new key"));
    }
    if former.subject.is_same_as(&applicant.subject) {
        return Ok(None);
    }
    if !is_dry_run {
        let (had, asks) = former.subject.beside(&applicant.subject);
        confirm(
            &session.global,
            &format!(
                "The key of the request is that of {had}, and the request is for {asks}.\nIs it the same holder, under a \
                 new name?"
            ),
        )?;
    }
    Ok(Some(former.subject))
}
