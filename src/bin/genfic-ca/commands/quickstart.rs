//! `quickstart`: a demonstration with invented names in a directory of its own.
mod checks;

use super::values::usage;
use super::{authority, request, revoke};
use crate::cli::{
    AuthorityOptions, CreateChild, CreateRequest, CreateRoot, Ensure, Global, Quickstart, Revoke, Several,
};
use crate::report::{Report, path_value};
use crate::session::Session;
use checks::{Check, Demonstration};
use genfic_ca::assembly::{Initialization, init};
use genfic_ca::error::{Code, Problem, Shown as _};
use genfic_ca::home::{Home, Mode, quoted, write_new};
use genfic_ca::signing::random_passphrase;
use serde_json::json;
use std::fs;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// Work factor of scrypt (log2 of N) that takes a millisecond on any machine. The keys of the demonstration protect
/// nothing.
const CHEAP_SCRYPT: u8 = 10;
const SYSTEM: &str = "w03443ad.genfic.example";
const USER: &str = "amber";
/// Environment variables that the daemon inherits.
const INHERITED: [&str; 10] = [
    "PATH",
    "HOME",
    "LANG",
    "LC_ALL",
    "TZ",
    "TERM",
    "NO_COLOR",
    "TMPDIR",
    "RUST_BACKTRACE",
    "GENFIC_OCSPD_LOG",
];

/// Creates a hierarchy, certificates, a revocation and a responder, and checks them.
pub(crate) fn quickstart(global: &Global, args: &Quickstart) -> Result<Report, Problem> {
    let directory = empty_directory(&args.dir)?;
    let home = Home::at(&directory);
    let address = free_address()?;
    let url = format!("http://{address}");
    let initialization = Initialization {
        signer_socket: None,
        organization: Some("Gentoo Fictional, Inc.".into()),
        country: Some("BE".into()),
        url: Some(url.clone()),
        scrypt_log_n: Some(CHEAP_SCRYPT),
    };
    init(&home, &initialization)?;
    let passphrase = directory.join("passphrase");
    write_new(&passphrase, format!("{}\n", random_passphrase()?.as_str()).as_bytes(), Mode::Private)
        .map_err(super::output::not_written)?;

    let global = Global {
        home: Some(directory.clone()),
        config: None,
        passphrase_from: Some(format!("file:{}", passphrase.shown())),
        no_input: true,
        ..global.clone()
    };
    let session = Session::open(&global)?;
    session.engine().begin_act("quickstart");
    populate(&session, &directory)?;
    let mut daemon = start(&directory, &address)?;
    let demonstration = Demonstration { session: &session, directory: &directory, url: &url };
    let checks = demonstration.run();
    stop(&mut daemon);
    let checks = checks?;
    Ok(report(&directory, &passphrase, &address, &checks, args.no_serve))
}

fn empty_directory(directory: &Path) -> Result<PathBuf, Problem> {
    let failed = |error: std::io::Error| {
        Problem::new(Code::FileNotWritten, format!("{} cannot be used: {error}", directory.shown()))
            .hint("name another directory with --dir")
    };
    if fs::read_dir(directory).is_ok_and(|mut entries| entries.next().is_some()) {
        let message = format!("{} is not empty", directory.shown());
        return Err(Problem::new(Code::HomeExists, message)
            .hint(format!("remove it (rm -r {}), or name another with --dir", directory.shown())));
    }
    let is_new = !directory.exists();
    fs::create_dir_all(directory).map_err(failed)?;
    let path = directory.canonicalize().map_err(failed)?;
    // the path appears in commands to be pasted and in a passphrase source, both of which are text
    if path.to_str().is_none_or(|text| text.contains(char::is_control)) {
        if is_new {
            let _ = fs::remove_dir(directory);
        }
        let message = format!("{} cannot be written in a command", path.shown());
        return Err(usage(message, "name a directory whose whole path is plain text with --dir"));
    }
    Ok(path)
}

fn free_address() -> Result<String, Problem> {
    TcpListener::bind("127.0.0.1:0")
        .and_then(|listener| listener.local_addr())
        .map(|address| address.to_string())
        .map_err(|error| Problem::new(Code::DaemonListen, format!("no loopback port can be had: {error}")))
}

/// Creates a root, two CAs, a certificate for a system and a revoked one for a user.
fn populate(session: &Session, directory: &Path) -> Result<(), Problem> {
    let named = |common_name: &str| AuthorityOptions {
        subject: Some(format!("C=BE,O=Gentoo Fictional\\, Inc.,CN={common_name}")),
        ..AuthorityOptions::default()
    };
    let root =
        CreateRoot { name: "genfic".into(), authority: named("GenFic Root CA"), ..CreateRoot::default() };
    authority::create_root(session, &root)?;
    for (name, common_name, profile) in
        [("genfic-user", "GenFic User CA", "user-ca"), ("genfic-system", "GenFic System CA", "system-ca")]
    {
        let child = CreateChild {
            name: name.into(),
            parent: Some("genfic".into()),
            authority: named(common_name),
            profile: Some(profile.into()),
            permit: Vec::new(),
            exclude: Vec::new(),
            csr_only: false,
            output: None,
        };
        authority::create_child(session, &child)?;
    }
    let requested = |name: &str, parent: &str| CreateRequest {
        name: name.into(),
        dir: Some(directory.to_owned()),
        sign: true,
        parent: Some(parent.into()),
        ..CreateRequest::default()
    };
    request::create_and_sign(session, &requested(SYSTEM, "genfic-system"))?;
    let amber = CreateRequest {
        subject: Some("C=BE,O=Gentoo Fictional\\, Inc.,CN=Amber McStone".into()),
        san: vec!["email:amber@genfic.example".into()],
        ..requested(USER, "genfic-user")
    };
    request::create_and_sign(session, &amber)?;
    let lost = Revoke {
        certificate: Some("Amber McStone".into()),
        several: Several::default(),
        parent: None,
        reason: Some("key-compromise".into()),
        invalidity_date: None,
        no_crl: false,
        ensure: Ensure::default(),
    };
    revoke::revoke(session, &lost).map(drop)
}

