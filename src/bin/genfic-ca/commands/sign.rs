//! `sign`: issues certificates for several requests while the key is unlocked once.
pub(crate) mod ensured;
mod naming;
mod placing;

use super::certified::{certified_already, confirm_again};
use super::chain::issuers;
use super::same_holder::same_holder;
use super::values::{
    issued as issued_fields, read_up_to, requested_validity, summary, tbs_fields, unsigned_text, usage,
};
use crate::cli::{Chain, Sign};
use crate::hints;
use crate::progress;
use crate::report::{Report, path_value};
use crate::session::Session;
use genfic_ca::ca::{IssuanceOutcome, IssuanceRequest, Refusal, par_map};
use genfic_ca::error::{Code, Notice, Problem, Shown as _};
use genfic_ca::index::Authority;
use genfic_ca::profile::{Applicant, RequestedValues, parse_alt_name};
use genfic_ca::x509::{CertificationRequest, CsrError, PemKind};
use naming::label;
use placing::{OutputPaths, check_outputs, output_paths, place, with_chain};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// Limit of a request file in octets; 1 MiB is four times a request with the largest key and a thousand of the
/// longest names.
const LARGEST_REQUEST: u64 = 1 << 20;

/// Issues certificates for requests.
pub(crate) fn sign(session: &Session, args: &Sign) -> Result<Report, Problem> {
    if let Some(authority) = &args.responder_for {
        return super::responder::sign(session, args, authority);
    }
    if !args.dry_run {
        return issue(session, args);
    }
    let (parent, said) = issuing(session, &args.parent)?;
    Ok(preview(session, &Sign { parent, ..args.clone() })?.warn(said))
}

/// Returns the name of the generation that issues, and a message when it is not the named one.
pub(crate) fn issuing(session: &Session, name: &str) -> Result<(String, Option<String>), Problem> {
    if session.engine().hierarchy().generations(name)?.len() < 2 {
        return Ok((name.to_owned(), None));
    }
    let newest = session.engine().hierarchy().issuing_generation(name, session.engine().now())?.name;
    let said = (newest != name).then(|| format!("{newest} issues, the newest generation of {name} that can"));
    Ok((newest, said))
}

/// Issues with the current generation of the named CA, and reports.
pub(crate) fn issue(session: &Session, args: &Sign) -> Result<Report, Problem> {
    let (parent, said) = issuing(session, &args.parent)?;
    let args = Sign { parent, ..args.clone() };
    let authority = session.engine().hierarchy().authority(&args.parent)?;
    let profile = profile_for(session, &authority, args.profile.as_deref())?;
    let (requests, refused) = requests(session, &args)?;
    let again = certified_already(session, &profile, &requests)?;
    confirm_again(session, &again)?;
    Ok(issue_requests(session, &args, &profile, requests, refused)?.warn(said).warn(again))
}

/// Issues with exactly the named CA, and reports.
pub(crate) fn issue_requests(
    session: &Session,
    args: &Sign,
    profile: &str,
    requests: Vec<IssuanceRequest>,
    mut refused: Vec<Refusal>,
) -> Result<Report, Problem> {
    let engine = session.engine();
    engine.hierarchy().authority(&args.parent)?;
    let output_paths = output_paths(args)?;
    check_outputs(args, &output_paths, &requests)?;
    if requests.len() > 1 {
        progress::count("signed", Some(requests.len()));
    }
    let (requests, staggered, (issuer, issuance)) = if args.responder_for.is_some() {
        let issued = engine.issuance().unlock_and_issue_responders(&args.parent, &requests)?;
        (requests, Vec::new(), issued)
    } else {
        let (requests, staggered) = engine.issuance().stagger(&args.parent, profile, requests)?;
        let ready = || args.pair.as_ref().map_or(Ok(()), |pair| pair.write());
        let issued = engine.issuance().unlock_and_issue_when(&args.parent, profile, &requests, ready)?;
        (requests, staggered, issued)
    };
    let IssuanceOutcome { issued, refused: by_policy } = issuance;
    refused.extend(by_policy);

    let mut certificates = Vec::new();
    let mut texts = Vec::new();
    let mut notices = staggered;
    let mut octets = None;
    let is_output = matches!(output_paths, OutputPaths::Output);
    let chain = match &args.chain {
        Some(wanted) if !issued.is_empty() => {
            issuers(engine, &args.parent, matches!(wanted, Chain::WithRoot))
        }
        _ => Ok(Vec::new()),
    };
    let (files, unplaced) = place(args, output_paths, &issued, chain.as_deref());
    let said = par_map(issued.iter().zip(files).collect(), |(one, file)| {
        let text = summary(&one.certificate, Some(&file), []);
        let text = format!("issued by {} under {profile}\n{text}", args.parent);
        (issued_fields(one, &args.parent, &file), text)
    });
    for (one, (fields, text)) in issued.iter().zip(said) {
        if let (true, Ok(chain)) = (is_output && !session.global.json, &chain) {
            octets = Some(with_chain(one, chain));
        }
        certificates.push(fields);
        texts.push(text);
        notices.extend(one.notices.iter().map(|notice| labelled(&requests, &one.label, notice)));
    }
    if args.files.len() > 1 && !refused.is_empty() {
        engine.record_refusals("sign", &refused)?;
    }
    let changed = !issued.is_empty();
    if let Some(issuer) = issuer.filter(|_| changed) {
        match engine.maintenance().maintain(issuer) {
            Ok(done) => notices.extend(done),
            Err(problem) => notices.push(format!("what was due besides could not be done: {problem}").into()),
        }
    }
    let result = json!({ "certificates": certificates, "refused": refusals(args, &refused) });
    let problem = IssuanceOutcome { issued, refused }.problem().or(unplaced);
    match problem {
        Some(problem) if !changed && args.files.len() == 1 => Err(problem),
        problem => {
            let report = Report::seen(result, texts.join("\n")).warn(notices).ending(problem);
            Ok(Report { changed, octets, ..report })
        }
    }
}

