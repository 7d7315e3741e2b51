//! The options of `genfic-key`.
use clap::{Args, Command, CommandFactory as _, Parser, Subcommand, ValueEnum};
use genfic_ca::signing::KeyRecipient;
use std::path::PathBuf;

/// Examples by command, a line each; without a command those of the program.
pub(crate) const EXAMPLES: &[(&str, &str)] = &[
    (
        "",
        "genfic-key rewrap genfic --recipient age1...\n\
         genfic-key split genfic --shares 5 --threshold 3 --to /media/usb/shares\n\
         genfic-key combine /media/usb/shares/genfic.age -o genfic.age\n\
         genfic-key page genfic -o genfic.pdf",
    ),
    (
        "rewrap",
        "genfic-key rewrap genfic --recipient age1... --try-identity identity.txt\n\
         genfic-key rewrap genfic --identity identity.txt\n\
         genfic-key rewrap genfic --service",
    ),
    (
        "open",
        "genfic-key open genfic --identity yubikey.txt |\n  genfic-ca crl publish genfic --passphrase-from fd:0\n\
         genfic-key open genfic --service --identity yubikey.txt |\n  \
           genfic-ca key unlock genfic --passphrase-from fd:0",
    ),
    (
        "split",
        "genfic-key split genfic --shares 5 --threshold 3 --to shares\n\
         genfic-key split genfic --shares 3 --threshold 2 --to shares --in-place\n\
         genfic-key split genfic --shares 5 --threshold 3 --to shares --service",
    ),
    (
        "combine",
        "genfic-key combine shares/genfic.age --check\n\
         genfic-key combine genfic --in-place\n\
         genfic-key combine genfic --unlock --for 15m --only ca",
    ),
    (
        "page",
        "genfic-key page genfic -o genfic.pdf\n\
         genfic-key page genfic --share shares/genfic-share-2-of-5.txt -o share.pdf\n\
         genfic-key page --read typed.txt -o genfic.age",
    ),
    ("export-bundle", "genfic-key export-bundle genfic --service --to /media/a/genfic --to /media/b/genfic"),
];

/// What stands below the examples of the program.
const KEYS: &str = "KEY is the name of a CA in the home, or the path of a file that ends in .age.\n\
    With --service it is the name of a CA whose key the signer that listens has:\n\
    run it as yourself, an administrator, without sudo -u.";

/// Returns the examples of a command.
pub(crate) fn examples(command: &str) -> impl Iterator<Item = &'static str> {
    EXAMPLES.iter().filter(move |(name, _)| *name == command).flat_map(|(_, lines)| lines.lines())
}

/// Returns the definition of the program, with examples below the help of each command.
pub(crate) fn command() -> Command {
    let told = |name: &str| {
        let lines: String = examples(name).map(|line| format!("  {line}\n")).collect();
        format!("Examples:\n{}", lines.trim_end_matches('\n'))
    };
    let below: Vec<&str> = EXAMPLES.iter().map(|(name, _)| *name).filter(|name| !name.is_empty()).collect();
    let program = Cli::command().after_help(format!("{}\n\n{KEYS}", told("")));
    below
        .into_iter()
        .fold(program, |program, name| program.mut_subcommand(name, |command| command.after_help(told(name))))
}

/// Custody of CA keys: other protection of a key file, shares for several people, pages to print.
///
/// It works on key files and needs no index. Nothing of it is needed to open what it makes: `age` does, and what is
/// printed says how.
#[derive(Debug, Parser)]
#[command(name = "genfic-key", version)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Action,
}

#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Everywhere")]
pub(crate) struct Global {
    /// The directory everything lives in [default: /var/lib/genfic-ca]
    #[arg(long, global = true, value_name = "DIR", env = "GENFIC_CA_HOME", hide_env_values = true)]
    pub(crate) home: Option<PathBuf>,
    /// Another configuration file than the home's genfic-ca.toml
    #[arg(long, global = true, value_name = "FILE", env = "GENFIC_CA_CONFIG", hide_env_values = true)]
    pub(crate) config: Option<PathBuf>,
    /// One JSON object on standard output
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Print warnings and errors only
    #[arg(long, global = true)]
    pub(crate) quiet: bool,
    /// Answer yes to every confirmation
    #[arg(long, global = true)]
    pub(crate) yes: bool,
    /// Never ask; fail with exit status 9 instead
    #[arg(long, global = true)]
    pub(crate) no_input: bool,
    /// Where the passphrase of the key comes from: prompt, file:PATH, env:VAR, fd:N or cred:NAME
    #[arg(
        long,
        global = true,
        value_name = "SPEC",
        env = "GENFIC_CA_PASSPHRASE_FROM",
        hide_env_values = true
    )]
    pub(crate) passphrase_from: Option<String>,
    /// A file with identities of age that open the key, as age-keygen or a plugin writes it; counts before --passphrase-from
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) identity: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Action {
    /// Encrypt a key anew: with another passphrase, or to recipients
    Rewrap(Rewrap),
    /// Have a plugin of age open a key file, for a signer that executes none: writes what opens the file into a pipe
    Open(Open),
    /// Split a key among custodians, any few of whom restore it
    Split(Split),
    /// Restore a key from shares, and encrypt it anew
    Combine(Combine),
    /// Make a page to print of an encrypted key or of a share, or read one that was typed
    Page(Page),
    /// Move a key from the signer to media that are locked up, with all that is needed to sign
    ExportBundle(ExportBundle),
}

