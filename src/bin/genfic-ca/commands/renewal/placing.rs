//! The file of `-o` of one renewal: for which key it is, whether it has the newest certificate, and whether the hook
//! that follows is still owed.
use super::super::chain::{issuers, pem};
use super::super::held::{Replaceable, certificate};
use super::super::hook::hook_status;
use super::super::output::{Output, file_at, not_written};
use super::Former;
use crate::cli::{Chain, Renew};
use crate::report::{Report, path_value};
use crate::session::Session;
use genfic_ca::error::{Code, Problem, Shown as _};
use genfic_ca::home::{Mode, replace};
use genfic_ca::index::CertificateRecord;
use genfic_ca::x509::{Certificate, GeneralName};
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};

/// What is behind the name of the file in the name of the file that is there until its hook has succeeded.
const OWED: &str = ".genfic-ca-hook-owed";

/// Returns the base name of a subscriber's files.
pub(super) fn file_name(record: &CertificateRecord) -> String {
    let first = record.subject.common_name();
    let first = first.or_else(|| record.subject_alt_names.first().map(GeneralName::value));
    let name: String = first
        .unwrap_or_default()
        .chars()
        .map(|one| if one.is_ascii_alphanumeric() || "-_.@".contains(one) { one } else { '_' })
        .collect();
    if name.trim_start_matches(['.', '_']).is_empty() {
        record.id.serial_number.to_string()
    } else {
        name.trim_start_matches('.').to_owned()
    }
}

/// Returns the output of `-o`, in a directory the file of the subscriber's name.
pub(super) fn output(args: &Renew, record: &CertificateRecord) -> Option<PathBuf> {
    let output = args.output.as_deref()?;
    Some(if output.is_dir() { output.join(format!("{}.crt", file_name(record))) } else { output.to_owned() })
}

/// Returns the certificates for the key of the one that the file of `-o` holds: whoever reads that file has this key.
pub(super) fn of_the_key_there(
    args: &Renew,
    word: &str,
    fit: Vec<CertificateRecord>,
) -> Result<Vec<CertificateRecord>, Problem> {
    let path = fit.first().and_then(|first| output(args, first));
    let Some(there) = path.as_deref().and_then(file_at).and_then(|file| certificate(&file)) else {
        return Ok(fit);
    };
    let is_for_it = |one: &CertificateRecord| {
        one.certificate.as_ref().is_some_and(|one| one.tbs().public_key() == there.tbs().public_key())
    };
    let found: Vec<CertificateRecord> = fit.iter().filter(|one| is_for_it(one)).cloned().collect();
    if !found.is_empty() {
        return Ok(found);
    }
    if args.force {
        return Ok(fit);
    }
    let path = path.unwrap_or_default();
    let message = format!(
        "{} holds the certificate of {}, for a key that no certificate has which `{word}` means and which can be issued \
         once more",
        path.shown(),
        there.tbs().subject()
    );
    Err(Problem::new(Code::FileExists, message)
        .hint("choose another with -o, or add --force to replace it; nothing was done"))
}

