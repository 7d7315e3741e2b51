//! `sign --responder-for`: issues a responder certificate for a key on another host.
use super::question::confirm;
use super::sign::{applicant, issue_requests, issuing};
use super::values::{requested_validity, tbs_fields, unsigned_text, usage};
use crate::cli::Sign;
use crate::report::Report;
use crate::session::Session;
use genfic_ca::error::{Problem, Shown as _};
use genfic_ca::profile::RequestedValidity;
use serde_json::{Value, json};

/// Profile of responder certificates.
const PROFILE: &str = "ocsp-responder";

/// Asks for confirmation, because such a delegation cannot be revoked, and issues the certificate.
pub(crate) fn sign(session: &Session, args: &Sign, authority: &str) -> Result<Report, Problem> {
    if !args.parent.is_empty() && args.parent != authority {
        return Err(usage(
            format!(
                "a responder of {authority} has its certificate from {authority}, not from {}",
                args.parent
            ),
            "leave -p out (RFC 6960 §4.2.2.2)",
        ));
    }
    let (parent, said) = issuing(session, authority)?;
    let engine = session.engine();
    let days = match requested_validity(args.valid.as_deref())? {
        RequestedValidity::Days(days) => Some(days),
        RequestedValidity::Max => Some(engine.settings().config.ocsp.responder_days_offline),
        _ => None,
    };
    let (mut requests, mut questions, mut texts, mut certificates, mut notices) =
        (Vec::new(), Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for file in &args.files {
        let asked = applicant(file)?;
        let label = file.shown().to_string();
        let request = engine.issuance().responder_request(&parent, &label, asked.public_key, days)?;
        let (tbs, more) = engine.issuance().preview_responder(&parent, &request)?;
        if asked.subject != *tbs.subject() || !asked.alt_names.is_empty() {
            let subject = tbs.subject();
            notices
                .push(format!("{label}: subject and names are not those of the request: {subject}").into());
        }
        notices.extend(more);
        questions.push(format!(
            "Whoever has the key of {label} answers for all of {parent} until {}, and cannot be stopped: \
             nobody looks a responder's certificate up. Issue it?",
            tbs.validity().not_after
        ));
        texts.push(format!("{label} would be granted as\n{}", unsigned_text(&tbs)?));
        let mut fields = tbs_fields(&tbs, &parent, PROFILE);
        for comes_with_signing in ["serial", "fingerprint", "file"] {
            fields.insert(comes_with_signing.into(), Value::Null);
        }
        certificates.push(Value::Object(fields));
        requests.push(request);
    }
    if args.dry_run {
        let result = json!({ "certificates": certificates, "refused": [], "dry_run": true });
        return Ok(Report::seen(result, texts.join("\n")).warn(notices).warn(said));
    }
    questions.iter().try_for_each(|question| confirm(&session.global, question))?;
    let args = Sign { parent, ..args.clone() };
    Ok(issue_requests(session, &args, PROFILE, requests, Vec::new())?.warn(notices).warn(said))
}
