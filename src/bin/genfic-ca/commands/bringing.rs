//! `key import --service`: an administrator, as oneself, hands the key of another program to the signer, unread.
use super::crl::decode;
use super::envelope;
use super::question::confirm_by_name;
use super::unlocking::{needs_identity, profile_of, terms_of, urls_of};
use super::values::{opened, read, usage};
use crate::cli::{Global, KeyImport, UnlockScope};
use crate::report::Report;
use genfic_ca::assembly::{BroughtAuthority, BroughtKeyFile, SignerAdministration};
use genfic_ca::error::{Problem, Shown as _};
use genfic_ca::home::AuthorityName;
use genfic_ca::import::certificates;
use genfic_ca::signing::SecretSpec;
use genfic_ca::x509::CertificateList;
use serde_json::json;
use std::io::{self, IsTerminal as _};
use std::path::Path;
use std::str::FromStr;

/// The signatures of each kind that taking a CA over may need: a CRL, a delta CRL and the certificate of a responder, and
/// one of them again.
const TO_TAKE_OVER: u64 = 4;

/// Where the old passphrase and the new one are.
fn sources(global: &Global, args: &KeyImport) -> Result<(Option<SecretSpec>, SecretSpec), Problem> {
    let spec = |given: Option<&String>| given.map(|given| given.parse::<SecretSpec>()).transpose();
    let new = args.passphrase.new_passphrase_from.as_ref().or(global.passphrase_from.as_ref());
    let new = spec(new)?.unwrap_or(SecretSpec::Prompt);
    let old = spec(args.key_passphrase_from.as_ref())?;
    let old = old.or_else(|| (!global.no_input).then_some(SecretSpec::Prompt));
    if old.as_ref() == Some(&new) && new != SecretSpec::Prompt {
        return Err(usage(
            format!("the old passphrase and the new one would both come from {new}"),
            "name another source with --new-passphrase-from; nothing was changed",
        ));
    }
    Ok((old, new))
}

/// Returns what the signer knows of the certificates that are revoked.
fn revoked_before(last_crl: Option<&CertificateList>, name: &str) -> String {
    match last_crl {
        Some(crl) => {
            let number = crl.tbs().crl_number().map(|number| format!(" {number}")).unwrap_or_default();
            let entries = crl.tbs().entries().count();
            format!(
                "the last CRL{number} of {}, entries: {entries}; the next one has them too\n",
                crl.tbs().this_update()
            )
        }
        None => format!(
            "no last CRL: what {name} has revoked is as the account of the CA says; where it has a CRL, give --crl FILE\n"
        ),
    }
}

/// Hands the key of another program to the signer that listens, which uses it once its CA is taken over.
pub(crate) fn bring(global: &Global, args: &KeyImport, file: &Path) -> Result<Report, Problem> {
    let name = AuthorityName::from_str(&args.name)?.to_string();
    let (scopes, count) = match args.scope.as_slice() {
        [] => (&[UnlockScope::Ca, UnlockScope::Crl][..], Some(TO_TAKE_OVER)),
        scopes => (scopes, None),
    };
    let terms = terms_of(&args.lasting, scopes, count)?;
    let (old, new) = sources(global, args)?;
    needs_identity(&args.recipient, &new)?;
    let mut found = Vec::new();
    for path in &args.cert {
        found.extend(certificates(&read(path)?, path)?);
    }
    let last_crl =
        args.crl.as_deref().map(|path| decode(&read(path)?, &path.shown().to_string())).transpose()?;
    let authority = BroughtAuthority {
        crl: last_crl.as_ref().map(|crl| crl.as_der().to_vec()),
        certificates: found,
        profile: profile_of(&name, args.profile.as_deref())?,
        urls: urls_of(global, &args.url),
        recipients: args.recipient.iter().map(ToString::to_string).collect(),
        name,
    };
    let BroughtAuthority { name, profile, .. } = &authority;
    // before anybody is asked: this account may not be able to read it
    let key = opened(file)?;
    let administration = SignerAdministration::at(&args.signer.socket);
    let proposal = administration.proposal_for(&authority)?;
    // by the signer itself
    let question = format!(
        "the key of {name} comes to the signer, which binds it by this and nothing else:\n{}\n{}{}type the name of the CA \
         to allow that:",
        envelope::lines(&proposal.limits),
        proposal.unvouched.iter().map(|line| format!("{line}\n")).collect::<String>(),
        revoked_before(last_crl.as_ref(), name),
    );
    confirm_by_name(global, &question, name, args.confirm.as_deref())?;
    // a person is asked for the passphrase of the file where there is a terminal, and only when the key needs one
    let attended = !global.no_input && !global.json;
    let is_terminal = || io::stdin().is_terminal() || io::stderr().is_terminal();
    let old = old.filter(|old| *old != SecretSpec::Prompt || (attended && is_terminal()));
    let form = administration.bring(
        &authority,
        &proposal,
        &terms,
        BroughtKeyFile { file: key, path: file, old, new, attended },
    )?;
    let result = json!({
        "name": name,
        "key": format!("{name}.age"),
        "form": form,
        "profile": profile,
        "urls": authority.urls,
        "recipients": authority.recipients,
        "envelope": envelope::object(&proposal.limits),
        "unvouched": proposal.unvouched,
        "crl_number": last_crl.as_ref().and_then(|crl| crl.tbs().crl_number()),
        "service": true,
    });
    let text = format!(
        "the signer has the key of {name} ({form}), encrypted anew, and does not use it yet\n\
         next, within {} and in this login, as the CA's user: sudo -u genfic-ca genfic-ca import openssl DIR --as {name}, \
         or import easy-rsa, or adopt {name} CERT; for a CA of the home whose key is away key import {name}\n\
         then destroy {}, and every copy of it that is not kept as safe as this one",
        args.lasting,
        file.shown()
    );
    Ok(Report::done(result, text))
}
