//! Entries of the journal and their octets. Each entry has exactly one encoding.
//!
//! An entry begins with an octet that says its kind. Numbers are big-endian with a fixed width. Octets and text are a
//! 16-bit length and the octets. An optional field is an octet 0, or an octet 1 and the value.
use crate::signer::record::{Shown, Signed, SignedKind, SignedList};
use crate::x509::{SerialNumber, UnixTime};

/// Something that the signer did beside signing.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum ActKind {
    /// The journal was begun.
    Begun,
    /// A key was generated.
    KeyGenerated,
    /// A key that another program made was taken in.
    KeyImported,
    /// A key came here from another place, where it may have signed.
    KeyMoved,
    /// A key got another name here.
    KeyRenamed,
    /// A key was encrypted anew.
    KeyProtected,
    /// A key without a certificate was deleted.
    KeyDiscarded,
    /// The key left the signer, encrypted.
    KeyExported,
    /// The envelope of a key was set or widened.
    Envelope,
    /// A key was unlocked.
    Unlocked,
    /// A key was locked.
    Locked,
    /// A passphrase did not open a key.
    WrongPassphrase,
    /// The signer was restored from a backup: what it signed after the backup is not here.
    Gap,
    /// An administrator accepted what a restore could not know.
    Accepted,
    /// A group that a power cut left half written was dropped.
    Mended,
    /// A responder named the key that comes after its own.
    Enrolled,
    /// A CRL was about to be signed for a timer.
    TimerCrl,
}

impl ActKind {
    const ALL: [(Self, u8, &'static str); 17] = [
        (Self::Begun, 1, "begun"),
        (Self::KeyGenerated, 2, "key-generated"),
        (Self::KeyImported, 3, "key-imported"),
        (Self::KeyMoved, 4, "key-moved"),
        (Self::KeyProtected, 5, "key-protected"),
        (Self::KeyDiscarded, 6, "key-discarded"),
        (Self::KeyExported, 7, "key-exported"),
        (Self::Envelope, 8, "envelope"),
        (Self::Unlocked, 9, "unlocked"),
        (Self::Locked, 10, "locked"),
        (Self::Gap, 11, "gap"),
        (Self::Accepted, 12, "accepted"),
        (Self::Mended, 13, "mended"),
        (Self::WrongPassphrase, 14, "wrong-passphrase"),
        (Self::Enrolled, 15, "enrolled"),
        (Self::KeyRenamed, 16, "key-renamed"),
        (Self::TimerCrl, 17, "timer-crl"),
    ];

    fn row(self) -> (u8, &'static str) {
        Self::ALL.iter().find(|row| row.0 == self).map_or((0, ""), |row| (row.1, row.2))
    }

    /// Returns the name by which tests know it.
    #[cfg(test)]
    pub(crate) fn name(self) -> &'static str {
        self.row().1
    }
}

/// An act with what it was done to.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Act {
    /// What was done.
    pub(crate) kind: ActKind,
    /// SHA-256 of the SubjectPublicKeyInfo of the key, where the act is one key's.
    pub(crate) key: Option<[u8; 32]>,
    /// Details for people, on one line.
    pub(crate) details: String,
}

/// One entry.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Entry {
    /// This is about to be signed. It has a sequence number of its own.
    Intended(Signed),
    /// The intents with these sequence numbers were signed.
    Signed {
        /// The first.
        first: u64,
        /// The last.
        last: u64,
    },
    /// The client gave up the certificate of this key with this serial number.
    Abandoned {
        /// SHA-256 of the SubjectPublicKeyInfo of the key.
        key: [u8; 32],
        /// serialNumber.
        serial: SerialNumber,
    },
    /// A certificate or CRL with a valid signature of this key was shown to the signer, which had not known it.
    Shown(Shown),
    /// An act.
    Act(Act),
}

