//! What the program that has custody of keys asks of the signer that listens, as an administrator. It reads nothing from
//! outside, asks for passphrases itself, and hands them over in pipes.
use super::administration::{Administration, unexpected};
use crate::failpoint;
use crate::signer::protocol::{
    Frame, Reply, Request, WireGrant, WireHanded, WireTerms, ends, put_serial, serials,
};
use crate::signing::{KeyError, Secret};
use crate::x509::extension::CrlNumber;
use crate::x509::{Certificate, SerialNumber, UnixTime};
use std::io::{self, Write as _};
use std::os::fd::OwnedFd;
use std::path::Path;

/// Most octets that a passphrase, or an identity, may have. A pipe takes them at once.
const LONGEST: usize = 4096;

/// The signer's door for the program that has custody of keys.
pub(crate) struct CustodyDoor(Administration);

/// A key that goes back to the signer, protected anew.
pub(crate) struct PutBack<'a> {
    /// SHA-256 of the file that was lent, in hexadecimal digits.
    pub(crate) before: String,
    /// The new file.
    pub(crate) sealed: &'a [u8],
    /// The record of the shares that open it; empty where there is none.
    pub(crate) record: &'a [u8],
    /// What opens it.
    pub(crate) secret: &'a Secret,
    /// What was done, for the journal.
    pub(crate) how: &'a str,
}

/// A key that is to go to media, with what belongs to it.
pub(crate) struct BundledKey {
    /// The encrypted file.
    pub(crate) sealed: Vec<u8>,
    /// The record of the shares that open it; empty where there is none.
    pub(crate) record: Vec<u8>,
    /// The text of its envelope.
    pub(crate) envelope: Vec<u8>,
    /// The certificates of its CA.
    pub(crate) certificates: Vec<Certificate>,
    /// The profile of its CA.
    pub(crate) profile: String,
    /// The number in its mark.
    pub(crate) mark: CrlNumber,
    /// The number of the last CRL that the signer knows of it.
    pub(crate) crl: Option<CrlNumber>,
    /// SHA-256 of the TBSCertList of that CRL, in hexadecimal digits; `None` where only its number is known.
    pub(crate) list: Option<String>,
    /// The serial numbers that it used, with notAfter of each certificate where that is known.
    pub(crate) used: Vec<(SerialNumber, Option<UnixTime>)>,
}

impl CustodyDoor {
    /// Returns the door at this socket. It is opened with each question.
    pub(crate) fn at(socket: &Path) -> Self {
        Self(Administration::at(socket))
    }

    /// Has a key unlocked with this passphrase, or these identities.
    ///
    /// # Errors
    /// When they are wrong, or the signer cannot be asked.
    pub(crate) fn unlock(&self, key: &str, terms: WireTerms, secret: &Secret) -> Result<WireGrant, KeyError> {
        let request =
            Request::Unlock { key: key.to_owned(), terms, handed: WireHanded::File, envelope: None };
        match self.hand(request, Vec::new(), secret)? {
            Reply::Unlocked { mut keys } => keys.pop().ok_or_else(|| unexpected().into()),
            _ => Err(unexpected().into()),
        }
    }

    /// Returns the encrypted file of a key that is unlocked for custody, and the record of the shares that open it.
    ///
    /// # Errors
    /// When it is not unlocked for that, or the signer cannot be asked.
    pub(crate) fn lend(&self, key: &str) -> Result<(Vec<u8>, Vec<u8>), KeyError> {
        let answer = self.0.link()?.ask(Request::Lend { key: key.to_owned() })?;
        match <[Vec<u8>; 2]>::try_from(answer.parts) {
            Ok([sealed, record]) => Ok((sealed, record)),
            Err(_) => Err(unexpected().into()),
        }
    }

