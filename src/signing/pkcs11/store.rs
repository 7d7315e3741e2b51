//! The store of CA keys in tokens.
use super::key::{Again, TokenKey};
use super::modules;
use super::public_half;
use super::scheme::Scheme;
use super::token::Token;
use super::uri::{SCHEME, TokenUri};
use crate::signing::age::mark;
use crate::signing::ca_signer::LocalSigner;
use crate::signing::{
    BroughtKey, CaKeys, CaSigner, DiscardKeys, ImportKeys, InspectKeys, KeyError, KeyPlace, KeyRef, KeyVault,
    Mark, MarkError, ProtectKeys, Secret, SecretPurpose, SecretSource, VaultKey, random_octets,
};
use crate::x509::extension::CrlNumber;
use crate::x509::{KeyAlgorithm, SubjectPublicKeyInfo};
use cryptoki::object::{Attribute, AttributeType, ObjectClass, ObjectHandle};
use cryptoki::session::Session;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A store of CA keys in the tokens of these modules. The marks of the keys are files.
#[derive(Clone)]
pub struct TokenStore {
    modules: Vec<PathBuf>,
    directory: PathBuf,
    secrets: Arc<dyn SecretSource>,
    /// Whether the PIN is asked for each key, also where the token is open for another one.
    each: bool,
}

impl TokenStore {
    /// Returns a store over the tokens of these modules, which keeps marks in this directory and takes PINs from
    /// `secrets`.
    #[must_use]
    pub fn new(modules: Vec<PathBuf>, directory: impl Into<PathBuf>, secrets: Arc<dyn SecretSource>) -> Self {
        Self { modules, directory: directory.into(), secrets, each: false }
    }

    /// Returns the same store with another source of PINs.
    #[must_use]
    pub fn asking(self, secrets: Arc<dyn SecretSource>) -> Self {
        Self { secrets, ..self }
    }

    /// Returns the same store, which asks for the PIN with each key that it opens or makes: what one person has unlocked
    /// unlocks nothing for another.
    #[must_use]
    pub(crate) fn asking_for_each_key(self) -> Self {
        Self { each: true, ..self }
    }

    /// Opens a key for a purpose that its caller knows.
    pub(in crate::signing) fn open(&self, key: &KeyRef) -> Result<TokenKey, KeyError> {
        let (uri, place) = read(key)?;
        let token = modules::token(&self.modules, &uri, &place)?;
        let session = token.session(false)?;
        let pin = token.log_in(&session, self.each, || self.pin(&uri, &place))?;
        let mut others = 0_usize;
        let mut untold = 0_usize;
        let mut found = Vec::new();
        for private in token.objects(&session, &uri, ObjectClass::PRIVATE_KEY)? {
            let id = token.id(&session, private)?;
            let public = public_half::beside(&session, private, &id);
            match public.map_err(token.failed("reading the public key"))? {
                None => untold = untold.saturating_add(1),
                Some(public) if key.identity.is_none_or(|identity| identity == public.digest()) => {
                    found.push((private, id, public));
                }
                Some(_) => others = others.saturating_add(1),
            }
        }
        let several = found.len();
        match found.pop() {
            Some((private, id, public)) if several == 1 => {
                self.bind(token, uri.with_id(id), public, (session, private), pin)
            }
            Some(_) => {
                let reason = format!("{several} keys are meant; say which by id=");
                Err(KeyError::TokenFailed(place, reason))
            }
            None if others > 0 => Err(KeyError::OtherKey(place)),
            None if untold > 0 => {
                let reason = "the token tells no public key for it, and has no certificate with its CKA_ID";
                Err(KeyError::TokenFailed(place, reason.into()))
            }
            None => Err(KeyError::NotFound(place)),
        }
    }

    fn pin(&self, uri: &TokenUri, place: &KeyPlace) -> Result<Secret, KeyError> {
        let name = uri.object().map_or_else(|| place.to_string(), str::to_owned);
        self.secrets.secret(&SecretPurpose::Open(name))
    }

