//! The commands, a module for each group, and which function runs each of them.
mod audit;
mod authority;
mod backup;
mod bringing;
mod calendar;
mod ceremony;
mod certified;
mod chain;
mod clock;
mod completions;
mod config;
mod crl;
mod difference;
mod doctor;
mod ensure;
mod envelope;
mod export;
mod foreign;
mod generation;
mod held;
mod hook;
mod import;
mod import_again;
mod init;
mod key;
mod keys;
mod lint;
mod list;
mod manual;
mod many_words;
mod metrics;
mod moving;
mod naming;
mod newest;
mod ocsp;
mod offline;
mod output;
mod pair;
mod presign;
mod profile;
mod question;
mod quickstart;
mod renewal;
mod renewals;
mod request;
mod responder;
mod retire;
mod revocable;
mod revoke;
mod revoke_ca;
mod same_holder;
mod select;
mod several;
mod show;
mod sign;
mod signer_backup;
mod status;
mod token_request;
mod unlocking;
mod values;

pub(crate) use naming::name;
use naming::object;
pub(crate) use pair::Pair;
pub(crate) use question::clock_watch;

use crate::cli::{
    Audit, Backup, Ceremony, Clock, Command, Config, Crl, Export, Global, Import, Key, NewPassphrase, Ocsp,
    Profile,
};
use crate::purpose::purpose;
use crate::report::Report;
use crate::session::{Session, home_of};
use genfic_ca::assembly::SignerKeys;
use genfic_ca::ca::{CommandPurpose, Conclusion, Task};
use genfic_ca::error::{Code, Exit, Problem, Shown as _};
use genfic_ca::import::Layout;
use genfic_ca::signing::RecipientText;
use std::io::IsTerminal;

/// Returns how a command that makes keys of CAs, or gives them new passphrases, is given these.
fn new_passphrase(command: &Command) -> Option<NewPassphrase> {
    match command {
        Command::CreateRoot(args) => Some(args.authority.passphrase.clone()),
        Command::CreateChild(args) => Some(args.authority.passphrase.clone()),
        Command::RenewCa(args) => Some(args.passphrase.clone()),
        Command::Import(Import::Openssl(args) | Import::EasyRsa(args)) => Some(args.passphrase.clone()),
        Command::Key(Key::Import(args)) => Some(args.passphrase.clone()),
        Command::Key(Key::Passphrase(args)) => Some(args.new_passphrase()),
        Command::Key(Key::Export(args)) => Some(args.choice.from(args.new_passphrase_from.as_ref())),
        _ => None,
    }
}

/// Returns the name of a new key of a CA with the recipients to which it is encrypted, where there are some.
fn recipients(command: &Command) -> Result<Option<(String, Vec<RecipientText>)>, Problem> {
    let (name, options) = match command {
        Command::CreateRoot(args) => (&args.name, &args.authority),
        Command::CreateChild(args) => (&args.name, &args.authority),
        _ => return Ok(None),
    };
    if options.recipient.is_empty() {
        return Ok(None);
    }
    if options.keystore.as_ref().is_some_and(|store| store != "file" && store != "age") {
        return Err(values::usage(
            "--recipient is for a key in a file",
            "leave --recipient or --keystore out",
        ));
    }
    Ok(Some((name.clone(), options.recipient.clone())))
}

/// Returns where the passphrase of a new key of a subscriber comes from, if that is said.
fn subscriber_passphrase(command: &Command) -> Option<String> {
    match command {
        Command::CreateRequest(args) => args.key_passphrase_from.clone(),
        Command::Rekey(args) => args.key_passphrase_from.clone(),
        _ => None,
    }
}

/// Whether a progress bar may be drawn beside what a command writes: not into a list that is printed while it is read,
/// nor between the parts of the quickstart.
pub(crate) fn may_draw(command: &Command) -> bool {
    match command {
        Command::Quickstart(_) => false,
        Command::List(_) | Command::Audit(_) => !std::io::stdout().is_terminal(),
        _ => true,
    }
}

