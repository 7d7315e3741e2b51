//! Room on the disk: what is kept for revoking, who may use it, and who must find it untouched.
use genfic_ca::error::Problem;
use genfic_ca::home::{GivenBack, Home, Reserve};

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

/// Whether the command of this name tells others what is not to be trusted any more.
pub(crate) fn distrusts(command: &str) -> bool {
    DISTRUST.contains(&command)
}

/// Room for one command, from before the index is opened until it is done.
pub(crate) struct Room {
    reserve: Reserve,
    given: Option<GivenBack>,
    home: Home,
}

impl Room {
    /// Sees that there is room for the command of this name.
    ///
    /// # Errors
    /// `disk.full` when it issues and there is none.
    pub(crate) fn find(home: &Home, command: &str) -> Result<Self, Problem> {
        let reserve = Reserve::of(home);
        let given = if ISSUE.contains(&command) {
            reserve.must_be_held()?;
            None
        } else if DISTRUST.contains(&command) {
            reserve.make_way(reserve.size())
        } else {
            reserve.make_way(Reserve::TO_LOOK)
        };
        Ok(Self { reserve, given, home: home.clone() })
    }
}

/// What was not needed is kept again; where it was not kept, and there is room by now, it is.
impl Drop for Room {
    fn drop(&mut self) {
        match self.given.take() {
            Some(given) => given.take_back(),
            // an issuing command says when it is missing; here nothing depends on it
            None if self.home.has_index() => drop(self.reserve.hold()),
            // not a home: nothing of ours is left in it
            None => {}
        }
    }
}
