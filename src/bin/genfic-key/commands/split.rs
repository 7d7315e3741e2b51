//! `split`.
use super::custodians::Custodians;
use super::{confirm, must_be_free, not_written, put};
use crate::cli::{Global, Size, Split};
use crate::output::Report;
use crate::plugins::plugins;
use crate::sources::{Named, key, plain_name, sources};
use genfic_ca::assembly::now;
use genfic_ca::custody::page::{self, KeyFacts, PageError, Paper};
use genfic_ca::custody::{Combination, Numbers, SPLIT_WORK, Share, ShareSet, split as deal};
use genfic_ca::error::{Code, Problem, Shown as _};
use genfic_ca::failpoint;
use genfic_ca::home::{mended_there, unsafe_way};
use genfic_ca::signing::{KeyError, SealKeyFor, SealedKey, Secret, SecretPurpose};
use serde_json::{Value, json};
use std::fs::{self, DirBuilder};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

impl From<Size> for Paper {
    fn from(size: Size) -> Self {
        match size {
            Size::A4 => Self::A4,
            Size::Letter => Self::Letter,
        }
    }
}

/// Files that were made, removed again unless all are there.
struct Made(Vec<PathBuf>);

impl Made {
    fn put(&mut self, path: PathBuf, contents: &[u8]) -> Result<(), Problem> {
        put(&path, contents)?;
        self.0.push(path);
        failpoint::passed("custody: file of a split written");
        Ok(())
    }
}

impl Drop for Made {
    fn drop(&mut self) {
        self.0.drain(..).for_each(|path| drop(fs::remove_file(path)));
    }
}

/// The names of what a split makes.
struct Names {
    directory: PathBuf,
    key: String,
    count: u8,
}

impl Names {
    fn at(&self, ending: &str) -> PathBuf {
        self.directory.join(format!("{}{ending}", self.key))
    }

    fn share(&self, index: u8, ending: &str) -> PathBuf {
        self.at(&format!("-share-{index}-of-{}.{ending}", self.count))
    }

    fn all(&self) -> Vec<PathBuf> {
        let shares = (1..=self.count).flat_map(|index| [self.share(index, "txt"), self.share(index, "pdf")]);
        shares.chain([".shares.toml", ".age", ".pdf"].map(|ending| self.at(ending))).collect()
    }
}

/// Splits a key.
pub(crate) fn split(global: &Global, args: &Split) -> Result<Report, Problem> {
    let numbers = Numbers::new(args.threshold, args.shares)?;
    let mut named = key(global, &args.key, &args.signer)?;
    let name = plain_name(&named.path())?;
    let names = Names { directory: args.to.clone(), key: name.clone(), count: numbers.count() };
    names.all().iter().try_for_each(|path| must_be_free(path))?;
    if let Some(finding) = unsafe_way(&names.at(".age")) {
        return Err(KeyError::Unsafe(mended_there(finding)).into());
    }
    if args.in_place {
        named.must_have_one_name()?;
    }
    if args.in_place {
        let question = format!(
            "{} will be opened by {numbers} shares alone, and by nothing else any more: go on?",
            named.shown()
        );
        confirm(global, &question)?;
    }
    let secrets = sources(global, &named, None)?;
    let mut custodians = Custodians::new(global, &args.share_passphrase_from)?;
    let plugins = plugins(global, &secrets, &args.share_passphrase_from);
    let opened = named.open(&secrets, Some(&plugins), args.in_place)?;
    make_directory(&args.to)?;
    let (passphrase, shares) = deal(numbers)?;
    restored(&shares, numbers, &passphrase)?;
    let readers = SealKeyFor::passphrase(passphrase.clone(), SPLIT_WORK)
        .map_err(|error| Problem::of(Code::Usage, error))?;
    let sealed = SealedKey::seal(&names.at(".age"), &opened, &readers, None)?;
    let made_at = now();
    let set = ShareSet::new(&name, &shares, sealed.octets(), made_at);
    let set = set.ok_or(KeyError::Cryptography("splitting".into()))?;
    let given = given_out(args, &name, shares, &mut custodians)?;
    let mut made = Made(Vec::new());
    let paper = Paper::from(args.paper);
    for share in &given {
        made.put(names.share(share.index(), "txt"), page::share_text(share).as_bytes())?;
        let pdf = page::of_share(paper, &name, share, made_at).map_err(no_page)?;
        made.put(names.share(share.index(), "pdf"), &pdf)?;
    }
    let protection = sealed.protection().to_string();
    let facts = KeyFacts {
        name: &name,
        file: sealed.octets(),
        protection: &protection,
        shares: Some(&set),
        made: made_at,
    };
    made.put(names.at(".pdf"), &page::of_key(paper, &facts).map_err(no_page)?)?;
    made.put(names.at(".shares.toml"), set.to_string().as_bytes())?;
    // comes last: where it is, all is there
    made.put(names.at(".age"), sealed.octets())?;
    let mut warnings = Vec::new();
    if args.in_place {
        let how = format!("split, {numbers} shares, set {}", set.set());
        // from here on they may be all that opens the key, whatever is answered
        let files = std::mem::take(&mut made.0);
        match named.replace(&sealed, &passphrase, Some(&set), &how) {
            Ok(more) => warnings.extend(more),
            Err(problem) if is_refusal(problem.code) => {
                made.0 = files;
                return Err(problem);
            }
            Err(problem) => return Err(unknown_whether(problem, args, &named)),
        }
    }
    made.0.clear();
    let report = report(args, &named, &names, &set, &given);
    Ok(Report { warnings: [warnings, report.warnings].concat(), ..report })
}

