//! Evaluation of requests: what is granted to whom, before a key is used.
use crate::ca::problems::lint_problem;
use crate::ca::{CaSettings, Engine, IssuanceRequest, Refusal, Renewal, SerialSource, par_map};
use crate::error::Problem;
use crate::index::{Authority, CertificateState, IndexReader, IntendedAuthority, KeyUse, check_key};
use crate::lint::{self, Linted};
use crate::profile::{Applicant, CertificateTemplate, IssuerView, KnownAuthority, PriorUse, Profile};
use crate::x509::{Certificate, Name, SignatureAlgorithm, TbsCertificate, UnixTime};
use std::collections::HashMap;
use std::sync::OnceLock;

/// Seconds for which a decision stays valid; one minute covers a passphrase prompt, and validity periods do
/// not go stale in it.
const LONG: i64 = 60;

/// A granted request: the certificate to be recorded and signed.
pub(in crate::ca) struct Granted {
    pub(in crate::ca) label: String,
    pub(in crate::ca) template: CertificateTemplate,
    pub(in crate::ca) tbs: Linted<TbsCertificate>,
    pub(in crate::ca) authority: Option<IntendedAuthority>,
    pub(in crate::ca) same_holder_as: Option<Name>,
    /// SHA-256 of the request in DER, if there was one.
    pub(in crate::ca) request: Option<[u8; 32]>,
    /// The certificate that it renews, as `CA/SERIAL`.
    pub(in crate::ca) renews: Option<String>,
    /// That certificate, when it is renewed once.
    pub(in crate::ca) renewal: Option<Renewal>,
}

/// A CA on record.
pub(in crate::ca) struct Known {
    authority: KnownAuthority,
    succeeds: Option<String>,
}

impl Known {
    pub(in crate::ca) fn of(authority: Authority) -> Self {
        let tbs = authority.certificate.tbs();
        let (subject, key) = (tbs.subject().prepared(), tbs.public_key().digest());
        Self {
            authority: KnownAuthority { name: authority.name, subject, key },
            succeeds: authority.succeeds,
        }
    }
}

/// Returns the CAs that are not generations of the CA whose newest generation is `newest`.
pub(in crate::ca) fn others(all: &[Known], newest: Option<&str>) -> Vec<KnownAuthority> {
    let mut family = Vec::new();
    let mut next = newest;
    while let Some(name) = next.filter(|name| !family.contains(name)) {
        family.push(name);
        next = all.iter().find(|one| one.authority.name == name).and_then(|one| one.succeeds.as_deref());
    }
    let is_other = |one: &&Known| !family.contains(&one.authority.name.as_str());
    all.iter().filter(is_other).map(|one| one.authority.clone()).collect()
}

/// Decides on requests to one CA under one profile.
pub(in crate::ca) struct Evaluation<'a> {
    index: &'a dyn IndexReader,
    serials: &'a dyn SerialSource,
    settings: &'a CaSettings,
    issuer: IssuerView<'a>,
    profile: &'a Profile,
    algorithm: SignatureAlgorithm,
    now: UnixTime,
    /// The change number of the index that the decisions are based on.
    change: u64,
    /// The CAs on record. They are read when a request is refused, so that all its violations are reported at
    /// once.
    authorities: OnceLock<Vec<Known>>,
}

impl<'a> Evaluation<'a> {
    pub(in crate::ca) fn new(
        engine: &'a Engine,
        authority: &'a Authority,
        ancestors: &'a [Certificate],
        profile: &'a Profile,
    ) -> Result<Self, Problem> {
        let settings = engine.settings();
        let algorithm = authority.certificate.tbs().public_key().algorithm().signature_algorithm();
        let issuer = IssuerView {
            certificate: &authority.certificate,
            ancestors,
            profile: &authority.profile,
            crl_urls: settings.crl_url(&authority.name).into_iter().collect(),
            ca_issuers_url: settings.certificate_url(&authority.name),
            ocsp_url: if authority.serves_ocsp { settings.ocsp_url() } else { None },
        };
        let (now, change) = (engine.now(), engine.index().change_number()?);
        let index: &dyn IndexReader = engine.index();
        Ok(Self {
            index,
            serials: engine.serials(),
            settings,
            issuer,
            profile,
            algorithm,
            now,
            change,
            authorities: OnceLock::new(),
        })
    }

    /// Whether the decisions would be the same at `now`: at most `LONG` seconds have passed, and nothing was
    /// issued, revoked or created since.
    pub(in crate::ca) fn still_current(&self, now: UnixTime) -> Result<bool, Problem> {
        Ok(now.0.saturating_sub(self.now.0) <= LONG && self.index.change_number()? == self.change)
    }

    /// Whether the policy grants a request. No serial number is drawn.
    pub(in crate::ca) fn grants(&self, request: &IssuanceRequest) -> bool {
        self.evaluate(request, Vec::new()).is_ok()
    }