/// The signer that has the key.
#[derive(Args, Clone, Debug)]
pub(crate) struct Service {
    /// The key is in the signer that listens: as yourself, an administrator; no home is needed
    #[arg(long)]
    pub(crate) service: bool,
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

/// Who opens a key file that is made.
#[derive(Args, Clone, Debug)]
pub(crate) struct Readers {
    /// Encrypt to this recipient of age instead of with a passphrase; may be repeated. A plugin's recipient runs age-plugin-NAME
    #[arg(long, value_name = "AGE1...")]
    pub(crate) recipient: Vec<KeyRecipient>,
    /// Also to those of this file, one a line
    #[arg(long, value_name = "FILE")]
    pub(crate) recipients_file: Option<PathBuf>,
    /// Where the new passphrase comes from [default: the terminal]; --passphrase-from is for the old one
    #[arg(long, value_name = "SPEC", conflicts_with_all = ["recipient", "recipients_file"])]
    pub(crate) new_passphrase_from: Option<String>,
    /// Generate the passphrase, six words: shown once on the terminal, or written into the new file that file:PATH names
    #[arg(long, conflicts_with_all = ["recipient", "recipients_file"])]
    pub(crate) generate: bool,
    /// Take a passphrase although it is soon guessed
    #[arg(long)]
    pub(crate) weak_passphrase: bool,
    /// scrypt cost of the passphrase, N = 2^LOG: each step doubles time and memory [default: as the home says, or 18]
    #[arg(long, value_name = "LOG")]
    pub(crate) work: Option<u8>,
}

#[derive(Args, Debug)]
pub(crate) struct Rewrap {
    /// The key
    #[arg(value_name = "KEY")]
    pub(crate) key: PathBuf,
    #[command(flatten)]
    pub(crate) readers: Readers,
    /// Before the file is replaced, open the new one with the identities in this file; needed with --service and recipients
    #[arg(long, value_name = "FILE")]
    pub(crate) try_identity: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) signer: Service,
}

#[derive(Args, Debug)]
pub(crate) struct Open {
    /// The key
    #[arg(value_name = "KEY")]
    pub(crate) key: PathBuf,
    #[command(flatten)]
    pub(crate) signer: Service,
}

#[derive(Args, Debug)]
pub(crate) struct Split {
    /// The key
    #[arg(value_name = "KEY")]
    pub(crate) key: PathBuf,
    /// How many shares there are
    #[arg(long, value_name = "N")]
    pub(crate) shares: u8,
    /// How many of them restore the key
    #[arg(long, value_name = "K")]
    pub(crate) threshold: u8,
    /// Where the shares go, with the encrypted key and the pages to print; made when it is not there
    #[arg(long, value_name = "DIR")]
    pub(crate) to: PathBuf,
    /// Replace the key file too: from then on only the shares open it
    #[arg(long)]
    pub(crate) in_place: bool,
    /// Ask each custodian for a passphrase that covers the share
    #[arg(long)]
    pub(crate) lock: bool,
    /// Where these passphrases come from, one source for all or one for each share, in their order
    #[arg(long, value_name = "SPEC")]
    pub(crate) share_passphrase_from: Vec<String>,
    /// Size of the pages
    #[arg(long, value_name = "PAPER", default_value = "a4")]
    pub(crate) paper: Size,
    #[command(flatten)]
    pub(crate) signer: Service,
}

