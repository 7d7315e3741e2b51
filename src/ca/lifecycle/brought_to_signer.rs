//! Keys of other programs that an administrator has brought to the signer that listens (G6, K2, K3).
//!
//! The signer is told what the key signed elsewhere, then uses it, and then the record has it. A command that is killed
//! before the signer uses it leaves a key that nobody uses; one that is killed later leaves one that the same command puts on
//! record.
use super::Lifecycle;
use super::adopt::{AdoptedKey, Adoption};
use super::moving::stays;
use super::pending_request::{SubordinateCertificate, other_key};
use crate::ca::authority::mismatched;
use crate::error::{Code, Problem, remedy};
use crate::failpoint;
use crate::index::{Authority, Filter, ImportedContents, KeyLocation};
use crate::signing::{AwaitedKey, KeyError, KeyRef, UsedElsewhere};
use crate::x509::{Certificate, KeyAlgorithm, SerialNumber, SubjectPublicKeyInfo, UnixTime};

impl AwaitedKey {
    fn is(&self, public_key: &SubjectPublicKeyInfo) -> bool {
        self.key.identity == Some(public_key.digest())
    }
}

impl Lifecycle<'_> {
    /// Returns the key that is in the signer that listens under the name of this CA, or was brought there for it by an
    /// administrator of this login; `None` where there is none.
    ///
    /// # Errors
    /// When the signer cannot be asked.
    pub fn key_in_signer(&self, name: &str) -> Result<Option<AwaitedKey>, Problem> {
        match self.engine.keys().moving() {
            Some(mover) => Ok(mover.awaited(name)?),
            None => Ok(None),
        }
    }

    /// Returns such a key for a CA that is not on record yet.
    pub(super) fn brought_for(&self, name: &str) -> Result<Option<AwaitedKey>, Problem> {
        let known = self.engine.index().authority(name)?.filter(|known| !known.is_external());
        if known.is_some() { Ok(None) } else { self.key_in_signer(name) }
    }

    /// Returns the adoption of a CA whose key was brought to the signer, with this certificate.
    pub(super) fn accepted_for(
        &self,
        awaited: &AwaitedKey,
        accepted: SubordinateCertificate,
    ) -> Result<Adoption, Problem> {
        let name = accepted.name;
        let (own, others): (Vec<Certificate>, Vec<Certificate>) =
            accepted.certificates.into_iter().partition(|one| awaited.is(one.tbs().public_key()));
        let certificate = own.into_iter().next().ok_or_else(|| other_key(&name))?;
        self.is_in_force(&name, &certificate)?;
        let profile = accepted.profile.or_else(|| awaited.profile().map(str::to_owned)).ok_or_else(|| {
            Problem::new(Code::Usage, format!("it is not known what {name} is for"))
                .hint(remedy::Authority::NameProfile)
        })?;
        let is_root = certificate.tbs().is_self_issued();
        let usual = !self.engine.settings().config.is_offline(&name, is_root);
        Ok(Adoption {
            profile,
            ocsp: accepted.ocsp.unwrap_or(usual),
            certificate,
            renews: None,
            succeeds: None,
            others,
            prior: Vec::new(),
            crl_number: 0,
            last_crl: None,
            source: accepted.source,
            name,
        })
    }

    /// Returns where the key is of a CA whose certificate is accepted.
    ///
    /// # Errors
    /// When the signer cannot be asked, or has another key.
    pub fn key_of_accepted(&self, adoption: &Adoption) -> Result<AdoptedKey, Problem> {
        if adoption.renews.is_some() || self.pending_request(&adoption.name)?.is_some() {
            return Ok(AdoptedKey::Here);
        }
        Ok(self.brought_for(&adoption.name)?.map_or(AdoptedKey::Here, AdoptedKey::InSigner))
    }

    /// Has the signer use the key of a CA that is adopted, after it was told what that signed.
    pub(super) fn use_adopted_in_signer(
        &self,
        awaited: &AwaitedKey,
        adoption: &Adoption,
    ) -> Result<(), Problem> {
        if !awaited.is(adoption.certificate.tbs().public_key()) {
            return Err(mismatched(&adoption.name));
        }
        if let Some(other) = awaited.profile().filter(|profile| *profile != adoption.profile) {
            return Err(of_another_profile(&adoption.name, other, &adoption.profile));
        }
        if awaited.is_settled {
            return Ok(());
        }
        let own_end = adoption.certificate.tbs().validity().not_after;
        let (mut certificates, mut serials, mut until) = (Vec::new(), Vec::new(), own_end);
        for prior in &adoption.prior {
            match &prior.contents {
                ImportedContents::Certificate(one) if was_signed(one, &adoption.certificate) => {
                    certificates.push(one.clone());
                }
                ImportedContents::Certificate(one) => {
                    until = until.max(one.tbs().validity().not_after);
                    serials.push(prior.serial_number.clone());
                }
                ImportedContents::Number { .. } => serials.push(prior.serial_number.clone()),
            }
        }
        if let Some(signer) = self.engine.keys().remembering() {
            signer.show_certificates(&awaited.key, &adoption.certificate, &certificates)?;
            if let Some(crl) = &adoption.last_crl {
                signer.show_crl(&awaited.key, &adoption.certificate, crl.as_der())?;
            }
        }
        self.settle_in_signer(&awaited.key, &serials, until, adoption.crl_number)
    }

    fn settle_in_signer(
        &self,
        key: &KeyRef,
        serials: &[SerialNumber],
        until: UnixTime,
        crl_number: u64,
    ) -> Result<(), Problem> {
        let mover = self.mover()?;
        mover.tell_used(key, &UsedElsewhere { serials, until, crl_number })?;
        failpoint::passed("key: told what it signed");
        mover.settle(key)?;
        failpoint::passed("key: settled");
        Ok(())
    }

    /// Takes the key of a CA of this home that an administrator has brought to the signer, where it was away. Returns its
    /// type.
    ///
    /// # Errors
    /// When nobody has brought it, it is another one, the key is in its place, another command is signing, or the signer
    /// cannot be asked.
    pub fn take_key_in_signer(&self, name: &str) -> Result<KeyAlgorithm, Problem> {
        let authority = self.own_authority(name)?;
        let from = KeyRef::of(&authority);
        let awaited = self.key_in_signer(name)?.ok_or_else(|| nobody_brought(name))?;
        let public_key = authority.certificate.tbs().public_key();
        if !awaited.is(public_key) {
            return Err(mismatched(name));
        }
        if !matches!(from.location(), KeyLocation::File(_) | KeyLocation::FileOfService(_)) {
            return Err(stays(name, &from));
        }
        if let Some(other) = awaited.profile().filter(|profile| *profile != authority.profile) {
            return Err(of_another_profile(name, other, &authority.profile));
        }
        let is_recorded = from.uri == awaited.key.uri;
        // a key that cannot be looked at is not away
        let is_here = || match self.engine.keys().inspecting().map(|keys| keys.inspect(&from)) {
            None | Some(Err(KeyError::NotFound(_))) => Ok(false),
            Some(looked_at) => looked_at.map(|_| true),
        };
        if (is_recorded && awaited.is_settled) || (!is_recorded && is_here()?) {
            return Err(KeyError::Exists(self.engine.keys().place(&from)).into());
        }
        let _alone = self.alone_with(&authority)?;
        if !awaited.is_settled {
            self.show_all(&authority, &awaited.key)?;
            let serials = self.numbers_without_certificates(&authority, &from)?;
            let until = authority.certificate.tbs().validity().not_after;
            let crl_number = self.highest_crl_number(&authority, &from)?;
            let crl_number = crl_number.max(self.engine.publisher().crl_number_floor(name)?);
            self.settle_in_signer(&awaited.key, &serials, until, crl_number)?;
        }
        let mut event = self.engine.event(self.engine.now(), "key.imported", name);
        let fingerprint = base16ct::lower::encode_string(&public_key.digest());
        event.details.extend([
            ("spki_sha256".into(), fingerprint),
            ("from".into(), from.uri.clone()),
            ("to".into(), awaited.key.uri.clone()),
        ]);
        self.engine.index().set_key(&authority.issuer, &awaited.key.uri, event)?;
        failpoint::passed("key: recorded as brought");
        Ok(public_key.algorithm())
    }

    /// Returns the serial numbers that the key used and of which there is no certificate to be shown.
    fn numbers_without_certificates(
        &self,
        authority: &Authority,
        from: &KeyRef,
    ) -> Result<Vec<SerialNumber>, Problem> {
        let mut numbers = Vec::new();
        let filter = Filter { authority: Some(authority.name.clone()), ..Filter::default() };
        self.engine.index().list(&filter, &mut |record| {
            let is_shown = record.certificate.is_some_and(|one| was_signed(&one, &authority.certificate));
            if !is_shown {
                numbers.push(record.id.serial_number);
            }
            true
        })?;
        // what the journal of the home has of a key that was there
        if let (Some(signer), KeyLocation::File(_)) = (self.engine.keys().remembering(), from.location()) {
            numbers.extend(signer.used_serials(from)?);
        }
        Ok(numbers)
    }
}

fn was_signed(certificate: &Certificate, issuer: &Certificate) -> bool {
    certificate.was_signed_by(issuer.tbs().public_key())
}

/// The problem that the signer has no such key for this login.
fn nobody_brought(name: &str) -> Problem {
    let message = format!("no administrator of this login has brought a key of {name} to the signer");
    Problem::new(Code::KeyNotFound, message).hint(remedy::Authority::BringKeyToSigner(name.to_owned()))
}

/// The problem that an administrator has brought a key for a CA of another profile.
fn of_another_profile(name: &str, confirmed: &str, asked: &str) -> Problem {
    let message = format!(
        "an administrator has brought the key of {name} for a CA of the profile {confirmed}, and it would be one of {asked}"
    );
    Problem::new(Code::SignerNotBound, message).hint(remedy::Authority::BringKeyToSigner(name.to_owned()))
}
