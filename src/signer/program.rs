//! Where the signer's program is, for those that start it.
use std::path::{Path, PathBuf};

/// Name of the program.
const PROGRAM: &str = "genfic-signer";
/// Directory of programs that people do not run by hand.
const LIBEXEC: &str = "/usr/libexec/genfic-ca";

/// Returns the signer's program: beside this one, or in its usual directory. A search path is not followed, since
/// passphrases are typed into what it would name.
pub(crate) fn program() -> PathBuf {
    let beside = std::env::current_exe().ok().and_then(|own| Some(own.parent()?.join(PROGRAM)));
    beside.filter(|program| program.is_file()).unwrap_or_else(|| Path::new(LIBEXEC).join(PROGRAM))
}
