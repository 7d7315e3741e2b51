//! `ocsp responder`, `ocsp query`, `ocsp sync`, `ocsp disable`, `ocsp enable`.
use super::newest::{Taken, newest};
use super::question::confirm;
use super::select::{matches, the_one};
use super::token_request;
use super::values::{read, usage};
use crate::cli::{Global, OcspAuthority, Query, Responder};
use crate::report::{Report, columns, counted, path_value};
use crate::session::{Session, home_of};
use genfic_ca::error::{Code, Notice, Problem, Shown as _};
use genfic_ca::ocsp::cert_id::HashAlgorithm;
use genfic_ca::ocsp::client::{Question, VerifiedStatus};
use genfic_ca::ocsp::query;
use genfic_ca::ocsp::response_data::CertStatus;
use genfic_ca::signing::{Keystore, random_nonce};
use genfic_ca::x509::extension::{AUTHORITY_INFO_ACCESS, AccessDescription};
use genfic_ca::x509::{Certificate, CrlReason, GeneralName, UnixTime};
use serde_json::json;
use std::path::Path;
use std::time::Duration;

/// Time that a responder may take to answer.
const TIMEOUT: Duration = Duration::from_secs(15);

/// Issues responder certificates.
pub(crate) fn responder(session: &Session, args: &Responder) -> Result<Report, Problem> {
    let engine = session.engine();
    let keystore = args.keystore.as_deref().map(str::parse::<Keystore>).transpose()?;
    let mut names = Vec::new();
    if let Some(name) = &args.authority {
        names.push(engine.hierarchy().authority(name)?.name);
    } else {
        engine.maintenance().confirm_clock()?;
        for authority in engine.record().authorities()? {
            if engine.maintenance().responder_is_due(&authority.name)? {
                names.push(authority.name);
            }
        }
    }
    let mut issued = Vec::new();
    let mut lines = Vec::new();
    let mut notices = Vec::new();
    let mut failed: Option<Problem> = None;
    for name in &names {
        let made = engine.issuance().unlock_issuer(name).and_then(|issuer| {
            notices.extend(engine.maintenance().serve_ocsp(issuer.authority())?.map(Notice::from));
            match &keystore {
                None if args.authority.is_some() => engine.issuance().issue_responder_in_full(&issuer),
                None => engine.issuance().issue_responder(&issuer),
                Some(Keystore::File) => engine.issuance().issue_responder_with(&issuer, None),
                Some(Keystore::Token(uri)) => {
                    let (uri, key) = token_request::responder_key(session, uri, name)?;
                    engine.issuance().issue_responder_with(&issuer, Some((&uri, key)))
                }
            }
        });
        match made {
            Ok(responder) => {
                let tbs = responder.certificate.tbs();
                let (serial, validity) = (tbs.serial_number(), tbs.validity());
                lines.push(format!("{name}: responder certificate {serial} until {}", validity.not_after));
                issued.push(json!({
                    "name": name,
                    "serial": serial.to_string(),
                    "not_before": validity.not_before.to_string(),
                    "not_after": validity.not_after.to_string(),
                    "file": path_value(&responder.file),
                }));
                notices.extend(responder.notices);
            }
            Err(problem) if names.len() == 1 => return Err(problem),
            Err(problem) => {
                lines.push(format!("{name}: {}", problem.message));
                failed = Some(failed.unwrap_or(problem));
            }
        }
    }
    if names.is_empty() {
        lines.push("no responder certificate is due".into());
    }
    let result = json!({ "responders": issued });
    let report = if issued.is_empty() {
        Report::seen(result, lines.join("\n"))
    } else {
        Report::done(result, lines.join("\n"))
    };
    Ok(report.warn(notices).ending(failed))
}