/// Returns the report of a certificate that is not due, once the output of `-o` has it. An earlier command may have
/// issued it, and then failed to write it or to run its hook. `has_key` tells whether the key is there too.
pub(super) fn brought(
    session: &Session,
    args: &Renew,
    former: &Former,
    has_key: impl FnOnce() -> bool,
    report: Report,
) -> Result<Report, Problem> {
    let Some(path) = output(args, &former.record) else { return Ok(report) };
    let Some(file) = file_at(&path) else { return streamed(session, args, former, &path, has_key(), report) };
    let is_there = certificate(&file).is_some_and(|there| is_as_new(&there, &former.certificate));
    let is_owed = args.hook.is_some() && mark(&file).symlink_metadata().is_ok();
    if is_there && !is_owed || !has_key() {
        return Ok(report);
    }
    let done = if is_there {
        "its hook has not succeeded yet, and is run again"
    } else {
        Replaceable { by_force: args.force, links: false }.check(&file, &former.applicant())?;
        owe(args, Some(&path))?;
        let is_typed = args.output.as_ref() == Some(&path);
        let place = if is_typed { Output::at(&path) } else { Output::within(&path) };
        place?.put(newest(session, args, former)?.as_bytes())?;
        "and was not there yet"
    };
    let mut report = report;
    let fields = report.result.get_mut("certificates").and_then(|all| all.get_mut(0));
    if let Some(fields) = fields.and_then(Value::as_object_mut) {
        fields.insert("name".into(), json!(former.file_name()));
        fields.insert("file".into(), path_value(&path));
    }
    let text = format!("{}\n  written   {}, {done}", report.text, path.shown());
    Ok(Report { changed: true, text, ..report })
}

/// Gives the certificate to what is no file. On standard output is nothing else, because the shell may have made it the
/// file that a server reads.
fn streamed(
    session: &Session,
    args: &Renew,
    former: &Former,
    path: &Path,
    has_key: bool,
    report: Report,
) -> Result<Report, Problem> {
    let octets = if has_key { newest(session, args, former)?.into_bytes() } else { Vec::new() };
    match Output::at(path)? {
        Output::Standard if session.global.json => Ok(report),
        Output::Standard => {
            let mut report = report;
            let text = std::mem::take(&mut report.text);
            Ok(Report { octets: Some(octets), ..report.warn([text]) })
        }
        place => place.put(&octets).map(|_| report),
    }
}

/// Returns the certificate on record as PEM, with its chain when that is wanted.
fn newest(session: &Session, args: &Renew, former: &Former) -> Result<String, Problem> {
    let published = session.engine().publication().check_published(&former.record.id)?;
    let certificate = published
        .certificate()
        .ok_or_else(|| Problem::new(Code::CertificateNotFound, "its certificate is not on record"))?;
    let with_root = args.chain.map(|chain| matches!(chain, Chain::WithRoot));
    let chain = with_root.map(|with_root| issuers(session.engine(), &former.record.authority, with_root));
    Ok(pem(std::iter::once(&certificate).chain(&chain.transpose()?.unwrap_or_default())))
}

/// Whether a file holds this certificate, or a later one of the same subject and key: an older one may have been named.
fn is_as_new(there: &Certificate, wanted: &Certificate) -> bool {
    let (one, other) = (there.tbs(), wanted.tbs());
    let is_later = one.validity().not_before > other.validity().not_before;
    let is_alike = one.subject().is_same_as(other.subject()) && one.public_key() == other.public_key();
    there.fingerprint() == wanted.fingerprint() || is_alike && is_later
}

fn mark(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(OWED);
    PathBuf::from(name)
}

/// Notes beside the file of `-o` that its hook is owed, before anything is issued. Returns whether that is new.
pub(super) fn owe(args: &Renew, path: Option<&Path>) -> Result<bool, Problem> {
    let file = path.filter(|_| args.hook.is_some()).and_then(file_at);
    let Some(mark) = file.map(|file| mark(&file)).filter(|mark| mark.symlink_metadata().is_err()) else {
        return Ok(false);
    };
    let text = b"A hook after a renewal has not succeeded yet: give the same command again.\n";
    replace(&mark, text, Mode::Public).map_err(not_written)?;
    Ok(true)
}

/// Takes the note back: nothing was issued.
pub(super) fn not_owed(path: Option<&Path>) {
    if let Some(file) = path.and_then(file_at) {
        let _ = fs::remove_file(mark(&file));
    }
}

/// Removes the note when the hook has succeeded, and returns the report.
pub(super) fn settled(args: &Renew, former: &Former, report: Report) -> Report {
    if hook_status(&report.result) == Some(0) {
        not_owed(output(args, &former.record).as_deref());
    }
    report
}
