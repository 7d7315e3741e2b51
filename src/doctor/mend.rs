//! Repairs that are safe without a decision of a person.
use super::FindingCode;
use super::finding::{Finding, Mending};
use crate::backup;
use crate::ca::Engine;
use crate::error::{Code, Problem};
use crate::home::{self, Accounts, Home, Mode, ReserveFile, write_new};
use crate::index::CertificateState;
use crate::x509::CertificateId;
use std::fs::{self, DirBuilder, Permissions};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::Path;

/// Reasons why a finding was not repaired.
#[derive(Debug, thiserror::Error)]
pub enum Unmended {
    /// The system returned an error.
    #[error(transparent)]
    System(#[from] std::io::Error),
    /// The use case refused, or failed.
    #[error(transparent)]
    Failed(#[from] Problem),
    /// A finding of this code has to be resolved first.
    #[error("not while there is {0}")]
    Withheld(FindingCode),
}

/// The result of a repair.
#[derive(Debug)]
pub struct Mended {
    /// Code of the finding.
    pub code: FindingCode,
    /// Object of the finding.
    pub object: String,
    /// The result; an error says why the finding was not repaired.
    pub outcome: Result<(), Unmended>,
}

/// Codes that mean that the index is, or may be, an older copy. While one of them is found, nothing new is published
/// from the index, since that could make a revoked certificate valid again.
pub(super) const OLDER_COPY: [FindingCode; 4] = [
    FindingCode::IndexRestored,
    FindingCode::CrlExtraEntry,
    FindingCode::StatusLostRevocation,
    FindingCode::IssuedUnrecorded,
];
/// Codes that mean that the contents of the index cannot be trusted.
const DAMAGED: [FindingCode; 4] = [
    FindingCode::IndexStorage,
    FindingCode::IndexReference,
    FindingCode::IndexRecord,
    FindingCode::IndexSignature,
];

/// Makes the repairs that need no index: modes, directories, missing configuration and profiles, files left behind.
#[must_use]
pub(crate) fn mend_files(home: &Home, findings: &[&Finding]) -> Vec<Mended> {
    let mut mended = Vec::new();
    let mut tried: Vec<&Mending> = Vec::new();
    for finding in findings {
        // one operation may repair several findings
        let done = match &finding.mending {
            Some(mending) if tried.contains(&mending) => Ok(()),
            Some(Mending::Mode(loose)) => loose.mend(),
            Some(Mending::Directory(path, mode)) => make_directory(path, *mode),
            Some(Mending::File(path, text)) => {
                write_new(path, text.as_bytes(), Mode::Public).map_err(|error| error.source)
            }
            Some(Mending::Leftover(path)) => home::remove_left(path),
            Some(Mending::Workplace(path)) => backup::remove_left(path),
            Some(Mending::ReserveFile) => hold(&ReserveFile::of(home)),
            _ => continue,
        };
        tried.extend(&finding.mending);
        mended.push(of(finding, done.map_err(Unmended::System)));
    }
    mended
}

fn make_directory(path: &Path, mode: u32) -> std::io::Result<()> {
    DirBuilder::new().mode(mode & 0o700).create(path)?;
    let mode = Accounts::of_system().confined_mode(mode, &fs::metadata(path)?);
    fs::set_permissions(path, Permissions::from_mode(mode))
}

fn hold(reserve: &ReserveFile) -> std::io::Result<()> {
    match reserve.hold() {
        Ok(true) => Ok(()),
        Ok(false) => Err(std::io::Error::other("there is no room for it, or a command is at work with it")),
        Err(error) => Err(error),
    }
}

fn of(finding: &Finding, outcome: Result<(), Unmended>) -> Mended {
    Mended { code: finding.code, object: finding.object.clone(), outcome }
}

/// Makes the repairs that take the index as the truth: pending records, the published status, files of certificates.
/// With `signs`, also CRLs and responder certificates whose keys can be used without asking a user.
#[must_use]
pub(crate) fn mend_records(engine: &Engine, findings: &[&Finding], signs: bool) -> Vec<Mended> {
    let damaged = findings.iter().find(|finding| DAMAGED.contains(&finding.code));
    let (mut mended, contradicted) = take_over(engine, findings);
    let older = findings
        .iter()
        .find(|finding| OLDER_COPY.contains(&finding.code) && !is_revoked_by_now(engine, finding))
        .map(|finding| finding.code);
    // the revocations in CRLs are recorded before anything new is published
    let withheld = older
        .or(damaged.map(|finding| finding.code))
        .or(contradicted.then_some(FindingCode::IndexContradictsCrl));
    if withheld.is_none() && !mended.is_empty() {
        // a failure is found by the next examination, and the next command publishes again
        let _ = engine.publication().publish_status();
    }
    let mut published: Vec<&Mending> = Vec::new();
    for finding in findings {
        let Some(mending) = &finding.mending else { continue };
        if mending.is_of_files() || matches!(mending, Mending::Revocations(_)) {
            continue;
        }
        let harmless = matches!(mending, Mending::Pending | Mending::CrlPem(_));
        if let Some(code) = withheld.filter(|_| !harmless) {
            mended.push(of(finding, Err(Unmended::Withheld(code))));
            continue;
        }
        // a CRL that was signed under such a number would keep the CA from ever using a smaller one
        let by_note = |name: &str| {
            findings.iter().any(|one| one.code == FindingCode::CrlNoteTooLarge && one.object == name)
        };
        if let Mending::Crl(name) = mending
            && by_note(name)
        {
            mended.push(of(finding, Err(Unmended::Withheld(FindingCode::CrlNoteTooLarge))));
            continue;
        }
        // one new CRL repairs several findings
        let outcome = if published.contains(&mending) {
            Ok(())
        } else {
            published.push(mending);
            mend(engine, mending, signs).map_err(Unmended::Failed)
        };
        mended.push(of(finding, outcome));
    }
    mended
}

/// Records the revocations of CRLs before anything is published, which cannot make a certificate valid. Returns the
/// results, and whether some revocation could not be recorded.
fn take_over(engine: &Engine, findings: &[&Finding]) -> (Vec<Mended>, bool) {
    let mut mended = Vec::new();
    for finding in findings {
        let Some(Mending::Revocations(name)) = &finding.mending else { continue };
        let taken = engine.revocation().take_over_from_crl(name).map(drop);
        mended.push(of(finding, taken.map_err(Unmended::Failed)));
    }
    let failed = mended.iter().any(|one: &Mended| one.outcome.is_err());
    (mended, failed)
}

/// Returns whether a lost revocation, reported as `CA/SERIAL`, is on record again.
fn is_revoked_by_now(engine: &Engine, finding: &Finding) -> bool {
    let state = || {
        let (name, serial) = finding.object.split_once('/')?;
        let id = CertificateId {
            issuer: engine.hierarchy().authority(name).ok()?.issuer,
            serial_number: serial.parse().ok()?,
        };
        engine.record().status(&id).ok()?
    };
    finding.code == FindingCode::StatusLostRevocation
        && matches!(state(), Some(CertificateState::Revoked(revocation)) if !revocation.is_hold())
}

fn mend(engine: &Engine, mending: &Mending, signs: bool) -> Result<(), Problem> {
    match mending {
        Mending::Pending => engine.maintenance().abandon_pending().map(drop),
        Mending::Status => Ok(engine.publication().publish_status()?),
        Mending::WholeStatus => Ok(engine.publication().rebuild_status()?),
        Mending::Authority(name) => {
            engine.publication().catch_up()?;
            engine.publication().publish_authority(&engine.publication().check_authority_published(name)?)
        }
        Mending::Issued(name, ids) => {
            engine.publication().catch_up()?;
            for id in ids {
                engine.publication().repeat_issued(name, id)?;
            }
            Ok(())
        }
        Mending::CrlPem(name) => engine.publication().repeat_crl_text(name),
        Mending::Crl(_) | Mending::Responder(_) if !signs => {
            Err(Problem::new(Code::ConfigInvalid, "nothing is signed while the configuration cannot be read"))
        }
        Mending::Crl(name) => {
            engine.maintenance().publish_crl(name, &engine.maintenance().unlock_for_crl(name)?).map(drop)
        }
        Mending::Responder(name) => {
            engine.issuance().issue_responder(&engine.issuance().unlock_issuer(name)?).map(drop)
        }
        Mending::Revocations(name) => engine.revocation().take_over_from_crl(name).map(drop),
        Mending::Mode(_)
        | Mending::Directory(..)
        | Mending::File(..)
        | Mending::Leftover(_)
        | Mending::Workplace(_)
        | Mending::ReserveFile => Ok(()),
    }
}
