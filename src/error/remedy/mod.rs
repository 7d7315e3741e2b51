//! Remedies as values. The programs express them with their commands and options.
mod access;
mod authority;
mod home;
mod import;
mod record;
mod repair;
mod request;

pub use access::Access;
pub use authority::Authority;
pub use home::Home;
pub use import::Import;
pub use record::Record;
pub use repair::{Origin, Repair};
pub use request::Request;

use super::in_words;
use std::borrow::Cow;

/// The remedy for a failure or a finding.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Remedy {
    /// These words, which name no command and no option; empty when nothing helps.
    Words(Cow<'static, str>),
    /// Several remedies, one a line.
    Several(Vec<Self>),
    /// A change of the request.
    Request(Request),
    /// A change of the home.
    Home(Home),
    /// A value that an import needs.
    Import(Import),
    /// A value that gives access to a key, a backup, a responder or a file.
    Access(Access),
    /// A repair of a finding.
    Repair(Box<Repair>),
    /// An operation on a CA, or the choice of another.
    Authority(Box<Authority>),
    /// A look at the records, or an operation on them.
    Record(Record),
}

impl Remedy {
    /// The empty remedy.
    pub const NONE: Self = Self::Words(Cow::Borrowed(""));

    /// Returns whether the remedy is empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        match self {
            Self::Words(words) => words.is_empty(),
            Self::Several(each) => each.iter().all(Self::is_empty),
            _ => false,
        }
    }

    /// Returns this remedy followed by `more`.
    #[must_use]
    pub fn and(self, more: impl Into<Self>) -> Self {
        let more = more.into();
        if self.is_empty() || more.is_empty() {
            return if self.is_empty() { more } else { self };
        }
        let each = |remedy| match remedy {
            Self::Several(each) => each,
            one => vec![one],
        };
        Self::Several([each(self), each(more)].concat())
    }
}

impl Default for Remedy {
    fn default() -> Self {
        Self::NONE
    }
}

impl From<&'static str> for Remedy {
    fn from(words: &'static str) -> Self {
        Self::Words(words.into())
    }
}

impl From<String> for Remedy {
    fn from(words: String) -> Self {
        Self::Words(in_words(words).into())
    }
}

macro_rules! themes {
    ($($theme:ident),+) => {
        $(impl From<$theme> for Remedy {
            fn from(remedy: $theme) -> Self {
                Self::$theme(remedy.into())
            }
        })+
    };
}

themes!(Request, Home, Import, Access, Repair, Authority, Record);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_helps_nothing_adds_no_line() {
        assert!(Remedy::NONE.and("").is_empty());
        assert!(!Remedy::from(Repair::Fix).is_empty());
        assert_eq!(Remedy::NONE.and("a").and(""), "a".into());
    }

    #[test]
    fn lines_stay_in_their_order() {
        let both = Remedy::from("a").and(Record::List).and(Remedy::from("b").and("c"));
        assert_eq!(both, Remedy::Several(vec!["a".into(), Record::List.into(), "b".into(), "c".into()]));
    }
}
