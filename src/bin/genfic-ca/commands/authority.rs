//! `create-root`, `create-child`, `authorities`.
use super::ensure::{self, ensured};
use super::envelope;
use super::question::confirm_attended;
use super::sign::issuing;
use super::values::{crl, requested_validity, summary, usage};
use crate::cli::{Authorities, AuthorityOptions, CreateChild, CreateRoot};
use crate::report::{Column, Report, path_value, table};
use crate::session::Session;
use genfic_ca::ca::{CreatedAuthority, ExpectedAuthority, NewAuthority};
use genfic_ca::error::{Problem, Reason};
use genfic_ca::home::AuthorityName;
use genfic_ca::index::{Authority, CertificateState, IndexReader, KeyLocation};
use genfic_ca::profile::Kind;
use genfic_ca::signing::KeyLimits;
use genfic_ca::x509::extension::{NameConstraints, Subtree};
use genfic_ca::x509::{CertificateId, KeyAlgorithm, Name, UnixTime};
use serde_json::{Value, json};
use std::str::FromStr;

/// Returns the root CA that is to be created. Neither home nor key is needed for that.
pub(crate) fn root_to_be(args: &CreateRoot) -> Result<NewAuthority, Problem> {
    let profile = args.profile.clone().unwrap_or_else(|| "root-ca".into());
    new_authority(&args.name, profile, &args.authority, NameConstraints::default())
}

/// Creates a root CA.
pub(crate) fn create_root(session: &Session, args: &CreateRoot) -> Result<Report, Problem> {
    let new = root_to_be(args)?;
    let expected = ExpectedAuthority { new: &new, parent: None, root: true, profile: args.profile.is_some() };
    let ensure = args.authority.ensure;
    ensured(
        session,
        ensure,
        || ensure::created(session, ensure, &expected),
        || {
            let confirm = |envelope: &KeyLimits| {
                confirm_attended(&session.global, || {
                    Ok(format!("{}\nIs that what the root {} is for?", of_new_key(envelope), new.name))
                })
            };
            let created = session.engine().lifecycle().create_root_confirmed(&new, &confirm)?;
            Ok(report(&created, "root CA", "next: genfic-ca create-child NAME -p ")
                .warn(created.notices.clone()))
        },
    )
}

/// Creates a CA below another.
pub(crate) fn create_child(session: &Session, args: &CreateChild) -> Result<Report, Problem> {
    let (profile, said) = match &args.profile {
        Some(profile) => (profile.clone(), None),
        None => profile_for(session, &args.name),
    };
    let constraints =
        NameConstraints { permitted: subtrees(&args.permit)?, excluded: subtrees(&args.exclude)? };
    let new = new_authority(&args.name, profile, &args.authority, constraints)?;
    let (parent, output, ensure) = (args.parent.as_deref(), args.output.as_deref(), args.authority.ensure);
    let is_named = args.profile.is_some();
    if args.csr_only {
        let expected = ExpectedAuthority { new: &new, parent: None, root: false, profile: is_named };
        let look = || ensure::child_request(session, ensure, &expected, output);
        let act = || super::foreign::request_child(session, &new, parent, output);
        return ensured(session, ensure, look, || Ok(act()?.warn(said)));
    }
    let expected = ExpectedAuthority { new: &new, parent, root: false, profile: is_named };
    let look = || ensure::created(session, ensure, &expected);
    ensured(session, ensure, look, || Ok(make_child(session, args, &new)?.warn(said)))
}

fn make_child(session: &Session, args: &CreateChild, new: &NewAuthority) -> Result<Report, Problem> {
    let (parent, external) = issuing(session, args.parent.as_deref().unwrap_or_default())?;
    let created = session.engine().lifecycle().create_child(&parent, new)?;
    let profiles = &session.assembly.settings().profiles;
    let signs = profiles.get(&created.authority.profile).and_then(|profile| profile.default_leaf_profile());
    let next = match signs.and_then(|leaf| profiles.get(leaf)) {
        Some(leaf) if leaf.takes_dns_names() => "next: genfic-ca create-request HOST --sign -p ",
        Some(_) => "next: genfic-ca create-request WHO --sign -p ",
        None => "next: genfic-ca create-child NAME -p ",
    };
    let report = report(&created, "CA", next);
    Ok(report.warn(external).warn(created.notices.clone()))
}

/// Returns the profile whose name the CA's name ends with, else `system-ca`; and a message about a profile that was
/// chosen so.
fn profile_for(session: &Session, name: &str) -> (String, Option<String>) {
    let profile = profile_by_name(session, name).unwrap_or_else(|| "system-ca".to_owned());
    let said = format!("no --profile was given; {profile} was taken for {name}");
    (profile, Some(said))
}

