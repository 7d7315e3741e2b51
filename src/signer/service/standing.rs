//! The signer as a service: its clients, and what administrators ask.
use super::answers::{Signer, may_ask};
use super::bringing::Bringing;
use super::custody::Protected;
use super::media::LentForMedia;
use crate::error::Code;
use crate::signer::listening::{Clients, say};
use crate::signer::protocol::{Failure, Frame, Reply, Request, WireGrant, WireHanded, WireTerms};
use crate::signer::unlocking::{Asked, SharedRing, Terms, UnlockError, known_as, login_of};
use crate::signer::{Bound, ClientClass, Life, Peer, RemoteTokens, Scope};
use crate::signing::{KeyError, KeyRef, KeyVault, RecipientText};
use crate::x509::UnixTime;
use rustix::io::Errno;
use rustix::net::{RecvFlags, recv};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Mutex, Weak};
use std::time::{Duration, Instant};

/// How long a person may take to type a passphrase.
const PATIENCE: Duration = Duration::from_secs(300);
/// How often what has had its time is locked, whether or not anybody asks for anything.
const TICK: Duration = Duration::from_secs(1);

/// The service.
pub(crate) struct Standing {
    pub(super) signer: Signer,
    pub(super) ring: Arc<SharedRing>,
    vaults: Vec<Arc<dyn KeyVault>>,
    /// The tokens, which another process reaches.
    tokens: Option<Arc<RemoteTokens>>,
    /// The files that were lent to go to media.
    pub(super) lent: LentForMedia,
    pub(super) program: String,
    wall: fn() -> UnixTime,
    /// Held while a request with a large body is read and answered, so that all clients together have no more memory
    /// than one.
    pub(super) large: Mutex<()>,
}

impl Standing {
    /// Makes the service of a signer whose ring this is. What has had its time is locked by a thread of its own.
    ///
    /// # Errors
    /// When the thread cannot be started.
    pub(crate) fn new(
        signer: Signer,
        ring: Arc<SharedRing>,
        vaults: Vec<Arc<dyn KeyVault>>,
        program: &str,
        wall: fn() -> UnixTime,
    ) -> std::io::Result<Self> {
        let watched: Weak<SharedRing> = Arc::downgrade(&ring);
        std::thread::Builder::new().name("locking".into()).spawn(move || {
            while let Some(ring) = watched.upgrade() {
                ring.expire();
                drop(ring);
                std::thread::sleep(TICK);
            }
        })?;
        Ok(Self {
            signer,
            ring,
            vaults,
            tokens: None,
            lent: LentForMedia::default(),
            program: program.to_owned(),
            wall,
            large: Mutex::default(),
        })
    }

    /// Returns the same service, to which the process of these tokens connects.
    #[must_use]
    pub(crate) fn with_tokens(self, tokens: Arc<RemoteTokens>) -> Self {
        Self { tokens: Some(tokens), ..self }
    }

    pub(super) fn answer(&self, connection: &UnixStream, peer: &Peer, asked: Frame<Request>) -> Frame<Reply> {
        if !may_ask(peer, &asked.message) {
            return failed("a client of this kind may not ask that").into();
        }
        let answered = match asked.message {
            Request::Unlock { key, terms, handed, envelope } => {
                self.unlock(connection, peer, (&key, envelope), terms, handed, asked.descriptors)
            }
            Request::Prepare { key, terms, handed, profile, urls, recipients } => {
                let bound = Bound { profile, urls, subject: None };
                self.prepare(connection, peer, (key, bound, recipients), (terms, handed), asked.descriptors)
            }
            Request::Bring { key, file, profile, urls, terms, old, new, recipients, envelope, crl } => {
                let bound = Bound { profile, urls, subject: None };
                let bringing = Bringing {
                    key: key.into(),
                    file: file.into(),
                    bound,
                    terms,
                    old,
                    new,
                    recipients,
                    envelope,
                    crl,
                };
                let brought = self.bring(connection, peer, bringing, (asked.parts, asked.descriptors));
                return brought.unwrap_or_else(refused);
            }
            Request::ChangePassphrase { key, old, new } => {
                self.change_passphrase(connection, peer, &key, (old, new), asked.descriptors)
            }
            Request::LendBundle { key } => return self.lend_bundle(peer, &key).unwrap_or_else(refused),
            Request::ToMedia { key, digest, places } => self.to_media(peer, &key, (&digest, &places)),
            Request::Lend { key } => return self.lend(peer, &key).unwrap_or_else(refused),
            Request::Shares { key } => return self.shares(&key).unwrap_or_else(refused),
            Request::ExportOpened { key, old, new } => {
                self.export_opened(connection, peer, &key, (old, new), asked.descriptors)
            }
            Request::PutSealed { key, before, handed, how } => {
                let protected = Protected { key, before, handed, how, parts: asked.parts };
                self.put_sealed(connection, peer, protected, asked.descriptors)
            }
            Request::Lock { key } => Ok(unlocked(&self.ring.lock(key.as_deref()))),
            Request::WhatIsUnlocked => Ok(unlocked(&self.ring.grants())),
            _ => return self.signer.answer(peer, asked),
        };
        answered.unwrap_or_else(|failure| Reply::Failed { failure }).into()
    }

