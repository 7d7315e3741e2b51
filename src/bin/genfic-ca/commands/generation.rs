//! `renew-ca`, `cross-sign`.
use super::authority::{key, report as created_report, subject, subtrees};
use super::ensure::{self, ensured};
use super::output::Output;
use super::question::{confirm, confirm_attended};
use super::sign::issuing;
use super::values::{issued as issued_fields, read, requested_validity, summary, usage};
use crate::cli::{CrossSign, RenewCa};
use crate::report::{Report, path_value};
use crate::session::Session;
use genfic_ca::ca::{AuthorityRekeying, AuthorityRenewal, CrossCertification, KeyRolloverCertificates};
use genfic_ca::error::{Problem, Shown as _};
use genfic_ca::index::Authority;
use genfic_ca::profile::{Kind, Limits};
use genfic_ca::x509::Certificate;
use genfic_ca::x509::extension::NameConstraints;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// Renews a CA with the same key, or creates a new generation with a new key.
pub(crate) fn renew(session: &Session, args: &RenewCa) -> Result<Report, Problem> {
    if !args.rekey && args.passphrase.is_given() {
        return Err(usage(
            "with the same key the passphrase stays",
            "add --rekey for a new key; `genfic-ca key passphrase` gives the key that there is a new passphrase",
        ));
    }
    match (args.csr_only, args.rekey) {
        (false, false) => renew_certificate(session, args),
        (false, true) => rekey(session, args),
        (true, false) => super::foreign::request_renewal(session, args),
        (true, true) => super::foreign::request_rekeying(session, args, &rekeying(args)?),
    }
}

fn renew_certificate(session: &Session, args: &RenewCa) -> Result<Report, Problem> {
    let asked = AuthorityRenewal {
        validity: requested_validity(args.valid.as_deref())?,
        profile: args.profile.clone(),
    };
    let renewed = session.engine().lifecycle().renew_authority(&args.name, &asked)?;
    let authority = &renewed.authority;
    let tbs = authority.certificate.tbs();
    let old = renewed.replaces.tbs();
    let result = json!({
        "name": authority.name,
        "serial": tbs.serial_number().to_string(),
        "subject": tbs.subject().to_string(),
        "not_before": tbs.validity().not_before.to_string(),
        "not_after": tbs.validity().not_after.to_string(),
        "certificate": path_value(&renewed.files.certificate),
        "chain": path_value(&renewed.files.chain),
        "profile": authority.profile,
        "parent": authority.parent,
        "fingerprint": authority.certificate.fingerprint().to_string(),
        "replaces": old.serial_number().to_string(),
    });
    let replaces = format!("{}, which is valid until {}", old.serial_number(), old.validity().not_after);
    let more = [("chain", renewed.files.chain.shown().to_string()), ("replaces", replaces)];
    let next = match authority.parent {
        None => "next: give the new certificate to all who trust the old one; both verify what the CA issued",
        Some(_) => "next: servers send the new chain; what the CA issued verifies with both",
    };
    let text = format!(
        "{} has a new certificate of the same key\n{}\n{next}",
        authority.name,
        summary(&authority.certificate, Some(&renewed.files.certificate), more)
    );
    Ok(Report::done(result, text).warn(said(&args.name, authority)).warn(renewed.notices))
}

fn said(name: &str, authority: &Authority) -> Option<String> {
    (authority.name != name).then(|| format!("{} is the newest generation of {name}", authority.name))
}

fn rekeying(args: &RenewCa) -> Result<AuthorityRekeying, Problem> {
    Ok(AuthorityRekeying {
        validity: requested_validity(args.valid.as_deref())?,
        profile: args.profile.clone(),
        key: args.key.as_deref().map(key).transpose()?,
        keystore: args.keystore.as_deref().map(str::parse).transpose()?,
        subject: args.subject.as_deref().map(subject).transpose()?,
        without_rollover: args.no_links,
    })
}

fn rekey(session: &Session, args: &RenewCa) -> Result<Report, Problem> {
    confirm_attended(&session.global, || {
        let newest = session.engine().lifecycle().newest(&args.name)?.name;
        let next = session.engine().lifecycle().next_generation(&args.name)?.name;
        Ok(format!(
            "{next} succeeds {newest}, and issues from then on; {newest} only signs CRLs. Make it? It cannot be undone"
        ))
    })?;
    let rekeyed = session.engine().lifecycle().rekey_authority(&args.name, &rekeying(args)?)?;
    let (created, old) = (&rekeyed.created, &rekeyed.replaces);
    let mut report = created_report(created, "CA", "next: genfic-ca status; new certificates come from ");
    if let Some(result) = report.result.as_object_mut() {
        result.insert("links".into(), rekeyed.rollover.as_ref().map_or(Value::Null, rollover_fields));
    }
    let until = old.last_end.map_or_else(
        || "it issued nothing that has to be on a CRL".into(),
        |end| format!("{} signs its CRL until its last certificate has ended, on {end}", old.name),
    );
    report.text = format!("{}\nsucceeds {}: {until}", report.text, old.name);
    if let Some(rollover) = &rekeyed.rollover {
        report.text = format!("{}\n{}", report.text, rollover_text(rollover));
    }
    Ok(report.warn(created.notices.clone()))
}

