//! Makes a file of answers: signs what has changed or is about to lapse, and takes the rest from the file before.
use super::description::{Description, StoredResponder};
use super::former::Former;
use super::record::{Record, Said};
use super::store::AnswerStore;
use super::writer::{Places, Writer};
use crate::error::{Code, Problem, Shown as _, remedy};
use crate::home::WriteError;
use crate::index::CertificateState;
use crate::ocsp::authority_state::parent;
use crate::ocsp::delegate::DelegatedResponder;
use crate::ocsp::settings::ResponderSettings;
use crate::ocsp::snapshot::{ServedIssuer, Snapshot};
use crate::par_map::par_map;
use crate::signing::SigningError;
use crate::status::{EveryStatus, PublishedAuthority, StatusEntry, StatusError};
use crate::x509::{CertificateId, IssuerId, SerialNumber, UnixTime};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Certificates that are signed for in one go.
const BATCH: usize = 4096;

/// What answers are made from.
pub struct Making<'a> {
    /// The file. One that is there is replaced, and answers that still count are taken from it.
    pub path: &'a Path,
    /// Responders, CRLs and CAs.
    pub snapshot: &'a Snapshot,
    /// The status of every certificate.
    pub status: &'a dyn EveryStatus,
    /// The CA whose certificates are answered for; `None` for every CA that is to be answered for.
    pub authority: Option<&'a str>,
    /// How long answers count, and what they say.
    pub settings: &'a ResponderSettings,
    /// The present time.
    pub now: UnixTime,
    /// Called for each certificate.
    pub step: fn(),
}

/// What was made.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Made {
    /// The number of the file.
    pub number: u64,
    /// Names of the CAs.
    pub authorities: Vec<String>,
    /// Certificates that there are answers about.
    pub certificates: u64,
    /// Answers in the file.
    pub answers: u64,
    /// Answers that were signed; the others were taken from the file before.
    pub signed: u64,
    /// The earliest nextUpdate of answers that end before their certificates; `None` without any.
    pub ends: Option<UnixTime>,
}

/// Why no answers were made.
#[derive(Debug, thiserror::Error)]
pub enum MakeError {
    /// A file cannot be written.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// The status cannot be read.
    #[error(transparent)]
    Status(#[from] StatusError),
    /// A responder's key does not sign.
    #[error("the responder of {0} does not sign: {1}")]
    Signing(String, SigningError),
    /// A CA has no valid responder certificate, or is not answered for.
    #[error("{0} has no valid responder certificate")]
    NoResponder(String),
    /// There is no CA to answer for.
    #[error("there is no CA that is answered for")]
    NoAuthority,
    /// The CA is not answered for.
    #[error("{0} is not answered for: {1}")]
    NotAnswered(String, String),
    /// There is another file in the place.
    #[error("{} is no file of answers", .0.shown())]
    Foreign(PathBuf),
    /// Another process makes the same file.
    #[error("{} is being made by another process", .0.shown())]
    Busy(PathBuf),
}

impl From<MakeError> for Problem {
    fn from(error: MakeError) -> Self {
        let message = error.to_string();
        match error {
            MakeError::Write(_) => Self::new(Code::FileNotWritten, message)
                .hint("make its directory, with room and the right to write there"),
            MakeError::Status(error) => error.into(),
            MakeError::Signing(name, error) => {
                let problem = Self::from(error);
                Self {
                    message: format!("the responder of {name} does not sign: {}", problem.message),
                    ..problem
                }
            }
            MakeError::NoResponder(name) => {
                Self::new(Code::OcspNoResponder, message).hint(remedy::Access::IssueResponder(name))
            }
            MakeError::NoAuthority | MakeError::NotAnswered(..) => Self::new(Code::OcspNoResponder, message),
            MakeError::Foreign(_) => Self::new(Code::FileExists, message).hint("give another -o"),
            MakeError::Busy(_) => {
                Self::new(Code::OcspPresigning, message).hint("try again when it has ended")
            }
        }
    }
}

/// A CA that is answered for, and who signs.
struct Served<'a> {
    number: u32,
    responder_number: u16,
    issuer: &'a ServedIssuer,
    responder: &'a Arc<DelegatedResponder>,
    description: &'a Description,
    making: &'a Making<'a>,
}

/// A record that is there, or what is to be signed.
enum Work {
    Kept(Record),
    ToSign(Said),
}

