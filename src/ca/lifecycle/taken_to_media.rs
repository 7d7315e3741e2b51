//! Records that an administrator took the key of a CA from the signer that listens to media (G6, K2).
use super::Lifecycle;
use super::keys::in_service;
use crate::ceremony::{MANIFEST, Medium, key_file, key_of, sha256};
use crate::error::{Code, Notice, Problem, Shown as _, remedy};
use crate::failpoint;
use crate::index::{Authority, KeyLocation};
use crate::signing::{KeyError, KeyFile, KeyRef, OfflineKeys};
use base16ct::lower::encode_string as hex;

/// A key that an administrator took to media.
#[derive(Clone, Debug)]
pub struct KeyTakenToMedia {
    /// SHA-256 of the key file, in hexadecimal digits.
    pub digest: String,
    /// What a person has to know.
    pub notices: Vec<Notice>,
}

impl Lifecycle<'_> {
    /// Returns whether the record says that the signer that listens has the key of a CA, in a file.
    ///
    /// # Errors
    /// When there is no such CA.
    pub fn has_key_file_of_service(&self, name: &str) -> Result<bool, Problem> {
        let authority = self.own_authority(name)?;
        Ok(matches!(authority.key_location(), KeyLocation::FileOfService(_)))
    }

    /// Records that the key of a CA is on these media and in the signer that listens no more, as the signer's journal, or a
    /// medium, says. Media that this user may not read are not looked at. From then on the CA is one whose key is kept
    /// offline (C8, O7), and the mark that stays here is as high as that of the signer.
    ///
    /// # Errors
    /// When the signer has the key still or cannot be asked; when neither its journal nor a medium says that the key is there,
    /// or a medium has another one; when another command is signing.
    pub fn record_key_taken_to_media(
        &self,
        name: &str,
        media: &[Medium],
    ) -> Result<KeyTakenToMedia, Problem> {
        let authority = self.own_authority(name)?;
        self.must_not_be_denied(name)?;
        let key = KeyRef::of(&authority).of_key(authority.certificate.tbs().public_key());
        let keys = self.engine.keys();
        match keys.inspecting().map(|keys| keys.inspect(&key)) {
            Some(Err(KeyError::NotFound(_))) => {}
            Some(Err(error)) => return Err(error.into()),
            None | Some(Ok(())) => {
                return Err(in_service(name).hint(remedy::Access::TakeKeyToMedia(name.to_owned())));
            }
        }
        let told = self.mover()?.file_on_media(&key)?;
        let mut notices = Vec::new();
        let mut found = told.clone();
        for medium in media {
            match looked_at(&authority, medium)? {
                Some(digest) if told.as_ref().is_none_or(|told| *told == digest) => found = Some(digest),
                Some(_) => return Err(other(medium)),
                None => notices.push(
                    format!("{} was not looked at: this user may not read it", medium.directory().shown())
                        .into(),
                ),
            }
        }
        let Some(digest) = found else {
            let message = format!(
                "the signer has no key of {name}, and its journal does not say that it went to media"
            );
            return Err(Problem::new(Code::KeyNotFound, message)
                .hint(remedy::Access::ReadableMedium(name.to_owned())));
        };
        let there = OfflineKeys::on_media(&key).ok_or_else(|| in_service(name))?;
        let within = OfflineKeys::within_store(&there).ok_or_else(|| in_service(name))?;
        let _alone = self.alone_with(&authority)?;
        // before the record says so: from then on the mark here is the one that counts
        keys.raise_mark(&within, self.highest_crl_number(&authority, &key)?)?;
        failpoint::passed("key: mark of the service kept");
        let mut event = self.engine.event(self.engine.now(), "key.exported", name);
        event.details.push(("key_file_sha256".into(), digest.clone()));
        for medium in media {
            event.details.push(("medium".into(), medium.directory().shown().to_string()));
        }
        self.engine.index().set_key(&authority.issuer, &there.uri, event)?;
        failpoint::passed("key: recorded as offline");
        self.engine.publication().publish_status()?;
        Ok(KeyTakenToMedia { digest, notices })
    }
}

/// Returns the SHA-256 of the key file on a medium, whose list of files names the key of this CA; `None` where this user may
/// not read the medium.
fn looked_at(authority: &Authority, medium: &Medium) -> Result<Option<String>, Problem> {
    let (Ok(sealed), Ok(manifest)) = (medium.read(&key_file(&authority.name)), medium.read(MANIFEST)) else {
        return Ok(None);
    };
    let name = &authority.name;
    let missing = || {
        let message = format!("{} has no key of {name}", medium.directory().shown());
        Problem::new(Code::KeyNotFound, message).hint(remedy::Access::ReadableMedium(name.clone()))
    };
    let sealed = sealed.filter(|octets| KeyFile::has_key(octets)).ok_or_else(missing)?;
    let identity = hex(&authority.certificate.tbs().public_key().digest());
    match manifest.as_deref().and_then(key_of) {
        Some(key) if key == identity => Ok(Some(sha256(&sealed))),
        Some(_) => Err(other(medium)),
        None => Err(missing()),
    }
}

fn other(medium: &Medium) -> Problem {
    let message =
        format!("{} has another key file than the one that went to media", medium.directory().shown());
    Problem::new(Code::MediumOther, message).hint(remedy::Access::OtherMedium)
}