    fn unlock(
        &self,
        connection: &UnixStream,
        peer: &Peer,
        (key, envelope): (&str, Option<[u8; 32]>),
        terms: WireTerms,
        handed: WireHanded,
        descriptors: Vec<OwnedFd>,
    ) -> Result<Reply, Failure> {
        let (vault, key, inspected) = self.find(key)?;
        if matches!(inspected, Err(KeyError::TokenGone(..))) {
            // what was opened before is of no use, and some modules find the token again only when nothing is open
            self.ring.lock(Some(&known_as(&key)));
        }
        let asked = asked(peer, &key, terms.try_into()?, handed, only(descriptors)?)?;
        let is_over = over(connection);
        match inspected {
            // one that is to come: whether the passphrase opens it is seen then
            Err(KeyError::NotFound(_)) if asked.terms.scopes.contains_key(&Scope::Move) => {
                let envelope = envelope.ok_or_else(|| not_shown(&asked.key))?;
                let grant = self.ring.expect(&asked, envelope, (self.wall)(), &is_over);
                return Ok(unlocked(&[grant.map_err(failure)?]));
            }
            inspected => inspected?,
        }
        let grant =
            self.ring.unlock(&asked, vault.as_ref(), &key, (self.wall)(), &is_over).map_err(failure)?;
        if !grant.left.contains_key(&Scope::Move) {
            self.signer.leaving.ends(&key);
        }
        Ok(unlocked(&[grant]))
    }

    fn prepare(
        &self,
        connection: &UnixStream,
        peer: &Peer,
        (key, bound, recipients): (String, Bound, Vec<String>),
        (terms, handed): (WireTerms, WireHanded),
        descriptors: Vec<OwnedFd>,
    ) -> Result<Reply, Failure> {
        let recipients: Result<Vec<RecipientText>, _> = recipients.iter().map(|text| text.parse()).collect();
        let recipients = recipients.map_err(|error| signer(&error.to_string()))?;
        let vault = match key.contains(':') {
            true => super::ring::vault_of(&self.vaults, &KeyRef { identity: None, uri: key.clone() }),
            false => self.vaults.first(),
        };
        let vault = vault.ok_or_else(|| unknown(&key))?;
        let new = match key.contains(':') {
            true => KeyRef { identity: None, uri: key },
            false => vault.keys().new_key(&key),
        };
        if new.is_in_token() && known_as(&new) == new.uri {
            let reason = format!("{} does not say the name of the new key: object=NAME", new.uri);
            return Err(Failure::Signer { reason });
        }
        if new.is_in_token() && !recipients.is_empty() {
            return Err(signer("a key in a token is encrypted to nobody"));
        }
        self.signer.parts.rules.may_bind(&bound)?;
        let asked = asked(peer, &new, terms.try_into()?, handed, only(descriptors)?)?;
        let is_over = over(connection);
        let is_there = vault.keys().inspecting().is_some_and(|keys| keys.inspect(&new).is_ok());
        if is_there {
            if !recipients.is_empty() {
                return Err(signer(
                    "this key is there already: recipients are for a key that is still to be made",
                ));
            }
            // a command that was cut short left it; whether it was used is seen by what it is, and not by its name
            let bind = |identity: &[u8; 32]| self.signer.bind_left(peer, &new, identity, &bound);
            let (store, now) = ((vault.as_ref(), &new), (self.wall)());
            let grant = self.ring.unlock_new(&asked, store, now, &bind, &is_over);
            return Ok(unlocked(&[grant.map_err(failure)?]));
        }
        let readers = recipients.clone();
        self.ring.prepare(&asked, (vault.as_ref(), &new), readers, &is_over).map_err(failure)?;
        self.signer.expect_new(peer, known_as(&new), (bound, recipients));
        Ok(Reply::Done)
    }

    fn change_passphrase(
        &self,
        connection: &UnixStream,
        peer: &Peer,
        key: &str,
        (old, new): (WireHanded, WireHanded),
        descriptors: Vec<OwnedFd>,
    ) -> Result<Reply, Failure> {
        let (vault, key, inspected) = self.find(key)?;
        inspected?;
        let [from, to] = <[OwnedFd; 2]>::try_from(descriptors)
            .map_err(|_| signer("two passphrases are handed over as two open descriptors"))?;
        let old = asked(peer, &key, Terms::none(), old, from)?;
        let new = asked(peer, &key, Terms::none(), new, to)?;
        let changed = self.ring.change_passphrase(&old, &new, vault.as_ref(), &key, &over(connection));
        changed.map_err(failure)?;
        Ok(Reply::Done)
    }