#[derive(Args, Debug)]
pub(crate) struct Combine {
    /// The key file that was made with the shares
    #[arg(value_name = "KEY")]
    pub(crate) key: PathBuf,
    /// A file with a share; may be repeated, `-` is standard input with one or several [default: typed on the terminal]
    #[arg(long, value_name = "FILE")]
    pub(crate) share: Vec<PathBuf>,
    /// Where passphrases of custodians come from, one source for all or one for each share, in their order
    #[arg(long, value_name = "SPEC")]
    pub(crate) share_passphrase_from: Vec<String>,
    /// Where the key goes, encrypted anew; nothing may be there yet
    #[arg(short = 'o', long, value_name = "FILE", required_unless_present_any = ["in_place", "check", "unlock"])]
    pub(crate) output: Option<PathBuf>,
    /// Replace the key file itself
    #[arg(long, conflicts_with_all = ["output", "check"])]
    pub(crate) in_place: bool,
    /// Only see whether the shares open the key; nothing is written
    #[arg(long, conflicts_with = "output")]
    pub(crate) check: bool,
    #[command(flatten)]
    pub(crate) unlock: Unlock,
    #[command(flatten)]
    pub(crate) readers: Readers,
    #[command(flatten)]
    pub(crate) signer: Service,
}

/// What shares unlock.
#[derive(Args, Clone, Debug)]
pub(crate) struct Unlock {
    /// Unlock the key in the signer that listens, as `genfic-ca key unlock` does: nobody is shown what the shares give,
    /// and nothing is written
    #[arg(long, conflicts_with_all = ["output", "in_place", "check", "recipient", "recipients_file", "generate"])]
    pub(crate) unlock: bool,
    /// With --unlock: for how long: 15m, 2h; 12h at most
    #[arg(long = "for", value_name = "TIME", default_value = "15m", requires = "unlock")]
    pub(crate) lasting: String,
    /// With --unlock: what for: leaf (certificates of end entities), ca (of CAs and responders), crl, move (the key itself);
    /// may be repeated [default: leaf and crl]
    #[arg(long, value_name = "SCOPE", value_enum, requires = "unlock", conflicts_with_all = ["output", "in_place", "check"])]
    pub(crate) only: Vec<Scope>,
    /// With --unlock: how many signatures of each kind, and no more
    #[arg(
        long,
        value_name = "N",
        value_parser = clap::value_parser!(u64).range(1..),
        requires = "unlock",
        conflicts_with_all = ["output", "in_place", "check"]
    )]
    pub(crate) count: Option<u64>,
}

/// A kind of signature.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum Scope {
    /// Certificates of end entities
    Leaf,
    /// Certificates of CAs and responders, and requests for the key itself
    Ca,
    /// Certificate revocation lists
    Crl,
    /// Moving the key into the signer or out of it
    Move,
}

#[derive(Args, Debug)]
pub(crate) struct Page {
    /// The key; with --share its name is enough
    #[arg(value_name = "KEY", required_unless_present = "read", conflicts_with = "read")]
    pub(crate) key: Option<PathBuf>,
    /// A page of this share instead; `-` is standard input
    #[arg(long, value_name = "FILE", conflicts_with = "read")]
    pub(crate) share: Option<PathBuf>,
    /// Read the lines of a key's page, typed into this file, back into a key file; `-` is standard input
    #[arg(long, value_name = "FILE")]
    pub(crate) read: Option<PathBuf>,
    /// Where the page, or the key file, goes; nothing may be there yet
    #[arg(short = 'o', long, value_name = "FILE")]
    pub(crate) output: PathBuf,
    /// Size of the pages
    #[arg(long, value_name = "PAPER", default_value = "a4")]
    pub(crate) paper: Size,
    #[command(flatten)]
    pub(crate) signer: Service,
}

#[derive(Args, Debug)]
pub(crate) struct ExportBundle {
    /// The name of the CA
    #[arg(value_name = "KEY")]
    pub(crate) key: PathBuf,
    /// A directory on a mounted medium, made when it is not there; give it twice, for two media in two places
    #[arg(long, value_name = "DIR", required = true)]
    pub(crate) to: Vec<PathBuf>,
    /// The directory of the public files of the CAs, for the chain and the last CRL [default: public/ in the home]
    #[arg(long, value_name = "DIR")]
    pub(crate) public: Option<PathBuf>,
    /// The directory of the profiles that the signer grants by
    #[arg(long, value_name = "DIR", default_value = "/etc/genfic-signer/policy")]
    pub(crate) policy: PathBuf,
    #[command(flatten)]
    pub(crate) signer: Service,
}

/// A size of paper.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Size {
    /// 210 mm by 297 mm
    A4,
    /// 8.5 inches by 11
    Letter,
}
