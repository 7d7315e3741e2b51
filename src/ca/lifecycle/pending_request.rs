//! CAs below an external issuer (G6): key and request are made here, then the certificate is accepted.
use super::Lifecycle;
use crate::ca::authority::{key_usage_allows, mismatched};
use crate::ca::{Adoption, NewAuthority};
use crate::error::{Code, Problem, Remedy, remedy};
use crate::index::Authority;
use crate::profile::Kind;
use crate::repository::PendingRequest;
use crate::signing::{BroughtKey, KeyError, KeyRef};
use crate::x509::extension::KeyUsage;
use crate::x509::{Certificate, SubjectPublicKeyInfo};

/// The certificate for a pending request. The rest is known from the request.
#[derive(Clone, Debug, Default)]
pub struct SubordinateCertificate {
    /// Name of the CA in the request.
    pub name: String,
    /// The CA's certificate and those of its issuers.
    pub certificates: Vec<Certificate>,
    /// Name of the profile, when it differs from the requested one. It is required for a key that was
    /// imported.
    pub profile: Option<String>,
    /// Whether the CA has a responder, when that differs from the request.
    pub ocsp: Option<bool>,
    /// Origin of the certificate, for the audit record.
    pub source: String,
}

/// The problem that a CA of this name has a pending request already.
pub(super) fn already_pending(name: &str) -> Problem {
    Problem::new(Code::AuthorityPending, format!("{name} waits for its certificate already"))
        .hint(remedy::Authority::AdoptPending(name.to_owned()))
}