    fn make(&self, key: &KeyRef, algorithm: KeyAlgorithm) -> Result<TokenKey, KeyError> {
        let (uri, place) = read(key)?;
        let scheme = Scheme::of(algorithm)
            .ok_or_else(|| KeyError::TokenUnable(place.clone(), format!("{algorithm} keys")))?;
        let token = modules::token(&self.modules, &uri, &place)?;
        let session = token.session(true)?;
        let pin = token.log_in(&session, self.each, || self.pin(&uri, &place))?;
        for class in [ObjectClass::PRIVATE_KEY, ObjectClass::PUBLIC_KEY] {
            if !token.objects(&session, &uri, class)?.is_empty() {
                return Err(KeyError::Exists(place));
            }
        }
        let label = uri.object.clone().unwrap_or_default();
        let doing = format!("making a key pair ({algorithm})");
        let (public, private) = pair(&session, scheme, &label)?.map_err(token.failed(&doing))?;
        let finished = finish(&token, &session, (public, private));
        match finished {
            Ok((id, spki)) => self.bind(token, uri.with_id(id), spki, (session, private), pin),
            Err(error) => {
                for object in [private, public] {
                    let _ = session.destroy_object(object);
                }
                Err(error)
            }
        }
    }

    /// Returns an open key. One that wants its PIN before each signature gets it while it is open.
    fn bind(
        &self,
        token: Token,
        uri: TokenUri,
        public_key: SubjectPublicKeyInfo,
        private: (Session, ObjectHandle),
        pin: Option<Secret>,
    ) -> Result<TokenKey, KeyError> {
        let algorithm = public_key.algorithm();
        let place = token.place();
        let unable = || KeyError::TokenUnable(place.clone(), format!("{algorithm} keys"));
        let scheme = Scheme::of(algorithm).ok_or_else(unable)?;
        let asks = private.0.get_attributes(private.1, &[AttributeType::AlwaysAuthenticate]);
        let asks_again =
            asks.unwrap_or_default().iter().any(|one| matches!(one, Attribute::AlwaysAuthenticate(true)));
        let again = match (asks_again, token.asks_itself(), pin) {
            (false, ..) => None,
            (true, true, _) => Some(Again::AtTheReader),
            (true, false, Some(pin)) => Some(Again::With(pin)),
            (true, false, None) => Some(Again::With(self.pin(&uri, place)?)),
        };
        Ok(TokenKey::new(token, uri, public_key, scheme, private, again))
    }

    fn mark_beside(&self, key: &KeyRef) -> Result<PathBuf, KeyError> {
        beside(&self.directory, key).ok_or_else(|| {
            KeyError::TokenFailed(KeyPlace::Uri(key.uri.clone()), "a key is made before its mark".into())
        })
    }
}

/// Returns the path beside which the mark of a key in a token is.
fn beside(directory: &Path, key: &KeyRef) -> Option<PathBuf> {
    let identity = key.identity?;
    let name = base16ct::lower::encode_string(identity.get(..16).unwrap_or(&identity));
    // labels of tokens change and repeat, the key does not
    Some(directory.join(format!("{SCHEME}-{name}.key")))
}

/// Returns the paths of the files of a key that is in a token, in a directory of keys: its mark. It is not looked at.
pub(crate) fn files_in(directory: &Path, key: &KeyRef) -> Vec<PathBuf> {
    let beside = beside(directory, key).filter(|_| key.is_in_token());
    beside.iter().flat_map(|path| mark::places(path)).take(1).collect()
}

/// Returns the URI of a key, and its place in messages.
fn read(key: &KeyRef) -> Result<(TokenUri, KeyPlace), KeyError> {
    let place = KeyPlace::Uri(key.uri.clone());
    match key.uri.parse() {
        Ok(uri) => Ok((uri, place)),
        Err(error) => {
            let error: super::InvalidTokenUri = error;
            Err(KeyError::TokenFailed(place, error.to_string()))
        }
    }
}

