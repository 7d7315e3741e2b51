//! Copies of the signer's own files, for an administrator who makes a backup. Keys leave as they are, encrypted.
use super::answers::{Answer, Signer, signer};
use crate::error::Shown as _;
use crate::home::open_regular;
use crate::signer::protocol::{Failure, Frame, Reply};
use crate::signer::{Act, ActKind, JOURNAL, Peer};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

/// Octets of one answer.
const MOST: u64 = 4 << 20;

fn failed(path: &Path, error: impl std::fmt::Display) -> Failure {
    Failure::Signer { reason: format!("{}: {error}", path.shown()) }
}

impl Signer {
    /// Returns the names and lengths of the files in the signer's directory. The journal has a whole group at its length.
    pub(super) fn contents(&self, peer: &Peer) -> Answer {
        let (by, at, journal) = self.remembers(peer)?;
        let details = "every key, for a backup".to_owned();
        journal.turn()?.act(by, at, vec![Act { kind: ActKind::KeyExported, key: None, details }])?;
        let whole = journal.turn()?.head().offset;
        let directory = self.parts.journal.directory();
        let mut files = Vec::new();
        for entry in std::fs::read_dir(directory).map_err(|error| failed(directory, error))? {
            let entry = entry.map_err(|error| failed(directory, error))?;
            let (Ok(name), Ok(metadata)) = (entry.file_name().into_string(), entry.path().symlink_metadata())
            else {
                continue;
            };
            if metadata.is_file() && !name.starts_with('.') {
                let length = if name == JOURNAL { whole } else { metadata.len() };
                files.push((name, length));
            }
        }
        files.sort();
        Ok(Reply::Contents { files }.into())
    }

    /// Returns octets of one of these files.
    pub(super) fn content(&self, peer: &Peer, name: &str, from: u64) -> Answer {
        if name == JOURNAL {
            return self.journal_from(peer, from);
        }
        if name.is_empty() || name.starts_with('.') || name.contains('/') {
            return Err(signer("that is no file of the signer"));
        }
        let path = self.parts.journal.directory().join(name);
        let mut file = open_regular(&path).map_err(|error| failed(&path, error))?;
        let mut octets = Vec::new();
        let read = |error: io::Error| failed(&path, error);
        file.seek(SeekFrom::Start(from)).map_err(read)?;
        file.take(MOST).read_to_end(&mut octets).map_err(read)?;
        Ok(Frame::with(Reply::Done, vec![octets]))
    }
}
