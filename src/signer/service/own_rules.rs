//! The rules of admission, with what the signer has on disk: its copies of certificates, envelopes and profiles.
use super::seams::{Asked, Brought, Coming, Kept, Permitted, PermittedGroup, Rules};
use crate::error::Code;
use crate::profile::Profiles;
use crate::signer::copies::Copies;
use crate::signer::protocol::Failure;
use crate::signer::unlocking::known_as;
use crate::signer::{
    Act, ActKind, Admission, AdmittedContents, AdmittedTbs, ClientClass, KeyEnvelope, KeyInUse, Known,
    Refusal, Scope, SignatureRecord, SignedKind,
};
use crate::signing::KeyRef;
use crate::x509::extension::BasicConstraints;
use crate::x509::{Certificate, TbsCertificate, UnixTime};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// Reads the profiles of the security administrator.
pub(crate) type ProfileReader = dyn Fn() -> Arc<Profiles> + Send + Sync;

/// The rules of a signer with this directory.
pub(crate) struct OwnRules {
    directory: PathBuf,
    /// The copies of certificates as they were read last.
    kept: Mutex<Option<Copies>>,
    profiles: Box<ProfileReader>,
    now: fn() -> UnixTime,
    /// When the request for a ceremony was made.
    ceremony: Option<UnixTime>,
}

impl OwnRules {
    /// Returns the rules of the signer with this directory. Its profiles and copies are read for each group, so that what
    /// the security administrator changes holds at once; they are decoded when their octets are others than before.
    pub(crate) fn new(directory: PathBuf, profiles: Box<ProfileReader>, now: fn() -> UnixTime) -> Self {
        Self { directory, kept: Mutex::default(), profiles, now, ceremony: None }
    }

    /// Returns the rules for what a request for a ceremony asks for. What it has is of the time at which it was made, days
    /// or weeks before; and the clock of a machine that lay in a safe is not believed. The people who are there say which
    /// date it is, and the rules of ceremonies compare it with the request.
    #[must_use]
    pub(crate) fn of_ceremony(self, made: Option<UnixTime>) -> Self {
        Self { ceremony: made, ..self }
    }

    fn copies(&self) -> Result<Copies, Refusal> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let copies = Copies::read_again(&self.directory, kept.take())?;
        *kept = Some(copies.clone());
        Ok(copies)
    }

    pub(super) fn directory(&self) -> &Path {
        &self.directory
    }

    pub(super) fn profiles(&self) -> Arc<Profiles> {
        (self.profiles)()
    }

    /// Takes in the certificate that the client shows as that of the CA, unless it is here. Returns whether it takes
    /// the scope of CA certificates: nobody whom the signer knows vouches for it.
    fn take_in(asked: &Asked<'_>, copies: &mut Copies) -> Result<bool, Refusal> {
        let Some(shown) = asked.issuer.filter(|one| one.tbs().public_key() == asked.public_key) else {
            return Ok(false);
        };
        let own = copies.of(asked.public_key);
        if own.contains(shown) {
            return Ok(false);
        }
        check_own(&own, shown)?;
        let is_vouched_for = copies.vouch_for(shown);
        copies.add(asked.key, shown);
        Ok(!is_vouched_for)
    }

    /// Decides on a certificate that the responder in use vouches for. Where it may not, it is one that the key has to be
    /// unlocked for; a timer, for which nobody unlocks a key, is told why.
    fn renewed(
        &self,
        asked: &Asked<'_>,
        record: &dyn SignatureRecord,
        own: Option<&Certificate>,
        admitted: AdmittedTbs,
    ) -> Result<AdmittedTbs, Refusal> {
        let (Some(enrolment), Some(own), AdmittedContents::Certificate { tbs, .. }) =
            (asked.enrolment, own, admitted.contents())
        else {
            return Ok(admitted);
        };
        let key = asked.public_key.digest();
        let former = enrolment.former.tbs().serial_number();
        let mut is_revoked = false;
        record.each_last_entry(&key, &mut |serial, _| {
            is_revoked = serial == former;
            !is_revoked
        })?;
        let known = Known { own, is_revoked, last: record.last_enrolment(&key)?, now: (self.now)() };
        match enrolment.admit(tbs, &known) {
            Ok(()) => Ok(admitted.enrolled(former.clone())),
            Err(reason) if asked.peer.class == ClientClass::Renew => Err(reason.into()),
            Err(_) => Ok(admitted),
        }
    }

    /// Returns the envelope of the key, which is made with its first certificate, and whether it was made now. A key that
    /// has signed CRLs under an envelope gets none in the place of one that is lost: it could be wider.
    fn envelope(
        asked: &Asked<'_>,
        copies: &Copies,
        own: &[Certificate],
        (profiles, record, is_known): (&Profiles, &dyn SignatureRecord, bool),
    ) -> Result<(Option<KeyEnvelope>, bool), Refusal> {
        let newest = own.iter().max_by_key(|one| one.tbs().validity().not_after);
        let Some(newest) = newest else { return Ok((None, false)) };
        if let Some(envelope) = copies.envelope(asked.key, asked.public_key)? {
            return Ok((Some(envelope), false));
        }
        if !is_known {
            copies.must_have_no_envelope(asked.key)?;
        }
        if is_known && record.has_signed_crl(&asked.public_key.digest())? {
            return Err(copies.without_envelope(asked.key, asked.public_key));
        }
        let name = named(asked.profile);
        Ok((Some(KeyEnvelope::made_for(newest, name, profiles.get(name))), true))
    }
}