type Pair = (ObjectHandle, ObjectHandle);

/// Makes a pair in the token: public key, private key. The private one signs, and can neither be read nor wrapped.
fn pair(
    session: &Session,
    scheme: Scheme,
    label: &str,
) -> Result<Result<Pair, cryptoki::error::Error>, KeyError> {
    let (mechanism, kind, attributes) = scheme.generation();
    // until the public key is known
    let id = random_octets::<20>()?.to_vec();
    let both = |class| {
        vec![
            Attribute::Class(class),
            Attribute::KeyType(kind),
            Attribute::Token(true),
            Attribute::Label(label.as_bytes().to_vec()),
            Attribute::Id(id.clone()),
        ]
    };
    let mut public = both(ObjectClass::PUBLIC_KEY);
    public.extend(attributes);
    public.extend([Attribute::Private(false), Attribute::Verify(true), Attribute::Encrypt(false)]);
    let mut private = both(ObjectClass::PRIVATE_KEY);
    private.extend([
        Attribute::Private(true),
        Attribute::Sensitive(true),
        Attribute::Extractable(false),
        Attribute::Sign(true),
        Attribute::Decrypt(false),
        Attribute::Unwrap(false),
        Attribute::Derive(false),
    ]);
    Ok(session.generate_key_pair(&mechanism, &public, &private))
}

/// Checks what was made, and gives both halves the identifier that certificates name the key by.
fn finish(
    token: &Token,
    session: &Session,
    (public, private): Pair,
) -> Result<(Vec<u8>, SubjectPublicKeyInfo), KeyError> {
    let told = public_half::of(session, public).map_err(token.failed("reading the new public key"))?;
    let spki = told.ok_or_else(|| token.wrong("it tells no public key for the pair that it made"))?;
    let wanted = [AttributeType::Sensitive, AttributeType::Extractable, AttributeType::Local];
    let found = session.get_attributes(private, &wanted).map_err(token.failed("looking at the new key"))?;
    let is_held = |one: &Attribute| {
        matches!(one, Attribute::Sensitive(true) | Attribute::Extractable(false) | Attribute::Local(true))
    };
    if found.len() != wanted.len() || !found.iter().all(is_held) {
        return Err(token.wrong("it made a key that can be taken out of it"));
    }
    let id = spki.key_identifier();
    let named = [Attribute::Id(id.clone())];
    let is_named = [private, public].iter().all(|half| session.update_attributes(*half, &named).is_ok());
    // some tokens change no identifiers: then the key keeps the one that it was made with
    if is_named { Ok((id, spki)) } else { Ok((token.id(session, private)?, spki)) }
}

impl CaKeys for TokenStore {
    fn new_key(&self, authority: &str) -> KeyRef {
        KeyRef { identity: None, uri: TokenUri::default().for_key(authority).to_string() }
    }

    fn place(&self, key: &KeyRef) -> KeyPlace {
        KeyPlace::Uri(key.uri.clone())
    }

    fn generate(&self, key: &KeyRef, algorithm: KeyAlgorithm) -> Result<Arc<dyn CaSigner>, KeyError> {
        Ok(Arc::new(LocalSigner(self.make(key, algorithm)?)))
    }

    fn signer(&self, key: &KeyRef) -> Result<Arc<dyn CaSigner>, KeyError> {
        Ok(Arc::new(LocalSigner(self.open(key)?)))
    }

    fn mark(&self, key: &KeyRef) -> Result<Mark, MarkError> {
        mark::read(&self.mark_beside(key)?)
    }

    fn raise_mark(&self, key: &KeyRef, number: CrlNumber) -> Result<(), MarkError> {
        mark::raise(&self.mark_beside(key)?, number)
    }

    /// A key in a token keeps its label, whatever its CA is called.
    fn rename(&self, _from: &KeyRef, _to: &KeyRef) -> Result<bool, KeyError> {
        Ok(false)
    }

