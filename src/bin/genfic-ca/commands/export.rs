//! `export`: other programs' formats, a module each; here OpenSSL's index.
mod anchors;
mod hashed;
mod holder;
mod snippet;

pub(crate) use anchors::{bundle, truststore};
pub(crate) use hashed::hashed_dir;
pub(crate) use holder::{holder, key_passphrase, new_passphrase};
pub(crate) use snippet::snippet;

use super::request::not_written;
use crate::cli::IndexTxt;
use crate::report::{Report, counted};
use crate::session::Session;
use genfic_ca::index::{INDEX_TXT_ATTRIBUTES, index_txt as write_index_txt};
use genfic_ca::problem::Problem;
use genfic_ca::publish::{Mode, replace};
use serde_json::json;
use std::path::PathBuf;

/// Writes OpenSSL's index.txt.
pub(crate) fn index_txt(session: &Session, args: &IndexTxt) -> Result<Report, Problem> {
    let pki = session.pki();
    pki.authority(&args.authority)?;
    let mut text = Vec::new();
    write_index_txt(pki.index, &args.authority, pki.clock.now(), &mut text)?;
    let lines = text.iter().filter(|octet| **octet == b'\n').count();
    match &args.output {
        Some(path) => {
            replace(path, &text, Mode::Public).map_err(not_written)?;
            let attributes = PathBuf::from(format!("{}.attr", path.display()));
            replace(&attributes, INDEX_TXT_ATTRIBUTES.as_bytes(), Mode::Public).map_err(not_written)?;
            let said = format!("{} written to {}", counted(lines, "certificate"), path.display());
            Ok(Report::done(json!({ "file": path, "certificates": lines }), said))
        }
        None => {
            let contents = String::from_utf8_lossy(&text).into_owned();
            let report = Report::seen(json!({ "index_txt": contents, "certificates": lines }), "");
            Ok(Report { octets: Some(text), ..report })
        }
    }
}
