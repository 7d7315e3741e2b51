//! What a medium has: a key, all that is needed to sign with it, and a text for a stranger.
use super::medium::{Medium, MediumFile, sha256};
use super::readme::Readme;
use crate::error::{Code, Problem, Shown as _, remedy};
use crate::home::{ReadError, read_file};
use crate::signing::{KeyFile, UsedSerials};
use crate::x509::extension::CrlNumber;
use crate::x509::{Certificate, UnixTime};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;

/// The directory of the profiles on a medium.
pub(crate) const PROFILES: &str = "policy";
/// The file with the digests of those that do not change by use.
pub(crate) const MANIFEST: &str = UsedSerials::MANIFEST;

/// Returns the name of the file with the certificates of a CA and of those above it, its own first, PEM.
#[must_use]
pub(crate) fn certificates_file(authority: &str) -> String {
    format!("{authority}.pem")
}

/// Returns the name of the file with a CA's key.
#[must_use]
pub(crate) fn key_file(authority: &str) -> String {
    format!("{authority}.age")
}

/// Bound of a profile, in octets.
const LARGEST_PROFILE: u64 = 1 << 20;

/// A key with all that belongs to it, for media.
pub(crate) struct Bundle<'a> {
    /// Name of the CA.
    pub(crate) authority: &'a str,
    /// Name of its profile.
    pub(crate) profile: &'a str,
    /// Its certificate.
    pub(crate) certificate: &'a Certificate,
    /// The certificates above that, the issuer's first.
    pub(crate) above: &'a [Certificate],
    /// The encrypted key file.
    pub(crate) sealed: Vec<u8>,
    /// The last CRL, DER.
    pub(crate) crl: Option<Vec<u8>>,
    /// The text of the envelope of the key.
    pub(crate) envelope: Option<Vec<u8>>,
    /// The record of the shares that open the key.
    pub(crate) shares: Option<Vec<u8>>,
    /// The serial numbers that the key has used.
    pub(crate) used: &'a UsedSerials,
    /// The profiles, by their file names.
    pub(crate) profiles: &'a [(String, Vec<u8>)],
    /// How the key is used from a medium, in the caller's words.
    pub(crate) usage: &'a str,
    /// How many media have the key then.
    pub(crate) copies: usize,
    /// When this is written.
    pub(crate) at: UnixTime,
}

impl Bundle<'_> {
    /// Returns the files, the list of the others last. The mark of the key is not one of them: it is raised on each
    /// medium.
    pub(crate) fn files(self) -> Vec<MediumFile> {
        let (name, certificate) = (self.authority, self.certificate);
        let of = |name: String, contents: Vec<u8>| MediumFile { name, contents };
        let chain: String = std::iter::once(certificate).chain(self.above).map(Certificate::to_pem).collect();
        let Bundle { at, usage, copies, .. } = self;
        let readme = Readme { authority: name, certificate, at, usage, copies };
        let readme = readme.text(&self.sealed, self.shares.as_deref());
        let mut files =
            vec![of(key_file(name), self.sealed), of(certificates_file(name), chain.into_bytes())];
        let optional = [("crl", self.crl), ("envelope.toml", self.envelope), ("shares.toml", self.shares)];
        for (ending, contents) in optional {
            files.extend(contents.map(|contents| of(format!("{name}.{ending}"), contents)));
        }
        let used = self.used.to_text(name).into_bytes();
        files.push(of(format!("{name}.{}", UsedSerials::ENDING), used));
        for (profile, contents) in self.profiles {
            files.push(of(format!("{PROFILES}/{profile}"), contents.clone()));
        }
        files.push(of("README.txt".into(), readme.into_bytes()));
        let listed = manifest((name, self.profile), certificate, self.at, &files);
        files.push(of(MANIFEST.into(), listed.into_bytes()));
        files
    }
}

/// Returns the profiles in a directory, by their file names.
///
/// # Errors
/// When the directory, or one of them, cannot be read.
pub fn profiles_in(directory: &Path) -> Result<Vec<(String, Vec<u8>)>, Problem> {
    let failed = |error: std::io::Error| {
        Problem::new(Code::DirectoryNotRead, format!("{} cannot be read: {error}", directory.shown()))
            .because(error)
    };
    let mut profiles = Vec::new();
    for entry in std::fs::read_dir(directory).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
        if path.extension().is_some_and(|ending| ending == "toml") {
            let contents = read_file(&path, LARGEST_PROFILE).map_err(|error: ReadError| {
                Problem::new(Code::FileNotRead, format!("{} {error}", path.shown()))
            })?;
            profiles.push((name, contents));
        }
    }
    profiles.sort();
    Ok(profiles)
}

