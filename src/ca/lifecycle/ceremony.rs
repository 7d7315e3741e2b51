//! Requests for ceremonies: what a key that is offline is asked to sign is on record before the request leaves.
use super::Lifecycle;
use super::cross_certification::CrossCertification;
use crate::ca::IssuanceRequest;
use crate::ca::issuance::Parent;
use crate::ca::maintenance::NextList;
use crate::ceremony::{DAYS, Item, KeptHistory, Request, ToBeSigned, malformed, sha256};
use crate::error::{Code, Notice, Problem, remedy};
use crate::failpoint;
use crate::index::{Authority, IntendedAuthority, Intent};
use crate::profile::{Applicant, RequestedValidity, RequestedValues};
use crate::repository::{CeremonyFile, PendingRequest};
use crate::signing::KeyRef;
use crate::status::last_signed;
use crate::x509::{Certificate, CertificateId, TbsCertList, UnixTime};

/// What a ceremony is to be about.
#[derive(Clone, Debug, Default)]
pub struct CeremonyPlan {
    /// The CA whose key is offline.
    pub authority: String,
    /// Whether a CRL is asked for.
    pub crl: bool,
    /// CAs below it that are to have new certificates of the same key; a root's own name for its own next one.
    pub renew: Vec<String>,
    /// New CAs below it, whose requests wait here.
    pub children: Vec<String>,
    /// CAs for whose name and key it makes a further certificate.
    pub cross: Vec<CrossCertification>,
    /// Whether its OCSP responder is to have a new certificate.
    pub responder: bool,
    /// Why, for people.
    pub why: Option<String>,
}

/// A request that was made.
#[derive(Clone, Debug)]
pub struct CeremonyRequest {
    /// The request.
    pub request: Request,
    /// Its text.
    pub text: String,
    /// SHA-256 of its text, in hexadecimal digits.
    pub digest: String,
    /// Whether it replaces one that was not answered.
    pub supersedes: bool,
    /// Choices that were made, and warnings.
    pub notices: Vec<Notice>,
}

/// A certificate that is granted and not on record yet.
pub(super) struct Prepared {
    pub(super) intent: Intent,
    pub(super) why: String,
    /// The certificate that a CA of others shows, whose name and key are certified once more.
    pub(super) beside: Option<Certificate>,
}

