//! Restoring of a signer's directory. Marks are taken from what was published since, the gap is in its journal, and it signs
//! no certificates but those of responders, and no CRL of a key of which none was found, until an administrator accepts that
//! (K3, C1).
use super::place::{Staging, check_vacant};
use super::problems::{damaged, unreadable, unwritten};
use super::restore::SPARE_CRL_NUMBERS;
use super::search::{Finder, search};
use super::signer_manifest::SignerManifest;
use super::{Opener, read};
use crate::error::{Problem, Shown as _};
use crate::home::{Accounts, Mode};
use crate::signer::{
    Act, ActKind, Asker, JOURNAL, Journal, KeyEnvelope, Verified, check_journal, named_keys,
};
use crate::signing::{CaKeys, KeyFile, KeyRef};
use crate::x509::extension::{CrlNumber, DELTA_CRL_INDICATOR};
use crate::x509::{Certificate, CertificateList, UnixTime, pem};
use base16ct::lower::encode_string as hex;
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, chown};
use std::path::{Path, PathBuf};

/// Certificates that the journal is shown at once: it waits for the disk after each group.
const SHOWN: usize = 2000;
/// The user of the service.
const SERVICE: &str = "genfic-signer";

/// The parameters of a restore.
pub(crate) struct RestoringSigner<'a> {
    /// The backup file.
    pub file: &'a Path,
    /// The function that finds passphrase or identities for the backup.
    pub opener: Opener<'a>,
    /// The directory of the signer, which is absent or empty.
    pub directory: &'a Path,
    /// Files and directories with what was published after the backup.
    pub published: &'a [PathBuf],
    /// Returns the store of a directory of keys; nobody is asked for a secret.
    pub keys_in: &'a dyn Fn(&Path) -> Box<dyn CaKeys>,
    /// The current time.
    pub now: UnixTime,
}

/// A signer that was restored.
#[derive(Clone, Debug)]
pub struct RestoredSigner {
    /// The contents of the backup.
    pub manifest: SignerManifest,
    /// The keys.
    pub keys: Vec<RestoredKey>,
    /// Certificates that were found, and that the journal of the backup does not know.
    pub shown: u64,
    /// Warnings: data that could not be used.
    pub notices: Vec<String>,
}

/// A key of a restored signer.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RestoredKey {
    /// Its name.
    pub name: String,
    /// The number in its mark when the backup was made.
    pub backup_crl: Option<CrlNumber>,
    /// The highest number of the CRLs that were found.
    pub found_crl: Option<CrlNumber>,
    /// The number in its mark now.
    pub mark: CrlNumber,
}

/// The result of reading a backup of the signer.
#[derive(Clone, Debug)]
pub struct VerifiedSigner {
    /// The contents of the backup.
    pub manifest: SignerManifest,
    /// Every fault; empty when the backup can be restored.
    pub faults: Vec<String>,
}

/// Reads a backup of a signer into a private temporary directory, and checks all of it.
///
/// # Errors
/// When the backup cannot be opened, or is damaged.
pub fn verify_of_signer(file: &Path, opener: Opener<'_>) -> Result<VerifiedSigner, Problem> {
    let source = read::open(file, opener)?;
    let work = super::workplace::Workplace::new(&std::env::temp_dir(), ".genfic-signer-backup-")?;
    let staged = work.join("signer");
    made(&staged)?;
    let manifest = extract(file, source, &staged)?;
    let faults = faults(&staged, &manifest)?;
    Ok(VerifiedSigner { manifest, faults })
}

fn made(directory: &Path) -> Result<(), Problem> {
    fs::DirBuilder::new().mode(0o700).create(directory).map_err(|error| unwritten(directory, &error))
}

fn extract(file: &Path, source: impl std::io::Read, to: &Path) -> Result<SignerManifest, Problem> {
    read::extract_with(
        file,
        source,
        |text| {
            let manifest = SignerManifest::parse(text, file)?;
            let files = manifest.files.clone();
            Ok((manifest, files))
        },
        &mut |listed| Ok((to.join(&listed.path), Mode::Private)),
    )
}

