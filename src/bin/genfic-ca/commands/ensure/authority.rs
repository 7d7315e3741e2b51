//! `--ensure` of commands that make CAs or certify them.
use super::placing::{self, Placed};
use super::{otherwise, unchanged};
use crate::cli::{Adopt, Ensure};
use crate::commands::foreign::requested_before;
use crate::commands::output::Output;
use crate::commands::sign::ensured::handed_out;
use crate::commands::values::{issued as issued_fields, summary};
use crate::report::{Report, path_value};
use crate::session::Session;
use genfic_ca::ca::{CrossCertification, Difference, ExpectedAuthority, IssuedCertificate};
use genfic_ca::error::Problem;
use genfic_ca::home::{AuthorityName, PublicFile};
use genfic_ca::index::{Authority, CertificateRecord};
use genfic_ca::x509::Certificate;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

const AS_IT_IS: &str = "nothing was changed: ask for what is there, or make a CA of another name; `genfic-ca renew-ca` \
                        gives a CA another certificate or key, `genfic-ca ocsp enable` or `disable` a responder or none";

/// Looks whether the CA is there, and as asked.
pub(crate) fn created(
    session: &Session,
    ensure: Ensure,
    expected: &ExpectedAuthority<'_>,
) -> Result<Option<Report>, Problem> {
    let Some(differences) = session.engine().lifecycle().compare(expected)? else { return Ok(None) };
    let name = &expected.new.name;
    if !differences.is_empty() {
        return Ok(Some(otherwise(name, json!({ "name": name }), &differences, AS_IT_IS)));
    }
    there(session, ensure, name).map(Some)
}

/// Looks whether the CA waits for its certificate, or has got it. A request whose file is gone is written again.
pub(crate) fn child_request(
    session: &Session,
    ensure: Ensure,
    expected: &ExpectedAuthority<'_>,
    output: Option<&Path>,
) -> Result<Option<Report>, Problem> {
    let name = &expected.new.name;
    let Some((differences, pending)) = session.engine().lifecycle().compare_request(expected)? else {
        return Ok(None);
    };
    if !differences.is_empty() {
        return Ok(Some(otherwise(name, json!({ "name": name }), &differences, AS_IT_IS)));
    }
    match pending {
        Some(pending) => requested_before(session, ensure, &pending, output).map(Some),
        None => there(session, ensure, name).map(Some),
    }
}

/// Returns the report of a CA that is there as asked.
fn there(session: &Session, ensure: Ensure, name: &str) -> Result<Report, Problem> {
    let authority = session.engine().hierarchy().authority(name)?;
    let text = summary(&authority.certificate, None, []);
    Ok(unchanged(ensure, fields(session, &authority)?, format!("{name} is there as asked\n{text}")))
}

/// Returns the fields of the report that made the CA; what was made besides is null.
fn fields(session: &Session, authority: &Authority) -> Result<Value, Problem> {
    let tbs = authority.certificate.tbs();
    let name: AuthorityName = authority.name.parse()?;
    let home = &session.assembly.home;
    let file = |file: PublicFile| Some(home.public_file(&name, file)).filter(|path| path.is_file());
    let responder = session.engine().publication().responder_certificate(&authority.name);
    Ok(json!({
        "name": authority.name,
        "serial": tbs.serial_number().to_string(),
        "subject": tbs.subject().to_string(),
        "not_before": tbs.validity().not_before.to_string(),
        "not_after": tbs.validity().not_after.to_string(),
        "certificate": file(PublicFile::Certificate).map(path_value),
        "chain": file(PublicFile::Chain).map(path_value),
        "crl": file(PublicFile::Crl).map(path_value),
        "profile": authority.profile,
        "parent": authority.parent,
        "succeeds": authority.succeeds,
        "key": authority.key_name(),
        "fingerprint": authority.certificate.fingerprint().to_string(),
        "crl_details": null,
        "responder": responder.map(|responder| responder.tbs().serial_number().to_string()),
    }))
}