/// Reason why octets are not an entry, or not a group of them.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub(crate) enum Malformed {
    /// The octets end too early.
    #[error("it ends early")]
    Short,
    /// Octets follow.
    #[error("octets are left over")]
    Trailing,
    /// The first octets are no group's.
    #[error("it does not begin as a group does")]
    Beginning,
    /// The length is beyond every group's.
    #[error("its length is beyond every group's")]
    Length,
    /// The digest is not the one of the octets.
    #[error("its digest is another one")]
    Digest,
    /// A kind, or a mark of presence, is not known.
    #[error("an octet of it says nothing that is known")]
    Unknown,
    /// A serial number or a text is none.
    #[error("a value in it is none")]
    Value,
}

impl Entry {
    /// Returns the number of its octets.
    pub(super) fn length(&self) -> usize {
        let mut octets = Vec::new();
        self.put(&mut octets);
        octets.len()
    }

    /// Appends the octets of the entry.
    pub(super) fn put(&self, out: &mut Vec<u8>) {
        match self {
            Self::Intended(signed) => {
                out.push(1);
                put_signed(out, signed);
            }
            Self::Signed { first, last } => {
                out.push(2);
                out.extend(first.to_be_bytes());
                out.extend(last.to_be_bytes());
            }
            Self::Abandoned { key, serial } => {
                out.push(3);
                out.extend(key);
                put_octets(out, serial.as_be_octets());
            }
            Self::Shown(Shown::Certificate { key, serial, until }) => {
                out.push(4);
                out.extend(key);
                put_octets(out, serial.as_be_octets());
                out.extend(until.0.to_be_bytes());
            }
            Self::Shown(Shown::Crl { key, list, number, digest }) => {
                out.push(5);
                out.extend(key);
                out.extend(digest);
                out.extend(number.to_be_bytes());
                put_list(out, list);
            }
            Self::Act(act) => {
                out.push(6);
                out.push(act.kind.row().0);
                put_optional(out, act.key.as_ref().map(<[u8; 32]>::as_slice));
                put_octets(out, one_line(&act.details).as_bytes());
            }
        }
    }

    /// Reads one entry from the beginning of the octets.
    pub(super) fn take(rest: &mut Rest<'_>) -> Result<Self, Malformed> {
        Ok(match rest.octet()? {
            1 => Self::Intended(rest.signed()?),
            2 => Self::Signed { first: rest.number()?, last: rest.number()? },
            3 => Self::Abandoned { key: rest.array()?, serial: rest.serial()? },
            4 => {
                let (key, serial) = (rest.array()?, rest.serial()?);
                Self::Shown(Shown::Certificate { key, serial, until: rest.time()? })
            }
            5 => {
                let (key, digest, number) = (rest.array()?, rest.array()?, rest.number()?);
                Self::Shown(Shown::Crl { key, list: rest.list()?, number, digest })
            }
            6 => {
                let code = rest.octet()?;
                let kind = ActKind::ALL.iter().find(|row| row.1 == code).ok_or(Malformed::Unknown)?.0;
                let key = if rest.is_there()? { Some(rest.array()?) } else { None };
                let details = std::str::from_utf8(rest.octets()?).map_err(|_| Malformed::Value)?;
                if one_line(details) != details {
                    return Err(Malformed::Value);
                }
                Self::Act(Act { kind, key, details: details.to_owned() })
            }
            _ => return Err(Malformed::Unknown),
        })
    }
}

/// Returns the text with a space in place of every control character, cut to what an entry holds.
fn one_line(text: &str) -> String {
    const MOST: usize = 4096;
    let mut line = String::new();
    for c in text.chars().map(|c| if c.is_control() { ' ' } else { c }) {
        if line.len() + c.len_utf8() > MOST {
            break;
        }
        line.push(c);
    }
    line
}

fn put_octets(out: &mut Vec<u8>, octets: &[u8]) {
    // nothing that is put is longer: texts are cut, and admission bounds extensions
    let length = u16::try_from(octets.len()).unwrap_or(u16::MAX);
    out.extend(length.to_be_bytes());
    out.extend(octets.iter().take(length.into()));
}

