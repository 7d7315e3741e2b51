//! What the signer remembers, for the programs that have no key.
use super::keys::{RemoteKeys, unexpected};
use crate::signer::protocol::{Failure, Frame, MOST_SERIALS, Reply, Request, put_serial, serials};
use crate::signing::{KeyError, KeyRef, RememberSignatures, ToBeShown};
use crate::x509::extension::CrlNumber;
use crate::x509::{Certificate, SerialNumber};

/// Certificates that are shown with one request.
const SHOWN: usize = 2000;

fn packed(serials: &[SerialNumber]) -> Vec<u8> {
    let mut part = Vec::new();
    serials.iter().for_each(|serial| put_serial(&mut part, serial));
    part
}

impl RemoteKeys {
    fn told(&self, key: &KeyRef, request: Request, parts: Vec<Vec<u8>>) -> Result<(), KeyError> {
        match self.link(key)?.ask(Frame::with(request, parts))?.message {
            Reply::Done => Ok(()),
            _ => Err(unexpected().into()),
        }
    }
}

impl RememberSignatures for RemoteKeys {
    fn to_be_shown(
        &self,
        key: &KeyRef,
        last: CrlNumber,
        left_out: &[SerialNumber],
    ) -> Result<ToBeShown, KeyError> {
        let mut shown = ToBeShown::default();
        // once, where nothing is left out
        let groups: Vec<&[SerialNumber]> =
            if left_out.is_empty() { vec![&[]] } else { left_out.chunks(MOST_SERIALS).collect() };
        for group in groups {
            let request = Request::Unknown { key: self.wire(key)?, last };
            let answer = self.link(key)?.ask(Frame::with(request, vec![packed(group)]))?;
            let Reply::Unknown { crl } = answer.message else { return Err(unexpected().into()) };
            shown.crl |= crl;
            let part = answer.parts.first().map(Vec::as_slice).unwrap_or_default();
            shown.certificates.extend(serials(part).map_err(|failure: Failure| KeyError::from(failure))?);
        }
        Ok(shown)
    }

    fn show_certificates(
        &self,
        key: &KeyRef,
        issuer: &Certificate,
        certificates: &[Certificate],
    ) -> Result<(), KeyError> {
        for group in certificates.chunks(SHOWN) {
            let parts = std::iter::once(issuer).chain(group).map(|one| one.as_der().to_vec()).collect();
            self.told(key, Request::Show { key: self.wire(key)?, crl: false }, parts)?;
        }
        Ok(())
    }

    fn show_crl(&self, key: &KeyRef, issuer: &Certificate, crl: &[u8]) -> Result<(), KeyError> {
        let parts = vec![issuer.as_der().to_vec(), crl.to_vec()];
        self.told(key, Request::Show { key: self.wire(key)?, crl: true }, parts)
    }

    fn abandon(&self, key: &KeyRef, serials: &[SerialNumber]) -> Result<(), KeyError> {
        for group in serials.chunks(MOST_SERIALS) {
            self.told(key, Request::Abandon { key: self.wire(key)? }, vec![packed(group)])?;
        }
        Ok(())
    }

    fn used_serials(&self, key: &KeyRef) -> Result<Vec<SerialNumber>, KeyError> {
        let mut all: Vec<SerialNumber> = Vec::new();
        loop {
            let after = packed(all.last().map(std::slice::from_ref).unwrap_or_default());
            let request = Request::Used { key: self.wire(key)? };
            let answer = self.link(key)?.ask(Frame::with(request, vec![after]))?;
            let part = answer.parts.into_iter().next().ok_or_else(|| KeyError::from(unexpected()))?;
            let found = serials(&part).map_err(|failure: Failure| KeyError::from(failure))?;
            if found.is_empty() {
                return Ok(all);
            }
            all.extend(found);
        }
    }

    fn note_return(&self, key: &KeyRef) -> Result<(), KeyError> {
        self.told(key, Request::Returned { key: self.wire(key)? }, Vec::new())
    }

    fn accept_gap(&self) -> Result<(), KeyError> {
        // that of the signer that listens is for an administrator
        match self.child().ask(Request::Accept)?.message {
            Reply::Done => Ok(()),
            _ => Err(unexpected().into()),
        }
    }
}
