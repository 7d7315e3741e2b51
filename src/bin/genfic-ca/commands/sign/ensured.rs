//! `sign --ensure`: a request that has a valid certificate as asked is not signed again.
use super::naming::in_directory;
use super::{issue_requests, issuing, profile_for, requests, with_chain};
use crate::cli::{Chain, Ensure, Sign};
use crate::commands::chain::issuers;
use crate::commands::ensure::placing::{self, Placed};
use crate::commands::ensure::{WAIT, otherwise, unchanged, would_change};
use crate::commands::output::Output;
use crate::commands::same_holder::same_holder;
use crate::commands::values::{issued as issued_fields, record as record_fields, summary};
use crate::report::Report;
use crate::session::Session;
use genfic_ca::ca::{Difference, GrantedBefore, IssuanceRequest, IssuedCertificate, Published, Refusal};
use genfic_ca::error::{Code, Problem};
use genfic_ca::index::CertificateRecord;
use genfic_ca::x509::{Certificate, CertificateId};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

const AS_IT_IS: &str = "nothing was issued: without --ensure another certificate is; `genfic-ca revoke` ends the one \
                        that is there";

const STOPPED: &str = "nothing was issued: somebody has revoked it or put it on hold; where that is over, sign the \
                       request without --ensure, or release the certificate";

/// Requests by what is on record for them.
#[derive(Default)]
struct Sorted {
    there: Vec<(IssuanceRequest, CertificateRecord)>,
    missing: Vec<IssuanceRequest>,
    otherwise: Vec<(IssuanceRequest, CertificateRecord, Vec<Difference>)>,
}

/// Issues certificates for requests; with `--ensure`, for those that have none.
pub(crate) fn sign(session: &Session, args: &Sign) -> Result<Report, Problem> {
    if !args.ensure {
        return super::sign(session, args);
    }
    let ensure = Ensure { ensure: true, dry_run: args.dry_run };
    let (parent, said) = match issuing(session, &args.parent) {
        // none issues any more: what it has issued may be there all the same
        Err(problem) if problem.code != Code::AuthorityNotFound => (args.parent.clone(), None),
        Err(_) if ensure.dry_run => return Ok(would_change()),
        found => found?,
    };
    let args = Sign { parent, ..args.clone() };
    let authority = session.engine().hierarchy().authority(&args.parent)?;
    let profile = profile_for(session, &authority, args.profile.as_deref())?;
    let asked = Sign { same_holder_as: None, ..args.clone() };
    let (asked, refused) = requests(session, &asked)?;
    let mut sorted = sort(session, &args, &profile, &asked)?;
    if let ([_], [(_, record, differences)]) = (args.files.as_slice(), sorted.otherwise.as_slice()) {
        return Ok(one_otherwise(session, record, differences));
    }
    let turn = match sorted.missing.is_empty() || ensure.dry_run {
        true => None,
        false => Some(session.assembly.home.turn(WAIT)?),
    };
    if turn.is_some() {
        sorted = sort(session, &args, &profile, &asked)?;
    }
    let refused = refused.into_iter().chain(refusals(&sorted)).collect();
    let there = there(session, &args, ensure, &sorted)?;
    if there.exit.is_some() {
        return Ok(there);
    }
    let issued = match (sorted.missing.is_empty(), ensure.dry_run) {
        (false, true) => would_change(),
        (true, _) if args.files.len() == 1 => unchanged(ensure, json!({}), ""),
        (_, true) => unchanged(ensure, json!({}), ""),
        (_, false) => issue(session, &args, &profile, sorted.missing, refused)?,
    };
    drop(turn);
    Ok(together(there, issued).warn(said))
}

fn sort(session: &Session, args: &Sign, profile: &str, asked: &[IssuanceRequest]) -> Result<Sorted, Problem> {
    let mut sorted = Sorted::default();
    for request in asked {
        let by = (profile, args.profile.as_deref());
        let request = request.clone();
        match session.engine().issuance().granted_before(&args.parent, by, &request)? {
            GrantedBefore::Nothing => sorted.missing.push(request),
            GrantedBefore::AsAsked(record) => sorted.there.push((request, *record)),
            GrantedBefore::Otherwise(record, differences) => {
                sorted.otherwise.push((request, *record, differences));
            }
        }
    }
    Ok(sorted)
}

fn object(record: &CertificateRecord) -> String {
    format!("the certificate {}/{} of this key", record.authority, record.id.serial_number)
}

fn one_otherwise(session: &Session, record: &CertificateRecord, differences: &[Difference]) -> Report {
    let now = session.engine().now();
    let file = session.issued_file(record);
    let fields = record_fields(record, file.as_deref(), now);
    let result = json!({ "certificates": [fields], "refused": [] });
    otherwise(&object(record), result, differences, hint_of(record))
}

fn hint_of(record: &CertificateRecord) -> &'static str {
    if record.revocation().is_some() { STOPPED } else { AS_IT_IS }
}

/// Returns the requests that have another certificate, of several requests, as refused.
fn refusals(sorted: &Sorted) -> Vec<Refusal> {
    let refusal = |(request, record, differences): &(IssuanceRequest, CertificateRecord, Vec<Difference>)| {
        let problem = Difference::problem(object(record), differences).hint(hint_of(record));
        Refusal { label: request.label.clone(), problem }
    };
    sorted.otherwise.iter().map(refusal).collect()
}

