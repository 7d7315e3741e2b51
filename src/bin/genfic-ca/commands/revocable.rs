//! What `revoke` and `hold` act on: a certificate on record, or one that a CA signed and nobody recorded. Also what a
//! person is shown before confirming.
use super::question::{confirm, confirm_attended};
use super::select::{Named, list, the_one};
use super::values::{until, usage};
use crate::report::columns;
use crate::session::Session;
use genfic_ca::ca::Unrecorded;
use genfic_ca::error::{Code, Problem};
use genfic_ca::index::{CertificateRecord, StatusValue};
use genfic_ca::x509::{Certificate, CrlReason, SerialNumber, UnixTime};

/// What is to be revoked or held.
pub(crate) enum Target {
    Recorded(Box<CertificateRecord>),
    Unrecorded(Box<Unrecorded>),
}

/// Asks whether digits that are the beginning of a number on record are meant so: as a whole number they may be that of
/// a certificate that is not on record, which would then stay valid.
pub(crate) fn ask_whether_beginning(
    session: &Session,
    word: &str,
    number: &SerialNumber,
    record: &CertificateRecord,
) -> Result<(), Problem> {
    let whole = format!("{}/{}", record.authority, record.id.serial_number);
    let question = format!(
        "No certificate on record has the number {number}, and that of {whole}, `{}`, begins so. Is it that one?",
        record.subject
    );
    confirm(&session.global, &question).map_err(|problem| {
        if problem.code != Code::InputConfirmation {
            return problem;
        }
        let remedy = problem.hint.clone().and(format!(
            "or name it as {whole}; a certificate that is not on record is named by its whole number: 0x{number} for {word}"
        ));
        problem.hint(remedy)
    })
}

/// Returns the one certificate with one of these states among those that were found.
pub(crate) fn one_of(
    found: Vec<CertificateRecord>,
    word: &str,
    states: &[StatusValue],
    among: &str,
    now: UnixTime,
) -> Result<CertificateRecord, Problem> {
    let (fit, unfit): (Vec<_>, Vec<_>) =
        found.into_iter().partition(|record| states.contains(&record.status(now)));
    if fit.is_empty() && !unfit.is_empty() {
        let message = format!("no {among} matches `{word}`; there is\n{}", list(&unfit, now));
        return Err(Problem::new(Code::CertificateNotFound, message).hint(match states {
            [StatusValue::Held] => "only what `genfic-ca hold` holds can be released",
            _ => "what is expired or revoked stays as it is",
        }));
    }
    the_one(fit, word, among, now)
}

/// Returns what a word names that a CA of this home signed and that is not on record: a certificate in a file, or a
/// serial number together with its CA.
pub(crate) fn unrecorded(
    session: &Session,
    named: &Named,
    meant: &[String],
) -> Result<Option<Unrecorded>, Problem> {
    let engine = session.engine();
    let (name, serial_number) = match named {
        Named::Otherwise | Named::Beginning(_) => return Ok(None),
        Named::Certificate(certificate) => {
            let unrecorded = engine.revocation().unrecorded(certificate)?;
            let name = &unrecorded.authority.name;
            if !meant.is_empty() && !meant.contains(name) {
                let message = format!("it was issued by {name}, and is not on record");
                return Err(Problem::new(Code::CertificateNotFound, message)
                    .hint(format!("with -p {name} it is revoked all the same")));
            }
            return Ok(Some(unrecorded));
        }
        Named::Number(Some(name), serial_number) => (name, serial_number),
        Named::Number(None, serial_number) => match meant {
            [name] => (name, serial_number),
            [] => return Err(of_which_ca(session, serial_number)?),
            several => return Err(of_which_generation(several, serial_number)),
        },
    };
    let authority = engine.hierarchy().authority(name)?;
    if authority.is_external() {
        let message = format!(
            "{name} is run by others, and nothing with the number {serial_number} is on record of it"
        );
        return Err(Problem::new(Code::KeyNotHere, message).hint("ask those who run it to revoke it"));
    }
    Ok(Some(Unrecorded { authority, serial_number: serial_number.clone(), certificate: None }))
}

fn of_which_ca(session: &Session, serial_number: &SerialNumber) -> Result<Problem, Problem> {
    let mut all = session.engine().record().authorities()?;
    all.retain(|one| !one.is_external());
    let words: Vec<String> =
        all.iter().map(|one| format!("genfic-ca revoke {}/{serial_number}", one.name)).collect();
    let message = format!("no certificate with the number {serial_number} is on record");
    Ok(Problem::new(Code::CertificateNotFound, message).hint(format!(
        "where a CA has signed it all the same, revoke the file with the certificate, or the number: {}",
        words.join(" or ")
    )))
}

