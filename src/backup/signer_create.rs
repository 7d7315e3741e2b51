//! Backups of the signer that listens: its encrypted keys, marks, envelopes, certificates and its journal. The record is
//! derived from these.
use super::collect::Collected;
use super::create::{Created, made_of, place_of};
use super::manifest::{FileEntry, Record};
use super::signer_manifest::{SignerKeyEntry, SignerManifest, is_kept};
use crate::error::{Code, Problem, Shown as _};
use crate::signer::{JOURNAL, check_journal};
use crate::signing::{KeyError, KeyFile, SealFor};
use crate::x509::UnixTime;
use crate::x509::extension::CrlNumber;
use base16ct::lower::encode_string as hex;
use std::io::{self, Read};
use std::path::Path;
use std::rc::Rc;

/// Octets that are asked for at once.
const PART: usize = 4 << 20;

/// What a signer lets an administrator copy.
pub(crate) trait SignerFiles {
    /// Returns the names of its files, and their lengths in octets. The journal is complete up to its length.
    ///
    /// # Errors
    /// When it cannot be asked, or refuses.
    fn names(&self) -> Result<Vec<(String, u64)>, KeyError>;

    /// Returns so many octets of a file from this one on; fewer at its end.
    ///
    /// # Errors
    /// When it cannot be asked, or refuses.
    fn octets(&self, name: &str, from: u64, most: usize) -> Result<Vec<u8>, KeyError>;
}

/// A file of a signer, read from its beginning.
struct SignerFile {
    files: Rc<dyn SignerFiles>,
    name: String,
    offset: u64,
    left: u64,
    waiting: io::Cursor<Vec<u8>>,
}

impl Read for SignerFile {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let read = self.waiting.read(buffer)?;
            if read > 0 || buffer.is_empty() || self.left == 0 {
                return Ok(read);
            }
            let most = usize::try_from(self.left).unwrap_or(usize::MAX).min(PART);
            let octets = self.files.octets(&self.name, self.offset, most).map_err(io::Error::other)?;
            let count = u64::try_from(octets.len()).unwrap_or(u64::MAX);
            if count == 0 || count > self.left {
                return Err(io::Error::other("the file was changed while it was copied; try again"));
            }
            self.offset = self.offset.saturating_add(count);
            self.left -= count;
            self.waiting = io::Cursor::new(octets);
        }
    }
}

/// Makes a backup of a signer in a new file, or in a directory under a name with the time. The signer goes on meanwhile.
///
/// # Errors
/// When the file exists, the signer refuses or cannot be asked, or something cannot be written.
pub(crate) fn create_of_signer(
    files: Rc<dyn SignerFiles>,
    to: &Path,
    reader: &SealFor,
    now: UnixTime,
) -> Result<Created<SignerManifest>, Problem> {
    let file = place_of(to, "genfic-signer", now);
    let mut names = files.names()?;
    names.retain(|(name, _)| is_kept(name));
    // keys, then the journal, then the marks: those are as new as the journal or newer
    names.sort_by_key(|(name, _)| (order(name), name.clone()));
    let mut collected = Vec::new();
    let (mut keys, mut journal) = (Vec::new(), None);
    for (name, size) in names {
        let files = Rc::clone(&files);
        let of = name.clone();
        let open = move || -> Box<dyn Read> {
            let waiting = io::Cursor::default();
            Box::new(SignerFile {
                files: Rc::clone(&files),
                name: of.clone(),
                offset: 0,
                left: size,
                waiting,
            })
        };
        if name == JOURNAL {
            journal = Some(head(open(), &name)?);
        }
        if let Ok(known) = name.parse::<KeyFile>() {
            note_key(&mut keys, &known, &mut open())?;
        }
        collected.push(Collected::of_source(&name, Box::new(open)).map_err(|error| unread(&name, &error))?);
    }
    let Some(journal) = journal else {
        let message = "the signer has no journal: it has done nothing yet";
        return Err(Problem::new(Code::JournalFailed, message).hint("make a key in it first"));
    };
    let entries: Vec<FileEntry> = collected.iter().map(|one| one.file.clone()).collect();
    let manifest = SignerManifest::new(now, journal, keys, entries);
    made_of(file, (manifest, now), &mut collected, reader)
}

fn order(name: &str) -> u8 {
    match name.parse::<KeyFile>() {
        Ok(KeyFile::Key(_)) => 0,
        Ok(_) => 3,
        Err(()) if name == JOURNAL => 2,
        Err(()) => 1,
    }
}

fn unread(name: &str, error: &io::Error) -> Problem {
    Problem::new(
        Code::FileNotRead,
        format!("{} of the signer cannot be read: {error}", Path::new(name).shown()),
    )
    .hint("try again")
}

/// Reads the journal to its end, which proves that it is whole, and returns its head.
fn head(source: Box<dyn Read>, name: &str) -> Result<Record, Problem> {
    let head = check_journal(io::BufReader::with_capacity(PART, source)).map_err(|fault| {
        Problem::new(Code::JournalDamaged, format!("{name} of the signer: {fault}")).hint(
            "keep the files as they are and compare with a backup of the signer: somebody or something changed its \
             journal",
        )
    })?;
    Ok(Record { sequence: head.sequence, digest: hex(&head.digest) })
}

/// Notes a key, or the number in its mark.
fn note_key(keys: &mut Vec<SignerKeyEntry>, file: &KeyFile, source: &mut dyn Read) -> Result<(), Problem> {
    match file {
        KeyFile::Key(name) => keys.push(SignerKeyEntry { name: name.to_string(), highest_crl: None }),
        KeyFile::Mark(name) | KeyFile::FormerMark(name) => {
            let mut text = String::new();
            source.read_to_string(&mut text).map_err(|error| unread(&file.to_string(), &error))?;
            let number: Option<CrlNumber> = text.trim().parse().ok();
            for key in keys.iter_mut().filter(|key| key.name == name.as_str()) {
                key.highest_crl = key.highest_crl.max(number);
            }
        }
    }
    Ok(())
}