fn rollover_fields(rollover: &KeyRolloverCertificates) -> Value {
    let one = |certificate: &Certificate, file: &Path| {
        json!({
            "serial": certificate.tbs().serial_number().to_string(),
            "not_after": certificate.tbs().validity().not_after.to_string(),
            "fingerprint": certificate.fingerprint().to_string(),
            "file": path_value(file),
        })
    };
    json!({
        "new_with_old": one(&rollover.new_with_old, &rollover.new_with_old_file),
        "old_with_new": one(&rollover.old_with_new, &rollover.old_with_new_file),
    })
}

fn rollover_text(rollover: &KeyRolloverCertificates) -> String {
    format!(
        "links\n  new with old  {}, for those who trust the old root alone\n  old with new  {}, for those who trust the \
         new root alone",
        rollover.new_with_old_file.shown(),
        rollover.old_with_new_file.shown()
    )
}

/// Cross-certifies a CA. Between two generations of a root it issues the key rollover certificates in both directions
/// (RFC 9810 §4.4).
pub(crate) fn cross_sign(session: &Session, args: &CrossSign) -> Result<Report, Problem> {
    let engine = session.engine();
    let (subject, certificate) = match engine.record().authority(&args.what)? {
        Some(authority) => (Some(authority.clone()), authority.certificate),
        None => (None, in_file(&args.what)?),
    };
    let by = engine.hierarchy().authority(&args.parent)?;
    if let Some(subject) = &subject
        && subject.name != by.name
        && engine.hierarchy().generations(&subject.name)?.iter().any(|one| one.name == by.name)
        && subject.parent.is_none()
        && by.parent.is_none()
    {
        return ensured(
            session,
            args.ensure,
            || ensure::linked(session, args.ensure, &by, subject),
            || link(session, &by, subject),
        );
    }
    let asked = CrossCertification {
        label: args.what.clone(),
        certificate,
        profile: args.profile.clone().unwrap_or_else(|| default_profile(session, subject.as_ref())),
        validity: requested_validity(args.valid.as_deref())?,
        name_constraints: NameConstraints {
            permitted: subtrees(&args.permit)?,
            excluded: subtrees(&args.exclude)?,
        },
        path_length: args.path_length,
        unconstrained: args.unconstrained,
    };
    let look = || {
        let by = (&asked, args.profile.is_some());
        ensure::crossed(session, args.ensure, &args.parent, by, args.output.as_deref())
    };
    ensured(session, args.ensure, look, || certify(session, args, &asked))
}

/// Returns the request for a cross-certificate of a CA of this home, or of one in a file, with nothing but the profile asked
/// for.
pub(super) fn usual_cross(
    session: &Session,
    what: &str,
    profile: Option<&str>,
) -> Result<CrossCertification, Problem> {
    let subject = session.engine().record().authority(what)?;
    let certificate = match &subject {
        Some(authority) => authority.certificate.clone(),
        None => in_file(what)?,
    };
    let profile = profile.map_or_else(|| default_profile(session, subject.as_ref()), str::to_owned);
    Ok(CrossCertification {
        label: what.to_owned(),
        certificate,
        profile,
        validity: requested_validity(None)?,
        name_constraints: NameConstraints::default(),
        path_length: None,
        unconstrained: false,
    })
}

/// Makes the link that one of two generations of a root can make whose other key is offline.
fn half_link(session: &Session, by: &Authority, other: &Authority) -> Result<Report, Problem> {
    let engine = session.engine();
    let issuer = engine.issuance().unlock_issuer(&by.name)?;
    let before = engine.lifecycle().certified_before(by, &other.certificate)?;
    let (link, file) = engine.lifecycle().half_rollover(&issuer, other)?;
    let fields = json!({
        "serial": link.tbs().serial_number().to_string(),
        "not_after": link.tbs().validity().not_after.to_string(),
        "fingerprint": link.fingerprint().to_string(),
        "file": path_value(&file),
    });
    let is_newer = by.succeeds.as_ref() == Some(&other.name);
    let kind = if is_newer { "old_with_new" } else { "new_with_old" };
    let text = format!(
        "links\n  {}  {}\nthe key of {} is offline: the other link is made in a ceremony, genfic-ca ceremony request {} --cross {} \
         -o FILE",
        kind.replace('_', " "),
        file.shown(),
        other.name,
        other.name,
        by.name,
    );
    let mut links = serde_json::Map::new();
    links.insert(kind.to_owned(), fields);
    Ok(Report::done(json!({ "links": links }), text).warn(before))
}

