//! What is told of a key, its envelope, and its way out.
use super::answers::{Answer, Signer, signer};
use super::ring::vault_of;
use crate::error::Code;
use crate::failpoint;
use crate::home::AuthorityName;
use crate::index::KeyLocation;
use crate::signer::copies::Copies;
use crate::signer::protocol::{Failure, Reply, WireDescription};
use crate::signer::{Act, ActKind, KeyEnvelope, Peer};
use crate::signing::{
    KeyDescription, KeyError, KeyLimits, KeyProtection, KeyRef, OpenedKey, Protection, Secret, SecretPurpose,
    SecretSource as _, TokenUri,
};
use crate::subscriber_key::{ForeignKey, encrypted_ca_key_pem};
use crate::x509::SubjectPublicKeyInfo;
use std::fs::File;
use std::io::{self, Write as _};
use std::os::fd::OwnedFd;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

/// Bound of the record of shares beside a key, in octets; that of 255 shares has 18 KiB.
pub(super) const LARGEST_RECORD: u64 = 64 * 1024;

impl Signer {
    /// Tells what is known of a key without opening it.
    pub(super) fn describe(&self, peer: &Peer, key: &KeyRef) -> Answer {
        let protection = self.protection(key)?;
        let last_used = match key.identity {
            Some(identity) if self.parts.journal.is_begun() => {
                let (_, _, journal) = self.remembers(peer)?;
                journal.turn()?.record().last_used(&identity)?
            }
            _ => None,
        };
        let described = KeyDescription { protection, last_used };
        Ok(Reply::Described { described: WireDescription::from(&described) }.into())
    }

    fn protection(&self, key: &KeyRef) -> Result<Option<KeyProtection>, Failure> {
        let keys = self.vault(key)?.keys();
        if key.is_in_token() {
            return Ok(Some(KeyProtection::Token));
        }
        let inspecting = keys.inspecting().ok_or_else(|| signer("it cannot look at this key"))?;
        let octets = match inspecting.sealed(key) {
            Err(KeyError::NotFound(_)) => return Ok(None),
            octets => octets?,
        };
        let protection = Protection::of(&octets).ok_or_else(|| {
            KeyError::Backend(keys.place(key), "it is not an age file, or a damaged one".into())
        })?;
        let beside = inspecting.files(key).into_iter().find(|file| is_record_of_shares(file));
        let shares = beside.and_then(|file| shares_of(&file, &octets));
        Ok(Some(shares.unwrap_or(KeyProtection::File(protection))))
    }

    /// Writes the private key, encrypted with a passphrase of its own, into the descriptor. The journal has it before.
    pub(super) fn export(&self, peer: &Peer, key: &KeyRef, descriptors: Vec<OwnedFd>) -> Answer {
        let [descriptor] = <[OwnedFd; 1]>::try_from(descriptors)
            .map_err(|_| signer("a key is written into one open descriptor"))?;
        let file = an_own_empty_file(peer, descriptor)?;
        let sources = self.parts.sources.as_ref().ok_or_else(|| signer("it has no such orders"))?;
        let opened = self.vault(key)?.take_out(key)?;
        let name = format!("the exported key of {}", name_of(key));
        let passphrase = sources.secret(&SecretPurpose::Replace(name))?;
        self.write_exported(peer, key, (&opened, &passphrase), file)
    }

    /// Writes an opened key into a file, encrypted with a passphrase of its own. The journal has it before.
    pub(super) fn write_exported(
        &self,
        peer: &Peer,
        key: &KeyRef,
        (opened, passphrase): (&OpenedKey, &Secret),
        mut file: File,
    ) -> Answer {
        let pem = encrypted_ca_key_pem(opened, passphrase)?;
        // somebody may trust to this file alone, so it is read once before
        let place = Path::new("the exported key");
        let read =
            ForeignKey::find(pem.as_bytes(), place)?.ok_or_else(|| signer("what was exported is no key"))?;
        if read.open(place, &mut || Ok(passphrase.clone()))?.public_key() != opened.public_key() {
            return Err(signer("the exported key does not decrypt to itself; nothing was written"));
        }
        let details = format!("{}, as PKCS#8 encrypted with a passphrase of its own", key.uri);
        self.act(peer, ActKind::KeyExported, Some(opened.public_key().digest()), details)?;
        failpoint::passed("signer: export journaled");
        file.write_all(pem.as_bytes()).and_then(|()| file.sync_all()).map_err(|error| not_written(&error))?;
        failpoint::passed("signer: exported key written");
        Ok(Reply::Done.into())
    }

