//! `show`: a certificate, a CA, a request, a CRL or an OCSP message.
mod history;

use super::authority::{key_elsewhere, key_uri};
use super::newest::{Taken, newest};
use super::select::matches;
use super::values::{read, reason, record as record_fields, until};
use crate::cli::{Global, Show};
use crate::report::{Report, columns};
use crate::session::{Session, home_of};
use genfic_ca::error::{Code, Problem};
use genfic_ca::index::{CertificateRecord, Selector};
use genfic_ca::ocsp::text as ocsp_text;
use genfic_ca::x509::text;
use genfic_ca::x509::{Certificate, CertificateList, CertificationRequest, Fingerprint, pem};
use history::History;
use serde_json::{Value, json};
use std::path::Path;

/// Whether octets are requested, so that what is on record has to be published before it is output.
fn hands_out(args: &Show) -> bool {
    args.pem || args.der
}

struct Thing {
    label: &'static str,
    /// DER octets for output: those of a file, or what is published when octets are requested.
    der: Vec<u8>,
    text: String,
    json: Value,
}

/// Shows a certificate, a CA, a request, a CRL or an OCSP message.
pub(crate) fn show(global: &Global, args: &Show) -> Result<Report, Problem> {
    let (thing, notice) = find(global, args)?;
    if (args.pem || args.der) && thing.der.is_empty() {
        let message = format!("`{}` is on record by its number only", args.what);
        return Err(Problem::new(Code::CertificateNotFound, message)
            .hint("its certificate was lost; who holds it can show it"));
    }
    let octets = if args.pem {
        Some(pem::encode(thing.label, &thing.der).into_bytes())
    } else if args.der {
        Some(thing.der)
    } else {
        None
    };
    Ok(Report { octets: octets.filter(|_| !global.json), ..Report::seen(thing.json, thing.text) }
        .warn(notice))
}

/// Returns the CA of that name, else the contents of the file, else what is on record under that name.
fn find(global: &Global, args: &Show) -> Result<(Thing, Option<String>), Problem> {
    let what = args.what.as_str();
    let is_file = what == "-" || Path::new(what).is_file();
    if !is_file || home_of(global).exists() && what != "-" {
        let session = Session::open(global)?;
        if let Some(authority) = session.engine().record().authority(what)? {
            let mut thing = certificate(&authority.certificate);
            if let Some(fields) = thing.json.as_object_mut() {
                fields.insert("key_offline".into(), json!(authority.has_key_on_media()));
                fields.insert("key_uri".into(), json!(key_uri(&authority)));
            }
            let place = match key_elsewhere(&authority) {
                Some("offline") => Some("offline, on media outside of this home".to_owned()),
                Some(place) => Some(format!("{place}, {}", authority.key)),
                None => None,
            };
            if let Some(place) = place {
                let row = [("Key".to_owned(), place)];
                thing.text = format!("{}\n{}", thing.text.trim_end(), columns(&row));
            }
            if hands_out(args) {
                let published = session.engine().publication().check_authority_published(&authority.name)?;
                thing.der = published.certificate().as_der().to_vec();
            }
            return Ok((thing, None));
        }
        if !is_file {
            let now = session.engine().now();
            let found = matches(session.engine().record(), what)?;
            let Taken { record, notice } = newest(&session, found, what, "certificate, CA or file", now)?;
            if !hands_out(args) {
                return Ok((with_history(&session, &record, recorded(&record, now)?)?, notice));
            }
            let record = session.engine().publication().check_published(&record.id)?;
            let mut thing = recorded(&record, now)?;
            thing.der = record.certificate().map(|one| one.as_der().to_vec()).unwrap_or_default();
            return Ok((thing, notice));
        }
        let thing = decode(&read(Path::new(what))?, what)?;
        let known = Selector::Exact(Fingerprint::of(&thing.der));
        return match session.engine().record().select(&known, 1)?.first() {
            Some(record) => {
                let known = with_history(&session, record, recorded(record, session.engine().now())?)?;
                Ok((Thing { der: thing.der, ..known }, None))
            }
            None => Ok((thing, None)),
        };
    }
    Ok((decode(&read(Path::new(what))?, what)?, None))
}