/// Returns the CA profile whose name the CA's name ends with.
pub(crate) fn profile_by_name(session: &Session, name: &str) -> Option<String> {
    session
        .assembly
        .settings()
        .profiles
        .iter()
        .filter(|profile| profile.kind() == Kind::Ca)
        .map(|profile| profile.name())
        .find(|profile| {
            let purpose = profile.trim_end_matches("-ca");
            name.strip_suffix(purpose).is_some_and(|rest| rest.is_empty() || rest.ends_with(['-', '.', '_']))
        })
        .map(str::to_owned)
}

pub(crate) fn subtrees(words: &[String]) -> Result<Vec<Subtree>, Problem> {
    words
        .iter()
        .map(|word| {
            Subtree::from_str(word).map_err(|error| {
                usage(
                    error,
                    "--permit and --exclude take a domain, an address range, dns:, ip:, email:, uri: or dir:",
                )
            })
        })
        .collect()
}

fn new_authority(
    name: &str,
    profile: String,
    options: &AuthorityOptions,
    name_constraints: NameConstraints,
) -> Result<NewAuthority, Problem> {
    let name = AuthorityName::from_str(name)?;
    Ok(NewAuthority {
        name: name.to_string(),
        profile,
        subject: options.subject.as_deref().map(subject).transpose()?,
        key: options.key.as_deref().map(key).transpose()?,
        keystore: options.keystore.as_deref().map(str::parse).transpose()?.unwrap_or_default(),
        validity: requested_validity(options.valid.as_deref())?,
        name_constraints,
        ocsp: options.ocsp,
        succeeds: None,
    })
}

/// Parses a subject as typed.
pub(crate) fn subject(text: &str) -> Result<Name, Problem> {
    Name::parse(text)
        .map_err(|error| usage(error.to_string(), "for example --subject 'C=BE,O=Example,CN=name'"))
}

/// Parses a key type as typed.
pub(crate) fn key(text: &str) -> Result<KeyAlgorithm, Problem> {
    text.parse().map_err(|error: Reason| usage(error.to_string(), "for example --key p256"))
}

pub(crate) fn report(created: &CreatedAuthority, what: &str, next: &str) -> Report {
    let authority = &created.authority;
    let tbs = authority.certificate.tbs();
    let result = json!({
        "name": authority.name,
        "serial": tbs.serial_number().to_string(),
        "subject": tbs.subject().to_string(),
        "not_before": tbs.validity().not_before.to_string(),
        "not_after": tbs.validity().not_after.to_string(),
        "certificate": path_value(&created.files.certificate),
        "chain": path_value(&created.files.chain),
        "crl": created.crl.files.first().map(path_value),
        "profile": authority.profile,
        "parent": authority.parent,
        "succeeds": authority.succeeds,
        "key": authority.key_name(),
        "fingerprint": authority.certificate.fingerprint().to_string(),
        "envelope": created.envelope.as_ref().map(envelope::object),
        "crl_details": crl(&created.crl),
        "responder": created.responder.as_ref().map(|responder| responder.tbs().serial_number().to_string()),
    });
    let mut text = format!("{what} {} created\n", authority.name);
    let responder = match &created.responder {
        Some(responder) => format!("until {}", responder.tbs().validity().not_after),
        None => "none; its certificates name their CRL only".into(),
    };
    let more = [
        ("key", format!("{} ({})", authority.key_name(), tbs.public_key().algorithm())),
        ("crl", format!("number {}, until {}", created.crl.number, created.crl.next_update)),
        ("responder", responder),
    ];
    text.push_str(&summary(&authority.certificate, Some(&created.files.certificate), more));
    if let Some(envelope) = &created.envelope {
        text.push_str(&format!("\n{}", of_new_key(envelope)));
    }
    text.push_str(&format!("\n{next}{}", authority.name));
    Report::done(result, text)
}

fn of_new_key(envelope: &KeyLimits) -> String {
    format!("the most that its key ever signs\n{}", envelope::lines(envelope))
}

const COLUMNS: [Column; 6] = [
    Column::whole("NAME"),
    Column::state("STATUS"),
    Column::times("UNTIL"),
    Column::whole("PROFILE").leaves(2),
    Column::whole("KEY").leaves(1),
    Column::subject("SUBJECT"),
];

