//! Issuing: profile, lint, record, sign, record, publish.
use super::Issuance;
use super::evaluation::Evaluation;
use crate::ca::{IssuanceRequest, IssuingAuthority, Published};
use crate::error::{Code, Exit, Notice, Problem, remedy};
use crate::profile::{Kind, Profile};
use crate::x509::{Certificate, TbsCertificate};
use std::path::PathBuf;
use std::thread;

/// A certificate that was issued.
#[derive(Clone, Debug)]
pub struct IssuedCertificate {
    /// Label of the request.
    pub label: String,
    /// The certificate.
    pub certificate: Published<Certificate>,
    /// Name of the profile that granted it.
    pub profile: String,
    /// The file that it is kept in; `None` for a responder's certificate, which is kept beside its key.
    pub file: Option<PathBuf>,
    /// Values that were granted otherwise than requested.
    pub notices: Vec<Notice>,
}

/// A request that was refused.
#[derive(Clone, Debug)]
pub struct Refusal {
    /// Label of the request.
    pub label: String,
    /// The reason.
    pub problem: Problem,
}

/// Results of a list of requests.
#[derive(Clone, Debug, Default)]
pub struct IssuanceOutcome {
    /// Issued certificates, in the order of the requests.
    pub issued: Vec<IssuedCertificate>,
    /// Refused requests, in the order of the requests.
    pub refused: Vec<Refusal>,
}

impl<'e> Issuance<'e> {
    /// Issues a certificate for each request under one profile. A refused request does not hold up the others.
    /// Each batch is recorded and its status published before the next one is begun; its files are written
    /// meanwhile. When something fails on the way, the remaining requests count as refused.
    ///
    /// # Errors
    /// When nothing could be issued for a reason that is not in a request: the CA may not issue, the index or
    /// the disk fails.
    pub fn issue(
        &self,
        issuer: &IssuingAuthority,
        profile: &str,
        requests: &[IssuanceRequest],
    ) -> Result<IssuanceOutcome, Problem> {
        let profile = self.leaf_profile(profile)?;
        self.issue_under(issuer, (profile, true), requests)
    }

    /// Issues as [`Issuance::issue`] does, under any profile. `requested` says whether the keys came with
    /// requests; the others are handed over.
    pub(in crate::ca) fn issue_under(
        &self,
        issuer: &IssuingAuthority,
        (profile, requested): (&Profile, bool),
        requests: &[IssuanceRequest],
    ) -> Result<IssuanceOutcome, Problem> {
        self.engine.signing_time()?;
        // whether the CA names a responder may have changed since its key was opened
        let authority = self.engine.hierarchy().authority(&issuer.authority().name)?;
        let evaluation = Evaluation::new(self.engine, &authority, issuer.ancestors(), profile)?;
        let (granted, refused) = evaluation.decide_all(requests);
        self.issue_granted(issuer, (profile, requested), granted, refused)
    }