fn daemon_command(directory: &Path, address: &str) -> Command {
    let beside = std::env::current_exe().ok().map(|path| path.with_file_name("genfic-ocspd"));
    let program = beside.filter(|path| path.is_file()).unwrap_or_else(|| "genfic-ocspd".into());
    let mut command = Command::new(program);
    command.arg("--home").arg(directory).arg("--listen").arg(address);
    // the daemon needs no secret, so it inherits only variables that are known to be none
    command.env_clear();
    for name in INHERITED {
        command.envs(std::env::var_os(name).map(|value| (name, value)));
    }
    command
}

/// Starts the daemon and waits until it reports that it listens.
fn start(directory: &Path, address: &str) -> Result<Child, Problem> {
    let failed = |what: String| {
        Problem::new(Code::DaemonStart, what).hint("genfic-ocspd must stand beside genfic-ca, or in the PATH")
    };
    let mut daemon = daemon_command(directory, address)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| failed(format!("genfic-ocspd cannot be started: {error}")))?;
    let mut line = String::new();
    if let Some(output) = daemon.stdout.take() {
        let _ = BufReader::new(output).read_line(&mut line);
    }
    if line.starts_with("listening on ") {
        return Ok(daemon);
    }
    stop(&mut daemon);
    Err(failed("genfic-ocspd ended before it listened".into()))
}

fn stop(daemon: &mut Child) {
    let terminated = i32::try_from(daemon.id())
        .ok()
        .and_then(rustix::process::Pid::from_raw)
        .is_some_and(|pid| rustix::process::kill_process(pid, rustix::process::Signal::TERM).is_ok());
    if !terminated {
        let _ = daemon.kill();
    }
    let _ = daemon.wait();
}

fn report(directory: &Path, passphrase: &Path, address: &str, checks: &[Check], no_serve: bool) -> Report {
    let mut text = format!(
        "a root CA, a user CA and a system CA with their responders, a certificate for {SYSTEM},\n\
         one for Amber McStone, revoked for key compromise; all in {}\n\
         every key is protected by the passphrase in {} (mode 0600), with a cheap work factor:\n\
         this is for looking at, not for use\n",
        directory.shown(),
        passphrase.shown()
    );
    for check in checks {
        let word = if check.passed { "ok    " } else { "FAILED" };
        text.push_str(&format!("\n{word}  {}\n        {}\n", check.sentence, check.command));
    }
    let next = look_around(directory, passphrase);
    text.push_str(&format!("\nlook around, in any terminal:\n  {}\n", next.join("\n  ")));
    let then = daemon_command(directory, address);
    if no_serve {
        text.push_str(&format!("serve again: {}\n", words(&then)));
    } else {
        text.push_str(&format!("serving OCSP, CRLs and CA certificates on http://{address} until Ctrl-C\n"));
    }
    let result = json!({
        "dir": path_value(directory),
        "url": format!("http://{address}"),
        "passphrase": path_value(passphrase),
        "next": next,
        "checks": checks.iter().map(|check| json!({
            "sentence": check.sentence, "passed": check.passed, "command": check.command, "expect": check.expect,
        })).collect::<Vec<_>>(),
    });
    let failed = checks.iter().filter(|check| !check.passed).count();
    let exit = (failed > 0).then(|| {
        Problem::new(Code::QuickstartCheck, format!("{failed} of {} checks failed", checks.len()))
            .hint("the lines marked FAILED say which")
    });
    let serve = (!no_serve && failed == 0).then_some(then);
    Report { then: serve, ..Report::done(result, text) }.ending(exit)
}

/// Returns lines that can be pasted wherever somebody stands: first those that say where program, home and passphrase
/// are.
fn look_around(directory: &Path, passphrase: &Path) -> Vec<String> {
    let programs = std::env::current_exe().ok().and_then(|program| Some(program.parent()?.to_owned()));
    let mut lines: Vec<String> =
        programs.map(|programs| format!("export PATH={}:\"$PATH\"", quoted(&programs))).into_iter().collect();
    lines.push(format!("export GENFIC_CA_HOME={}", quoted(directory)));
    lines.push(format!("export GENFIC_CA_PASSPHRASE_FROM=file:{}", quoted(passphrase)));
    let commands = [
        "genfic-ca list".to_owned(),
        "genfic-ca authorities --tree".to_owned(),
        "genfic-ca audit show".to_owned(),
        format!("genfic-ca show {SYSTEM}"),
        format!(
            "genfic-ca create-request {} --sign -p genfic-system",
            quoted(&directory.join("www.genfic.example"))
        ),
    ];
    lines.extend(commands);
    lines
}

fn words(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|word| quoted(Path::new(word))).collect::<Vec<_>>().join(" ")
}
