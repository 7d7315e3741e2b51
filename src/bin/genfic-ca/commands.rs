//! The commands, a module for each group, and which function runs each of them.
mod audit;
mod authority;
mod backup;
mod calendar;
mod chain;
mod clock;
mod completions;
mod crl;
mod doctor;
mod export;
mod foreign;
mod generation;
mod import;
mod import_again;
mod init;
mod lint;
mod list;
mod manual;
mod ocsp;
mod output;
mod question;
mod quickstart;
mod renewal;
mod request;
mod responder;
mod revocable;
mod revoke;
mod revoke_ca;
mod same_holder;
mod select;
mod show;
mod sign;
mod status;
mod values;

pub(crate) use question::clock_watch;

use crate::cli::{Audit, Backup, Clock, Command, Crl, Export, Global, Import, Key, Ocsp};
use crate::purpose::purpose;
use crate::report::Report;
use crate::session::{Session, home_of};
use genfic_ca::ca::{CommandPurpose, Conclusion, Task};
use genfic_ca::error::{Code, Exit, Problem, Shown as _};
use genfic_ca::import::Layout;

/// Returns the name of a command as typed.
pub(crate) fn name(command: &Command) -> &'static str {
    match command {
        Command::Init(_) => "init",
        Command::Quickstart(_) => "quickstart",
        Command::Status => "status",
        Command::Doctor(_) => "doctor",
        Command::Calendar(_) => "calendar",
        Command::CreateRoot(_) => "create-root",
        Command::CreateChild(_) => "create-child",
        Command::Adopt(_) => "adopt",
        Command::Authorities(_) => "authorities",
        Command::RenewCa(_) => "renew-ca",
        Command::CrossSign(_) => "cross-sign",
        Command::RevokeCa(_) => "revoke-ca",
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
        Command::Ocsp(Ocsp::Responder(_)) => "ocsp responder",
        Command::Ocsp(Ocsp::Query(_)) => "ocsp query",
        Command::Ocsp(Ocsp::Sync) => "ocsp sync",
        Command::Ocsp(Ocsp::Disable(_)) => "ocsp disable",
        Command::Ocsp(Ocsp::Enable(_)) => "ocsp enable",
        Command::Clock(Clock::Status) => "clock status",
        Command::Clock(Clock::Accept) => "clock accept",
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
        Command::Backup(Backup::Accept) => "backup accept",
        Command::Import(Import::Openssl(_)) => "import openssl",
        Command::Import(Import::EasyRsa(_)) => "import easy-rsa",
        Command::Key(Key::Import(_)) => "key import",
        Command::Completions(_) => "completions",
        Command::Man(_) => "man",
        Command::Version => "version",
    }
}

/// Returns what a command acts on, for the audit record of a refusal: a CA, a certificate as typed, or a CA with what
/// it was asked to sign. `None` stands for the home.
fn object(command: &Command) -> Option<String> {
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
        Command::RenewCa(args) => Some(args.name.clone()),
        Command::CrossSign(args) => Some(format!("{}/{}", args.parent, args.what)),
        Command::RevokeCa(args) => Some(args.name.clone()),
        Command::Renew(args) => Some(within(args.parent.as_ref(), &args.certificate)),
        Command::Rekey(args) => Some(within(args.renew.parent.as_ref(), &args.renew.certificate)),
        Command::CreateRequest(args) => Some(within(args.parent.as_ref(), &args.name.shown().to_string())),
        Command::Sign(args) => {
            let files: Vec<String> = args.files.iter().map(|file| file.shown().to_string()).collect();
            let parent = args.responder_for.as_ref().unwrap_or(&args.parent);
            Some(format!("{parent}/{}", files.join(" ")))
        }
        Command::Revoke(args) => {
            let certificate = args.certificate.as_deref().unwrap_or_default();
            Some(within(args.parent.as_ref(), certificate))
        }
        Command::Hold(args) | Command::Release(args) => Some(within(args.parent.as_ref(), &args.certificate)),
        Command::List(args) => args.parent.clone(),
        Command::Crl(Crl::Publish(args)) => args.authority.clone(),
        Command::Ocsp(Ocsp::Responder(args)) => args.authority.clone(),
        Command::Ocsp(Ocsp::Disable(args) | Ocsp::Enable(args)) => Some(args.authority.clone()),
        Command::Export(Export::IndexTxt(args)) => Some(args.authority.clone()),
        Command::Export(Export::P12(args)) => Some(args.certificate.clone()),
        Command::Export(Export::Snippet(args)) => Some(args.certificate.clone()),
        Command::Init(_)
        | Command::Quickstart(_)
        | Command::Status
        | Command::Doctor(_)
        | Command::Calendar(_)
        | Command::Authorities(_)
        | Command::Show(_)
        | Command::Lint(_)
        | Command::Crl(Crl::Show(_) | Crl::Check(_))
        | Command::Ocsp(Ocsp::Query(_) | Ocsp::Sync)
        | Command::Clock(Clock::Status | Clock::Accept)
        | Command::Audit(Audit::Show(_) | Audit::Verify)
        | Command::Export(Export::Bundle(_) | Export::Truststore(_) | Export::HashedDir(_))
        | Command::Backup(Backup::Create(_) | Backup::Verify(_) | Backup::Restore(_) | Backup::Accept)
        | Command::Completions(_)
        | Command::Man(_)
        | Command::Version => None,
    }
}

