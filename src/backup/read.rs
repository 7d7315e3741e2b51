//! Reading of backups. Every octet is checked before it is used, since anybody who knows a recipient can write a
//! backup.
use super::Opener;
use super::manifest::{BackupManifest, FileEntry};
use super::problems::{damaged, unreadable, unwritten};
use crate::error::{Problem, Reason, Shown as _};
use crate::home::{Home, Mode, open_file};
use crate::signing::{Envelope, EnvelopeError};
use aws_lc_rs::digest::{Context, SHA256};
use base16ct::lower::encode_string as hex;
use std::fs::{OpenOptions, Permissions};
use std::io::{self, BufReader, Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// Bound of the padding after the last file of the tar archive, in octets.
const LONGEST_END: u64 = 1 << 20;

/// A function that returns the path and the mode of a file of an archive.
pub(super) type Placing<'p> = &'p mut dyn FnMut(&FileEntry) -> Result<(PathBuf, Mode), Problem>;

/// Decrypts the envelope of a backup.
pub(super) fn open(file: &Path, opener: Opener<'_>) -> Result<impl Read + use<>, Problem> {
    let input = open_file(file).map_err(|error| unreadable(file, &error))?;
    let told = |error: EnvelopeError| match error {
        EnvelopeError::Io(error) => unreadable(file, &error),
        other => {
            let problem = Problem::from(other);
            Problem { message: format!("{}: {}", file.shown(), problem.message), ..problem }
        }
    };
    let envelope = Envelope::new(BufReader::with_capacity(1 << 18, input)).map_err(told)?;
    let with = opener(envelope.takes_passphrase())?;
    envelope.open(&with).map_err(told)
}

/// Writes the files of an archive into the directories of a new home.
pub(super) fn extract(
    file: &Path,
    source: impl Read,
    home: &Home,
    index: &Path,
) -> Result<BackupManifest, Problem> {
    let parse = |text: &[u8]| {
        let manifest = BackupManifest::parse(text, file)?;
        let files = manifest.files.clone();
        Ok((manifest, files))
    };
    extract_with(file, source, parse, &mut |listed| {
        let missing = || damaged(file, format!("{} is missing", listed.path));
        let entry = listed.entry().ok_or_else(missing)?;
        if let Some(authority) = entry.responder() {
            home.create_authority(authority)?;
        }
        Ok((entry.path_in(home, index), entry.mode()))
    })
}

/// Writes the files of an archive, each to the place that `place` returns. `parse` reads the manifest and returns it with
/// the files that it names.
pub(super) fn extract_with<M>(
    file: &Path,
    source: impl Read,
    parse: impl FnOnce(&[u8]) -> Result<(M, Vec<FileEntry>), Problem>,
    place: Placing<'_>,
) -> Result<M, Problem> {
    let broken = |error: io::Error| damaged(file, error);
    let mut archive = tar::Archive::new(source);
    // `raw` yields every header unchanged: none of tar's extensions, which may claim any length or path
    let mut entries = archive.entries().map_err(broken)?.raw(true);
    let mut next = || -> Result<Option<_>, Problem> { entries.next().transpose().map_err(broken) };
    let mut first = next()?.ok_or_else(|| damaged(file, "it is empty"))?;
    let size = check_header(&first, BackupManifest::FILE).map_err(|reason| damaged(file, reason))?;
    if size > BackupManifest::LARGEST {
        return Err(damaged(file, "its manifest is too large"));
    }
    let mut text = Vec::new();
    first.read_to_end(&mut text).map_err(broken)?;
    let (manifest, files) = parse(&text)?;
    for listed in &files {
        let missing = || damaged(file, format!("{} is missing", listed.path));
        let mut found = next()?.ok_or_else(missing)?;
        let size = check_header(&found, &listed.path).map_err(|reason| damaged(file, reason))?;
        if size != listed.size {
            return Err(damaged(file, format!("{} has {size} octets, not {}", listed.path, listed.size)));
        }
        put(file, &mut found, listed, &place(listed)?)?;
    }
    if let Some(more) = next()? {
        let name = String::from_utf8_lossy(&more.path_bytes()).into_owned();
        return Err(damaged(file, format!("it has `{name}`, which its manifest does not name")));
    }
    // the end of the envelope authenticates all of it, so it has to be read
    let mut end = Vec::new();
    archive.into_inner().take(LONGEST_END + 1).read_to_end(&mut end).map_err(broken)?;
    if end.iter().any(|octet| *octet != 0) || u64::try_from(end.len()).is_ok_and(|end| end > LONGEST_END) {
        return Err(damaged(file, "something follows its end"));
    }
    Ok(manifest)
}

fn check_header<R: Read>(entry: &tar::Entry<'_, R>, path: &str) -> Result<u64, Reason> {
    let header = entry.header();
    let name = String::from_utf8_lossy(&header.path_bytes()).into_owned();
    if name != path {
        return Err(format!("`{name}` stands where {path} belongs").into());
    }
    if header.entry_type() != tar::EntryType::Regular {
        return Err(format!("{path} is not a plain file in it").into());
    }
    header.entry_size().map_err(|error| error.to_string().into())
}

fn put(
    archive: &Path,
    from: &mut impl Read,
    listed: &FileEntry,
    (path, mode): &(PathBuf, Mode),
) -> Result<(), Problem> {
    let failed = |error: io::Error| unwritten(path, &error);
    let mut to = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map_err(failed)?;
    let mut context = Context::new(&SHA256);
    let mut buffer = vec![0; 1 << 16];
    loop {
        let read = match from.read(&mut buffer) {
            Ok(0) => break,
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(damaged(archive, format!("{}: {error}", listed.path))),
        };
        let octets = buffer.get(..read).unwrap_or_default();
        context.update(octets);
        to.write_all(octets).map_err(failed)?;
    }
    if hex(context.finish().as_ref()) != listed.sha256 {
        return Err(damaged(archive, format!("{} is not the file that its manifest names", listed.path)));
    }
    let bits = mode.bits(&to).map_err(failed)?;
    to.set_permissions(Permissions::from_mode(bits)).map_err(failed)
}