fn refusals(args: &Sign, refused: &[Refusal]) -> Vec<Value> {
    let fields = |Refusal { label: of, problem }: &Refusal| {
        let file = args.files.iter().find(|file| label(file) == *of);
        json!({
            "file": file.map_or_else(|| json!(of), path_value), "code": problem.code.code(), "message": problem.message, "hint": hints::text(&problem.hint),
        })
    };
    refused.iter().map(fields).collect()
}

/// Prefixes a warning with its request when there are several requests.
fn labelled(requests: &[IssuanceRequest], label: &str, notice: &Notice) -> Notice {
    match requests.len() > 1 {
        true => Notice { message: format!("{label}: {}", notice.message), ..notice.clone() },
        false => notice.clone(),
    }
}

/// Returns the named profile, or the CA's default for what it signs.
pub(crate) fn profile_for(
    session: &Session,
    authority: &Authority,
    named: Option<&str>,
) -> Result<String, Problem> {
    if let Some(profile) = named {
        return Ok(profile.to_owned());
    }
    let ca_profile = session.assembly.settings().profile(&authority.profile)?;
    ca_profile.default_leaf_profile().map(str::to_owned).ok_or_else(|| {
        usage(
            format!(
                "the profile {} of {} names no default profile for what it signs",
                authority.profile, authority.name
            ),
            "add --profile NAME; the profiles are the files in policy/",
        )
    })
}

/// Returns one request for each readable request, and a refusal for each of the others.
fn requests(session: &Session, args: &Sign) -> Result<(Vec<IssuanceRequest>, Vec<Refusal>), Problem> {
    let alt_names = match args.san.as_slice() {
        [] => None,
        names => Some(
            names
                .iter()
                .map(|text| {
                    parse_alt_name(text)
                        .map_err(|error| usage(error.to_string(), "for example --san DNS:www.example"))
                })
                .collect::<Result<Vec<_>, _>>()?,
        ),
    };
    let values = RequestedValues {
        alt_names,
        validity: requested_validity(args.valid.as_deref())?,
        contact: args.contact.clone(),
        backdate: session.assembly.settings().config.issuance.backdate,
        ..RequestedValues::default()
    };
    if args.same_holder_as.is_some() && args.files.len() > 1 {
        return Err(usage("--same-holder-as is about one request", "sign it by itself; nothing was signed"));
    }
    let mut requests = Vec::new();
    let mut refused = Vec::new();
    let applicants = par_map(args.files.iter().collect(), |file: &PathBuf| match &args.pair {
        Some(pair) => pair.applicant(),
        None => applicant(file),
    });
    for (file, applicant) in args.files.iter().zip(applicants) {
        let label = label(file);
        match applicant {
            Ok(applicant) => {
                let same_holder_as =
                    same_holder(session, args.same_holder_as.as_deref(), &applicant, args.dry_run)?;
                let values = RequestedValues { same_holder_as, ..values.clone() };
                requests.push(IssuanceRequest { label, applicant, values, authority: None, renewal: None });
            }
            Err(problem) if args.files.len() == 1 => return Err(problem),
            Err(problem) => refused.push(Refusal { label, problem }),
        }
    }
    Ok((requests, refused))
}

