//! Doing what is safe.
use super::FindingCode;
use super::finding::{Finding, Mending};
use crate::backup;
use crate::ca::Engine;
use crate::error::{Code, Problem};
use crate::home::{self, Accounts, Home, Mode, Reserve, write_new};
use crate::index::CertificateState;
use crate::x509::CertificateId;
use std::fs::{self, DirBuilder, Permissions};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::Path;

/// Why a finding was not mended.
#[derive(Debug, thiserror::Error)]
pub enum Unmended {
    /// The system refuses to.
    #[error(transparent)]
    System(#[from] std::io::Error),
    /// The use case refuses to, or failed.
    #[error(transparent)]
    Failed(#[from] Problem),
    /// This finding comes first.
    #[error("not while there is {0}")]
    Withheld(FindingCode),
}

/// What became of a finding that was to be mended.
#[derive(Debug)]
pub struct Mended {
    /// The finding's code.
    pub code: FindingCode,
    /// The finding's object.
    pub object: String,
    /// Why it was not mended.
    pub outcome: Result<(), Unmended>,
}

/// While one of these is found, the index is, or may be, an older copy: nothing new is published from it, for
/// that could make good again what was revoked.
pub(super) const OLDER_COPY: [FindingCode; 4] = [
    FindingCode::IndexRestored,
    FindingCode::CrlExtraEntry,
    FindingCode::StatusLostRevocation,
    FindingCode::IssuedUnrecorded,
];
/// With one of these the index is not to be trusted with what it says.
const DAMAGED: [FindingCode; 4] = [
    FindingCode::IndexStorage,
    FindingCode::IndexReference,
    FindingCode::IndexRecord,
    FindingCode::IndexSignature,
];

/// Mends what needs no index: modes, directories, configuration and profiles that are missing, files that were
/// left behind.
#[must_use]
pub(crate) fn mend_files(home: &Home, findings: &[&Finding]) -> Vec<Mended> {
    let mut mended = Vec::new();
    let mut tried: Vec<&Mending> = Vec::new();
    for finding in findings {
        // several findings may be mended by one act
        let done = match &finding.mending {
            Some(mending) if tried.contains(&mending) => Ok(()),
            Some(Mending::Mode(loose)) => loose.mend(),
            Some(Mending::Directory(path, mode)) => make_directory(path, *mode),
            Some(Mending::File(path, text)) => {
                write_new(path, text.as_bytes(), Mode::Public).map_err(|error| error.source)
            }
            Some(Mending::Leftover(path)) => home::remove_left(path),
            Some(Mending::Workplace(path)) => backup::remove_left(path),
            Some(Mending::Reserve) => hold(&Reserve::of(home)),
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

fn hold(reserve: &Reserve) -> std::io::Result<()> {
    match reserve.hold() {
        Ok(true) => Ok(()),
        Ok(false) => Err(std::io::Error::other("there is no room for it, or a command is at work with it")),
        Err(error) => Err(error),
    }
}

fn of(finding: &Finding, outcome: Result<(), Unmended>) -> Mended {
    Mended { code: finding.code, object: finding.object.clone(), outcome }
}

/// Mends what the index has the truth of: what is pending, the published status, files of certificates; and,
/// where the key can be used without asking, CRLs and responder certificates.
#[must_use]
pub(crate) fn mend_records(engine: &Engine, findings: &[&Finding], signs: bool) -> Vec<Mended> {
    let damaged = findings.iter().find(|finding| DAMAGED.contains(&finding.code));
    let (mut mended, contradicted) = take_over(engine, findings);
    let older = findings
        .iter()
        .find(|finding| OLDER_COPY.contains(&finding.code) && !is_revoked_by_now(engine, finding))
        .map(|finding| finding.code);
    // what a CA signed is taken over before anything new is published
    let withheld = older
        .or(damaged.map(|finding| finding.code))
        .or(contradicted.then_some(FindingCode::IndexContradictsCrl));
    if withheld.is_none() && !mended.is_empty() {
        // should it fail, it is found, and tried again by the next command
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
        // whoever signed under such a number could hardly ever take a smaller one again
        let by_note = |name: &str| {
            findings.iter().any(|one| one.code == FindingCode::CrlNoteTooLarge && one.object == name)
        };
        if let Mending::Crl(name) = mending
            && by_note(name)
        {
            mended.push(of(finding, Err(Unmended::Withheld(FindingCode::CrlNoteTooLarge))));
            continue;
        }
        // several findings about one CRL are mended by one list
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

/// Takes over what CRLs have revoked before anything is published: that makes nothing good again. Says whether
/// some of it could not be.
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

/// Whether a lost revocation, told as `CA/SERIAL`, is on record again.
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
            let authority = engine.hierarchy().authority(name)?;
            engine
                .publication()
                .publish_authority(&engine.publication().check_authority_published(authority)?)
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
        | Mending::Reserve => Ok(()),
    }
}
