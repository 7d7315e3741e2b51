//! `import openssl`, `import easy-rsa`: takes over a CA with all that it issued and revoked.
use super::foreign::open_key;
use super::import_again;
use super::question::confirm_attended;
use super::values::crl as crl_fields;
use crate::cli::ImportFrom;
use crate::report::{Report, columns, counted, path_value};
use crate::session::Session;
use genfic_ca::ca::{AdoptedAuthority, AdoptedKey, Adoption, AdoptionPlan, PriorCertificate};
use genfic_ca::error::{Code, Exit, Problem, Shown as _};
use genfic_ca::home::AuthorityName;
use genfic_ca::import::{self, ForeignAuthority, Inventory, Layout, Wanted};
use genfic_ca::index::{Authority, ImportedContents};
use genfic_ca::profile::Kind;
use genfic_ca::signing::{AwaitedKey, SecretSpec};
use genfic_ca::x509::extension::{CRL_DISTRIBUTION_POINTS, distribution_point_urls};
use genfic_ca::x509::{Certificate, UnixTime};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use std::str::FromStr;

/// Number of items that are listed one by one; 20 show which they are without filling the screen.
const LISTED: usize = 20;

/// What was read from the old CA, and how it will be taken over.
struct Reading {
    foreign: ForeignAuthority,
    adoption: Adoption,
    plan: AdoptionPlan,
    /// The CA, when it was already taken over before.
    known: Option<Authority>,
    /// Its key, when an administrator has brought that to the signer.
    awaited: Option<AwaitedKey>,
    said: Vec<String>,
}

/// Reads the directory and checks everything that does not need the key.
fn reading(session: &Session, args: &ImportFrom, layout: Layout) -> Result<Reading, Problem> {
    let name = AuthorityName::from_str(&args.name)?.to_string();
    let before = session.engine().record().authority(&name)?.filter(|one| !one.is_external());
    let awaited = match before.is_some() || args.without_key || args.key.is_some() {
        true => None,
        false => brought(session, &name)?,
    };
    let wanted = Wanted {
        directory: &args.dir,
        layout,
        index: args.index.as_deref(),
        certificate: args.cert.as_ref(),
        key: args.key.as_deref(),
        // a CA that was taken over already does not need its old key
        without_key: args.without_key || before.is_some() || awaited.is_some(),
        chain: &args.chain,
    };
    let foreign = import::read(&wanted, session.keys())?;
    let mut said = foreign.notices.clone();
    let issuer = foreign.certificate.tbs().as_issuer();
    let of_before = before.filter(|one| one.issuer == issuer).map(|one| one.profile);
    let confirmed = awaited.as_ref().and_then(AwaitedKey::profile).map(str::to_owned);
    let profile = args.profile.clone().or(of_before).or(confirmed).unwrap_or_else(|| {
        let profile = profile_for(session, &name, &foreign);
        said.push(format!("no --profile was given; {profile} was taken for {name}"));
        profile
    });
    let is_for_cas = session.assembly.settings().profile(&profile)?.kind() == Kind::RootCa;
    said.extend(old_addresses(session, &name, &foreign.inventory));
    let source = std::fs::canonicalize(&args.dir).unwrap_or_else(|_| args.dir.clone());
    let adoption = Adoption {
        name,
        profile,
        ocsp: args.ocsp.unwrap_or(!is_for_cas && !args.without_key),
        certificate: foreign.certificate.clone(),
        renews: None,
        succeeds: None,
        others: foreign.others.clone(),
        prior: prior(&foreign.inventory),
        crl_number: foreign.crl_number,
        last_crl: foreign.last_crl.clone(),
        source: source.shown().to_string(),
    };
    let known = session.engine().lifecycle().taken_over(&adoption)?;
    let plan = match &known {
        None => session.engine().lifecycle().plan_adoption(&adoption)?,
        Some(known) => {
            AdoptionPlan { parent: known.parent.clone(), issuer_path: Vec::new(), notices: Vec::new() }
        }
    };
    Ok(Reading { foreign, adoption, plan, known, awaited, said })
}

