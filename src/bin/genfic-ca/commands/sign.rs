//! `sign`: many requests in one go, one unlock.
use super::request::not_written;
use super::values::{issued as issued_fields, length, read, summary, tbs_fields, usage};
use crate::cli::{Chain, Sign};
use crate::report::Report;
use crate::session::Session;
use genfic_ca::ca::{IssuedCertificate, Order, Pki, Refusal};
use genfic_ca::index::Authority;
use genfic_ca::problem::{Exit, Problem};
use genfic_ca::profile::{Applicant, Ask, parse_alt_name};
use genfic_ca::publish::{Mode, replace};
use genfic_ca::x509::text::certificate_text;
use genfic_ca::x509::{Certificate, CertificationRequest, CsrError, seal};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// Issues certificates for requests.
pub(crate) fn sign(session: &Session, args: &Sign) -> Result<Report, Problem> {
    if args.dry_run { preview(session, args) } else { issue(session, args) }
}

/// Issues and reports.
pub(crate) fn issue(session: &Session, args: &Sign) -> Result<Report, Problem> {
    let pki = session.pki();
    let authority = pki.authority(&args.parent)?;
    let (profile, said) = profile_for(session, &authority, args)?;
    let (orders, mut refused) = orders(session, args)?;
    let places = places(args)?;
    let issuer = pki.unlock_issuer(&args.parent)?;
    let issuance = pki.issue(&issuer, &profile, &orders)?;
    let chain: Vec<Certificate> =
        std::iter::once(authority.certificate.clone()).chain(issuer.ancestors().iter().cloned()).collect();
    refused.extend(issuance.refused.iter().cloned());

    let mut certificates = Vec::new();
    let mut texts = Vec::new();
    let mut notices: Vec<String> = said.into_iter().collect();
    for issued in &issuance.issued {
        let file = place(args, &places, issued, &chain)?;
        certificates.push(issued_fields(issued, &args.parent, &file));
        texts.push(format!(
            "issued by {} under {profile}\n{}",
            args.parent,
            summary(&issued.certificate, Some(&file))
        ));
        let many = orders.len() > 1;
        notices.extend(
            issued
                .notices
                .iter()
                .map(|notice| if many { format!("{}: {notice}", issued.label) } else { notice.clone() }),
        );
    }
    let refusals: Vec<Value> = refused
        .iter()
        .map(|refusal| {
            json!({ "file": refusal.label, "code": refusal.problem.code, "message": refusal.problem.message, "hint": refusal.problem.hint })
        })
        .collect();
    for refusal in &refused {
        if !issuance.issued.is_empty() {
            pki.record_refusal("sign", &refusal.label, &refusal.problem)?;
        }
    }
    notices.extend(pki.keep_up(issuer)?);
    let result = json!({ "certificates": certificates, "refused": refusals });
    let whole = genfic_ca::ca::Issuance { issued: issuance.issued, refused };
    match whole.problem() {
        Some(problem) if whole.issued.is_empty() => Err(problem),
        problem => Ok(Report::done(result, texts.join("\n")).warn(notices).ending(problem)),
    }
}

fn profile_for(
    session: &Session,
    authority: &Authority,
    args: &Sign,
) -> Result<(String, Option<String>), Problem> {
    if let Some(profile) = &args.profile {
        return Ok((profile.clone(), None));
    }
    let ca_profile = session.assembly.practices().profile(&authority.profile)?;
    match ca_profile.default_leaf_profile() {
        Some(profile) => Ok((profile.to_owned(), None)),
        None => Err(usage(
            format!(
                "the profile {} of {} names no default profile for what it signs",
                authority.profile, authority.name
            ),
            "add --profile NAME; the profiles are the files in policy/",
        )),
    }
}

/// One order for each readable request; the others are refused.
fn orders(session: &Session, args: &Sign) -> Result<(Vec<Order>, Vec<Refusal>), Problem> {
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
    let ask = Ask {
        alt_names,
        length: length(args.valid.as_deref())?,
        contact: args.contact.clone(),
        backdate: session.assembly.practices().config.issuance.backdate,
        ..Ask::default()
    };
    let mut orders = Vec::new();
    let mut refused = Vec::new();
    for file in &args.files {
        let label = file.display().to_string();
        match applicant(file) {
            Ok(applicant) => orders.push(Order { label, applicant, ask: ask.clone(), authority: None }),
            Err(problem) if args.files.len() == 1 => return Err(problem),
            Err(problem) => refused.push(Refusal { label, problem }),
        }
    }
    Ok((orders, refused))
}

