//! What the rules of admission have on disk of a key that comes or goes.
use super::own_rules::{OwnRules, check_own};
use super::own_rules_brought::of_unknown_issuer;
use super::seams::{Coming, Kept};
use crate::error::{Code, Shown as _};
use crate::signer::copies::Copies;
use crate::signer::protocol::Failure;
use crate::signer::{KeyEnvelope, Refusal};
use crate::signing::KeyRef;
use crate::x509::{Certificate, SubjectPublicKeyInfo, sha256};

fn shown_none() -> Failure {
    Failure::Signer { reason: "no certificate of the CA with this key was shown".into() }
}

fn parsed(text: &str) -> Result<KeyEnvelope, Failure> {
    KeyEnvelope::parse(text).map_err(|mistakes| {
        let message = format!("the envelope that the key has: {mistakes}");
        let hint = "correct the envelope of the key; nothing was moved";
        Refusal::new(Code::SignerEnvelopeMalformed, "envelope of the key", message, hint).into()
    })
}

/// Checks what is brought as certificates of the CA as those are that come with what is to be signed. Returns those that
/// are kept here, or for which a key of this signer vouches, and the others.
fn judged<'c>(
    copies: &Copies,
    coming: &Coming<'c>,
) -> Result<(Vec<&'c Certificate>, Vec<&'c Certificate>), Failure> {
    let first = coming.certificates.first().ok_or_else(shown_none)?;
    let kept = copies.of(first.tbs().public_key());
    let mut own = kept.clone();
    for brought in coming.certificates.iter().filter(|one| !kept.contains(one)) {
        check_own(&own, brought)?;
        own.push(brought.clone());
    }
    Ok(coming.certificates.iter().partition(|one| kept.contains(one) || copies.vouch_for(one)))
}

impl OwnRules {
    pub(super) fn kept_of(&self, key: &KeyRef, identity: &[u8; 32]) -> Result<Kept, Failure> {
        let copies = Copies::read(self.directory())?;
        copies.check(key, Some(*identity), true)?;
        let certificates = copies.with_identity(identity);
        let Some(newest) = certificates.first() else { return Ok(Kept::default()) };
        let public_key: &SubjectPublicKeyInfo = newest.tbs().public_key();
        let name = copies.stem(key, public_key);
        let envelope = copies.envelope(key, public_key)?.map(|envelope| envelope.to_toml(&name));
        Ok(Kept { envelope, certificates })
    }

    /// Who owns the keys sets their limits. Another client brings what it says are the limits: they hold as far as they
    /// are no wider than what the signer would set itself. It sets them by what it knows of the CA, where it knows any.
    pub(super) fn envelope_of_coming(&self, coming: &Coming<'_>) -> Result<String, Failure> {
        let copies = Copies::read(self.directory())?;
        let (known, strange) = judged(&copies, coming)?;
        let known = if known.is_empty() { strange } else { known };
        let newest = known.into_iter().max_by_key(|one| one.tbs().validity().not_after);
        let newest = newest.ok_or_else(shown_none)?;
        let profiles = self.profiles();
        let name = if coming.profile.is_empty() { KeyEnvelope::UNKNOWN } else { coming.profile };
        let made = KeyEnvelope::made_for(newest, name, profiles.get(name));
        let brought = coming.envelope.map(parsed).transpose()?;
        let urls = brought.as_ref().and_then(|brought| brought.urls.clone());
        let taken = brought
            .filter(|brought| coming.is_own || brought.is_within(&made))
            .unwrap_or(KeyEnvelope { urls, ..made });
        // in the home they would bind nobody: its user sets what the configuration says
        let taken = if coming.is_own { taken } else { taken.pinned_to(coming.urls) };
        copies.check(coming.key, Some(newest.tbs().public_key().digest()), false)?;
        Ok(taken.to_toml(&copies.stem(coming.key, newest.tbs().public_key())))
    }

    pub(super) fn unvouched_of(&self, coming: &Coming<'_>) -> Result<Vec<String>, Failure> {
        let (_, strange) = judged(&Copies::read(self.directory())?, coming)?;
        let line = |one: &Certificate| {
            let digest = base16ct::lower::encode_string(&sha256(one.as_der()));
            format!("{}, for {}, SHA-256 {digest}", of_unknown_issuer(one), one.tbs().subject())
        };
        Ok(strange.into_iter().map(line).collect())
    }

    pub(super) fn keep_coming(&self, coming: &Coming<'_>, envelope: &str) -> Result<(), Failure> {
        let mut copies = Copies::read(self.directory())?;
        // once more, now that nobody else writes there
        judged(&copies, coming)?;
        let public_key = coming.certificates.first().ok_or_else(shown_none)?.tbs().public_key();
        copies.check(coming.key, Some(public_key.digest()), false)?;
        for certificate in coming.certificates {
            if !copies.of(public_key).contains(certificate) {
                copies.add(coming.key, certificate);
            }
        }
        copies.keep(coming.key, public_key)?;
        copies.put_envelope(coming.key, public_key, &parsed(envelope)?)?;
        Ok(())
    }

    pub(super) fn drop_envelope_of(&self, key: &KeyRef, identity: &[u8; 32]) -> Result<(), Failure> {
        let copies = Copies::read(self.directory())?;
        copies.check(key, Some(*identity), false)?;
        let certificates = copies.with_identity(identity);
        let Some(one) = certificates.first() else { return Ok(()) };
        copies.remove_envelope(key, one.tbs().public_key()).map_err(|(path, error)| Failure::Signer {
            reason: format!("{} cannot be removed: {error}", path.shown()),
        })
    }
}
