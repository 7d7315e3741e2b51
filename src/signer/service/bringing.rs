//! Keys of other programs that an administrator brings. Neither the key nor what opens it comes to the account of the CA.
//!
//! The administrator was shown the envelope, and says by its digest what is confirmed. The key is opened, compared with the
//! certificate of its CA, encrypted anew, and put beside its place. As a key that moves here it is not used before the
//! command that takes the CA over has told what it signed elsewhere.
use super::answers::{Answer, signer};
use super::foreign::found;
use super::moving::Brought;
use super::remembering::identity;
use super::standing::{Standing, asked, failure, over};
use crate::error::{Code, Shown as _};
use crate::failpoint;
use crate::signer::protocol::{Failure, Frame, Reply, WireHanded, WireTerms, confirmed};
use crate::signer::unlocking::{ForeignFile, Terms};
use crate::signer::{ActKind, Bound, Peer, Verified};
use crate::signing::{KeyError, KeyRef, OpenedKey, RecipientText, Secret};
use crate::x509::{CertificateList, SubjectPublicKeyInfo, key_weaknesses};
use rustix::fs::{FileType, fstat};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

/// A key that is brought.
pub(super) struct Bringing {
    pub(super) key: KeyRef,
    /// How messages name the file.
    pub(super) file: PathBuf,
    pub(super) bound: Bound,
    pub(super) terms: WireTerms,
    pub(super) old: Option<WireHanded>,
    pub(super) new: WireHanded,
    pub(super) recipients: Vec<String>,
    /// The digest of what the administrator has confirmed.
    pub(super) envelope: [u8; 32],
    /// Whether the last part is the last CRL that the key signed.
    pub(super) crl: bool,
}

impl Standing {
    /// Takes in a key of another program, which is used once a command of the same login says what it signed.
    pub(super) fn bring(
        &self,
        connection: &UnixStream,
        peer: &Peer,
        bringing: Bringing,
        (mut parts, descriptors): (Vec<Vec<u8>>, Vec<OwnedFd>),
    ) -> Answer {
        let Bringing { key, file: path, bound, .. } = &bringing;
        if key.file_stem().is_none() {
            return Err(signer("a key is brought into a file that has the name of its CA"));
        }
        let rules = &self.signer.parts.rules;
        rules.may_bind(bound)?;
        let recipients: Result<Vec<RecipientText>, _> =
            bringing.recipients.iter().map(|text| text.parse()).collect();
        let recipients = recipients.map_err(|error| signer(&error.to_string()))?;
        let crl = if bringing.crl { parts.pop() } else { None };
        let brought = Brought::of(key, &parts)?;
        let coming = brought.coming(peer, key, (&bound.profile, &bound.urls));
        let envelope = rules.envelope_of(&coming)?;
        if confirmed(&envelope, &brought.digests().concat()) != bringing.envelope {
            return Err(signer(
                "the envelope that was confirmed is another one than the key gets; try again",
            ));
        }
        let public_key = coming.certificates.first().map(|one| one.tbs().public_key());
        let public_key = public_key.ok_or_else(|| signer("a key comes with a certificate of its CA"))?;
        must_be_strong(public_key)?;
        let last_crl = crl.map(|octets| last_crl(public_key, &octets)).transpose()?;
        let files = self.signer.files(key)?;
        files.must_be_free(key)?;
        let (file, old, new) = three(descriptors, bringing.old.is_some())?;
        let found = found(must_be_read(file)?, path)?;
        let terms: Terms = bringing.terms.clone().try_into()?;
        let new = asked(peer, key, terms, bringing.new, new)?;
        let old = bringing.old.zip(old).filter(|_| found.is_encrypted());
        let old = old.map(|(handed, from)| asked(peer, key, Terms::none(), handed, from)).transpose()?;
        let of = identity(key)?;
        let opening = self.ring.begin_brought(&new);
        let open = |secret: Option<&Secret>| {
            let opened = found.open(path, files, secret)?;
            is_the_key_of_its_ca(&opened, &of, path).map(|()| opened)
        };
        let seal = |opened| files.seal(key, opened);
        let foreign = ForeignFile { name: path.shown().to_string(), old: old.as_ref(), open: &open };
        let is_over = over(connection);
        let (sealed, opened) =
            self.ring.sealed_anew(&foreign, (&new, recipients), &seal, &is_over).map_err(failure)?;
        failpoint::passed("signer: brought key encrypted");
        let public_key = opened.public_key().as_der().to_vec();
        if let Some(last_crl) = last_crl {
            // before the key is there: nobody says then that it signed none
            let (by, at, journal) = self.signer.remembers(peer)?;
            journal.turn()?.show(by, at, &[last_crl])?;
            failpoint::passed("signer: last CRL of the brought key known");
        }
        let comes = (ActKind::KeyImported, key.uri.clone());
        self.signer.take_in(peer, &coming, (&envelope, comes), &sealed)?;
        failpoint::passed("signer: brought key beside its place");
        self.ring.keep_brought(&new, (opening, opened), (self.signer.parts.now)());
        Ok(Frame::with(Reply::Brought { form: found.to_string() }, vec![public_key]))
    }
}

