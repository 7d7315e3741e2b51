//! `renew`, `rekey`: issues a certificate again for the same subscriber.
pub(super) mod meanwhile;
mod placing;
mod unlike;

use super::Pair;
use super::authority::key;
use super::hook::hooked;
use super::newest::newest_of_one_subscriber;
use super::output::no_directory;
use super::renewals;
use super::request::{Made, Wanted, make_pair, new_pair};
use super::same_holder::same_holder;
use super::select::{list, matches};
use super::sign::{applicant, issue_requests, issuing, profile_for};
use super::values::{record as record_fields, requested_validity, usage};
use crate::cli::{Rekey, Renew, Sign};
use crate::report::{Report, path_value};
use crate::session::Session;
use genfic_ca::assembly;
use genfic_ca::ca::IssuanceRequest;
use genfic_ca::config::parse_period;
use genfic_ca::error::{Code, Problem, Shown as _};
use genfic_ca::index::{CertificateRecord, CertificateState};
use genfic_ca::profile::{Applicant, Kind, RequestedValues};
use genfic_ca::signing::Secret;
use genfic_ca::x509::{Certificate, GeneralName, UnixTime};
use placing::output;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::sync::Arc;
use unlike::{only, otherwise};

/// The certificate that is replaced, and what the new one is issued under.
pub(super) struct Former {
    pub(super) record: CertificateRecord,
    pub(super) certificate: Certificate,
    pub(super) authority: String,
    pub(super) profile: String,
    notices: Vec<String>,
    /// Number of certificates that the word means.
    several: usize,
}

/// Issues the same subject, names and key again with a new serial number and validity.
pub(crate) fn renew(session: &Session, args: &Renew) -> Result<Report, Problem> {
    let lock = renewals::alone(&session.assembly.home, args)?;
    let Some(word) = single(args).filter(|_| args.dir.is_none()) else {
        return renewals::renew(session, args, lock);
    };
    let former = former(session, args, word, true)?;
    if let Some(report) = not_yet(session, args, &former, word, || true)? {
        drop(lock);
        return Ok(placing::settled(args, &former, hooked(args, "renew", report, true)));
    }
    let output = output(args, &former.record);
    let is_owed = placing::owe(args, output.as_deref())?;
    let issued = issue(session, args, &former, former.applicant(), output.clone(), None);
    drop(lock);
    if is_owed && issued.is_err() {
        placing::not_owed(output.as_deref());
    }
    Ok(placing::settled(args, &former, hooked(args, "renew", issued?, true)))
}

/// Issues the same subject and names again with a new key, which is created here or taken from a request.
pub(crate) fn rekey(session: &Session, args: &Rekey) -> Result<Report, Problem> {
    let renew = &args.renew;
    let lock = renewals::alone(&session.assembly.home, renew)?;
    let Some(word) = single(renew) else {
        return renewals::rekey(session, args, lock);
    };
    let former = former(session, renew, word, false)?;
    if let Some(report) = not_yet(session, renew, &former, word, || is_rekeyed(args, &former))? {
        drop(lock);
        return Ok(placing::settled(renew, &former, hooked(renew, "rekey", report, true)));
    }
    let output = output(renew, &former.record);
    let is_owed = placing::owe(renew, output.as_deref())?;
    let issued = rekey_one(session, args, &former);
    drop(lock);
    if is_owed && issued.is_err() {
        placing::not_owed(output.as_deref());
    }
    Ok(placing::settled(renew, &former, hooked(renew, "rekey", issued?, true)))
}

/// Whether the certificate is for the key of the request, or for that of the request which an earlier command made.
fn is_rekeyed(args: &Rekey, former: &Former) -> bool {
    let made = args.renew.dir.clone().unwrap_or_default().join(format!("{}.req", former.file_name()));
    let file = args.request.as_ref().unwrap_or(&made);
    applicant(file).is_ok_and(|asked| asked.public_key == *former.certificate.tbs().public_key())
}

fn rekey_one(session: &Session, args: &Rekey, former: &Former) -> Result<Report, Problem> {
    let renew = &args.renew;
    if let Some(file) = &args.request {
        let applicant = applicant(file)?;
        if applicant.public_key == *former.certificate.tbs().public_key() {
            let message = format!("{} has the key that the certificate has already", file.shown());
            return Err(Problem::new(Code::RenewalSameKey, message)
                .hint("make a request with a new key, or use `genfic-ca renew`"));
        }
        let output = output(renew, &former.record);
        return issue(session, renew, former, applicant, output, None);
    }
    let directory = directory(renew)?;
    let base = former.file_name();
    let (made, pair) = new_pair(&session.global, wanted(session, args, former, (directory, &base), None)?)?;
    let output = output(renew, &former.record).or_else(|| Some(made.certificate.clone()));
    let issued = issue(session, renew, former, pair.applicant()?, output, Some(Arc::clone(&pair)));
    let mut report = issued.map_err(|problem| pair.given_up(problem, &made))?;
    if let Some(result) = report.result.as_object_mut() {
        result.insert("key".into(), path_value(&made.key));
        result.insert("request".into(), path_value(&made.request));
    }
    report.text =
        format!("{}\n  key       {}\n  request   {}", report.text, made.key.shown(), made.request.shown());
    Ok(report)
}

