//! Responders of a CA whose key is offline: the key is made here and waits for its certificate, which a ceremony brings.
use super::Lifecycle;
use super::ceremony::Prepared;
use crate::ca::issuance::RESPONDER_PROFILE;
use crate::error::{Notice, Problem};
use crate::failpoint;
use crate::index::{Authority, Intent};
use crate::signing::PlainKey;
use crate::x509::{Certificate, CertificateId};

impl Lifecycle<'_> {
    /// Prepares the certificate of the responder of a CA, for a new key or for the one in a token.
    pub(super) fn prepare_responder(
        &self,
        issuer: &Authority,
        why: Option<&str>,
        notices: &mut Vec<Notice>,
    ) -> Result<(Prepared, PlainKey), Problem> {
        let (engine, name) = (self.engine, issuer.name.as_str());
        engine.hierarchy().check_usable(issuer, engine.now())?;
        let (issuance, rules) = (engine.issuance(), engine.settings().profile(RESPONDER_PROFILE)?);
        let key = issuance.next_key(name)?;
        let request = issuance.responder_request(name, name, key.public_key.clone(), None)?;
        let ancestors = engine.hierarchy().ancestors(issuer)?;
        let (intent, said) = issuance.intent_of(issuer, &ancestors, rules, &request)?;
        notices.extend(said);
        let why = why
            .map_or_else(|| format!("the next certificate of the OCSP responder of {name}"), str::to_owned);
        Ok((Prepared { intent: Intent { requested: false, ..intent }, why, beside: None }, key))
    }

    /// Puts the key beside that of the responder in use, where it waits; one that waited before is dropped.
    pub(super) fn keep_waiting_key(&self, name: &str, key: &PlainKey) -> Result<(), Problem> {
        let publisher = self.engine.publisher();
        if publisher.responder_token(name).is_some() {
            return Ok(());
        }
        let present = publisher.responder_certificate(name).zip(publisher.responder_key(name));
        let present = present.and_then(|(one, file)| PlainKey::found_in(&file, one.tbs().public_key()));
        let keys = [present.as_ref(), Some(key)];
        let keys: Vec<&str> = keys.into_iter().flatten().map(|key| key.pem.as_str()).collect();
        publisher.keep_responder_keys(name, &keys)?;
        failpoint::passed("ceremony: key of the responder waits");
        Ok(())
    }

    /// Has the responder use the certificate that a ceremony brought. Returns its serial number, or why it is not used; `None`
    /// for a certificate of something else.
    pub(super) fn install_responder(
        &self,
        authority: &Authority,
        certificate: &Certificate,
    ) -> Result<Option<Result<String, Notice>>, Problem> {
        let (engine, name) = (self.engine, authority.name.as_str());
        let tbs = certificate.tbs();
        let id = CertificateId { issuer: authority.issuer, serial_number: tbs.serial_number().clone() };
        let record = engine.index().certificate(&id)?;
        let publisher = engine.publisher();
        let file = publisher.responder_key(name);
        let key = file.as_deref().and_then(|file| match publisher.responder_token(name) {
            Some(uri) => Some(PlainKey::in_token(&uri, tbs.public_key().clone())),
            None => PlainKey::found_in(file, tbs.public_key()),
        });
        if record.is_none_or(|one| one.profile != RESPONDER_PROFILE) {
            return Ok(None);
        }
        let serial = tbs.serial_number().to_string();
        let Some(key) = key else {
            let notice = format!(
                "the responder of {name} goes on with the certificate that it has: the key of {serial} is not here any more"
            );
            return Ok(Some(Err(Notice::from(notice))));
        };
        publisher.responder(name, certificate, &key.pem)?;
        failpoint::passed("ceremony: responder in place");
        let mut event = engine.event(engine.now(), "responder.installed", name);
        event.details.push(("serial".into(), serial.clone()));
        engine.index().record_event(event)?;
        Ok(Some(Ok(serial)))
    }
}
