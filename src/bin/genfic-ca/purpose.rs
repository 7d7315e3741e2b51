//! What each command is for: whether it needs room on the disk, and may use what is kept for revoking.
use genfic_ca::ca::Purpose;

/// Commands that issue: they leave what is kept for revoking alone, and are refused while it is not there.
const ISSUE: [&str; 13] = [
    "create-root",
    "create-child",
    "renew-ca",
    "cross-sign",
    "create-request",
    "sign",
    "renew",
    "rekey",
    "ocsp responder",
    "adopt",
    "import openssl",
    "import easy-rsa",
    "key import",
];
/// Commands that tell others what is not to be trusted any more.
const DISTRUST: [&str; 7] =
    ["revoke", "revoke-ca", "hold", "release", "crl publish", "ocsp sync", "ocsp disable"];

/// What the command of this name is for.
pub(crate) fn purpose(command: &str) -> Purpose {
    if ISSUE.contains(&command) {
        Purpose::Issue
    } else if DISTRUST.contains(&command) {
        Purpose::Distrust
    } else {
        Purpose::Look
    }
}
