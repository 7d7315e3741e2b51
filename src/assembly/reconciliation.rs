//! Compares the journals of the signers with the index: that of the commands on this home, and that of the signer that
//! listens.
use super::Assembly;
use crate::error::{Code, Problem, Shown as _};
use crate::index::{
    Authority, AuthorityReader as _, CertificateReader as _, CrlReader as _, Filter, KeyLocation,
};
use crate::signer::{
    Contradiction, JOURNAL, JournalFault, NamedIntent, Reconciled, Reconciliation, RemoteJournal, Row, named,
};
use crate::signing::{KeyError, KeyRef};
use crate::x509::{CertificateId, IssuerId, SerialNumber, sha256};
use base16ct::lower::encode_string as hex;
use std::collections::HashMap;
use std::fmt;
use std::fs::File;
use std::io::{self, ErrorKind, Read, Seek, SeekFrom};
use std::path::PathBuf;

/// Contradictions that a message names; the others are counted.
const NAMED: usize = 8;

/// A signer's journal compared with the index. Nothing in it is an alarm.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct JournalComparison {
    /// Number of entries of the journal.
    pub entries: u64,
    /// Digest of its newest group, and so of all.
    pub head: [u8; 32],
    /// Certificates and CRLs that both know.
    pub both: u64,
    /// Certificates that were signed before the journal began, or where a restore has left a gap.
    pub older: u64,
    /// Signatures that were accepted as lost after a restore.
    pub accepted: u64,
    /// What was about to be signed and never was, as a crash leaves it.
    pub unsigned: u64,
}

/// The journals that were compared with the index; each is `None` where there is none.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct JournalComparisons {
    /// That of the signers that commands on this home start.
    pub home: Option<JournalComparison>,
    /// That of the signer that listens.
    pub service: Option<JournalComparison>,
}

/// A journal that is read from any octet on.
enum JournalSource {
    /// The file in the home.
    Home(PathBuf),
    /// That of the signer which listens on this socket.
    Service(PathBuf, RemoteJournal),
}

/// Writes the file, or whose it is.
impl fmt::Display for JournalSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Home(file) => write!(f, "{}", file.shown()),
            Self::Service(socket, _) => write!(f, "the journal of the signer on {}", socket.shown()),
        }
    }
}

impl JournalSource {
    fn from(&self, offset: u64) -> io::Result<Box<dyn Read>> {
        match self {
            Self::Home(path) => {
                let mut file = File::open(path)?;
                file.seek(SeekFrom::Start(offset))?;
                Ok(Box::new(io::BufReader::with_capacity(1 << 18, file)))
            }
            Self::Service(_, journal) => Ok(Box::new(journal.from(offset))),
        }
    }

    /// Returns whether what the key of this CA signs is in this journal.
    fn has(&self, authority: &Authority) -> bool {
        !authority.is_external()
            && match authority.key_location() {
                KeyLocation::File(_) | KeyLocation::Token(_) => matches!(self, Self::Home(_)),
                KeyLocation::FileOfService(_) | KeyLocation::TokenOfService(_) => {
                    matches!(self, Self::Service(..))
                }
                KeyLocation::Media(_) | KeyLocation::Unknown => false,
            }
    }

    fn failed(&self, error: io::Error) -> Problem {
        match (self, error.downcast::<KeyError>()) {
            // nobody takes it for a journal that was looked at
            (_, Ok(error)) => {
                let problem = Problem::from(error);
                Problem {
                    message: format!("{self} was not compared with the index: {}", problem.message),
                    ..problem
                }
            }
            (Self::Home(_), Err(error)) => Problem::new(Code::JournalFailed, format!("{self}: {error}"))
                .hint("look at its owner and mode, then try again"),
            (Self::Service(..), Err(error)) => Problem::new(Code::JournalFailed, format!("{self}: {error}"))
                .hint("it was not compared with the index; try again"),
        }
    }