/// Returns the last CRL that this key signed, as the administrator has it.
fn last_crl(public_key: &SubjectPublicKeyInfo, octets: &[u8]) -> Result<Verified, KeyError> {
    let crl = CertificateList::from_der(octets)
        .map_err(|error| KeyError::Malformed(format!("the last CRL: {error}")))?;
    Verified::crl(public_key, &crl).ok_or_else(|| KeyError::Prevented {
        code: Code::CrlSignature,
        reason: "the last CRL is not a complete one with a number that this key signed".into(),
        hint: "give the last complete CRL of this CA; nothing was changed".into(),
    })
}

/// Returns the descriptors of the file, of what opens it, where that comes, and of what opens the key here.
fn three(descriptors: Vec<OwnedFd>, has_old: bool) -> Result<(OwnedFd, Option<OwnedFd>, OwnedFd), Failure> {
    let mut descriptors = descriptors.into_iter();
    let (file, old) = (descriptors.next(), has_old.then(|| descriptors.next()).flatten());
    match (file, descriptors.next(), descriptors.next()) {
        (Some(file), Some(new), None) if old.is_some() == has_old => Ok((file, old, new)),
        _ => Err(signer("a key is brought with one open descriptor for each passphrase and one for itself")),
    }
}

/// Refuses what is read without end, or changes something when it is read.
fn must_be_read(file: OwnedFd) -> Result<OwnedFd, Failure> {
    let status = fstat(&file).map_err(|error| signer(&io::Error::from(error).to_string()))?;
    match FileType::from_raw_mode(status.st_mode) {
        FileType::RegularFile | FileType::Fifo | FileType::Socket => Ok(file),
        _ => Err(signer("a key is brought in a file or a pipe")),
    }
}

fn is_the_key_of_its_ca(opened: &OpenedKey, of: &[u8; 32], path: &Path) -> Result<(), KeyError> {
    match opened.public_key().digest() == *of {
        true => Ok(()),
        false => Err(KeyError::Prevented {
            code: Code::CertificateOtherKey,
            reason: format!("the key in {} is another one than that of the certificate", path.shown()),
            hint: "give the certificate of the CA whose key it is; nothing was changed".into(),
        }),
    }
}

/// Refuses a key that others may find out.
fn must_be_strong(public_key: &SubjectPublicKeyInfo) -> Result<(), KeyError> {
    match key_weaknesses(public_key).into_iter().next() {
        None => Ok(()),
        Some(weakness) => Err(KeyError::Prevented {
            code: Code::PolicyWeakKey,
            reason: weakness.to_string(),
            hint: "make a new key for a new CA: nothing that this key signs can be relied on; nothing was changed".into(),
        }),
    }
}
