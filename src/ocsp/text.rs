//! OCSP messages as text for people, and as JSON.
use super::cert_id::CertId;
use super::request::OcspRequest;
use super::response::{BasicOcspResponse, OcspResponse};
use super::response_data::{CertStatus, ResponderId, SingleResponse};
use crate::x509::text::{Page, escape};
use base16ct::lower::encode_string as hex;
use serde_json::{Value, json};

/// Limit of the CertIDs in a request that is shown; 10,000 are far more than any client sends.
const MANY: usize = 10_000;

/// Returns the PEM label, the text and the JSON of an OCSP request or response; `None` when the octets are neither.
#[must_use]
pub fn describe(octets: &[u8]) -> Option<(&'static str, String, Value)> {
    if let Ok(request) = OcspRequest::from_der(octets, MANY) {
        return Some(("OCSP REQUEST", request_text(&request), request_json(&request)));
    }
    match OcspResponse::from_der(octets).ok()? {
        OcspResponse::Successful(basic) => {
            Some(("OCSP RESPONSE", response_text(&basic), response_json(&basic)))
        }
        OcspResponse::Refused(status) => {
            let json = json!({ "type": "ocsp-response", "response_status": format!("{status:?}") });
            Some(("OCSP RESPONSE", format!("OCSP response\n  Status  {status:?}\n"), json))
        }
    }
}

fn serial(id: &CertId) -> String {
    id.serial_number().map_or_else(|| "not positive".to_owned(), ToString::to_string)
}

fn hash(id: &CertId) -> String {
    id.hash_algorithm().map_or_else(|| "unknown hash".to_owned(), |hash| format!("{hash:?}"))
}

fn cert_id_json(id: &CertId) -> Value {
    json!({
        "hash": hash(id),
        "issuer_name_hash": hex(id.issuer_name_hash()),
        "issuer_key_hash": hex(id.issuer_key_hash()),
        "serial": serial(id),
    })
}

fn cert_id_rows(page: &mut Page, id: &CertId) {
    page.row("Serial", serial(id));
    page.row(
        "Issuer",
        format!("{} name {} key {}", hash(id), hex(id.issuer_name_hash()), hex(id.issuer_key_hash())),
    );
}

fn request_text(request: &OcspRequest) -> String {
    let mut page = Page::default();
    for id in request.cert_ids() {
        cert_id_rows(&mut page, id);
    }
    if let Some(nonce) = request.nonce() {
        page.row("Nonce", hex(nonce));
    }
    page.row("Signed", if request.is_signed() { "yes" } else { "no" });
    format!("OCSP request\n{}", page.render(2))
}

fn request_json(request: &OcspRequest) -> Value {
    json!({
        "type": "ocsp-request",
        "certificates": request.cert_ids().iter().map(cert_id_json).collect::<Vec<_>>(),
        "nonce": request.nonce().map(hex),
        "signed": request.is_signed(),
    })
}

fn responder(id: &ResponderId) -> String {
    match id {
        ResponderId::ByName(name) => format!("name {name}"),
        ResponderId::ByKey(key) => format!("key {}", hex(key)),
    }
}

fn response_text(basic: &BasicOcspResponse) -> String {
    let data = basic.data();
    let mut page = Page::default();
    page.row("Responder", responder(&data.responder_id));
    page.row("Produced", data.produced_at);
    page.row("Signature", basic.signature_algorithm());
    for certificate in basic.certificates() {
        page.row("Certificate", certificate.tbs().subject());
    }
    if let Some(nonce) = data.nonce() {
        page.row("Nonce", hex(&nonce));
    }
    let mut out = format!("OCSP response\n{}", page.render(2));
    for single in &data.responses {
        let mut page = Page::default();
        cert_id_rows(&mut page, &single.cert_id);
        page.row("Status", single.status);
        if let CertStatus::Revoked { at, reason } = single.status {
            let reason = reason.map_or_else(|| "unspecified".to_owned(), |reason| reason.to_string());
            page.row("Revoked", format!("{at}, {reason}"));
        }
        page.row("This update", single.this_update);
        if let Some(next) = single.next_update {
            page.row("Next update", next);
        }
        out.push_str(&page.render(4));
    }
    out
}

fn single_json(single: &SingleResponse) -> Value {
    let (revoked_at, reason) = match single.status {
        CertStatus::Revoked { at, reason } => (Some(at.to_string()), reason.map(|reason| reason.to_string())),
        CertStatus::Good | CertStatus::Unknown => (None, None),
    };
    json!({
        "certificate": cert_id_json(&single.cert_id),
        "status": single.status.to_string(),
        "revoked_at": revoked_at,
        "reason": reason,
        "this_update": single.this_update.to_string(),
        "next_update": single.next_update.map(|at| at.to_string()),
    })
}

fn response_json(basic: &BasicOcspResponse) -> Value {
    let data = basic.data();
    let subjects: Vec<String> = basic
        .certificates()
        .iter()
        .map(|certificate| escape(&certificate.tbs().subject().to_string()))
        .collect();
    json!({
        "type": "ocsp-response",
        "response_status": "Successful",
        "responder": escape(&responder(&data.responder_id)),
        "produced_at": data.produced_at.to_string(),
        "signature_algorithm": basic.signature_algorithm().to_string(),
        "certificates": subjects,
        "nonce": data.nonce().map(|nonce| hex(&nonce)),
        "responses": data.responses.iter().map(single_json).collect::<Vec<_>>(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ocsp::response::ResponseStatus;

    #[test]
    fn what_is_no_ocsp_message_is_not_described() {
        // G5
        assert!(describe(b"").is_none() && describe(&[0x30, 0]).is_none());
    }

    #[test]
    fn a_refusal_is_shown_by_its_status() {
        // G5
        let (label, text, json) = describe(&ResponseStatus::TryLater.to_response()).unwrap();
        assert_eq!(label, "OCSP RESPONSE");
        assert!(text.contains("TryLater") && json["response_status"] == "TryLater");
    }
}