fn link(session: &Session, by: &Authority, subject: &Authority) -> Result<Report, Problem> {
    let engine = session.engine();
    match [by, subject].map(|one| engine.maintenance().has_key(one)) {
        [false, true] => return half_link(session, subject, by),
        [true, false] => return half_link(session, by, subject),
        _ => {}
    }
    for one in [subject, by] {
        engine.lifecycle().may_come_back(&one.name, &one.certificate)?;
    }
    let before = [
        engine.lifecycle().certified_before(by, &subject.certificate)?,
        engine.lifecycle().certified_before(subject, &by.certificate)?,
    ];
    let rollover = engine.lifecycle().rollover(
        &engine.issuance().unlock_issuer(&by.name)?,
        &engine.issuance().unlock_issuer(&subject.name)?,
    )?;
    Ok(Report::done(json!({ "links": rollover_fields(&rollover) }), rollover_text(&rollover))
        .warn(before.into_iter().flatten()))
}

/// Issues a cross-certificate and reports it.
fn certify(session: &Session, args: &CrossSign, asked: &CrossCertification) -> Result<Report, Problem> {
    let engine = session.engine();
    let (parent, said) = issuing(session, &args.parent)?;
    if asked.certificate.is_ca() {
        engine.lifecycle().may_come_back(&args.what, &asked.certificate)?;
    }
    if args.unconstrained
        && let Some(question) = widening(&args.what, &asked.certificate)
    {
        confirm(&session.global, &question)?;
    }
    let output = args.output.as_deref().map(Output::at).transpose()?;
    let issuer = engine.issuance().unlock_issuer(&parent)?;
    let issued = engine.lifecycle().cross_sign(&issuer, asked)?;
    let mut file = issued.file.clone().unwrap_or_default();
    let mut octets = None;
    if let Some(output) = output {
        let pem = issued.certificate.to_pem().into_bytes();
        let hint = format!("the certificate is issued and kept as {}; copy it from there", file.shown());
        match output.put(&pem).map_err(|problem| problem.hint(hint))? {
            Some(path) => file = path,
            None => octets = Some(pem).filter(|_| !session.global.json),
        }
    }
    let text = format!(
        "{} is certified by {parent} under {}\n{}",
        args.what,
        issued.profile,
        summary(&issued.certificate, Some(&file), [])
    );
    let fields = issued_fields(&issued, &parent, &file);
    let report = Report::done(json!({ "certificates": [fields] }), text).warn(said).warn(issued.notices);
    Ok(Report { octets, ..report })
}

/// Returns the question whether a CA may certify more than its own certificate permits; `None` when that certificate
/// has no limits.
fn widening(what: &str, certificate: &Certificate) -> Option<String> {
    let limits = match Limits::of(certificate) {
        Ok(limits) if limits.is_empty() => return None,
        Ok(limits) => limits.to_string(),
        Err(refused) => refused.into_iter().map(|one| one.message).collect::<Vec<_>>().join("; "),
    };
    Some(format!(
        "what limits {what} by its own certificate is left out: {limits}\nCertify it without these limits?"
    ))
}

fn in_file(word: &str) -> Result<Certificate, Problem> {
    let path = PathBuf::from(word);
    if word != "-" && !path.is_file() {
        return Err(usage(
            format!("`{word}` is neither a CA of this home nor a file"),
            "`genfic-ca authorities` lists the CAs; another CA's certificate is given as a file",
        ));
    }
    Certificate::from_pem_or_der(&read(&path)?)
        .map_err(|error| usage(format!("{word}: {error}"), "a PEM or DER certificate is needed"))
}

/// Returns the CA's own profile when it is one for subordinate CAs, else the default.
fn default_profile(session: &Session, subject: Option<&Authority>) -> String {
    let profiles = &session.assembly.settings().profiles;
    let own = subject.and_then(|one| profiles.get(&one.profile)).filter(|one| one.kind() == Kind::Ca);
    own.map_or("sub-ca", |profile| profile.name()).to_owned()
}