impl Lifecycle<'_> {
    /// Returns the CA of this name, if it has a pending request. Requests left behind by an adoption that was
    /// cut short are passed over.
    ///
    /// # Errors
    /// When the pending requests cannot be read.
    pub fn pending_request(&self, name: &str) -> Result<Option<PendingRequest>, Problem> {
        Ok(self.pending_requests()?.into_iter().find(|one| one.name == name))
    }

    /// Returns the reference to the key of a CA that may have a pending request.
    pub(super) fn pending_key(
        &self,
        name: &str,
        public_key: &SubjectPublicKeyInfo,
    ) -> Result<KeyRef, Problem> {
        let uri = self.pending_request(name)?.and_then(|pending| pending.key);
        // in the home, unless it is said where
        let new = || self.engine.keys().imported_key(name);
        Ok(uri.map_or_else(new, |uri| KeyRef { identity: None, uri }).of_key(public_key))
    }

    /// Returns all CAs with a pending request, ordered by name.
    ///
    /// # Errors
    /// As [`Lifecycle::pending_request`].
    pub fn pending_requests(&self) -> Result<Vec<PendingRequest>, Problem> {
        let mut pending_request = self.engine.publisher().pending_requests()?;
        let authorities = self.engine.index().authorities()?;
        pending_request.retain(|one| {
            let is_here = |known: &&Authority| known.name == one.name && !known.is_external();
            !authorities.iter().any(|known| is_here(&known))
        });
        Ok(pending_request)
    }

    /// Makes the key of a CA below an external CA, and the request for its certificate. A key that a killed
    /// process left is used, when the passphrase opens it. `next` returns, for the CA of this name, the
    /// caller's instruction for accepting the certificate.
    ///
    /// # Errors
    /// When the name is taken, the profile is not that of a subordinate CA, no passphrase is available, or a
    /// file cannot be written.
    pub fn request_child(
        &self,
        new: &NewAuthority,
        next: fn(&str) -> String,
    ) -> Result<PendingRequest, Problem> {
        self.name_is_free(&new.name)?;
        let profile = self.engine.settings().profile(&new.profile)?;
        if profile.kind() != Kind::Ca {
            let message = format!("the profile {} is not that of a CA below another", profile.name());
            return Err(Problem::new(Code::Usage, message).hint(remedy::Authority::ProfileBelow));
        }
        let subject = self.subject_for(new)?;
        self.name_is_no_other_cas(&subject, new.succeeds.as_deref())?;
        let at = self.engine.signing_time()?;
        let place = new.keystore.new_key(self.engine.keys(), &new.name);
        self.engine.keys().note_profile(&place, &new.profile);
        let signing = self.engine.index().signing()?;
        let algorithm = new.key.unwrap_or(self.engine.settings().config.keys.ca);
        let signer = match self.engine.keys().generate(&place, algorithm) {
            Ok(signer) => signer,
            Err(KeyError::Exists(_)) => match self.engine.keys().signer(&place) {
                Ok(signer) => signer,
                Err(_) => {
                    drop(signing);
                    return Err(self.key_without_authority(&new.name, &place)?);
                }
            },
            Err(error) => return Err(error.into()),
        };
        let request = signer.sign_request(&subject, &[])?;
        let pending_request = PendingRequest {
            name: new.name.clone(),
            next: next(&new.name),
            profile: Some(new.profile.clone()),
            ocsp: Some(self.authority_to_be(new, false).serves_ocsp),
            succeeds: new.succeeds.clone(),
            since: at,
            key: (place != self.engine.keys().imported_key(&new.name)).then(|| place.uri.clone()),
            public_key: signer.public_key().clone(),
            request: Some(request),
        };
        self.store_request(&pending_request, "authority.requested", &subject.to_string())?;
        drop(signing);
        Ok(pending_request)
    }

    fn store_request(
        &self,
        pending_request: &PendingRequest,
        action: &str,
        subject: &str,
    ) -> Result<(), Problem> {
        let mut event = self.engine.event(pending_request.since, action, &*pending_request.name);
        if !subject.is_empty() {
            event.details.push(("subject".into(), subject.to_owned()));
        }
        self.engine.index().record_event(event)?;
        Ok(self.engine.publisher().store_pending_request(pending_request)?)
    }

    /// Imports the key of a CA. When a CA of this name is in this home, its missing key is added and `None`
    /// returned. Otherwise the key is that of a CA whose certificate is still to be adopted, and its pending
    /// request is returned; `next` as in [`Lifecycle::request_child`].
    ///
    /// # Errors
    /// When the key is that of another CA, there is a key already, no passphrase is available, or the key
    /// cannot be written.
    pub fn bring_key(
        &self,
        name: &str,
        key: BroughtKey,
        next: fn(&str) -> String,
    ) -> Result<Option<PendingRequest>, Problem> {
        let authority = self.engine.index().authority(name)?;
        if let Some(authority) = &authority
            && *key.public_key() != *authority.certificate.tbs().public_key()
        {
            return Err(mismatched(name));
        }
        let is_ours = authority.as_ref().filter(|one| !one.is_external());
        if is_ours.is_none() && self.pending_request(name)?.is_some() {
            return Err(already_pending(name));
        }
        let public_key = key.public_key().clone();
        let new = || self.engine.keys().imported_key(name).of_key(&public_key);
        let place = match is_ours {
            // of a CA whose key the signer that listens has, it comes into the home first
            Some(ours) => self.place_to_bring(ours),
            None => new(),
        };
        let moves = is_ours.filter(|ours| ours.key != place.uri);
        if let Some(there) = moves.map(KeyRef::of)
            && self.engine.keys().inspecting().is_some_and(|keys| keys.inspect(&there).is_ok())
        {
            return Err(KeyError::Exists(self.engine.keys().place(&there)).into());
        }
        let at = self.engine.signing_time()?;
        let fingerprint = base16ct::lower::encode_string(&key.public_key().digest());
        match self.engine.keys().import(&place, key) {
            Ok(_) => {}
            // left by an attempt that was killed before it noted the pending request
            Err(KeyError::Exists(_)) if is_ours.is_none() => {
                let opened = self.engine.keys().signer(&place)?;
                if *opened.public_key() != public_key {
                    return Err(self.key_without_authority(name, &place)?);
                }
            }
            Err(error) => return Err(error.into()),
        }
        let mut event = self.engine.event(at, "key.imported", name);
        event.details.push(("spki_sha256".into(), fingerprint));
        match moves {
            Some(ours) => self.engine.index().set_key(&ours.issuer, &place.uri, event)?,
            None => self.engine.index().record_event(event)?,
        }
        if is_ours.is_some() {
            return Ok(None);
        }
        let (next, name, since) = (next(name), name.to_owned(), at);
        let pending_request = PendingRequest {
            name,
            next,
            profile: None,
            ocsp: None,
            succeeds: None,
            since,
            key: None,
            public_key,
            request: None,
        };
        self.engine.publisher().store_pending_request(&pending_request)?;
        Ok(Some(pending_request))
    }

    /// Returns the adoption for the certificate of a pending request, or for the next certificate of a CA
    /// below an external CA. The certificate must be for the CA's key, allow signing certificates and CRLs,
    /// and be currently valid.
    ///
    /// # Errors
    /// When there is no such CA, the certificate is not such a one, or no profile is known.
    pub fn accept_certificate(&self, accepted: SubordinateCertificate) -> Result<Adoption, Problem> {
        let Some(pending_request) = self.pending_request(&accepted.name)? else {
            return match self.brought_for(&accepted.name)? {
                Some(awaited) => self.accepted_for(&awaited, accepted),
                None => self.renewed_externally(accepted),
            };
        };
        let name = accepted.name;
        let (own, others): (Vec<Certificate>, Vec<Certificate>) = accepted
            .certificates
            .into_iter()
            .partition(|one| *one.tbs().public_key() == pending_request.public_key);
        let certificate = own.into_iter().next().ok_or_else(|| {
            other_key(&name).hint(format!("it must be the answer to the request in requests/{name}.waiting"))
        })?;
        self.is_in_force(&name, &certificate)?;
        let profile = accepted.profile.or(pending_request.profile).ok_or_else(|| {
            Problem::new(Code::Usage, format!("it is not known what {name} is for"))
                .hint(remedy::Authority::NameProfile)
        })?;
        let tbs = certificate.tbs();
        let usual = !self.engine.settings().config.is_offline(&name, tbs.is_self_issued());
        Ok(Adoption {
            profile,
            ocsp: accepted.ocsp.or(pending_request.ocsp).unwrap_or(usual),
            certificate,
            renews: None,
            succeeds: pending_request.succeeds,
            others,
            prior: Vec::new(),
            crl_number: 0,
            last_crl: None,
            source: accepted.source,
            name,
        })
    }

    /// Returns the adoption for the next certificate of a CA of this home below an external CA.
    fn renewed_externally(&self, accepted: SubordinateCertificate) -> Result<Adoption, Problem> {
        let name = accepted.name;
        let Some(known) = self.engine.index().authority(&name)?.filter(|known| !known.is_external()) else {
            let message = format!("no CA named {name} waits for its certificate");
            return Err(
                Problem::new(Code::AuthorityNotPending, message).hint(remedy::Authority::RequestOrKey)
            );
        };
        let parent =
            known.parent.as_ref().map(|parent| self.engine.hierarchy().authority(parent)).transpose()?;
        let is_known = accepted.certificates.contains(&known.certificate);
        let (own, others): (Vec<Certificate>, Vec<Certificate>) = accepted
            .certificates
            .into_iter()
            .filter(|one| *one != known.certificate)
            .partition(|one| one.tbs().public_key() == known.certificate.tbs().public_key());
        if (is_known && own.is_empty()) || !parent.is_some_and(|parent| parent.is_external()) {
            let message = format!("{name} has {} certificate already", if is_known { "this" } else { "a" });
            return Err(Problem::new(Code::AuthorityExists, message).hint(remedy::Authority::Show(name)));
        }
        let begins = |certificate: &Certificate| certificate.tbs().validity().not_before;
        let certificate = own
            .into_iter()
            .max_by_key(begins)
            .ok_or_else(|| other_key(&name).hint(remedy::Authority::AnswerToRenewal(name.clone())))?;
        if begins(&certificate) < begins(&known.certificate) {
            let message = format!(
                "{name} has a later certificate: this one begins on {}, and that on {}",
                begins(&certificate),
                begins(&known.certificate)
            );
            return Err(Problem::new(Code::AuthorityExists, message).hint(remedy::Authority::Show(name)));
        }
        if !certificate.tbs().subject().is_same_as(known.certificate.tbs().subject()) {
            let (this, its) = certificate.tbs().subject().beside(known.certificate.tbs().subject());
            let message = format!("the certificate is for {this}, and {name} is {its}");
            return Err(Problem::new(Code::CertificateOtherName, message)
                .hint("have the request signed for the name that it has, unchanged"));
        }
        self.may_be_renewed(&known)?;
        self.is_in_force(&name, &certificate)?;
        Ok(Adoption {
            profile: accepted.profile.unwrap_or_else(|| known.profile.clone()),
            ocsp: known.serves_ocsp,
            certificate,
            succeeds: known.succeeds.clone(),
            renews: Some(known),
            others,
            prior: Vec::new(),
            crl_number: 0,
            last_crl: None,
            source: accepted.source,
            name,
        })
    }

    /// Checks that the certificate is currently valid and is that of a CA which may sign certificates and
    /// CRLs.
    pub(super) fn is_in_force(&self, name: &str, certificate: &Certificate) -> Result<(), Problem> {
        let tbs = certificate.tbs();
        let (validity, now) = (tbs.validity(), self.engine.now());
        let refuse = |code, message: String, hint: Remedy| Err(Problem::new(code, message).hint(hint));
        if now > validity.not_after {
            let message = format!("the certificate of {name} expired at {}", validity.not_after);
            return refuse(
                Code::CertificateLapsed,
                message,
                "have a new one signed for the same request".into(),
            );
        }
        if now < validity.not_before {
            let message = format!("the certificate of {name} is not valid before {}", validity.not_before);
            return refuse(
                Code::CertificateNotYetValid,
                message,
                "wait, or look at the clocks here and there".into(),
            );
        }
        if !certificate.is_ca()
            || !key_usage_allows(tbs, KeyUsage::KEY_CERT_SIGN)
            || !key_usage_allows(tbs, KeyUsage::CRL_SIGN)
        {
            let message =
                format!("the certificate of {name} is not that of a CA that signs certificates and CRLs");
            let hint = remedy::Authority::SignAsACa.into();
            return refuse(Code::IssuerUnfit, message, hint);
        }
        Ok(())
    }
}

pub(super) fn other_key(name: &str) -> Problem {
    let message = format!("the certificate is for another key than that of {name}");
    Problem::new(Code::CertificateOtherKey, message)
}
