//! Errors that go over and come back.
use super::*;
use crate::home::{AccessCause, AccessFinding};
use crate::signing::KeyPlace;

fn over(failure: Failure) -> Failure {
    serde_json::from_str(&serde_json::to_string(&failure).unwrap()).unwrap()
}

#[test]
fn a_client_gets_the_error_that_the_signer_had() {
    let file = || KeyPlace::File("/k/a.age".into());
    let finding = AccessFinding {
        path: "/k/a.age".into(),
        cause: AccessCause::Mode(0o044),
        fault: "can be read by others".into(),
        remedy: "chmod go-rwx /k/a.age".into(),
    };
    let write = || WriteError { path: "/k/a.age".into(), source: io::Error::from_raw_os_error(28) };
    let errors: Vec<KeyError> = vec![
        KeyError::NotFound(file()),
        KeyError::NotAnIdentity(file()),
        KeyError::IdentityRejected(file()),
        KeyError::Plugin(file(), "it is not connected".into()),
        KeyError::PluginNotRun(file(), "age-plugin-yubikey".into()),
        KeyError::Exists(KeyPlace::Uri("pkcs11:token=a".into())),
        KeyError::SecretUnavailable("a".into()),
        KeyError::SecretFileExists("a".into()),
        KeyError::InputNeeded("a".into()),
        KeyError::NewInputNeeded("a".into()),
        KeyError::NotShown("a".into()),
        KeyError::Mistyped("a".into(), Mistyped::Weak("short".into())),
        KeyError::Mistyped("a".into(), Mistyped::NotAsShown),
        KeyError::Mistyped("a".into(), Mistyped::FileKey),
        KeyError::Weak("a".into(), "b".into()),
        KeyError::Interrupted("a".into()),
        KeyError::SecretRejected(file()),
        KeyError::Backend(file(), "b".into()),
        KeyError::NotRead(file(), "b".into()),
        KeyError::Unsafe(finding),
        KeyError::NotWritten(write()),
        KeyError::Malformed("a".into()),
        KeyError::Cryptography("signing".into()),
        KeyError::Signer("a".into()),
        KeyError::NotReached { socket: "/run/s".into(), reason: "b".into() },
        KeyError::NoService("signer:a.age".into()),
        KeyError::Prevented { code: Code::DiskFull, reason: "a".into(), hint: "b".into() },
        KeyError::Locked { key: "a".into(), scope: Some("ca".into()), reason: "b".into() },
        KeyError::OtherKey(file()),
        KeyError::TokenGone(file(), "b".into()),
        KeyError::TokenUnable(file(), "b".into()),
        KeyError::TokenFailed(file(), "b".into()),
        KeyError::PinRejected(file()),
        KeyError::PinLastTry(file()),
        KeyError::PinLocked(file()),
        KeyError::Module("a".into(), "b".into()),
        KeyError::ModuleUnknown("a".into()),
        KeyError::NoModule(file()),
    ];
    for error in errors {
        let before = format!("{error:?}");
        assert_eq!(format!("{:?}", KeyError::from(over(error.into()))), before);
    }
    let marks: Vec<MarkError> = vec![
        MarkError::Unreadable { path: "/k/a.mark".into(), reason: "b".into() },
        MarkError::NotAFile { path: "/k/a.mark".into(), reason: "b".into() },
        MarkError::NotRead { path: "/k/a.mark".into(), source: io::Error::from_raw_os_error(24) },
        MarkError::Write(write()),
        MarkError::Busy,
        MarkError::Key(KeyError::NotFound(file())),
    ];
    for error in marks {
        let before = format!("{error:?}");
        assert_eq!(format!("{:?}", MarkError::from(over(error.into()))), before);
    }
}
