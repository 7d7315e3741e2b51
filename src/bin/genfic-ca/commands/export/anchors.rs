//! `export bundle` and `export truststore`: trust anchors.
use super::super::authority::status;
use super::super::chain::pem;
use super::super::output::Output;
use super::super::values::usage;
use super::subscriber::pkcs12_passphrase;
use crate::cli::{Bundle, BundleFormat, Truststore};
use crate::report::{Report, counted, path_value};
use crate::session::Session;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use genfic_ca::ca::Published;
use genfic_ca::error::{Code, Problem, Shown as _};
use genfic_ca::export::pkcs12::{Protection, trust_store};
use genfic_ca::export::{certificates_only, configuration_profile};
use genfic_ca::index::Authority;
use genfic_ca::signing::SecretSource;
use genfic_ca::x509::{Certificate, UnixTime};
use serde_json::{Value, json};

/// The standing of a CA that somebody retired.
const RETIRED: &str = "retired";

/// Returns the CAs of these names, or every valid root, with `all` those that are retired too; and warnings about them.
pub(super) fn anchors(
    session: &Session,
    names: &[String],
    all: bool,
) -> Result<(Vec<Published<Authority>>, Vec<String>), Problem> {
    let engine = session.engine();
    let now = engine.now();
    let mut chosen: Vec<Authority> = Vec::new();
    let mut said = Vec::new();
    for name in names {
        let authority = engine.hierarchy().authority(name)?;
        let status = standing(session, &authority, now)?;
        if status != "valid" {
            said.push(format!("{name} is {status}"));
        }
        if !chosen.iter().any(|one| one.name == authority.name) {
            chosen.push(authority);
        }
    }
    if names.is_empty() {
        for authority in engine.record().authorities()? {
            if authority.parent.is_some() {
                continue;
            }
            match standing(session, &authority, now)?.as_str() {
                "valid" => chosen.push(authority),
                RETIRED if all => chosen.push(authority),
                other => said.push(format!("{} is left out: it is {other}", authority.name)),
            }
        }
    }
    if chosen.is_empty() {
        return Err(Problem::new(Code::AuthorityNotFound, "there is no root that is valid")
            .hint("`genfic-ca authorities` lists the CAs of this home; name those that are wanted"));
    }
    let published = chosen.into_iter().map(|one| engine.publication().check_authority_published(&one.name));
    Ok((published.collect::<Result<_, _>>()?, said))
}

/// Returns the status of a CA, which for a valid one may be that it is retired.
fn standing(session: &Session, authority: &Authority, now: UnixTime) -> Result<String, Problem> {
    let status = status(session.engine().record(), authority, now)?;
    let is_retired = status == "valid" && authority.retired.is_some();
    Ok(if is_retired { RETIRED.to_owned() } else { status })
}

/// Returns name, fingerprint and end of each CA.
pub(super) fn listed(authorities: &[Published<Authority>]) -> Value {
    let fields = |authority: &Published<Authority>| {
        json!({
            "name": authority.name,
            "subject": authority.certificate.tbs().subject().to_string(),
            "not_after": authority.certificate.tbs().validity().not_after.to_string(),
            "fingerprint": authority.certificate.fingerprint().to_string(),
        })
    };
    authorities.iter().map(fields).collect()
}

/// Writes CA certificates.
pub(crate) fn bundle(session: &Session, args: &Bundle) -> Result<Report, Problem> {
    let output = Output::chosen(args.output.as_deref())?;
    let (authorities, said) = anchors(session, &args.authorities, args.all)?;
    let certificates: Vec<Published<Certificate>> =
        authorities.iter().map(Published::<Authority>::certificate).collect();
    let (word, is_text, octets) = match args.format {
        BundleFormat::Pem => ("pem", true, pem(&certificates).into_bytes()),
        BundleFormat::Der => ("der", false, single(&certificates)?.as_der().to_vec()),
        BundleFormat::Pkcs7 => ("pkcs7", false, certificates_only(&certificates)),
        BundleFormat::Mobileconfig => {
            let organization = &session.assembly.settings().config.organization.organization;
            let title = organization.as_deref().map_or_else(|| "CAs".into(), |name| format!("CAs of {name}"));
            ("mobileconfig", true, configuration_profile(&title, &certificates).into_bytes())
        }
    };
    let file = output.put(&octets)?;
    let mut result =
        json!({ "format": word, "authorities": listed(&authorities), "file": file.as_ref().map(path_value) });
    let report = match file {
        Some(path) => {
            let count = counted(certificates.len(), "certificate");
            Report::done(result, format!("{count} written to {}", path.shown()))
        }
        None => {
            let contents = if is_text {
                String::from_utf8_lossy(&octets).into_owned()
            } else {
                STANDARD.encode(&octets)
            };
            if let Some(fields) = result.as_object_mut() {
                fields.insert(if is_text { "text" } else { "base64" }.into(), contents.into());
            }
            Report { octets: Some(octets), ..Report::seen(result, "") }
        }
    };
    Ok(report.warn(said))
}

fn single(certificates: &[Published<Certificate>]) -> Result<&Published<Certificate>, Problem> {
    match certificates {
        [one] => Ok(one),
        many => Err(usage(
            format!("DER holds one certificate, and these are {}", many.len()),
            "name one CA, or use --format pkcs7",
        )),
    }
}

/// Writes a PKCS#12 file from which Java reads trusted certificates.
pub(crate) fn truststore(
    session: &Session,
    args: &Truststore,
    secrets: &dyn SecretSource,
) -> Result<Report, Problem> {
    let output = Output::at(&args.output)?.beside_json(&session.global)?;
    let (authorities, said) = anchors(session, &args.authorities, args.all)?;
    let passphrase = pkcs12_passphrase(secrets, "the trust store")?;
    let entries: Vec<(String, Published<Certificate>)> =
        authorities.iter().map(|one| (one.name.clone(), one.certificate())).collect();
    let protection = if args.legacy { Protection::Legacy } else { Protection::Modern };
    let octets = trust_store(&entries, &passphrase, protection)?;
    let file = output.put(&octets)?;
    let result = json!({ "authorities": listed(&authorities), "file": file.as_ref().map(path_value), "legacy": args.legacy });
    let report = match file {
        Some(path) => {
            let count = counted(entries.len(), "trusted certificate");
            Report::done(result, format!("{count} written to {}", path.shown()))
        }
        None => Report { octets: Some(octets), ..Report::seen(result, "") },
    };
    Ok(report.warn(said))
}
