//! Issuing: profile, lint, record, sign, record, publish.
use super::problems::lint_problem;
use super::{IssuingAuthority, Order, Pki};
use crate::index::{CertificateState, Intent, Issued, NewAuthority, Recorded, Revocation};
use crate::lint::{self, Linted};
use crate::problem::{Exit, Problem};
use crate::profile::{Applicant, CertificateTemplate, IssuerView, Kind, PriorUse, Profile};
use crate::x509::{Certificate, CrlReason, TbsCertificate};
use std::collections::HashMap;
use std::path::PathBuf;

/// How many certificates are recorded in one transaction.
const GROUP: usize = 500;

/// A certificate that was issued.
#[derive(Clone, Debug)]
pub struct IssuedCertificate {
    /// Which order it answers.
    pub label: String,
    /// The certificate.
    pub certificate: Certificate,
    /// The profile it was granted under.
    pub profile: String,
    /// Where it is kept; `None` for a responder's, which is kept beside its key.
    pub file: Option<PathBuf>,
    /// What was granted otherwise than asked.
    pub notices: Vec<String>,
}

/// An order that was refused.
#[derive(Clone, Debug)]
pub struct Refusal {
    /// Which order.
    pub label: String,
    /// Why.
    pub problem: Problem,
}

/// What became of a list of orders.
#[derive(Clone, Debug, Default)]
pub struct Issuance {
    /// Issued, in the order asked.
    pub issued: Vec<IssuedCertificate>,
    /// Refused, in the order asked.
    pub refused: Vec<Refusal>,
}

struct Prepared {
    label: String,
    template: CertificateTemplate,
    tbs: Linted<TbsCertificate>,
    authority: Option<NewAuthority>,
}