/// Looks whether the CA has one of these certificates.
pub(crate) fn adopted(
    session: &Session,
    args: &Adopt,
    found: &[Certificate],
) -> Result<Option<Report>, Problem> {
    let Some(authority) = session.engine().record().authority(&args.name)? else { return Ok(None) };
    if authority.is_external() || !found.contains(&authority.certificate) {
        return Ok(None);
    }
    let mut differences = Vec::new();
    if let Some(profile) = &args.profile {
        differences.extend(Difference::between("profile", profile, &authority.profile));
    }
    if let Some(ocsp) = args.ocsp {
        differences.extend(Difference::between("ocsp", &ocsp, &authority.serves_ocsp));
    }
    if !differences.is_empty() {
        return Ok(Some(otherwise(&args.name, json!({ "name": args.name }), &differences, AS_IT_IS)));
    }
    there(session, args.ensure, &args.name).map(Some)
}

/// Looks whether two generations of a root have certified each other.
pub(crate) fn linked(
    session: &Session,
    ensure: Ensure,
    old: &Authority,
    new: &Authority,
) -> Result<Option<Report>, Problem> {
    let Some(links) = session.engine().lifecycle().links(old, new)? else { return Ok(None) };
    let [new_with_old, old_with_new] = links.map(|record| {
        json!({
            "serial": record.id.serial_number.to_string(),
            "not_after": record.validity.not_after.to_string(),
            "fingerprint": record.certificate.as_ref().map(|one| one.fingerprint().to_string()),
            "file": session.issued_file(&record).map(path_value),
        })
    });
    let result = json!({ "links": { "new_with_old": new_with_old, "old_with_new": old_with_new } });
    let text = format!("{} and {} have certified each other", old.name, new.name);
    Ok(Some(unchanged(ensure, result, text)))
}

/// Looks whether the CA is certified by this one as asked; a file that is gone is written again.
pub(crate) fn crossed(
    session: &Session,
    ensure: Ensure,
    parent: &str,
    (asked, is_named): (&CrossCertification, bool),
    output: Option<&Path>,
) -> Result<Option<Report>, Problem> {
    let engine = session.engine();
    let Some((record, differences)) = engine.lifecycle().compare_cross(parent, asked, is_named)? else {
        return Ok(None);
    };
    let object = format!("a certificate of {} by {}", asked.label, record.authority);
    if !differences.is_empty() {
        let fields = json!({ "certificates": [], "name": asked.label });
        let hint = "nothing was issued: without --ensure another certificate is; `genfic-ca revoke` ends the one that \
                    is there";
        return Ok(Some(otherwise(&object, fields, &differences, hint)));
    }
    let record = handed_out(session, &record.id)?;
    let Some(certificate) = record.certificate() else { return Ok(None) };
    let issued = IssuedCertificate {
        label: asked.label.clone(),
        certificate,
        profile: record.profile.clone(),
        file: session.issued_file(&record),
        notices: Vec::new(),
    };
    let kept = stored(session, &record);
    let pem = issued.certificate.to_pem().into_bytes();
    let (mut octets, mut written, mut file) = (None, false, kept);
    match output.map(Output::at).transpose()? {
        Some(Output::Standard) => octets = Some(pem).filter(|_| !session.global.json),
        Some(place) => {
            let path = output.map(Path::to_owned).unwrap_or_default();
            match placing::put(place, &path, &pem, &issued.certificate, ensure.dry_run)? {
                Placed::Otherwise(difference) => return Ok(Some(placing::taken(&path, difference))),
                placed => written = placed == Placed::Written,
            }
            file = path;
        }
        None => {}
    }
    let fields = json!({ "certificates": [issued_fields(&issued, &record.authority, &file)] });
    let text = format!("{object} is there as asked\n{}", summary(&issued.certificate, Some(&file), []));
    let report = unchanged(ensure, fields, text);
    Ok(Some(placing::written(Report { octets, ..report }, ensure.dry_run, written)))
}

fn stored(session: &Session, record: &CertificateRecord) -> PathBuf {
    session.issued_file(record).unwrap_or_default()
}