fn of_which_generation(names: &[String], serial_number: &SerialNumber) -> Problem {
    let words: Vec<String> = names.iter().map(|name| format!("{name}/{serial_number}")).collect();
    let message =
        format!("no certificate with the number {serial_number} is on record, and the CA has several keys");
    Problem::new(Code::CertificateAmbiguous, message)
        .hint(format!("say which of them signed it: {}", words.join(" or ")))
}

/// The other certificates of the same subscriber, and those for the same key.
pub(crate) struct Others {
    pub(crate) of_subscriber: Vec<CertificateRecord>,
    pub(crate) of_key: Vec<CertificateRecord>,
}

impl Others {
    pub(crate) fn of(session: &Session, record: &CertificateRecord) -> Result<Self, Problem> {
        let engine = session.engine();
        Ok(Self {
            of_subscriber: engine.revocation().others_of_the_holder(record)?,
            of_key: engine.revocation().others_of_the_key(record)?,
        })
    }
}

/// Asks before a revocation. For a CA's certificate and for an unrecorded serial number confirmation is always
/// needed, for others only when there is a person.
pub(crate) fn ask(session: &Session, target: &Target, reason: Option<CrlReason>) -> Result<(), Problem> {
    if reason == Some(CrlReason::CertificateHold) {
        return Ok(());
    }
    let why = reason.map(|reason| format!(" ({reason})")).unwrap_or_default();
    match target {
        Target::Recorded(record) if is_authoritys(record.certificate.as_ref()) => {
            let question =
                format!("{} is a CA certificate: everything below it falls too. Revoke it?", record.subject);
            let shown = shown(session, record, reason)?;
            confirm(&session.global, &format!("{shown}\n{question}"))
        }
        Target::Recorded(record) => confirm_attended(&session.global, || {
            Ok(format!("{}\nRevoke it, for good{why}?", shown(session, record, reason)?))
        }),
        Target::Unrecorded(one) => match &**one {
            Unrecorded { authority, serial_number, certificate: None } => confirm(
                &session.global,
                &format!(
                    "{} has no certificate with the number {serial_number} on record. Revoke the number, for good{why}?",
                    authority.name
                ),
            ),
            Unrecorded { authority, certificate: Some(certificate), .. } => {
                let tbs = certificate.tbs();
                let rows = columns(&[
                    ("  subject".to_owned(), tbs.subject().to_string()),
                    ("  issuer".into(), authority.name.clone()),
                    ("  serial".into(), tbs.serial_number().to_string()),
                    ("  ends".into(), tbs.validity().not_after.to_string()),
                ]);
                let question = format!(
                    "{rows}\nIt is not on record, and signed by {}. Revoke it, for good{why}?",
                    authority.name
                );
                if certificate.is_ca() {
                    confirm(
                        &session.global,
                        &format!("{rows}\nIt is a CA certificate: everything below it falls too. Revoke it?"),
                    )
                } else {
                    confirm_attended(&session.global, || Ok(question))
                }
            }
        },
    }
}

/// Whether a certificate is a CA's.
pub(crate) fn is_authoritys(certificate: Option<&Certificate>) -> bool {
    certificate.is_some_and(Certificate::is_ca)
}

/// Returns a description of a certificate, with the others of its subscriber and of its key.
fn shown(
    session: &Session,
    record: &CertificateRecord,
    reason: Option<CrlReason>,
) -> Result<String, Problem> {
    let now = session.engine().time_to_distrust()?;
    let others = Others::of(session, record)?;
    let mut text = columns(&[
        ("  subject".to_owned(), record.subject.to_string()),
        ("  issuer".into(), record.authority.clone()),
        ("  serial".into(), record.id.serial_number.to_string()),
        ("  ends".into(), until(record)),
        ("  status".into(), record.status(now).to_string()),
    ]);
    let goes_too = reason.is_some_and(CrlReason::is_of_the_key);
    if !others.of_key.is_empty() {
        let what = if goes_too {
            "others for the same key, revoked with it"
        } else {
            "others for the same key, which stay valid"
        };
        text.push_str(&format!("\n{what}\n{}", list(&others.of_key, now)));
    }
    if !others.of_subscriber.is_empty() {
        let list = list(&others.of_subscriber, now);
        text.push_str(&format!("\nothers of the same holder, which stay valid\n{list}"));
    }
    Ok(text)
}

/// Returns the usage error for an option that needs a whole certificate and not only its serial number.
pub(crate) fn not_by_number() -> Problem {
    usage(
        "what is known by its number alone cannot be released again, and is not held",
        "`genfic-ca revoke CA/SERIAL` revokes it for good; or hold the file with the certificate",
    )
}