/// Returns the one CERT that was named; none when there are several, or all that are due are meant.
fn single(args: &Renew) -> Option<&str> {
    match args.certificates.as_slice() {
        [one] => Some(one),
        _ => None,
    }
}

/// Returns the directory of the new files, which must exist.
pub(super) fn directory(args: &Renew) -> Result<PathBuf, Problem> {
    let directory = args.dir.clone().unwrap_or_default();
    if !directory.as_os_str().is_empty() && !directory.is_dir() {
        return Err(no_directory(&directory));
    }
    Ok(directory)
}

/// Makes the new key and its request in a directory.
pub(super) fn make(
    session: &Session,
    args: &Rekey,
    former: &Former,
    (directory, base): (PathBuf, &str),
    secret: Option<Secret>,
) -> Result<Made, Problem> {
    make_pair(&session.global, wanted(session, args, former, (directory, base), secret)?)
}

fn wanted<'a>(
    session: &Session,
    args: &Rekey,
    former: &Former,
    (directory, base): (PathBuf, &'a str),
    secret: Option<Secret>,
) -> Result<Wanted<'a>, Problem> {
    let algorithm = match &args.key {
        Some(text) => key(text)?,
        None => assembly::leaf_key(&session.assembly.home, session.global.config.as_deref())?,
    };
    Ok(Wanted {
        directory,
        base,
        subject: former.record.subject.clone(),
        names: former.record.subject_alt_names.clone(),
        algorithm,
        encrypt: args.encrypt,
        secret,
        sign: args.renew.output.is_none(),
    })
}

impl Former {
    /// Returns the base name of the subscriber's files.
    pub(super) fn file_name(&self) -> String {
        placing::file_name(&self.record)
    }

    /// Returns the subscriber with the present key.
    pub(super) fn applicant(&self) -> Applicant {
        let tbs = self.certificate.tbs();
        Applicant::new(tbs.subject().clone(), tbs.public_key().clone())
    }

    /// Returns the certificate as a CERT that names it.
    pub(super) fn id(&self) -> String {
        format!("{}/{}", self.record.authority, self.record.id.serial_number)
    }
}

/// Returns the named certificate, and the CA that issues the next one: its issuer's current generation. With
/// `keeps_key` it is one for the key of the certificate that the file of `-o` holds.
pub(super) fn former(
    session: &Session,
    args: &Renew,
    word: &str,
    keeps_key: bool,
) -> Result<Former, Problem> {
    let engine = session.engine();
    let now = engine.now();
    let meant = args.parent.as_deref().map(|name| session.meant(name)).transpose()?;
    let found = matches(engine.record(), word)?;
    let (fit, unfit): (Vec<_>, Vec<_>) = found
        .into_iter()
        .filter(|record| meant.as_ref().is_none_or(|names| names.contains(&record.authority)))
        .partition(|record| record.state == CertificateState::Issued && record.certificate.is_some());
    if fit.is_empty() && !unfit.is_empty() {
        let message = format!(
            "no certificate that matches `{word}` can be issued once more; there is\n{}",
            list(&unfit, now)
        );
        return Err(Problem::new(Code::CertificateRevoked, message)
            .hint("what is revoked or on hold is not renewed: sign a new request, or release it first"));
    }
    let fit = if keeps_key { placing::of_the_key_there(args, word, fit)? } else { fit };
    let several = fit.len();
    let record = newest_of_one_subscriber(session, fit, word, now)?;
    Ok(Former { several, ..Former::of(session, args, record)? })
}

