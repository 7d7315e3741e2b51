//! Fetches every URL that certificates name: CRLs, CA certificates, and OCSP answers.
//!
//! Only plain http is fetched, as relying parties do. Redirects are not followed, each exchange and all of them
//! together are limited in time, and each answer in size.
mod judge;
mod target;

use super::finding::Finding;
use super::{Check, Examination, FindingCode, Looked, Unseen, counted, finding};
use crate::error::{Code, Problem};
use crate::index::{Authority, CertificateState};
use crate::ocsp::cert_id::HashAlgorithm;
use crate::ocsp::client::Question;
use crate::ocsp::query::{QueryError, ask, fetch_at_most};
use crate::signing::random_nonce;
use crate::x509::{Certificate, CertificateId};
use judge::Published;
use std::time::{Duration, Instant};
use target::{Target, Wanted};

/// Bound of one exchange; one minute suffices for a long CRL.
const EXCHANGE: Duration = Duration::from_secs(20);
/// Bound of all exchanges together. What is left after it is reported as not asked.
const ALL: Duration = Duration::from_secs(120);
/// Bound of a CA certificate, in octets.
const CERTIFICATE: u64 = 256 << 10;
/// Bound of a CRL in octets: 256 MiB, the largest that is supported.
const CRL: u64 = 256 << 20;

/// Fetches what certificates name and compares it with this home.
#[must_use]
pub fn check_online(examination: &Examination<'_>) -> Check {
    let mut findings = Vec::new();
    let looked = check(examination, &mut findings);
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    findings.dedup();
    Check { name: "online", looked, findings: finding::shortened(findings) }
}

fn check(examination: &Examination<'_>, findings: &mut Vec<Finding>) -> Looked {
    let all = examination.authorities()?;
    let targets = target::all(examination, &all)?;
    let begun = Instant::now();
    let mut asked: usize = 0;
    for target in &targets {
        let left = ALL.saturating_sub(begun.elapsed());
        if left.is_zero() {
            break;
        }
        asked += 1;
        findings.extend(of_target(examination, target, left.min(EXCHANGE))?);
    }
    let left = targets.len().saturating_sub(asked);
    if left > 0 {
        let message = format!("were not asked, {left} of them: two minutes were over");
        findings.push(Finding::warning(FindingCode::OnlineUnreachable, "other URLs", message));
    }
    Ok(counted(asked, "URL").into())
}

fn of_target(
    examination: &Examination<'_>,
    target: &Target<'_>,
    limit: Duration,
) -> Result<Option<Finding>, Unseen> {
    let (url, authority) = (target.url.as_str(), target.authority);
    let fetched = match &target.wanted {
        Wanted::Crl => fetch_at_most(url, limit, CRL).map(|octets| {
            let index = examination.index()?;
            let recorded = index.last_crl(&authority.issuer)?.map_or(0, |last| last.number);
            let ours = examination.publisher.published_crl(&authority.name).ok().flatten();
            let published = Published { ours: ours.as_ref(), recorded };
            Ok(judge::crl(url, &octets, authority, &published, examination.now))
        }),
        Wanted::Certificate => fetch_at_most(url, limit, CERTIFICATE)
            .map(|octets| Ok(judge::certificate(url, &octets, authority))),
        Wanted::Answer(certificate) => return answer(examination, target, certificate, limit),
    };
    match fetched {
        Ok(judged) => judged,
        Err(error) => Ok(Some(not_fetched(url, &error))),
    }
}

fn not_fetched(url: &str, error: &QueryError) -> Finding {
    let finding = match error {
        QueryError::NotHttp(_) => {
            return Finding::note(FindingCode::OnlineNotAsked, url, "is not plain http, and was not asked");
        }
        QueryError::Unreachable { reason, .. } => {
            Finding::error(FindingCode::OnlineUnreachable, url, format!("cannot be reached: {reason}"))
        }
        QueryError::NotOcsp { what, .. } => Finding::error(
            FindingCode::OnlineNotServed,
            url,
            format!("is answered with {what}, and not with what certificates say is there"),
        ),
    };
    let remedy = match error {
        QueryError::NotOcsp { .. } => judge::SERVED_FROM,
        _ => "start what serves it, the web server or genfic-ocspd; look at the name and the way there",
    };
    finding.remedy(remedy)
}

/// Asks a responder about a certificate, and compares its answer with the index.
fn answer(
    examination: &Examination<'_>,
    target: &Target<'_>,
    certificate: &Certificate,
    limit: Duration,
) -> Result<Option<Finding>, Unseen> {
    let (url, authority) = (target.url.as_str(), target.authority);
    let nonce = random_nonce().map_err(|error| Unseen::Record(error.into()))?;
    let question = Question::new(certificate, &authority.certificate, HashAlgorithm::Sha1, Some(nonce));
    // one that an earlier certificate of the CA does not verify is not asked about
    let Ok(question) = question else { return Ok(None) };
    match ask(url, &question, examination.now, limit) {
        Ok(status) => {
            let serial_number = certificate.tbs().serial_number().clone();
            let id = CertificateId { issuer: authority.issuer, serial_number };
            let on_record = recorded(examination, authority, &id)?;
            Ok(judge::answer(url, &id.serial_number, &status.status, on_record.as_ref()))
        }
        Err(problem) => Ok(Some(not_answered(url, &authority.name, problem))),
    }
}

fn not_answered(url: &str, name: &str, problem: Problem) -> Finding {
    let code = match problem.code {
        Code::OcspUrl => {
            return Finding::note(FindingCode::OnlineNotAsked, url, "is not plain http, and was not asked");
        }
        Code::OcspUnreachable => FindingCode::OnlineUnreachable,
        Code::OcspNotAResponder => FindingCode::OnlineNotServed,
        _ => FindingCode::OnlineNotAnswered,
    };
    let message = format!("does not answer for {name} as it should: {}", problem.message);
    Finding::error(code, url, message).remedy(problem.hint)
}

/// Returns the state on record of a certificate; `None` for one of an external CA, whose states are on record
/// elsewhere.
fn recorded(
    examination: &Examination<'_>,
    authority: &Authority,
    id: &CertificateId,
) -> Result<Option<CertificateState>, Unseen> {
    if authority.is_external() {
        return Ok(None);
    }
    Ok(examination.index()?.status(id)?)
}