/// Returns the key of the CA that an administrator of this login has brought to the signer. Where nobody listens there is none,
/// and the key comes into the home.
fn brought(session: &Session, name: &str) -> Result<Option<AwaitedKey>, Problem> {
    match session.engine().lifecycle().key_in_signer(name) {
        Err(problem) if problem.code == Code::SignerUnavailable => Ok(None),
        awaited => awaited,
    }
}

fn prior(inventory: &Inventory) -> Vec<PriorCertificate> {
    let certificates = inventory.certificates.iter();
    certificates
        .map(|(serial_number, certificate)| PriorCertificate {
            serial_number: serial_number.clone(),
            contents: certificate.contents.clone(),
            state: certificate.state(),
        })
        .collect()
}

/// Returns the profile whose name the CA's name ends with; else `root-ca` for a root that certified CAs only; else
/// `system-ca`.
fn profile_for(session: &Session, name: &str, foreign: &ForeignAuthority) -> String {
    if let Some(profile) = super::authority::profile_by_name(session, name) {
        return profile;
    }
    let tbs = foreign.certificate.tbs();
    let mut issued = foreign.inventory.certificates.values().filter_map(|one| match &one.contents {
        ImportedContents::Certificate(certificate) if *certificate != foreign.certificate => {
            Some(certificate)
        }
        _ => None,
    });
    let first = issued.next();
    let only_cas = first.is_some_and(Certificate::is_ca) && issued.all(Certificate::is_ca);
    if only_cas && tbs.is_self_issued() { "root-ca" } else { "system-ca" }.to_owned()
}

/// Returns a message with the CRL URLs in the certificates issued so far, when they differ from the future one.
fn old_addresses(session: &Session, name: &str, inventory: &Inventory) -> Option<String> {
    let here = session.assembly.settings().crl_url(name);
    let mut old: BTreeSet<String> = BTreeSet::new();
    for certificate in inventory.certificates.values() {
        let ImportedContents::Certificate(certificate) = &certificate.contents else { continue };
        let points = certificate.tbs().extension(CRL_DISTRIBUTION_POINTS);
        old.extend(points.and_then(|points| distribution_point_urls(&points.value).ok()).unwrap_or_default());
    }
    old.retain(|url| Some(url) != here.as_ref());
    let urls: Vec<&str> = old.iter().take(LISTED).map(String::as_str).collect();
    (!urls.is_empty()).then(|| {
        format!("certificates issued so far name {}: serve public/{name}.crl there too", urls.join(", "))
    })
}

/// Number of certificates in each state at one time.
struct Counts {
    valid: usize,
    expired: usize,
    revoked: usize,
    held: usize,
    by_number: usize,
}

fn count(inventory: &Inventory, now: UnixTime) -> Counts {
    let mut counts =
        Counts { valid: 0, expired: 0, revoked: 0, held: 0, by_number: inventory.missing().count() };
    for certificate in inventory.certificates.values() {
        match &certificate.revocation {
            Some(revocation) if revocation.is_hold() => counts.held += 1,
            Some(_) => counts.revoked += 1,
            None if certificate.not_after() < now => counts.expired += 1,
            None => counts.valid += 1,
        }
    }
    counts
}

/// Returns the JSON fields that a dry run has too.
fn fields(reading: &Reading, now: UnixTime) -> Map<String, Value> {
    let Reading { foreign, adoption, plan, .. } = reading;
    let tbs = foreign.certificate.tbs();
    let counts = count(&foreign.inventory, now);
    let missing: Vec<String> = foreign.inventory.missing().map(ToString::to_string).collect();
    let issuer_path: Vec<&str> = plan.issuer_path.iter().map(|one| one.name.as_str()).collect();
    let value = json!({
        "name": adoption.name,
        "source": adoption.source,
        "serial": tbs.serial_number().to_string(),
        "subject": tbs.subject().to_string(),
        "not_before": tbs.validity().not_before.to_string(),
        "not_after": tbs.validity().not_after.to_string(),
        "fingerprint": foreign.certificate.fingerprint().to_string(),
        "profile": adoption.profile,
        "parent": plan.parent,
        "above": issuer_path,
        "found": {
            "index": path_value(&foreign.index_file),
            "certificate": path_value(&foreign.certificate_file),
            "key": foreign.key.as_ref().map(|(path, _)| path_value(path)),
            "key_form": foreign.key.as_ref().map(|(_, key)| key.form.as_str()),
            "key_in_signer": reading.awaited.is_some(),
            "other_keys": foreign.other_keys,
        },
        "certificates": {
            "all": foreign.inventory.certificates.len(),
            "valid": counts.valid,
            "expired": counts.expired,
            "revoked": counts.revoked,
            "held": counts.held,
            "known_by_number": missing,
            "left_out": foreign.inventory.left_out,
        },
        "last_crl_number": foreign.crl_number,
    });
    match value {
        Value::Object(fields) => fields,
        _ => Map::new(),
    }
}