/// Returns every fault of a signer's directory.
fn faults(directory: &Path, manifest: &SignerManifest) -> Result<Vec<String>, Problem> {
    let mut faults = Vec::new();
    let journal = directory.join(JOURNAL);
    let opened = fs::File::open(&journal).map_err(|error| unreadable(&journal, &error))?;
    match check_journal(std::io::BufReader::new(opened)) {
        Ok(head) if head.sequence != manifest.journal.sequence => {
            faults.push(format!(
                "{JOURNAL}: it ends with {}, not {}",
                head.sequence, manifest.journal.sequence
            ));
        }
        Ok(_) => {}
        Err(fault) => faults.push(format!("{JOURNAL}: {fault}")),
    }
    for listed in &manifest.files {
        let path = directory.join(&listed.path);
        let octets = || fs::read(&path).map_err(|error| unreadable(&path, &error));
        let is_key = listed.path.parse::<KeyFile>().is_ok_and(|file| file.is_key());
        if is_key && !KeyFile::has_key(&octets()?) {
            faults.push(format!("{} is no encrypted key", listed.path));
        } else if listed.path.ends_with(KeyEnvelope::ENDING) {
            let text = String::from_utf8_lossy(&octets()?).into_owned();
            faults.extend(
                KeyEnvelope::parse(&text).err().map(|mistakes| format!("{}: {mistakes}", listed.path)),
            );
        } else if listed.path.ends_with(".pem") {
            faults.extend(certificates(&octets()?).err().map(|reason| format!("{}: {reason}", listed.path)));
        }
    }
    Ok(faults)
}

fn certificates(octets: &[u8]) -> Result<Vec<Certificate>, String> {
    let blocks = pem::decode_file(octets, "CERTIFICATE").map_err(|error| error.to_string())?;
    blocks.iter().map(|block| Certificate::from_der(&block.der).map_err(|error| error.to_string())).collect()
}

/// Restores a signer's directory. It appears in its place only when all of it is complete.
///
/// # Errors
/// When there is something in its place, the backup cannot be opened or does not verify, or a file cannot be written.
pub(crate) fn restore_signer(restoring: &RestoringSigner<'_>) -> Result<RestoredSigner, Problem> {
    let directory = restoring.directory;
    check_vacant(directory)?;
    let source = read::open(restoring.file, restoring.opener)?;
    let staging = Staging::beside(directory)?;
    let staged = staging.path();
    made(&staged)?;
    let manifest = extract(restoring.file, source, &staged)?;
    let faults = faults(&staged, &manifest)?;
    if !faults.is_empty() {
        return Err(damaged(restoring.file, faults.join("; ")));
    }
    let mut found = Found::of(&staged, &manifest)?;
    search(restoring.published, &mut found)?;
    let shown = remember(&staged, &manifest, &found, restoring.now)?;
    let named = named(&staged)?;
    let keys = raise_marks((restoring.keys_in)(&staged).as_ref(), &manifest, &found, &named)?;
    give_to_owner(&staged, directory)?;
    staging.put_in_place()?;
    Ok(RestoredSigner { manifest, keys, shown, notices: found.notices })
}

/// Keys by their URIs: SHA-256 of the SubjectPublicKeyInfo of each.
type Named = BTreeMap<String, [u8; 32]>;

/// Returns which key has which name.
fn named(staged: &Path) -> Result<Named, Problem> {
    let journal = staged.join(JOURNAL);
    let opened = fs::File::open(&journal).map_err(|error| unreadable(&journal, &error))?;
    named_keys(std::io::BufReader::new(opened))
        .map_err(|fault| damaged(&journal, format!("{JOURNAL}: {fault}")))
}

/// What was published since, and one of the keys signed.
struct Found {
    /// Certificates of the CAs, by the names of their files.
    own: BTreeMap<String, Vec<Certificate>>,
    newest_crl: BTreeMap<String, CertificateList>,
    highest: BTreeMap<String, CrlNumber>,
    issued: Vec<(String, Certificate)>,
    notices: Vec<String>,
}

