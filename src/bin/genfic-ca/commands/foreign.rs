//! `create-child --csr-only`, `renew-ca --csr-only`, `adopt`, `key import`: single CAs whose certificate an external
//! CA signs, or whose key another program made.
use super::ensure::{self, ensured, otherwise, unchanged, would_change};
use super::import::adopted_rows;
use super::output::Output;
use super::values::{crl, opened, read, summary, usage};
use crate::cli::{Adopt, Ensure, KeyImport, RenewCa};
use crate::hints;
use crate::report::{Report, path_value};
use crate::session::Session;
use genfic_ca::ca::{AuthorityRekeying, Difference, NewAuthority, SubordinateCertificate};
use genfic_ca::error::{Problem, Shown as _};
use genfic_ca::home::AuthorityName;
use genfic_ca::import::certificates;
use genfic_ca::repository::PendingRequest;
use genfic_ca::signing::{BroughtKey, KeyError, SecretSpec};
use genfic_ca::x509::{Certificate, pem};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// Returns the source of the passphrase that protects an old key, when it differs from that of the new key.
pub(crate) fn old_passphrase(spec: Option<&str>) -> Result<Option<SecretSpec>, Problem> {
    Ok(spec.map(str::parse::<SecretSpec>).transpose()?)
}

/// Has the signer decrypt the private key of another program. The file is opened here and not read. Returns the key and
/// its form in the file.
pub(crate) fn open_key(
    session: &Session,
    path: &Path,
    old: Option<&SecretSpec>,
) -> Result<(BroughtKey, String), Problem> {
    let file = opened(path)?;
    session.keys().read_foreign(file, path, old).map_err(|error| {
        if matches!(error, KeyError::NotFound(_)) {
            return usage(
                format!("there is no private key in {}", path.shown()),
                "a private key, PEM or DER, is needed",
            );
        }
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

/// Reports the pending request of a CA that was asked for before; its file is written again when it is gone.
pub(crate) fn requested_before(
    session: &Session,
    ensure: Ensure,
    pending: &PendingRequest,
    output: Option<&Path>,
) -> Result<Report, Problem> {
    let path = output.map_or_else(|| PathBuf::from(format!("{}.req", pending.name)), Path::to_owned);
    let is_there = path != Path::new("-") && path.exists();
    if is_there && read(&path)? != pending.request_pem().unwrap_or_default().as_bytes() {
        let difference = Difference::new("file", "the request", "something else");
        let hint = "move it away, or choose another with -o; nothing was replaced";
        let fields = request_fields(pending, Some(&path));
        return Ok(otherwise(&path.shown().to_string(), fields, &[difference], hint));
    }
    if is_there {
        let text = format!("{} waits for its certificate: {}", pending.name, adopting(&pending.name));
        return Ok(unchanged(ensure, request_fields(pending, Some(&path)), text));
    }
    if ensure.dry_run {
        return Ok(would_change());
    }
    let place = place_of_request(session, &pending.name, output)?;
    let is_file = place.is_file();
    Ok(Report { changed: is_file, ..requested(pending, None, place)? })
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
    let path = place.put_new(request.as_bytes()).map_err(|problem| {
        let hint = hints::text(&problem.hint);
        let hint =
            format!("{hint}; the request is also in requests/{}.waiting of the home", pending_request.name);
        problem.hint(hint)
    })?;
    let result = request_fields(pending_request, path.as_deref());
    let profile = pending_request.profile.as_deref().unwrap_or_default();
    let file = path.as_deref().unwrap_or(Path::new("-")).shown();
    let parent = parent.unwrap_or("PARENT");
    let text = format!(
        "{0} waits for its certificate\n  key      {0}.age ({1})\n  request  {file}\nnext: in the home of its \
         parent: genfic-ca sign {file} -p {parent} --profile {profile} --chain=with-root -o {0}.pem\nthen: genfic-ca \
         adopt {0} {0}.pem",
        pending_request.name,
        pending_request.public_key.algorithm(),
    );
    Ok(Report { octets: path.is_none().then(|| request.into_bytes()), ..Report::done(result, text) })
}

fn request_fields(pending: &PendingRequest, path: Option<&Path>) -> Value {
    json!({
        "name": pending.name,
        "request": path.map(path_value),
        "key": format!("{}.age", pending.name),
        "algorithm": pending.public_key.algorithm().to_string(),
        "profile": pending.profile.as_deref().unwrap_or_default(),
        "waiting": true,
    })
}

/// Installs a certificate that an external CA signed.
pub(crate) fn adopt(session: &Session, args: &Adopt) -> Result<Report, Problem> {
    let name = AuthorityName::from_str(&args.name)?.to_string();
    let mut found: Vec<Certificate> = Vec::new();
    for file in std::iter::once(&args.certificate).chain(&args.chain) {
        found.extend(certificates(&read(file)?, file)?);
    }
    ensured(
        session,
        args.ensure,
        || ensure::adopted(session, args, &found),
        || accept(session, args, name, found.clone()),
    )
}

fn accept(session: &Session, args: &Adopt, name: String, found: Vec<Certificate>) -> Result<Report, Problem> {
    let engine = session.engine();
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
    let key = engine.lifecycle().key_of_accepted(&adoption)?;
    let adopted = engine.lifecycle().adopt(adoption, key)?;
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
    file: &Path,
    old: Option<&SecretSpec>,
) -> Result<Report, Problem> {
    let name = AuthorityName::from_str(&args.name)?.to_string();
    let (opened, form) = open_key(session, file, old)?;
    let algorithm = opened.public_key().algorithm();
    let pending_request = session.engine().lifecycle().bring_key(&name, opened, adopting)?;
    let result = json!({
        "name": name,
        "key": format!("{name}.age"),
        "algorithm": algorithm.to_string(),
        "form": form,
        "waiting": pending_request.is_some(),
    });
    let next = match pending_request {
        Some(_) => format!("next: {}", adopting(&name)),
        None => format!("next: genfic-ca crl publish {name}"),
    };
    let text = format!(
        "the key of {name} is here ({algorithm}), encrypted as {name}.age\n{next}\nthen destroy {}, and every copy \
         of it that is not kept as safe as this one",
        file.shown()
    );
    Ok(Report::done(result, text))
}

/// Puts on record that the signer that listens has the key of a CA, which an administrator has brought there.
pub(crate) fn take_key(session: &Session, args: &KeyImport) -> Result<Report, Problem> {
    let name = AuthorityName::from_str(&args.name)?.to_string();
    let algorithm = session.engine().lifecycle().take_key_in_signer(&name)?;
    let result = json!({
        "name": name,
        "key": format!("{name}.age"),
        "algorithm": algorithm.to_string(),
        "form": null,
        "waiting": false,
    });
    let text = format!("the signer has the key of {name} ({algorithm})\nnext: genfic-ca crl publish {name}");
    Ok(Report::done(result, text))
}
