//! `create-child --csr-only`, `renew-ca --csr-only`, `adopt`, `key import`: single CAs whose certificate an external
//! CA signs, or whose key another program made.
use super::import::adopted_rows;
use super::output::Output;
use super::values::{crl, read, summary, usage};
use crate::cli::{Adopt, Global, KeyImport, RenewCa};
use crate::hints;
use crate::prompt::TerminalPrompt;
use crate::report::{Report, path_value};
use crate::session::Session;
use genfic_ca::ca::{AdoptedKey, AuthorityRekeying, NewAuthority, SubordinateCertificate};
use genfic_ca::error::{Problem, Shown as _};
use genfic_ca::home::AuthorityName;
use genfic_ca::import::certificates;
use genfic_ca::repository::PendingRequest;
use genfic_ca::signing::{
    KeyError, OpenedKey, PassphraseSources, Secret, SecretPurpose, SecretSource, SecretSpec,
};
use genfic_ca::subscriber_key::ForeignKey;
use genfic_ca::x509::{Certificate, pem};
use serde_json::json;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use zeroize::Zeroizing;

/// Returns the source of the passphrase that protects an old key, when it differs from that of the new key.
pub(crate) fn old_passphrase(
    global: &Global,
    spec: Option<&str>,
) -> Result<Option<PassphraseSources<'static>>, Problem> {
    let spec = spec.map(str::parse::<SecretSpec>).transpose()?;
    Ok(spec.map(|spec| spec.source(TerminalPrompt::new(!global.no_input && !global.json))))
}

/// Decrypts the private key of another program.
pub(crate) fn open_key(
    session: &Session,
    key: &ForeignKey,
    file: &Path,
    old: Option<&PassphraseSources<'static>>,
) -> Result<OpenedKey, Problem> {
    let purpose = SecretPurpose::Open(format!("the old key {}", file.shown()));
    let mut ask = || -> Result<Secret, _> { old.unwrap_or(session.secrets()).secret(&purpose) };
    key.open(file, &mut ask).map_err(|error| {
        let is_another = matches!(error, KeyError::SecretRejected(_)) && old.is_none();
        let problem = genfic_ca::import::unusable_key(error);
        match is_another {
            true => problem.hint(
                "try again; when the old key has another passphrase than the new one will have, say with \
                 --key-passphrase-from where it comes from",
            ),
            false => problem,
        }
    })
}

/// Returns where a request is written, by default NAME.req. No file may exist there.
fn place_of_request(session: &Session, name: &str, output: Option<&Path>) -> Result<Output, Problem> {
    let place = match output {
        Some(path) => Output::new_at(path)?,
        None => Output::new_within(&PathBuf::from(format!("{name}.req")))?,
    };
    place.beside_json(&session.global)
}

/// Returns the command that installs the certificate of a CA with a pending request.
fn adopting(name: &str) -> String {
    format!("genfic-ca adopt {name} CERTIFICATE")
}

/// Creates the key and the request of a CA whose certificate an external CA signs.
pub(crate) fn request_child(
    session: &Session,
    new: &NewAuthority,
    parent: Option<&str>,
    output: Option<&Path>,
) -> Result<Report, Problem> {
    let place = place_of_request(session, &new.name, output)?;
    requested(&session.engine().lifecycle().request_child(new, adopting)?, parent, place)
}

/// Creates the key and the request of the next generation of a CA whose certificate an external CA signs.
pub(crate) fn request_rekeying(
    session: &Session,
    args: &RenewCa,
    asked: &AuthorityRekeying,
) -> Result<Report, Problem> {
    let name = session.engine().lifecycle().next_generation(&args.name)?.name;
    let place = place_of_request(session, &name, args.output.as_deref())?;
    let pending_request =
        session.engine().lifecycle().request_authority_rekeying(&args.name, asked, adopting)?;
    requested(&pending_request, None, place)
}

/// Creates the request for the next certificate of a CA whose certificate an external CA signs.
pub(crate) fn request_renewal(session: &Session, args: &RenewCa) -> Result<Report, Problem> {
    let name = session.engine().lifecycle().newest(&args.name)?.name;
    let place = place_of_request(session, &name, args.output.as_deref())?;
    let asked = session.engine().lifecycle().request_authority_renewal(&name)?;
    let request = pem::encode("CERTIFICATE REQUEST", &asked.request);
    let path = place.put_new(request.as_bytes())?;
    let tbs = asked.authority.certificate.tbs();
    let profile = args.profile.as_ref().unwrap_or(&asked.authority.profile);
    let result = json!({
        "name": name,
        "request": path.as_ref().map(path_value),
        "key": asked.authority.key_name(),
        "algorithm": tbs.public_key().algorithm().to_string(),
        "profile": profile,
        "waiting": false,
        "replaces": tbs.serial_number().to_string(),
    });
    let text = format!(
        "a request for the next certificate of {name}\n  subject   {}\n  request   {1}\n  replaces  {2}, which is valid \
         until {3}\nnext: in the home of its parent: genfic-ca sign {1} -p PARENT --profile {profile} \
         --chain=with-root -o {name}.pem\nthen: genfic-ca adopt {name} {name}.pem",
        tbs.subject(),
        path.as_deref().unwrap_or(Path::new("-")).shown(),
        tbs.serial_number(),
        tbs.validity().not_after,
    );
    Ok(Report { octets: path.is_none().then(|| request.into_bytes()), ..Report::done(result, text) })
}

