//! A key of another program that an administrator brings. This process opens the file and does not read it, nor what opens it.
use super::administration::{Administration, Descriptor, ProposedKey, descriptor, unexpected, wire};
use crate::error::Shown as _;
use crate::signer::protocol::{Frame, Reply, Request, WireHanded, WireKey, WireTerms};
use crate::signing::{KeyError, KeyPlace, SecretSpec};
use crate::x509::Certificate;
use std::os::fd::OwnedFd;
use std::path::Path;

/// A key that an administrator brings for a CA, and what that is.
#[derive(Clone, Copy)]
pub(crate) struct ForeignKeyFor<'a> {
    /// The name of the CA.
    pub(crate) name: &'a str,
    /// Certificates of the CA; those of others are left out.
    pub(crate) certificates: &'a [Certificate],
    /// The profile of the CA.
    pub(crate) profile: &'a str,
    /// Beginnings of the URLs that its certificates may name; none for any.
    pub(crate) urls: &'a [String],
    /// DER of the last CRL that the key signed; `None` where the administrator gives none.
    pub(crate) crl: Option<&'a [u8]>,
    /// The recipients of age to which the key is encrypted; none for a passphrase.
    pub(crate) recipients: &'a [String],
}

/// The open file of a key, and where the passphrases are.
pub(crate) struct HandedKey<'a> {
    /// The file.
    pub(crate) file: OwnedFd,
    /// How messages name it.
    pub(crate) path: &'a Path,
    /// Where what opens the file is; `None` where nobody is asked.
    pub(crate) old: Option<&'a SecretSpec>,
    /// Where the new passphrase is, or an identity of one of the recipients.
    pub(crate) new: &'a SecretSpec,
    /// Whether a person may be asked.
    pub(crate) attended: bool,
}

impl ForeignKeyFor<'_> {
    /// Returns the certificates of the CA: those with the key of the first one.
    fn own(&self) -> impl Iterator<Item = &Certificate> {
        let first = self.certificates.first().map(|one| one.tbs().public_key());
        self.certificates.iter().filter(move |one| Some(one.tbs().public_key()) == first)
    }

    fn key(&self) -> WireKey {
        let first = self.certificates.first().map(|one| one.tbs().public_key().digest());
        WireKey { identity: first, ..wire(self.name) }
    }

    fn parts(&self) -> Vec<Vec<u8>> {
        // it brings no envelope: the signer makes one
        std::iter::once(Vec::new()).chain(self.own().map(|one| one.as_der().to_vec())).collect()
    }
}

impl Administration {
    /// Asks for the envelope that binds a key which is brought for this CA.
    ///
    /// # Errors
    /// [`KeyError::Exists`] when the signer has a key of this name; when it cannot be asked, or the certificates are not
    /// those of a CA.
    pub(crate) fn proposal_for(&self, key: &ForeignKeyFor<'_>) -> Result<ProposedKey, KeyError> {
        let (profile, urls) = (key.profile.to_owned(), key.urls.to_vec());
        let request = Request::Propose { key: key.key(), profile, urls };
        match self.link()?.ask(Frame::with(request, key.parts()))?.message {
            Reply::Proposed { .. } => {}
            _ => return Err(unexpected().into()),
        }
        self.proposal(key.name)?.ok_or_else(|| KeyError::Exists(KeyPlace::Uri(wire(key.name).uri)))
    }

    /// Brings a key, with the envelope of this digest. Returns the form of the key in its file.
    ///
    /// # Errors
    /// When a source cannot be handed over, or the signer refuses.
    pub(crate) fn bring(
        &self,
        key: &ForeignKeyFor<'_>,
        envelope: [u8; 32],
        terms: WireTerms,
        handed: HandedKey<'_>,
    ) -> Result<String, KeyError> {
        let HandedKey { file, path, old, new, attended } = handed;
        let shown = path.shown().to_string();
        let old = old.map(|spec| descriptor(&shown, spec, attended)).transpose()?;
        let new = descriptor(key.name, new, attended)?;
        let request = Request::Bring {
            key: key.key(),
            file: path.into(),
            profile: key.profile.to_owned(),
            urls: key.urls.to_vec(),
            terms,
            old: old.as_ref().map(|old| old.handed),
            new: new.handed,
            recipients: key.recipients.to_vec(),
            envelope,
            crl: key.crl.is_some(),
        };
        let parts = key.parts().into_iter().chain(key.crl.map(<[u8]>::to_vec)).collect();
        let file = Descriptor { file, handed: WireHanded::File };
        let descriptors = std::iter::once(file).chain(old).chain([new]).collect();
        match self.hand_with(request, parts, descriptors)? {
            Reply::Brought { form } => Ok(form),
            _ => Err(unexpected().into()),
        }
    }
}
