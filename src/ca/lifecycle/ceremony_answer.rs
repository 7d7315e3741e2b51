//! Answers of ceremonies, taken in.
use super::Lifecycle;
use crate::ca::publication::News;
use crate::ceremony::{
    Answer, KeptHistory, Request, SignedItem, ToBeSigned, is_checkpoint_of, malformed, sha256,
};
use crate::error::{Code, Notice, Problem, remedy};
use crate::failpoint;
use crate::index::{Authority, CertificateState, Issued};
use crate::repository::{CeremonyFile, PublishError};
use crate::x509::extension::CrlNumber;
use crate::x509::{Certificate, CertificateId, CertificateList};

/// What an answer brought.
#[derive(Clone, Debug)]
pub struct CeremonyOutcome {
    /// The CA whose key signed.
    pub authority: String,
    /// Serial numbers and subjects of the certificates.
    pub certificates: Vec<(String, String)>,
    /// The number of the CRL, and until when it holds.
    pub crl: Option<(CrlNumber, String)>,
    /// CAs that are new or renewed.
    pub authorities: Vec<String>,
    /// Serial number of the certificate that the OCSP responder uses from now on.
    pub responder: Option<String>,
    /// Warnings about what was taken in.
    pub notices: Vec<Notice>,
}

fn refuse(code: Code, message: impl Into<String>, hint: &'static str) -> Problem {
    Problem::new(code, message).hint(hint)
}

