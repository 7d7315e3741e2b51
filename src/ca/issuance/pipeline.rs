//! Signing of granted certificates in batches: while one batch is recorded, the one before it is signed, and
//! the one before that is published.
use super::Issuance;
use super::evaluation::{Evaluation, Granted};
use crate::ca::publication::News;
use crate::ca::{
    Engine, IssuanceOutcome, IssuanceRequest, IssuedCertificate, IssuingAuthority, Published, Refusal,
};
use crate::error::{Notice, Problem, remedy};
use crate::failpoint;
use crate::index::{Authority, Guard, IndexError, Intent, Issued, Recorded};
use crate::profile::Profile;
use crate::x509::{Certificate, CertificateId, TbsCertificate};
use std::path::PathBuf;
use std::sync::mpsc;
use std::thread;

/// Number of certificates recorded in one transaction: enough to share the cost of its synchronisation, few
/// enough to keep the write lock short.
const BATCH: usize = 500;

/// Bound of the queue of signed batches that are not yet published; four absorb a rewrite of the published
/// status base. No batch queues to be signed.
const SIGNED: usize = 4;

/// Labels of the requests of a batch, with their notices.
type Answered = Vec<(String, Vec<Notice>)>;
/// A certificate that may be handed out, and the file that it is kept in.
type PublishedFile = (Published<Certificate>, Option<PathBuf>);

/// A recorded batch that may be signed.
struct RecordedBatch {
    recorded: Vec<Recorded<TbsCertificate>>,
    answered: Answered,
    /// While this guard is held, no other command abandons the recorded certificates.
    signing: Guard,
}

/// A batch that is on record as issued.
struct SignedBatch {
    certificates: Vec<Certificate>,
    answered: Answered,
}

/// Results of all batches.
#[derive(Default)]
struct Outcome {
    issued: Vec<IssuedCertificate>,
    /// Labels of requests whose batch was begun and that have no issued certificate.
    left: Vec<String>,
    failure: Option<Problem>,
}

/// The pipeline from recording to publication.
struct IssuancePipeline<'a> {
    engine: &'a Engine,
    issuer: &'a IssuingAuthority,
    profile: &'a Profile,
    /// Whether the keys came with requests; keys generated here are handed over with the certificates.
    requested: bool,
}

impl IssuancePipeline<'_> {
    fn object(&self, tbs: &TbsCertificate) -> String {
        format!("{}/{}", self.issuer.authority().name, tbs.serial_number())
    }

    fn sign(&self, batch: RecordedBatch) -> Result<SignedBatch, (Answered, Problem)> {
        let RecordedBatch { recorded, answered, signing } = batch;
        let issuer = self.issuer.authority().issuer;
        let of_batch = |tbs: &TbsCertificate| {
            let id = CertificateId { issuer, serial_number: tbs.serial_number().clone() };
            (id, self.object(tbs))
        };
        let intended: Vec<_> = recorded.iter().map(|one| of_batch(one.get())).collect();
        let sign = || {
            let at = self.engine.now();
            let signed = match self.requested {
                true => self.issuer.issue_group(recorded),
                // the only keys that are made here and handed over are those of the CA's responder
                false => {
                    let present = || self.engine.issuance().present_responder(&self.issuer.authority().name);
                    self.issuer.issue_responders(recorded, &present)
                }
            };
            let signed = signed.inspect_err(|problem| {
                self.engine.issuance().abandon_refused(&intended, problem);
            })?;
            let mut issued = Vec::with_capacity(signed.len());
            for certificate in signed {
                self.engine.step();
                let object = self.object(certificate.tbs());
                let mut event = self.engine.event(at, "certificate.issued", object);
                event.details.push(("fingerprint".into(), certificate.fingerprint().to_string()));
                issued.push(Issued { issuer: self.issuer.authority().issuer, certificate, event });
            }
            self.engine.index().record_issued(&issued)?;
            Ok(issued.into_iter().map(|one| one.certificate).collect())
        };
        let signed = sign();
        drop(signing);
        match signed {
            Ok(certificates) => Ok(SignedBatch { certificates, answered }),
            Err(problem) => Err((answered, problem)),
        }
    }

    /// Publishes the status of the certificates, then stores them, and returns where.
    fn publish(&self, certificates: Vec<Certificate>) -> Result<Vec<PublishedFile>, Problem> {
        let among = self.requested.then_some(self.issuer.authority().name.as_str());
        let news = News { issued: vec![(among, certificates)], ..News::default() };
        Ok(self.engine.publication().publish(news)?.issued)
    }

    /// Publishes one batch. A batch that was begun is carried to its end even when others failed.
    fn finish(&self, outcome: &mut Outcome, batch: Result<SignedBatch, (Answered, Problem)>) {
        let finished =
            batch.and_then(|SignedBatch { certificates, answered }| match self.publish(certificates) {
                Ok(published) => Ok(published.into_iter().zip(answered)),
                Err(problem) => Err((answered, on_record(problem))),
            });
        match finished {
            Ok(batch) => outcome.issued.extend(batch.map(|((certificate, file), (label, notices))| {
                let profile = self.profile.name().into();
                IssuedCertificate { label, certificate, profile, file, notices }
            })),
            Err((answered, problem)) => {
                outcome.left.extend(answered.into_iter().map(|(label, _)| label));
                outcome.failure.get_or_insert(problem);
            }
        }
    }
}

