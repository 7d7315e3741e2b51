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
use crate::progress;
use crate::report::{Report, counted, path_value, unwritable};
use crate::session::Session;
use genfic_ca::error::{Problem, Shown as _};
use genfic_ca::index::{INDEX_TXT_ATTRIBUTES, index_txt as write_index_txt};
use serde_json::json;
use std::io::{self, Write};
use std::path::Path;

/// Writes OpenSSL's `index.txt`.
pub(crate) fn index_txt(session: &Session, args: &IndexTxt) -> Result<Report, Problem> {
    let output = Output::chosen(args.output.as_deref())?;
    let engine = session.engine();
    engine.hierarchy().authority(&args.authority)?;
    progress::count("certificates", None);
    // both outputs are checked before anything is written
    let attributes = match &args.output {
        Some(path) if output.is_file() => {
            let mut attributes = path.clone().into_os_string();
            attributes.push(".attr");
            Some(Output::within(Path::new(&attributes))?)
        }
        _ => None,
    };
    let (mut lines, mut failure) = (0_usize, None);
    let mut write = |to: &mut dyn Write| {
        let mut counting = Lines { to, lines: 0, failure: None };
        let written = write_index_txt(engine.record(), &args.authority, engine.now(), &mut counting);
        lines = counting.lines;
        match (written, counting.failure) {
            (Ok(()), _) => Ok(()),
            (Err(_), Some(error)) => Err(error),
            (Err(error), None) => {
                failure = Some(Problem::from(error));
                Err(io::ErrorKind::Other.into())
            }
        }
    };
    let mut text = Vec::new();
    let file = match output.is_standard() {
        true => write(&mut text).map(|()| None).map_err(|error| unwritable(&error)),
        false => output.put_made(write),
    };
    let file = match (file, failure) {
        (Err(_), Some(problem)) => return Err(problem),
        (file, _) => file?,
    };
    match file {
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

/// A writer that counts lines, and keeps the error of a failed write.
struct Lines<'w> {
    to: &'w mut dyn Write,
    lines: usize,
    failure: Option<io::Error>,
}

impl Write for Lines<'_> {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        match self.to.write(octets) {
            Ok(length) => {
                let written = octets.get(..length).unwrap_or_default();
                for _ in written.iter().filter(|octet| **octet == b'\n') {
                    self.lines = self.lines.saturating_add(1);
                    progress::step();
                }
                Ok(length)
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Err(error),
            Err(error) => {
                self.failure = Some(error.kind().into());
                Err(error)
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}
