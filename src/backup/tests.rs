//! Malformed archives, since anybody who knows a recipient can write one.
use super::manifest::{BackupManifest, FileEntry};
use super::read::extract;
use crate::audit::Head;
use crate::error::{Exit, Problem};
use crate::home::Home;
use crate::x509::{UnixTime, sha256};
use base16ct::lower::encode_string as hex;
use std::fs;
use std::path::Path;

/// An entry of an archive: name, type and contents.
type Part = (&'static str, tar::EntryType, Vec<u8>);

fn part(name: &'static str, contents: &[u8]) -> Part {
    (name, tar::EntryType::Regular, contents.to_vec())
}

fn listed(parts: &[Part]) -> Vec<FileEntry> {
    let entry = |(name, _, contents): &Part| FileEntry {
        path: (*name).into(),
        size: u64::try_from(contents.len()).unwrap(),
        sha256: hex(&sha256(contents)),
    };
    parts.iter().map(entry).collect()
}

fn manifest(files: Vec<FileEntry>) -> Vec<u8> {
    let head = Head { sequence: 1, digest: [1; 32] };
    serde_json::to_vec(&BackupManifest::new(UnixTime(0), 1, head, false, Vec::new(), files)).unwrap()
}

/// Returns a tar archive with these entries, names unchanged.
fn archive(manifest: &[u8], parts: &[Part]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    let first = ("manifest.json", tar::EntryType::Regular, manifest.to_vec());
    for (name, kind, contents) in std::iter::once(&first).chain(parts) {
        let mut header = tar::Header::new_ustar();
        header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
        header.set_entry_type(*kind);
        header.set_size(u64::try_from(contents.len()).unwrap());
        if *kind == tar::EntryType::Symlink {
            header.set_link_name("/etc/passwd").unwrap();
        }
        header.set_cksum();
        builder.append(&header, contents.as_slice()).unwrap();
    }
    builder.into_inner().unwrap()
}

/// Reads an archive into a home within a directory of its own, and checks that nothing else was written there.
fn read(octets: &[u8]) -> Result<BackupManifest, Problem> {
    let directory = tempfile::tempdir().unwrap();
    let home = Home::at(directory.path().join("home"));
    home.create().unwrap();
    let outcome = extract(Path::new("backup.age"), octets, &home, &home.index_file());
    let names: Vec<_> = fs::read_dir(directory.path()).unwrap().map(|one| one.unwrap().file_name()).collect();
    assert_eq!(names, ["home"], "nothing is written outside the home");
    outcome
}

#[track_caller]
fn refused(octets: &[u8], says: &str) {
    let problem = read(octets).unwrap_err();
    assert_eq!((problem.exit, problem.code.code()), (Exit::NotVerified, "backup.damaged"), "{problem:?}");
    assert!(problem.message.contains(says), "{}", problem.message);
}

fn good() -> Vec<Part> {
    vec![
        part("index.db", b"index"),
        part("configuration/genfic-ca.toml", b"[a]"),
        part("public/a.crl", b"crl"),
    ]
}

#[test]
fn a_whole_archive_is_read_with_the_modes_of_a_home() {
    use std::os::unix::fs::PermissionsExt;
    let directory = tempfile::tempdir().unwrap();
    let home = Home::at(directory.path().join("home"));
    home.create().unwrap();
    let octets = archive(&manifest(listed(&good())), &good());
    extract(Path::new("backup.age"), octets.as_slice(), &home, &home.index_file()).unwrap();
    for (file, mode) in [("index.db", 0o600), ("genfic-ca.toml", 0o644), ("public/a.crl", 0o644)] {
        let metadata = fs::metadata(home.directory().join(file)).unwrap();
        assert_eq!(metadata.permissions().mode() & 0o777, mode, "{file}");
    }
}

#[test]
fn no_name_leads_out_of_the_home() {
    // P2
    for name in ["/etc/passwd", "../index.db", "policy/../../x", "policy/.new-x", "status/manifest.json", "x"]
    {
        let parts = [good(), vec![part(name, b"x")]].concat();
        refused(&archive(&manifest(listed(&parts)), &parts), "has no place in a home");
        let mut unlisted = good();
        unlisted[1].0 = name;
        refused(&archive(&manifest(listed(&good())), &unlisted), "stands where");
    }
}

#[test]
fn what_is_no_plain_file_is_refused() {
    use tar::EntryType as E;
    for kind in
        [E::Symlink, E::Link, E::Directory, E::Fifo, E::Char, E::GNUSparse, E::XHeader, E::GNULongName]
    {
        let mut parts = good();
        parts[2].1 = kind;
        refused(&archive(&manifest(listed(&good())), &parts), "is not a plain file");
    }
}

#[test]
fn an_archive_is_its_manifest_and_nothing_else() {
    let whole = manifest(listed(&good()));
    refused(&archive(&whole, &good()[..2]), "public/a.crl is missing");
    refused(&archive(&whole, &[good(), vec![part("public/b.crl", b"x")]].concat()), "does not name");
    let mut changed = good();
    changed[2].2 = b"lrc".to_vec();
    refused(&archive(&whole, &changed), "is not the file that its manifest names");
    changed[2].2 = b"longer".to_vec();
    refused(&archive(&whole, &changed), "has 6 octets, not 3");
    let twice = [good(), vec![good()[2].clone()]].concat();
    refused(&archive(&manifest(listed(&twice)), &twice), "is named twice");
    refused(&archive(&manifest(listed(&good()[1..])), &good()[1..]), "there is no index.db");
    let mut huge = listed(&good());
    huge[2].size = 1 << 31;
    refused(&archive(&manifest(huge), &good()), "is said to have");
    refused(&archive(b"{}", &good()), "it is not a backup's");
    refused(&archive(b"not json", &good()), "manifest.json");
    refused(b"", "it is empty");
    let mut followed = archive(&whole, &good());
    followed.extend([1; 600]);
    refused(&followed, "something follows its end");
}

#[test]
fn a_backup_of_another_format_says_which() {
    let text = String::from_utf8(manifest(listed(&good()))).unwrap();
    let later = text.replace("genfic-ca-backup/3", "genfic-ca-backup/4");
    let problem = read(&archive(later.as_bytes(), &good())).unwrap_err();
    assert_eq!((problem.exit, problem.code.code()), (Exit::Failure, "backup.format"));
    assert!(problem.message.contains("format 4, and this program knows 1 to 3"), "{}", problem.message);
}

#[test]
fn a_backup_of_the_first_format_has_its_marks_and_requests_put_where_they_are_now() {
    let directory = tempfile::tempdir().unwrap();
    let home = Home::at(directory.path().join("home"));
    home.create().unwrap();
    let former = vec![part("keys/a.crlnumber", b"7\n"), part("keys/b.waiting", b"request")];
    let parts = [good(), former].concat();
    let text = String::from_utf8(manifest(listed(&parts))).unwrap();
    let first = text.replace("genfic-ca-backup/3", "genfic-ca-backup/1");
    assert_ne!(first, text, "programs of before are told that they do not know it");
    extract(Path::new("backup.age"), archive(first.as_bytes(), &parts).as_slice(), &home, &home.index_file())
        .unwrap();
    let kept = |path: &str| fs::read_to_string(home.directory().join(path)).ok();
    assert_eq!(kept("keys/a.mark").as_deref(), Some("7\n"));
    assert_eq!(kept("requests/b.waiting").as_deref(), Some("request"));
    assert_eq!((kept("keys/a.crlnumber"), kept("keys/b.waiting")), (None, None));
}

#[test]
fn two_files_of_one_place_are_refused_before_anything_is_written() {
    for pair in [["keys/a.crlnumber", "keys/a.mark"], ["requests/b.waiting", "keys/b.waiting"]] {
        for names in [pair, [pair[1], pair[0]]] {
            let parts = [good(), names.map(|name| part(name, b"7")).to_vec()].concat();
            let says = format!("{} and {} have one place in a home", names[0], names[1]);
            refused(&archive(&manifest(listed(&parts)), &parts), &says);
        }
    }
    let parts = [good(), vec![part("keys/a.crlnumber", b"7"), part("keys/b.mark", b"7")]].concat();
    read(&archive(&manifest(listed(&parts)), &parts)).unwrap();
}

#[test]
fn no_cut_and_no_changed_octet_makes_it_read_anything_else() {
    let whole = archive(&manifest(listed(&good())), &good());
    let expected = read(&whole).unwrap();
    let end = whole.len() - 1024;
    for length in (0..end).step_by(61) {
        assert!(read(&whole[..length]).is_err(), "{length}");
    }
    for at in (0..whole.len()).step_by(37) {
        let mut changed = whole.clone();
        changed[at] ^= 0x11;
        // only tar's padding and the words of the manifest may differ; the envelope authenticates them
        if let Ok(found) = read(&changed) {
            let differs = found.files != expected.files;
            assert!(!differs, "{at}");
        }
    }
}
