//! Compares what came from a URL with what is on record and published here. Pure.
use super::super::FindingCode;
use super::super::finding::Finding;
use crate::index::{Authority, CertificateState};
use crate::ocsp::response_data::CertStatus;
use crate::x509::extension::CrlNumber;
use crate::x509::{Certificate, CertificateList, SerialNumber, UnixTime};

/// What to do where a server has something else than `public/`.
pub(super) const SERVED_FROM: &str =
    "have the URL served from public/ of this home, or copy the newest files to where it is served";

/// What is known here of the CRL of a CA.
pub(super) struct Published<'a> {
    /// The CRL in `public/`.
    pub(super) ours: Option<&'a CertificateList>,
    /// The highest number on record as published; 0 when there is none.
    pub(super) recorded: CrlNumber,
}

fn other(url: &str, message: String) -> Finding {
    Finding::error(FindingCode::OnlineOther, url, message).remedy(SERVED_FROM)
}

fn stale(url: &str, message: String) -> Finding {
    Finding::error(FindingCode::OnlineStale, url, message).remedy(SERVED_FROM)
}

/// Judges what came as the CRL of a CA.
pub(super) fn crl(
    url: &str,
    octets: &[u8],
    authority: &Authority,
    published: &Published<'_>,
    now: UnixTime,
) -> Option<Finding> {
    let (name, own) = (&authority.name, authority.certificate.tbs());
    let Ok(crl) = CertificateList::from_der(octets) else {
        return Some(other(
            url,
            format!("has no CRL in DER, and certificates say that the CRL of {name} is there"),
        ));
    };
    if !crl.tbs().issuer().is_same_as(own.subject()) || !crl.is_signed_by(own.public_key()) {
        return Some(other(url, format!("has a CRL that {name} did not sign")));
    }
    let number = crl.tbs().crl_number().unwrap_or(0);
    let newest = published.ours.and_then(|ours| ours.tbs().crl_number()).unwrap_or(0).max(published.recorded);
    if number < newest {
        return Some(stale(
            url,
            format!("has CRL number {number} of {name}, and {newest} is published here"),
        ));
    }
    if let Some(lapsed) = crl.tbs().next_update().filter(|next| *next < now) {
        return Some(stale(url, format!("has a CRL of {name} that lapsed at {lapsed}")));
    }
    if number > newest && newest > 0 {
        let message = format!("has CRL number {number} of {name}, above {newest}, the highest known here");
        return Some(other(url, message));
    }
    let differs = published.ours.is_some_and(|ours| ours.as_der() != crl.as_der());
    differs.then(|| other(url, format!("has another CRL {number} of {name} than public/")))
}

/// Judges what came as the certificate of a CA.
pub(super) fn certificate(url: &str, octets: &[u8], authority: &Authority) -> Option<Finding> {
    let name = &authority.name;
    let Ok(found) = Certificate::from_der(octets) else {
        let message =
            format!("has no certificate in DER, and certificates say that the one of {name} is there");
        return Some(other(url, message));
    };
    if found == authority.certificate {
        return None;
    }
    let (found, own) = (found.tbs(), authority.certificate.tbs());
    if found.public_key() == own.public_key() && found.subject().is_same_as(own.subject()) {
        return Some(stale(
            url,
            format!("has another certificate of {name} than the newest, {}", own.serial_number()),
        ));
    }
    Some(other(url, format!("has the certificate of {}, and not of {name}", found.subject())))
}

/// Judges an answer that verifies, about a certificate whose state is on record here.
pub(super) fn answer(
    url: &str,
    serial_number: &SerialNumber,
    answered: &CertStatus,
    on_record: Option<&CertificateState>,
) -> Option<Finding> {
    let agrees = match (answered, on_record) {
        (_, None) => !matches!(answered, CertStatus::Unknown),
        (CertStatus::Good, Some(state)) => *state == CertificateState::Issued,
        (CertStatus::Revoked { .. }, Some(state)) => *state != CertificateState::Issued,
        (CertStatus::Unknown, Some(_)) => false,
    };
    (!agrees).then(|| {
        let message = format!("answers that {serial_number} is {answered}, which is not what is on record");
        Finding::error(FindingCode::OnlineStale, url, message)
            .remedy("have the responder read status/ of this home, or copy the newest status to it")
    })
}