fn put_optional(out: &mut Vec<u8>, octets: Option<&[u8]>) {
    out.push(octets.is_some().into());
    out.extend(octets.unwrap_or_default());
}

fn put_number(out: &mut Vec<u8>, number: Option<[u8; 8]>) {
    put_optional(out, number.as_ref().map(<[u8; 8]>::as_slice));
}

fn put_list(out: &mut Vec<u8>, list: &SignedList) {
    out.extend(list.this_update.0.to_be_bytes());
    put_number(out, list.base.map(u64::to_be_bytes));
    put_octets(out, &list.scope);
}

fn put_signed(out: &mut Vec<u8>, signed: &Signed) {
    out.push(match signed.kind {
        SignedKind::Certificate => 1,
        SignedKind::Crl => 2,
        SignedKind::Request => 3,
    });
    out.extend(signed.key);
    out.extend(signed.digest);
    out.push(signed.serial.is_some().into());
    if let Some(serial) = &signed.serial {
        put_octets(out, serial.as_be_octets());
    }
    put_number(out, signed.until.map(|until| until.0.to_be_bytes()));
    put_number(out, signed.crl_number.map(u64::to_be_bytes));
    out.push(signed.list.is_some().into());
    if let Some(list) = &signed.list {
        put_list(out, list);
    }
}

/// Octets that have not been read yet.
pub(super) struct Rest<'a>(pub(super) &'a [u8]);

impl<'a> Rest<'a> {
    fn take(&mut self, length: usize) -> Result<&'a [u8], Malformed> {
        let (taken, rest) = self.0.split_at_checked(length).ok_or(Malformed::Short)?;
        self.0 = rest;
        Ok(taken)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        self.take(N)?.try_into().map_err(|_| Malformed::Short)
    }

    fn octet(&mut self) -> Result<u8, Malformed> {
        let [octet] = self.array()?;
        Ok(octet)
    }

    fn is_there(&mut self) -> Result<bool, Malformed> {
        match self.octet()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(Malformed::Unknown),
        }
    }

    pub(super) fn number(&mut self) -> Result<u64, Malformed> {
        Ok(u64::from_be_bytes(self.array()?))
    }

    pub(super) fn time(&mut self) -> Result<UnixTime, Malformed> {
        Ok(UnixTime(i64::from_be_bytes(self.array()?)))
    }

    fn octets(&mut self) -> Result<&'a [u8], Malformed> {
        let length = u16::from_be_bytes(self.array()?);
        self.take(length.into())
    }

    fn serial(&mut self) -> Result<SerialNumber, Malformed> {
        let octets = self.octets()?;
        let serial = SerialNumber::from_be_octets(octets).map_err(|_| Malformed::Value)?;
        if serial.as_be_octets() == octets { Ok(serial) } else { Err(Malformed::Value) }
    }

    fn optional<T>(&mut self, read: fn(&mut Self) -> Result<T, Malformed>) -> Result<Option<T>, Malformed> {
        if self.is_there()? { read(self).map(Some) } else { Ok(None) }
    }

    fn list(&mut self) -> Result<SignedList, Malformed> {
        let (this_update, base) = (self.time()?, self.optional(Self::number)?);
        Ok(SignedList { scope: self.octets()?.to_vec(), this_update, base })
    }

    fn signed(&mut self) -> Result<Signed, Malformed> {
        let kind = match self.octet()? {
            1 => SignedKind::Certificate,
            2 => SignedKind::Crl,
            3 => SignedKind::Request,
            _ => return Err(Malformed::Unknown),
        };
        Ok(Signed {
            kind,
            key: self.array()?,
            digest: self.array()?,
            serial: self.optional(Self::serial)?,
            until: self.optional(Self::time)?,
            crl_number: self.optional(Self::number)?,
            list: self.optional(Self::list)?,
        })
    }
}