fn applicant(file: &Path) -> Result<Applicant, Problem> {
    let octets = read(file)?;
    let refuse = |error: CsrError| {
        let code = if error == CsrError::BadSignature { "request.signature" } else { "request.malformed" };
        Problem::new(Exit::Refused, code, format!("{}: {error}", file.display()))
            .hint("ask for a new request, PEM or DER, signed by its own key (`openssl req -new` or `genfic-ca create-request`)")
    };
    let request =
        CertificationRequest::from_pem_or_der(&octets).map_err(refuse)?.verified().map_err(refuse)?;
    Ok(Applicant::from(&request))
}

enum Places {
    Home,
    File(PathBuf),
    Directory(PathBuf),
}

/// Where certificates go: checked before anything is signed.
fn places(args: &Sign) -> Result<Places, Problem> {
    let Some(output) = &args.output else { return Ok(Places::Home) };
    if output.is_dir() {
        return Ok(Places::Directory(output.clone()));
    }
    if args.files.len() > 1 {
        return Err(usage(
            format!(
                "-o {} is not a directory, and there are {} requests",
                output.display(),
                args.files.len()
            ),
            "give a directory that exists",
        ));
    }
    match output.parent() {
        Some(parent) if !parent.as_os_str().is_empty() && !parent.is_dir() => Err(Problem::new(
            Exit::NotFound,
            "file.directory",
            format!("the directory {} does not exist", parent.display()),
        )
        .hint("make it first; nothing was signed")),
        _ => Ok(Places::File(output.clone())),
    }
}

/// Writes the certificate, with its chain where asked, and says where it is (P15).
fn place(
    args: &Sign,
    places: &Places,
    issued: &IssuedCertificate,
    issuers: &[Certificate],
) -> Result<PathBuf, Problem> {
    let kept = issued.file.clone().unwrap_or_default();
    let path = match places {
        Places::Home => match args.chain {
            None => return Ok(kept),
            Some(_) => kept.with_extension("chain.pem"),
        },
        Places::File(path) => path.clone(),
        Places::Directory(directory) => {
            let label = Path::new(&issued.label);
            let stem = label.file_stem().and_then(|stem| stem.to_str()).filter(|stem| *stem != "-");
            let stem =
                stem.map_or_else(|| issued.certificate.tbs().serial_number().to_string(), str::to_owned);
            directory.join(format!("{stem}.crt"))
        }
    };
    let root_at = issuers.len().saturating_sub(1);
    let above: String = issuers
        .iter()
        .enumerate()
        .filter(|(at, _)| match args.chain {
            None => false,
            Some(Chain::WithoutRoot) => *at < root_at,
            Some(Chain::WithRoot) => true,
        })
        .map(|(_, issuer)| issuer.to_pem())
        .collect();
    let contents = issued.certificate.to_pem() + &above;
    replace(&path, contents.as_bytes(), Mode::Public).map_err(|error| {
        let problem = not_written(error);
        Problem {
            hint: format!("the certificate is issued and kept as {}; {}", kept.display(), problem.hint),
            ..problem
        }
    })?;
    Ok(path)
}

/// `--dry-run`: the exact certificate, but for its serial number and signature.
fn preview(session: &Session, args: &Sign) -> Result<Report, Problem> {
    let pki: Pki<'_> = session.pki();
    let authority = pki.authority(&args.parent)?;
    let (profile, _) = profile_for(session, &authority, args)?;
    let (orders, refused) = orders(session, args)?;
    let mut certificates = Vec::new();
    let mut texts = Vec::new();
    let mut notices = Vec::new();
    let mut refusals: Vec<Refusal> = refused;
    for order in &orders {
        match pki.preview(&args.parent, &profile, order) {
            Ok((tbs, said)) => {
                let unsigned = Certificate::from_der(&seal(tbs.as_der(), tbs.signature(), &[]))
                    .map_err(|error| Problem::new(Exit::Failure, "file.malformed", error.to_string()))?;
                let text = certificate_text(&unsigned);
                texts.push(format!(
                    "{} would be granted as (serial number and signature come with signing)\n{text}",
                    order.label
                ));
                let mut fields = tbs_fields(&tbs, &args.parent, &profile);
                fields.remove("serial");
                certificates.push(Value::Object(fields));
                notices.extend(said);
            }
            Err(problem) => refusals.push(Refusal { label: order.label.clone(), problem }),
        }
    }
    let refused: Vec<Value> = refusals
        .iter()
        .map(|refusal| json!({ "file": refusal.label, "code": refusal.problem.code, "message": refusal.problem.message }))
        .collect();
    let whole = genfic_ca::ca::Issuance { issued: Vec::new(), refused: refusals };
    match whole.problem() {
        Some(problem) if certificates.is_empty() => Err(problem),
        problem => {
            let result = json!({ "certificates": certificates, "refused": refused, "dry_run": true });
            Ok(Report::seen(result, texts.join("\n")).warn(notices).ending(problem))
        }
    }
}