    fn fault(&self, fault: JournalFault) -> Problem {
        match fault {
            JournalFault::Io(error) => self.failed(error),
            fault => Problem::new(Code::JournalDamaged, format!("{self}: {fault}")).hint(
                "keep the files as they are and compare with a backup of the signer: somebody or something changed \
                 its journal",
            ),
        }
    }
}

impl Assembly {
    /// Compares the journals of the signers with the index.
    ///
    /// # Errors
    /// `journal.damaged` when an entry was changed or is missing; `journal.unreconciled` when the index does not know
    /// a signature of a journal, or the journal none of the index; `signer.unavailable` when the signer that listens is
    /// not reached, whose journal nobody has looked at then.
    pub fn reconcile_journals(&self) -> Result<JournalComparisons, Problem> {
        let authorities = self.index.authorities()?;
        let home = JournalSource::Home(self.home.keys_directory().join(JOURNAL));
        let home = self.reconcile(&home, &authorities);
        let service = match self.service_journal(&authorities) {
            Ok(Some(journal)) => self.reconcile(&journal, &authorities),
            Ok(None) => Ok(None),
            Err(problem) => Err(problem),
        };
        match (home, service) {
            (Ok(home), Ok(service)) => Ok(JournalComparisons { home, service }),
            (Err(problem), Ok(_)) | (Ok(_), Err(problem)) => Err(problem),
            (Err(one), Err(other)) => {
                // an alarm comes before what could not be looked at
                let (first, second) =
                    if one.code == Code::SignerUnavailable { (other, one) } else { (one, other) };
                Err(Problem { message: format!("{}; {}", first.message, second.message), ..first })
            }
        }
    }

    /// Returns the journal of the signer that listens, where the configuration names one.
    fn service_journal(&self, authorities: &[Authority]) -> Result<Option<JournalSource>, Problem> {
        let in_service = authorities.iter().map(KeyRef::of).find(KeyRef::is_in_service);
        match (&self.settings.config.keys.signer_socket, in_service) {
            (Some(socket), _) => {
                let journal = RemoteJournal::at(socket.clone());
                Ok(Some(JournalSource::Service(socket.clone(), journal)))
            }
            (None, Some(key)) => {
                let problem = Problem::from(KeyError::NoService(key.uri));
                let message = format!("its journal was not compared with the index: {}", problem.message);
                Err(Problem { message, ..problem })
            }
            (None, None) => Ok(None),
        }
    }

    /// Compares one journal with the index; `None` where nothing was signed since there are journals.
    fn reconcile(
        &self,
        journal: &JournalSource,
        authorities: &[Authority],
    ) -> Result<Option<JournalComparison>, Problem> {
        let source = match journal.from(0) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            source => source.map_err(|error| journal.failed(error))?,
        };
        let mut compared = Reconciliation::read(source).map_err(|fault| journal.fault(fault))?;
        let head = compared.head();
        let keys: HashMap<IssuerId, ([u8; 32], bool)> = authorities
            .iter()
            .map(|one| (one.issuer, (one.certificate.tbs().public_key().digest(), journal.has(one))))
            .collect();
        // what is signed meanwhile is in the journal at the latest when it is read again
        let mut on_record: Vec<(CertificateId, Row)> = Vec::new();
        let mut count = 0_u64;
        let take = |compared: &mut Reconciliation, on_record: &mut Vec<_>| {
            for (id, row) in on_record.drain(..) {
                let (id, row): (CertificateId, Row) = (id, row);
                if let Some((key, is_here)) = keys.get(&id.issuer) {
                    compared.certificate(key, *is_here, &id.serial_number, row);
                }
            }
        };
        let mut fault = None;
        self.index.list(&Filter::default(), &mut |record| {
            count = count.saturating_add(1);
            let row = match (&record.certificate, record.intended) {
                (Some(certificate), _) => Row::Issued(sha256(certificate.tbs().as_der())),
                (None, Some(intended)) => Row::Intended(intended),
                (None, None) => Row::Number,
            };
            on_record.push((record.id, row));
            if on_record.len() >= 4096 {
                fault = journal.read_on(&mut compared).err();
                take(&mut compared, &mut on_record);
            }
            fault.is_none()
        })?;
        if let Some(fault) = fault {
            return Err(fault);
        }
        journal.read_on(&mut compared)?;
        take(&mut compared, &mut on_record);
        let crls: Vec<_> = compared.crls().collect();
        for (key, number) in crls {
            for (issuer, _) in keys.iter().filter(|(_, (of, _))| *of == key) {
                for digest in self.index.recorded_crls(issuer, number)? {
                    compared.crl(&key, number, &digest);
                }
            }
        }
        let found = compared.finish();
        if !found.contradictions.is_empty() {
            return Err(contradicted(journal, &found, authorities));
        }
        let Reconciled { both, older, accepted, unsigned, .. } = found;
        Ok(Some(JournalComparison {
            entries: head.sequence,
            head: head.digest,
            both,
            older,
            accepted,
            unsigned,
        }))
    }
}