    /// Returns the store of a key, which is named by its CA or by its URI, with the reference to it there, and whether it is
    /// there. The label of a key in a token is the name of its CA.
    pub(super) fn find(&self, key: &str) -> Result<Found<'_>, Failure> {
        if key.contains(':') {
            let key = KeyRef { identity: None, uri: key.to_owned() };
            let vault = super::ring::vault_of(&self.vaults, &key).ok_or_else(|| unknown(&key.uri))?;
            let inspected = inspected(vault, &key);
            return Ok((vault, key, inspected));
        }
        let mut absent = None;
        for vault in &self.vaults {
            let of_name = vault.keys().new_key(key);
            match inspected(vault, &of_name) {
                // where no token has the key, or there is no token, what is told is that there is no such file
                Err(KeyError::NotFound(_) | KeyError::TokenGone(..) | KeyError::Prevented { .. })
                    if absent.is_some() => {}
                not_here @ Err(KeyError::NotFound(_)) => absent = Some((vault, of_name, not_here)),
                inspected => return Ok((vault, of_name, inspected)),
            }
        }
        absent.ok_or_else(|| unknown(key))
    }
}

/// A store, the reference to a key in it, and whether the key is there.
pub(super) type Found<'a> = (&'a Arc<dyn KeyVault>, KeyRef, Result<(), KeyError>);

fn unknown(key: &str) -> Failure {
    Failure::Signer { reason: format!("no store of keys has {key}") }
}

fn inspected(vault: &Arc<dyn KeyVault>, key: &KeyRef) -> Result<(), KeyError> {
    vault.keys().inspecting().map_or(Ok(()), |keys| keys.inspect(key))
}

impl Clients for Standing {
    fn serve(&self, connection: UnixStream, peer: Peer, life: Life) {
        if peer.class == ClientClass::Tokens {
            let taken = self.tokens.as_ref().map_or(Ok(()), |tokens| tokens.connect(connection));
            return match taken {
                Ok(()) => say(&format!("process {} reaches the tokens", peer.process)),
                Err(error) => say(&format!("process {} does not reach the tokens: {error}", peer.process)),
            };
        }
        // whoever goes away, or says what is no frame, is not served any more
        let _ = self.converse(&connection, (&peer, &life));
    }

    fn is_idle(&self) -> bool {
        self.ring.is_empty() && !self.signer.is_asked_for_a_key()
    }

    fn lock(&self) {
        self.ring.lock(None);
    }
}

/// The failure where a key is to come, and no administrator was shown by what it will be bound.
fn not_shown(key: &str) -> Failure {
    KeyError::Prevented {
        code: Code::SignerLocked,
        reason: format!(
            "nobody has asked for the key of {key} to come, so that its envelope could not be shown"
        ),
        hint: "have the CA's user ask for the move first, which is refused; the envelope is shown here then; a key that has \
               left is not unlocked any more"
            .into(),
    }
    .into()
}

fn signer(reason: &str) -> Failure {
    Failure::Signer { reason: reason.to_owned() }
}

pub(super) fn only(descriptors: Vec<OwnedFd>) -> Result<OwnedFd, Failure> {
    let [from] = <[OwnedFd; 1]>::try_from(descriptors)
        .map_err(|_| signer("a passphrase is handed over as one open descriptor"))?;
    Ok(from)
}

pub(super) fn asked(
    peer: &Peer,
    key: &KeyRef,
    terms: Terms,
    handed: WireHanded,
    from: OwnedFd,
) -> Result<Asked, Failure> {
    let login = login_of(peer)
        .filter(|_| peer.class == ClientClass::Administrator)
        .ok_or_else(|| signer("who unlocks a key has logged in"))?;
    let (key, is_pin) = (known_as(key), key.is_in_token());
    Ok(Asked { key, terms, login, user: peer.user, handed: handed.into(), from, is_pin })
}

/// Returns whether nobody waits for the answer any more: the client is gone, or took too long.
pub(super) fn over(connection: &UnixStream) -> impl Fn() -> bool {
    let end = Instant::now() + PATIENCE;
    move || {
        let mut octet = [0];
        let peeked = recv(connection, &mut octet, RecvFlags::PEEK | RecvFlags::DONTWAIT);
        let is_gone = !matches!(peeked, Ok((1.., _)) | Err(Errno::AGAIN | Errno::INTR));
        is_gone || Instant::now() > end
    }
}

pub(super) fn failure(error: UnlockError) -> Failure {
    match error {
        UnlockError::Key(error) => error.into(),
        UnlockError::NoPassphrase(reason) => KeyError::SecretUnavailable(reason.to_string()).into(),
        slowed @ UnlockError::Slowed(_) => KeyError::SecretUnavailable(slowed.to_string()).into(),
    }
}

fn refused(failure: Failure) -> Frame<Reply> {
    Reply::Failed { failure }.into()
}

pub(super) fn failed(reason: &str) -> Reply {
    Reply::Failed { failure: Failure::Signer { reason: reason.to_owned() } }
}

fn unlocked(grants: &[crate::signer::unlocking::Grant]) -> Reply {
    Reply::Unlocked { keys: grants.iter().map(WireGrant::from).collect() }
}