    /// Returns a key that is unlocked for custody and is to go to media, with what belongs to it.
    ///
    /// # Errors
    /// When it is not unlocked for that, has no certificate, or the signer cannot be asked.
    pub(crate) fn lend_bundle(&self, key: &str) -> Result<BundledKey, KeyError> {
        let link = self.0.link()?;
        let answer = link.ask(Request::LendBundle { key: key.to_owned() })?;
        let Reply::Bundle { key, profile, mark, crl, list } = answer.message else {
            return Err(unexpected().into());
        };
        let mut parts = answer.parts.into_iter();
        let (Some(sealed), Some(record), Some(envelope)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(unexpected().into());
        };
        let certificates = parts.map(|octets| Certificate::from_der(&octets));
        let certificates =
            certificates.collect::<Result<_, _>>().map_err(|_| KeyError::from(unexpected()))?;
        let mut used: Vec<(SerialNumber, Option<UnixTime>)> = Vec::new();
        loop {
            let mut after = Vec::new();
            used.iter().last().into_iter().for_each(|(last, _)| put_serial(&mut after, last));
            let answer = link.ask(Frame::with(Request::Used { key: key.clone() }, vec![after]))?;
            let [found, times] =
                <[Vec<u8>; 2]>::try_from(answer.parts).map_err(|_| KeyError::from(unexpected()))?;
            let (found, times) = (serials(&found)?, ends(&times)?);
            if found.len() != times.len() {
                return Err(unexpected().into());
            }
            if found.is_empty() {
                let mark = mark.unwrap_or(0);
                return Ok(BundledKey {
                    sealed,
                    record,
                    envelope,
                    certificates,
                    profile,
                    mark,
                    crl,
                    list,
                    used,
                });
            }
            used.extend(found.into_iter().zip(times));
        }
    }

    /// Says that the file of a key that was lent for that, with this SHA-256, is whole on media. The signer removes the key.
    ///
    /// # Errors
    /// When the signer does not do that, or its answer does not come: the key is there then, or is not.
    pub(crate) fn to_media(&self, key: &str, digest: &str, places: &str) -> Result<(), KeyError> {
        failpoint::passed("custody: key whole on the media");
        let [key, digest, places] = [key, digest, places].map(str::to_owned);
        match self.0.link()?.ask(Request::ToMedia { key, digest, places })?.message {
            Reply::Done => {
                failpoint::passed("custody: key taken to media");
                Ok(())
            }
            _ => Err(unexpected().into()),
        }
    }

    /// Returns the record of the shares that open a key; `None` where there is none.
    ///
    /// # Errors
    /// When the signer cannot be asked.
    pub(crate) fn shares(&self, key: &str) -> Result<Option<Vec<u8>>, KeyError> {
        let answer = self.0.link()?.ask(Request::Shares { key: key.to_owned() })?;
        let record = answer.only_part().map_err(|_| unexpected())?;
        Ok(Some(record).filter(|record| !record.is_empty()))
    }

    /// Returns a copy of the encrypted file of a key, as for a backup. Nothing is unlocked for that.
    ///
    /// # Errors
    /// When there is no such key in a file, or the signer cannot be asked.
    pub(crate) fn copy(&self, key: &str) -> Result<Vec<u8>, KeyError> {
        // which says whether there is one
        self.shares(key)?;
        self.0.content(&format!("{key}.age"), 0)
    }

    /// Puts a key back that was lent, protected anew.
    ///
    /// # Errors
    /// When the signer does not take it, or its answer does not come: it has either file then.
    pub(crate) fn put(&self, key: &str, back: &PutBack<'_>) -> Result<(), KeyError> {
        let request = Request::PutSealed {
            key: key.to_owned(),
            before: back.before.clone(),
            handed: WireHanded::File,
            how: back.how.to_owned(),
        };
        match self.hand(request, vec![back.sealed.to_vec(), back.record.to_vec()], back.secret)? {
            Reply::Done => Ok(()),
            _ => Err(unexpected().into()),
        }
    }

    fn hand(&self, message: Request, parts: Vec<Vec<u8>>, secret: &Secret) -> Result<Reply, KeyError> {
        let descriptors = vec![piped(secret)?];
        Ok(self.0.link()?.ask(Frame { message, parts, descriptors })?.message)
    }
}

/// Returns the reading end of a pipe that has a secret.
fn piped(secret: &Secret) -> Result<OwnedFd, KeyError> {
    if secret.len() > LONGEST {
        let reason = "what opens the key has more than 4096 octets, which the signer does not take";
        return Err(KeyError::SecretUnavailable(reason.into()));
    }
    let failed = |error: io::Error| KeyError::SecretUnavailable(format!("a pipe: {error}"));
    let (reading, mut writing) = io::pipe().map_err(failed)?;
    writing.write_all(secret.as_bytes()).map_err(failed)?;
    Ok(reading.into())
}
