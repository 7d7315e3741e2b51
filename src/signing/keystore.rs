//! The choice of a store for a new key.
use super::{CaKeys, InvalidTokenUri, KeyRef, TokenUri};
use crate::error::{Code, Problem};
use crate::index::KeyLocation;
use std::str::FromStr;

/// Where a new key of a CA is made: the value of `--keystore`.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub enum Keystore {
    /// `file`, or `age`: in an encrypted file.
    #[default]
    File,
    /// `pkcs11:...`: in a token, which it never leaves.
    Token(Box<TokenUri>),
}

impl FromStr for Keystore {
    type Err = Problem;

    fn from_str(text: &str) -> Result<Self, Problem> {
        if text == "file" || text == "age" {
            return Ok(Self::File);
        }
        let uri: TokenUri = text.parse().map_err(|error| match error {
            InvalidTokenUri::Scheme => Problem::new(Code::UsageToken, format!("`{text}` is no key store"))
                .hint("it is file, or a token such as pkcs11:token=Office"),
            error => error.into(),
        })?;
        Ok(Self::Token(Box::new(uri)))
    }
}

impl Keystore {
    /// Returns the reference that a new key of the CA with this name gets.
    #[must_use]
    pub(crate) fn new_key(&self, keys: &dyn CaKeys, authority: &str) -> KeyRef {
        match self {
            Self::File => keys.new_key(authority),
            Self::Token(uri) => keys.new_key_in(uri, authority),
        }
    }

    /// Returns the store of a key on record, for the key that succeeds it.
    #[must_use]
    pub(crate) fn of(uri: &str) -> Self {
        let uri = KeyLocation::of(uri).token().and_then(|uri| uri.parse().ok());
        uri.map_or(Self::File, |uri: TokenUri| Self::Token(Box::new(uri.without_object())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Exit;
    use crate::signing::{AgeFileStore, Nobody};
    use std::sync::Arc;

    #[test]
    fn a_new_key_is_named_where_it_is_to_be_made() {
        let files = AgeFileStore::usual("keys", Arc::new(Nobody));
        let file = Keystore::File.new_key(&files, "root");
        let store: Keystore = "pkcs11:token=Office?pin-source=/etc/pin".parse().unwrap();
        let token = store.new_key(&files, "root");
        assert_eq!(
            (file.uri.as_str(), token.uri.as_str()),
            ("age:root.age", "pkcs11:token=Office;object=root")
        );
        assert_eq!(("file".parse(), "age".parse()), (Ok(Keystore::File), Ok(Keystore::File)));
        let next = Keystore::of(&token.uri).new_key(&files, "root-g2");
        assert_eq!(next.uri, "pkcs11:token=Office;object=root-g2");
        assert_eq!(Keystore::of(&file.uri), Keystore::File);
        assert_eq!(Keystore::of("signer:root.age"), Keystore::File);
        assert_eq!(Keystore::of(&format!("signer:{}", token.uri)), Keystore::of(&token.uri));
        // a retired CA has another name, and a key in a token keeps its label
        let files: &dyn CaKeys = &files;
        assert_eq!(files.renamed(&file, "root-retired").uri, "age:root-retired.age");
        assert_eq!(files.renamed(&token, "root-retired"), token);
    }

    #[test]
    fn what_is_no_store_is_refused_and_a_pin_is_not_repeated() {
        for text in ["", "hsm", "pkcs11:tokne=a", "pkcs11:token=a?pin-value=648219"] {
            let problem = text.parse::<Keystore>().unwrap_err();
            assert_eq!((problem.exit, problem.code), (Exit::Usage, Code::UsageToken), "{text}");
            assert!(!format!("{problem:?}").contains("648219"));
        }
    }
}