fn rows(reading: &Reading, now: UnixTime) -> Vec<(String, String)> {
    let Reading { foreign, adoption, plan, .. } = reading;
    let tbs = foreign.certificate.tbs();
    let counts = count(&foreign.inventory, now);
    let mut rows = vec![
        ("  subject", tbs.subject().to_string()),
        ("  valid", format!("{} to {}", tbs.validity().not_before, tbs.validity().not_after)),
        ("  certificate", foreign.certificate_file.shown().to_string()),
    ];
    if let Some(parent) = &plan.parent {
        let issuer_path: Vec<&str> = plan.issuer_path.iter().map(|one| one.name.as_str()).collect();
        let run = if issuer_path.is_empty() {
            String::new()
        } else {
            format!(" (run by others: {})", issuer_path.join(", "))
        };
        rows.push(("  below", format!("{parent}{run}")));
    }
    rows.push(("  profile", adoption.profile.clone()));
    rows.push((
        "  key",
        match &foreign.key {
            Some((path, key)) => format!("{} ({}), here {}.age", path.shown(), key.form, adoption.name),
            None if reading.awaited.is_some() => "in the signer, where an administrator brought it".into(),
            None => "stays where it is".into(),
        },
    ));
    let all = foreign.inventory.certificates.len();
    let mut issued =
        format!("{all}: {} valid, {} expired, {} revoked", counts.valid, counts.expired, counts.revoked);
    if counts.held > 0 {
        issued.push_str(&format!(", {} on hold", counts.held));
    }
    if counts.by_number > 0 {
        issued.push_str(&format!("; {} known by number only", counts.by_number));
    }
    rows.push(("  issued", issued));
    rows.push((
        "  CRL numbers",
        match foreign.crl_number {
            0 => "begin with 1; no CRL with a number was found".into(),
            number => format!("go on above {number}"),
        },
    ));
    if foreign.other_keys > 0 {
        rows.push((
            "  not taken",
            format!("{} of others, left where they are", counted(foreign.other_keys, "key")),
        ));
    }
    rows.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// Opens the key and checks that it matches the certificate. Returns false when there is no key, or no source for its
/// passphrase.
fn try_key(session: &Session, reading: &Reading, old: Option<&SecretSpec>) -> Result<bool, Problem> {
    let Some((path, _)) = &reading.foreign.key else { return Ok(false) };
    match open_key(session, path, old) {
        Ok((opened, _)) => reading.adoption.check_key(opened.public_key()).map(|()| true),
        Err(problem) if problem.exit == Exit::InputNeeded => Ok(false),
        Err(problem) => Err(problem),
    }
}

/// Reports what would be taken over, and changes nothing.
pub(crate) fn preview(
    session: &Session,
    args: &ImportFrom,
    layout: Layout,
    old: Option<&SecretSpec>,
) -> Result<Report, Problem> {
    let reading = reading(session, args, layout)?;
    let now = session.engine().now();
    if let Some(known) = &reading.known {
        let result = fields(&reading, now);
        return import_again::preview(session, known, &reading.adoption, result, reading.said);
    }
    let is_opened = try_key(session, &reading, old)?;
    let mut result = fields(&reading, now);
    result.insert("key_opened".into(), json!(is_opened));
    result.insert("dry_run".into(), json!(true));
    let mut text =
        format!("what would be taken over as {}\n{}", reading.adoption.name, columns(&rows(&reading, now)));
    text.push_str(match is_opened {
        true => "\nthe key was opened, and is that of the certificate",
        false if reading.foreign.key.is_none() => "",
        false => {
            "\nwhether the key belongs to the certificate shows when it is opened, for which its passphrase is needed: \
             --key-passphrase-from"
        }
    });
    text.push_str("\nnothing was changed: this was a dry run");
    let Reading { plan, said, .. } = reading;
    Ok(Report::seen(Value::Object(result), text).warn(said).warn(plan.notices))
}

/// Returns the result of an adoption as rows for people.
pub(crate) fn adopted_rows(adopted: &AdoptedAuthority) -> Vec<(&'static str, String)> {
    let mut rows = Vec::new();
    if let Some(parent) = &adopted.authority.parent {
        let issuer_path = adopted.issuer_path.join(", ");
        let run =
            if issuer_path.is_empty() { issuer_path } else { format!(" (run by others: {issuer_path})") };
        rows.push(("below", format!("{parent}{run}")));
    }
    rows.push(("profile", adopted.authority.profile.clone()));
    rows.push((
        "crl",
        match &adopted.crl {
            Some(crl) => format!("number {}, lists {}, until {}", crl.number, crl.entries, crl.next_update),
            None => "none".into(),
        },
    ));
    rows.push((
        "responder",
        match &adopted.responder {
            Some(responder) => format!("until {}", responder.tbs().validity().not_after),
            None => "none".into(),
        },
    ));
    rows
}

/// Takes over the CA.
pub(crate) fn import(
    session: &Session,
    args: &ImportFrom,
    layout: Layout,
    old: Option<&SecretSpec>,
) -> Result<Report, Problem> {
    let reading = reading(session, args, layout)?;
    let engine = session.engine();
    let now = engine.now();
    let (mut result, mut rows) = (fields(&reading, now), rows(&reading, now));
    let Reading { foreign, adoption, said, known, awaited, .. } = reading;
    if let Some(known) = known {
        return import_again::import(session, &known, &adoption, result, said);
    }
    confirm_attended(&session.global, || {
        let shown = columns(&rows);
        Ok(format!("{shown}\nTake it over as {}? It cannot be undone", adoption.name))
    })?;
    let is_in_signer = awaited.is_some();
    let key = match (&foreign.key, awaited) {
        (Some((path, _)), _) => AdoptedKey::Foreign(open_key(session, path, old)?.0),
        (None, Some(awaited)) => AdoptedKey::InSigner(awaited),
        (None, None) => AdoptedKey::Away,
    };
    let doubts = engine.lifecycle().doubts(&adoption.name, &adoption.prior)?;
    let adopted = engine.lifecycle().adopt(adoption, key)?;
    let name = &adopted.authority.name;
    for (key, value) in [
        ("certificate", path_value(&adopted.files.certificate)),
        ("chain", path_value(&adopted.files.chain)),
        ("crl", json!(adopted.crl.as_ref().and_then(|crl| crl.files.first()).map(path_value))),
        ("crl_details", json!(adopted.crl.as_ref().map(crl_fields))),
        ("responder", json!(adopted.responder.as_ref().map(|one| one.tbs().serial_number().to_string()))),
        ("dry_run", json!(false)),
        ("key_opened", json!(foreign.key.is_some() || is_in_signer)),
    ] {
        result.insert(key.into(), value);
    }
    let made = adopted_rows(&adopted).into_iter().filter(|row| ["crl", "responder"].contains(&row.0));
    rows.extend(made.map(|(name, value)| (format!("  {name}"), value)));
    let mut text = format!("{name} is a CA of this home now\n{}", columns(&rows));
    text.push_str(&format!("\nnext: genfic-ca list -p {name}; genfic-ca crl check {name}"));
    if let Some((path, _)) = &foreign.key {
        text.push_str(&format!(
            "\nissue nothing more with the old program; when all is well, destroy {} and its copies",
            path.shown()
        ));
    }
    Ok(Report::done(Value::Object(result), text).warn(said).warn(doubts).warn(adopted.notices.clone()))
}
