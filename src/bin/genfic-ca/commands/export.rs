//! `export`: other programs' formats, one module each. This module writes OpenSSL's index.
mod anchors;
mod chosen;
mod hashed;
mod removal;
mod snippet;
mod subscriber;

pub(crate) use anchors::{bundle, truststore};
pub(crate) use hashed::hashed_dir;
pub(crate) use snippet::snippet;
pub(crate) use subscriber::{key_passphrase, new_passphrase, subscriber};

use super::output::Output;
use crate::cli::IndexTxt;
use crate::report::{Report, counted, path_value};
use crate::session::Session;
use genfic_ca::error::{Problem, Shown as _};
use genfic_ca::index::{INDEX_TXT_ATTRIBUTES, index_txt as write_index_txt};
use serde_json::json;
use std::path::Path;

/// Writes OpenSSL's `index.txt`.
pub(crate) fn index_txt(session: &Session, args: &IndexTxt) -> Result<Report, Problem> {
    let output = Output::chosen(args.output.as_deref())?;
    let engine = session.engine();
    engine.hierarchy().authority(&args.authority)?;
    let mut text = Vec::new();
    write_index_txt(engine.record(), &args.authority, engine.now(), &mut text)?;
    let lines = text.iter().filter(|octet| **octet == b'\n').count();
    // both outputs are checked before anything is written
    let attributes = match &args.output {
        Some(path) if output.is_file() => {
            let mut attributes = path.clone().into_os_string();
            attributes.push(".attr");
            Some(Output::within(Path::new(&attributes))?)
        }
        _ => None,
    };
    match output.put(&text)? {
        Some(path) => {
            if let Some(attributes) = attributes {
                attributes.put(INDEX_TXT_ATTRIBUTES.as_bytes())?;
            }
            let said = format!("{} written to {}", counted(lines, "certificate"), path.shown());
            Ok(Report::done(json!({ "file": path_value(&path), "certificates": lines }), said))
        }
        None => {
            let contents = String::from_utf8_lossy(&text).into_owned();
            let report = Report::seen(json!({ "index_txt": contents, "certificates": lines }), "");
            Ok(Report { octets: Some(text), ..report })
        }
    }
}
