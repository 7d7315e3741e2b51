//! Assembles `genfic-signer` as a service.
use super::settings::KeptProfiles;
use crate::error::{Code, Problem, Shown as _, remedy};
use crate::home::verify_signer;
use crate::signer::{
    Act, ActKind, Asker, Confined, Demand, Door, Event, Grant, JournalPlace, ListeningError, Notice,
    OwnRules, Patience, Places, Prepared, RemoteTokens, SharedRing, Signals, Signer, SignerParts, Sockets,
    Standing, TokenPins, confine, listen, passed_by_systemd, say, serve,
};
use crate::signing::{AgeFileStore, KeyError, KeyVault, PassphrasePolicy, SecretSource, TokenStore};
use crate::x509::UnixTime;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// How long the service stays when nobody is there and nothing is unlocked.
const IDLE: Duration = Duration::from_secs(300);

/// What the service is told on its command line.
#[derive(Clone, Debug)]
pub struct SignerService {
    /// Its directory: keys, marks, envelopes, journal, record.
    pub directory: PathBuf,
    /// The profiles of the security administrator.
    pub policy: PathBuf,
    /// The socket of the CA's user, where systemd passes none.
    pub listen_ca: Option<PathBuf>,
    /// The socket of administrators, likewise.
    pub listen_admin: Option<PathBuf>,
    /// The socket of the process that reaches tokens, likewise.
    pub listen_tokens: Option<PathBuf>,
    /// Whether it goes on where its memory cannot be kept out of the swap.
    pub may_be_swapped: bool,
    /// The scrypt work factor of new keys, as the base 2 logarithm of N; `None` for the usual one.
    pub scrypt_log_n: Option<u8>,
}

/// Serves clients until a signal ends the service.
///
/// # Errors
/// When it cannot listen, or the system does not confine it.
pub fn serve_signer(service: &SignerService) -> Result<(), Problem> {
    verify_signer(&service.directory, Some(&service.policy))?;
    let signals = Signals::hold().map_err(|error| unheard(&error))?;
    let (sockets, is_by_systemd) = sockets(service).map_err(|error| unheard(&error))?;
    // systemd starts it again with the next client
    let patience = Patience { idle: is_by_systemd.then_some(IDLE), ..Patience::default() };
    let notice = Notice::connect()
        .map_err(|error| Problem::new(Code::SignerUnavailable, format!("systemd is not reached: {error}")))?;
    let directory = service.directory.canonicalize().map_err(|error| {
        let message = format!("{} cannot be used: {error}", service.directory.shown());
        Problem::new(Code::SignerUnavailable, message).hint(remedy::Access::Signer)
    })?;
    confined(service, &directory)?;
    let standing = Arc::new(standing(service, directory, sockets.has(Door::Tokens))?);
    notice.ready();
    let ended = serve(&sockets, &signals, &standing, patience);
    notice.stopping();
    ended.map(drop).map_err(|error| unheard(&error))
}

/// Confines the process. Whatever else is missing, it does not go on with every system call.
fn confined(service: &SignerService, directory: &Path) -> Result<(), Problem> {
    let demand = if service.may_be_swapped { Demand::Possible } else { Demand::Required };
    let refused = |problem: Problem| problem.hint(remedy::Access::SignerLimits);
    let confined: Confined = confine(&places(directory, &service.policy), demand)
        .map_err(|error| refused(Problem::of(Code::SignerUnavailable, error)))?;
    if !confined.files {
        say("the kernel has no Landlock: files of others are shut by their owners and modes alone");
    }
    match confined.calls {
        true => Ok(()),
        false => Err(refused(Problem::new(Code::SignerUnavailable, "system calls cannot be forbidden"))),
    }
}

fn unheard(error: &ListeningError) -> Problem {
    Problem::new(Code::SignerUnavailable, error.to_string()).hint(remedy::Access::SignerSocket)
}

