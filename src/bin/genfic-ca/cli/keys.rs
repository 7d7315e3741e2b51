//! Arguments of the commands that look at keys of CAs, limit them, and hand them out.
use super::passphrase::PassphraseChoice;
use super::unlocking::SignerSocket;
use clap::Args;
use std::path::PathBuf;

#[derive(Args, Debug)]
pub(crate) struct KeyExport {
    /// The CA; of several generations exactly this one
    #[arg(value_name = "NAME")]
    pub(crate) name: String,
    /// Where the key goes: PKCS#8 in PEM, encrypted (PBES2); nothing may be there yet
    #[arg(short = 'o', long, value_name = "FILE")]
    pub(crate) output: PathBuf,
    /// The CA once more, in place of typing it when asked; --yes alone does not confirm this
    #[arg(long, value_name = "NAME")]
    pub(crate) confirm: Option<String>,
    /// Where the passphrase of the file comes from [default: the terminal]; --passphrase-from is for that of the key
    #[arg(long, value_name = "SPEC")]
    pub(crate) new_passphrase_from: Option<String>,
    #[command(flatten)]
    pub(crate) choice: PassphraseChoice,
    /// The key is in the signer that listens: as yourself, an administrator, without sudo -u; no home is needed
    #[arg(long, conflicts_with_all = ["generate", "weak_passphrase"])]
    pub(crate) service: bool,
    #[command(flatten)]
    pub(crate) signer: SignerSocket,
}

#[derive(Args, Debug)]
pub(crate) struct KeyEnvelope {
    /// The CA; of several generations exactly this one
    #[arg(value_name = "NAME")]
    pub(crate) name: String,
    /// Set a limit, such as longest_days=400; `any` takes it away; lists have commas; may be repeated
    #[arg(long, value_name = "FIELD=VALUE", group = "change")]
    pub(crate) set: Vec<String>,
    /// The CA once more, in place of typing it when asked; --yes alone does not confirm this
    #[arg(long, value_name = "NAME", requires = "change")]
    pub(crate) confirm: Option<String>,
    /// With --service: accept the certificate of this CA with this SHA-256, whose issuer the signer does not know
    #[arg(long, value_name = "SHA256", requires = "service", group = "change")]
    pub(crate) accept_certificate: Option<String>,
    /// A key of the signer that listens, asked as yourself, an administrator; no home is needed
    #[arg(long)]
    pub(crate) service: bool,
    #[command(flatten)]
    pub(crate) signer: SignerSocket,
}