/// Refuses media that have another key of this name than the one that has this certificate. `digest` is the SHA-256 of its
/// file. Returns those whose list of files names the same key, and whose file is another one: it is encrypted otherwise.
///
/// # Errors
/// When one has, or cannot be read.
pub(crate) fn must_have_no_other_key(
    (name, certificate): (&str, &Certificate),
    digest: &str,
    media: &[Medium],
) -> Result<Vec<Medium>, Problem> {
    let key = base16ct::lower::encode_string(&certificate.tbs().public_key().digest());
    let mut stale = Vec::new();
    for medium in media {
        let Some(other) = medium.read(&key_file(name))?.filter(|other| sha256(other) != digest) else {
            continue;
        };
        if KeyFile::has_key(&other) && medium.read(MANIFEST)?.as_deref().and_then(key_of) == Some(key.clone())
        {
            stale.push(medium.clone());
            continue;
        }
        let place = medium.file(&key_file(name));
        let message = format!("{} has another key file than the one here", place.shown());
        return Err(Problem::new(Code::MediumOther, message).hint(remedy::Access::OtherMedium));
    }
    Ok(stale)
}

/// Says that a medium is opened otherwise from now on.
pub(crate) fn opened_otherwise(medium: &Medium) -> String {
    format!(
        "{} had the same key encrypted otherwise: what opens it is from now on what opens the file that was copied",
        medium.directory().shown()
    )
}

/// Has the list of files beside a key file, if there is one as on media, say what the key file is now. Returns what is wrong
/// where it could not be written: the key is encrypted anew all the same.
pub(crate) fn listed_on_medium(key: &Path) -> Option<String> {
    let name = key.file_stem()?.to_str()?;
    let directory = key.parent().filter(|directory| !directory.as_os_str().is_empty());
    let medium = Medium::at(directory.unwrap_or(Path::new(".")));
    let problem = list_anew(&medium, name).err()?;
    Some(format!("the list of the files beside {} has the former one: {}", key.shown(), problem.message))
}

/// Has the list of the files of a medium say what its key file is now, and the record of its shares, after the key was
/// encrypted anew. A directory without a list that has this key file stays as it is.
///
/// # Errors
/// When the medium cannot be read or written.
fn list_anew(medium: &Medium, name: &str) -> Result<(), Problem> {
    let Some(manifest) = medium.read(MANIFEST)? else { return Ok(()) };
    let text = String::from_utf8_lossy(&manifest).into_owned();
    let begins = |line: &str, file: &str| line.starts_with(&format!("\"{file}\" = \""));
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    if !lines.iter().any(|line| begins(line, &key_file(name))) {
        return Ok(());
    }
    for file in [key_file(name), format!("{name}.shares.toml")] {
        let Some(contents) = medium.read(&file)? else { continue };
        let listed = format!("\"{file}\" = \"{}\"", sha256(&contents));
        match lines.iter_mut().find(|line| begins(line, &file)) {
            Some(line) => *line = listed,
            None => lines.push(listed),
        }
    }
    let contents = lines.into_iter().map(|line| line + "\n").collect::<String>().into_bytes();
    if contents != manifest {
        medium.write(&MediumFile { name: MANIFEST.into(), contents })?;
    }
    Ok(())
}

/// Writes these files to each medium, and makes them durable. Profiles that are not among them are removed there.
///
/// # Errors
/// When one is full or cannot be written.
pub(crate) fn write_to_media(files: &[MediumFile], media: &[Medium]) -> Result<(), Problem> {
    for medium in media {
        medium.prepare()?;
        files.iter().try_for_each(|file| medium.write(file))?;
        for (profile, _) in profiles_in(&medium.file(PROFILES))? {
            let former = format!("{PROFILES}/{profile}");
            if files.iter().all(|file| file.name != former) {
                medium.remove(&former)?;
            }
        }
        medium.sync()?;
    }
    Ok(())
}

