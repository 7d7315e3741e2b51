//! Files that are to have a certificate that is on record.
use super::otherwise;
use crate::commands::output::Output;
use crate::report::{Report, path_value};
use genfic_ca::ca::Difference;
use genfic_ca::error::{Problem, Shown as _};
use genfic_ca::home::read_most;
use genfic_ca::x509::Certificate;
use serde_json::json;
use std::fs::File;
use std::path::Path;

/// Limit of a file that is compared, in octets: a certificate with a long chain is far smaller.
const LARGEST: u64 = 1 << 20;

/// What became of a file that is to have a certificate.
#[derive(Debug, Eq, PartialEq)]
pub(crate) enum Placed {
    /// It has it already, or it is no file.
    There,
    /// It was written, or would be.
    Written,
    /// Something else is in it, which is not replaced.
    Otherwise(Difference),
}

/// Writes the octets unless the output has them. A file is written when it is not there, or has an earlier certificate
/// of the same key, or the same certificate with another chain.
pub(crate) fn put(
    place: Output,
    path: &Path,
    octets: &[u8],
    certificate: &Certificate,
    dry_run: bool,
) -> Result<Placed, Problem> {
    let placed = match place.is_file() {
        true => compared(path, octets, certificate),
        false => Placed::There,
    };
    let is_due = placed == Placed::Written || !place.is_file();
    if is_due && !dry_run {
        place.put(octets)?;
    }
    Ok(placed)
}

fn compared(path: &Path, octets: &[u8], certificate: &Certificate) -> Placed {
    if path.symlink_metadata().is_err() {
        return Placed::Written;
    }
    let found = File::open(path).ok().and_then(|file| read_most(file, LARGEST).ok()).unwrap_or_default();
    if found == octets {
        return Placed::There;
    }
    match Certificate::from_pem_or_der(&found) {
        Ok(found) if found.tbs().public_key() == certificate.tbs().public_key() => Placed::Written,
        Ok(found) => {
            let other = format!("the one of another key, of {}", found.tbs().subject());
            Placed::Otherwise(Difference::new("file", "this certificate", other))
        }
        Err(_) => Placed::Otherwise(Difference::new("file", "this certificate", "something else")),
    }
}

/// Returns the report of a file that has something else in it.
pub(crate) fn taken(path: &Path, difference: Difference) -> Report {
    let hint = "move it away, or choose another with -o; nothing was replaced";
    otherwise(&path.shown().to_string(), json!({ "file": path_value(path) }), &[difference], hint)
}

/// Returns the report with the files that were written, or would be, as its change.
pub(crate) fn written(report: Report, dry_run: bool, written: bool) -> Report {
    let mut report = report;
    if let Some(fields) = report.result.as_object_mut().filter(|_| dry_run && written) {
        fields.insert("would_change".into(), json!(true));
    }
    report.changed = written && !dry_run;
    report
}
