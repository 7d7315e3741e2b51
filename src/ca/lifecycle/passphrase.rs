//! New passphrases for the keys of CAs (K2).
use super::Lifecycle;
use super::keys::in_service;
use crate::ceremony::listed_on_medium;
use crate::error::{Code, Problem, remedy};
use crate::index::Authority;
use crate::signing::{KeyRef, Reencrypted};
use std::path::PathBuf;

/// A CA's key that a new passphrase opens from now on.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ReencryptedKey {
    /// Name of the CA.
    pub authority: String,
    /// The file that has the key; the key's URI where there is no file.
    pub place: PathBuf,
    /// What the list of files of its medium does not say, if that could not be written.
    pub unlisted: Option<String>,
}

impl Lifecycle<'_> {
    /// Returns the names of the CAs whose keys are in this home, those with a pending request among them, in their order.
    ///
    /// # Errors
    /// When the index or the pending requests cannot be read.
    pub fn keys_here(&self) -> Result<Vec<String>, Problem> {
        let mut names: Vec<String> = Vec::new();
        for authority in self.engine.index().authorities()?.iter().filter(|one| !one.is_external()) {
            if !authority.has_key_in_service() && self.is_here(&KeyRef::of(authority)) {
                names.push(authority.name.clone());
            }
        }
        names.extend(self.pending_requests()?.into_iter().map(|pending_request| pending_request.name));
        names.sort();
        names.dedup();
        Ok(names)
    }

    /// Returns the names of the CAs whose keys the signer that listens has.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub fn keys_in_service(&self) -> Result<Vec<String>, Problem> {
        let authorities = self.engine.index().authorities()?;
        let in_service = authorities.into_iter().filter(|one| !one.is_external() && one.has_key_in_service());
        Ok(in_service.map(|one| one.name).collect())
    }

    fn is_here(&self, key: &KeyRef) -> bool {
        let inspected = self.engine.keys().inspecting().map(|store| store.inspect(key));
        !inspected.is_some_and(|inspected| inspected.is_err_and(|error| error.is_elsewhere()))
    }

    /// Gives the keys of these CAs new passphrases. Nothing is changed before every key was opened with its present
    /// passphrase and has a new one. From then on the keys are replaced one by one, each with its audit record; everything
    /// else about the CAs stays. The scrypt work factor becomes the configured one.
    ///
    /// # Errors
    /// When there is no such CA, others have its key, a passphrase is wrong, weak or not available, or a key cannot be
    /// written: then the keys before it in the order have their new passphrases, and the problem names them.
    pub fn change_passphrases(&self, names: &[String]) -> Result<Vec<ReencryptedKey>, Problem> {
        let mut prepared: Vec<(&String, KeyRef, Reencrypted)> = Vec::new();
        for name in names {
            let key = self.key_of(name)?;
            if key.is_in_service() {
                return Err(in_service(name).hint(remedy::Access::PassphraseInService(name.clone())));
            }
            let reencrypted = self.engine.keys().protector(&key)?.reencrypt(&key)?;
            prepared.push((name, key, reencrypted));
        }
        let mut changed: Vec<ReencryptedKey> = Vec::new();
        for (name, key, reencrypted) in prepared {
            let put = self.put_in_place(name, &key, &reencrypted);
            put.map_err(|problem| after(&changed, problem))?;
            let place = self.engine.keys().place(&key).as_path().to_owned();
            let unlisted = listed_on_medium(&place);
            changed.push(ReencryptedKey { authority: name.clone(), place, unlisted });
        }
        Ok(changed)
    }

    fn put_in_place(&self, name: &str, key: &KeyRef, reencrypted: &Reencrypted) -> Result<(), Problem> {
        self.engine.keys().protector(key)?.put_reencrypted(reencrypted)?;
        let event = self.engine.event(self.engine.now(), "key.passphrase-changed", name);
        Ok(self.engine.index().record_event(event)?)
    }

    /// Returns the reference to the key of a CA on record, or of one with a pending request.
    pub(super) fn key_of(&self, name: &str) -> Result<KeyRef, Problem> {
        if let Some(authority) = self.engine.index().authority(name)?.filter(|one| !one.is_external()) {
            return Ok(KeyRef::of(&authority));
        }
        if let Some(pending_request) = self.pending_request(name)? {
            return self.pending_key(name, &pending_request.public_key);
        }
        let authority: Authority = self.engine.hierarchy().authority(name)?;
        let message = format!("{} is run by others; it is here for the CAs below it", authority.name);
        Err(Problem::new(Code::KeyElsewhere, message).hint(remedy::Authority::AskItsOwners))
    }
}

/// Adds to a problem which keys have their new passphrases already.
fn after(changed: &[ReencryptedKey], problem: Problem) -> Problem {
    if changed.is_empty() {
        return problem;
    }
    let names: Vec<&str> = changed.iter().map(|one| one.authority.as_str()).collect();
    let hint =
        problem.hint.clone().and(format!("the new passphrases count already for: {}", names.join(", ")));
    problem.hint(hint)
}
