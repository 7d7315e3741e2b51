//! The seal at the end of a file of answers: its number, its time, and the digest of all that is before, signed; pure.
//!
//! ```text
//! seal   number         8 octets    higher than that of every file before
//!        time           8 octets    when the file was made, seconds since 1970
//!        responder      2 octets    number of the responder whose key signed
//!        blocks         4 octets    number of blocks
//!        authorities    4 octets    number of CAs
//!        description    32 octets   SHA-256 of the description
//!        table          32 octets   SHA-256 of the table, which has the digests of the blocks
//!        signature                  octets
//!        length         4 octets    of the signature
//!        magic          8 octets    "GFANSWRE"
//! ```
//!
//! The digest that is signed is of everything before the signature.
use super::{Malformed, take, take_array};
use crate::x509::{UnixTime, sha256};

const MAGIC: [u8; 8] = *b"GFANSWRE";
/// Octets before the signature.
pub(super) const HEAD: usize = 90;
/// Octets after the signature.
pub(super) const TAIL: usize = 12;
/// The longest signature that is read: ML-DSA-87 has 4,627 octets.
const LONGEST: u32 = 16 << 10;

/// What the seal says.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Seal {
    pub(super) number: u64,
    pub(super) time: UnixTime,
    pub(super) responder: u16,
    pub(super) blocks: u32,
    pub(super) authorities: u32,
    pub(super) description: [u8; 32],
    pub(super) table: [u8; 32],
}

impl Seal {
    fn head(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(HEAD);
        out.extend(self.number.to_be_bytes());
        out.extend(self.time.0.to_be_bytes());
        out.extend(self.responder.to_be_bytes());
        out.extend(self.blocks.to_be_bytes());
        out.extend(self.authorities.to_be_bytes());
        out.extend(self.description);
        out.extend(self.table);
        out
    }

    /// The digest that is signed.
    pub(super) fn digest(&self) -> [u8; 32] {
        sha256(&self.head())
    }

    /// Returns the seal with its signature.
    pub(super) fn encode(&self, signature: &[u8]) -> Vec<u8> {
        let length = u32::try_from(signature.len()).unwrap_or(u32::MAX);
        [&self.head(), signature, &length.to_be_bytes(), &MAGIC].concat()
    }

    /// Returns the octets of the seal by the last octets of the file.
    pub(super) fn length(tail: &[u8; TAIL]) -> Result<usize, Malformed> {
        let mut tail = &tail[..];
        let signature = u32::from_be_bytes(take_array(&mut tail)?);
        if take_array(&mut tail)? != MAGIC || signature > LONGEST {
            return Err(Malformed);
        }
        let signature = usize::try_from(signature).map_err(|_| Malformed)?;
        HEAD.checked_add(signature).and_then(|sum| sum.checked_add(TAIL)).ok_or(Malformed)
    }

    /// Reads a whole seal. Returns the signature with it, which is not verified.
    pub(super) fn parse(mut octets: &[u8]) -> Result<(Self, &[u8]), Malformed> {
        let octets = &mut octets;
        let seal = Self {
            number: u64::from_be_bytes(take_array(octets)?),
            time: UnixTime(i64::from_be_bytes(take_array(octets)?)),
            responder: u16::from_be_bytes(take_array(octets)?),
            blocks: u32::from_be_bytes(take_array(octets)?),
            authorities: u32::from_be_bytes(take_array(octets)?),
            description: take_array(octets)?,
            table: take_array(octets)?,
        };
        let signature = octets.len().checked_sub(TAIL).ok_or(Malformed)?;
        Ok((seal, take(octets, signature)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seal_is_read_as_it_was_written_and_its_digest_changes_with_every_part() {
        let seal = Seal {
            number: 7,
            time: UnixTime(1000),
            responder: 1,
            blocks: 3,
            authorities: 2,
            description: [1; 32],
            table: [2; 32],
        };
        let octets = seal.encode(b"signature");
        let tail = octets.last_chunk().unwrap();
        assert_eq!(Seal::length(tail), Ok(octets.len()));
        assert_eq!(Seal::parse(&octets), Ok((seal, &b"signature"[..])));
        assert_eq!(Seal::length(&[0; TAIL]), Err(Malformed));
        assert_eq!(Seal::parse(&octets[..HEAD]), Err(Malformed));
        let others = [
            Seal { number: 8, ..seal },
            Seal { time: UnixTime(1001), ..seal },
            Seal { responder: 0, ..seal },
            Seal { blocks: 4, ..seal },
            Seal { authorities: 1, ..seal },
            Seal { description: [0; 32], ..seal },
            Seal { table: [0; 32], ..seal },
        ];
        assert!(others.iter().all(|other| other.digest() != seal.digest()));
    }
}
