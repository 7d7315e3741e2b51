//! JSON fields and texts that several commands share.
use crate::report::{columns, path_value, path_values};
use genfic_ca::ca::{IssuedCertificate, PublishedCrl};
use genfic_ca::error::remedy::Access;
use genfic_ca::error::{Code, Problem, Remedy, Shown as _};
use genfic_ca::home::{FileKind, ReadError, is_of_another_user, open_regular, read_file, read_most};
use genfic_ca::index::{CertificateRecord, Revocation};
use genfic_ca::profile::RequestedValidity;
use genfic_ca::x509::text::certificate_text;
use genfic_ca::x509::{Certificate, TbsCertificate, UnixTime, encode_signed};
use serde_json::{Map, Value, json};
use std::io::ErrorKind;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

/// Returns the JSON fields that every certificate has.
pub(crate) fn tbs_fields(tbs: &TbsCertificate, authority: &str, profile: &str) -> Map<String, Value> {
    let names: Vec<String> = tbs.subject_alt_names().iter().map(ToString::to_string).collect();
    let mut fields = Map::new();
    fields.insert("serial".into(), json!(tbs.serial_number().to_string()));
    fields.insert("subject".into(), json!(tbs.subject().to_string()));
    fields.insert("san".into(), json!(names));
    fields.insert("not_before".into(), json!(tbs.validity().not_before.to_string()));
    fields.insert("not_after".into(), json!(tbs.validity().not_after.to_string()));
    fields.insert("profile".into(), json!(profile));
    fields.insert("issuer".into(), json!(authority));
    fields
}

/// Returns the JSON fields of a certificate that was just issued.
pub(crate) fn issued(issued: &IssuedCertificate, authority: &str, file: &Path) -> Value {
    let mut fields = tbs_fields(issued.certificate.tbs(), authority, &issued.profile);
    fields.insert("fingerprint".into(), json!(issued.certificate.fingerprint().to_string()));
    fields.insert("file".into(), path_value(file));
    Value::Object(fields)
}

/// Returns the JSON fields of a certificate on record.
pub(crate) fn record(record: &CertificateRecord, file: Option<&Path>, now: UnixTime) -> Value {
    let names: Vec<String> = record.subject_alt_names.iter().map(ToString::to_string).collect();
    let mut fields = Map::new();
    fields.insert("serial".into(), json!(record.id.serial_number.to_string()));
    fields.insert("subject".into(), json!(record.subject.to_string()));
    fields.insert("san".into(), json!(names));
    let begins = (!record.serial_only).then(|| record.validity.not_before.to_string());
    fields.insert("not_before".into(), json!(begins));
    fields.insert("not_after".into(), json!(end_of(record)));
    fields.insert("profile".into(), json!(record.profile));
    fields.insert("issuer".into(), json!(record.authority));
    fields.insert(
        "fingerprint".into(),
        json!(record.certificate.as_ref().map(|certificate| certificate.fingerprint().to_string())),
    );
    fields.insert("file".into(), json!(file.map(path_value)));
    fields.insert("status".into(), json!(record.status(now).to_string()));
    if let Some(contact) = &record.contact {
        fields.insert("contact".into(), json!(contact));
    }
    if let Some(revocation) = record.revocation() {
        fields.insert("reason".into(), json!(reason(revocation)));
        fields.insert("revoked_at".into(), json!(revocation.revoked_at.to_string()));
        if let Some(at) = revocation.invalidity_date {
            fields.insert("invalidity_date".into(), json!(at.to_string()));
        }
    }
    Value::Object(fields)
}

/// Returns the end of a certificate for tables.
pub(crate) fn until(record: &CertificateRecord) -> String {
    end_of(record).unwrap_or_else(|| "not known".into())
}

/// Returns the end of a certificate, if known.
fn end_of(record: &CertificateRecord) -> Option<String> {
    let is_known = !record.serial_only || record.validity.not_after != UnixTime::NO_END;
    is_known.then(|| record.validity.not_after.to_string())
}

/// Returns the revocation reason in a word; `unspecified` when none is on record.
pub(crate) fn reason(revocation: &Revocation) -> String {
    revocation.reason.map_or_else(|| "unspecified".into(), |reason| reason.to_string())
}

/// Returns the JSON fields of a CRL that was just published.
pub(crate) fn crl(crl: &PublishedCrl) -> Value {
    let mut fields = json!({
        "number": crl.number,
        "next_update": crl.next_update.to_string(),
        "files": path_values(&crl.files),
    });
    if let (Some(delta), Some(object)) = (&crl.delta, fields.as_object_mut()) {
        let delta = json!({
            "base": delta.base,
            "next_update": delta.next_update.to_string(),
            "entries": delta.entries,
            "files": path_values(&delta.files),
        });
        object.insert("delta".into(), delta);
    }
    fields
}

