//! `combine`.
use super::custodians::Custodians;
use super::{must_be_free, rewrap::harvested};
use crate::cli::{Combine, Global, Scope, Service, Unlock};
use crate::output::{Report, visible};
use crate::plugins::plugins;
use crate::sources::{Named, key, must_be_secret, readers, sources, to_recipients, work};
use crate::terminal::{self, Typed};
use clap::ValueEnum as _;
use genfic_ca::assembly::{CustodyService, UnlockingTerms};
use genfic_ca::custody::{Block, BlockFault, BlockReader, Combination, Share, ShareSet};
use genfic_ca::error::{Code, Problem, Shown as _};
use genfic_ca::home::read_file;
use genfic_ca::signing::{
    KeyError, OpenedKey, Protection, SealKeyFor, SealedKey, Secret, SecretPurpose, SecretSource,
};
use serde_json::json;
use std::io::{ErrorKind, Read as _, Write as _, stderr, stdin};
use std::path::Path;

/// Bound of a file with shares, in octets.
const LARGEST: u64 = 64 * 1024;

/// Restores a key from shares, or unlocks it with them where it is.
pub(crate) fn combine(global: &Global, args: &Combine) -> Result<Report, Problem> {
    work(&args.readers)?;
    let service = Service { service: args.signer.service || args.unlock.unlock, ..args.signer.clone() };
    if service.service && args.in_place && to_recipients(&args.readers) {
        return Err(Problem::new(Code::Usage, "the signer takes no key back that it cannot open").hint(
            "combine it to a passphrase, then genfic-key rewrap --service --recipient; nothing was changed",
        ));
    }
    let terms = args.unlock.unlock.then(|| terms(&args.unlock)).transpose()?;
    let mut named = key(global, &args.key, &service)?;
    if named.service().is_none() {
        must_be_split(named.sealed()?)?;
    }
    if let Some(output) = &args.output {
        must_be_free(output)?;
    }
    if args.in_place {
        named.must_have_one_name()?;
    }
    let mut warnings = Vec::new();
    let mut combination = Combination::of(record(&named, &mut warnings)?);
    let mut custodians = Custodians::new(global, &args.share_passphrase_from)?;
    if args.share.is_empty() {
        typed(global, &mut combination, &mut custodians)?;
    } else {
        read(&args.share, &mut combination, &mut custodians)?;
    }
    let passphrase = combination.passphrase().ok_or_else(|| missing(&combination))?;
    if let (Some(terms), Some(service)) = (terms, named.service()) {
        return unlock(service, &named, (&terms, &passphrase), warnings);
    }
    let used = combination.numbers().map(|numbers| numbers.to_string()).unwrap_or_default();
    if args.check {
        let tried = named.try_opening(&Restored(passphrase), None);
        tried.map_err(|problem| opens_nothing(problem, &named.shown()))?;
        let text = format!("the shares open {}: {used} were needed; nothing was written", named.shown());
        let result = json!({ "name": named.name(), "file": null, "checked": true });
        return Ok(Report { changed: false, result, text, warnings });
    }
    let opened = opened(&mut named, passphrase, args.in_place)?;
    let secrets = sources(global, &named, Some(&args.readers))?;
    let plugins = plugins(global, &secrets, &args.share_passphrase_from);
    let readers = readers(&args.readers, &named, &secrets)?;
    let path = args.output.clone().unwrap_or_else(|| named.path());
    let after = SealedKey::seal(&path, &opened, &readers, Some(&plugins))?;
    if args.in_place {
        let secret = match readers {
            SealKeyFor::Passphrase { secret, .. } => secret,
            SealKeyFor::Recipients(_) => Secret::default(),
        };
        warnings.extend(named.replace(
            &after,
            &secret,
            None,
            &format!("combine, to {}", after.protection()),
        )?);
    } else {
        after.write_new()?
    }
    warnings.extend(secrets.take_notes());
    if after.protection().may_be_harvested() {
        warnings.push(harvested().to_owned());
    }
    let shown = if args.in_place { named.shown() } else { path.shown().to_string() };
    let is_in_signer = args.in_place && named.service().is_some();
    let result = json!({
        "name": named.name(),
        "file": (!is_in_signer).then(|| path.to_string_lossy()),
        "checked": true,
        "protection": after.protection().to_string(),
    });
    let opener = super::rewrap::opener(after.protection());
    let text = match is_in_signer {
        true => format!(
            "{opener} opens {shown}, and no longer the shares, which still open the copies that were made with them\n\
             {}",
            super::rewrap::TIMERS
        ),
        false => format!(
            "{shown} has the key, and {opener} opens it\nno secret was written anywhere else. The shares still open the \
             copies that were made with them: after the work, destroy this file or split the key again"
        ),
    };
    Ok(Report { changed: true, result, text, warnings })
}

fn must_be_split(sealed: &SealedKey) -> Result<(), Problem> {
    if matches!(sealed.protection(), Protection::Passphrase { .. }) {
        return Ok(());
    }
    let message = format!("{} is encrypted to recipients, not split", sealed.path().shown());
    Err(Problem::new(Code::ShareOpensNothing, message).hint("name the file that was made with the shares"))
}