/// Makes the file.
///
/// # Errors
/// When a CA has no valid responder certificate, a key does not sign, or the file cannot be written; the former one stays.
pub fn make(making: &Making<'_>) -> Result<Made, MakeError> {
    if std::fs::metadata(making.path).is_ok_and(|found| found.len() > 0) && !is_ours(making.path) {
        return Err(MakeError::Foreign(making.path.to_owned()));
    }
    let chosen = chosen(making)?;
    let description = describe(&chosen, making.snapshot);
    let places = Places::beside(making.path);
    let mut writer = Writer::begin(&places, &description)?;
    let mut formers: Vec<Former> =
        Former::whole(making.path).into_iter().chain(Former::begun(&places.begun)).collect();
    let before = formers.iter().find_map(|former| former.sealed);
    let mut counts = Counts::default();
    for (number, (issuer, responder)) in (0..).zip(&chosen) {
        let served = Served {
            number,
            responder_number: u16::try_from(number).unwrap_or(u16::MAX),
            issuer,
            responder,
            description: &description,
            making,
        };
        served.add(&mut formers, &mut writer, &mut counts)?;
    }
    let ends = writer.ends();
    let last = before.map(|(number, _)| number).unwrap_or_default();
    let number = last.saturating_add(1).max(u64::try_from(making.now.0).unwrap_or_default());
    let sealing = sealing(&chosen, before.map(|(_, by)| by));
    let (sealing, (issuer, responder)) = sealing.ok_or(MakeError::NoAuthority)?;
    writer.finish((number, making.now, sealing), |seal| {
        let signature = responder.signer().sign_answers(seal.number, seal.time, &seal.digest());
        signature.map_err(|error| MakeError::Signing(issuer.authority.name.clone(), error))
    })?;
    Ok(Made {
        number,
        authorities: chosen.iter().map(|(issuer, _)| issuer.authority.name.clone()).collect(),
        certificates: counts.certificates,
        answers: counts.answers,
        signed: counts.signed,
        ends: Some(ends).filter(|end| *end < UnixTime::NO_END),
    })
}

/// Whether the file begins as one of answers does.
fn is_ours(path: &Path) -> bool {
    AnswerStore::begins(path)
}

#[derive(Default)]
struct Counts {
    certificates: u64,
    answers: u64,
    signed: u64,
}

type Chosen<'a> = Vec<(&'a ServedIssuer, &'a Arc<DelegatedResponder>)>;

/// Returns the CAs that are answered for, and who signs for each.
fn chosen<'a>(making: &Making<'a>) -> Result<Chosen<'a>, MakeError> {
    let mut chosen = Vec::new();
    for (issuer, state) in making.snapshot.authority_states(making.now) {
        let name = &issuer.authority.name;
        let is_meant = making.authority.is_none_or(|meant| meant == name);
        if !is_meant {
            continue;
        }
        let is_answered = !state.is_lacking() && making.snapshot.is_answered(&issuer.authority, making.now);
        match issuer.valid_responders(making.now).next() {
            Some(responder) if is_answered => chosen.push((issuer, responder)),
            _ if state.is_lacking() => return Err(MakeError::NoResponder(name.clone())),
            _ if making.authority.is_some() => {
                return Err(MakeError::NotAnswered(name.clone(), state.to_string()));
            }
            _ => {}
        }
    }
    if chosen.is_empty() { Err(MakeError::NoAuthority) } else { Ok(chosen) }
}

/// Returns the CA whose responder signs for the whole file, and its number: the one that did so before, which those who serve
/// the file know, else the oldest.
fn sealing<'c, 'a>(
    chosen: &'c Chosen<'a>,
    before: Option<IssuerId>,
) -> Option<(u16, &'c (&'a ServedIssuer, &'a Arc<DelegatedResponder>))> {
    let rank = |(_, (issuer, _)): &(u16, &(&ServedIssuer, &Arc<DelegatedResponder>))| {
        let begin = issuer.authority.certificate.tbs().validity().not_before;
        (Some(issuer.authority.issuer) != before, begin)
    };
    (0..).zip(chosen).min_by_key(rank)
}

fn describe(chosen: &Chosen<'_>, snapshot: &Snapshot) -> Description {
    let mut authorities: Vec<PublishedAuthority> =
        chosen.iter().map(|(issuer, _)| issuer.authority.clone()).collect();
    let all: Vec<&PublishedAuthority> = snapshot.issuers().iter().map(|issuer| &issuer.authority).collect();
    let mut at = 0;
    // those above them too, on whose CRLs they may be; nobody answers for these from the file
    while let Some(one) = authorities.get(at) {
        if let Some(above) = parent(one, &all)
            && authorities.iter().all(|known| known.issuer != above.issuer)
        {
            authorities.push(PublishedAuthority { serves_ocsp: false, ..above.clone() });
        }
        at += 1;
    }
    let responders = (0..).zip(chosen).map(|(number, (_, responder))| {
        StoredResponder::new(number, responder.certificate().clone(), responder.signer().algorithm())
    });
    Description::new(authorities, responders.collect())
}

