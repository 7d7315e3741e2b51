//! `--hook`: a command of the shell that is run once after certificates were renewed and written.
use crate::cli::Renew;
use crate::progress;
use crate::report::Report;
use genfic_ca::error::{Code, Problem};
use serde_json::{Value, json};
use std::io;
use std::os::fd::AsFd;
use std::process::{Command, ExitStatus, Stdio};

/// Variables that a hook keeps; no other is handed on, because passphrases may be among them.
const KEPT: [&str; 10] =
    ["PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LC_ALL", "TZ", "TERM", "TMPDIR"];

/// Limit of a list of files in octets; Linux takes no variable of more than 128 KiB.
const LONGEST: usize = 100_000;

/// Returns the exit status of the hook that ran, in the result of a report.
pub(crate) fn hook_status(result: &Value) -> Option<i64> {
    result.get("hook")?.get("status")?.as_i64()
}

/// Runs the hook when something was issued, or put where it had been missing, and it is where it was to be; also when it
/// has not succeeded for what is there already. A failure leaves the certificates as they are, and is the report's exit
/// status unless that is another problem already.
pub(crate) fn hooked(args: &Renew, command: &str, report: Report, is_one: bool) -> Report {
    let Some(hook) = args.hook.as_deref() else { return report };
    let written = written(&report.result);
    // of one certificate, a problem means that it is not where it was to be
    if !report.changed || written.is_empty() || is_one && report.exit.is_some() {
        return report;
    }
    let run = progress::aside(|| run(hook, command, &written));
    let mut report = report;
    let (status, problem) = match run {
        Ok(status) if status.success() => (status.code(), None),
        Ok(status) => (status.code(), Some(format!("it ended with {status}"))),
        Err(error) => (None, Some(format!("it cannot be run: {error}"))),
    };
    if let Some(result) = report.result.as_object_mut() {
        result.insert("hook".into(), json!({ "command": hook, "status": status }));
    }
    let Some(why) = problem else {
        report.text = format!("{}\n  hook      done", report.text.trim_end());
        return report;
    };
    let message = format!("the certificates are renewed, but the hook failed: {why}: {hook}");
    match &report.exit {
        None => report.ending(Some(Problem::new(Code::RenewalHook, message).hint(remedy(args)))),
        Some(_) => report.warn([message]),
    }
}

/// Returns how a hook that failed is run again. What is noted beside a file has the same command do it.
fn remedy(args: &Renew) -> &'static str {
    let has_file = args.dir.is_some() || args.output.as_ref().is_some_and(|output| output.as_os_str() != "-");
    if has_file && args.expiring.is_some() {
        "mend what it does, and give the same command again: it is run again until it has succeeded"
    } else {
        "mend what it does, and run it by hand"
    }
}

/// A certificate that was written.
struct Written {
    name: String,
    file: String,
    serial: String,
    issuer: String,
}

/// Returns the certificates of a report with their files. One that could not be written where it was to be is not
/// among them.
fn written(result: &Value) -> Vec<Written> {
    let lists = ["certificates", "placed", "hook_owed"]
        .map(|field| result[field].as_array().cloned().unwrap_or_default());
    let text = |one: &Value, field: &str| one[field].as_str().unwrap_or_default().to_owned();
    lists
        .concat()
        .iter()
        .filter(|one| one["unwritten"] != true)
        .map(|one| Written {
            name: text(one, "name"),
            file: text(one, "file"),
            serial: text(one, "serial"),
            issuer: text(one, "issuer"),
        })
        .collect()
}

/// Runs a hook by the shell. Its output goes to standard error, because standard output may have a JSON object or a
/// certificate.
fn run(hook: &str, command: &str, written: &[Written]) -> io::Result<ExitStatus> {
    let error = Stdio::from(io::stderr().as_fd().try_clone_to_owned()?);
    let mut shell = Command::new("/bin/sh");
    shell.arg("-c").arg(hook).stdin(Stdio::null()).stdout(error).env_clear();
    shell.envs(KEPT.iter().filter_map(|name| Some((name, std::env::var_os(name)?))));
    let files: Vec<&str> = written.iter().map(|one| one.file.as_str()).collect();
    shell.env("GENFIC_CA_COMMAND", command);
    shell.env("GENFIC_CA_COUNT", written.len().to_string());
    let files = files.join("\n");
    if files.len() < LONGEST {
        shell.env("GENFIC_CA_FILES", files);
    }
    if let [one] = written {
        shell.env("GENFIC_CA_NAME", &one.name);
        shell.env("GENFIC_CA_FILE", &one.file);
        shell.env("GENFIC_CA_SERIAL", &one.serial);
        shell.env("GENFIC_CA_ISSUER", &one.issuer);
    }
    shell.status()
}