fn requested(
    pending_request: &PendingRequest,
    parent: Option<&str>,
    place: Output,
) -> Result<Report, Problem> {
    let request = pending_request.request_pem().unwrap_or_default();
    let algorithm = pending_request.public_key.algorithm();
    let key = format!("{}.age", pending_request.name);
    let path = place.put_new(request.as_bytes()).map_err(|problem| {
        let hint = hints::text(&problem.hint);
        let hint =
            format!("{hint}; the request is also in requests/{}.waiting of the home", pending_request.name);
        problem.hint(hint)
    })?;
    let profile = pending_request.profile.as_deref().unwrap_or_default();
    let result = json!({
        "name": pending_request.name,
        "request": path.as_ref().map(path_value),
        "key": key,
        "algorithm": algorithm.to_string(),
        "profile": profile,
        "waiting": true,
    });
    let file = path.as_deref().unwrap_or(Path::new("-")).shown();
    let parent = parent.unwrap_or("PARENT");
    let text = format!(
        "{0} waits for its certificate\n  key      {key} ({algorithm})\n  request  {file}\nnext: in the home of its \
         parent: genfic-ca sign {file} -p {parent} --profile {profile} --chain=with-root -o {0}.pem\nthen: genfic-ca \
         adopt {0} {0}.pem",
        pending_request.name,
    );
    Ok(Report { octets: path.is_none().then(|| request.into_bytes()), ..Report::done(result, text) })
}

/// Installs a certificate that an external CA signed.
pub(crate) fn adopt(session: &Session, args: &Adopt) -> Result<Report, Problem> {
    let name = AuthorityName::from_str(&args.name)?.to_string();
    let engine = session.engine();
    let mut found: Vec<Certificate> = Vec::new();
    for file in std::iter::once(&args.certificate).chain(&args.chain) {
        found.extend(certificates(&read(file)?, file)?);
    }
    let by_name = || super::authority::profile_by_name(session, &name).unwrap_or_else(|| "system-ca".into());
    let is_asked_for = engine
        .lifecycle()
        .pending_request(&name)?
        .is_none_or(|pending_request| pending_request.profile.is_some());
    let (profile, said) = match &args.profile {
        None if !is_asked_for => {
            let profile = by_name();
            let said = format!("no --profile was given; {profile} was taken for {name}");
            (Some(profile), Some(said))
        }
        given => (given.clone(), None),
    };
    let adoption = engine.lifecycle().accept_certificate(SubordinateCertificate {
        name,
        certificates: found,
        profile,
        ocsp: args.ocsp,
        source: args.certificate.shown().to_string(),
    })?;
    let renews = adoption.renews.as_ref().map(|known| known.certificate.tbs().serial_number().to_string());
    let adopted = engine.lifecycle().adopt(adoption, AdoptedKey::Here)?;
    let authority = &adopted.authority;
    let tbs = authority.certificate.tbs();
    let result = json!({
        "name": authority.name,
        "serial": tbs.serial_number().to_string(),
        "subject": tbs.subject().to_string(),
        "not_before": tbs.validity().not_before.to_string(),
        "not_after": tbs.validity().not_after.to_string(),
        "certificate": path_value(&adopted.files.certificate),
        "chain": path_value(&adopted.files.chain),
        "crl": adopted.crl.as_ref().and_then(|crl| crl.files.first()).map(path_value),
        "profile": authority.profile,
        "parent": authority.parent,
        "above": adopted.issuer_path,
        "fingerprint": authority.certificate.fingerprint().to_string(),
        "crl_details": adopted.crl.as_ref().map(crl),
        "responder": adopted.responder.as_ref().map(|responder| responder.tbs().serial_number().to_string()),
        "replaces": renews,
    });
    let mut text = match &renews {
        Some(_) => format!("{} has its next certificate\n", authority.name),
        None => format!("{} is a CA now\n", authority.name),
    };
    text.push_str(&summary(&authority.certificate, Some(&adopted.files.certificate), adopted_rows(&adopted)));
    Ok(Report::done(result, text).warn(said).warn(adopted.notices.clone()))
}

/// Imports a CA's private key.
pub(crate) fn import_key(
    session: &Session,
    args: &KeyImport,
    old: Option<&PassphraseSources<'static>>,
) -> Result<Report, Problem> {
    let name = AuthorityName::from_str(&args.name)?.to_string();
    let octets = Zeroizing::new(read(&args.file)?);
    let key = ForeignKey::find(&octets, &args.file).map_err(genfic_ca::import::unusable_key)?;
    let key = key.ok_or_else(|| {
        usage(
            format!("there is no private key in {}", args.file.shown()),
            "a private key, PEM or DER, is needed",
        )
    })?;
    let opened = open_key(session, &key, &args.file, old)?;
    let algorithm = opened.public_key().algorithm();
    let pending_request = session.engine().lifecycle().bring_key(&name, opened, adopting)?;
    let result = json!({
        "name": name,
        "key": format!("{name}.age"),
        "algorithm": algorithm.to_string(),
        "form": key.to_string(),
        "waiting": pending_request.is_some(),
    });
    let next = match pending_request {
        Some(_) => format!("next: {}", adopting(&name)),
        None => format!("next: genfic-ca crl publish {name}"),
    };
    let text = format!(
        "the key of {name} is here ({algorithm}), encrypted as {name}.age\n{next}\nthen destroy {}, and every copy \
         of it that is not kept as safe as this one",
        args.file.shown()
    );
    Ok(Report::done(result, text))
}