    /// Returns granted and refused requests, each in the order of the requests. Requests for the same key are
    /// decided one after the other, since granting one is a prior use of the key for the next.
    pub(in crate::ca) fn decide_all(&self, requests: &[IssuanceRequest]) -> (Vec<Granted>, Vec<Refusal>) {
        let keys: Vec<[u8; 32]> =
            requests.iter().map(|request| request.applicant.public_key.digest()).collect();
        let mut times: HashMap<&[u8; 32], usize> = HashMap::new();
        keys.iter().for_each(|key| *times.entry(key).or_default() += 1);
        let decisions = par_map(requests.iter().zip(&keys).collect(), |(request, key)| {
            let alone = times.get(key) == Some(&1);
            alone.then(|| self.decide(request, Vec::new()))
        });
        let (mut granted, mut refused) = (Vec::new(), Vec::new());
        let mut uses: HashMap<&[u8; 32], Vec<PriorUse>> = HashMap::new();
        for ((decision, request), key) in decisions.into_iter().zip(requests).zip(&keys) {
            let decision = decision.unwrap_or_else(|| {
                let uses = uses.entry(key).or_default();
                let decision = self.decide(request, uses.clone());
                uses.extend(decision.as_ref().ok().map(|granted| PriorUse {
                    subject: granted.template.subject.clone(),
                    authority: granted.authority.as_ref().map(|new| new.name.clone()),
                    compromised: false,
                    is_one_subscriber: false,
                }));
                decision
            });
            match decision {
                Ok(one) => granted.push(one),
                Err(problem) => refused.push(Refusal { label: request.label.clone(), problem }),
            }
        }
        (granted, refused)
    }

    /// Decides on one request. `uses` are uses of its key that are not on record yet.
    pub(in crate::ca) fn decide(
        &self,
        request: &IssuanceRequest,
        uses: Vec<PriorUse>,
    ) -> Result<Granted, Problem> {
        let template = self.evaluate(request, uses)?;
        let subject = self.issuer.certificate.tbs().subject();
        let tbs = template.assemble(self.serials.serial_number()?, self.algorithm, subject);
        let issuer = Some(self.issuer.certificate);
        let linted = match &request.values.of {
            None if self.profile.kind().is_ca() => {
                lint::check_certificate_named(tbs, issuer, &request.applicant.subject)
            }
            None => lint::check_certificate(tbs, issuer),
            Some(other) => lint::check_certificate_beside(tbs, issuer, other),
        };
        let tbs = linted.map_err(|findings| lint_problem(&findings))?;
        Ok(Granted {
            label: request.label.clone(),
            authority: request.authority.clone(),
            same_holder_as: request.values.same_holder_as.clone(),
            request: request.applicant.request,
            renews: request.values.renews.clone(),
            renewal: request.renewal.clone(),
            template,
            tbs,
        })
    }

    fn evaluate(
        &self,
        request: &IssuanceRequest,
        uses: Vec<PriorUse>,
    ) -> Result<CertificateTemplate, Problem> {
        let past = self.index.key_uses(&request.applicant.public_key.digest())?;
        let mut applicant = self.with_history(request, &past)?;
        applicant.prior_uses.extend(uses);
        let template = self.evaluate_among(request, applicant)?;
        // what the index would refuse to record is refused before a key is used
        let is_ca = self.profile.kind().is_ca();
        let one_subscriber = self.one_subscriber(request, &template.subject)?;
        check_key(&past, &template.subject, is_ca, &one_subscriber)?;
        Ok(template)
    }

    /// Evaluates the profile against the names that are taken. Usually only the CAs on record with the
    /// granted name are read. All of them are read when the request is refused, or when it makes a CA that may
    /// share its name with other generations.
    fn evaluate_among(
        &self,
        request: &IssuanceRequest,
        mut applicant: Applicant,
    ) -> Result<CertificateTemplate, Problem> {
        let before = request.authority.as_ref().and_then(|new| new.succeeds.as_deref());
        let evaluate = |applicant: &Applicant| {
            self.profile
                .evaluate(applicant, Some(&self.issuer), &request.values, self.now)
                .map_err(Problem::from)
        };
        if request.values.of.is_some() {
            // the certificate repeats a name that is known
            return evaluate(&applicant);
        }
        if before.is_none()
            && let Ok(template) = evaluate(&applicant)
            && self.index.bearers(&template.subject)?.is_empty()
        {
            return Ok(template);
        }
        applicant.authorities = others(self.authorities()?, before);
        evaluate(&applicant)
    }

    fn authorities(&self) -> Result<&[Known], Problem> {
        if let Some(known) = self.authorities.get() {
            return Ok(known);
        }
        let in_use = self.index.authorities()?.into_iter().filter(|one| one.retired.is_none());
        let read = in_use.map(Known::of).collect();
        Ok(self.authorities.get_or_init(|| read))
    }

    /// Returns the subjects that belong to one subscriber with the key of this request, when it is issued for
    /// this subject.
    fn one_subscriber(&self, request: &IssuanceRequest, subject: &Name) -> Result<Vec<Name>, Problem> {
        let mut names = self.index.one_subscriber(&request.applicant.public_key.digest())?;
        if let Some(former) = &request.values.same_holder_as {
            names.extend([former.clone(), subject.clone()]);
        }
        Ok(names)
    }

    /// Adds what the record knows of the request's key (X13, P1).
    fn with_history(&self, request: &IssuanceRequest, past: &[KeyUse]) -> Result<Applicant, Problem> {
        let mut applicant = request.applicant.clone();
        let subject = request.values.subject.as_ref().unwrap_or(&applicant.subject);
        let one_subscriber =
            if past.is_empty() { Vec::new() } else { self.one_subscriber(request, subject)? };
        applicant.is_known_compromised =
            self.settings.compromised_keys.contains(&applicant.public_key.digest());
        applicant.prior_uses = past
            .iter()
            .map(|past| PriorUse {
                compromised: matches!(
                    &past.state,
                    CertificateState::Revoked(revocation) if revocation.is_of_the_key()
                ),
                // the granted subject is checked against these later, once it is known
                is_one_subscriber: one_subscriber.iter().any(|one| one.is_same_as(&past.subject)),
                subject: past.subject.clone(),
                authority: past.authority.clone(),
            })
            .collect();
        Ok(applicant)
    }
}
