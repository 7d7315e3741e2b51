//! Words about unlocking.
use super::Failure;
use crate::signer::Scope;
use crate::signer::unlocking::{Grant, Handed, Login, Terms};
use crate::x509::{UnixTime, sha256};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::Duration;

/// What a key is unlocked for: kinds of signatures with the number of each, and for how many seconds.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct WireTerms {
    /// `leaf`, `ca`, `crl`; `null` for any number.
    pub(crate) scopes: BTreeMap<String, Option<u64>>,
    /// Seconds.
    pub(crate) lasting: u64,
}

/// What the descriptor of a passphrase is.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum WireHanded {
    /// The administrator's terminal.
    Terminal,
    /// A file or pipe.
    File,
}

/// What is unlocked.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(crate) struct WireGrant {
    /// The name of the key.
    pub(crate) key: String,
    /// The login user of whoever unlocked it.
    pub(crate) loginuid: u32,
    /// The audit session.
    pub(crate) session: Option<u32>,
    /// What is left of each kind of signature; `null` for any number.
    pub(crate) left: BTreeMap<String, Option<u64>>,
    /// When it ends, in seconds since 1970.
    pub(crate) until: i64,
    /// Whether the key was brought and is not used before its CA is taken over.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) waiting: bool,
}

impl From<&Terms> for WireTerms {
    fn from(terms: &Terms) -> Self {
        Self { scopes: named(&terms.scopes), lasting: terms.lasting.as_secs() }
    }
}

impl TryFrom<WireTerms> for Terms {
    type Error = Failure;

    fn try_from(terms: WireTerms) -> Result<Self, Failure> {
        let scopes = scopes(terms.scopes)?;
        if scopes.is_empty() {
            return Err(Failure::Signer { reason: "a key is unlocked for something".into() });
        }
        Ok(Self { scopes, lasting: Duration::from_secs(terms.lasting).min(Self::LONGEST) })
    }
}

fn named(scopes: &BTreeMap<Scope, Option<u64>>) -> BTreeMap<String, Option<u64>> {
    scopes.iter().map(|(scope, count)| (scope.name().to_owned(), *count)).collect()
}

fn scopes(named: BTreeMap<String, Option<u64>>) -> Result<BTreeMap<Scope, Option<u64>>, Failure> {
    let scope = |(name, count): (String, Option<u64>)| Ok((name.parse::<Scope>()?, count));
    let read: Result<_, crate::signer::scope::UnknownScope> = named.into_iter().map(scope).collect();
    read.map_err(|error| Failure::Signer { reason: error.to_string() })
}

impl From<WireHanded> for Handed {
    fn from(handed: WireHanded) -> Self {
        match handed {
            WireHanded::Terminal => Self::Terminal,
            WireHanded::File => Self::File,
        }
    }
}

impl From<&Grant> for WireGrant {
    fn from(grant: &Grant) -> Self {
        let Login { loginuid, session } = grant.login;
        let (key, left, until) = (grant.key.clone(), named(&grant.left), grant.until.0);
        Self { key, loginuid, session, left, until, waiting: grant.is_waiting }
    }
}

impl TryFrom<WireGrant> for Grant {
    type Error = Failure;

    fn try_from(grant: WireGrant) -> Result<Self, Failure> {
        let login = Login { loginuid: grant.loginuid, session: grant.session };
        let (left, until) = (scopes(grant.left)?, UnixTime(grant.until));
        Ok(Self { key: grant.key, login, left, until, is_waiting: grant.waiting })
    }
}

/// Returns the digest by which an administrator confirms that a key comes with this envelope and with certificates of
/// these SHA-256, which are in order, one behind the other.
pub(crate) fn confirmed(envelope: &str, certificates: &[u8]) -> [u8; 32] {
    sha256(&[&sha256(envelope.as_bytes())[..], certificates].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_time_that_a_client_says_is_beyond_what_a_clock_counts() {
        let scopes = BTreeMap::from([("leaf".to_owned(), None)]);
        let terms = Terms::try_from(WireTerms { scopes, lasting: u64::MAX }).unwrap();
        assert_eq!(terms.lasting, Terms::LONGEST);
    }
}
