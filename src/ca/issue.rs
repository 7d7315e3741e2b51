//! Issuing: profile, lint, record, sign, record, publish.
use super::registration::{Granted, Registration};
use super::{IssuingAuthority, Order, Pki, abreast};
use crate::index::{Intent, Issued, Recorded};
use crate::problem::{Exit, Problem};
use crate::profile::{Kind, Profile};
use crate::x509::{Certificate, TbsCertificate};
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
        // whether it names a responder may have changed since the key was opened
        let authority = self.authority(&issuer.authority().name)?;
        let registration =
            Registration::new(self, &authority, issuer.ancestors(), profile, issuer.algorithm());
        let (mut granted, refused) = registration.decide_all(orders);
        let mut issuance = Issuance { issued: Vec::new(), refused };
        while !granted.is_empty() {
            let group: Vec<Granted> = granted.drain(..granted.len().min(GROUP)).collect();
            let labels: Vec<String> = group.iter().map(|ready| ready.label.clone()).collect();
            match self.issue_group(issuer, profile, group) {
                Ok(issued) => issuance.issued.extend(issued),
                Err(problem) if issuance.issued.is_empty() => return Err(problem),
                Err(problem) => {
                    let left = labels.into_iter().chain(granted.drain(..).map(|ready| ready.label));
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
        let algorithm = authority.certificate.tbs().public_key().algorithm().signature_algorithm();
        let granted =
            Registration::new(self, &authority, &ancestors, profile, algorithm).decide(order, Vec::new())?;
        Ok((granted.tbs.into_inner(), granted.template.notices))
    }

    fn issue_group(
        &self,
        issuer: &IssuingAuthority,
        profile: &Profile,
        group: Vec<Granted>,
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
        let certificates: Vec<Certificate> =
            abreast(recorded, |tbs| issuer.issue(tbs)).into_iter().collect::<Result<_, _>>()?;
        let mut signed = Vec::with_capacity(certificates.len());
        for certificate in certificates {
            let mut event = self.event(at, "certificate.issued", object(certificate.tbs()));
            event.details.push(("fingerprint".into(), certificate.fingerprint().to_string()));
            signed.push(Issued { issuer: authority.issuer, certificate, event });
        }
        self.index.record_issued(&signed)?;
        drop(signing);
        self.status.publish_status(self.index, self.clock.now()).map_err(|error| on_record(error.into()))?;
        let files = match profile.kind() {
            Kind::OcspResponder => vec![None; signed.len()],
            _ => {
                let certificates: Vec<&Certificate> = signed.iter().map(|one| &one.certificate).collect();
                let kept = self.publisher.issued(&authority.name, &certificates);
                kept.map_err(|error| on_record(error.into()))?.into_iter().map(Some).collect()
            }
        };
        let issued = signed.into_iter().zip(answered).zip(files);
        Ok(issued
            .map(|((Issued { certificate, .. }, (label, notices)), file)| {
                let profile = profile.name().into();
                IssuedCertificate { label, certificate, profile, file, notices }
            })
            .collect())
    }
}

/// Says of a failure after the record that signing once more would make a second certificate.
fn on_record(problem: Problem) -> Problem {
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
