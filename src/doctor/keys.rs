//! Checks that CA keys exist and can be opened with a passphrase.
use super::finding::Finding;
use super::{Examination, FindingCode, Looked, Unseen, counted};
use crate::home::quoted;
use crate::index::Authority;
use crate::signing::{KeyError, KeyPlace, KeyRef};

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
        let key = KeyRef::of(authority);
        let place = examination.keys.place(&key);
        let file = place.as_path();
        match keys.inspect(&key) {
            Ok(()) => {
                here += 1;
                findings.extend(of_another(examination, authority, (&key, &place), &authorities));
            }
            Err(KeyError::NotFound(_)) if config.is_offline(name, authority.parent.is_none()) => findings
                .push(
                    Finding::note(
                        FindingCode::KeyAway,
                        name,
                        "has its key elsewhere, as the configuration says",
                    )
                    .remedy(format!("bring {} back when it is to sign", quoted(file))),
                ),
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
            Err(KeyError::Unsafe(_)) => here += 1,
            Err(error) => findings.push(
                Finding::error(FindingCode::KeyUnusable, name, format!("cannot sign: {error}"))
                    .remedy(format!("bring {} back from a backup of the keys", quoted(file))),
            ),
        }
    }
    Ok(format!("{here} of {} here", counted(own.len(), "key")).into())
}
