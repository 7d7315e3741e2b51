//! Exit statuses of errors of keys.
use super::*;
use crate::error::Exit;
use crate::home::AccessCause;
use std::path::PathBuf;

#[test]
fn each_failure_has_the_exit_status_of_the_contract() {
    let key = || KeyPlace::File(PathBuf::from("/k.age"));
    let finding = AccessFinding {
        path: "/k.age".into(),
        cause: AccessCause::Mode(0o044),
        fault: "can be read by others (mode 0644)".into(),
        remedy: "chmod go-rwx /k.age".into(),
    };
    for (error, exit) in [
        (KeyError::NotFound(key()), Exit::KeyUnavailable),
        (KeyError::Offline("k".into()), Exit::KeyUnavailable),
        (KeyError::Exists(key()), Exit::Exists),
        (KeyError::SecretUnavailable("VAR is not set".into()), Exit::KeyUnavailable),
        (KeyError::InputNeeded("k".into()), Exit::InputNeeded),
        (KeyError::SecretRejected(key()), Exit::KeyUnavailable),
        (KeyError::Unsafe(finding), Exit::Permissions),
        (KeyError::NewInputNeeded("k".into()), Exit::InputNeeded),
        (KeyError::NotShown("k".into()), Exit::InputNeeded),
        (KeyError::Mistyped("k".into(), Mistyped::Differ), Exit::KeyUnavailable),
        (KeyError::Weak("k".into(), "use words".into()), Exit::Refused),
    ] {
        let problem = Problem::from(error);
        assert_eq!(problem.exit, exit, "{}", problem.code);
        assert!(!problem.hint.is_empty());
    }
}
