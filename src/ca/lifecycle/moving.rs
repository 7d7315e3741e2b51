//! Moves the key of a CA between the home and the signer that listens (K2, K3).
//!
//! First the new place gets the key, with its limits and with what it signed so far, and does not use it; then the record
//! says that the key is there; then it is used there, and removed where it was. A command that is killed leaves one place
//! in which the key is used, and a note in `requests/`, by which the next command goes on.
use super::Lifecycle;
use crate::ca::maintenance::Recovered;
use crate::error::{Code, Problem, remedy};
use crate::failpoint;
use crate::index::{Authority, AuthoritySummary, Filter, Guard, KeyLocation};
use crate::signing::{ComingKey, KeyError, KeyHolder, KeyLimits, KeyRef, MoveKeys};
use crate::x509::extension::CrlNumber;
use crate::x509::{Certificate, UnixTime};

/// Certificates that are shown to a signer at once.
const SHOWN: usize = 2000;

/// A key that is about to be moved.
#[derive(Clone, Debug)]
pub struct ProposedMove {
    /// The CA.
    pub authority: Authority,
    /// Who has the key then.
    pub holder: KeyHolder,
    /// The envelope that binds the key there, to be confirmed; `None` where the key is there already.
    pub envelope: Option<KeyLimits>,
    from: KeyRef,
    coming: ComingKey,
    /// Whether the key itself is there, and the record does not say so.
    is_there: bool,
}

/// A key that was moved.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct MovedKey {
    /// The URI on record before.
    pub from: String,
    /// The URI on record now.
    pub to: String,
    /// Whether the record was changed.
    pub is_new: bool,
    /// Whether a key was removed where it was.
    pub removed: bool,
    /// Number of certificates that the new place was shown.
    pub shown: u64,
}

/// The note in `requests/` while a key moves: where it was, and where it goes.
struct Note {
    from: String,
    to: String,
}

impl Note {
    fn parse(octets: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(octets).ok()?;
        let (from, to) = text.trim_end().split_once(' ')?;
        Some(Self { from: from.to_owned(), to: to.to_owned() })
    }
}

/// The problem that a key is nowhere from where it is moved.
pub(super) fn stays(name: &str, key: &KeyRef) -> Problem {
    match key.location() {
        KeyLocation::Token(uri) | KeyLocation::TokenOfService(uri) => {
            let message = format!("the key of {name} is in a token and stays where it was made: {uri}");
            Problem::new(Code::KeyTokenUnable, message)
                .hint(remedy::Authority::NewKeyInToken(name.to_owned()))
        }
        _ => {
            let message = format!("the key of {name} is {}, and one on media is not moved", key.uri);
            Problem::new(Code::KeyOffline, message).hint(remedy::Access::BringKeyBack(name.to_owned()))
        }
    }
}