fn recorded(record: &CertificateRecord, now: genfic_ca::x509::UnixTime) -> Result<Thing, Problem> {
    let Some(signed) = &record.certificate else {
        if record.serial_only {
            return Ok(serial_only(record, now));
        }
        let message = format!("{} is {}: it was never signed", record.id.serial_number, record.status(now));
        return Err(Problem::new(Code::CertificateNotFound, message)
            .hint("the serial number is used up and counts as revoked"));
    };
    let mut thing = certificate(signed);
    let mut rows = vec![
        ("On record".to_owned(), record.status(now).to_string()),
        ("Issued by".into(), format!("{} under {}", record.authority, record.profile)),
    ];
    if let Some(contact) = &record.contact {
        rows.push(("Contact".into(), contact.clone()));
    }
    if let Some(revocation) = record.revocation() {
        rows.push(("Revoked".into(), format!("{}, {}", revocation.revoked_at, reason(revocation))));
    }
    thing.text = format!("{}\n{}", thing.text.trim_end(), columns(&rows));
    if let Some(fields) = thing.json.as_object_mut() {
        fields.insert("status".into(), json!(record.status(now).to_string()));
        fields.insert("issuer".into(), json!(record.authority));
        fields.insert("profile".into(), json!(record.profile));
        fields.insert("contact".into(), json!(record.contact));
        fields.insert("revoked_at".into(), json!(record.revocation().map(|at| at.revoked_at.to_string())));
        fields.insert("reason".into(), json!(record.revocation().map(reason)));
    }
    Ok(thing)
}

/// Adds when, by whom and from which request the certificate was issued, and what became of it.
fn with_history(session: &Session, record: &CertificateRecord, mut thing: Thing) -> Result<Thing, Problem> {
    let history = History::of(session, record)?;
    let rows = history.rows();
    if !rows.is_empty() {
        thing.text = format!("{}\n{}", thing.text.trim_end(), columns(&rows));
    }
    if let Some(fields) = thing.json.as_object_mut() {
        fields.extend(history.fields());
    }
    Ok(thing)
}

/// Returns what is known of a certificate that was never stored, from a CRL or the records of the program that the CA
/// was imported from.
fn serial_only(record: &CertificateRecord, now: genfic_ca::x509::UnixTime) -> Thing {
    let mut rows = vec![
        ("Serial number".to_owned(), record.id.serial_number.to_string()),
        ("On record".into(), format!("{}, by its number only: its file is not here", record.status(now))),
        ("Issued by".into(), record.authority.clone()),
    ];
    if !record.subject.is_empty() {
        rows.push(("Subject".into(), record.subject.to_string()));
        rows.push(("Until".into(), until(record)));
    }
    if let Some(revocation) = record.revocation() {
        rows.push(("Revoked".into(), format!("{}, {}", revocation.revoked_at, reason(revocation))));
    }
    Thing { label: "", der: Vec::new(), text: columns(&rows), json: record_fields(record, None, now) }
}

fn certificate(certificate: &Certificate) -> Thing {
    Thing {
        label: "CERTIFICATE",
        der: Vec::new(),
        text: text::certificate_text(certificate),
        json: text::certificate_json(certificate),
    }
}

fn request(request: &CertificationRequest) -> Thing {
    Thing {
        label: "CERTIFICATE REQUEST",
        der: request.as_der().to_vec(),
        text: text::request_text(request),
        json: text::request_json(request),
    }
}

fn crl(crl: &CertificateList) -> Thing {
    Thing {
        label: "X509 CRL",
        der: crl.as_der().to_vec(),
        text: text::crl_text(crl, 50),
        json: text::crl_json(crl, usize::MAX),
    }
}

/// Returns the first object in a file that can be shown. PEM is recognised by its label, DER by decoding.
fn decode(octets: &[u8], what: &str) -> Result<Thing, Problem> {
    let unknown = |reason: String| {
        Problem::new(Code::FileMalformed, format!("{what}: {reason}"))
            .hint("certificates, requests, CRLs and OCSP messages can be shown, PEM or DER")
    };
    let blocks = pem::decode_file(octets, "").map_err(|error| unknown(error.to_string()))?;
    let mut reason = String::from("nothing in it can be shown");
    for block in &blocks {
        let der = block.der.as_slice();
        let is = |label: &str| block.label.is_empty() || block.label.ends_with(label);
        if is("CERTIFICATE") {
            match Certificate::from_der(der) {
                Ok(decoded) => return Ok(Thing { der: der.to_vec(), ..certificate(&decoded) }),
                Err(error) => reason = error.to_string(),
            }
        }
        if is("CERTIFICATE REQUEST")
            && let Ok(decoded) = CertificationRequest::from_der(der)
        {
            return Ok(request(&decoded));
        }
        if is("X509 CRL")
            && let Ok(decoded) = CertificateList::from_der(der)
        {
            return Ok(crl(&decoded));
        }
        if let Some((label, text, json)) = ocsp_text::describe(der) {
            return Ok(Thing { label, der: der.to_vec(), text, json });
        }
    }
    Err(unknown(reason))
}
