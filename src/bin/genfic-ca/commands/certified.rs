//! Requests whose key and names have a valid certificate already.
use super::question::confirm_attended;
use crate::session::Session;
use genfic_ca::ca::IssuanceRequest;
use genfic_ca::error::Problem;
use genfic_ca::index::{CertificateRecord, StatusValue};
use genfic_ca::x509::{GeneralName, Name};

/// Returns a sentence for each request whose key, subject and names have a valid certificate of this profile.
pub(crate) fn certified_already(
    session: &Session,
    profile: &str,
    requests: &[IssuanceRequest],
) -> Result<Vec<String>, Problem> {
    let mut said = Vec::new();
    for request in requests {
        if let Some(record) = certified(session, profile, request)? {
            said.push(format!(
                "{}: the key and the names are certified already, by {}/{} until {}",
                request.label, record.authority, record.id.serial_number, record.validity.not_after
            ));
        }
    }
    Ok(said)
}

/// Asks whether such requests are to be signed once more; where nobody can be asked, they are.
pub(crate) fn confirm_again(session: &Session, said: &[String]) -> Result<(), Problem> {
    if said.is_empty() {
        return Ok(());
    }
    confirm_attended(&session.global, || Ok(format!("{}\nSign once more all the same?", said.join("\n"))))
}

/// Returns the newest of these certificates.
fn certified(
    session: &Session,
    profile: &str,
    request: &IssuanceRequest,
) -> Result<Option<CertificateRecord>, Problem> {
    let record = session.engine().record();
    let now = session.engine().now();
    let names = request.values.alt_names.as_ref().unwrap_or(&request.applicant.alt_names);
    let mut newest: Option<CertificateRecord> = None;
    for used in record.key_uses(&request.applicant.public_key.digest())? {
        if used.is_abandoned || used.is_ca || used.not_after < now {
            continue;
        }
        let Some(known) = record.certificate(&used.id)? else { continue };
        if known.status(now) == StatusValue::Valid
            && is_for(&known, &request.applicant.subject)
            && (known.profile.is_empty() || known.profile == profile)
            && are_same(names, &known.subject_alt_names)
        {
            newest = Some(known);
        }
    }
    Ok(newest)
}

/// Whether a certificate is for this subject, to which its profile may have added attributes.
fn is_for(known: &CertificateRecord, subject: &Name) -> bool {
    let name = subject.common_name();
    known.subject.is_same_as(subject) || name.is_some() && known.subject.common_name() == name
}

fn are_same(one: &[GeneralName], other: &[GeneralName]) -> bool {
    one.len() == other.len() && one.iter().all(|name| other.contains(name))
}