/// Lists the CAs.
pub(crate) fn list(session: &Session, args: &Authorities) -> Result<Report, Problem> {
    let engine = session.engine();
    let now = engine.now();
    let mut authorities = engine.record().authorities()?;
    authorities.retain(|one| args.all || one.retired.is_none());
    if args.tree {
        authorities = depth_first(&authorities, None);
    }
    let mut values = Vec::new();
    let mut rows = Vec::new();
    for authority in &authorities {
        let status = match authority.retired {
            Some(_) => "retired".into(),
            None => status(engine.record(), authority, now)?,
        };
        let validity = authority.certificate.tbs().validity();
        values.push(json!({
            "name": authority.name,
            "parent": authority.parent,
            "succeeds": authority.succeeds,
            "profile": authority.profile,
            "serial": authority.certificate.tbs().serial_number().to_string(),
            "subject": authority.certificate.tbs().subject().to_string(),
            "not_before": validity.not_before.to_string(),
            "not_after": validity.not_after.to_string(),
            "status": status,
            "key": authority.certificate.tbs().public_key().algorithm().to_string(),
            "key_offline": authority.has_key_on_media(),
            "key_uri": key_uri(authority),
            "ocsp": authority.serves_ocsp,
            "elsewhere": authority.is_external(),
            "retired": authority.retired.as_ref().map(|retired| retired.at.to_string()),
            "retired_name": authority.retired.as_ref().map(|retired| &retired.name),
            "fingerprint": authority.certificate.fingerprint().to_string(),
        }));
        let name = if args.tree { branch(&authorities, authority) } else { authority.name.clone() };
        rows.push(vec![
            name,
            status,
            validity.not_after.to_string(),
            authority.profile.clone(),
            format!(
                "{}{}",
                authority.certificate.tbs().public_key().algorithm(),
                key_elsewhere(authority).map(|place| format!(", {place}")).unwrap_or_default()
            ),
            authority.certificate.tbs().subject().to_string(),
        ]);
    }
    let text = if rows.is_empty() {
        "no CA yet; `genfic-ca create-root NAME` makes the first".into()
    } else {
        table(&COLUMNS, &rows)
    };
    Ok(Report::seen(json!({ "authorities": Value::Array(values) }), text))
}

/// Returns the URI of the key of a CA of this home.
pub(crate) fn key_uri(authority: &Authority) -> Option<&str> {
    (!authority.is_external()).then_some(authority.key.as_str())
}

/// Returns in a few words where the key of a CA is, unless it is a file of this home.
pub(crate) fn key_elsewhere(authority: &Authority) -> Option<&'static str> {
    match authority.key_location() {
        _ if authority.is_external() => None,
        KeyLocation::Media(_) => Some("offline"),
        KeyLocation::FileOfService(_) | KeyLocation::TokenOfService(_) => Some("in the signer"),
        KeyLocation::Token(_) => Some("in a token"),
        KeyLocation::File(_) | KeyLocation::Unknown => None,
    }
}

/// Returns the CAs depth first: each CA is followed by all CAs below it.
pub(crate) fn depth_first(authorities: &[Authority], parent: Option<&str>) -> Vec<Authority> {
    let children = authorities.iter().filter(|authority| authority.parent.as_deref() == parent);
    children
        .flat_map(|child| std::iter::once(child.clone()).chain(depth_first(authorities, Some(&child.name))))
        .collect()
}

/// Returns the CA's name with the branch of the tree in front of it.
fn branch(authorities: &[Authority], authority: &Authority) -> String {
    let Some(parent) = authority.parent.as_deref() else { return authority.name.clone() };
    let is_last = |one: &Authority| {
        authorities.iter().rfind(|other| other.parent == one.parent).is_some_and(|last| last.name == one.name)
    };
    let mut prefix = String::from(if is_last(authority) { "└─ " } else { "├─ " });
    let mut ancestor = authorities.iter().find(|other| other.name == parent);
    while let Some(one) = ancestor {
        let Some(next) = one.parent.as_deref() else { break };
        prefix.insert_str(0, if is_last(one) { "   " } else { "│  " });
        ancestor = authorities.iter().find(|other| other.name == next);
    }
    prefix + &authority.name
}

/// Returns the status of a CA in a word: `valid`, `expired`, `revoked`, or `issuer-revoked` for a CA below a revoked
/// one.
pub(crate) fn status(
    index: &dyn IndexReader,
    authority: &Authority,
    now: UnixTime,
) -> Result<String, Problem> {
    let mut one = authority.clone();
    loop {
        let parent = one.parent.as_deref().map(|name| index.authority(name)).transpose()?.flatten();
        let issuer = parent.as_ref().map_or(one.issuer, |parent| parent.issuer);
        let id = CertificateId { issuer, serial_number: one.certificate.tbs().serial_number().clone() };
        if matches!(index.status(&id)?, Some(CertificateState::Revoked(_))) {
            return Ok(if one.name == authority.name { "revoked" } else { "issuer-revoked" }.into());
        }
        match parent {
            Some(parent) => one = parent,
            None => break,
        }
    }
    let ended = now > authority.certificate.tbs().validity().not_after;
    Ok(if ended { "expired" } else { "valid" }.into())
}