    /// Enters that another program of this user is about to encrypt a key anew.
    pub(super) fn protected(&self, peer: &Peer, key: &KeyRef, how: &str) -> Answer {
        if self.parts.sources.is_none() {
            return Err(signer("no other program has keys of the service"));
        }
        self.act(peer, ActKind::KeyProtected, key.identity, format!("{}: {how}", key.uri))
    }

    /// Tells the envelope of a key, and how it would be with other values.
    pub(super) fn limits(&self, key: &KeyRef, settings: &[(String, String)]) -> Answer {
        let (_, before) = self.envelope(key)?;
        let after = with(&before, settings)?;
        let is_wider = !after.is_within(&before);
        Ok(Reply::Limits { before: KeyLimits::from(&before), after: KeyLimits::from(&after), is_wider }
            .into())
    }

    /// Sets fields of the envelope of a key, when it is still as the client was told. The journal has it before.
    pub(super) fn set_limits(
        &self,
        peer: &Peer,
        key: &KeyRef,
        settings: &[(String, String)],
        expected: &KeyLimits,
    ) -> Answer {
        let (public_key, before) = self.envelope(key)?;
        // its turn at the journal first, as whoever renames a key and its envelope takes it
        let (by, at, journal) = self.remembers(peer)?;
        let turn = journal.turn()?;
        let copies = Copies::read(self.parts.journal.directory())?;
        let file = copies.envelope_file(key, &public_key);
        let alone = file.alone()?;
        // once more, now that nobody else writes there
        let now = copies.envelope(key, &public_key)?.filter(|now| *now == before);
        let Some(now) = now.filter(|now| KeyLimits::from(now) == *expected) else {
            return Err(prevented(
                Code::KeyInUse,
                format!("the envelope of {} was changed meanwhile", name_of(key)),
                "look at it as it is now, then set it again; nothing was changed",
            ));
        };
        let after = with(&now, settings)?;
        let details = format!("{}: {}", name_of(key), difference(&now, &after));
        let act = Act { kind: ActKind::Envelope, key: Some(file.key()), details };
        let turn = turn.acted(by, at, vec![act])?;
        failpoint::passed("signer: envelope journaled");
        file.put(&alone, &after)?;
        failpoint::passed("signer: envelope put");
        drop(turn);
        Ok(Reply::Done.into())
    }

    /// Accepts a certificate of a CA whose issuer the signer does not know. The journal has it before.
    pub(super) fn accept_certificate(&self, peer: &Peer, key: &str, certificate: &str) -> Answer {
        let mut digest = [0; 32];
        match base16ct::lower::decode(certificate, &mut digest) {
            Ok(octets) if octets.len() == 32 => {}
            _ => return Err(signer("a certificate is named by its SHA-256, 64 hexadecimal digits")),
        }
        let details = format!("{key}: the certificate with the SHA-256 {certificate} is accepted");
        self.act(peer, ActKind::Envelope, None, details)?;
        self.parts.rules.accept_certificate(&digest)?;
        Ok(Reply::Done.into())
    }

    fn envelope(&self, key: &KeyRef) -> Result<(SubjectPublicKeyInfo, KeyEnvelope), Failure> {
        let copies = Copies::read(self.parts.journal.directory())?;
        copies.check(key, key.identity, false)?;
        let none = || {
            prevented(
                Code::SignerEnvelopeNone,
                format!("there is no envelope of the key {} yet", name_of(key)),
                "it is made with the first certificate of the CA; the next signature makes that of an older one",
            )
        };
        let public_key = match copies.key_named(key) {
            Some(public_key) => public_key,
            None => {
                copies.must_have_no_envelope(key)?;
                self.in_token(&copies, key)?.ok_or_else(none)?
            }
        };
        let envelope = copies.envelope(key, &public_key)?.ok_or_else(none)?;
        Ok((public_key, envelope))
    }
}

impl Signer {
    /// Returns the public key of a key in a token that an administrator names by its label, which is the name of its CA, or
    /// by its URI. The token says which of the keys it is that have an envelope here.
    fn in_token(&self, copies: &Copies, key: &KeyRef) -> Result<Option<SubjectPublicKeyInfo>, Failure> {
        let candidates = if key.identity.is_none() { copies.without_names() } else { Vec::new() };
        let label = |name: AuthorityName| TokenUri::default().for_key(name.as_str()).to_string();
        let key = match key.file_stem() {
            Some(name) => KeyRef::at(KeyLocation::Token(&label(name))),
            None => key.clone(),
        };
        let vault = vault_of(&self.parts.vaults, &key).filter(|_| key.is_in_token());
        let Some(keys) = vault.and_then(|vault| vault.keys().inspecting()) else { return Ok(None) };
        for candidate in candidates {
            match keys.inspect(&key.clone().of_key(&candidate)) {
                Ok(()) => return Ok(Some(candidate)),
                Err(KeyError::OtherKey(_)) => {}
                Err(KeyError::NotFound(_)) => return Ok(None),
                Err(error) => return Err(error.into()),
            }
        }
        Ok(None)
    }
}