/// A source of what the shares give, once.
struct Restored(Secret);

impl SecretSource for Restored {
    fn secret(&self, _: &SecretPurpose) -> Result<Secret, KeyError> {
        Ok(self.0.clone())
    }
}

fn opened(named: &mut Named, passphrase: Secret, is_to_come_back: bool) -> Result<OpenedKey, Problem> {
    let opened = named.open(&Restored(passphrase), None, is_to_come_back);
    opened.map_err(|problem| opens_nothing(problem, &named.shown()))
}

fn opens_nothing(problem: Problem, shown: &str) -> Problem {
    match problem.code {
        Code::KeyPassphraseWrong => Problem::new(
            Code::ShareOpensNothing,
            format!("the shares do not open {shown}"),
        )
        .hint("they belong together: name the key file that was made with them; its page has the set's name"),
        _ => problem,
    }
}

/// Returns what the key is unlocked for.
fn terms(unlock: &Unlock) -> Result<UnlockingTerms, Problem> {
    let scopes = match unlock.only.as_slice() {
        [] => &[Scope::Leaf, Scope::Crl][..],
        scopes => scopes,
    };
    let names = scopes.iter().filter_map(Scope::to_possible_value);
    let scopes = names.map(|name| (name.get_name().to_owned(), unlock.count)).collect();
    UnlockingTerms::lasting_for(scopes, &unlock.lasting).ok_or_else(|| {
        Problem::new(Code::Usage, format!("--for {}", unlock.lasting)).hint("give a time such as 15m or 2h")
    })
}

/// Unlocks the key in the signer. What the shares give goes there and nowhere else.
fn unlock(
    service: &CustodyService,
    named: &Named,
    (terms, passphrase): (&UnlockingTerms, &Secret),
    warnings: Vec<String>,
) -> Result<Report, Problem> {
    let unlocked = service.unlock(named.name(), terms, passphrase);
    let unlocked = unlocked.map_err(|problem| opens_nothing(problem, &named.shown()))?;
    let scopes: Vec<&str> = unlocked.left.keys().map(String::as_str).collect();
    let text = format!(
        "{} is unlocked for {} until {}, for this login\nwhat the shares give went to the signer alone, from this \
         account, and was not shown or written\nnext: use it as the CA's user, then genfic-ca key lock {}",
        unlocked.key,
        scopes.join(", "),
        unlocked.until,
        unlocked.key
    );
    let result = json!({
        "name": named.name(),
        "unlocked": true,
        "scopes": unlocked.left,
        "until": unlocked.until.to_string(),
    });
    Ok(Report { changed: true, result, text, warnings })
}

/// Returns the record of the shares beside the key file, if it is of this file.
fn record(named: &Named, warnings: &mut Vec<String>) -> Result<Option<ShareSet>, Problem> {
    let path = match named.service() {
        Some(_) => format!("the signer's record of the shares of {}", named.name()),
        None => named.path().with_extension("shares.toml").shown().to_string(),
    };
    let Some(record) = named.shares()? else {
        warnings.push(format!("{path} is not there: shares are compared with each other only"));
        return Ok(None);
    };
    match ShareSet::parse(&record) {
        // the signer gives only one that is of its file
        Ok(set) if named.service().is_some() || set.is_of(named.sealed()?.octets()) => Ok(Some(set)),
        Ok(_) => {
            warnings.push(format!("{path} is of another file, and was not used"));
            Ok(None)
        }
        Err(error) => Err(Problem::new(Code::KeptFileMalformed, format!("{path}: {error}"))
            .hint("bring the file that was made with the shares, or move this one away")),
    }
}

/// Takes shares from files.
fn read(
    files: &[impl AsRef<Path>],
    combination: &mut Combination,
    custodians: &mut Custodians,
) -> Result<(), Problem> {
    for file in files.iter().map(AsRef::as_ref) {
        if file != Path::new("-") {
            must_be_secret(file)?;
        }
        let text = text_of(file)?;
        let mut reader = BlockReader::default();
        let mut found = false;
        let told = |problem: Problem| Problem {
            message: format!("{}: {}", file.shown(), problem.message),
            ..problem
        };
        for line in text.lines() {
            if let Some(block) = reader.push(line).map_err(|fault| told(fault.into()))? {
                found = true;
                let share = share_in(block).map_err(told)?;
                // nobody is asked for the passphrase of a share that is of no use
                combination.judge(&share).map_err(|error| told(error.into()))?;
                let share = unlocked(share, custodians, |_| {}).map_err(told)?;
                combination.add(share).map_err(|error| told(error.into()))?;
            }
        }
        if reader.next() > 1 || !found {
            return Err(told(BlockFault::Short(reader.next()).into()));
        }
    }
    Ok(())
}

