//! `renew`, `rekey`: issues a certificate again for the same subscriber.
use super::authority::key;
use super::output::no_directory;
use super::request::{Made, Wanted, make_pair, not_signed};
use super::same_holder::same_holder;
use super::select::{list, matches, the_one};
use super::sign::{applicant, issue_requests, issuing, profile_for};
use super::values::{record as record_fields, requested_validity, usage};
use crate::cli::{Rekey, Renew, Sign};
use crate::report::{Report, path_value};
use crate::session::Session;
use genfic_ca::assembly;
use genfic_ca::ca::IssuanceRequest;
use genfic_ca::config::parse_duration;
use genfic_ca::error::{Code, Problem, Shown as _};
use genfic_ca::index::{CertificateRecord, CertificateState};
use genfic_ca::profile::{Applicant, Kind, RequestedValues};
use genfic_ca::x509::{Certificate, GeneralName, UnixTime};
use serde_json::{Value, json};
use std::path::PathBuf;

/// The certificate that is replaced, and what the new one is issued under.
struct Former {
    record: CertificateRecord,
    certificate: Certificate,
    authority: String,
    profile: String,
    notices: Vec<String>,
}

/// Issues the same subject, names and key again with a new serial number and validity.
pub(crate) fn renew(session: &Session, args: &Renew) -> Result<Report, Problem> {
    let former = former(session, args)?;
    if let Some(report) = not_yet(session, args, &former)? {
        return Ok(report);
    }
    let tbs = former.certificate.tbs();
    let applicant = Applicant::new(tbs.subject().clone(), tbs.public_key().clone());
    let output = output(args, &former);
    issue(session, args, &former, applicant, output)
}

/// Issues the same subject and names again with a new key, which is created here or taken from a request.
pub(crate) fn rekey(session: &Session, args: &Rekey) -> Result<Report, Problem> {
    let renew = &args.renew;
    let former = former(session, renew)?;
    if let Some(report) = not_yet(session, renew, &former)? {
        return Ok(report);
    }
    if let Some(file) = &args.request {
        let applicant = applicant(file)?;
        if applicant.public_key == *former.certificate.tbs().public_key() {
            let message = format!("{} has the key that the certificate has already", file.shown());
            return Err(Problem::new(Code::RenewalSameKey, message)
                .hint("make a request with a new key, or use `genfic-ca renew`"));
        }
        let output = output(renew, &former);
        return issue(session, renew, &former, applicant, output);
    }
    let made = make(session, args, &former)?;
    let applicant = applicant(&made.request)?;
    let output = output(renew, &former).or_else(|| Some(made.certificate.clone()));
    let mut report =
        issue(session, renew, &former, applicant, output).map_err(|problem| not_signed(problem, &made))?;
    if let Some(result) = report.result.as_object_mut() {
        result.insert("key".into(), path_value(&made.key));
        result.insert("request".into(), path_value(&made.request));
    }
    report.text =
        format!("{}\n  key       {}\n  request   {}", report.text, made.key.shown(), made.request.shown());
    Ok(report)
}

fn make(session: &Session, args: &Rekey, former: &Former) -> Result<Made, Problem> {
    let directory = args.dir.clone().unwrap_or_default();
    if !directory.as_os_str().is_empty() && !directory.is_dir() {
        return Err(no_directory(&directory));
    }
    let algorithm = match &args.key {
        Some(text) => key(text)?,
        None => assembly::leaf_key(&session.assembly.home, session.global.config.as_deref())?,
    };
    let wanted = Wanted {
        directory,
        base: &file_name(former),
        subject: former.record.subject.clone(),
        names: former.record.subject_alt_names.clone(),
        algorithm,
        encrypt: args.encrypt,
        sign: args.renew.output.is_none(),
    };
    make_pair(&session.global, wanted)
}

