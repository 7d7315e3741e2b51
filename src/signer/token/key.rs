//! A key that the process of a module has open.
use super::line::{Line, unexpected};
use super::{TokenReply, TokenRequest};
use crate::signing::{ForKey, KeyError, VaultKey};
use crate::x509::SubjectPublicKeyInfo;
use std::sync::Arc;

/// Has the process open or make a key, and returns it.
pub(super) fn key_on(line: &Arc<Line>, request: TokenRequest) -> Result<Arc<dyn VaultKey>, KeyError> {
    let (of, answer) = line.ask(None, request)?;
    let TokenReply::Key { number } = answer.message else { return Err(unexpected()) };
    let octets = answer.only_part().map_err(|_| unexpected())?;
    let public_key = SubjectPublicKeyInfo::from_der(&octets).map_err(|_| unexpected())?;
    Ok(Arc::new(RemoteTokenKey { of, number, public_key, line: Arc::clone(line) }))
}

/// A key in a token.
struct RemoteTokenKey {
    /// The process that has it open.
    of: u64,
    number: u32,
    public_key: SubjectPublicKeyInfo,
    line: Arc<Line>,
}

impl Drop for RemoteTokenKey {
    fn drop(&mut self) {
        Line::close(&self.line, self.of, self.number);
    }
}

impl VaultKey for RemoteTokenKey {
    fn public_key(&self) -> &SubjectPublicKeyInfo {
        &self.public_key
    }

    fn sign(&self, message: ForKey<'_>) -> Result<Vec<u8>, KeyError> {
        self.line.sign(self.of, self.number, message.octets())
    }
}
