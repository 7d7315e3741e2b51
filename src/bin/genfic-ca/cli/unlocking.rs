//! Arguments of the commands by which an administrator unlocks keys of the signer.
use clap::{Args, ValueEnum};
use genfic_ca::signing::RecipientText;
use std::path::PathBuf;

/// The socket of the signer's administrators.
#[derive(Args, Clone, Debug)]
pub(crate) struct SignerSocket {
    /// The signer's socket for administrators
    #[arg(
        long,
        value_name = "PATH",
        env = "GENFIC_CA_SIGNER_ADMIN_SOCKET",
        hide_env_values = true,
        default_value = genfic_ca::assembly::SIGNER_ADMIN_SOCKET
    )]
    pub(crate) socket: PathBuf,
}

#[derive(Args, Debug)]
pub(crate) struct KeyUnlock {
    /// The CA; of several generations exactly this one. For a key in a token its pkcs11: URI does as well
    pub(crate) name: String,
    /// For how long: 15m, 2h; 12h at most
    #[arg(long = "for", value_name = "TIME", default_value = "15m")]
    pub(crate) lasting: String,
    /// What for: leaf (certificates of end entities), ca (of CAs and responders), crl, move (the key itself, into the
    /// signer or out of it); may be repeated [default: leaf and crl]
    #[arg(long, value_name = "SCOPE", value_enum)]
    pub(crate) scope: Vec<UnlockScope>,
    /// How many signatures of each kind, and no more
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) count: Option<u64>,
    /// Give the passphrase of a key that is about to be made under this name; with a pkcs11: URI, the PIN of the token
    #[arg(long)]
    pub(crate) new: bool,
    /// With --new: the profile of the CA that the key is for, and no other [default: user-ca for NAME-user, system-ca for
    /// NAME-system]
    #[arg(long, value_name = "PROFILE", requires = "new")]
    pub(crate) profile: Option<String>,
    /// With --new: a beginning of the URLs that its certificates may name, such as http://pki.example/; may be repeated
    /// [default: the server of the configuration, where it can be read; else any]
    #[arg(long, value_name = "URL", requires = "new")]
    pub(crate) url: Vec<String>,
    /// With --scope move: the CA once more, in place of typing it when the envelope of a key that comes is shown; --yes
    /// alone does not confirm this
    #[arg(long, value_name = "NAME")]
    pub(crate) confirm: Option<String>,
    /// With --new: encrypt the key to this recipient of age in place of a passphrase; may be repeated. --passphrase-from
    /// names a file with the identity of one of them
    #[arg(long, value_name = "AGE1...", requires = "new")]
    pub(crate) recipient: Vec<RecipientText>,
    #[command(flatten)]
    pub(crate) signer: SignerSocket,
}

/// A kind of signature.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum UnlockScope {
    /// Certificates of end entities
    Leaf,
    /// Certificates of CAs and responders, and requests for the key itself
    Ca,
    /// Certificate revocation lists
    Crl,
    /// Moving the key into the signer or out of it
    Move,
}

impl UnlockScope {
    /// Returns the name, as typed.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Leaf => "leaf",
            Self::Ca => "ca",
            Self::Crl => "crl",
            Self::Move => "move",
        }
    }
}

#[derive(Args, Debug)]
pub(crate) struct KeyLock {
    /// The CA; without it every key
    #[arg(conflicts_with = "all")]
    pub(crate) name: Option<String>,
    /// Every key, as without a name
    #[arg(long)]
    pub(crate) all: bool,
    #[command(flatten)]
    pub(crate) signer: SignerSocket,
}

#[derive(Args, Debug)]
pub(crate) struct KeyStatus {
    #[command(flatten)]
    pub(crate) signer: SignerSocket,
}
