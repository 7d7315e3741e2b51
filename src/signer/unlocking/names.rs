//! How keys and logins are known.
use super::unlocked::Login;
use crate::signer::Peer;
use crate::signing::{KeyRef, TokenUri};

/// Returns who a client is; `None` for one that nobody has logged in for.
pub(crate) fn login_of(peer: &Peer) -> Option<Login> {
    peer.login.map(|loginuid| Login { loginuid, session: peer.session })
}

/// Returns the name by which people know a key: that of its CA where it is a file, its label where it is in a token,
/// otherwise the URI.
pub(crate) fn known_as(key: &KeyRef) -> String {
    let in_token: Option<TokenUri> = key.uri.parse().ok();
    if let Some(label) = in_token.as_ref().and_then(TokenUri::object) {
        return label.to_owned();
    }
    let file = key.location().file().and_then(|name| name.strip_suffix(".age"));
    file.unwrap_or(&key.uri).to_owned()
}