impl Found {
    fn of(staged: &Path, manifest: &SignerManifest) -> Result<Self, Problem> {
        let mut own = BTreeMap::new();
        for listed in &manifest.files {
            let Some(stem) = listed.path.strip_suffix(".pem") else { continue };
            let path = staged.join(&listed.path);
            let octets = fs::read(&path).map_err(|error| unreadable(&path, &error))?;
            own.insert(stem.to_owned(), certificates(&octets).unwrap_or_default());
        }
        let (newest_crl, highest) = (BTreeMap::new(), BTreeMap::new());
        Ok(Self { own, newest_crl, highest, issued: Vec::new(), notices: Vec::new() })
    }

    fn key_of(&self, name: &str) -> Option<&Certificate> {
        self.own.get(name).and_then(|own| own.first())
    }

    /// Returns the highest number of the CRLs that were found of the key in the file of this name. Its certificates have the
    /// name that it had first; `identity` says which key has a name now.
    fn highest_of(&self, name: &str, identity: Option<&[u8; 32]>) -> Option<CrlNumber> {
        let is_it = |own: &Certificate| identity == Some(&own.tbs().public_key().digest());
        let of_key = self.own.iter().find(|(_, own)| own.iter().any(is_it)).map(|(stem, _)| stem.as_str());
        self.highest.get(of_key.unwrap_or(name)).copied()
    }

    /// Returns the names of the marks of keys in tokens, with the highest numbers of the CRLs that were found of these.
    fn in_tokens(&self, manifest: &SignerManifest) -> Vec<(String, Option<CrlNumber>)> {
        let mut marks = Vec::new();
        for (stem, own) in &self.own {
            let Some(one) = own.first() else { continue };
            let digest = one.tbs().public_key().digest();
            let name = format!("pkcs11-{}", hex(digest.get(..16).unwrap_or(&digest)));
            let mark = format!("{name}.mark");
            let found = self.highest.get(stem).copied();
            // one that had signed no CRL when the backup was made has no mark there
            let is_in_token = manifest.files.iter().any(|file| file.path == mark)
                || (found.is_some() && stem.strip_prefix("key-").is_some_and(|rest| rest.len() == 16));
            if is_in_token {
                marks.push((name, found));
            }
        }
        marks
    }
}

impl Finder for Found {
    fn crl(&mut self, path: &Path, crl: CertificateList) -> Result<(), Problem> {
        let signed = |own: &Certificate| {
            own.tbs().subject().is_same_as(crl.tbs().issuer()) && crl.was_signed_by(own.tbs().public_key())
        };
        let by = self.own.iter().find(|(_, own)| own.iter().any(signed)).map(|(name, _)| name.clone());
        let Some(name) = by else {
            self.passed_over(path, "no key of this signer signed it".into());
            return Ok(());
        };
        let number = crl.tbs().crl_number().unwrap_or(0);
        let highest = self.highest.entry(name.clone()).or_default();
        *highest = number.max(*highest);
        let known = self.newest_crl.get(&name).and_then(|known| known.tbs().crl_number());
        // a delta tells less than the complete one of its number, and is never the last list
        let is_delta = crl.tbs().extensions().iter().any(|one| one.oid == DELTA_CRL_INDICATOR);
        if !is_delta && known.is_none_or(|known| known < number) {
            self.newest_crl.insert(name, crl);
        }
        Ok(())
    }

    fn certificate(&mut self, _: &Path, certificate: Certificate) -> Result<(), Problem> {
        let signed = |own: &Certificate| {
            own.tbs().subject().is_same_as(certificate.tbs().issuer())
                && certificate.was_signed_by(own.tbs().public_key())
        };
        let by = self.own.iter().find(|(_, own)| own.iter().any(signed)).map(|(name, _)| name.clone());
        self.issued.extend(by.map(|name| (name, certificate)));
        Ok(())
    }

    fn status(&mut self, _: &Path) -> Result<(), Problem> {
        Ok(())
    }

