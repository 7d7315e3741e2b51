//! The files of a home that go into a backup.
use super::digest::digest;
use super::entry::{ArchiveEntry, is_plain};
use super::manifest::FileEntry;
use super::problems::unreadable;
use crate::error::{Code, Problem, Shown as _};
use crate::home::{AuthorityName, Home, open_file};
use crate::signing::{CaKeys, KeyError, KeyFile};
use aws_lc_rs::digest::{SHA256, digest as digest_of};
use base16ct::lower::encode_string as hex;
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Read, Seek};
use std::path::{Path, PathBuf};

/// Size in octets above which a file is read a second time for the archive instead of being kept in memory.
const KEPT_IN_MEMORY: u64 = 1 << 20;

/// A file that was read once to compute its digest.
pub(super) struct Collected {
    pub(super) file: FileEntry,
    contents: ArchiveContents,
}

enum ArchiveContents {
    Octets(Vec<u8>),
    /// An open file, whose contents stay the same when another file is renamed over it.
    Open(File),
    /// So many octets of an open file, which is only ever written on.
    Beginning(File, u64),
    /// What another process gives, from the beginning each time.
    Source(Box<dyn Fn() -> Box<dyn Read>>),
}

impl Collected {
    /// Opens a regular file; `None` when it does not exist.
    pub(super) fn open(entry: &ArchiveEntry, path: &Path) -> Result<Option<Self>, Problem> {
        let failed = |error: io::Error| unreadable(path, &error);
        match path.symlink_metadata() {
            Ok(metadata) if metadata.is_file() => {}
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(failed(error)),
            _ => return Ok(None),
        }
        let mut file = match open_file(path) {
            Ok(file) => file,
            // removed or replaced since the directory was listed
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed(error)),
        };
        let (contents, size, sha256) = if *entry == ArchiveEntry::Journal {
            let length = file.metadata().map_err(failed)?.len();
            let (size, sha256) = digest(file.by_ref().take(length)).map_err(failed)?;
            (ArchiveContents::Beginning(file, size), size, sha256)
        } else if file.metadata().map_err(failed)?.len() <= KEPT_IN_MEMORY {
            let mut octets = Vec::new();
            file.read_to_end(&mut octets).map_err(failed)?;
            let (size, sha256) = digest(octets.as_slice()).map_err(failed)?;
            (ArchiveContents::Octets(octets), size, sha256)
        } else {
            let (size, sha256) = digest(&mut file).map_err(failed)?;
            (ArchiveContents::Open(file), size, sha256)
        };
        Ok(Some(Self { file: FileEntry { path: entry.to_string(), size, sha256 }, contents }))
    }

    /// Returns a file of this path in the archive, which another process gives.
    pub(super) fn of_source(path: &str, source: Box<dyn Fn() -> Box<dyn Read>>) -> io::Result<Self> {
        let (size, sha256) = digest(source())?;
        let file = FileEntry { path: path.to_owned(), size, sha256 };
        Ok(Self { file, contents: ArchiveContents::Source(source) })
    }

    /// Returns a file of the home with these contents.
    fn of_octets(entry: &ArchiveEntry, octets: Vec<u8>) -> Self {
        let size = u64::try_from(octets.len()).unwrap_or(u64::MAX);
        let sha256 = hex(digest_of(&SHA256, &octets).as_ref());
        Self {
            file: FileEntry { path: entry.to_string(), size, sha256 },
            contents: ArchiveContents::Octets(octets),
        }
    }

    /// Returns a reader of the contents from the beginning.
    pub(super) fn reader(&mut self) -> io::Result<Box<dyn Read + '_>> {
        Ok(match &mut self.contents {
            ArchiveContents::Octets(octets) => Box::new(octets.as_slice()),
            ArchiveContents::Open(file) => {
                file.rewind()?;
                Box::new(file)
            }
            ArchiveContents::Source(source) => source(),
            ArchiveContents::Beginning(file, length) => {
                file.rewind()?;
                Box::new(file.take(*length))
            }
        })
    }
}

