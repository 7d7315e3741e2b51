//! The rules of admission, with what the signer has on disk: its copies of certificates, envelopes and profiles.
use super::own_rules_brought::{acts, named, vouching};
use super::seams::{Asked, Brought, Coming, Kept, Permitted, PermittedGroup, Rules};
use crate::error::Code;
use crate::failpoint;
use crate::profile::Profiles;
use crate::signer::copies::Copies;
use crate::signer::pinned_urls::is_base;
use crate::signer::protocol::Failure;
use crate::signer::unlocking::known_as;
use crate::signer::{
    Admission, AdmittedContents, AdmittedTbs, Bound, ClientClass, KeyEnvelope, KeyInUse, Known, Peer,
    Refusal, SignatureRecord, SignedKind, WithUsed, bound,
};
use crate::signing::KeyRef;
use crate::x509::extension::BasicConstraints;
use crate::x509::{Certificate, TbsCertificate, UnixTime, sha256};
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

    /// Takes in the certificate that the client shows as that of the CA, unless it is here. Returns whether nobody whom the
    /// signer knows vouches for it. Such a one is taken from the user of the keys, and from others when an administrator
    /// has accepted it: it would say under which CA, and for how long, the key signs.
    fn take_in(&self, asked: &Asked<'_>, copies: &mut Copies) -> Result<bool, Refusal> {
        let Some(shown) = asked.issuer.filter(|one| one.tbs().public_key() == asked.public_key) else {
            return Ok(false);
        };
        let own = copies.of(asked.public_key);
        if own.contains(shown) {
            return Ok(false);
        }
        check_own(&own, shown)?;
        let is_strange = !copies.vouch_for(shown);
        if is_strange
            && asked.peer.class != ClientClass::Child
            && !bound::is_accepted(&self.directory, &sha256(shown.as_der()))
        {
            return Err(unaccepted(shown));
        }
        copies.add(asked.key, shown);
        Ok(is_strange)
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
        &self,
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
        let bound = self.bound_of(asked.peer, &asked.public_key.digest(), asked.profile)?;
        let made = KeyEnvelope::made_for(newest, &bound.profile, profiles.get(&bound.profile));
        Ok((Some(made.pinned_to(&bound.urls)), true))
    }

    /// Returns what a key without an envelope is for. The user of the keys says it. For others an administrator has said
    /// it before the key was made, and what the client says has to be the same.
    fn bound_of(&self, peer: &Peer, key: &[u8; 32], profile: Option<&str>) -> Result<Bound, Refusal> {
        let said = profile.filter(|name| !name.is_empty());
        if peer.class == ClientClass::Child {
            let profile = said.unwrap_or(KeyEnvelope::UNKNOWN).to_owned();
            return Ok(Bound { profile, urls: Vec::new(), subject: None });
        }
        let bound = Bound::read(&self.directory, key)?.ok_or_else(|| {
            not_bound("no administrator has said under which profile the CA of this key is made".to_owned())
        })?;
        match said {
            Some(other) if other != bound.profile => Err(not_bound(format!(
                "an administrator has unlocked the new key for a CA of the profile {}, and it is made under {other}",
                bound.profile
            ))),
            _ => Ok(bound),
        }
    }
}

fn not_bound(message: String) -> Refusal {
    let hint = "make the CA under that profile; or have an administrator unlock the key once more as a new one, for this profile: \
        that binds a key which is there and has no certificate yet";
    Refusal::new(Code::SignerNotBound, "profile of a new key", message, hint)
}

