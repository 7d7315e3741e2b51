//! CAs whose certificate is signed by a parent elsewhere (G6): key and request here, then their certificate.
use super::Lifecycle;
use crate::ca::authority::{may, mismatched};
use crate::ca::{Adoption, NewAuthority};
use crate::error::{Code, Problem, Remedy, remedy};
use crate::index::Authority;
use crate::profile::Kind;
use crate::repository::WaitingAuthority;
use crate::signing::{KeyError, KeyRef, OpenedKey};
use crate::x509::Certificate;
use crate::x509::extension::KeyUsage;

/// What an administrator says of a CA whose certificate has come; the rest is known since it was asked for.
#[derive(Clone, Debug, Default)]
pub struct Arrival {
    /// The name that it was asked for under.
    pub name: String,
    /// What came: its certificate, and those of CAs above it.
    pub certificates: Vec<Certificate>,
    /// Another profile than the one asked for; for a key that was brought, `None` is an error.
    pub profile: Option<String>,
    /// Whether it has a responder, otherwise than it was asked for.
    pub ocsp: Option<bool>,
    /// Where the certificate comes from, for the record.
    pub source: String,
}

/// A CA of this name waits for its certificate.
pub(super) fn already_waiting(name: &str) -> Problem {
    Problem::new(Code::AuthorityWaiting, format!("{name} waits for its certificate already"))
        .hint(remedy::Authority::AdoptWaiting(name.to_owned()))
}

