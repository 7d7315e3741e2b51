//! Shares put together, one after the other.
use super::set::ShareSet;
use super::share::Share;
use super::split::{Numbers, passphrase};
use crate::error::{Code, Problem};
use crate::signing::Secret;
use blahaj::Sharks;
use zeroize::Zeroizing;

/// Shares of one set. Each is judged when it is added.
#[derive(Debug, Default)]
pub struct Combination {
    known: Option<ShareSet>,
    shares: Vec<Share>,
}

/// Why a share was not added.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum NotTaken {
    /// The custodian's passphrase comes first.
    #[error("share {0} has a passphrase of its own")]
    Locked(u8),
    /// The same share was there before.
    #[error("share {0} was given before; another one is needed")]
    Repeated(u8),
    /// It is of another split: of another key, or of an earlier or later split of this one.
    #[error("it is share {index} of set {found}, and those of set {wanted} are needed")]
    Foreign {
        /// Its index.
        index: u8,
        /// Its set.
        found: String,
        /// The set that is put together.
        wanted: String,
    },
    /// It claims other numbers than the rest of its set.
    #[error("it says {found}, and the others of its set {wanted}")]
    OtherNumbers {
        /// Its numbers.
        found: Numbers,
        /// Those of the others.
        wanted: Numbers,
    },
    /// It is not what was made when the key was split.
    #[error("share {0} is not the one that was made when the key was split: its digest is another")]
    NotOnRecord(u8),
}

impl From<NotTaken> for Problem {
    fn from(error: NotTaken) -> Self {
        let (code, hint) = match &error {
            NotTaken::Locked(_) => {
                (Code::KeyPassphraseNeeded, "its custodian types it, or a source of it is named")
            }
            NotTaken::Repeated(_) => (Code::ShareRepeated, "bring the share of another custodian"),
            NotTaken::Foreign { .. } | NotTaken::OtherNumbers { .. } => (
                Code::ShareForeign,
                "the heading of each share names its set: bring those of one set, and the key file that was made with \
                 them",
            ),
            NotTaken::NotOnRecord(_) => (
                Code::ShareForeign,
                "somebody made this share up, or the record beside the key is another's; bring the share of another \
                 custodian",
            ),
        };
        Self::of(code, error).hint(hint)
    }
}

impl Combination {
    /// Returns an empty combination of the shares of this set, or of the set of the first share.
    #[must_use]
    pub fn of(known: Option<ShareSet>) -> Self {
        Self { known, shares: Vec::new() }
    }

    /// Returns the numbers, as far as they are known.
    #[must_use]
    pub fn numbers(&self) -> Option<Numbers> {
        let of_shares = || self.shares.first().map(Share::numbers);
        self.known.as_ref().map(ShareSet::numbers).or_else(of_shares)
    }

    /// Refuses a share that does not come to these, whether or not its custodian's passphrase covers it.
    ///
    /// # Errors
    /// When it is of another set, or was given before.
    pub fn judge(&self, share: &Share) -> Result<(), NotTaken> {
        let index = share.index();
        let of_shares = || self.shares.first().map(Share::set);
        let wanted = self.known.as_ref().map(|set| set.set().to_owned()).or_else(of_shares);
        if let Some(wanted) = wanted.filter(|wanted| *wanted != share.set()) {
            return Err(NotTaken::Foreign { index, found: share.set(), wanted });
        }
        if let Some(wanted) = self.numbers().filter(|wanted| *wanted != share.numbers()) {
            return Err(NotTaken::OtherNumbers { found: share.numbers(), wanted });
        }
        if self.shares.iter().any(|other| other.index() == index) {
            return Err(NotTaken::Repeated(index));
        }
        Ok(())
    }

    /// Adds a share, and returns how many more are needed.
    ///
    /// # Errors
    /// Why it was not added.
    pub fn add(&mut self, share: Share) -> Result<usize, NotTaken> {
        let index = share.index();
        self.judge(&share)?;
        if share.is_locked() {
            return Err(NotTaken::Locked(index));
        }
        if self.known.as_ref().is_some_and(|known| !known.has(&share)) {
            return Err(NotTaken::NotOnRecord(index));
        }
        self.shares.push(share);
        Ok(self.missing())
    }

    /// Returns how many more shares are needed; 1 at least before the first.
    #[must_use]
    pub fn missing(&self) -> usize {
        let needed = self.numbers().map_or(1, |numbers| usize::from(numbers.threshold()));
        needed.saturating_sub(self.shares.len())
    }

    /// Returns the passphrase, once there are enough shares.
    #[must_use]
    pub fn passphrase(&self) -> Option<Secret> {
        let threshold = self.numbers()?.threshold();
        if self.missing() > 0 {
            return None;
        }
        let points = self.shares.iter().map(|share| {
            let mut octets = Zeroizing::new(vec![share.index()]);
            octets.extend(share.value().iter());
            blahaj::Share::try_from(octets.as_slice()).ok()
        });
        let points: Vec<blahaj::Share> = points.collect::<Option<_>>()?;
        let secret = Zeroizing::new(Sharks(threshold).recover(&points).ok()?);
        Some(passphrase(&secret))
    }
}
