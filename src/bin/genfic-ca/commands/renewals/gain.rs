//! What `--expiring` asks of each certificate before it is issued again: that the new one can end later.
use super::super::renewal::Former;
use crate::cli::Renew;
use crate::session::Session;
use genfic_ca::error::{Code, Problem, Shown as _};
use genfic_ca::home::Home;
use genfic_ca::x509::{TbsCertificate, UnixTime};
use std::fs::{File, TryLockError};
use std::thread;
use std::time::{Duration, Instant};

/// How long another such command is waited for, and the time between two looks.
const WAIT: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_millis(20);

/// Refuses a certificate that ends as late as its CA, whose end the new one would have too. Where the CA's chain is
/// revoked, another CA's certificate is a gain whenever it ends.
pub(crate) fn check_gain(session: &Session, args: &Renew, former: &Former) -> Result<(), Problem> {
    if args.expiring.is_none() || has_fallen(session, former)? {
        return Ok(());
    }
    let (name, end) = session.engine().hierarchy().first_to_end(&former.authority)?;
    if end > former.record.validity.not_after {
        return Ok(());
    }
    Err(Problem::new(Code::RenewalNoGain, "it ends with its CA; renew the CA first")
        .hint(format!("genfic-ca renew-ca {name}")))
}

/// Refuses a certificate that would end sooner than the present one.
pub(crate) fn check_later(
    session: &Session,
    args: &Renew,
    former: &Former,
    tbs: &TbsCertificate,
) -> Result<(), Problem> {
    let (new, present): (UnixTime, UnixTime) = (tbs.validity().not_after, former.record.validity.not_after);
    if args.expiring.is_none() || new >= present || has_fallen(session, former)? {
        return Ok(());
    }
    let message = format!("the new one would end on {new}, and the present one ends on {present}");
    Err(Problem::new(Code::RenewalNoGain, message).hint("have it end later by -v or --profile"))
}

fn has_fallen(session: &Session, former: &Former) -> Result<bool, Problem> {
    let hierarchy = session.engine().hierarchy();
    Ok(hierarchy.chain_is_revoked(&hierarchy.authority(&former.record.authority)?)?)
}

/// Waits until no other command with `--expiring` is at work in this home, which would issue the same. The lock is
/// held until the file is dropped. A home without keys has none.
pub(crate) fn alone(home: &Home, args: &Renew) -> Result<Option<File>, Problem> {
    let directory = home.keys_directory();
    let Some(Ok(file)) = args.expiring.as_ref().map(|_| File::open(&directory)) else { return Ok(None) };
    let begun = Instant::now();
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(Some(file)),
            // a file system without locks
            Err(TryLockError::Error(_)) => return Ok(None),
            Err(TryLockError::WouldBlock) if begun.elapsed() < WAIT => thread::sleep(PAUSE),
            Err(TryLockError::WouldBlock) => {
                let message = format!("another command keeps {} locked", directory.shown());
                return Err(Problem::new(Code::KeyInUse, message).hint("wait for it, and try again"));
            }
        }
    }
}