impl JournalSource {
    fn read_on(&self, compared: &mut Reconciliation) -> Result<(), Problem> {
        let since = self.from(compared.head().offset).map_err(|error| self.failed(error))?;
        compared.read_on(since).map_err(|fault| self.fault(fault))
    }
}

fn contradicted(journal: &JournalSource, found: &Reconciled, authorities: &[Authority]) -> Problem {
    let sequence = |contradiction: &Contradiction| match contradiction {
        Contradiction::UnknownCertificate { sequence }
        | Contradiction::UnknownCrl { sequence, .. }
        | Contradiction::Other { sequence }
        | Contradiction::GivenUp { sequence } => Some(*sequence),
        Contradiction::NotInJournal { .. } => None,
    };
    let shown: Vec<&Contradiction> = found.contradictions.iter().take(NAMED).collect();
    let mut sequences: Vec<u64> = shown.iter().filter_map(|one| sequence(one)).collect();
    sequences.sort_unstable();
    let intents: HashMap<u64, NamedIntent> = journal
        .from(0)
        .ok()
        .and_then(|source| named(source, &sequences).ok())
        .unwrap_or_default()
        .into_iter()
        .collect();
    let name = |key: &[u8; 32]| {
        let of = authorities.iter().find(|one| one.certificate.tbs().public_key().digest() == *key);
        of.map_or_else(|| hex(key), |one| one.name.clone())
    };
    let told = |one: &&Contradiction| {
        let intent = |sequence: &u64| match intents.get(sequence) {
            Some(intent) => {
                let serial = intent.signed.serial.as_ref().map(SerialNumber::to_string);
                let login = intent.login.map(|login| format!(", loginuid {login}")).unwrap_or_default();
                format!(
                    "{}/{} (entry {sequence}, {}, uid {}{login})",
                    name(&intent.signed.key),
                    serial.unwrap_or_default(),
                    intent.at,
                    intent.user
                )
            }
            None => format!("entry {sequence}"),
        };
        match one {
            Contradiction::UnknownCertificate { sequence } => {
                format!("the index does not know a certificate that was signed, {}", intent(sequence))
            }
            Contradiction::UnknownCrl { sequence, key, number } => {
                format!(
                    "the index does not know CRL {number} of {}, which was signed (entry {sequence})",
                    name(key)
                )
            }
            Contradiction::NotInJournal { key, serial } => {
                format!("the journal does not know {}/{serial}, which the index has as issued", name(key))
            }
            Contradiction::Other { sequence } => {
                format!(
                    "the index has another certificate than the one that was signed, {}",
                    intent(sequence)
                )
            }
            Contradiction::GivenUp { sequence } => {
                format!("the index has a certificate that was given up, {}", intent(sequence))
            }
        }
    };
    let mut said: Vec<String> = shown.iter().map(told).collect();
    let others = found.contradictions.len().saturating_sub(shown.len());
    if others > 0 {
        said.push(format!("and {others} others"));
    }
    Problem::new(Code::JournalUnreconciled, format!("{journal}: {}", said.join("; "))).hint(
        "keep the home and the signer's files as they are. Revoke what nobody can account for, and find out who had \
         the key or the index",
    )
}
