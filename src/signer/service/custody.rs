//! Custody: the encrypted file of a key is lent to the program of an administrator who has unlocked the key for that, and
//! comes back protected anew.
use super::administering::{LARGEST_RECORD, an_own_empty_file, record_of_shares};
use super::answers::{Answer, Signer, signer};
use super::standing::{Standing, asked, failure, only, over};
use crate::failpoint;
use crate::signer::journal::{lent, was_in_place};
use crate::signer::protocol::{Failure, Frame, Reply, WireHanded};
use crate::signer::unlocking::{Resealed, Terms};
use crate::signer::{ActKind, JOURNAL, JournalFault, Peer};
use crate::signing::{KeyError, KeyProtection, KeyRef, KeyVault};
use crate::x509::sha256;
use std::fs::File;
use std::io::{self, BufReader};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;

/// Characters of what the client says was done, in the journal.
const LONGEST_WORD: usize = 200;

/// A key that comes back.
pub(super) struct Protected {
    pub(super) key: String,
    pub(super) before: String,
    pub(super) handed: WireHanded,
    pub(super) how: String,
    pub(super) parts: Vec<Vec<u8>>,
}

impl Standing {
    /// Lends the encrypted file of a key to an administrator. The journal has it before.
    pub(super) fn lend(&self, peer: &Peer, key: &str) -> Answer {
        let (vault, key, inspected) = self.find(key)?;
        in_a_file(vault.as_ref(), &key)?;
        inspected?;
        let opened = self.ring.in_custody(peer, &key)?;
        let (octets, record) = file_and_record(vault.as_ref(), &key)?;
        let details = lent(&key.uri, &sha256(&octets));
        self.signer.act(peer, ActKind::KeyExported, Some(opened.public_key().digest()), details)?;
        failpoint::passed("signer: lending noted");
        Ok(Frame::with(Reply::Done, vec![octets, record]))
    }

    /// Writes a key into a file of an administrator who has its passphrase, encrypted with another one.
    pub(super) fn export_opened(
        &self,
        connection: &UnixStream,
        peer: &Peer,
        key: &str,
        (old, new): (WireHanded, WireHanded),
        descriptors: Vec<OwnedFd>,
    ) -> Result<Reply, Failure> {
        let (vault, key, inspected) = self.find(key)?;
        in_a_file(vault.as_ref(), &key)?;
        inspected?;
        let [file, from, to] = <[OwnedFd; 3]>::try_from(descriptors)
            .map_err(|_| signer("a file and two passphrases are handed over as three open descriptors"))?;
        let file = an_own_empty_file(peer, file)?;
        let old = asked(peer, &key, Terms::none(), old, from)?;
        let new = asked(peer, &key, Terms::none(), new, to)?;
        let taken = self.ring.taken_out((&old, &new), vault.as_ref(), &key, &over(connection));
        let (opened, passphrase) = taken.map_err(failure)?;
        Ok(self.signer.write_exported(peer, &key, (&opened, &passphrase), file)?.message)
    }

    /// Returns the record of the shares that open a key. Nothing in it is secret.
    pub(super) fn shares(&self, key: &str) -> Answer {
        let (vault, key, inspected) = self.find(key)?;
        in_a_file(vault.as_ref(), &key)?;
        inspected?;
        let (_, record) = file_and_record(vault.as_ref(), &key)?;
        Ok(Frame::with(Reply::Done, vec![record]))
    }

    /// Puts a key that was lent back, protected anew. It opens to the same key here before that.
    pub(super) fn put_sealed(
        &self,
        connection: &UnixStream,
        peer: &Peer,
        protected: Protected,
        descriptors: Vec<OwnedFd>,
    ) -> Result<Reply, Failure> {
        let Protected { key, before, handed, how, parts } = protected;
        let (vault, key, inspected) = self.find(&key)?;
        in_a_file(vault.as_ref(), &key)?;
        inspected?;
        let [sealed, record] = <[Vec<u8>; 2]>::try_from(parts)
            .map_err(|_| signer("a key comes back with the record of its shares"))?;
        let digest = digest_of(&before)?;
        let is_too_long = u64::try_from(record.len()).is_ok_and(|length| length > LARGEST_RECORD);
        if !record.is_empty() && (is_too_long || KeyProtection::by_shares(&record, &sealed).is_none()) {
            return Err(signer("the record of the shares is not of the file that came with it"));
        }
        let asked = asked(peer, &key, Terms::none(), handed, only(descriptors)?)?;
        let record = Some(record).filter(|record| !record.is_empty());
        let how = words(&how, LONGEST_WORD);
        let resealed = Resealed { before: digest, sealed, record, how };
        let former = |identity: &[u8; 32], digest: &[u8; 32]| {
            let was = self.signer.in_journal(|journal| was_in_place(journal, identity, digest))?;
            Ok(was.unwrap_or_default())
        };
        let put =
            self.ring.put_sealed((peer, &asked), vault.as_ref(), &key, &resealed, &former, &over(connection));
        put.map_err(failure)?;
        Ok(Reply::Done)
    }
}

impl Signer {
    /// Looks for something in the whole journal; `None` where there is none yet.
    pub(super) fn in_journal<T>(
        &self,
        find: impl FnOnce(BufReader<File>) -> Result<T, JournalFault>,
    ) -> Result<Option<T>, KeyError> {
        let unread = |error: &dyn std::fmt::Display| KeyError::Signer(format!("its journal: {error}"));
        match File::open(self.parts.journal.directory().join(JOURNAL)) {
            Ok(file) => find(BufReader::new(file)).map(Some).map_err(|error| unread(&error)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(unread(&error)),
        }
    }
}

/// Returns what a client says, for the journal.
pub(super) fn words(said: &str, most: usize) -> String {
    said.chars().filter(|one| !one.is_control()).take(most).collect()
}

/// Reads the SHA-256 of a file.
pub(super) fn digest_of(text: &str) -> Result<[u8; 32], Failure> {
    let mut digest = [0; 32];
    match base16ct::lower::decode(text, &mut digest) {
        Ok(octets) if octets.len() == 32 => Ok(digest),
        _ => Err(signer("a file is named by its SHA-256, 64 hexadecimal digits")),
    }
}

pub(super) fn in_a_file(vault: &dyn KeyVault, key: &KeyRef) -> Result<(), KeyError> {
    match key.is_in_token() {
        true => Err(KeyError::TokenUnable(vault.keys().place(key), "its keys never leave it".into())),
        false => Ok(()),
    }
}

pub(super) fn file_and_record(vault: &dyn KeyVault, key: &KeyRef) -> Result<(Vec<u8>, Vec<u8>), Failure> {
    let inspecting = vault.keys().inspecting().ok_or_else(|| signer("it cannot look at this key"))?;
    let octets = inspecting.sealed(key)?;
    let record = record_of_shares(&inspecting.files(key), &octets).unwrap_or_default();
    Ok((octets, record))
}