/// Collects the configuration file in force and the files that it names in its directory.
pub(super) fn configuration(
    home: &Home,
    configuration: Option<&Path>,
    beside: &[PathBuf],
) -> Result<Vec<Collected>, Problem> {
    let own = home.configuration_file();
    let entry = ArchiveEntry::Configuration("genfic-ca.toml".into());
    let mut collected: Vec<Collected> =
        Collected::open(&entry, configuration.unwrap_or(&own))?.into_iter().collect();
    for path in beside {
        if let Some(name) = path.to_str().filter(|name| is_plain(name)) {
            let path = home.configuration_directory().join(name);
            collected.extend(Collected::open(&ArchiveEntry::Configuration(name.into()), &path)?);
        }
    }
    Ok(collected)
}

/// Collects everything else but the index, in the order in which the files have to be read: CRLs before the marks,
/// which bound their numbers; a responder's key before its certificate.
pub(super) fn home_files(
    home: &Home,
    index: &Path,
    keys: &dyn CaKeys,
    with_keys: bool,
) -> Result<Vec<Collected>, Problem> {
    let mut collected = Vec::new();
    for name in names(&home.policy_directory())?.into_iter().filter(|name| is_plain(name)) {
        let path = home.policy_directory().join(&name);
        collected.extend(Collected::open(&ArchiveEntry::Policy(name), &path)?);
    }
    for name in names(&home.public_directory())?.into_iter().filter(|name| is_plain(name)) {
        let path = home.public_directory().join(&name);
        collected.extend(Collected::open(&ArchiveEntry::Public(name), &path)?);
    }
    collected.extend(keys_and_requests(home, index, keys, with_keys)?);
    for name in names(&home.responders_directory())? {
        if let Ok(name) = name.parse::<AuthorityName>() {
            collected.extend(responder(home, index, &name, with_keys)?);
        }
    }
    Ok(collected)
}

/// Collects the files of `keys/` and `requests/`, one for each place in a home. Another process may rename files to
/// their current places meanwhile. So the directories are listed again afterwards, until they have the same files.
fn keys_and_requests(
    home: &Home,
    index: &Path,
    keys: &dyn CaKeys,
    with_keys: bool,
) -> Result<Vec<Collected>, Problem> {
    for _ in 0..100 {
        let before = listed(home)?;
        let mut collected = Vec::new();
        for (entry, path) in one_for_each_place(&before, home, index, keys).into_values() {
            let kept_back = !with_keys && entry.is_with_keys();
            match entry {
                _ if kept_back => {}
                ArchiveEntry::OfKeys(KeyFile::Key(name)) => collected.extend(sealed(entry, name, keys)?),
                _ => collected.extend(Collected::open(entry, path)?),
            }
        }
        if listed(home)? == before {
            return Ok(collected);
        }
    }
    let message = format!("files in {} are being renamed", home.keys_directory().shown());
    Err(Problem::new(Code::PublishBusy, message).hint("try again"))
}