    /// Returns the profile of this name, unless it is one for responders. Responder certificates answer for
    /// the whole CA, and nobody checks whether they are revoked (id-pkix-ocsp-nocheck).
    fn leaf_profile(&self, name: &str) -> Result<&'e Profile, Problem> {
        let profile = self.engine.settings().profile(name)?;
        if profile.kind() != Kind::OcspResponder {
            return Ok(profile);
        }
        let message = format!("{name} is the profile of OCSP responders, which is granted to no applicant");
        Err(Problem::new(Code::PolicyResponder, message).hint(remedy::Authority::ForResponders))
    }

    /// Opens a CA and issues for each request, as [`Issuance::issue`] does. A passphrase is asked for only when
    /// at least one request is known to be granted; otherwise no key is opened and no issuer returned. The
    /// remaining requests are decided while the key is being opened.
    ///
    /// # Errors
    /// As [`Issuance::unlock_issuer`] and [`Issuance::issue`].
    pub fn unlock_and_issue(
        &self,
        authority: &str,
        profile: &str,
        requests: &[IssuanceRequest],
    ) -> Result<(Option<IssuingAuthority>, IssuanceOutcome), Problem> {
        self.unlock_and_issue_when(authority, profile, requests, || Ok(()))
    }

    /// Does the same. `ready` is called once the CA's key is open, before anything is recorded, and can stop it.
    ///
    /// # Errors
    /// As [`Issuance::unlock_and_issue`], and those of `ready`.
    pub fn unlock_and_issue_when(
        &self,
        authority: &str,
        profile: &str,
        requests: &[IssuanceRequest],
        ready: impl FnOnce() -> Result<(), Problem>,
    ) -> Result<(Option<IssuingAuthority>, IssuanceOutcome), Problem> {
        let profile = self.leaf_profile(profile)?;
        let authority = self.engine.hierarchy().authority(authority)?;
        // with a wrong clock everything would seem to have expired
        self.engine.signing_time()?;
        let ancestors = self.engine.hierarchy().ancestors(&authority)?;
        let evaluation = Evaluation::new(self.engine, &authority, &ancestors, profile)?;
        if !requests.iter().any(|request| evaluation.grants(request)) {
            let (_, refused) = evaluation.decide_all(requests);
            return Ok((None, IssuanceOutcome { issued: Vec::new(), refused }));
        }
        let (issuer, decisions) = thread::scope(|scope| {
            let decisions = scope.spawn(|| evaluation.decide_all(requests));
            let issuer = self.unlock_issuer(&authority.name);
            (issuer, decisions.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
        });
        let issuer = issuer?;
        ready()?;
        // the passphrase prompt may have taken long, and other commands may have changed the record meanwhile
        if !evaluation.still_current(self.engine.now())? {
            let issuance = self.issue(&issuer, profile.name(), requests)?;
            return Ok((Some(issuer), issuance));
        }
        let (granted, refused) = decisions;
        let issuance = self.issue_granted(&issuer, (profile, true), granted, refused)?;
        Ok((Some(issuer), issuance))
    }

    /// Returns what [`Issuance::issue`] would sign, without the CA's key. The serial number will be another
    /// one.
    ///
    /// # Errors
    /// As for a request that is refused.
    pub fn preview(
        &self,
        authority: &str,
        profile: &str,
        request: &IssuanceRequest,
    ) -> Result<(TbsCertificate, Vec<Notice>), Problem> {
        self.preview_under(authority, self.leaf_profile(profile)?, request)
    }

    pub(in crate::ca) fn preview_under(
        &self,
        authority: &str,
        profile: &Profile,
        request: &IssuanceRequest,
    ) -> Result<(TbsCertificate, Vec<Notice>), Problem> {
        let authority = self.engine.hierarchy().authority(authority)?;
        let ancestors = self.engine.hierarchy().ancestors(&authority)?;
        let granted =
            Evaluation::new(self.engine, &authority, &ancestors, profile)?.decide(request, Vec::new())?;
        Ok((granted.tbs.into_inner(), Notice::each(granted.template.notices)))
    }
}

/// The problem of a list of which some requests were refused: the first refusal's code with exit status 7, or
/// code and exit status of what failed on the way.
impl IssuanceOutcome {
    /// Returns one problem for all refused requests; `None` when none was refused.
    #[must_use]
    pub fn problem(&self) -> Option<Problem> {
        let is_failure = |refusal: &&Refusal| {
            matches!(
                refusal.problem.exit,
                Exit::Failure | Exit::Busy | Exit::KeyUnavailable | Exit::Permissions | Exit::Integrity
            )
        };
        let failed = self.refused.iter().find(is_failure);
        let first = failed.or(self.refused.first())?;
        if self.refused.len() == 1 && self.issued.is_empty() {
            return Some(first.problem.clone());
        }
        let (refused, all) = (self.refused.len(), self.refused.len() + self.issued.len());
        let were = if refused == 1 { "was" } else { "were" };
        let lines: Vec<String> = self
            .refused
            .iter()
            .map(|Refusal { label, problem }| match problem.message.strip_prefix(&format!("{label}: ")) {
                Some(reason) => format!("{label}: {reason}"),
                None => format!("{label}: {}", problem.message),
            })
            .collect();
        let message = format!("{refused} of {all} requests {were} refused\n{}", lines.join("\n"));
        let hint = if self.issued.is_empty() {
            "mend these and sign them again; nothing was issued"
        } else {
            "the others were issued; mend these and sign them again"
        };
        let exit = failed.map_or(Exit::Refused, |_| first.problem.exit);
        Some(Problem::new(first.problem.code, message).exiting(exit).hint(hint))
    }
}