impl Lifecycle<'_> {
    /// The CA of this name, if it waits for its certificate. What an adoption that was cut short left is passed over.
    ///
    /// # Errors
    /// When what waits cannot be read.
    pub fn waiting(&self, name: &str) -> Result<Option<WaitingAuthority>, Problem> {
        Ok(self.all_waiting()?.into_iter().find(|one| one.name == name))
    }

    /// Every CA that waits for its certificate, by name.
    ///
    /// # Errors
    /// As [`Lifecycle::waiting`].
    pub fn all_waiting(&self) -> Result<Vec<WaitingAuthority>, Problem> {
        let mut waiting = self.engine.publisher().waiting()?;
        let authorities = self.engine.index().authorities()?;
        waiting.retain(|one| {
            let is_here = |known: &&Authority| known.name == one.name && !known.is_elsewhere();
            !authorities.iter().any(|known| is_here(&known))
        });
        Ok(waiting)
    }

    /// Makes the key of a CA that is to be below one elsewhere, and the request for its certificate. A key that a
    /// killed process left is taken, when the passphrase opens it. `next` says what is done with the certificate of the CA
    /// of this name, in the words of who runs it.
    ///
    /// # Errors
    /// When the name is taken, the profile is not that of a CA below another, no passphrase can be had, or a file
    /// cannot be written.
    pub fn request_child(
        &self,
        new: &NewAuthority,
        next: fn(&str) -> String,
    ) -> Result<WaitingAuthority, Problem> {
        self.name_is_free(&new.name)?;
        let profile = self.engine.practices().profile(&new.profile)?;
        if profile.kind() != Kind::Ca {
            let message = format!("the profile {} is not that of a CA below another", profile.name());
            return Err(Problem::new(Code::Usage, message).hint(remedy::Authority::ProfileBelow));
        }
        let subject = self.subject_for(new)?;
        self.name_is_no_other_cas(&subject, new.succeeds.as_deref())?;
        let at = self.engine.signing_time()?;
        let place = self.engine.keys().new_key(&new.name);
        let signing = self.engine.index().signing()?;
        let algorithm = new.key.unwrap_or(self.engine.practices().config.keys.ca);
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
        let waiting = WaitingAuthority {
            name: new.name.clone(),
            next: next(&new.name),
            profile: Some(new.profile.clone()),
            ocsp: Some(self.authority_to_be(new, false).serves_ocsp),
            succeeds: new.succeeds.clone(),
            since: at,
            public_key: signer.public_key().clone(),
            request: Some(request),
        };
        self.wait(&waiting, "authority.requested", &subject.to_string())?;
        drop(signing);
        Ok(waiting)
    }

    fn wait(&self, waiting: &WaitingAuthority, action: &str, subject: &str) -> Result<(), Problem> {
        let mut event = self.engine.event(waiting.since, action, &*waiting.name);
        if !subject.is_empty() {
            event.details.push(("subject".into(), subject.to_owned()));
        }
        self.engine.index().record_event(event)?;
        Ok(self.engine.publisher().wait_for_certificate(waiting)?)
    }

    /// Takes in the key of a CA: one of this home whose key is away, when there is one of this name; else of one
    /// whose certificate is to be adopted. The second is returned; `next` as in [`Lifecycle::request_child`].
    ///
    /// # Errors
    /// When the key is that of another CA, there is one already, no passphrase can be had, or it cannot be written.
    pub fn bring_key(
        &self,
        name: &str,
        key: OpenedKey,
        next: fn(&str) -> String,
    ) -> Result<Option<WaitingAuthority>, Problem> {
        let authority = self.engine.index().authority(name)?;
        if let Some(authority) = &authority
            && *key.public_key() != *authority.certificate.tbs().public_key()
        {
            return Err(mismatched(name));
        }
        let is_ours = authority.as_ref().filter(|one| !one.is_elsewhere());
        if is_ours.is_none() && self.waiting(name)?.is_some() {
            return Err(already_waiting(name));
        }
        let public_key = key.public_key().clone();
        let new = || self.engine.keys().new_key(name).of_key(&public_key);
        let place = is_ours.map_or_else(new, KeyRef::of);
        let at = self.engine.signing_time()?;
        let fingerprint = base16ct::lower::encode_string(&key.public_key().digest());
        match self.engine.keys().import(&place, key) {
            Ok(_) => {}
            // of an attempt that was killed, before it was noted that it waits
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
        self.engine.index().record_event(event)?;
        if is_ours.is_some() {
            return Ok(None);
        }
        let (next, name, since) = (next(name), name.to_owned(), at);
        let waiting = WaitingAuthority {
            name,
            next,
            profile: None,
            ocsp: None,
            succeeds: None,
            since,
            public_key,
            request: None,
        };
        self.engine.publisher().wait_for_certificate(&waiting)?;
        Ok(Some(waiting))
    }

    /// What is to be adopted when the certificate of a waiting CA has come, or the next one of a CA whose issuer
    /// others run: it is for its key, that of a CA that may sign certificates and CRLs, and in force.
    ///
    /// # Errors
    /// When there is no such CA, the certificate is none of these, or no profile is known.
    pub fn arrived(&self, arrival: Arrival) -> Result<Adoption, Problem> {
        let Some(waiting) = self.waiting(&arrival.name)? else { return self.renewed_elsewhere(arrival) };
        let name = arrival.name;
        let (own, others): (Vec<Certificate>, Vec<Certificate>) =
            arrival.certificates.into_iter().partition(|one| *one.tbs().public_key() == waiting.public_key);
        let certificate = own.into_iter().next().ok_or_else(|| {
            other_key(&name).hint(format!("it must be the answer to the request in requests/{name}.waiting"))
        })?;
        self.is_in_force(&name, &certificate)?;
        let profile = arrival.profile.or(waiting.profile).ok_or_else(|| {
            Problem::new(Code::Usage, format!("it is not known what {name} is for"))
                .hint(remedy::Authority::NameProfile)
        })?;
        let tbs = certificate.tbs();
        let usual = !self.engine.practices().config.is_offline(&name, tbs.is_self_issued());
        Ok(Adoption {
            profile,
            ocsp: arrival.ocsp.or(waiting.ocsp).unwrap_or(usual),
            certificate,
            renews: None,
            succeeds: waiting.succeeds,
            others,
            prior: Vec::new(),
            crl_number: 0,
            source: arrival.source,
            name,
        })
    }

    /// The next certificate of a CA that is here and whose issuer others run.
    fn renewed_elsewhere(&self, arrival: Arrival) -> Result<Adoption, Problem> {
        let name = arrival.name;
        let Some(known) = self.engine.index().authority(&name)?.filter(|known| !known.is_elsewhere()) else {
            let message = format!("no CA named {name} waits for its certificate");
            return Err(
                Problem::new(Code::AuthorityNotWaiting, message).hint(remedy::Authority::RequestOrKey)
            );
        };
        let parent =
            known.parent.as_ref().map(|parent| self.engine.hierarchy().authority(parent)).transpose()?;
        let is_known = arrival.certificates.contains(&known.certificate);
        let (own, others): (Vec<Certificate>, Vec<Certificate>) = arrival
            .certificates
            .into_iter()
            .filter(|one| *one != known.certificate)
            .partition(|one| one.tbs().public_key() == known.certificate.tbs().public_key());
        if (is_known && own.is_empty()) || !parent.is_some_and(|parent| parent.is_elsewhere()) {
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
            profile: arrival.profile.unwrap_or_else(|| known.profile.clone()),
            ocsp: known.serves_ocsp,
            certificate,
            succeeds: known.succeeds.clone(),
            renews: Some(known),
            others,
            prior: Vec::new(),
            crl_number: 0,
            source: arrival.source,
            name,
        })
    }

    /// Whether it is, now, that of a CA which signs certificates and CRLs.
    fn is_in_force(&self, name: &str, certificate: &Certificate) -> Result<(), Problem> {
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
        if !certificate.is_ca() || !may(tbs, KeyUsage::KEY_CERT_SIGN) || !may(tbs, KeyUsage::CRL_SIGN) {
            let message =
                format!("the certificate of {name} is not that of a CA that signs certificates and CRLs");
            let hint = remedy::Authority::SignAsACa.into();
            return refuse(Code::IssuerUnfit, message, hint);
        }
        Ok(())
    }
}

fn other_key(name: &str) -> Problem {
    let message = format!("the certificate is for another key than that of {name}");
    Problem::new(Code::CertificateOtherKey, message)
}