/// Publishes the status again.
pub(crate) fn sync(session: &Session) -> Result<Report, Problem> {
    let engine = session.engine();
    // revocations are published at any clock time; the status time moves on only with a trusted clock
    let unconfirmed = engine.maintenance().confirm_clock().err();
    engine.publication().sync_status()?;
    let change = engine.record().change_number()?;
    if let Some(problem) = unconfirmed {
        let message = format!("the status is published, but not its time: {}", problem.message);
        let text = format!("status published, change {change}; its time stays");
        return Ok(
            Report::done(json!({ "change": change }), text).ending(Some(Problem { message, ..problem }))
        );
    }
    Ok(Report::done(json!({ "change": change }), format!("status published, change {change}")))
}

/// Disables OCSP for a CA.
pub(crate) fn disable(session: &Session, args: &OcspAuthority) -> Result<Report, Problem> {
    let (engine, name) = (session.engine(), &args.authority);
    if !engine.hierarchy().authority(name)?.serves_ocsp {
        return Ok(Report::seen(switched(name, false, 0), format!("OCSP is disabled for {name} already")));
    }
    let naming = engine.maintenance().certificates_naming_responder(name)?;
    let what = match naming {
        0 => format!("no valid certificate of {name} names its responder"),
        naming => format!(
            "{} of {name} {} its responder and will be answered `unauthorized`: clients that insist on OCSP refuse \
             {}, others go by the CRL",
            counted(naming, "valid certificate"),
            if naming == 1 { "names" } else { "name" },
            if naming == 1 { "it" } else { "them" },
        ),
    };
    confirm(&session.global, &format!("{what}\nDisable OCSP for {name}?"))?;
    engine.maintenance().answer_by_ocsp(name, false)?;
    let text = format!(
        "OCSP is disabled for {name}: its responder answers no more, and new certificates name none\n{what}"
    );
    Ok(Report::done(switched(name, false, naming), text))
}

/// Enables OCSP for a CA again.
pub(crate) fn enable(session: &Session, args: &OcspAuthority) -> Result<Report, Problem> {
    let (engine, name) = (session.engine(), &args.authority);
    let is_new = engine.maintenance().answer_by_ocsp(name, true)?;
    let naming = engine.maintenance().certificates_naming_responder(name)?;
    let next = match engine.maintenance().responder_is_due(name)? {
        true => format!("; its responder certificate is due: genfic-ca ocsp responder {name}"),
        false => String::new(),
    };
    let result = switched(name, true, naming);
    Ok(match is_new {
        true => {
            Report::done(result, format!("OCSP is enabled for {name}, and new certificates name it{next}"))
        }
        false => Report::seen(result, format!("OCSP is enabled for {name} already{next}")),
    })
}

fn switched(name: &str, answered: bool, naming: usize) -> serde_json::Value {
    json!({ "name": name, "ocsp": answered, "certificates_naming_responder": naming })
}

/// Asks a responder and verifies its response.
pub(crate) fn question(global: &Global, args: &Query) -> Result<Report, Problem> {
    let session = if home_of(global).exists() { Some(Session::open(global)?) } else { None };
    let now = session.as_ref().map_or_else(genfic_ca::assembly::now, |session| session.engine().now());
    let (certificate, notice) = certificate_of(session.as_ref(), &args.certificate)?;
    let issuer = issuer_of(session.as_ref(), args, &certificate)?;
    let url = match &args.url {
        Some(url) => url.clone(),
        None => named_responder(&certificate).ok_or_else(|| {
            usage("the certificate names no OCSP responder", "give its address: --url http://HOST:PORT/")
        })?,
    };
    let answer = ask(&url, &certificate, &issuer, now)?;
    let signed_by = answer.responder.as_ref().unwrap_or(&issuer).tbs().subject().to_string();
    let mut rows = vec![("  status".to_owned(), answer.status.to_string())];
    if let CertStatus::Revoked { at, reason } = answer.status {
        rows.push(("  revoked".into(), format!("{at}, {}", word(reason))));
    }
    rows.push(("  this update".into(), answer.this_update.to_string()));
    rows.extend(answer.next_update.map(|at| ("  next update".into(), at.to_string())));
    rows.push(("  signed by".into(), signed_by.clone()));
    let text = format!("{url} answers for {}\n{}", certificate.tbs().serial_number(), columns(&rows));
    let (revoked_at, reason) = match answer.status {
        CertStatus::Revoked { at, reason } => (Some(at.to_string()), Some(word(reason))),
        CertStatus::Good | CertStatus::Unknown => (None, None),
    };
    let result = json!({
        "url": url,
        "serial": certificate.tbs().serial_number().to_string(),
        "status": answer.status.to_string(),
        "revoked_at": revoked_at,
        "reason": reason,
        "produced_at": answer.produced_at.to_string(),
        "this_update": answer.this_update.to_string(),
        "next_update": answer.next_update.map(|at| at.to_string()),
        "signed_by": signed_by,
    });
    let exit = (answer.status != CertStatus::Good).then(|| {
        Problem::new(Code::OcspNotGood, format!("the certificate is {}", answer.status))
            .hint("the answer itself is in order: its signature and its times verify")
    });
    Ok(Report::seen(result, text).warn(notice).warn(answer.remarks).ending(exit))
}

