//! What the audit record says of a command: its name, and what it acts on.
use crate::cli::{
    Audit, Backup, Ceremony, Clock, Command, Config, Crl, Export, Import, Key, Ocsp, Profile, Rekey,
};
use genfic_ca::error::Shown as _;

/// Returns the name of a command as typed.
pub(crate) fn name(command: &Command) -> &'static str {
    match command {
        Command::Init(_) => "init",
        Command::Quickstart(_) => "quickstart",
        Command::Status(_) => "status",
        Command::Doctor(_) => "doctor",
        Command::Calendar(_) => "calendar",
        Command::CreateRoot(_) => "create-root",
        Command::CreateChild(_) => "create-child",
        Command::Adopt(_) => "adopt",
        Command::Authorities(_) => "authorities",
        Command::RenewCa(_) => "renew-ca",
        Command::CrossSign(_) => "cross-sign",
        Command::RevokeCa(_) => "revoke-ca",
        Command::Retire(_) => "retire",
        Command::CreateRequest(_) => "create-request",
        Command::Sign(_) => "sign",
        Command::Renew(_) => "renew",
        Command::Rekey(_) => "rekey",
        Command::Revoke(_) => "revoke",
        Command::Hold(_) => "hold",
        Command::Release(_) => "release",
        Command::List(_) => "list",
        Command::Show(_) => "show",
        Command::Lint(_) => "lint",
        Command::Crl(Crl::Publish(_)) => "crl publish",
        Command::Crl(Crl::Show(_)) => "crl show",
        Command::Crl(Crl::Check(_)) => "crl check",
        Command::Crl(Crl::Import(_)) => "crl import",
        Command::Metrics(_) => "metrics",
        Command::Ocsp(Ocsp::Responder(_)) => "ocsp responder",
        Command::Ocsp(Ocsp::Query(_)) => "ocsp query",
        Command::Ocsp(Ocsp::Sync) => "ocsp sync",
        Command::Ocsp(Ocsp::Presign(_)) => "ocsp presign",
        Command::Ocsp(Ocsp::Disable(_)) => "ocsp disable",
        Command::Ocsp(Ocsp::Enable(_)) => "ocsp enable",
        Command::Clock(Clock::Status) => "clock status",
        Command::Clock(Clock::Accept) => "clock accept",
        Command::Config(Config::Check(_)) => "config check",
        Command::Audit(Audit::Show(_)) => "audit show",
        Command::Audit(Audit::Verify) => "audit verify",
        Command::Export(Export::IndexTxt(_)) => "export index-txt",
        Command::Export(Export::Bundle(_)) => "export bundle",
        Command::Export(Export::Truststore(_)) => "export truststore",
        Command::Export(Export::HashedDir(_)) => "export hashed-dir",
        Command::Export(Export::P12(_)) => "export p12",
        Command::Export(Export::Snippet(_)) => "export snippet",
        Command::Backup(Backup::Create(_)) => "backup create",
        Command::Backup(Backup::Verify(_)) => "backup verify",
        Command::Backup(Backup::Restore(_)) => "backup restore",
        Command::Backup(Backup::Accept(_)) => "backup accept",
        Command::Import(Import::Openssl(_)) => "import openssl",
        Command::Import(Import::EasyRsa(_)) => "import easy-rsa",
        Command::Key(Key::Import(_)) => "key import",
        Command::Key(Key::List) => "key list",
        Command::Key(Key::Export(_)) => "key export",
        Command::Key(Key::Envelope(_)) => "key envelope",
        Command::Key(Key::ExportBundle(_)) => "key export-bundle",
        Command::Key(Key::ImportBundle(_)) => "key import-bundle",
        Command::Key(Key::Passphrase(_)) => "key passphrase",
        Command::Ceremony(Ceremony::Request(_)) => "ceremony request",
        Command::Ceremony(Ceremony::Sign(_)) => "ceremony sign",
        Command::Ceremony(Ceremony::Import(_)) => "ceremony import",
        Command::Key(Key::Move(_)) => "key move",
        Command::Key(Key::Unlock(_)) => "key unlock",
        Command::Key(Key::Lock(_)) => "key lock",
        Command::Key(Key::Status(_)) => "key status",
        Command::Profile(Profile::List) => "profile list",
        Command::Profile(Profile::Show(_)) => "profile show",
        Command::Profile(Profile::Check(_)) => "profile check",
        Command::Completions(_) => "completions",
        Command::Man(_) => "man",
        Command::Version => "version",
    }
}