/// Returns the important lines of a certificate, for people.
pub(crate) fn summary(
    certificate: &Certificate,
    file: Option<&Path>,
    more: impl IntoIterator<Item = (&'static str, String)>,
) -> String {
    let tbs = certificate.tbs();
    let names: Vec<String> = tbs.subject_alt_names().iter().map(ToString::to_string).collect();
    let mut rows = vec![("  subject".to_owned(), tbs.subject().to_string())];
    if !names.is_empty() {
        rows.push(("  names".into(), names.join(", ")));
    }
    rows.push(("  serial".into(), tbs.serial_number().to_string()));
    rows.push(("  valid".into(), format!("{} to {}", tbs.validity().not_before, tbs.validity().not_after)));
    if let Some(file) = file {
        rows.push(("  file".into(), file.shown().to_string()));
    }
    rows.extend(more.into_iter().map(|(name, value)| (format!("  {name}"), value)));
    columns(&rows)
}

/// Parses `-v`: a number of days, or `max`.
pub(crate) fn requested_validity(valid: Option<&str>) -> Result<RequestedValidity, Problem> {
    match valid {
        None => Ok(RequestedValidity::Default),
        Some("max") => Ok(RequestedValidity::Max),
        Some(days) => match days.parse::<i64>() {
            Ok(days) if (1..=3_650_000).contains(&days) => Ok(RequestedValidity::Days(days)),
            _ => {
                Err(usage(format!("-v takes a number of days or `max`, not `{days}`"), "for example -v 396"))
            }
        },
    }
}

/// Returns the problem of a wrong word on the command line.
pub(crate) fn usage(message: impl Into<String>, hint: impl Into<Remedy>) -> Problem {
    Problem::new(Code::Usage, message).hint(hint)
}

/// Limit of a file that is read, in octets: 256 MiB, the largest CRL that is supported.
const LARGEST: u64 = 256 << 20;

/// Reads the octets of a file, or of standard input for `-`.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, Problem> {
    read_up_to(path, LARGEST)
}

/// Reads a file of at most `most` octets, or standard input for `-`.
pub(crate) fn read_up_to(path: &Path, most: u64) -> Result<Vec<u8>, Problem> {
    let octets =
        if path == Path::new("-") { read_most(std::io::stdin().lock(), most) } else { read_file(path, most) };
    octets.map_err(|error| unread(path, &error))
}

/// Opens a regular file, or standard input for `-`, for another process to read.
pub(crate) fn opened(path: &Path) -> Result<OwnedFd, Problem> {
    let opened = match path == Path::new("-") {
        true => std::io::stdin().as_fd().try_clone_to_owned().map_err(ReadError::Io),
        false => open_regular(path).map(OwnedFd::from),
    };
    opened.map_err(|error| unread(path, &error))
}

fn unread(path: &Path, error: &ReadError) -> Problem {
    let name = if path == Path::new("-") { "standard input".into() } else { path.shown().to_string() };
    let (code, message, hint) = match error {
        ReadError::Io(error) if error.kind() == ErrorKind::NotFound => {
            (Code::FileMissing, format!("there is no file {name}"), "check the name and the directory")
        }
        ReadError::Io(source) if is_of_another_user(path, source) => {
            return Problem::new(Code::FileNotRead, format!("{name} {error}")).hint(Access::SharedDirectory);
        }
        ReadError::Io(_) => (Code::FileNotRead, format!("{name} {error}"), "check its permissions"),
        ReadError::TooLarge(_) => (
            Code::FileTooLarge,
            format!("{name} {error}"),
            "nothing of this kind is that large; look whether it is the right file",
        ),
        ReadError::Kind(FileKind::Directory) => {
            (Code::FileNotAFile, format!("{name} {error}"), "name the file in it")
        }
        ReadError::Kind(_) => (
            Code::FileNotAFile,
            format!("{name} {error}"),
            "name a file, or give its contents on standard input with - for the file",
        ),
    };
    Problem::new(code, message).hint(hint)
}

/// Returns a certificate as text, without the parts that signing adds.
pub(crate) fn unsigned_text(tbs: &TbsCertificate) -> Result<String, Problem> {
    let unsigned = Certificate::from_der(&encode_signed(tbs.as_der(), tbs.signature(), &[]))
        .map_err(|error| Problem::new(Code::OctetsMalformed, error.to_string()))?;
    let text = certificate_text(&unsigned);
    let kept = text.lines().filter_map(|line| match line.trim_start().split_once("  ") {
        Some(("Fingerprint", _)) => None,
        Some(("Serial", _)) => Some("  Serial       drawn when it is signed"),
        _ => Some(line),
    });
    Ok(kept.collect::<Vec<_>>().join("\n"))
}