/// Returns the sockets, and whether systemd passed them.
fn sockets(service: &SignerService) -> Result<(Sockets, bool), ListeningError> {
    let named = [
        (&service.listen_ca, Door::Ca),
        (&service.listen_admin, Door::Administration),
        (&service.listen_tokens, Door::Tokens),
    ];
    let named = named.into_iter().filter_map(|(path, door)| Some((path.clone()?, door)));
    match passed_by_systemd()? {
        Some(sockets) => Ok((sockets, true)),
        None => Ok((listen(&named.collect::<Vec<_>>())?, false)),
    }
}

/// Returns the only files that the service may still open: its own, the profiles, what it reads of its clients'
/// processes, and the credentials of its unit.
fn places(directory: &Path, policy: &Path) -> Places {
    let places = Places::default().write(directory).read(Path::new("/proc")).read(policy);
    match std::env::var_os("CREDENTIALS_DIRECTORY") {
        Some(credentials) => places.read(Path::new(&credentials)),
        None => places,
    }
}

fn standing(service: &SignerService, directory: PathBuf, expects_tokens: bool) -> Result<Standing, Problem> {
    let prepared = Arc::new(Prepared::new(PassphrasePolicy::default(), super::now));
    let secrets: Arc<dyn SecretSource> = prepared.clone();
    let store = match service.scrypt_log_n {
        Some(scrypt_log_n) => AgeFileStore::new(&directory, scrypt_log_n, Arc::clone(&secrets))
            .map_err(|error| Problem::new(Code::Usage, error.to_string()))?,
        None => AgeFileStore::usual(&directory, Arc::clone(&secrets)),
    };
    let pins: Arc<dyn SecretSource> = Arc::new(TokenPins(Arc::clone(&prepared)));
    let beside = TokenStore::new(Vec::new(), &directory, Arc::clone(&pins));
    let tokens = Arc::new(RemoteTokens::of_service(pins, Arc::new(beside), expects_tokens));
    let vaults: Vec<Arc<dyn KeyVault>> = vec![Arc::new(store.keeping_work()), tokens.clone()];
    let policy = KeptProfiles::within(&service.policy);
    let rules = OwnRules::new(directory.clone(), Box::new(move || policy.read()), super::now);
    let journal = Arc::new(JournalPlace::within(directory));
    let noting = Arc::clone(&journal);
    let ring = Arc::new(SharedRing::new(prepared, Box::new(move |event| note(&noting, &event))));
    let signer = Signer::new(SignerParts {
        vaults: vaults.clone(),
        ring: Box::new(Arc::clone(&ring)),
        rules: Box::new(rules),
        journal,
        now: super::now,
        sources: None,
        source: None,
    });
    Standing::new(signer, ring, vaults, env!("CARGO_PKG_VERSION"), super::now)
        .map(|standing| standing.with_tokens(tokens))
        .map_err(|error| Problem::new(Code::SignerUnavailable, format!("no thread is started: {error}")))
}

/// Journals what happened to a key.
fn note(journal: &JournalPlace, event: &Event) -> Result<(), KeyError> {
    let at: UnixTime = super::now();
    let user = rustix::process::geteuid().as_raw();
    let mut identity = None;
    let (kind, login, details) = match event {
        Event::Unlocked(grant) => (ActKind::Unlocked, grant.login, said(grant)),
        Event::Locked(grant) => (ActKind::Locked, grant.login, said(grant)),
        Event::Protected { key, identity: of, login, how } => {
            identity = Some(*of);
            (ActKind::KeyProtected, *login, format!("{key}, {how}"))
        }
        Event::WrongPassphrase { key, login, number } => {
            (ActKind::WrongPassphrase, *login, format!("{key}, {number} in a row"))
        }
    };
    let by = Asker { user, login: Some(login.loginuid), session: login.session };
    let act = Act { kind, key: identity, details };
    let noted = journal.journal(by, at).and_then(|journal| journal.turn()?.act(by, at, vec![act]));
    Ok(noted?)
}

fn said(grant: &Grant) -> String {
    let each = grant.left.iter().map(|(scope, left)| match left {
        Some(left) => format!("{left} {}", scope.name()),
        None => scope.name().to_owned(),
    });
    let session = grant.login.session.map(|session| format!(", session {session}")).unwrap_or_default();
    format!("{} for {} until {}{session}", grant.key, each.collect::<Vec<_>>().join(", "), grant.until)
}