impl Former {
    /// Returns a certificate on record with the CA that issues the next one.
    pub(super) fn of(session: &Session, args: &Renew, record: CertificateRecord) -> Result<Self, Problem> {
        let engine = session.engine();
        let Some(certificate) = record.certificate.clone() else {
            return Err(Problem::new(Code::CertificateNotFound, "its certificate is not on record"));
        };
        let id = format!("{}/{}", record.authority, record.id.serial_number);
        if certificate.is_ca() {
            return Err(usage(format!("`{id}` is a CA's certificate"), "use `genfic-ca renew-ca NAME`"));
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
        Ok(Self { record, certificate, authority, profile, notices: said.into_iter().collect(), several: 1 })
    }
}

fn same_names(one: &[GeneralName], other: &[GeneralName]) -> bool {
    one.len() == other.len() && one.iter().all(|name| other.contains(name))
}

/// Returns until when a certificate ends soon by `--expiring`; none without it.
pub(super) fn due_until(session: &Session, args: &Renew) -> Result<Option<UnixTime>, Problem> {
    let Some(text) = args.expiring.as_deref() else { return Ok(None) };
    let seconds = parse_period(text).map_err(|error| usage(error, "for example --expiring 30d"))?;
    Ok(Some(session.engine().now().plus(seconds)))
}

/// Returns the report for `--expiring` when the certificate does not end that soon. The output of `-o` then has it, when
/// `has_key` says that its key is there too.
fn not_yet(
    session: &Session,
    args: &Renew,
    former: &Former,
    word: &str,
    has_key: impl FnOnce() -> bool,
) -> Result<Option<Report>, Problem> {
    let Some(until) = due_until(session, args)? else { return Ok(None) };
    let now = session.engine().now();
    let end = former.record.validity.not_after;
    if end <= until {
        renewals::check_gain(session, args, former)?;
        return Ok(None);
    }
    let file = session.issued_file(&former.record);
    let result =
        json!({ "certificates": [record_fields(&former.record, file.as_deref(), now)], "refused": [] });
    let within = args.expiring.as_deref().unwrap_or_default();
    let report = Report::seen(result, format!("{word} ({}) ends on {end}, not within {within}", former.id()));
    placing::brought(session, args, former, has_key, report).map(Some)
}

/// Returns what is asked of the CA, once it is known that the new certificate has the same subject and names.
pub(super) fn request(
    session: &Session,
    args: &Renew,
    former: &Former,
    applicant: Applicant,
    label: String,
) -> Result<IssuanceRequest, Problem> {
    let names = former.record.subject_alt_names.clone();
    let asked = &applicant.alt_names;
    if !(asked.is_empty() || same_names(asked, &names)) || !applicant.malformed_names.is_empty() {
        let malformed = applicant.malformed_names.iter().map(|name| format!(" and the malformed {name}"));
        let (more, less) = (only(asked, &names), only(&names, asked));
        let what = format!(
            "the request asks for other names than the certificate has: for {more}{} besides, and not for {less}",
            malformed.collect::<String>()
        );
        return Err(otherwise(&what, former));
    }
    let same_holder_as = same_holder(session, args.same_holder_as.as_deref(), &applicant, false)?;
    let values = RequestedValues {
        renews: Some(format!("{}/{}", former.record.authority, former.record.id.serial_number)),
        same_holder_as,
        alt_names: Some(names),
        validity: requested_validity(args.valid.as_deref())?,
        contact: args.contact.clone().or_else(|| former.record.contact.clone()),
        backdate: session.assembly.settings().config.issuance.backdate,
        ..RequestedValues::default()
    };
    let renewal = meanwhile::renewal(session, former, &applicant)?;
    let request = IssuanceRequest { label, applicant, values, authority: None, renewal };
    let (tbs, _) = session.engine().issuance().preview(&former.authority, &former.profile, &request)?;
    renewals::check_later(session, args, former, &tbs)?;
    if !tbs.subject().is_same_as(&former.record.subject) {
        let (granted, is) = tbs.subject().beside(&former.record.subject);
        let what = format!("the new one would be for {granted}, and the one on record is for {is}");
        return Err(otherwise(&what, former));
    }
    let granted = tbs.subject_alt_names();
    if !same_names(&granted, &former.record.subject_alt_names) {
        let (more, less) = (
            only(&granted, &former.record.subject_alt_names),
            only(&former.record.subject_alt_names, &granted),
        );
        return Err(otherwise(&format!("of its names it would lose {less}, and get {more} besides"), former));
    }
    Ok(request)
}

fn issue(
    session: &Session,
    args: &Renew,
    former: &Former,
    applicant: Applicant,
    output: Option<PathBuf>,
    pair: Option<Arc<Pair>>,
) -> Result<Report, Problem> {
    let label = single(args).unwrap_or_default().to_owned();
    let request = request(session, args, former, applicant, label.clone())?;
    let renewal = request.renewal.clone();
    let sign = Sign {
        files: vec![PathBuf::from(&label)],
        parent: former.authority.clone(),
        // an output equal to the option was typed
        is_named_here: output != args.output,
        output,
        chain: args.chain,
        force: args.force,
        pair,
        ..Sign::default()
    };
    let issued = issue_requests(session, &sign, &former.profile, vec![request], Vec::new());
    if let (Err(problem), Some(renewal)) = (&issued, &renewal)
        && problem.code == Code::RenewalMeanwhile
        && let Some(newer) = meanwhile::newer(session, former, renewal)?
    {
        return meanwhile::report(session, args, &label, newer);
    }
    let mut report = issued?;
    let certificates = report.result.get_mut("certificates").and_then(Value::as_array_mut);
    for fields in certificates.into_iter().flatten().filter_map(Value::as_object_mut) {
        fields.insert("replaces".into(), json!(former.record.id.serial_number.to_string()));
        fields.insert("name".into(), json!(former.file_name()));
    }
    let newest = match former.several {
        0 | 1 => String::new(),
        several => format!(" the newest of {several},"),
    };
    report.text = format!(
        "{}\n  replaces  {},{newest} which is valid until {}",
        report.text,
        former.id(),
        former.record.validity.not_after
    );
    Ok(report.warn(former.notices.clone()))
}