impl Lifecycle<'_> {
    /// Takes in the answer to the request that waits for it: certificates are recorded as issued and published, then
    /// the CRL. Of an answer to a request that was replaced meanwhile, only the history is taken in, so that its medium can
    /// answer the next one.
    ///
    /// # Errors
    /// `ceremony.malformed`, `ceremony.other`, `ceremony.none`, `ceremony.answered`, `ceremony.superseded`,
    /// `ceremony.behind`; when the index or the disk fails.
    pub fn take_answer(&self, text: &str) -> Result<CeremonyOutcome, Problem> {
        let engine = self.engine;
        let answer = Answer::parse(text).map_err(|mistakes| malformed("the answer", &mistakes))?;
        let authority = engine.hierarchy().authority(&answer.authority)?;
        let (name, key) = (&authority.name, authority.certificate.tbs().public_key());
        let is_own = answer.key == base16ct::lower::encode_string(&key.digest());
        if !is_own || !is_checkpoint_of(&answer.checkpoint, &answer.history, key) {
            return Err(refuse(
                Code::CeremonyOther,
                format!("the answer is not of the key of {name}"),
                "bring the answer that was written for the request of this home",
            ));
        }
        let before = self.ceremony_history(name)?;
        let open = engine.open_ceremony(name)?;
        let matching = open.filter(|(_, text)| sha256(text.as_bytes()) == answer.request);
        if matching.is_none() && before.history.has_request(&answer.request) {
            return Err(refuse(
                Code::CeremonyAnswered,
                "this answer was taken in before",
                "nothing is to be done",
            ));
        }
        if !before.history.is_beginning_of(&answer.history) {
            return Err(Problem::new(
                Code::CeremonyBehind,
                format!("the answer does not go on where the history of {name} here ends: another medium signed meanwhile"),
            )
            .hint(remedy::Authority::HaveCeremony(name.clone())));
        }
        let Some((request, _)) = matching else {
            return Err(self.superseded(&authority, &answer, before)?);
        };
        let signed = checked(&request, &answer, &authority)?;
        let outcome = self.record_signed(&authority, &request, signed)?;
        self.keep_history(&authority, &answer, before)?;
        failpoint::passed("ceremony: history kept");
        engine.publisher().keep_ceremony(name, CeremonyFile::Request, None)?;
        let mut event = engine.event(engine.now(), "ceremony.answered", &**name);
        event.details.push(("request_sha256".into(), answer.request.clone()));
        event.details.push(("answer_sha256".into(), sha256(text.as_bytes())));
        event.details.push(("date".into(), answer.at.to_string()));
        if !answer.people.is_empty() {
            event.details.push(("people".into(), answer.people.join(", ")));
        }
        engine.index().record_event(event)?;
        Ok(outcome)
    }

    fn keep_history(
        &self,
        authority: &Authority,
        answer: &Answer,
        before: KeptHistory,
    ) -> Result<(), Problem> {
        let key = authority.certificate.tbs().public_key();
        let lists = answer.items.iter().filter_map(|item| match item {
            SignedItem::Crl(der) => CertificateList::from_der(der).ok().filter(|crl| crl.is_signed_by(key)),
            SignedItem::Certificate(_) => None,
        });
        let kept = KeptHistory {
            history: answer.history.clone(),
            checkpoint: Some(answer.checkpoint.clone()),
            crl: lists.chain(before.crl).max_by_key(|crl| crl.tbs().crl_number()),
        };
        let (name, text) = (&authority.name, kept.to_toml());
        Ok(self.engine.publisher().keep_ceremony(name, CeremonyFile::History, Some(text.as_bytes()))?)
    }

    /// Notes the history of an answer to a request that is not open any more, and returns why it is refused.
    fn superseded(
        &self,
        authority: &Authority,
        answer: &Answer,
        before: KeptHistory,
    ) -> Result<Problem, Problem> {
        let name = &authority.name;
        let mut asked = false;
        self.engine.index().audit_records(1, &mut |record| {
            let event = &record.event;
            asked |= event.action == "ceremony.requested"
                && event.object == *name
                && event.details.iter().any(|(_, value)| *value == answer.request);
            !asked
        })?;
        if !asked {
            return Ok(refuse(
                Code::CeremonyNone,
                format!("no request of this home for {name} has this answer"),
                "bring the answer to the home that made the request",
            ));
        }
        self.keep_history(authority, answer, before)?;
        let mut event = self.engine.event(self.engine.now(), "ceremony.superseded", &**name);
        event.details.push(("request_sha256".into(), answer.request.clone()));
        self.engine.index().record_event(event)?;
        Ok(Problem::new(
            Code::CeremonySuperseded,
            "the answer is to a request that a newer one replaced: what it signed is not taken in, only noted",
        )
        .hint(remedy::Authority::HaveCeremony(name.clone())))
    }

    fn record_signed(
        &self,
        authority: &Authority,
        request: &Request,
        signed: Vec<Signed>,
    ) -> Result<CeremonyOutcome, Problem> {
        let (engine, name) = (self.engine, &authority.name);
        let mut outcome = CeremonyOutcome {
            authority: name.clone(),
            certificates: Vec::new(),
            crl: None,
            authorities: Vec::new(),
            responder: None,
            notices: Vec::new(),
        };
        let mut issued = Vec::new();
        let mut lists = Vec::new();
        for one in signed {
            match one {
                Signed::Certificate(certificate) => issued.push(certificate),
                Signed::Crl(crl) => lists.push(crl),
            }
        }
        for certificate in &issued {
            let tbs = certificate.tbs();
            outcome.certificates.push((tbs.serial_number().to_string(), tbs.subject().to_string()));
            let id = CertificateId { issuer: authority.issuer, serial_number: tbs.serial_number().clone() };
            // a command that was cut short may have recorded it
            if engine.index().status(&id)? == Some(CertificateState::Issued) {
                continue;
            }
            let mut event =
                engine.event(engine.now(), "certificate.issued", format!("{name}/{}", tbs.serial_number()));
            event.details.push(("fingerprint".into(), certificate.fingerprint().to_string()));
            let issued = Issued { issuer: authority.issuer, certificate: certificate.clone(), event };
            engine.index().record_issued(&[issued])?;
            failpoint::passed("ceremony: certificate recorded");
        }
        if !issued.is_empty() {
            let keys: Vec<[u8; 32]> = issued.iter().map(|one| one.tbs().public_key().digest()).collect();
            let all = engine.index().authorities()?;
            let concerned =
                all.iter().filter(|one| keys.contains(&one.certificate.tbs().public_key().digest()));
            outcome.authorities = concerned.map(|one| one.name.clone()).collect();
            let authorities = outcome.authorities.iter().map(String::as_str).collect();
            // a root's own certificate is published as that of a CA
            issued.retain(|one| one.tbs().public_key() != authority.certificate.tbs().public_key());
            let brought = issued.clone();
            let news = News {
                issued: vec![(Some(name.as_str()), issued)],
                authorities,
                changes_chains: true,
                ..News::default()
            };
            engine.publication().publish(news)?;
            for certificate in &brought {
                match self.install_responder(authority, certificate)? {
                    Some(Ok(serial)) => {
                        outcome.responder = Some(serial);
                        if let Some(said) = engine.maintenance().serve_ocsp(authority)? {
                            outcome.notices.push(said.into());
                            engine.publication().publish_status()?;
                        }
                    }
                    Some(Err(notice)) => outcome.notices.push(notice),
                    None => {}
                }
            }
            for child in &outcome.authorities {
                engine.publisher().remove_pending_request(child)?;
            }
        }
        for crl in lists {
            let number = crl.tbs().crl_number().unwrap_or_default();
            match engine.publisher().crl(name, &crl) {
                Ok(_) => {}
                // by a command that was cut short, or a newer one came meanwhile
                Err(PublishError::Older { .. }) => {}
                Err(error) => return Err(error.into()),
            }
            failpoint::passed("ceremony: CRL published");
            let mut event = engine.event(engine.now(), "crl.published", &**name);
            event.details.push(("number".into(), number.to_string()));
            engine.index().record_crl_published(&authority.issuer, number, request.made, event)?;
            let next = crl.tbs().next_update().map(|next| next.to_string()).unwrap_or_default();
            outcome.crl = Some((number, next));
        }
        Ok(outcome)
    }
}