/// Runs a command.
pub(crate) fn run(global: &Global, command: Command) -> Result<Report, Problem> {
    let name = name(&command);
    let (object, purpose) = (object(&command), purpose(&command));
    let at_home = |run: &dyn Fn(&Session) -> Result<Report, Problem>| {
        in_session(global, name, object.as_deref(), purpose, run)
    };
    match command {
        Command::Version => Ok(init::version()),
        Command::Completions(args) => Ok(completions::completions(&args)),
        Command::Man(args) => manual::manual(&args),
        Command::Init(args) => init::init(global, &args),
        Command::Quickstart(args) => quickstart::quickstart(global, &args),
        Command::Doctor(args) => doctor::doctor(global, &args),
        Command::Lint(args) => lint::lint(&args),
        Command::Show(args) => show::show(global, &args),
        Command::CreateRequest(args) if !args.sign => request::create(global, &args),
        Command::CreateRequest(args) => at_home(&|session| request::create_and_sign(session, &args)),
        Command::CreateRoot(args) => {
            let made = init::make_home_for_first_root(global)?;
            Ok(at_home(&|session| authority::create_root(session, &args))?.warn(made))
        }
        Command::CreateChild(args) => at_home(&|session| authority::create_child(session, &args)),
        Command::Adopt(args) => at_home(&|session| foreign::adopt(session, &args)),
        Command::Key(Key::Import(args)) => {
            let old = foreign::old_passphrase(global, args.key_passphrase_from.as_deref())?;
            at_home(&|session| foreign::import_key(session, &args, old.as_ref()))
        }
        Command::Import(import) => {
            let (args, layout) = match &import {
                Import::Openssl(args) => (args, Layout::OpenSsl),
                Import::EasyRsa(args) => (args, Layout::EasyRsa),
            };
            let old = foreign::old_passphrase(global, args.key_passphrase_from.as_deref())?;
            if args.dry_run {
                return import::preview(&Session::open(global)?, args, layout, old.as_ref());
            }
            at_home(&|session| import::import(session, args, layout, old.as_ref()))
        }
        Command::Authorities(args) => at_home(&|session| authority::list(session, &args)),
        Command::Status => at_home(&status::status),
        Command::Calendar(args) => at_home(&|session| calendar::calendar(session, &args)),
        Command::Sign(args) if args.dry_run => sign::sign(&Session::open(global)?, &args),
        Command::Sign(args) => at_home(&|session| sign::sign(session, &args)),
        Command::RenewCa(args) => at_home(&|session| generation::renew(session, &args)),
        Command::CrossSign(args) => at_home(&|session| generation::cross_sign(session, &args)),
        Command::RevokeCa(args) => at_home(&|session| revoke_ca::revoke(session, &args)),
        Command::Renew(args) => at_home(&|session| renewal::renew(session, &args)),
        Command::Rekey(args) => at_home(&|session| renewal::rekey(session, &args)),
        Command::Revoke(args) => at_home(&|session| revoke::revoke(session, &args)),
        Command::Hold(args) => at_home(&|session| revoke::hold(session, &args)),
        Command::Release(args) => at_home(&|session| revoke::release(session, &args)),
        Command::List(args) => at_home(&|session| list::list(session, &args)),
        Command::Crl(Crl::Publish(args)) => at_home(&|session| crl::publish(session, &args)),
        Command::Crl(Crl::Show(args)) => crl::show(global, &args),
        Command::Crl(Crl::Check(args)) => crl::check(global, &args),
        Command::Ocsp(Ocsp::Responder(args)) => at_home(&|session| ocsp::responder(session, &args)),
        Command::Ocsp(Ocsp::Query(args)) => ocsp::question(global, &args),
        Command::Ocsp(Ocsp::Sync) => at_home(&ocsp::sync),
        Command::Ocsp(Ocsp::Disable(args)) => at_home(&|session| ocsp::disable(session, &args)),
        Command::Ocsp(Ocsp::Enable(args)) => at_home(&|session| ocsp::enable(session, &args)),
        Command::Backup(Backup::Create(args)) => at_home(&|session| backup::create(session, &args)),
        Command::Backup(Backup::Verify(args)) => backup::verify(global, &args),
        Command::Backup(Backup::Restore(args)) => backup::restore(global, &args),
        Command::Backup(Backup::Accept) => at_home(&backup::accept),
        Command::Clock(Clock::Status) => at_home(&clock::status),
        Command::Clock(Clock::Accept) => at_home(&clock::accept),
        Command::Audit(Audit::Show(args)) => at_home(&|session| audit::show(session, &args)),
        Command::Audit(Audit::Verify) => at_home(&audit::verify),
        Command::Export(Export::IndexTxt(args)) => at_home(&|session| export::index_txt(session, &args)),
        Command::Export(Export::Bundle(args)) => at_home(&|session| export::bundle(session, &args)),
        Command::Export(Export::Truststore(args)) => {
            let secrets = export::new_passphrase(global, args.p12_passphrase_from.as_deref())?;
            at_home(&|session| export::truststore(session, &args, &secrets))
        }
        Command::Export(Export::HashedDir(args)) => at_home(&|session| export::hashed_dir(session, &args)),
        Command::Export(Export::P12(args)) => {
            let secrets = export::new_passphrase(global, args.p12_passphrase_from.as_deref())?;
            let old = export::key_passphrase(global, args.key_passphrase_from.as_deref())?;
            at_home(&|session| export::subscriber(session, &args, old.as_ref(), &secrets))
        }
        Command::Export(Export::Snippet(args)) => at_home(&|session| export::snippet(session, &args)),
    }
}

