//! The steps around the certificate of a new CA: its key before, its publication after.
use super::Lifecycle;
use crate::ca::maintenance::{OwnSignatures, WithoutCrl};
use crate::ca::publication::News;
use crate::ca::{CreatedAuthority, CrlAuthority, IssuingAuthority, NewAuthority};
use crate::error::{Code, Notice, Problem, Remedy, remedy};
use crate::index::Authority;
use crate::signing::{CaSigner, KeyError, KeyRef};
use crate::x509::KeyAlgorithm;
use std::sync::Arc;

impl Lifecycle<'_> {
    /// Makes the key, lets `certify` make and record the certificate, then publishes the CA, its first CRL
    /// and its responder certificate. The key is removed again when no certificate was made for it.
    pub(in crate::ca) fn with_new_key(
        &self,
        new: &NewAuthority,
        algorithm: KeyAlgorithm,
        self_issue: impl FnOnce(&dyn CaSigner) -> Result<Vec<Notice>, Problem>,
    ) -> Result<(CreatedAuthority, IssuingAuthority), Problem> {
        let key = new.keystore.new_key(self.engine.keys(), &new.name);
        self.engine.keys().note_profile(&key, &new.profile);
        let signing = self.engine.index().signing()?;
        let signer = match self.engine.keys().generate(&key, algorithm) {
            Ok(signer) => signer,
            Err(KeyError::Exists(_)) => {
                drop(signing);
                return Err(self.key_without_authority(&new.name, &key)?);
            }
            Err(error) => return Err(error.into()),
        };
        let certified = self_issue(signer.as_ref());
        drop(signing);
        let notices = certified.map_err(|problem| self.give_up(&new.name, &key, problem))?;
        let authority = self.engine.hierarchy().authority(&new.name)?;
        let name = new.name.as_str();
        self.publish_new_authority(authority, signer, notices).map_err(|problem| unfinished(name, problem))
    }

    /// Publishes everything of a CA, once it is on record.
    pub(in crate::ca) fn publish_new_authority(
        &self,
        authority: Authority,
        signer: Arc<dyn CaSigner>,
        mut notices: Vec<Notice>,
    ) -> Result<(CreatedAuthority, IssuingAuthority), Problem> {
        let name = authority.name.as_str();
        let news = News { authorities: vec![name], ..News::default() };
        let (published, files) = self.engine.publication().publish(news)?.last_authority()?;
        let lists = CrlAuthority::new(name, authority.certificate.clone(), Arc::clone(&signer))?;
        let own = Arc::clone(&signer);
        let issuer =
            IssuingAuthority::new(&self.engine.hierarchy(), authority.clone(), signer, self.engine.now());
        let answers = issuer.as_ref().map(|issuer| authority.serves_ocsp.then_some(issuer));
        let OwnSignatures { crl, responder } = self.engine.maintenance().sign_own(
            name,
            Ok(Some(&lists)),
            answers.map_err(Problem::clone),
            WithoutCrl::NoResponder,
        );
        let crl = crl?.ok_or_else(|| Problem::new(Code::IndexFailed, "no CRL was published"))?;
        let responder = responder?.map(|issued| {
            notices.extend(issued.notices);
            issued.certificate
        });
        if authority.parent.is_none() && self.engine.settings().config.publication.url.is_none() {
            notices.push(
                "no URL is configured, so certificates name neither CRL nor OCSP; set [publication] url"
                    .into(),
            );
        }
        // shown only: the CA is made, whether or not it can be
        let envelope = match authority.has_key_in_service() {
            true => own.envelope_with(authority.certificate.tbs()).unwrap_or_default(),
            false => None,
        };
        Ok((CreatedAuthority { authority: published, files, crl, responder, envelope, notices }, issuer?))
    }

    /// The problem that a key exists which no CA of this home has. The key is not removed: it may be that of
    /// a CA whose index is lost, and there may be no other copy.
    pub(in crate::ca) fn key_without_authority(&self, name: &str, key: &KeyRef) -> Result<Problem, Problem> {
        let is_in_service = key.is_in_service();
        let key = self.engine.keys().place(key);
        if self.engine.index().nobody_is_signing()?.is_none() {
            let message = format!("the key {key} is there and another command is at work");
            return Ok(Problem::new(Code::KeyInUse, message)
                .hint("wait for the other command to end, then try again"));
        }
        let message = format!("the key {key} is there already, and no CA of this home has it");
        if is_in_service {
            return Ok(
                Problem::new(Code::KeyExists, message).hint(remedy::Authority::BindLeftKey(name.to_owned()))
            );
        }
        Ok(Problem::new(Code::KeyExists, message).hint(format!(
            "a command that was cut short may have left it: then move it away (mv {key} {key}.left) and run \
             this again; but if {name} was a CA and its index is lost, restore the index"
        )))
    }

    pub(in crate::ca) fn give_up(&self, name: &str, key: &KeyRef, problem: Problem) -> Problem {
        match self.engine.index().authority(name) {
            Ok(Some(_)) => unfinished(name, problem),
            Ok(None) => match self.engine.keys().discard(key) {
                Ok(()) => problem,
                // the service deletes none of which a request is out
                Err(error) if key.location().is_in_service() => {
                    more(problem, format!("the key made for it stays in the service: {error}"))
                }
                Err(error) => {
                    more(problem, format!("the key made for it is left behind: {error}; remove it"))
                }
            },
            Err(error) => more(
                problem,
                format!("the key {} is left in its place: {error}", self.engine.keys().place(key)),
            ),
        }
    }
}

/// Adds to a failure after the record the hint that the CA exists and has to be completed.
pub(in crate::ca) fn unfinished(name: &str, problem: Problem) -> Problem {
    more(problem, remedy::Authority::Finish(name.to_owned()))
}

pub(in crate::ca) fn more(problem: Problem, hint: impl Into<Remedy>) -> Problem {
    let hint = problem.hint.clone().and(hint);
    problem.hint(hint)
}