fn prevented(code: Code, reason: String, hint: &str) -> Failure {
    KeyError::Prevented { code, reason, hint: hint.to_owned() }.into()
}

fn with(envelope: &KeyEnvelope, settings: &[(String, String)]) -> Result<KeyEnvelope, Failure> {
    envelope.with(settings).map_err(|mistakes| {
        let fields = "the fields are profile, certifies_cas, path_length, extended_key_usage, longest_days, \
            longest_crl_days, timer_crl_days, permitted, urls and certificates_a_day; `any` takes a limit away; nothing was changed";
        prevented(Code::Usage, mistakes.to_string(), fields)
    })
}

/// Returns what is other in two envelopes, on one line.
fn difference(before: &KeyEnvelope, after: &KeyEnvelope) -> String {
    let lines = |envelope: &KeyEnvelope| -> Vec<String> {
        envelope.to_toml("").lines().filter(|line| !line.starts_with('#')).map(str::to_owned).collect()
    };
    let (old, new) = (lines(before), lines(after));
    let only = |these: &[String], those: &[String]| {
        let only = these.iter().filter(|line| !those.contains(line)).cloned();
        only.collect::<Vec<_>>().join("; ")
    };
    let (old, new) = (only(&old, &new), only(&new, &old));
    match (old.as_str(), new.as_str()) {
        ("", "") => "as before".to_owned(),
        ("", new) => format!("now {new}"),
        (old, "") => format!("{old} was taken away"),
        (old, new) => format!("{old} is now {new}"),
    }
}

fn not_written(error: &io::Error) -> Failure {
    signer(&format!("the file cannot be written: {error}"))
}

/// Returns a file of the client into which a key may be written.
pub(super) fn an_own_empty_file(peer: &Peer, descriptor: OwnedFd) -> Result<File, Failure> {
    let file = File::from(descriptor);
    let metadata = file.metadata().map_err(|error| not_written(&error))?;
    if !metadata.is_file() || metadata.len() != 0 || metadata.permissions().mode() & 0o077 != 0 {
        return Err(signer("a key is written into an empty file that its owner alone can read"));
    }
    if metadata.uid() != peer.user {
        return Err(signer("a key is written into a file of the user who asks for it"));
    }
    Ok(file)
}

/// Returns the name under which people know a key: that of its CA.
fn name_of(key: &KeyRef) -> String {
    key.file_stem().map_or_else(|| key.uri.clone(), |name| name.to_string())
}

fn is_record_of_shares(file: &Path) -> bool {
    file.to_str().is_some_and(|file| file.ends_with(".shares.toml"))
}

/// Returns the numbers of the shares that open a key file with these contents, when the record beside it is of this file.
fn shares_of(record: &Path, octets: &[u8]) -> Option<KeyProtection> {
    KeyProtection::by_shares(&crate::home::read_file(record, LARGEST_RECORD).ok()?, octets)
}

/// Returns the record of shares beside a key file with these contents, when it is of this file.
pub(super) fn record_of_shares(files: &[PathBuf], octets: &[u8]) -> Option<Vec<u8>> {
    let record = files.iter().find(|file| is_record_of_shares(file))?;
    let text = crate::home::read_file(record, LARGEST_RECORD).ok()?;
    KeyProtection::by_shares(&text, octets).map(|_| text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::x509::sha256;
    use std::fs;

    #[test]
    fn a_record_of_shares_counts_for_the_key_file_that_they_open_and_for_no_other() {
        let directory = tempfile::tempdir().unwrap();
        let record = directory.path().join("genfic.shares.toml");
        let digest = base16ct::lower::encode_string(&sha256(b"the key file"));
        let text = format!("version = 1\nthreshold = 3\nshares = 5\nfile_sha256 = \"{digest}\"\n");
        assert_eq!(shares_of(&record, b"the key file"), None);
        fs::write(&record, text).unwrap();
        let split = KeyProtection::Shares { threshold: 3, shares: 5 };
        assert_eq!(shares_of(&record, b"the key file"), Some(split));
        assert_eq!(shares_of(&record, b"encrypted anew since"), None);
    }
}
