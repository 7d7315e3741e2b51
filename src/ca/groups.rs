//! Signing what is granted, group by group.
use super::registration::Granted;
use super::{Issuance, IssuedCertificate, IssuingAuthority, Pki, Refusal, abreast};
use crate::index::{Intent, Issued, Recorded};
use crate::problem::Problem;
use crate::profile::{Kind, Profile};
use crate::publish::{PublishError, Publisher};
use crate::x509::{Certificate, TbsCertificate};
use std::thread;

/// How many certificates are recorded in one transaction.
const GROUP: usize = 500;

/// A group that is on record and whose status is published.
struct Signed {
    certificates: Vec<Certificate>,
    /// Labels and notices.
    answered: Vec<(String, Vec<String>)>,
}

impl Signed {
    /// Keeps them; a failure comes with the labels.
    fn keep(
        self,
        publisher: &dyn Publisher,
        authority: &str,
        profile: &Profile,
    ) -> Result<Vec<IssuedCertificate>, (Vec<String>, PublishError)> {
        let files = match profile.kind() {
            Kind::OcspResponder => vec![None; self.certificates.len()],
            _ => match publisher.issued(authority, &self.certificates.iter().collect::<Vec<_>>()) {
                Ok(files) => files.into_iter().map(Some).collect(),
                Err(error) => {
                    return Err((self.answered.into_iter().map(|(label, _)| label).collect(), error));
                }
            },
        };
        let all = self.certificates.into_iter().zip(self.answered).zip(files);
        Ok(all
            .map(|((certificate, (label, notices)), file)| {
                let profile = profile.name().into();
                IssuedCertificate { label, certificate, profile, file, notices }
            })
            .collect())
    }
}

impl Pki<'_> {
    /// Signs in groups. The files of one are written while the next one is signed; after a failure no further
    /// group is begun.
    pub(super) fn issue_granted(
        &self,
        issuer: &IssuingAuthority,
        profile: &Profile,
        granted: Vec<Granted>,
        refused: Vec<Refusal>,
    ) -> Result<Issuance, Problem> {
        let (publisher, name) = (self.publisher, issuer.authority().name.as_str());
        let mut issued = Vec::with_capacity(granted.len());
        let mut left: Vec<String> = Vec::new();
        let mut failure: Option<Problem> = None;
        let mut granted = granted.into_iter();
        thread::scope(|scope| {
            let mut keeping: Option<thread::ScopedJoinHandle<'_, _>> = None;
            loop {
                let group: Vec<Granted> =
                    if failure.is_none() { granted.by_ref().take(GROUP).collect() } else { Vec::new() };
                let labels: Vec<String> = group.iter().map(|ready| ready.label.clone()).collect();
                let signed =
                    if group.is_empty() { None } else { Some(self.sign_group(issuer, profile, group)) };
                if let Some(kept) = keeping.take() {
                    match kept.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)) {
                        Ok(more) => issued.extend(more),
                        Err((labels, error)) => {
                            left.extend(labels);
                            failure.get_or_insert(on_record(PublishError::into(error)));
                        }
                    }
                }
                match signed {
                    None => break,
                    Some(Ok(signed)) => {
                        keeping = Some(scope.spawn(move || signed.keep(publisher, name, profile)))
                    }
                    Some(Err(problem)) => {
                        left.extend(labels);
                        failure.get_or_insert(problem);
                    }
                }
            }
        });
        let mut issuance = Issuance { issued, refused };
        match failure {
            Some(problem) if issuance.issued.is_empty() => Err(problem),
            Some(problem) => {
                left.extend(granted.map(|ready| ready.label));
                issuance
                    .refused
                    .extend(left.into_iter().map(|label| Refusal { label, problem: problem.clone() }));
                Ok(issuance)
            }
            None => Ok(issuance),
        }
    }

    fn sign_group(
        &self,
        issuer: &IssuingAuthority,
        profile: &Profile,
        group: Vec<Granted>,
    ) -> Result<Signed, Problem> {
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
        let mut issued = Vec::with_capacity(certificates.len());
        for certificate in certificates {
            let mut event = self.event(at, "certificate.issued", object(certificate.tbs()));
            event.details.push(("fingerprint".into(), certificate.fingerprint().to_string()));
            issued.push(Issued { issuer: authority.issuer, certificate, event });
        }
        self.index.record_issued(&issued)?;
        drop(signing);
        self.status.publish_status(self.index, self.clock.now()).map_err(|error| on_record(error.into()))?;
        let certificates = issued.into_iter().map(|one| one.certificate).collect();
        Ok(Signed { certificates, answered })
    }
}

/// Says of a failure after the record that signing once more would make a second certificate.
pub(super) fn on_record(problem: Problem) -> Problem {
    let more = "what was signed is on record and not handed out; the next command publishes it, and \
                `genfic-ca list` shows it: do not sign it again";
    let hint = if problem.hint.is_empty() { more.to_owned() } else { format!("{}\n{more}", problem.hint) };
    problem.hint(hint)
}