fn word(reason: Option<CrlReason>) -> String {
    reason.map_or_else(|| "unspecified".into(), |reason| reason.to_string())
}

/// Asks with a fresh nonce, and verifies the response.
pub(crate) fn ask(
    url: &str,
    certificate: &Certificate,
    issuer: &Certificate,
    now: UnixTime,
) -> Result<VerifiedStatus, Problem> {
    let question = Question::new(certificate, issuer, HashAlgorithm::Sha1, Some(random_nonce()?))?;
    query::ask(url, &question, now, TIMEOUT)
}

/// Returns the certificate that the word names, and which it is when there are several of its holder.
fn certificate_of(session: Option<&Session>, word: &str) -> Result<(Certificate, Option<String>), Problem> {
    if let Some(session) = session {
        let engine = session.engine();
        let found = matches(engine.record(), word);
        let is_file = word == "-" || Path::new(word).is_file();
        match found {
            Ok(found) if !found.is_empty() => {
                let Taken { record, notice } = newest(session, found, word, "certificate", engine.now())?;
                let certificate = record.certificate.ok_or_else(|| {
                    Problem::new(Code::CertificateNotFound, format!("`{word}` was never signed"))
                })?;
                return Ok((certificate, notice));
            }
            Ok(found) if !is_file => {
                return Err(the_one(found, word, "certificate", engine.now()).err().unwrap_or_else(|| {
                    Problem::new(Code::CertificateNotFound, format!("no certificate matches `{word}`"))
                }));
            }
            Err(problem) if !is_file => return Err(problem),
            _ => {}
        }
    }
    let certificate = Certificate::from_pem_or_der(&read(Path::new(word))?)
        .map_err(|error| usage(format!("{word}: {error}"), "a PEM or DER certificate is needed"))?;
    Ok((certificate, None))
}

fn issuer_of(
    session: Option<&Session>,
    args: &Query,
    certificate: &Certificate,
) -> Result<Certificate, Problem> {
    if let Some(file) = &args.issuer {
        return Certificate::from_pem_or_der(&read(file)?)
            .map_err(|error| usage(format!("{}: {error}", file.shown()), "--issuer takes a certificate"));
    }
    let authorities = match session {
        Some(session) => session.engine().record().authorities()?,
        None => Vec::new(),
    };
    authorities
        .into_iter()
        .map(|authority| authority.certificate)
        .find(|issuer| certificate.is_signed_by(issuer.tbs().public_key()))
        .ok_or_else(|| usage("no CA of this home issued it", "give the issuer's certificate: --issuer FILE"))
}

fn named_responder(certificate: &Certificate) -> Option<String> {
    let extension = certificate.tbs().extension(AUTHORITY_INFO_ACCESS)?;
    let descriptions = AccessDescription::list_from_value(&extension.value).ok()?;
    descriptions.into_iter().find_map(|description| match description.location {
        GeneralName::Uri(url) if description.method == AccessDescription::OCSP => Some(url),
        _ => None,
    })
}