/// Collects an encrypted key, which its store hands out as it is. One that is gone meanwhile is left out.
fn sealed(
    entry: &ArchiveEntry,
    name: &AuthorityName,
    keys: &dyn CaKeys,
) -> Result<Option<Collected>, Problem> {
    let Some(store) = keys.inspecting() else { return Ok(None) };
    match store.sealed(&keys.new_key(name.as_str())) {
        Ok(octets) => Ok(Some(Collected::of_octets(entry, octets))),
        Err(KeyError::NotFound(_)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Returns the files in `keys/` and `requests/` that belong into a backup, with their paths. Of two files of one
/// place, the former comes before the current one, so a file that is renamed meanwhile is not missed.
fn listed(home: &Home) -> Result<Vec<(ArchiveEntry, PathBuf)>, Problem> {
    let mut listed = Vec::new();
    for (within, directory) in [("keys", home.keys_directory()), ("requests", home.requests_directory())] {
        for name in names(&directory)? {
            if let Ok(entry) = format!("{within}/{name}").parse() {
                listed.push((entry, directory.join(&name)));
            }
        }
    }
    Ok(listed)
}

/// Returns the files to collect by their places: of two marks the higher one, else the file in the current place.
fn one_for_each_place<'l>(
    listed: &'l [(ArchiveEntry, PathBuf)],
    home: &Home,
    index: &Path,
    keys: &dyn CaKeys,
) -> BTreeMap<PathBuf, (&'l ArchiveEntry, &'l Path)> {
    let mut kept: BTreeMap<PathBuf, (&ArchiveEntry, &Path)> = BTreeMap::new();
    for (entry, path) in listed {
        let place = entry.path_in(home, index);
        let is_former_higher = kept.get(&place).is_some_and(|(_, former)| is_mark_at(former, entry, keys));
        if !is_former_higher {
            kept.insert(place, (entry, path));
        }
    }
    kept
}

/// Returns whether the mark to which this entry belongs is the file at this path.
fn is_mark_at(path: &Path, entry: &ArchiveEntry, keys: &dyn CaKeys) -> bool {
    let ArchiveEntry::OfKeys(KeyFile::Mark(name) | KeyFile::FormerMark(name)) = entry else { return false };
    keys.mark(&keys.new_key(name.as_str())).is_ok_and(|mark| mark.place.as_path() == path)
}

/// Collects a responder's certificate and key, which must belong together: while a new pair is being put in place,
/// the key file changes first.
fn responder(
    home: &Home,
    index: &Path,
    name: &AuthorityName,
    with_key: bool,
) -> Result<Vec<Collected>, Problem> {
    let (key, certificate) =
        (ArchiveEntry::ResponderKey(name.clone()), ArchiveEntry::ResponderCertificate(name.clone()));
    let open = |entry: &ArchiveEntry| Collected::open(entry, &entry.path_in(home, index));
    if !with_key {
        return Ok(open(&certificate)?.into_iter().collect());
    }
    for _ in 0..100 {
        let before = open(&key)?;
        let found = open(&certificate)?;
        let after = open(&key)?;
        if before.map(|file| file.file) == after.as_ref().map(|file| file.file.clone()) {
            return Ok(found.into_iter().chain(after).collect());
        }
    }
    Err(Problem::new(Code::PublishBusy, format!("the responder of {name} is being replaced"))
        .hint("try again"))
}

/// Returns the names of the entries of a directory, sorted.
fn names(directory: &Path) -> Result<Vec<String>, Problem> {
    let failed = |error: io::Error| unreadable(directory, &error);
    let mut names = Vec::new();
    let entries = match fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(names),
        Err(error) => return Err(failed(error)),
    };
    for entry in entries {
        names.extend(entry.map_err(failed)?.file_name().into_string());
    }
    names.sort();
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::signing::{
        AgeFileStore, CaSigner, DiscardKeys, ImportKeys, InspectKeys, KeyPlace, KeyRef, Mark, MarkError,
        Nobody, ProtectKeys,
    };
    use crate::x509::KeyAlgorithm;
    use crate::x509::extension::CrlNumber;
    use std::sync::Arc;

    /// Keys whose marks another process moves to their current places right after one of them was read.
    struct MovedMeanwhile(AgeFileStore);

    impl CaKeys for MovedMeanwhile {
        fn new_key(&self, authority: &str) -> KeyRef {
            self.0.new_key(authority)
        }

        fn place(&self, key: &KeyRef) -> KeyPlace {
            self.0.place(key)
        }

        fn generate(&self, key: &KeyRef, algorithm: KeyAlgorithm) -> Result<Arc<dyn CaSigner>, KeyError> {
            self.0.generate(key, algorithm)
        }

        fn signer(&self, key: &KeyRef) -> Result<Arc<dyn CaSigner>, KeyError> {
            self.0.signer(key)
        }

        fn mark(&self, key: &KeyRef) -> Result<Mark, MarkError> {
            let mark = self.0.mark(key);
            crate::signing::move_former_marks(self.0.place(key).as_path().parent().unwrap());
            mark
        }

        fn raise_mark(&self, key: &KeyRef, number: CrlNumber) -> Result<(), MarkError> {
            self.0.raise_mark(key, number)
        }

        fn rename(&self, from: &KeyRef, to: &KeyRef) -> Result<bool, KeyError> {
            self.0.rename(from, to)
        }

        fn importing(&self) -> Option<&dyn ImportKeys> {
            None
        }

        fn inspecting(&self) -> Option<&dyn InspectKeys> {
            None
        }

        fn discarding(&self) -> Option<&dyn DiscardKeys> {
            None
        }

        fn protecting(&self) -> Option<&dyn ProtectKeys> {
            None
        }
    }

    #[test]
    fn a_mark_that_is_moved_while_it_is_collected_is_collected_once() {
        // C1
        let directory = tempfile::tempdir().unwrap();
        let home = Home::at(directory.path().join("home"));
        home.create().unwrap();
        let keys = home.keys_directory();
        for (file, number) in [("a.crlnumber", "7"), ("b.crlnumber", "9"), ("b.mark", "4")] {
            fs::write(keys.join(file), number).unwrap();
        }
        let store = MovedMeanwhile(AgeFileStore::usual(&keys, Arc::new(Nobody)));
        let mut files = home_files(&home, &home.index_file(), &store, false).unwrap();
        let found: Vec<(String, String)> = files
            .iter_mut()
            .map(|one| (one.file.path.clone(), io::read_to_string(one.reader().unwrap()).unwrap()))
            .map(|(path, number)| (path, number.trim().to_owned()))
            .collect();
        let expected = [("keys/a.mark", "7"), ("keys/b.mark", "9")];
        assert_eq!(found, expected.map(|(path, number)| (path.to_owned(), number.to_owned())));
    }

    #[test]
    fn of_two_requests_of_a_ca_the_one_in_the_current_place_is_collected() {
        let directory = tempfile::tempdir().unwrap();
        let home = Home::at(directory.path().join("home"));
        home.create().unwrap();
        let store = AgeFileStore::usual(home.keys_directory(), Arc::new(Nobody));
        let collected = || -> Vec<String> {
            let files = home_files(&home, &home.index_file(), &store, false).unwrap();
            files.into_iter().map(|one| one.file.path).collect()
        };
        fs::write(home.keys_directory().join("a.waiting"), "former").unwrap();
        assert_eq!(collected(), ["keys/a.waiting"]);
        fs::create_dir_all(home.requests_directory()).unwrap();
        fs::write(home.requests_directory().join("a.waiting"), "now").unwrap();
        assert_eq!(collected(), ["requests/a.waiting"]);
    }

    #[test]
    fn of_two_marks_of_a_ca_the_higher_is_collected() {
        // C1
        let directory = tempfile::tempdir().unwrap();
        let home = Home::at(directory.path().join("home"));
        home.create().unwrap();
        let keys = home.keys_directory();
        let store = AgeFileStore::usual(&keys, Arc::new(Nobody));
        for (former, mark, collected) in [
            ("9", "4", "keys/a.crlnumber"),
            ("3", "4", "keys/a.mark"),
            ("4", "4", "keys/a.mark"),
            ("no", "4", "keys/a.mark"),
        ] {
            fs::write(keys.join("a.crlnumber"), former).unwrap();
            fs::write(keys.join("a.mark"), mark).unwrap();
            let files = home_files(&home, &home.index_file(), &store, false).unwrap();
            let paths: Vec<&str> = files.iter().map(|one| one.file.path.as_str()).collect();
            assert_eq!(paths, [collected], "{former} {mark}");
        }
        fs::remove_file(keys.join("a.mark")).unwrap();
        let files = home_files(&home, &home.index_file(), &store, false).unwrap();
        assert_eq!(files.len(), 1, "what could not be moved is not left behind");
    }
}
