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
    #[arg(long, value_name = "SHA256", value_parser = sha256_digits, requires = "service", group = "change")]
    pub(crate) accept_certificate: Option<String>,
    /// A key of the signer that listens, asked as yourself, an administrator; no home is needed
    #[arg(long)]
    pub(crate) service: bool,
    #[command(flatten)]
    pub(crate) signer: SignerSocket,
}

/// Reads a SHA-256 as openssl and this program write it: 64 hexadecimal digits, also with colons and with `sha256:`
/// before.
pub(super) fn sha256_digits(text: &str) -> Result<String, String> {
    let digits = text.trim().to_lowercase().trim_start_matches("sha256:").replace(':', "");
    match digits.len() == 64 && digits.bytes().all(|octet| octet.is_ascii_hexdigit()) {
        true => Ok(digits),
        false => Err("a SHA-256 has 64 hexadecimal digits".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_is_taken_as_other_programs_write_it_and_nothing_else_is_one() {
        let digest = "0123456789abcdef".repeat(4);
        let with_colons: Vec<&str> = (0..32).filter_map(|at| digest.get(2 * at..2 * at + 2)).collect();
        for typed in
            [digest.clone(), digest.to_uppercase(), format!("sha256:{digest}"), with_colons.join(":")]
        {
            assert_eq!(sha256_digits(&typed).as_ref(), Ok(&digest), "{typed}");
        }
        for typed in ["", "00", &digest[1..], &format!("{digest}0"), &digest.replace('0', "g")] {
            assert!(sha256_digits(typed).is_err(), "{typed}");
        }
    }
}
