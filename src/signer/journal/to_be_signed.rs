//! What a CA's key signs, and its entries in the journal.
use super::entry::Act;
use crate::signer::record::{ListChanges, Signed};
use crate::x509::{TbsCertList, TbsCertificate};

/// A structure that a CA's key signs.
pub(crate) trait ToBeSigned {
    /// Returns the octets to be signed.
    fn octets(&self) -> &[u8];

    /// Returns the entry of it in the journal.
    fn entry(&self, key: [u8; 32]) -> Signed;

    /// Returns an act by which it is signed, for the journal, if there is one.
    fn act(&self, key: [u8; 32]) -> Option<Act> {
        let _ = key;
        None
    }

    /// Returns it as a CRL, if it is one.
    fn as_crl(&self) -> Option<&TbsCertList> {
        None
    }

    /// Returns what a complete CRL says otherwise than the one before it, where they were compared.
    fn changes(&self) -> Option<&ListChanges> {
        None
    }
}

impl<T: ToBeSigned + ?Sized> ToBeSigned for Box<T> {
    fn octets(&self) -> &[u8] {
        self.as_ref().octets()
    }

    fn entry(&self, key: [u8; 32]) -> Signed {
        self.as_ref().entry(key)
    }

    fn act(&self, key: [u8; 32]) -> Option<Act> {
        self.as_ref().act(key)
    }

    fn as_crl(&self) -> Option<&TbsCertList> {
        self.as_ref().as_crl()
    }

    fn changes(&self) -> Option<&ListChanges> {
        self.as_ref().changes()
    }
}

impl ToBeSigned for TbsCertificate {
    fn octets(&self) -> &[u8] {
        self.as_der()
    }

    fn entry(&self, key: [u8; 32]) -> Signed {
        Signed::certificate(key, self)
    }
}

impl ToBeSigned for TbsCertList {
    fn octets(&self) -> &[u8] {
        self.as_der()
    }

    fn entry(&self, key: [u8; 32]) -> Signed {
        Signed::crl(key, self)
    }

    fn as_crl(&self) -> Option<&TbsCertList> {
        Some(self)
    }
}
