//! `open`.
use crate::cli::{Global, Open};
use crate::output::Report;
use crate::plugins::plugins;
use crate::sources::{key, sources};
use genfic_ca::error::{Code, Problem};
use genfic_ca::home::quoted;
use genfic_ca::signing::{Protection, Secret, SecretPurpose, SecretSource as _};
use rustix::fs::{FileType, fstat};
use serde_json::Value;
use std::fs::File;
use std::io::{self, ErrorKind, Write as _};
use std::os::fd::AsFd as _;
use std::path::Path;

/// Writes the file key of a key file into the pipe that standard output is. The key itself is not decrypted.
pub(crate) fn open(global: &Global, args: &Open) -> Result<Report, Problem> {
    let usage = usage(&args.key, args.signer.service);
    if global.json {
        let message = "what opens a key file is written as it is, not as JSON";
        return Err(Problem::new(Code::Usage, message).hint("leave --json out"));
    }
    must_be_a_pipe(&usage)?;
    if global.identity.is_none() {
        let message = "the identity that a plugin printed, or that of a recipient, is missing";
        return Err(Problem::new(Code::Usage, message).hint(format!("name its file: {usage}")));
    }
    let mut named = key(global, &args.key, &args.signer)?;
    named.copied()?;
    if let Protection::Passphrase { .. } = named.sealed()?.protection() {
        return Err(Problem::new(Code::Usage, format!("{} is opened by a passphrase", named.shown()))
            .hint("give the passphrase itself to the command that signs or unlocks: --passphrase-from"));
    }
    let secrets = sources(global, &named, None)?;
    let identity = secrets.secret(&SecretPurpose::Open(named.name().to_owned()))?;
    let plugins = plugins(global, &secrets, &[]);
    let opens = named.sealed()?.file_key(&identity, Some(&plugins))?;
    put(&opens)?;
    Ok(Report { changed: false, result: Value::Null, text: String::new(), warnings: secrets.take_notes() })
}

/// Returns how the command is used with this key.
fn usage(key: &Path, is_in_service: bool) -> String {
    let key = quoted(key);
    match is_in_service {
        true => format!(
            "genfic-key open {key} --service --identity FILE | genfic-ca key unlock {key} --passphrase-from fd:0"
        ),
        false => format!("genfic-key open {key} --identity FILE | genfic-ca ... --passphrase-from fd:0"),
    }
}

/// Refuses a standard output that shows or keeps what is written there, and a pipe that others read too.
fn must_be_a_pipe(usage: &str) -> Result<(), Problem> {
    let status = fstat(io::stdout()).map_err(|errno| not_written(errno.into()))?;
    let what = match FileType::from_raw_mode(status.st_mode) {
        // one with a name may be open to others
        FileType::Fifo if status.st_mode & 0o077 == 0 => return Ok(()),
        FileType::Fifo => "a pipe that other users can use",
        FileType::RegularFile => "a file",
        FileType::CharacterDevice => "a terminal or another device",
        FileType::Socket => "a socket",
        _ => "no pipe",
    };
    let message = format!("standard output is {what}, and what opens a key is written into a pipe alone");
    Err(Problem::new(Code::Usage, message).hint(format!("hand it over: {usage}")))
}

/// Writes the text and the end of its line, past the buffer of standard output, which would keep a copy.
fn put(text: &Secret) -> Result<(), Problem> {
    let pipe = io::stdout().as_fd().try_clone_to_owned().map(File::from);
    let written = pipe.and_then(|mut pipe| {
        pipe.write_all(text.as_bytes())?;
        pipe.write_all(b"\n")
    });
    written.map_err(not_written)
}

fn not_written(error: io::Error) -> Problem {
    let hint = match error.kind() {
        ErrorKind::BrokenPipe => "the command behind the pipe has ended: see what it says",
        _ => "see where standard output goes",
    };
    Problem::new(Code::FileNotWritten, format!("the pipe cannot be written: {error}"))
        .because(error)
        .hint(hint)
}