/// Returns the applicant of a request in a file.
pub(crate) fn applicant(file: &Path) -> Result<Applicant, Problem> {
    applicant_of(&read_up_to(file, LARGEST_REQUEST)?, file)
}

/// Returns the applicant of a request that is, or will be, in this file.
pub(crate) fn applicant_of(octets: &[u8], file: &Path) -> Result<Applicant, Problem> {
    let refuse = |error: CsrError| {
        let anew = "ask for a new request, PEM or DER, signed by its own key (`openssl req -new` or `genfic-ca create-request`)";
        let stronger = "ask for a key on P-256, P-384 or P-521, an Ed25519 key, or an RSA key of 2048 to 8192 bits, signed with SHA-256 or better";
        let (code, hint) = match error {
            CsrError::BadSignature => (Code::RequestSignature, anew),
            CsrError::KeyLength(_) | CsrError::WeakKey(_) => (Code::PolicyWeakKey, stronger),
            CsrError::Unsupported(_) => (Code::RequestUnsupported, stronger),
            CsrError::Malformed(_) => (Code::RequestMalformed, anew),
            CsrError::Count(_) => (Code::RequestMalformed, "give each request in a file of its own"),
            CsrError::Other(content) => (Code::RequestNotARequest, in_place_of(content)),
            CsrError::Beside(PemKind::PrivateKey) => (
                Code::RequestWithPrivateKey,
                "a private key that was sent to somebody is no longer private: ask for a request with a new key, and for the request alone",
            ),
            CsrError::Beside(_) => (Code::RequestMalformed, "give the request alone in its file"),
        };
        Problem::new(code, format!("{}: {error}", file.shown())).hint(hint)
    };
    let request =
        CertificationRequest::from_pem_or_der(octets).map_err(refuse)?.verified().map_err(refuse)?;
    Ok(Applicant::from(&request))
}

/// Returns the remedy for a file that contains something else than a request.
fn in_place_of(content: PemKind) -> &'static str {
    match content {
        PemKind::Certificate => {
            "name the request that it was made from; `genfic-ca show FILE` shows what this is"
        }
        PemKind::PrivateKey => {
            "keep it to yourself, and make a request with it: `openssl req -new -key FILE -out NAME.req`"
        }
        PemKind::Pkcs12 => {
            "it has the private key in it; make a request where that is used (`openssl req -new -key KEY`)"
        }
        PemKind::Utf16 => "save it as plain text (ASCII or UTF-8), or give it as DER",
        PemKind::Nothing => "look whether it was saved or sent whole",
        _ => "a request is made with `openssl req -new` or `genfic-ca create-request`",
    }
}

/// `--dry-run`: shows the exact certificate except for its serial number and signature.
fn preview(session: &Session, args: &Sign) -> Result<Report, Problem> {
    let engine = session.engine();
    let authority = engine.hierarchy().authority(&args.parent)?;
    let profile = profile_for(session, &authority, args.profile.as_deref())?;
    let (requests, mut refused) = requests(session, args)?;
    let (requests, staggered) = engine.issuance().stagger(&args.parent, &profile, requests)?;
    output_paths(args)?;
    let mut certificates = Vec::new();
    let mut texts = Vec::new();
    let mut notices = staggered;
    notices.extend(certified_already(session, &profile, &requests)?.into_iter().map(Notice::from));
    for request in &requests {
        match engine.issuance().preview(&args.parent, &profile, request) {
            Ok((tbs, said)) => {
                texts.push(format!("{} would be granted as\n{}", request.label, unsigned_text(&tbs)?));
                let mut fields = tbs_fields(&tbs, &args.parent, &profile);
                for comes_with_signing in ["serial", "fingerprint", "file"] {
                    fields.insert(comes_with_signing.into(), Value::Null);
                }
                certificates.push(Value::Object(fields));
                notices.extend(said.iter().map(|notice| labelled(&requests, &request.label, notice)));
            }
            Err(problem) => refused.push(Refusal { label: request.label.clone(), problem }),
        }
    }
    let result =
        json!({ "certificates": certificates, "refused": refusals(args, &refused), "dry_run": true });
    match (IssuanceOutcome { issued: Vec::new(), refused }.problem()) {
        Some(problem) if args.files.len() == 1 => Err(problem),
        problem => Ok(Report::seen(result, texts.join("\n")).warn(notices).ending(problem.map(undone))),
    }
}

fn undone(problem: Problem) -> Problem {
    problem.hint("nothing was signed: this was a dry run")
}