/// The refusal of a certificate of the CA that nobody known vouches for and no administrator has accepted.
fn unaccepted(shown: &Certificate) -> Refusal {
    let tbs = shown.tbs();
    let message = format!(
        "nobody whom the signer knows vouches for the certificate {} of `{}` by `{}`, valid until {}; its SHA-256 is {}",
        tbs.serial_number(),
        tbs.subject(),
        tbs.issuer(),
        tbs.validity().not_after,
        base16ct::lower::encode_string(&sha256(shown.as_der()))
    );
    let hint = "compare it with the certificate that the issuer gave; when it is that one, an administrator accepts it, with \
        the option accept-certificate of the command that shows the envelope of the key";
    Refusal::new(Code::SignerCertificateUnknown, "RFC 5280 §6.1", message, hint)
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

impl Rules for OwnRules {
    fn envelope_with(
        &self,
        peer: &Peer,
        key: &KeyRef,
        tbs: &TbsCertificate,
        profile: Option<&str>,
    ) -> Result<String, Failure> {
        let copies = Copies::read(&self.directory)?;
        copies.check(key, Some(tbs.public_key().digest()), false)?;
        let envelope = match copies.envelope(key, tbs.public_key())? {
            Some(envelope) => envelope,
            None => {
                let Bound { profile, urls, .. } = self.bound_of(peer, &tbs.public_key().digest(), profile)?;
                KeyEnvelope::made_with(tbs, &profile, (self.profiles)().get(&profile)).pinned_to(&urls)
            }
        };
        Ok(envelope.to_toml(&known_as(key)))
    }

    fn may_bind(&self, bound: &Bound) -> Result<(), Failure> {
        let profiles = (self.profiles)();
        if !profiles.get(&bound.profile).is_some_and(|profile| profile.kind().is_ca()) {
            let known: Vec<&str> =
                profiles.iter().filter(|one| one.kind().is_ca()).map(|one| one.name()).collect();
            let reason = format!(
                "the signer has no profile {} of CAs; those in its policy are {}",
                bound.profile,
                known.join(", ")
            );
            return Err(Failure::Signer { reason });
        }
        match bound.urls.iter().find(|url| !is_base(url)) {
            Some(url) => {
                let reason = format!("{url} is no beginning of URLs such as http://pki.genfic.example/");
                Err(Failure::Signer { reason })
            }
            None => Ok(()),
        }
    }

    fn bind(&self, key: &[u8; 32], bound: Option<&Bound>) -> Result<(), Failure> {
        match bound {
            Some(bound) => Ok(bound.put(&self.directory, key)?),
            None => {
                Bound::remove(&self.directory, key);
                Ok(())
            }
        }
    }

    fn accept_certificate(&self, certificate: &[u8; 32]) -> Result<(), Failure> {
        Ok(bound::accept(&self.directory, certificate)?)
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
        let used = copies.used(asked.key)?;
        let beside = used.as_ref().map(|used| WithUsed { record, key: identity, used });
        let record: &dyn SignatureRecord = match &beside {
            Some(beside) => beside,
            None => record,
        };
        copies.check(asked.key, Some(identity), record.last_used(&identity)?.is_some())?;
        let before = copies.of(asked.public_key).len();
        let is_strange = self.take_in(asked, &mut copies)?;
        let own = copies.of(asked.public_key);
        let (envelope, is_made) = self.envelope(asked, &copies, &own, (&profiles, record, before > 0))?;
        let bound = match asked.kind {
            // it says what it is by itself, and is the base of its envelope
            SignedKind::Certificate if own.is_empty() && asked.peer.class != ClientClass::Child => {
                let bound = self.bound_of(asked.peer, &identity, asked.profile)?;
                // the name is kept before the journal has the signature: without one it is nobody's yet
                let has_signed = record.signed_since(&identity, UnixTime(i64::MIN))? > 0;
                Some(Bound { subject: bound.subject.filter(|_| has_signed), ..bound })
            }
            _ => None,
        };
        let newest = own.iter().max_by_key(|one| one.tbs().validity().not_after);
        let above = newest.map(|newest| copies.above(newest)).unwrap_or_default();
        let key = KeyInUse {
            key: asked.public_key,
            envelope: envelope.as_ref(),
            own: &own,
            above: &above,
            others: &copies.of_others(asked.public_key),
            generations: &|other| vouching(&self.directory, asked, &copies, other),
            bound: bound.as_ref().map(|bound| bound.profile.as_str()),
            named: bound.as_ref().and_then(|bound| bound.subject.as_ref()),
            mark: asked.mark,
            by_timer: asked.peer.class == ClientClass::Renew,
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
        let admitted = admitted?;
        let named = bound.filter(|bound| bound.subject.is_none()).and_then(|bound| named(bound, &admitted));
        let permitted =
            |admitted: AdmittedTbs| Permitted { scope: admitted.scope(), tbs: Box::new(admitted) };
        let permitted = admitted.into_iter().map(permitted).collect();
        let shown = asked.issuer.filter(|_| own.len() > before);
        let acts = acts(asked, envelope.as_ref().filter(|_| is_made), shown.map(|shown| (shown, is_strange)));
        let brought = (is_made || shown.is_some() || named.is_some()).then(|| Brought {
            envelope: envelope.filter(|_| is_made),
            named,
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

    fn keep_brought(&self, asked: &Asked<'_>, brought: Brought) -> Result<(), Failure> {
        let Brought { copies, envelope, named, acts: _ } = brought;
        let digest = asked.public_key.digest();
        if let Some(named) = named {
            named.put(&self.directory, &digest)?;
        }
        if !copies.of(asked.public_key).is_empty() {
            copies.keep(asked.key, asked.public_key)?;
            failpoint::passed("signer: certificate kept");
        }
        if let Some(envelope) = envelope {
            copies.put_envelope(asked.key, asked.public_key, &envelope)?;
            failpoint::passed("signer: envelope kept");
            Bound::remove(&self.directory, &digest);
        }
        Ok(())
    }
}