impl Served<'_> {
    /// Adds the records of all certificates of the CA.
    fn add(
        &self,
        formers: &mut [Former],
        writer: &mut Writer<'_>,
        counts: &mut Counts,
    ) -> Result<(), MakeError> {
        let mut batch = Vec::new();
        let mut failed = Ok(());
        self.making.status.each_of(&self.issuer.authority.issuer, &mut |serial, entry| {
            if failed.is_ok()
                && let Some(work) = self.work(formers, serial, entry)
            {
                batch.push(work);
                if batch.len() >= BATCH {
                    failed = self.put(std::mem::take(&mut batch), writer, counts);
                }
            }
            failed.is_ok()
        })?;
        failed?;
        self.put(batch, writer, counts)
    }

    /// Returns what is to be done for a certificate; `None` when it is not answered for.
    fn work(&self, formers: &mut [Former], serial: SerialNumber, entry: StatusEntry) -> Option<Work> {
        let said = self.says(serial, entry)?;
        let issuer = &self.issuer.authority.issuer;
        let forms = self.description.forms_of(self.number);
        let wanted = (forms, &self.responder.fingerprint());
        let found = formers.iter_mut().filter_map(|former| former.find(issuer, &said.serial, wanted));
        let kept = found
            .filter(|record| self.counts_still(record, &said))
            .max_by_key(|record| record.said.next_update);
        Some(match kept {
            Some(record) => Work::Kept(Record { responder: self.responder_number, ..record }),
            None => Work::ToSign(said),
        })
    }

    /// Returns what is said of a certificate from now on; `None` when there is nothing to say. This is what the daemon says
    /// that has the key (`Plan`).
    fn says(&self, serial: SerialNumber, entry: StatusEntry) -> Option<Said> {
        let (settings, now) = (self.making.settings, self.making.now);
        let id = CertificateId { issuer: self.issuer.authority.issuer, serial_number: serial };
        let StatusEntry { state, not_after } = self.making.snapshot.with_list(&id, Some(entry))?;
        let not_after = not_after?;
        let oldest = now.plus(-settings.archive_cutoff.unwrap_or_default());
        if not_after < oldest {
            return None;
        }
        let revoked = match state {
            CertificateState::Pending => return None,
            CertificateState::Issued => None,
            CertificateState::Revoked(revocation) => Some((revocation.revoked_at, revocation.reason)),
        };
        let mut this_update = self.making.status.time().min(now).plus(-settings.backdate);
        if let Some((at, _)) = revoked {
            this_update = this_update.max(at.min(now));
        }
        let validity = self.issuer.authority.certificate.tbs().validity();
        let mut ends = validity.not_after.min(self.responder.certificate().tbs().validity().not_after);
        if not_after >= now {
            ends = ends.min(not_after);
        }
        Some(Said {
            serial: id.serial_number,
            revoked,
            not_after,
            this_update,
            produced_at: now,
            next_update: now.plus(settings.next_update).min(ends),
            archive_cutoff: settings.archive_cutoff.map(|length| now.plus(-length).max(validity.not_before)),
        })
    }

    /// Whether a record from before is as good as one that says this.
    fn counts_still(&self, record: &Record, said: &Said) -> bool {
        let (found, now) = (&record.said, self.making.now);
        let same = self.responder.octets();
        let length = |said: &Said| said.next_update.0.saturating_sub(said.produced_at.0);
        found.revoked == said.revoked
            && found.not_after == said.not_after
            && found.archive_cutoff.is_some() == said.archive_cutoff.is_some()
            && found.produced_at <= now
            && now < record.refresh_at(same)
            && (length(found) <= self.making.settings.next_update)
    }

    /// Signs what is to be signed, on all processors, and writes the records.
    fn put(&self, batch: Vec<Work>, writer: &mut Writer<'_>, counts: &mut Counts) -> Result<(), MakeError> {
        let done = par_map(batch, |work| match work {
            Work::Kept(record) => Ok((record, false)),
            Work::ToSign(said) => self.signed(said).map(|record| (record, true)),
        });
        for record in done {
            let (record, is_new) = record?;
            let answers = u64::try_from(record.signatures.len()).unwrap_or_default();
            counts.certificates = counts.certificates.saturating_add(1);
            counts.answers = counts.answers.saturating_add(answers);
            counts.signed = counts.signed.saturating_add(if is_new { answers } else { 0 });
            writer.put(self.number, &record)?;
            (self.making.step)();
        }
        Ok(())
    }

    fn signed(&self, said: Said) -> Result<Record, MakeError> {
        let (same, name) = (self.responder.octets(), &self.issuer.authority.name);
        let sign = |form| {
            let data = said.data(form, same);
            let (_, data) = data.map_err(|_| SigningError::Contents("a serial number of a certificate"))?;
            self.responder.signer().sign(&data)
        };
        let forms = self.description.forms_of(self.number);
        let signatures = forms.iter().map(sign).collect::<Result<_, _>>();
        let signatures = signatures.map_err(|error| MakeError::Signing(name.clone(), error))?;
        Ok(Record { said, responder: self.responder_number, signatures })
    }
}