/// Reports the certificates that are there, and writes those files of them that are gone.
fn there(session: &Session, args: &Sign, ensure: Ensure, sorted: &Sorted) -> Result<Report, Problem> {
    let mut certificates = Vec::new();
    let mut texts = Vec::new();
    let (mut octets, mut written) = (None, false);
    for (request, record) in &sorted.there {
        let one = published(session, request, record)?;
        let with_root = args.chain.map(|chain| matches!(chain, Chain::WithRoot));
        let chain = with_root.map(|with_root| issuers(session.engine(), &record.authority, with_root));
        let pem = with_chain(&one, &chain.transpose()?.unwrap_or_default());
        let mut file = one.file.clone().unwrap_or_default();
        match place(args, request)? {
            Some((Output::Standard, _)) => octets = Some(pem).filter(|_| !session.global.json),
            Some((place, path)) => {
                match placing::put(place, &path, &pem, &one.certificate, ensure.dry_run)? {
                    Placed::Otherwise(difference) => return Ok(placing::taken(&path, difference)),
                    placed => written |= placed == Placed::Written,
                }
                file = path;
            }
            None => {}
        }
        let mut fields = issued_fields(&one, &record.authority, &file);
        if let Some(fields) = fields.as_object_mut() {
            fields.insert("issued".into(), json!(false));
        }
        certificates.push(fields);
        texts.push(format!(
            "{} is there as asked\n{}",
            request.label,
            summary(&one.certificate, Some(&file), [])
        ));
    }
    let result = json!({ "certificates": certificates, "refused": [] });
    let report = unchanged(ensure, result, texts.join("\n"));
    Ok(placing::written(Report { octets, ..report }, ensure.dry_run, written))
}

/// Returns a record for handing out. A command at work beside this one may have made it, and not published it yet.
pub(crate) fn handed_out(
    session: &Session,
    id: &CertificateId,
) -> Result<Published<CertificateRecord>, Problem> {
    let publication = session.engine().publication();
    match publication.check_published(id) {
        Err(problem) if problem.code == Code::StatusNotPublished => {
            publication.publish_status()?;
            publication.check_published(id)
        }
        other => other,
    }
}

fn published(
    session: &Session,
    request: &IssuanceRequest,
    record: &CertificateRecord,
) -> Result<IssuedCertificate, Problem> {
    let file = session.issued_file(record);
    let record = handed_out(session, &record.id)?;
    let certificate: Published<Certificate> = record.certificate().ok_or_else(|| {
        Problem::new(Code::CertificateNotFound, "the certificate is on record by its number only")
    })?;
    let (label, profile) = (request.label.clone(), record.profile.clone());
    Ok(IssuedCertificate { label, certificate, profile, file, notices: Vec::new() })
}

/// Returns where the certificate of a request belongs; `None` for the home.
fn place(args: &Sign, request: &IssuanceRequest) -> Result<Option<(Output, PathBuf)>, Problem> {
    let Some(output) = &args.output else { return Ok(None) };
    if output.is_dir() && !args.is_named_here {
        let Some(stem) = Path::new(&request.label).file_stem() else { return Ok(None) };
        let path = in_directory(output, stem);
        return Ok(Some((Output::within(&path)?, path)));
    }
    let place = if args.is_named_here { Output::within(output)? } else { Output::at(output)? };
    Ok(Some((place, output.clone())))
}

fn issue(
    session: &Session,
    args: &Sign,
    profile: &str,
    missing: Vec<IssuanceRequest>,
    refused: Vec<Refusal>,
) -> Result<Report, Problem> {
    let mut missing = missing;
    for request in &mut missing {
        let word = args.same_holder_as.as_deref();
        request.values.same_holder_as = same_holder(session, word, &request.applicant, false)?;
    }
    let mut report = issue_requests(session, args, profile, missing, refused)?;
    for fields in certificates(&mut report.result) {
        if let Some(fields) = fields.as_object_mut() {
            fields.insert("issued".into(), json!(true));
        }
    }
    Ok(report)
}

fn certificates(result: &mut Value) -> &mut [Value] {
    result.get_mut("certificates").and_then(Value::as_array_mut).map_or(&mut [], Vec::as_mut_slice)
}

/// Returns one report of what was there and of what was issued.
fn together(there: Report, issued: Report) -> Report {
    let (mut there, mut issued) = (there, issued);
    let mut all: Vec<Value> = certificates(&mut there.result).to_vec();
    all.extend(certificates(&mut issued.result).iter().cloned());
    if let (Some(into), Some(from)) = (there.result.as_object_mut(), issued.result.as_object()) {
        for (name, value) in from {
            let is_kept = name == "would_change" && value == false;
            if !is_kept {
                into.insert(name.clone(), value.clone());
            }
        }
        into.insert("certificates".into(), json!(all));
    }
    let texts: Vec<String> = [there.text, issued.text].into_iter().filter(|text| !text.is_empty()).collect();
    Report {
        changed: there.changed || issued.changed,
        text: texts.join("\n"),
        warnings: [there.warnings, issued.warnings].concat(),
        exit: issued.exit,
        octets: there.octets.or(issued.octets),
        result: there.result,
        ..Report::default()
    }
}