impl Issuance<'_> {
    /// Signs in batches; after a failure no further batch is begun.
    pub(in crate::ca) fn issue_granted(
        &self,
        issuer: &IssuingAuthority,
        (profile, requested): (&Profile, bool),
        granted: Vec<Granted>,
        refused: Vec<Refusal>,
    ) -> Result<IssuanceOutcome, Problem> {
        let pipeline = &IssuancePipeline { engine: self.engine, issuer, profile, requested };
        if !granted.is_empty() {
            // nothing is signed that could not be published
            self.engine.publication().repeat_status()?;
        }
        let mut granted = granted.into_iter();
        let (mut outcome, not_recorded, overtaken) = thread::scope(|scope| {
            let (to_sign, recorded_batches) = mpsc::sync_channel::<RecordedBatch>(0);
            let (to_publish, signed) = mpsc::sync_channel(SIGNED);
            let (to_report, failed) = mpsc::channel::<()>();
            scope.spawn(move || {
                for batch in recorded_batches {
                    failpoint::in_thread("groups: to be signed");
                    let batch = pipeline.sign(batch);
                    if to_publish.send(batch).is_err() {
                        return;
                    }
                }
            });
            let publishing = scope.spawn(move || {
                let mut outcome = Outcome::default();
                for batch in signed {
                    failpoint::in_thread("groups: to be published");
                    pipeline.finish(&mut outcome, batch);
                    if outcome.failure.is_some() {
                        let _ = to_report.send(());
                    }
                }
                outcome
            });
            let (mut not_recorded, mut overtaken) = (None, Vec::new());
            while failed.try_recv().is_err() {
                let batch: Vec<Granted> = granted.by_ref().take(BATCH).collect();
                if batch.is_empty() {
                    break;
                }
                let labels: Vec<String> = batch.iter().map(|ready| ready.label.clone()).collect();
                match self.record_batch(pipeline, batch) {
                    Ok((batch, refused)) => {
                        overtaken.extend(refused);
                        if batch.is_some_and(|batch| to_sign.send(batch).is_err()) {
                            break;
                        }
                    }
                    Err(problem) => {
                        not_recorded = Some((labels, problem));
                        break;
                    }
                }
            }
            drop(to_sign);
            let outcome = publishing.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            (outcome, not_recorded, overtaken)
        });
        if let Some((labels, problem)) = not_recorded {
            outcome.left.extend(labels);
            outcome.failure.get_or_insert(problem);
        }
        let Outcome { issued, mut left, failure } = outcome;
        let refused = [refused, overtaken].concat();
        let mut issuance = IssuanceOutcome { issued, refused };
        match failure {
            Some(problem) if issuance.issued.is_empty() => Err(problem),
            Some(problem) => {
                left.extend(granted.map(|ready| ready.label));
                let left = left.into_iter().map(|label| Refusal { label, problem: problem.clone() });
                issuance.refused.extend(left);
                Ok(issuance)
            }
            None => Ok(issuance),
        }
    }

    /// Decides on one request, and returns what is to be recorded when it is granted. The CA's key is elsewhere.
    pub(in crate::ca) fn intent_of(
        &self,
        issuer: &Authority,
        ancestors: &[Certificate],
        profile: &Profile,
        request: &IssuanceRequest,
    ) -> Result<(Intent, Vec<Notice>), Problem> {
        let granted =
            Evaluation::new(self.engine, issuer, ancestors, profile)?.decide(request, Vec::new())?;
        let tbs = granted.tbs.get();
        let object = format!("{}/{}", issuer.name, tbs.serial_number());
        let mut event = self.engine.event(self.engine.now(), "certificate.intended", object);
        event.details.push(("subject".into(), tbs.subject().to_string()));
        event.details.push(("profile".into(), profile.name().into()));
        let notices = Notice::each(granted.template.notices);
        let intent = Intent {
            issuer: issuer.issuer,
            tbs: granted.tbs,
            profile: profile.name().into(),
            contact: granted.template.contact,
            same_holder_as: granted.same_holder_as,
            decided_beside: None,
            authority: granted.authority,
            requested: true,
            event,
        };
        Ok((intent, notices))
    }

    /// Records a batch. Requests whose key or name has been taken by somebody else meanwhile are left out and
    /// refused.
    fn record_batch(
        &self,
        pipeline: &IssuancePipeline<'_>,
        batch: Vec<Granted>,
    ) -> Result<(Option<RecordedBatch>, Vec<Refusal>), Problem> {
        let at = self.engine.now();
        let mut intents = Vec::with_capacity(batch.len());
        let mut answered = Vec::with_capacity(batch.len());
        let former = |ready: &Granted| ready.renewal.as_ref().map(|renewal| renewal.former.clone());
        let mut renewed: Vec<Option<CertificateId>> = batch.iter().map(former).collect();
        for ready in batch {
            let tbs = ready.tbs.get();
            let mut event = self.engine.event(at, "certificate.intended", pipeline.object(tbs));
            event.details.push(("subject".into(), tbs.subject().to_string()));
            event.details.push(("profile".into(), pipeline.profile.name().into()));
            if let Some(digest) = &ready.request {
                event.details.push(("request".into(), ready.label.clone()));
                event.details.push(("request_sha256".into(), base16ct::lower::encode_string(digest)));
            }
            if let Some(former) = &ready.renews {
                event.details.push(("renews".into(), former.clone()));
            }
            if let Some(former) = &ready.same_holder_as {
                event.details.push(("same_holder_as".into(), former.to_string()));
            }
            intents.push(Intent {
                issuer: pipeline.issuer.authority().issuer,
                tbs: ready.tbs,
                profile: pipeline.profile.name().into(),
                contact: ready.template.contact.clone(),
                same_holder_as: ready.same_holder_as,
                decided_beside: ready.renewal.as_ref().map(|renewal| renewal.decided_beside.clone()),
                authority: ready.authority,
                requested: pipeline.requested,
                event,
            });
            answered.push((ready.label, Notice::each(ready.template.notices)));
        }
        let mut refused = Vec::new();
        while !intents.is_empty() {
            let signing = self.engine.index().signing()?;
            let recorded = self.engine.in_time(|at| {
                let mut intents = intents.clone();
                intents.iter_mut().for_each(|intent| intent.event.at = at);
                match self.engine.index().record_intent(intents) {
                    Err(
                        refusal @ (IndexError::KeyRefused { .. }
                        | IndexError::NameTaken { .. }
                        | IndexError::RenewedMeanwhile { .. }),
                    ) => Ok(Err(refusal)),
                    other => other.map(Ok),
                }
            })?;
            let refusal = match recorded {
                Ok(recorded) => return Ok((Some(RecordedBatch { recorded, answered, signing }), refused)),
                Err(refusal) => refusal,
            };
            let Some(place) = intents.iter().position(|intent| is_refused(intent, &refusal)) else {
                return Err(refusal.into());
            };
            if let (IndexError::RenewedMeanwhile { by, .. }, Some(former)) = (&refusal, renewed.get(place))
                && !self.is_its_renewal(by, former.as_ref())?
                && let Some(known) = intents.get_mut(place).and_then(|intent| intent.decided_beside.as_mut())
            {
                known.push(by.clone());
                continue;
            }
            intents.remove(place);
            renewed.remove(place);
            let (label, _) = answered.remove(place);
            refused.push(Refusal { label, problem: refusal.into() });
        }
        Ok((None, refused))
    }

    /// Whether a certificate that another command has issued for the same key takes the place of this one. It may have
    /// other names, or another profile.
    fn is_its_renewal(&self, by: &CertificateId, former: Option<&CertificateId>) -> Result<bool, Problem> {
        let record = |id| self.engine.index().certificate(id);
        let (Some(newer), Some(former)) = (record(by)?, former.map(record).transpose()?.flatten()) else {
            return Ok(false);
        };
        self.engine.hierarchy().is_one_holder(&newer, &former)
    }
}

/// Whether the index refuses this intent.
fn is_refused(intent: &Intent, refusal: &IndexError) -> bool {
    let tbs = intent.tbs.get();
    match refusal {
        IndexError::KeyRefused { id, .. } | IndexError::RenewedMeanwhile { id, .. } => {
            *tbs.serial_number() == id.serial_number
        }
        IndexError::NameTaken { subject, .. } => tbs.subject().to_string() == *subject,
        _ => false,
    }
}

/// Adds to a failure after the record the hint that signing again would make a second certificate.
pub(in crate::ca) fn on_record(problem: Problem) -> Problem {
    let more = remedy::Record::NotSignedAgain;
    let hint = problem.hint.clone().and(more);
    problem.hint(hint)
}