impl Pki<'_> {
    /// Issues a certificate for each order under one profile; what is refused does not hold up the others.
    /// Each group is recorded, its status published and its files written before the next one is begun; what
    /// is left when something fails on the way counts as refused.
    ///
    /// # Errors
    /// When nothing could be issued for a reason that is not in an order: the CA may not issue, its key cannot
    /// be opened, the index or the disk fails.
    pub fn issue(
        &self,
        issuer: &IssuingAuthority,
        profile: &str,
        orders: &[Order],
    ) -> Result<Issuance, Problem> {
        let profile = self.practices.profile(profile)?;
        let mut issuance = Issuance::default();
        let mut prepared: Vec<Prepared> = Vec::new();
        let mut uses: HashMap<[u8; 32], Vec<PriorUse>> = HashMap::new();
        for order in orders {
            let key = order.applicant.public_key.digest();
            let before = uses.get(&key).cloned().unwrap_or_default();
            match self.prepare(issuer, profile, order, before) {
                Ok(ready) => {
                    uses.entry(key).or_default().push(PriorUse {
                        subject: ready.template.subject.clone(),
                        authority: ready.authority.as_ref().map(|new| new.name.clone()),
                        compromised: false,
                    });
                    prepared.push(ready);
                }
                Err(problem) => issuance.refused.push(Refusal { label: order.label.clone(), problem }),
            }
        }
        while !prepared.is_empty() {
            let group: Vec<Prepared> = prepared.drain(..prepared.len().min(GROUP)).collect();
            let labels: Vec<String> = group.iter().map(|ready| ready.label.clone()).collect();
            match self.issue_group(issuer, profile, group) {
                Ok(issued) => issuance.issued.extend(issued),
                Err(problem) if issuance.issued.is_empty() => return Err(problem),
                Err(problem) => {
                    let left = labels.into_iter().chain(prepared.drain(..).map(|ready| ready.label));
                    issuance.refused.extend(left.map(|label| Refusal { label, problem: problem.clone() }));
                }
            }
        }
        Ok(issuance)
    }

    /// Opens a CA for issuing once at least one of the orders can be granted: nobody is asked for a passphrase
    /// in vain.
    ///
    /// # Errors
    /// As [`Pki::unlock_issuer`], and when every order is refused.
    pub fn unlock_issuer_for(
        &self,
        authority: &str,
        profile: &str,
        orders: &[Order],
    ) -> Result<IssuingAuthority, Problem> {
        let mut refused = Vec::new();
        for order in orders {
            match self.preview(authority, profile, order) {
                Ok(_) => return self.unlock_issuer(authority),
                Err(problem) => refused.push(Refusal { label: order.label.clone(), problem }),
            }
        }
        match (Issuance { issued: Vec::new(), refused }).problem() {
            Some(problem) => Err(problem),
            None => self.unlock_issuer(authority),
        }
    }

    /// What [`Pki::issue`] would sign, without the CA's key: the serial number will be another one.
    ///
    /// # Errors
    /// As for an order that is refused.
    pub fn preview(
        &self,
        authority: &str,
        profile: &str,
        order: &Order,
    ) -> Result<(TbsCertificate, Vec<String>), Problem> {
        let authority = self.authority(authority)?;
        let ancestors = super::authority::ancestors(self.index, &authority)?;
        let profile = self.practices.profile(profile)?;
        let template =
            self.evaluate(&authority.certificate, &ancestors, &authority.name, profile, order, Vec::new())?;
        let tbs = template.assemble(
            self.serials.serial_number()?,
            authority.certificate.tbs().public_key().algorithm().signature_algorithm(),
            authority.certificate.tbs().subject(),
        );
        let linted = checked(tbs, &authority.certificate, order)?;
        Ok((linted.into_inner(), template.notices))
    }

    fn evaluate(
        &self,
        issuer: &Certificate,
        ancestors: &[Certificate],
        authority: &str,
        profile: &Profile,
        order: &Order,
        uses_in_this_group: Vec<PriorUse>,
    ) -> Result<CertificateTemplate, Problem> {
        let record = self.authority(authority)?;
        let serves_ocsp = record.serves_ocsp;
        let view = IssuerView {
            certificate: issuer,
            ancestors,
            profile: &record.profile,
            crl_urls: self.practices.crl_url(authority).into_iter().collect(),
            ca_issuers_url: self.practices.certificate_url(authority),
            ocsp_url: if serves_ocsp { self.practices.ocsp_url() } else { None },
        };
        let mut applicant = self.with_history(&order.applicant)?;
        applicant.prior_uses.extend(uses_in_this_group);
        profile.evaluate(&applicant, Some(&view), &order.ask, self.clock.now()).map_err(Problem::from)
    }

    fn prepare(
        &self,
        issuer: &IssuingAuthority,
        profile: &Profile,
        order: &Order,
        uses: Vec<PriorUse>,
    ) -> Result<Prepared, Problem> {
        let authority = issuer.authority();
        let certificate = &authority.certificate;
        let template =
            self.evaluate(certificate, issuer.ancestors(), &authority.name, profile, order, uses)?;
        let tbs = template.assemble(
            self.serials.serial_number()?,
            issuer.algorithm(),
            authority.certificate.tbs().subject(),
        );
        let tbs = checked(tbs, &authority.certificate, order)?;
        Ok(Prepared { label: order.label.clone(), authority: order.authority.clone(), template, tbs })
    }

    fn issue_group(
        &self,
        issuer: &IssuingAuthority,
        profile: &Profile,
        group: Vec<Prepared>,
    ) -> Result<Vec<IssuedCertificate>, Problem> {
        let authority = issuer.authority();
        let at = self.clock.now();
        let object = |tbs: &TbsCertificate| format!("{}/{}", authority.name, tbs.serial_number());
        let mut intents = Vec::with_capacity(group.len());
        let mut answered = Vec::with_capacity(group.len());
        for ready in group {
            let tbs = ready.tbs.get();
            let mut event = self.event(at, "certificate.intended", object(tbs));
            event.details.push(("subject".into(), tbs.subject().to_string()));
            event.details.push(("profile".into(), profile.name().into()));
            intents.push(Intent {
                issuer: authority.issuer,
                tbs: ready.tbs,
                profile: profile.name().into(),
                contact: ready.template.contact.clone(),
                authority: ready.authority,
                event,
            });
            answered.push((ready.label, ready.template.notices));
        }
        let signing = self.index.signing()?;
        let recorded: Vec<Recorded<TbsCertificate>> = self.in_time(|at| {
            let mut intents = intents.clone();
            intents.iter_mut().for_each(|intent| intent.event.at = at);
            self.index.record_intent(intents)
        })?;
        let at = self.clock.now();
        let mut signed = Vec::with_capacity(recorded.len());
        for tbs in recorded {
            let certificate = issuer.issue(tbs)?;
            let mut event = self.event(at, "certificate.issued", object(certificate.tbs()));
            event.details.push(("fingerprint".into(), certificate.fingerprint().to_string()));
            signed.push(Issued { issuer: authority.issuer, certificate, event });
        }
        self.index.record_issued(&signed)?;
        drop(signing);
        self.status.publish_status(self.index, self.clock.now()).map_err(|error| on_record(error.into()))?;
        let mut issued = Vec::with_capacity(signed.len());
        for (Issued { certificate, .. }, (label, notices)) in signed.into_iter().zip(answered) {
            let file = match profile.kind() {
                Kind::OcspResponder => None,
                _ => Some(
                    self.publisher
                        .issued(&authority.name, &certificate)
                        .map_err(|error| on_record(error.into()))?,
                ),
            };
            let profile = profile.name().into();
            issued.push(IssuedCertificate { label, certificate, profile, file, notices });
        }
        Ok(issued)
    }

    /// What the record knows of the key (X13, P1).
    fn with_history(&self, applicant: &Applicant) -> Result<Applicant, Problem> {
        let key = applicant.public_key.digest();
        let mut applicant = applicant.clone();
        applicant.is_known_compromised = self.practices.compromised_keys.contains(&key);
        applicant.prior_uses = self
            .index
            .key_uses(&key)?
            .into_iter()
            .map(|past| PriorUse {
                compromised: matches!(
                    past.state,
                    CertificateState::Revoked(Revocation {
                        reason: Some(
                            CrlReason::KeyCompromise | CrlReason::CaCompromise | CrlReason::AaCompromise
                        ),
                        ..
                    })
                ),
                subject: past.subject,
                authority: past.authority,
            })
            .collect();
        Ok(applicant)
    }
}

fn checked(
    tbs: TbsCertificate,
    issuer: &Certificate,
    order: &Order,
) -> Result<Linted<TbsCertificate>, Problem> {
    let linted = match &order.ask.of {
        None => lint::check_certificate(tbs, Some(issuer)),
        Some(other) => lint::check_certificate_beside(tbs, Some(issuer), other),
    };
    linted.map_err(|findings| lint_problem(&findings))
}

/// Says of a failure after the record that signing once more would make a second certificate.
pub(super) fn on_record(problem: Problem) -> Problem {
    let more = "what was signed is on record and not handed out; the next command publishes it, and \
                `genfic-ca list` shows it: do not sign it again";
    let hint = if problem.hint.is_empty() { more.to_owned() } else { format!("{}\n{more}", problem.hint) };
    problem.hint(hint)
}

/// A problem for a list of which some were refused: the first refusal's code, exit status 7; or those of what
/// failed on the way.
impl Issuance {
    /// What the whole comes to when something was refused.
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
        Some(Problem::new(exit, first.problem.code, message).hint(hint))
    }
}