/// Returns the base name of the subscriber's files.
fn file_name(former: &Former) -> String {
    let first = former.record.subject.common_name();
    let first = first.or_else(|| former.record.subject_alt_names.first().map(GeneralName::value));
    let name: String = first
        .unwrap_or_default()
        .chars()
        .map(|one| if one.is_ascii_alphanumeric() || "-_.@".contains(one) { one } else { '_' })
        .collect();
    if name.trim_start_matches(['.', '_']).is_empty() {
        former.record.id.serial_number.to_string()
    } else {
        name.trim_start_matches('.').to_owned()
    }
}

fn output(args: &Renew, former: &Former) -> Option<PathBuf> {
    let output = args.output.as_deref()?;
    Some(if output.is_dir() { output.join(format!("{}.crt", file_name(former))) } else { output.to_owned() })
}

/// Returns the named certificate, and the CA that issues the next one: its issuer's current generation.
fn former(session: &Session, args: &Renew) -> Result<Former, Problem> {
    let engine = session.engine();
    let now = engine.now();
    let meant = args.parent.as_deref().map(|name| session.meant(name)).transpose()?;
    let found = matches(engine.record(), &args.certificate)?;
    let (fit, unfit): (Vec<_>, Vec<_>) = found
        .into_iter()
        .filter(|record| meant.as_ref().is_none_or(|names| names.contains(&record.authority)))
        .partition(|record| record.state == CertificateState::Issued && record.certificate.is_some());
    if fit.is_empty() && !unfit.is_empty() {
        let message = format!(
            "no certificate that matches `{}` can be issued once more; there is\n{}",
            args.certificate,
            list(&unfit, now)
        );
        return Err(Problem::new(Code::CertificateRevoked, message)
            .hint("what is revoked or on hold is not renewed: sign a new request, or release it first"));
    }
    let record = newest_of_one_subscriber(session, fit, &args.certificate, now)?;
    let Some(certificate) = record.certificate.clone() else {
        return Err(the_one(Vec::new(), &args.certificate, "certificate", now)
            .err()
            .unwrap_or_else(|| Problem::new(Code::CertificateNotFound, "there is no such certificate")));
    };
    if certificate.is_ca() {
        return Err(usage(
            format!("`{}` is a CA's certificate", args.certificate),
            "use `genfic-ca renew-ca NAME`",
        ));
    }
    let (authority, said) = issuing(session, &record.authority)?;
    let profile = match (&args.profile, record.profile.as_str()) {
        (Some(profile), _) => profile.clone(),
        (None, "") => profile_for(session, &engine.hierarchy().authority(&authority)?, None)?,
        (None, profile) => profile.to_owned(),
    };
    if session.assembly.settings().profile(&profile)?.kind() == Kind::OcspResponder {
        return Err(usage(
            "it is a responder's certificate",
            "use `genfic-ca ocsp responder CA`; for a key on another host `genfic-ca sign FILE --responder-for CA`",
        ));
    }
    Ok(Former { record, certificate, authority, profile, notices: said.into_iter().collect() })
}

/// Returns the newest of several certificates of one subscriber, which earlier renewals left. Certificates are of one
/// subscriber when they have one subject and the same names, and are from one CA under one profile.
pub(crate) fn newest_of_one_subscriber(
    session: &Session,
    fit: Vec<CertificateRecord>,
    word: &str,
    now: UnixTime,
) -> Result<CertificateRecord, Problem> {
    let Some(first) = fit.first() else { return the_one(fit, word, "certificate", now) };
    let generations: Vec<String> =
        session.engine().hierarchy().generations(&first.authority)?.into_iter().map(|one| one.name).collect();
    // imported certificates have no profile
    let profile = fit.iter().map(|one| &one.profile).find(|profile| !profile.is_empty());
    let alike = fit.iter().all(|other| {
        other.subject.is_same_as(&first.subject)
            && (other.profile.is_empty() || profile == Some(&other.profile))
            && same_names(&other.subject_alt_names, &first.subject_alt_names)
            && generations.contains(&other.authority)
    });
    match alike {
        true => Ok(first.clone()),
        false => the_one(fit, word, "certificate", now),
    }
}