/// Refuses a certificate that is shown as one of the CA whose key has these: that of no CA, or of another name.
pub(super) fn check_own(own: &[Certificate], shown: &Certificate) -> Result<(), Refusal> {
    if !BasicConstraints::of(shown.tbs()).is_some_and(|constraints| constraints.ca) {
        let message =
            format!("the client shows a certificate of `{}` that is no CA's", shown.tbs().subject());
        let hint = "this program never asks for it: see who used the account of the CA, and when";
        return Err(Refusal::new(Code::SignerIssuer, "RFC 5280 §4.2.1.9", message, hint));
    }
    let is_other = |one: &Certificate| !one.tbs().subject().is_same_as(shown.tbs().subject());
    if let Some(other) = own.iter().find(|one| is_other(one)) {
        let message = format!(
            "the client shows a certificate of `{}`, and this is the key of `{}`",
            shown.tbs().subject(),
            other.tbs().subject()
        );
        let hint = "this program never asks for it: see who used the account of the CA, and when";
        return Err(Refusal::new(Code::SignerIssuer, "RFC 5280 §4.1.2.4", message, hint));
    }
    Ok(())
}

/// Returns what the journal says of a certificate for which no key of this signer vouches.
pub(super) fn of_unknown_issuer(certificate: &Certificate) -> String {
    let tbs = certificate.tbs();
    let (serial, issuer, end) = (tbs.serial_number(), tbs.issuer(), tbs.validity().not_after);
    format!("certificate {serial} by {issuer} until {end}, of an issuer that the signer does not know")
}

/// Returns the name of the profile that an envelope has.
fn named(profile: Option<&str>) -> &str {
    profile.filter(|name| !name.is_empty()).unwrap_or("unknown")
}

impl Rules for OwnRules {
    fn envelope_with(
        &self,
        key: &KeyRef,
        tbs: &TbsCertificate,
        profile: Option<&str>,
    ) -> Result<String, Failure> {
        let copies = Copies::read(&self.directory)?;
        copies.check(key, Some(tbs.public_key().digest()), false)?;
        let found = copies.envelope(key, tbs.public_key())?;
        let name = named(profile);
        let made = || KeyEnvelope::made_with(tbs, name, (self.profiles)().get(name));
        Ok(found.unwrap_or_else(made).to_toml(&known_as(key)))
    }