/// Returns what a command acts on, for the audit record of a refusal: a CA, a certificate as typed, or a CA with what
/// it was asked to sign. `None` stands for the home.
pub(super) fn object(command: &Command) -> Option<String> {
    let within = |authority: Option<&String>, certificate: &str| match authority {
        Some(authority) => format!("{authority}/{certificate}"),
        None => certificate.to_owned(),
    };
    match command {
        Command::CreateRoot(args) => Some(args.name.clone()),
        Command::CreateChild(args) => Some(within(args.parent.as_ref(), &args.name)),
        Command::Adopt(args) => Some(args.name.clone()),
        Command::Import(Import::Openssl(args) | Import::EasyRsa(args)) => Some(args.name.clone()),
        Command::Key(Key::Import(args)) => Some(args.name.clone()),
        Command::Key(Key::Export(args)) => Some(args.name.clone()),
        Command::Key(Key::Envelope(args)) => Some(args.name.clone()),
        Command::Key(Key::ExportBundle(args)) => Some(args.name.clone()),
        Command::Key(Key::ImportBundle(args)) => Some(args.name.clone()),
        Command::Key(Key::Passphrase(args)) => (!args.all).then(|| args.names.join(" ")),
        Command::Ceremony(Ceremony::Request(args)) => Some(args.authority.clone()),
        Command::Ceremony(Ceremony::Import(args)) => Some(args.answer.shown().to_string()),
        Command::Key(Key::Move(args)) => args.name.clone(),
        Command::Key(Key::Unlock(args)) => Some(args.name.clone()),
        Command::Key(Key::Lock(args)) => args.name.clone(),
        Command::RenewCa(args) => Some(args.name.clone()),
        Command::CrossSign(args) => Some(format!("{}/{}", args.parent, args.what)),
        Command::RevokeCa(args) => Some(args.name.clone()),
        Command::Retire(args) => Some(args.name.clone()),
        Command::Renew(args) | Command::Rekey(Rekey { renew: args, .. }) => {
            let due = || args.expiring.as_deref().map(|within| format!("expiring within {within}"));
            let words = Some(args.certificates.join(" ")).filter(|words| !words.is_empty());
            Some(within(args.parent.as_ref(), &words.or_else(due).unwrap_or_default()))
        }
        Command::CreateRequest(args) => Some(within(args.parent.as_ref(), &args.name.shown().to_string())),
        Command::Sign(args) => {
            let files: Vec<String> = args.files.iter().map(|file| file.shown().to_string()).collect();
            let parent = args.responder_for.as_ref().unwrap_or(&args.parent);
            Some(format!("{parent}/{}", files.join(" ")))
        }
        Command::Revoke(args) => {
            let certificate = args.certificate.clone().or_else(|| args.several.shown()).unwrap_or_default();
            Some(within(args.parent.as_ref(), &certificate))
        }
        Command::Hold(args) | Command::Release(args) => {
            let certificate = args.certificate.clone().or_else(|| args.several.shown()).unwrap_or_default();
            Some(within(args.parent.as_ref(), &certificate))
        }
        Command::List(args) => args.parent.clone(),
        Command::Crl(Crl::Publish(args)) => args.authority.clone(),
        Command::Crl(Crl::Import(args)) => Some(args.authority.clone()),
        Command::Ocsp(Ocsp::Responder(args)) => args.authority.clone(),
        Command::Ocsp(Ocsp::Presign(args)) => args.authority.clone(),
        Command::Ocsp(Ocsp::Disable(args) | Ocsp::Enable(args)) => Some(args.authority.clone()),
        Command::Export(Export::IndexTxt(args)) => Some(args.authority.clone()),
        Command::Export(Export::P12(args)) => Some(args.certificate.clone()),
        Command::Export(Export::Snippet(args)) => Some(args.certificate.clone()),
        Command::Init(_)
        | Command::Quickstart(_)
        | Command::Status(_)
        | Command::Doctor(_)
        | Command::Key(Key::Status(_) | Key::List)
        | Command::Calendar(_)
        | Command::Metrics(_)
        | Command::Authorities(_)
        | Command::Show(_)
        | Command::Lint(_)
        | Command::Crl(Crl::Show(_) | Crl::Check(_))
        | Command::Ocsp(Ocsp::Query(_) | Ocsp::Sync)
        | Command::Clock(Clock::Status | Clock::Accept)
        | Command::Config(Config::Check(_))
        | Command::Audit(Audit::Show(_) | Audit::Verify)
        | Command::Export(Export::Bundle(_) | Export::Truststore(_) | Export::HashedDir(_))
        | Command::Backup(Backup::Create(_) | Backup::Verify(_) | Backup::Restore(_) | Backup::Accept(_))
        | Command::Ceremony(Ceremony::Sign(_))
        | Command::Profile(_)
        | Command::Completions(_)
        | Command::Man(_)
        | Command::Version => None,
    }
}