fn same_names(one: &[GeneralName], other: &[GeneralName]) -> bool {
    one.len() == other.len() && one.iter().all(|name| other.contains(name))
}

/// Returns the report for `--expiring` when the certificate does not end that soon.
fn not_yet(session: &Session, args: &Renew, former: &Former) -> Result<Option<Report>, Problem> {
    let Some(text) = args.expiring.as_deref() else { return Ok(None) };
    let seconds = parse_duration(text).map_err(|error| usage(error, "for example --expiring 30d"))?;
    let now = session.engine().now();
    let end = former.record.validity.not_after;
    if end <= now.plus(seconds) {
        return Ok(None);
    }
    let file = session.issued_file(&former.record);
    let result =
        json!({ "certificates": [record_fields(&former.record, file.as_deref(), now)], "refused": [] });
    Ok(Some(Report::seen(result, format!("{} ends on {end}, not within {text}", args.certificate))))
}

fn issue(
    session: &Session,
    args: &Renew,
    former: &Former,
    applicant: Applicant,
    output: Option<PathBuf>,
) -> Result<Report, Problem> {
    let names = former.record.subject_alt_names.clone();
    let asked = &applicant.alt_names;
    if !(asked.is_empty() || same_names(asked, &names)) || !applicant.malformed_names.is_empty() {
        return Err(otherwise("the request asks for other names than the certificate has"));
    }
    let same_holder_as = same_holder(session, args.same_holder_as.as_deref(), &applicant, false)?;
    let values = RequestedValues {
        same_holder_as,
        alt_names: Some(names),
        validity: requested_validity(args.valid.as_deref())?,
        contact: args.contact.clone().or_else(|| former.record.contact.clone()),
        backdate: session.assembly.settings().config.issuance.backdate,
        ..RequestedValues::default()
    };
    let request = IssuanceRequest { label: args.certificate.clone(), applicant, values, authority: None };
    let (tbs, _) = session.engine().issuance().preview(&former.authority, &former.profile, &request)?;
    if !tbs.subject().is_same_as(&former.record.subject) {
        let (granted, is) = tbs.subject().beside(&former.record.subject);
        return Err(otherwise(&format!("it would be granted for {granted}, and is for {is}")));
    }
    let granted = tbs.subject_alt_names();
    if !same_names(&granted, &former.record.subject_alt_names) {
        let only = |one: &[GeneralName], other: &[GeneralName]| {
            let only = one.iter().filter(|name| !other.contains(name)).map(ToString::to_string);
            let only: Vec<String> = only.collect();
            if only.is_empty() { "nothing".to_owned() } else { only.join(", ") }
        };
        let (more, less) = (
            only(&granted, &former.record.subject_alt_names),
            only(&former.record.subject_alt_names, &granted),
        );
        return Err(otherwise(&format!("of its names it would lose {less}, and get {more} besides")));
    }
    let sign = Sign {
        files: vec![PathBuf::from(&args.certificate)],
        parent: former.authority.clone(),
        // an output equal to the option was typed
        is_named_here: output != args.output,
        output,
        chain: args.chain,
        ..Sign::default()
    };
    let mut report = issue_requests(session, &sign, &former.profile, vec![request], Vec::new())?;
    let id = format!("{}/{}", former.record.authority, former.record.id.serial_number);
    let certificates = report.result.get_mut("certificates").and_then(Value::as_array_mut);
    for fields in certificates.into_iter().flatten().filter_map(Value::as_object_mut) {
        fields.insert("replaces".into(), json!(former.record.id.serial_number.to_string()));
    }
    report.text = format!(
        "{}\n  replaces  {id}, which is valid until {}",
        report.text, former.record.validity.not_after
    );
    Ok(report.warn(former.notices.clone()))
}

fn otherwise(what: &str) -> Problem {
    Problem::new(Code::RenewalDiffers, what.to_owned())
        .hint("a renewal changes neither subject nor names; `genfic-ca sign` issues for a request that does")
}