/// Adds to the problem of a command that was interrupted before it opened a home that nothing was done.
pub(crate) fn untouched(problem: Problem) -> Problem {
    if problem.code != Code::KeyInterrupted || problem.message.contains(';') {
        return problem;
    }
    Problem { message: format!("{}; nothing was done", problem.message), ..problem }
}

/// Runs a command in an opened home, with the repairs and audit records of `Engine::run`.
pub(crate) fn in_session(
    global: &Global,
    name: &str,
    object: Option<&str>,
    purpose: CommandPurpose,
    run: impl FnOnce(&Session) -> Result<Report, Problem>,
) -> Result<Report, Problem> {
    let session = Session::open_for(global, purpose)?;
    let home = home_of(global).directory().shown().to_string();
    let task = Task {
        command: name,
        object: object.unwrap_or(&home),
        purpose,
        shows_record: "`genfic-ca audit show`",
    };
    session.engine().run(&task, |begun| {
        let mut report = run(&session)?.warn(session.notes(begun));
        if global.verbose {
            let recorded = audit::text(&session, begun.sequence + 1)?;
            report.text = format!("{}\n\non record\n{recorded}", report.text.trim_end());
        }
        Ok(report)
    })
}

impl Conclusion for Report {
    fn refusal(&self) -> Option<&Problem> {
        self.exit.as_ref().filter(|problem| problem.exit != Exit::Findings)
    }
}
