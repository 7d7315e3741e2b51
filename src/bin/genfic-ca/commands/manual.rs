//! `man`: manual pages, generated from the definitions by which the programs parse their options.
#[path = "../../genfic-key/cli.rs"]
pub(super) mod custody;
#[path = "../../genfic-ocspd/cli.rs"]
mod daemon;
mod pages;
#[path = "../../genfic-signer/cli.rs"]
mod signer;

use super::output::Output;
use crate::cli::Man;
use crate::report::{Report, counted, path_values};
use genfic_ca::assembly::now;
use genfic_ca::error::{Code, Problem, Shown as _};
use genfic_ca::x509::UnixTime;
use serde_json::json;
use std::fs;
use std::io::Error;

/// Writes all manual pages into a directory.
pub(crate) fn manual(args: &Man) -> Result<Report, Problem> {
    let directory = &args.directory;
    let failed = |error: Error| {
        Problem::new(Code::FileNotWritten, format!("{}: {error}", directory.shown()))
            .hint("name a directory that you may write to")
    };
    fs::create_dir_all(directory).map_err(failed)?;
    let pages = pages::all(&date()).map_err(failed)?;
    let mut files = Vec::with_capacity(pages.len());
    for (name, octets) in pages {
        let file = directory.join(name);
        Output::within(&file)?.put(&octets)?;
        files.push(file);
    }
    let said = format!("{} written to {}", counted(files.len(), "manual page"), directory.shown());
    Ok(Report::done(json!({ "files": path_values(&files) }), said))
}

/// Returns the date on the pages: that of SOURCE_DATE_EPOCH for reproducible packages, else today.
fn date() -> String {
    let given = std::env::var("SOURCE_DATE_EPOCH").ok().and_then(|seconds| seconds.parse().ok());
    let time = given.map_or_else(now, UnixTime).to_string();
    time.split('T').next().unwrap_or_default().to_owned()
}
