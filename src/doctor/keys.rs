//! Checks that CA keys exist and can be opened with a passphrase.
use super::finding::Finding;
use super::{Examination, FindingCode, Looked, Unseen, counted};
use crate::error::{Problem, Shown as _, remedy};
use crate::home::quoted;
use crate::index::Authority;
use crate::signing::{KeyError, KeyPlace, KeyRef, OfflineKeys};

/// Compares a key that opens without a user with the CA's certificate.
fn of_another(
    examination: &Examination<'_>,
    authority: &Authority,
    (key, place): (&KeyRef, &KeyPlace),
    all: &[Authority],
) -> Option<Finding> {
    let signer = examination.keys.signer(key).ok()?;
    let is_of = |one: &Authority| one.certificate.tbs().public_key() == signer.public_key();
    if is_of(authority) {
        return None;
    }
    let whose = all.iter().find(|one| is_of(one)).map_or("no CA here", |one| one.name.as_str());
    let message = format!("cannot sign: {place} has the key of {whose}, not the one in its certificate");
    let remedy = format!("bring {} back from a backup of the keys", quoted(place.as_path()));
    Some(Finding::error(FindingCode::KeyOfAnother, &authority.name, message).remedy(remedy))
}

/// Returns the findings about a key that is on media: that it is away, or that it is here all the same.
fn on_media(examination: &Examination<'_>, authority: &Authority) -> Vec<Finding> {
    let name = &authority.name;
    let mut findings = Vec::new();
    if authority.retired.is_none() {
        findings.push(
            Finding::note(FindingCode::KeyOffline, name, "has its key on media outside of this home")
                .remedy(remedy::Access::BringMedium(name.clone())),
        );
    }
    let left = OfflineKeys::within_store(&KeyRef::of(authority));
    let file = left.map(|key| examination.keys.place(&key));
    if let Some(KeyPlace::File(file)) = file.filter(|place| place.as_path().exists()) {
        let message = format!("has its key on media, and it is still here as well: {}", file.shown());
        let repair = remedy::Repair::ExportKeyAgain(name.clone());
        findings.push(Finding::warning(FindingCode::KeyLeft, name, message).remedy(repair));
    }
    if examination.settings().offline_setting(name) == Some(false) {
        let message =
            "has its key on media, and the configuration says offline = false: its CRLs would be short-lived";
        findings.push(Finding::warning(FindingCode::KeyNotOffline, name, message).remedy(format!(
            "remove offline = false below [authority.{name}] in {}",
            quoted(&examination.home.configuration_file())
        )));
    }
    findings
}

/// Returns the finding about a key of which nothing is known, since its signer cannot be asked. Its file may be sound.
pub(super) fn unasked(name: &str, error: KeyError) -> Finding {
    let problem = Problem::from(error);
    let message = format!("cannot sign: {}", problem.message);
    Finding::error(FindingCode::KeySignerAway, name, message).remedy(problem.hint)
}

/// Returns the finding about a key that cannot be used. A backup helps only against a damaged file.
fn unusable(name: &str, error: KeyError) -> Finding {
    let file = match &error {
        KeyError::Backend(KeyPlace::File(file), _) => Some(file.clone()),
        _ => None,
    };
    let problem = Problem::from(error);
    let finding = Finding::error(FindingCode::KeyUnusable, name, format!("cannot sign: {}", problem.message));
    match file {
        Some(file) => finding.remedy(format!("bring {} back from a backup of the keys", quoted(&file))),
        None => finding.remedy(problem.hint),
    }
}

pub(super) fn check(examination: &Examination<'_>, findings: &mut Vec<Finding>) -> Looked {
    examination.owner.as_ref().map_err(|problem| Unseen::Record((*problem).clone()))?;
    let authorities = examination.authorities()?;
    let config = examination.settings();
    let keys = examination.keys.inspecting().ok_or(Unseen::Secrets)?;
    let mut here: usize = 0;
    // keys of external CAs are not here
    let own: Vec<_> = authorities.iter().filter(|authority| !authority.is_external()).collect();
    for authority in &own {
        let name = &authority.name;
        if authority.has_key_on_media() {
            findings.extend(on_media(examination, authority));
            continue;
        }
        let key = KeyRef::of(authority);
        let place = examination.keys.place(&key);
        let file = place.as_path();
        match keys.inspect(&key) {
            Ok(()) => {
                here += 1;
                findings.extend(of_another(examination, authority, (&key, &place), &authorities));
            }
            // nothing is due for it
            Err(KeyError::NotFound(_)) if authority.retired.is_some() => {}
            Err(error) if error.is_unasked() => findings.push(unasked(name, error)),
            Err(KeyError::NotFound(place)) if key.is_in_service() => findings.push(
                Finding::error(
                    FindingCode::KeyMissing,
                    name,
                    "cannot sign or publish a CRL: the signer that listens does not have its key",
                )
                .remedy(format!("bring {} back from a backup of the signer", quoted(place.as_path()))),
            ),
            Err(KeyError::NotFound(_))
                if config.is_offline(name, authority.is_offline_unless_configured()) =>
            {
                findings.push(
                    Finding::note(
                        FindingCode::KeyAway,
                        name,
                        "has its key elsewhere, as the configuration says",
                    )
                    .remedy(format!("bring {} back when it is to sign", quoted(file))),
                )
            }
            Err(KeyError::NotFound(_)) => findings.push(
                Finding::warning(
                    FindingCode::KeyMissing,
                    name,
                    "cannot sign or publish a CRL: its key is not here",
                )
                .remedy(format!(
                    "bring {} back; where it is away on purpose, set offline = true below [authority.{name}] \
                         in {}",
                    quoted(file),
                    quoted(&examination.home.configuration_file())
                )),
            ),
            // reported by the check of owners and modes
            Err(KeyError::Unsafe(_)) if !key.is_in_service() => here += 1,
            Err(error) => findings.push(unusable(name, error)),
        }
    }
    Ok(format!("{here} of {} here", counted(own.len(), "key")).into())
}