impl Lifecycle<'_> {
    pub(super) fn mover(&self) -> Result<&dyn MoveKeys, Problem> {
        let none = || KeyError::Signer("the store of keys cannot hand them over".into());
        Ok(self.engine.keys().moving().ok_or_else(none)?)
    }

    /// Returns the CAs of this home whose keys are in files and would move, if all were moved there.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub fn keys_to_move(&self, holder: KeyHolder) -> Result<Vec<String>, Problem> {
        let would_move = |authority: &Authority| match (KeyRef::of(authority).location(), holder) {
            (KeyLocation::File(_), KeyHolder::Service) | (KeyLocation::FileOfService(_), KeyHolder::Home) => {
                !authority.is_external()
            }
            _ => false,
        };
        Ok(self.engine.index().authorities()?.into_iter().filter(would_move).map(|one| one.name).collect())
    }

    /// Says what moving the key of a CA would do. Nothing is changed.
    ///
    /// # Errors
    /// When there is no such CA, its key is in a token, on a medium or run by others, or a signer cannot be asked.
    pub fn propose_key_move(&self, name: &str, holder: KeyHolder) -> Result<ProposedMove, Problem> {
        let authority = self.own_authority(name)?;
        let from = KeyRef::of(&authority);
        let mover = self.mover()?;
        let to = mover.reference_at(&from, holder).ok_or_else(|| stays(name, &from))?;
        let mut coming = ComingKey {
            key: to.clone(),
            profile: authority.profile.clone(),
            urls: self.engine.settings().config.publication.base().into_iter().collect(),
            certificates: vec![authority.certificate.clone()],
            envelope: None,
        };
        if from == to {
            return Ok(ProposedMove { authority, holder, envelope: None, from, coming, is_there: true });
        }
        let belongings = mover.belongings(&from)?;
        let others = belongings.certificates.into_iter().filter(|one| *one != authority.certificate);
        coming.certificates.extend(others);
        coming.envelope = belongings.envelope;
        let proposed = mover.propose(&coming)?;
        coming.envelope = Some(proposed.text);
        // what was lost here, or came back here from an older copy of the record
        let is_gone = || {
            let inspected = self.engine.keys().inspecting().map(|keys| keys.inspect(&from));
            matches!(inspected, Some(Err(KeyError::NotFound(_))))
        };
        let is_there = proposed.is_here && is_gone();
        Ok(ProposedMove { authority, holder, envelope: Some(proposed.limits), from, coming, is_there })
    }

    /// Moves a key, as it was proposed.
    ///
    /// # Errors
    /// When another command is signing, an administrator has not allowed it, a signer refuses, or a file cannot be
    /// written. The key is used where it was then, and the same command goes on.
    pub fn move_key(&self, proposed: &ProposedMove) -> Result<MovedKey, Problem> {
        let ProposedMove { authority, from, coming, .. } = proposed;
        let to = &coming.key;
        if from == to {
            return self.go_on(authority, to);
        }
        let _alone = self.alone_with(authority)?;
        let note = format!("{} {}\n", from.uri, to.uri);
        let was_noted = self.engine.publisher().key_move(&authority.name)?.is_some();
        self.engine.publisher().keep_key_move(&authority.name, Some(note.as_bytes()))?;
        failpoint::passed("key: move noted");
        let mover = self.mover()?;
        let mut shown = 0;
        if !proposed.is_there {
            let mark = self.highest_crl_number(authority, from)?;
            if let Err(refused) = mover.hand_over(from, coming) {
                if matches!(refused, KeyError::Locked { .. }) && !was_noted {
                    // nothing has left, and nothing came
                    self.engine.publisher().keep_key_move(&authority.name, None)?;
                }
                return Err(refused.into());
            }
            failpoint::passed("key: handed over");
            shown = self.show_all(authority, to)?;
            let until = coming.certificates.iter().map(|one| one.tbs().validity().not_after).max();
            mover.hand_memory_over(from, to, until.unwrap_or(UnixTime(i64::MAX)), mark)?;
            failpoint::passed("key: memory handed over");
        }
        let mut event = self.engine.event(self.engine.now(), "key.moved", &*authority.name);
        event.details.extend([("from".into(), from.uri.clone()), ("to".into(), to.uri.clone())]);
        self.engine.index().set_key(&authority.issuer, &to.uri, event)?;
        failpoint::passed("key: recorded as moved");
        let removed = self.complete_move(authority, from, to)?;
        let (from, to) = (from.uri.clone(), to.uri.clone());
        Ok(MovedKey { from, to, is_new: true, removed, shown })
    }

    /// Keeps others from using the key of a CA, and from moving it.
    pub(super) fn alone_with(&self, authority: &Authority) -> Result<Guard, Problem> {
        let in_use = |message: String| {
            Problem::new(Code::KeyInUse, message).hint("wait for it to end, then try again")
        };
        let Some(alone) = self.engine.index().nobody_is_signing()? else {
            return Err(in_use(format!(
                "another command is signing, perhaps with the key of {}",
                authority.name
            )));
        };
        match self.own_authority(&authority.name)?.key == authority.key {
            true => Ok(alone),
            false => Err(in_use(format!("another command has moved the key of {}", authority.name))),
        }
    }

    /// Completes a move to where the key is on record, or gives up one that went elsewhere.
    fn go_on(&self, authority: &Authority, here: &KeyRef) -> Result<MovedKey, Problem> {
        let unchanged = |removed| MovedKey {
            from: here.uri.clone(),
            to: here.uri.clone(),
            is_new: false,
            removed,
            shown: 0,
        };
        let noted = || -> Result<Option<Note>, Problem> {
            Ok(self.engine.publisher().key_move(&authority.name)?.as_deref().and_then(Note::parse))
        };
        if noted()?.is_none() {
            return Ok(unchanged(false));
        }
        let _alone = self.alone_with(authority)?;
        let removed = match noted()? {
            None => false,
            Some(note) if note.to == here.uri => {
                let from = KeyRef { uri: note.from, ..here.clone() };
                self.complete_move(authority, &from, here)?
            }
            Some(note) => {
                let removed = self.mover()?.remove_moved(&KeyRef { uri: note.to, ..here.clone() })?;
                self.engine.publisher().keep_key_move(&authority.name, None)?;
                removed
            }
        };
        Ok(unchanged(removed))
    }

    /// Has a key used where the record says that it is, and removes it where it was.
    fn complete_move(&self, authority: &Authority, from: &KeyRef, to: &KeyRef) -> Result<bool, Problem> {
        let mover = self.mover()?;
        mover.settle(to)?;
        failpoint::passed("key: settled");
        // whoever signed a CRL meanwhile had the key open before it was moved
        self.engine.keys().raise_mark(to, self.highest_crl_number(authority, from)?)?;
        let removed = mover.remove_moved(from)?;
        failpoint::passed("key: departed");
        if removed {
            let mut event = self.engine.event(self.engine.now(), "key.removed", &*authority.name);
            event.details.push(("from".into(), from.uri.clone()));
            self.engine.index().record_event(event)?;
        }
        self.engine.publisher().keep_key_move(&authority.name, None)?;
        failpoint::passed("key: move complete");
        Ok(removed)
    }

    pub(super) fn highest_crl_number(
        &self,
        authority: &Authority,
        key: &KeyRef,
    ) -> Result<CrlNumber, Problem> {
        let marked = self.engine.keys().mark(key)?.number.unwrap_or(0);
        Ok(marked.max(self.engine.index().highest_crl_number(&authority.issuer)?))
    }

    /// Shows a signer all certificates of a CA, and its last CRL. Returns the number of certificates.
    pub(super) fn show_all(&self, authority: &Authority, key: &KeyRef) -> Result<u64, Problem> {
        let Some(signer) = self.engine.keys().remembering() else { return Ok(0) };
        let (mut shown, mut group, mut failed) = (0_u64, Vec::new(), None);
        let show = |group: &mut Vec<Certificate>| -> Result<u64, Problem> {
            // what another program recorded and this key did not sign says nothing of it
            group.retain(|one| one.was_signed_by(authority.certificate.tbs().public_key()));
            if !group.is_empty() {
                signer.show_certificates(key, &authority.certificate, group)?;
            }
            Ok(u64::try_from(std::mem::take(group).len()).unwrap_or(u64::MAX))
        };
        let filter = Filter { authority: Some(authority.name.clone()), ..Filter::default() };
        self.engine.index().list(&filter, &mut |record| {
            group.extend(record.certificate);
            if group.len() >= SHOWN {
                match show(&mut group) {
                    Ok(count) => shown = shown.saturating_add(count),
                    Err(problem) => failed = Some(problem),
                }
            }
            failed.is_none()
        })?;
        if let Some(problem) = failed {
            return Err(problem);
        }
        shown = shown.saturating_add(show(&mut group)?);
        if let Some(crl) = self.engine.publisher().published_crl(&authority.name)?
            && crl.was_signed_by(authority.certificate.tbs().public_key())
        {
            signer.show_crl(key, &authority.certificate, crl.as_der())?;
        }
        Ok(shown)
    }

    /// Returns where the key of a CA is put that somebody brings: in the home, also where a signer that listens had it.
    pub(super) fn place_to_bring(&self, authority: &Authority) -> KeyRef {
        let key = KeyRef::of(authority);
        let moving = self.engine.keys().moving();
        moving.and_then(|moving| moving.reference_at(&key, KeyHolder::Home)).unwrap_or(key)
    }

    /// Completes the moves of keys that a killed command began.
    pub(in crate::ca) fn complete_key_moves(&self, all: &[AuthoritySummary], recovered: &mut Recovered) {
        for summary in all {
            let name = &summary.name;
            let note = self.engine.publisher().key_move(name).ok().flatten();
            let Some(note) = note.as_deref().and_then(Note::parse) else { continue };
            match self.complete_noted(name, note) {
                Ok(said) => recovered.repeated.extend(said),
                Err(problem) => {
                    let message = format!("the key of {name} is still to be moved: {}", problem.message);
                    recovered.owed.push(Problem { message, ..problem });
                }
            }
        }
    }

    fn complete_noted(&self, name: &str, note: Note) -> Result<Option<String>, Problem> {
        let authority = self.engine.hierarchy().authority(name)?;
        let here = KeyRef::of(&authority);
        if here.uri == note.to {
            self.complete_move(&authority, &KeyRef { uri: note.from, ..here.clone() }, &here)?;
            return Ok(Some(format!("the key of {name} was being moved and is now {}", here.uri)));
        }
        if here.uri != note.from {
            // it was moved otherwise since
            self.engine.publisher().keep_key_move(name, None)?;
            return Ok(None);
        }
        let message = format!("it is {}, and a copy that is not used may be {}", here.uri, note.to);
        let to_signer = KeyLocation::of(&note.to).is_in_service();
        Err(Problem::new(Code::KeyMoveUnfinished, message)
            .hint(remedy::Access::FinishMove(name.to_owned(), to_signer)))
    }
}