/// Something that was signed, as it was asked for.
enum Signed {
    Certificate(Certificate),
    Crl(CertificateList),
}

/// Returns what an answer brought, when it is all that was asked for, with signatures of the CA's key.
fn checked(request: &Request, answer: &Answer, authority: &Authority) -> Result<Vec<Signed>, Problem> {
    let key = authority.certificate.tbs().public_key();
    let other = |what: &str| {
        refuse(
            Code::CeremonyOther,
            format!("the answer {what}"),
            "bring the answer to this request, unchanged",
        )
    };
    if request.items.len() != answer.items.len() {
        return Err(other("has not as many things as were asked for"));
    }
    let mut signed = Vec::new();
    for (asked, given) in request.items.iter().zip(&answer.items) {
        signed.push(match (&asked.tbs, given) {
            (ToBeSigned::Certificate(_), SignedItem::Certificate(der)) => {
                let certificate =
                    Certificate::from_der(der).map_err(|_| other("has a certificate that cannot be read"))?;
                let is_asked =
                    asked.tbs.certificate().is_some_and(|tbs| tbs.as_der() == certificate.tbs().as_der());
                if !is_asked || !certificate.is_signed_by(key) {
                    return Err(other("has a certificate that was not asked for, or by another key"));
                }
                Signed::Certificate(certificate)
            }
            (ToBeSigned::Crl(tbs), SignedItem::Crl(der)) => {
                let crl =
                    CertificateList::from_der(der).map_err(|_| other("has a CRL that cannot be read"))?;
                if crl.tbs().as_der() != tbs.as_der() || !crl.is_signed_by(key) {
                    return Err(other("has a CRL that was not asked for, or by another key"));
                }
                Signed::Crl(crl)
            }
            _ => return Err(other("has a certificate for a CRL, or the other way round")),
        });
    }
    Ok(signed)
}