    fn admit(
        &self,
        asked: &Asked<'_>,
        record: &dyn SignatureRecord,
        group: Vec<Vec<u8>>,
    ) -> Result<PermittedGroup, Failure> {
        let profiles = (self.profiles)();
        let mut copies = self.copies()?;
        let identity = asked.public_key.digest();
        copies.check(asked.key, Some(identity), record.last_used(&identity)?.is_some())?;
        let before = copies.of(asked.public_key).len();
        let is_strange = Self::take_in(asked, &mut copies)?;
        let own = copies.of(asked.public_key);
        let (envelope, is_made) = Self::envelope(asked, &copies, &own, (&profiles, record, before > 0))?;
        let newest = own.iter().max_by_key(|one| one.tbs().validity().not_after);
        let above = newest.map(|newest| copies.above(newest)).unwrap_or_default();
        let key = KeyInUse {
            key: asked.public_key,
            envelope: envelope.as_ref(),
            own: &own,
            above: &above,
            others: &copies.of_others(asked.public_key),
        };
        let mut admission = Admission::new(record, &profiles, self.ceremony.unwrap_or_else(self.now));
        let each = |admit: &mut dyn FnMut(Vec<u8>) -> Result<AdmittedTbs, Refusal>, group: Vec<Vec<u8>>| {
            group.into_iter().map(admit).collect()
        };
        let admitted: Result<Vec<AdmittedTbs>, Refusal> = match asked.kind {
            SignedKind::Certificate => {
                let admitted = admission.certificates(&key, group)?;
                admitted.into_iter().map(|one| self.renewed(asked, record, newest, one)).collect()
            }
            SignedKind::Crl => each(&mut |octets| admission.crl(&key, octets), group),
            SignedKind::Request => each(&mut |octets| admission.request(&key, octets), group),
        };
        let permitted = |admitted: AdmittedTbs| {
            let scope = if is_strange { Scope::Ca } else { admitted.scope() };
            Permitted { tbs: Box::new(admitted), scope }
        };
        let permitted = admitted?.into_iter().map(permitted).collect();
        let acts = acts(asked, envelope.as_ref().filter(|_| is_made), is_strange && before > 0);
        let brought = (is_made || own.len() > before).then(|| Brought {
            envelope: envelope.filter(|_| is_made),
            copies,
            acts,
        });
        Ok(PermittedGroup { permitted, brought })
    }

    fn check(&self, key: &KeyRef) -> Result<(), Failure> {
        Ok(self.copies()?.check(key, key.identity, false)?)
    }

    fn kept(&self, key: &KeyRef, identity: &[u8; 32]) -> Result<Kept, Failure> {
        self.kept_of(key, identity)
    }

    fn envelope_of(&self, coming: &Coming<'_>) -> Result<String, Failure> {
        self.envelope_of_coming(coming)
    }

    fn keep(&self, coming: &Coming<'_>, envelope: &str) -> Result<(), Failure> {
        self.keep_coming(coming, envelope)
    }

    fn unvouched(&self, coming: &Coming<'_>) -> Result<Vec<String>, Failure> {
        self.unvouched_of(coming)
    }

    fn identity_named(&self, key: &KeyRef) -> Result<Option<[u8; 32]>, Failure> {
        Ok(self.copies()?.key_named(key).map(|public_key| public_key.digest()))
    }

    fn drop_envelope(&self, key: &KeyRef, identity: &[u8; 32]) -> Result<(), Failure> {
        self.drop_envelope_of(key, identity)
    }

    fn allowed(&self, asked: &Asked<'_>, brought: Brought) -> Result<Vec<Act>, Failure> {
        let Brought { copies, envelope, acts } = brought;
        copies.keep(asked.key, asked.public_key)?;
        if let Some(envelope) = envelope {
            copies.put_envelope(asked.key, asked.public_key, &envelope)?;
        }
        Ok(acts)
    }
}

/// Returns what the journal has of an envelope that was made, and of a certificate of an issuer that is not known.
fn acts(asked: &Asked<'_>, made: Option<&KeyEnvelope>, is_strange: bool) -> Vec<Act> {
    let uri = &asked.key.uri;
    let made = made.map(|envelope| format!("{uri}: made for a CA of the profile {}", envelope.profile));
    let strange = asked.issuer.filter(|_| is_strange);
    let strange = strange.map(|shown| format!("{uri}: {}", of_unknown_issuer(shown)));
    let act = |details| Act { kind: ActKind::Envelope, key: Some(asked.public_key.digest()), details };
    made.into_iter().chain(strange).map(act).collect()
}