/// Runs a command.
pub(crate) fn run(global: &Global, command: Command) -> Result<Report, Problem> {
    let name = name(&command);
    let global = &Global {
        new_passphrase: new_passphrase(&command),
        pin: token_request::pin(&command)?,
        recipients: recipients(&command)?,
        subscriber_passphrase_from: subscriber_passphrase(&command),
        ..global.clone()
    };
    let (object, purpose) = (object(&command), purpose(&command));
    let is_dry_run = ensure::is_dry_run(&command);
    if is_dry_run && !home_of(global).exists() {
        return Ok(ensure::would_change());
    }
    let with = |secrets, run: &dyn Fn(&Session) -> Result<Report, Problem>| match is_dry_run {
        true => run(&Session::open(global)?),
        false => in_session(global, name, object.as_deref(), purpose, secrets, run),
    };
    let at_home = |run: &dyn Fn(&Session) -> Result<Report, Problem>| with(None, run);
    match command {
        Command::Version => Ok(init::version()),
        Command::Completions(args) => Ok(completions::completions(&args)),
        Command::Man(args) => manual::manual(&args),
        Command::Init(args) => ensure::init(global, &args),
        Command::Quickstart(args) => quickstart::quickstart(global, &args),
        Command::Doctor(args) => doctor::doctor(global, &args),
        Command::Lint(args) => lint::lint(&args),
        Command::Show(args) => show::show(global, &args),
        Command::CreateRequest(args) if args.is_in_token() && !args.sign => {
            token_request::create(global, &args)
        }
        Command::CreateRequest(args) if args.is_in_token() => {
            at_home(&|session| token_request::create_and_sign(session, &args))
        }
        Command::CreateRequest(args) if !args.sign => ensure::create(global, &args),
        Command::CreateRequest(args) => at_home(&|session| ensure::create_and_sign(session, &args)),
        Command::CreateRoot(args) => {
            let new = authority::root_to_be(&args)?;
            let first = init::make_home_for_first_root(global, &new.name, &args.home)?;
            let (keys, made) = first.map_or((None, None), |(keys, said)| (Some(keys), Some(said)));
            Ok(with(keys, &|session| authority::create_root(session, &args))?.warn(made))
        }
        Command::CreateChild(args) => at_home(&|session| authority::create_child(session, &args)),
        Command::Adopt(args) => at_home(&|session| foreign::adopt(session, &args)),
        Command::Key(Key::Import(args)) => {
            let old = foreign::old_passphrase(args.key_passphrase_from.as_deref())?;
            match &args.file {
                Some(file) if args.service => bringing::bring(global, &args, file),
                Some(file) => at_home(&|session| foreign::import_key(session, &args, file, old.as_ref())),
                None => at_home(&|session| foreign::take_key(session, &args)),
            }
        }
        Command::Key(Key::ExportBundle(args)) => at_home(&|session| offline::export_bundle(session, &args)),
        Command::Key(Key::ImportBundle(args)) => at_home(&|session| offline::import_bundle(session, &args)),
        Command::Key(Key::List) => at_home(&keys::list),
        Command::Key(Key::Export(args)) if args.service => keys::export_from_service(global, &args),
        Command::Key(Key::Export(args)) => at_home(&|session| keys::export(session, &args)),
        Command::Key(Key::Envelope(args)) if args.service => keys::limits_in_service(global, &args),
        Command::Key(Key::Envelope(args)) => at_home(&|session| keys::limits(session, &args)),
        Command::Key(Key::Move(args)) => at_home(&|session| moving::move_key(session, &args)),
        Command::Key(Key::Unlock(args)) => unlocking::unlock(global, &args),
        Command::Key(Key::Lock(args)) => unlocking::lock(&args),
        Command::Key(Key::Status(args)) => unlocking::status(&args),
        Command::Key(Key::Passphrase(args)) if args.service => unlocking::change_passphrase(global, &args),
        Command::Key(Key::Passphrase(args)) => at_home(&|session| key::change_passphrase(session, &args)),
        Command::Import(import) => {
            let (args, layout) = match &import {
                Import::Openssl(args) => (args, Layout::OpenSsl),
                Import::EasyRsa(args) => (args, Layout::EasyRsa),
            };
            let old = foreign::old_passphrase(args.key_passphrase_from.as_deref())?;
            if args.dry_run {
                return import::preview(&Session::open(global)?, args, layout, old.as_ref());
            }
            at_home(&|session| import::import(session, args, layout, old.as_ref()))
        }
        Command::Ceremony(Ceremony::Request(args)) => at_home(&|session| ceremony::request(session, &args)),
        Command::Ceremony(Ceremony::Sign(args)) => ceremony::sign(global, &args),
        Command::Ceremony(Ceremony::Import(args)) => at_home(&|session| ceremony::import(session, &args)),
        Command::Profile(Profile::List) => at_home(&profile::list),
        Command::Profile(Profile::Show(args)) => at_home(&|session| profile::show(session, &args)),
        Command::Profile(Profile::Check(args)) => profile::check(global, &args),
        Command::Authorities(args) => at_home(&|session| authority::list(session, &args)),
        Command::Status(args) => at_home(&|session| status::status(session, &args)),
        Command::Metrics(args) => at_home(&|session| metrics::metrics(session, &args)),
        Command::Calendar(args) => at_home(&|session| calendar::calendar(session, &args)),
        Command::Sign(args) if args.dry_run && !args.ensure => sign::sign(&Session::open(global)?, &args),
        Command::Sign(args) => at_home(&|session| sign::ensured::sign(session, &args)),
        Command::RenewCa(args) => at_home(&|session| generation::renew(session, &args)),
        Command::CrossSign(args) => at_home(&|session| generation::cross_sign(session, &args)),
        Command::RevokeCa(args) => at_home(&|session| ensure::revoke_authority(session, &args)),
        Command::Retire(args) => at_home(&|session| retire::retire(session, &args)),
        Command::Renew(args) => at_home(&|session| renewal::renew(session, &args)),
        Command::Rekey(args) => at_home(&|session| renewal::rekey(session, &args)),
        Command::Revoke(args) => at_home(&|session| ensure::revoke(session, &args)),
        Command::Hold(args) => at_home(&|session| ensure::hold(session, &args)),
        Command::Release(args) => at_home(&|session| ensure::release(session, &args)),
        Command::List(args) => at_home(&|session| list::list(session, &args)),
        Command::Crl(Crl::Publish(args)) => at_home(&|session| crl::publish(session, &args)),
        Command::Crl(Crl::Show(args)) => crl::show(global, &args),
        Command::Crl(Crl::Import(args)) => at_home(&|session| crl::import(session, &args)),
        Command::Crl(Crl::Check(args)) => crl::check(global, &args),
        Command::Ocsp(Ocsp::Responder(args)) => at_home(&|session| ocsp::responder(session, &args)),
        Command::Ocsp(Ocsp::Query(args)) => ocsp::question(global, &args),
        Command::Ocsp(Ocsp::Sync) => at_home(&ocsp::sync),
        Command::Ocsp(Ocsp::Presign(args)) => at_home(&|session| presign::presign(session, &args)),
        Command::Ocsp(Ocsp::Disable(args)) => at_home(&|session| ocsp::disable(session, &args)),
        Command::Ocsp(Ocsp::Enable(args)) => at_home(&|session| ocsp::enable(session, &args)),
        Command::Backup(Backup::Create(args)) if args.signer => signer_backup::create(global, &args),
        Command::Backup(Backup::Verify(args)) if args.signer => signer_backup::verify(global, &args),
        Command::Backup(Backup::Restore(args)) if args.signer => signer_backup::restore(global, &args),
        Command::Backup(Backup::Accept(args)) if args.signer => signer_backup::accept(global, &args),
        Command::Backup(Backup::Create(args)) => at_home(&|session| backup::create(session, &args)),
        Command::Backup(Backup::Verify(args)) => backup::verify(global, &args),
        Command::Backup(Backup::Restore(args)) => backup::restore(global, &args),
        Command::Backup(Backup::Accept(_)) => at_home(&backup::accept),
        Command::Clock(Clock::Status) => at_home(&clock::status),
        Command::Clock(Clock::Accept) => at_home(&clock::accept),
        Command::Config(Config::Check(args)) => config::check(global, &args),
        Command::Audit(Audit::Show(args)) => at_home(&|session| audit::show(session, &args)),
        Command::Audit(Audit::Verify) => at_home(&audit::verify),
        Command::Export(Export::IndexTxt(args)) => at_home(&|session| export::index_txt(session, &args)),
        Command::Export(Export::Bundle(args)) => at_home(&|session| export::bundle(session, &args)),
        Command::Export(Export::Truststore(args)) => {
            let secrets = export::new_passphrase(global, args.p12_passphrase_from.as_deref(), false)?;
            at_home(&|session| export::truststore(session, &args, &secrets))
        }
        Command::Export(Export::HashedDir(args)) => at_home(&|session| export::hashed_dir(session, &args)),
        Command::Export(Export::P12(args)) => {
            let secrets = export::new_passphrase(global, args.p12_passphrase_from.as_deref(), args.generate)?;
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

/// Runs a command in an opened home, with the repairs and audit records of `Engine::run`; with `keys` whose passphrases were
/// asked for already, when there are some.
pub(crate) fn in_session(
    global: &Global,
    name: &str,
    object: Option<&str>,
    purpose: CommandPurpose,
    keys: Option<SignerKeys>,
    run: impl FnOnce(&Session) -> Result<Report, Problem>,
) -> Result<Report, Problem> {
    let session = Session::open_for(global, purpose, keys.clone())
        .inspect_err(|_| keys.iter().for_each(SignerKeys::take_back))?;
    let home = home_of(global).directory().shown().to_string();
    let task = Task {
        command: name,
        object: object.unwrap_or(&home),
        purpose,
        shows_record: "`genfic-ca audit show`",
    };
    let outcome = session.engine().run(&task, |begun| {
        let mut report = run(&session)?.warn(session.notes(begun));
        // `audit show` has the steps of every command then
        if global.verbose && name != "audit show" {
            let recorded = audit::text(&session, begun.sequence + 1)?;
            report.text = format!("{}\n\non record\n{recorded}", report.text.trim_end());
        }
        Ok(report)
    });
    outcome.inspect_err(|_| session.keys().take_back())
}

impl Conclusion for Report {
    fn refusal(&self) -> Option<&Problem> {
        self.exit.as_ref().filter(|problem| problem.exit != Exit::Findings)
    }
}