    fn passed_over(&mut self, path: &Path, reason: String) {
        self.notices.push(format!("{} was passed over: {reason}", path.shown()));
    }
}

/// Notes the gap in the journal, and shows it what was found. Returns the number of certificates.
fn remember(staged: &Path, manifest: &SignerManifest, found: &Found, now: UnixTime) -> Result<u64, Problem> {
    let by = Asker::this_process();
    let journal = Journal::open(staged, by, now)?;
    let details = format!("restored from a backup of {}", manifest.created);
    let mut acts = vec![Act { kind: ActKind::Gap, key: None, details }];
    // of these the backup may have an old list, and whoever is the CA's user would choose the next one after it
    let unseen = found.own.iter().filter(|(name, _)| !found.newest_crl.contains_key(*name));
    acts.extend(unseen.filter_map(|(name, own)| {
        let key = own.first()?.tbs().public_key().digest();
        Some(Act { kind: ActKind::Gap, key: Some(key), details: format!("no CRL of {name} was found") })
    }));
    journal.turn()?.act(by, now, acts)?;
    crate::failpoint::passed("restore: gap noted");
    let mut shown = 0;
    for group in found.issued.chunks(SHOWN) {
        let verified = |(name, certificate): &(String, Certificate)| {
            Verified::certificate(found.key_of(name)?.tbs().public_key(), certificate)
        };
        let group: Vec<Verified> = group.iter().filter_map(verified).collect();
        journal.turn()?.show(by, now, &group)?;
        shown += u64::try_from(group.len()).unwrap_or(u64::MAX);
    }
    for (name, crl) in &found.newest_crl {
        let Some(own) = found.key_of(name) else { continue };
        if let Some(one) = Verified::crl(own.tbs().public_key(), crl) {
            journal.turn()?.show(by, now, &[one])?;
        }
    }
    crate::failpoint::passed("restore: what was published is remembered");
    Ok(shown)
}

fn raise_marks(
    keys: &dyn CaKeys,
    manifest: &SignerManifest,
    found: &Found,
    named: &Named,
) -> Result<Vec<RestoredKey>, Problem> {
    let files = manifest.keys.iter().map(|key| {
        let found_crl = found.highest_of(&key.name, named.get(&keys.new_key(&key.name).uri));
        (key.name.clone(), key.highest_crl, found_crl)
    });
    let in_tokens = found.in_tokens(manifest).into_iter().map(|(name, found_crl)| (name, None, found_crl));
    let mut restored = Vec::new();
    for (name, highest, found_crl) in files.chain(in_tokens) {
        let reference: KeyRef = keys.new_key(&name);
        let backup_crl = highest.max(keys.mark(&reference)?.number);
        let mark = backup_crl.max(found_crl).unwrap_or(0).saturating_add(SPARE_CRL_NUMBERS);
        keys.raise_mark(&reference, mark)?;
        crate::failpoint::passed("restore: mark raised");
        restored.push(RestoredKey { name, backup_crl, found_crl, mark });
    }
    Ok(restored)
}

/// Gives everything to the owner of the directory that is there, or to the user of the service, where this is root.
fn give_to_owner(staged: &Path, directory: &Path) -> Result<(), Problem> {
    if !rustix::process::geteuid().is_root() {
        return Ok(());
    }
    let owner = match directory.metadata() {
        Ok(there) => Some((there.uid(), there.gid())),
        Err(_) => Accounts::of_system().ids_of(SERVICE),
    };
    let Some((user, group)) = owner else { return Ok(()) };
    let failed = |path: &Path, error: &std::io::Error| unwritten(path, error);
    for entry in fs::read_dir(staged).map_err(|error| failed(staged, &error))? {
        let path = entry.map_err(|error| failed(staged, &error))?.path();
        chown(&path, Some(user), Some(group)).map_err(|error| failed(&path, &error))?;
    }
    chown(staged, Some(user), Some(group)).map_err(|error| failed(staged, &error))
}

#[cfg(test)]
#[path = "signer_restore_tests.rs"]
mod tests;