/// Returns whether this is said before a file is replaced, and never after that.
fn is_refusal(code: Code) -> bool {
    matches!(
        code,
        Code::SignerLocked | Code::KeyMismatch | Code::KeyPassphraseWrong | Code::KeyPassphraseWeak
    )
}

/// Adds to an error that the key may be the split one all the same.
fn unknown_whether(problem: Problem, args: &Split, named: &Named) -> Problem {
    let service = if args.signer.service { " --service" } else { "" };
    let hint = format!(
        "the shares in {} may be all that opens the key now, so they were kept: genfic-key combine {} --check{service} \
         says whether they open it; only if they do not, destroy them and split it again",
        args.to.shown(),
        args.key.shown(),
    );
    let message = format!("{}; {} may be the split one already", problem.message, named.shown());
    Problem { message, ..problem }.hint(hint)
}

/// Makes sure that the first shares and the last ones restore the passphrase.
fn restored(shares: &[Share], numbers: Numbers, passphrase: &Secret) -> Result<(), Problem> {
    let needed = usize::from(numbers.threshold());
    let first: Vec<&Share> = shares.iter().take(needed).collect();
    let last: Vec<&Share> = shares.iter().rev().take(needed).collect();
    for chosen in [first, last] {
        let mut combination = Combination::default();
        chosen.into_iter().try_for_each(|share| combination.add(share.clone()).map(drop))?;
        if combination.passphrase().as_ref() != Some(passphrase) {
            return Err(KeyError::Cryptography("splitting".into()).into());
        }
    }
    Ok(())
}

/// Returns the shares as they are handed out: with the passphrases of their custodians, if they get some.
fn given_out(
    args: &Split,
    name: &str,
    shares: Vec<Share>,
    custodians: &mut Custodians,
) -> Result<Vec<Share>, Problem> {
    if !args.lock && args.share_passphrase_from.is_empty() {
        return Ok(shares);
    }
    let locked = shares.iter().map(|share| {
        let purpose = SecretPurpose::Protect(format!("share {} of {name}, for its custodian", share.index()));
        let passphrase = custodians.next(&purpose)?;
        Ok(share.locked(&passphrase)?)
    });
    locked.collect()
}

fn make_directory(path: &Path) -> Result<(), Problem> {
    if path.is_dir() {
        return Ok(());
    }
    DirBuilder::new().mode(0o700).create(path).map_err(|error| not_written(path, error))
}

pub(super) fn no_page(error: PageError) -> Problem {
    Problem::of(Code::FileTooLarge, error).hint("an RSA or elliptic-curve key fits on a page")
}

fn report(args: &Split, named: &Named, names: &Names, set: &ShareSet, given: &[Share]) -> Report {
    let shown = |path: PathBuf| path.to_string_lossy().into_owned();
    let shares: Vec<Value> = given
        .iter()
        .map(|share| {
            json!({
                "index": share.index(),
                "file": shown(names.share(share.index(), "txt")),
                "page": shown(names.share(share.index(), "pdf")),
                "locked": share.is_locked(),
            })
        })
        .collect();
    let result = json!({
        "name": set.key(),
        "set": set.set(),
        "threshold": set.numbers().threshold(),
        "shares": shares,
        "file": shown(names.at(".age")),
        "page": shown(names.at(".pdf")),
        "record": shown(names.at(".shares.toml")),
        "scrypt_log_n": SPLIT_WORK,
        "in_place": args.in_place,
    });
    let old = named.shown();
    let rest = if args.in_place {
        let timers = if args.signer.service {
            "\nit is locked; a credential of the signer's unit opens it no more: this CA's timers cannot sign any more"
        } else {
            ""
        };
        format!(
            "{old} is the split one now; backups and other copies of the former file still open as they did: destroy \
                 them, then the split is complete{timers}"
        )
    } else {
        format!(
            "{old} still opens as before. The split is complete only when that file, its backups and every other \
                 copy are destroyed; split --in-place replaces the file itself"
        )
    };
    let text = format!(
        "{} of {} shares restore the key of {}, set {}; they are in {}, each as text and as a page\n{}.age beside them is \
         the key, encrypted with 256 random bits that only the shares have (scrypt 2^{SPLIT_WORK}: more would protect from \
         nothing)\nnext: hand each share to its custodian, try `genfic-key combine {} --check`, and destroy the files of \
         the shares\n{rest}\nsplitting again takes nothing back: shares handed out before still open their copies. If too \
         many are lost or seen, give the CA a new key: genfic-ca renew-ca {} --rekey",
        set.numbers().threshold(),
        set.numbers().count(),
        set.key(),
        set.set(),
        args.to.shown(),
        set.key(),
        names.at(".age").shown(),
        set.key(),
    );
    let warnings = if given.iter().any(Share::is_locked) {
        Vec::new()
    } else {
        vec![format!("the shares lie in {} as plain text until they are destroyed there", args.to.shown())]
    };
    Report { changed: true, result, text, warnings }
}