/// Reads these files back from a medium.
///
/// # Errors
/// When it does not return what was written to it.
pub(crate) fn verify_on_medium(files: &[MediumFile], medium: &Medium) -> Result<(), Problem> {
    let unlike = medium.unlike(files)?;
    if unlike.is_empty() {
        return Ok(());
    }
    let place = medium.directory().shown();
    let message = format!("{place} does not return what was written to it: {}", unlike.join(", "));
    Err(Problem::new(Code::MediumUnverified, message).hint(remedy::Access::OtherMedium))
}

/// Returns the profiles on a medium that are not as the list of its files has them: changed, gone, or not listed. Nothing
/// is said of a medium without a list.
pub(crate) fn unlisted_profiles(medium: &Medium) -> Result<Vec<String>, Problem> {
    let Some(manifest) = medium.read(MANIFEST)? else { return Ok(Vec::new()) };
    let text = String::from_utf8_lossy(&manifest);
    let listed = text.lines().filter_map(|line| {
        let (name, digest) = line.strip_prefix('"')?.strip_suffix('"')?.split_once("\" = \"")?;
        name.strip_prefix(PROFILES)?.strip_prefix('/').map(|name| (name.to_owned(), digest.to_owned()))
    });
    let listed: BTreeMap<String, String> = listed.collect();
    let directory = medium.file(PROFILES);
    let found = if directory.is_dir() { profiles_in(&directory)? } else { Vec::new() };
    let found: BTreeMap<String, String> =
        found.into_iter().map(|(name, contents)| (name, sha256(&contents))).collect();
    let names: BTreeSet<&String> = listed.keys().chain(found.keys()).collect();
    let unlike = names.into_iter().filter(|name| listed.get(*name) != found.get(*name));
    Ok(unlike.map(|name| format!("{PROFILES}/{name}")).collect())
}

/// Raises the mark of a key on a medium to this CRL number.
///
/// # Errors
/// When the mark cannot be read or written.
pub(crate) fn raise_mark_on_medium(name: &str, number: CrlNumber, medium: &Medium) -> Result<(), Problem> {
    let file = MediumFile { name: format!("{name}.mark"), contents: format!("{number}\n").into_bytes() };
    if let Some(before) = medium.read(&file.name)? {
        let before = String::from_utf8_lossy(&before).trim().parse().unwrap_or(0);
        if before >= number {
            return Ok(());
        }
    }
    medium.write(&file)
}

/// How the line of the manifest begins that names the profile of the CA.
const PROFILE: &str = "profile = \"";
/// How the line begins that names the key of the CA, by the SHA-256 of its SubjectPublicKeyInfo.
const KEY: &str = "spki_sha256 = \"";

/// Returns the name of the profile of the CA in the manifest of a medium, if it has one.
#[must_use]
pub(crate) fn profile_of(manifest: &[u8]) -> Option<String> {
    value_of(manifest, PROFILE)
}

/// Returns the SHA-256 of the SubjectPublicKeyInfo of the CA's key in the manifest of a medium, in hexadecimal digits.
#[must_use]
pub(crate) fn key_of(manifest: &[u8]) -> Option<String> {
    value_of(manifest, KEY)
}

fn value_of(manifest: &[u8], beginning: &str) -> Option<String> {
    let text = std::str::from_utf8(manifest).ok()?;
    let value = text.lines().find_map(|line| line.strip_prefix(beginning)?.strip_suffix('"'))?;
    Some(value.to_owned())
}

/// The manifest of a medium, `bundle.toml`, of a CA with this name and profile.
#[must_use]
fn manifest(
    (authority, profile): (&str, &str),
    certificate: &Certificate,
    at: UnixTime,
    files: &[MediumFile],
) -> String {
    let key = base16ct::lower::encode_string(&certificate.tbs().public_key().digest());
    let mut text = format!(
        "# The key of a CA and what belongs to it. The digests are SHA-256, as `sha256sum` prints them.\n\
         authority = \"{authority}\"\n{PROFILE}{profile}\"\nwritten = \"{at}\"\n{KEY}{key}\"\n\n[files]\n"
    );
    for file in files {
        let _ = writeln!(text, "\"{}\" = \"{}\"", file.name, sha256(&file.contents));
    }
    text
}