impl Lifecycle<'_> {
    /// Makes a request for a ceremony. What it asks for is recorded as any other certificate or CRL that is about to be
    /// signed; certificates stay pending until the answer comes. A request that was not answered is replaced, and its
    /// certificates are abandoned: only once this one can be made, and, while that one can still be answered, `may_replace`
    /// has agreed.
    ///
    /// # Errors
    /// When the CA's key is here, nothing is asked for, a profile refuses, or the index or the disk fails; what
    /// `may_replace` says.
    pub fn request_ceremony(
        &self,
        plan: &CeremonyPlan,
        may_replace: &dyn Fn(&Request) -> Result<(), Problem>,
    ) -> Result<CeremonyRequest, Problem> {
        let engine = self.engine;
        let authority = engine.hierarchy().authority(&plan.authority)?;
        let name = &authority.name;
        if authority.is_external() {
            let message = format!("{name} is run by others; it is here for the CAs below it");
            return Err(Problem::new(Code::KeyElsewhere, message).hint(remedy::Authority::AskItsOwners));
        }
        if engine.maintenance().has_key(&authority) {
            let message = format!("the key of {name} is here, so it signs here");
            return Err(
                Problem::new(Code::KeyExists, message).hint("a ceremony is for a key that is offline")
            );
        }
        let now = engine.signing_time()?;
        let mut notices = Vec::new();
        let mut prepared = Vec::new();
        for child in &plan.renew {
            let is_itself = authority.parent.is_none() && self.newest(child)?.name == *name;
            prepared.push(match is_itself {
                true => self.prepare_own_renewal(&authority, plan, now, &mut notices)?,
                false => self.prepare_renewal(&authority, child, plan, &mut notices)?,
            });
        }
        for child in &plan.children {
            prepared.push(self.prepare_child(&authority, child, plan, &mut notices)?);
        }
        for asked in &plan.cross {
            prepared.push(self.prepare_cross(&authority, asked, (plan, now), &mut notices)?);
        }
        let mut waiting_key = None;
        if plan.responder {
            let (responder, key) = self.prepare_responder(&authority, plan.why.as_deref(), &mut notices)?;
            prepared.push(responder);
            waiting_key = Some(key);
        }
        if prepared.is_empty() && !plan.crl {
            return Err(Problem::new(Code::Usage, "nothing is asked for")
                .hint("ask for a CRL, a renewal, a new CA, a responder or a cross-certificate"));
        }
        let KeptHistory { history, checkpoint, crl } = self.ceremony_history(name)?;
        let supersedes = engine.publisher().ceremony(name, CeremonyFile::Request)?.is_some();
        if supersedes {
            // whatever prevents it is said before anything is gone
            if plan.crl {
                engine.maintenance().check_next_list(&authority)?;
            }
            self.supersede(name, now, may_replace)?;
        }
        let signing = engine.index().signing()?;
        let floor = engine.index().highest_crl_number(&authority.issuer)?;
        let crl_number = floor.max(engine.publisher().crl_number_floor(name)?);
        // with the certificates that were abandoned
        let list = match plan.crl {
            true => {
                Some(engine.maintenance().next_list(&authority, &authority.certificate, None, &[], None)?)
            }
            false => None,
        };
        let ended = match &list {
            Some(list) => self.ended(&authority, list.tbs.get())?,
            None => Vec::new(),
        };
        let lists = [engine.publisher().published_crl(name)?, crl];
        let last = lists.into_iter().flatten().max_by_key(|crl| crl.tbs().crl_number());
        let mut items: Vec<Item> = prepared
            .iter()
            .map(|one| Item {
                tbs: ToBeSigned::Certificate(one.intent.tbs.get().clone()),
                why: one.why.clone(),
                beside: one.beside.clone(),
            })
            .collect();
        items.extend(list.as_ref().map(|list| Item {
            tbs: ToBeSigned::Crl(list.tbs.get().clone()),
            why: plan.why.clone().unwrap_or_else(|| "the next CRL".into()),
            beside: None,
        }));
        let request = Request {
            authority: name.clone(),
            key: base16ct::lower::encode_string(&authority.certificate.tbs().public_key().digest()),
            made: now,
            until: now.plus_days(DAYS),
            crl_number,
            crl: last,
            certificate: Some(authority.certificate.clone()),
            checkpoint,
            history,
            ended,
            items,
        };
        let text = request.to_toml();
        if let Some(key) = waiting_key {
            self.keep_waiting_key(name, &key)?;
        }
        // before the record: a certificate that is pending and in no request is abandoned by the next command
        engine.publisher().keep_ceremony(name, CeremonyFile::Request, Some(text.as_bytes()))?;
        failpoint::passed("ceremony: request kept");
        let recorded = self.record_asked(&authority, prepared, list);
        drop(signing);
        if let Err(problem) = recorded {
            engine.publisher().keep_ceremony(name, CeremonyFile::Request, None)?;
            return Err(problem);
        }
        let digest = sha256(text.as_bytes());
        let mut event = engine.event(engine.now(), "ceremony.requested", &**name);
        event.details.push(("request_sha256".into(), digest.clone()));
        event.details.push(("items".into(), request.items.len().to_string()));
        engine.index().record_event(event)?;
        // responders know of what is pending, and of what was abandoned
        engine.publication().publish_status()?;
        Ok(CeremonyRequest { request, text, digest, supersedes, notices })
    }

    /// Takes back the request that waits for an answer. One that is damaged, or past its time, is never answered.
    fn supersede(
        &self,
        name: &str,
        now: UnixTime,
        may_replace: &dyn Fn(&Request) -> Result<(), Problem>,
    ) -> Result<(), Problem> {
        let engine = self.engine;
        if let Ok(Some((waiting, _))) = engine.open_ceremony(name)
            && waiting.until >= now
        {
            may_replace(&waiting)?;
        }
        engine.publisher().keep_ceremony(name, CeremonyFile::Request, None)?;
        engine.maintenance().abandon_pending().map(drop)
    }

    /// Returns when the request for a ceremony of this CA that waits for its answer was made, and until when it can be
    /// answered.
    ///
    /// # Errors
    /// When it cannot be read, or is damaged.
    pub fn waiting_ceremony(&self, name: &str) -> Result<Option<(UnixTime, UnixTime)>, Problem> {
        Ok(self.engine.open_ceremony(name)?.map(|(request, _)| (request.made, request.until)))
    }

    fn record_asked(
        &self,
        authority: &Authority,
        prepared: Vec<Prepared>,
        list: Option<NextList>,
    ) -> Result<(), Problem> {
        let engine = self.engine;
        let intents: Vec<Intent> = prepared.into_iter().map(|one| one.intent).collect();
        if !intents.is_empty() {
            engine.in_time(|at| {
                let mut intents = intents.clone();
                intents.iter_mut().for_each(|intent| intent.event.at = at);
                engine.index().record_intent(intents).map(drop)
            })?;
            failpoint::passed("ceremony: certificates recorded");
        }
        if let Some(list) = list {
            engine.keys().raise_mark(&KeyRef::of(authority), list.number)?;
            let mut event = engine.event(engine.now(), "crl.issued", &*authority.name);
            event.details.push(("number".into(), list.number.to_string()));
            event.details.push(("entries".into(), list.entries.to_string()));
            engine.index().record_crl(&authority.issuer, list.tbs, event)?;
        }
        Ok(())
    }

    /// Returns the certificates whose revocations the last CRL lists and the next one does not.
    fn ended(&self, authority: &Authority, next: &TbsCertList) -> Result<Vec<Certificate>, Problem> {
        let engine = self.engine;
        let Some(last) = last_signed(engine.index(), engine.publisher(), authority)? else {
            return Ok(Vec::new());
        };
        let mut ended = Vec::new();
        for entry in (0..last.len()).filter_map(|at| last.entry(at)) {
            if next.find(&entry.serial_number).is_none() {
                let id = CertificateId { issuer: authority.issuer, serial_number: entry.serial_number };
                ended.extend(engine.index().certificate(&id)?.and_then(|record| record.certificate));
            }
        }
        Ok(ended)
    }

    /// Returns what the key of a CA signed in ceremonies, and its own word for that.
    pub(super) fn ceremony_history(&self, name: &str) -> Result<KeptHistory, Problem> {
        let Some(octets) = self.engine.publisher().ceremony(name, CeremonyFile::History)? else {
            return Ok(KeptHistory::default());
        };
        KeptHistory::parse(&String::from_utf8_lossy(&octets))
            .map_err(|mistakes| malformed(&format!("the history kept for {name}"), &mistakes))
    }

    fn prepare_renewal(
        &self,
        issuer: &Authority,
        child: &str,
        plan: &CeremonyPlan,
        notices: &mut Vec<Notice>,
    ) -> Result<Prepared, Problem> {
        let child = self.newest(child)?;
        self.may_be_renewed(&child)?;
        if child.parent.as_deref() != Some(&issuer.name) {
            let message =
                format!("{} stands below {}", child.name, child.parent.as_deref().unwrap_or("nothing"));
            return Err(Problem::new(Code::IssuerMismatch, message)
                .hint("ask the CA that issued it")
                .exiting(crate::error::Exit::Refused));
        }
        let tbs = child.certificate.tbs();
        let (values, intended) = self.renewal_values(&child)?;
        let request = IssuanceRequest {
            label: child.name.clone(),
            applicant: Applicant::new(tbs.subject().clone(), tbs.public_key().clone()),
            values,
            authority: Some(intended),
            renewal: None,
        };
        let family = self.engine.hierarchy().family_names(Some(&child.name))?;
        let why = plan.why.clone().unwrap_or_else(|| {
            format!("{} is renewed; its certificate ends at {}", child.name, tbs.validity().not_after)
        });
        self.prepare(issuer, &child.profile, request, (&family, why), notices)
    }

    /// Prepares the next certificate of a root itself, for the same key.
    fn prepare_own_renewal(
        &self,
        authority: &Authority,
        plan: &CeremonyPlan,
        now: UnixTime,
        notices: &mut Vec<Notice>,
    ) -> Result<Prepared, Problem> {
        self.may_be_renewed(authority)?;
        let (tbs, said) = self.own_renewal(authority, &authority.profile, RequestedValidity::Default, now)?;
        notices.extend(said);
        let end = authority.certificate.tbs().validity().not_after;
        let why = plan.why.clone();
        let why =
            why.unwrap_or_else(|| format!("{} is renewed; its certificate ends at {end}", authority.name));
        let object = format!("{}/{}", authority.name, tbs.get().serial_number());
        let mut event = self.engine.event(now, "certificate.intended", object);
        event.details.push(("subject".into(), tbs.get().subject().to_string()));
        event.details.push(("profile".into(), authority.profile.clone()));
        let intent = Intent {
            issuer: authority.issuer,
            profile: authority.profile.clone(),
            contact: None,
            same_holder_as: None,
            decided_beside: None,
            authority: Some(self.renewed(authority)),
            requested: false,
            event,
            tbs,
        };
        Ok(Prepared { intent, why, beside: None })
    }

    fn prepare_child(
        &self,
        issuer: &Authority,
        child: &str,
        plan: &CeremonyPlan,
        notices: &mut Vec<Notice>,
    ) -> Result<Prepared, Problem> {
        let none = || {
            Problem::new(Code::AuthorityNotPending, format!("no request of {child} waits here"))
                .hint(remedy::Authority::RequestFromOthers)
        };
        let pending: PendingRequest = self.pending_request(child)?.ok_or_else(none)?;
        let (profile, request) =
            (pending.profile.clone().ok_or_else(none)?, pending.request.ok_or_else(none)?);
        let csr = crate::x509::CertificationRequest::from_der(&request)
            .map_err(|error| Problem::of(Code::KeptFileMalformed, error))?;
        let key = self.pending_key(child, &pending.public_key)?;
        let request = IssuanceRequest {
            label: child.to_owned(),
            applicant: Applicant::new(csr.subject().clone(), pending.public_key.clone()),
            values: RequestedValues {
                backdate: self.engine.settings().config.issuance.backdate,
                ..RequestedValues::default()
            },
            authority: Some(IntendedAuthority {
                name: child.to_owned(),
                key: Some(key.uri),
                serves_ocsp: pending.ocsp.unwrap_or(true),
                succeeds: pending.succeeds.clone(),
                renews: false,
            }),
            renewal: None,
        };
        let family = self.engine.hierarchy().family_names(pending.succeeds.as_deref())?;
        let why = plan.why.clone().unwrap_or_else(|| format!("{child} is a new CA"));
        self.prepare(issuer, &profile, request, (&family, why), notices)
    }

    fn prepare(
        &self,
        issuer: &Authority,
        profile: &str,
        mut request: IssuanceRequest,
        (family, why): (&[String], String),
        notices: &mut Vec<Notice>,
    ) -> Result<Prepared, Problem> {
        let (engine, now) = (self.engine, self.engine.now());
        engine.hierarchy().check_usable(issuer, now)?;
        let rules = engine.settings().profile(profile)?;
        let ancestors = engine.hierarchy().ancestors(issuer)?;
        let below = Parent::new(engine, issuer, &ancestors, family, now)?;
        let (validity, said) = engine.issuance().staggered(&below, rules, RequestedValidity::Default, now);
        request.values.validity = validity;
        notices.extend(said);
        let (intent, said) = engine.issuance().intent_of(issuer, &ancestors, rules, &request)?;
        notices.extend(said);
        Ok(Prepared { intent, why, beside: None })
    }
}