/// Returns the text of a file, or of standard input for `-`.
pub(super) fn text_of(file: &Path) -> Result<Secret, Problem> {
    let octets = if file == Path::new("-") {
        let mut octets = zeroize::Zeroizing::new(Vec::with_capacity(4096));
        stdin()
            .take(LARGEST)
            .read_to_end(&mut octets)
            .map_err(|error| unreadable(file, &error.to_string(), Code::FileNotRead))?;
        octets
    } else {
        zeroize::Zeroizing::new(read_file(file, LARGEST).map_err(|error| match &error {
            genfic_ca::home::ReadError::Io(source) if source.kind() == ErrorKind::NotFound => {
                unreadable(file, &error.to_string(), Code::FileMissing)
            }
            _ => unreadable(file, &error.to_string(), Code::FileNotRead),
        })?)
    };
    match std::str::from_utf8(&octets) {
        Ok(text) => Ok(Secret::new(text.to_owned())),
        Err(_) => Err(unreadable(file, "it is not text", Code::FileMalformed)),
    }
}

fn unreadable(file: &Path, reason: &str, code: Code) -> Problem {
    Problem::new(code, format!("{}: {reason}", file.shown())).hint("look at the name, its owner and mode")
}

fn share_in(block: Block) -> Result<Share, Problem> {
    match block {
        Block::Share(share) => Ok(share),
        Block::Key(_) => Err(Problem::new(Code::ShareDamaged, "this is a key, not a share")
            .hint("`genfic-key page --read` reads the page of a key; here the shares are needed")),
    }
}

/// Takes the custodian's passphrase off a share.
fn unlocked(share: Share, custodians: &mut Custodians, told: impl Fn(&str)) -> Result<Share, Problem> {
    if !share.is_locked() {
        return Ok(share);
    }
    let purpose = SecretPurpose::Open(format!("share {}", share.index()));
    loop {
        let passphrase = custodians.next(&purpose)?;
        match share.unlocked(&passphrase) {
            Ok(share) => return Ok(share),
            Err(error) if custodians.try_again(&purpose) => told(&error.to_string()),
            Err(error) => {
                let message = format!("share {}: {error}", share.index());
                return Err(Problem::new(Code::KeyPassphraseWrong, message).hint("ask its custodian"));
            }
        }
    }
}

/// Asks for shares on the terminal, line by line, until there are enough.
fn typed(global: &Global, combination: &mut Combination, custodians: &mut Custodians) -> Result<(), Problem> {
    if global.no_input || global.json || !terminal::is_attended() {
        return Err(missing(combination));
    }
    let tell = |text: &str| drop(writeln!(stderr(), "{}", visible(text)));
    let mut number = 1;
    while combination.missing() > 0 {
        match combination.numbers() {
            Some(numbers) => tell(&format!(
                "share {number} of the {} that are needed, line by line; a scanner may type its QR code",
                numbers.threshold()
            )),
            None => tell("the first share, line by line; a scanner may type its QR code"),
        }
        let share = typed_share(&tell)?;
        // what was typed does not stay on the screen
        let _ = stderr().write_all(b"\x1b[H\x1b[2J\x1b[3J");
        let index = share.index();
        let judged = combination.judge(&share).map_err(Problem::from);
        let unlocked = judged.and_then(|()| unlocked(share, custodians, tell));
        let added = unlocked.and_then(|share| Ok(combination.add(share)?));
        match added {
            Ok(missing) => {
                tell(&format!("share {index} is right; {missing} more"));
                number += 1;
            }
            Err(problem) if problem.code == Code::InputInterrupted || terminal::was_interrupted() => {
                return Err(problem);
            }
            Err(problem) => tell(&format!("not taken: {}", problem.message)),
        }
    }
    Ok(())
}

fn typed_share(tell: &impl Fn(&str)) -> Result<Share, Problem> {
    let mut reader = BlockReader::default();
    loop {
        let line = match terminal::ask(&format!("{:>2}: ", reader.next()), true) {
            Ok(Typed::Line(line)) => line,
            Ok(Typed::NotText) => continue,
            Ok(Typed::Interrupted | Typed::Nothing) => {
                return Err(Problem::new(Code::InputInterrupted, "interrupted; nothing was done"));
            }
            Err(error) => {
                return Err(Problem::new(Code::ShareMissing, format!("the terminal: {error}"))
                    .hint("give the shares in files with --share"));
            }
        };
        match reader.push(&line) {
            Ok(None) => {}
            Ok(Some(Block::Share(share))) => return Ok(share),
            Ok(Some(Block::Key(_))) => tell("this is a key, not a share: begin again"),
            Err(fault @ BlockFault::Line(..)) => tell(&format!("{fault}: type this line again")),
            Err(fault) => tell(&format!("{fault}: begin again with line 1")),
        }
    }
}

fn missing(combination: &Combination) -> Problem {
    let message = match combination.numbers() {
        Some(numbers) => format!("{} more shares are needed of {numbers}", combination.missing()),
        None => "the shares are needed, and nobody can be asked".to_owned(),
    };
    Problem::new(Code::ShareMissing, message).hint("name files with --share, `-` for standard input")
}
