//! The purpose of each command: whether it needs free disk space, and may use the space that is reserved for
//! revocations.
use crate::cli::{Audit, Backup, Ceremony, Clock, Command, Config, Crl, Export, Import, Key, Ocsp};
use genfic_ca::ca::CommandPurpose;

/// Returns the purpose of a command.
pub(crate) fn purpose(command: &Command) -> CommandPurpose {
    match command {
        Command::CreateRoot(_)
        | Command::CreateChild(_)
        | Command::RenewCa(_)
        | Command::CrossSign(_)
        | Command::CreateRequest(_)
        | Command::Sign(_)
        | Command::Renew(_)
        | Command::Rekey(_)
        | Command::Ocsp(Ocsp::Responder(_))
        | Command::Adopt(_)
        | Command::Ceremony(Ceremony::Request(_) | Ceremony::Import(_))
        | Command::Import(Import::Openssl(_) | Import::EasyRsa(_))
        | Command::Key(
            Key::Import(_)
            | Key::Export(_)
            | Key::Envelope(_)
            | Key::ExportBundle(_)
            | Key::ImportBundle(_)
            | Key::Move(_)
            | Key::Passphrase(_),
        ) => CommandPurpose::Issue,
        Command::Revoke(_)
        | Command::RevokeCa(_)
        | Command::Retire(_)
        | Command::Hold(_)
        | Command::Release(_)
        | Command::Crl(Crl::Publish(_) | Crl::Import(_))
        | Command::Ocsp(Ocsp::Sync | Ocsp::Disable(_)) => CommandPurpose::Distrust,
        Command::Init(_)
        | Command::Quickstart(_)
        | Command::Status(_)
        | Command::Doctor(_)
        | Command::Key(Key::List | Key::Unlock(_) | Key::Lock(_) | Key::Status(_))
        | Command::Calendar(_)
        | Command::Metrics(_)
        | Command::Authorities(_)
        | Command::List(_)
        | Command::Show(_)
        | Command::Lint(_)
        | Command::Crl(Crl::Show(_) | Crl::Check(_))
        | Command::Ocsp(Ocsp::Query(_) | Ocsp::Presign(_) | Ocsp::Enable(_))
        | Command::Clock(Clock::Status | Clock::Accept)
        | Command::Config(Config::Check(_))
        | Command::Audit(Audit::Show(_) | Audit::Verify)
        | Command::Export(
            Export::IndexTxt(_)
            | Export::Bundle(_)
            | Export::Truststore(_)
            | Export::HashedDir(_)
            | Export::P12(_)
            | Export::Snippet(_),
        )
        | Command::Backup(Backup::Create(_) | Backup::Verify(_) | Backup::Restore(_) | Backup::Accept(_))
        | Command::Ceremony(Ceremony::Sign(_))
        | Command::Profile(_)
        | Command::Completions(_)
        | Command::Man(_)
        | Command::Version => CommandPurpose::Look,
    }
}
