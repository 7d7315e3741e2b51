//! A ceremony on a machine without a home: the key on a medium, which a signer of its own has.
use super::signer::keys_for_ceremony;
use crate::ceremony::{Ceremony, MANIFEST, Medium, SignedCeremony, profile_of};
use crate::error::Problem;
use crate::signing::{CaKeys as _, PassphraseOrders};
use crate::x509::UnixTime;
use std::path::Path;

/// Signs a request with the key in this directory of a medium.
///
/// # Errors
/// When the key is not there or does not open, or as [`Ceremony::sign`].
pub fn sign_ceremony(
    ceremony: &Ceremony,
    medium: &Path,
    passphrases: &PassphraseOrders,
    (date, people): (UnixTime, &[String]),
) -> Result<SignedCeremony, Problem> {
    let keys = keys_for_ceremony(medium, passphrases, ceremony.request().made);
    let key = keys.new_key(&ceremony.request().authority).of_key(ceremony.public_key());
    // a key that no signer has used yet has no limits beside it
    let manifest = Medium::at(medium).read(MANIFEST)?;
    if let Some(profile) = manifest.as_deref().and_then(profile_of) {
        keys.note_profile(&key, &profile);
    }
    let signer = keys.signer(&key)?;
    ceremony.show(&keys, &key)?;
    ceremony.sign(signer.as_ref(), date, people)
}