    fn importing(&self) -> Option<&dyn ImportKeys> {
        None
    }

    fn inspecting(&self) -> Option<&dyn InspectKeys> {
        Some(self)
    }

    fn discarding(&self) -> Option<&dyn DiscardKeys> {
        Some(self)
    }

    fn protecting(&self) -> Option<&dyn ProtectKeys> {
        None
    }
}

impl KeyVault for TokenStore {
    fn keys(&self) -> &dyn CaKeys {
        self
    }

    fn open_key(&self, key: &KeyRef) -> Result<Arc<dyn VaultKey>, KeyError> {
        Ok(Arc::new(self.open(key)?))
    }

    fn make_key(&self, key: &KeyRef, algorithm: KeyAlgorithm) -> Result<Arc<dyn VaultKey>, KeyError> {
        Ok(Arc::new(self.make(key, algorithm)?))
    }

    fn check_secret(&self, key: &KeyRef) -> Result<(), KeyError> {
        let (uri, place) = read(key)?;
        let token = modules::token(&self.modules, &uri, &place)?;
        let session = token.session(false)?;
        token.log_in(&session, self.each, || self.pin(&uri, &place)).map(drop)
    }

    fn count_tokens(&self, key: &KeyRef, anew: bool) -> Result<usize, KeyError> {
        let (uri, place) = read(key)?;
        modules::count(&self.modules, &uri, &place, anew)
    }

    fn take_key(&self, key: &KeyRef, _brought: BroughtKey) -> Result<Arc<dyn VaultKey>, KeyError> {
        let place = KeyPlace::Uri(key.uri.clone());
        Err(KeyError::TokenUnable(place, "keys made elsewhere are not taken into tokens".into()))
    }
}

impl DiscardKeys for TokenStore {
    /// Destroys a pair with this label. A new key has a label that nothing else in its token has.
    fn discard(&self, key: &KeyRef) -> Result<(), KeyError> {
        let (uri, place) = read(key)?;
        let token = modules::token(&self.modules, &uri, &place)?;
        let session = token.session(true)?;
        // a key that was just made is open
        token.log_in(&session, false, || self.pin(&uri, &place))?;
        let mut found = false;
        for class in [ObjectClass::PRIVATE_KEY, ObjectClass::PUBLIC_KEY] {
            for object in token.objects(&session, &uri, class)? {
                session.destroy_object(object).map_err(token.failed("removing the key"))?;
                found = true;
            }
        }
        if found { Ok(()) } else { Err(KeyError::NotFound(place)) }
    }
}

impl InspectKeys for TokenStore {
    /// Looks for the public key or a certificate with this label, for which no PIN is needed.
    fn inspect(&self, key: &KeyRef) -> Result<(), KeyError> {
        let (uri, place) = read(key)?;
        let token = modules::token(&self.modules, &uri, &place)?;
        let session = token.session(false)?;
        let mut found = Vec::new();
        for object in token.objects(&session, &uri, ObjectClass::PUBLIC_KEY)? {
            found.extend(public_half::of(&session, object).map_err(token.failed("reading the public key"))?);
        }
        for object in token.objects(&session, &uri, ObjectClass::CERTIFICATE)? {
            let told = public_half::of_certificate(&session, object);
            found.extend(told.map_err(token.failed("reading a certificate"))?);
        }
        let is_it = |one: &SubjectPublicKeyInfo| key.identity.is_none_or(|identity| identity == one.digest());
        match found.as_slice() {
            [] => Err(KeyError::NotFound(place)),
            found if found.iter().any(is_it) => Ok(()),
            _ => Err(KeyError::OtherKey(place)),
        }
    }

    fn sealed(&self, key: &KeyRef) -> Result<Vec<u8>, KeyError> {
        let place = KeyPlace::Uri(key.uri.clone());
        Err(KeyError::TokenUnable(place, "a key does not leave its token".into()))
    }

    fn files(&self, key: &KeyRef) -> Vec<PathBuf> {
        files_in(&self.directory, key)
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
