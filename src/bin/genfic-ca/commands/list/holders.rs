//! Whose certificates a list has, and what a list by end leaves out.
use crate::cli::{HolderType, List};
use genfic_ca::error::Problem;
use genfic_ca::profile::Kind;
use serde_json::{Value, json};

impl HolderType {
    /// Returns the type of the holders of certificates of this kind.
    pub(super) fn of(kind: Kind) -> Self {
        match kind {
            Kind::RootCa | Kind::Ca => Self::Ca,
            Kind::OcspResponder => Self::Responder,
            Kind::EndEntity => Self::Leaf,
        }
    }

    /// Returns the word that people type.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Leaf => "leaf",
            Self::Ca => "ca",
            Self::Responder => "responder",
        }
    }
}

/// Numbers of certificates that end in time and are left out, because nobody has to renew them here.
#[derive(Default)]
pub(super) struct LeftOut {
    /// The only holders whose certificates are listed.
    of_type: Option<HolderType>,
    /// Whether the type was not asked for, so that the others are counted.
    is_default: bool,
    /// Whether what is replaced is left out.
    by_end: bool,
    replaced: usize,
    authorities: usize,
    responders: usize,
}

impl LeftOut {
    /// Begins to count for these options.
    pub(super) fn of(args: &List) -> Self {
        let by_end = args.expiring.is_some();
        let is_default = by_end && args.of_type.is_none() && args.profile.is_none();
        let of_type = args.of_type.or(is_default.then_some(HolderType::Leaf));
        Self { of_type, is_default, by_end, ..Self::default() }
    }

    /// Returns whether a certificate is left out, and counts it.
    pub(super) fn counts(
        &mut self,
        kind: HolderType,
        is_replaced: impl FnOnce() -> Result<bool, Problem>,
    ) -> Result<bool, Problem> {
        if self.of_type.is_some_and(|wanted| wanted != kind) {
            let count = match kind {
                HolderType::Ca => &mut self.authorities,
                _ => &mut self.responders,
            };
            *count += usize::from(self.is_default);
            return Ok(true);
        }
        let is_replaced = self.by_end && is_replaced()?;
        self.replaced += usize::from(is_replaced);
        Ok(is_replaced)
    }

    /// Returns the JSON value.
    pub(super) fn value(&self) -> Value {
        json!({ "replaced": self.replaced, "ca": self.authorities, "responder": self.responders })
    }

    /// Returns a line for people; empty when nothing was left out.
    pub(super) fn text(&self) -> String {
        let counts = [
            (self.replaced, "replaced by newer ones".to_owned()),
            (self.authorities, "of CAs (--type ca)".to_owned()),
            (self.responders, "of responders, which renew themselves (--type responder)".to_owned()),
        ];
        let parts: Vec<String> = counts
            .into_iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, what)| format!("{count} {what}"))
            .collect();
        if parts.is_empty() { String::new() } else { format!("left out: {}", parts.join(", ")) }
    }
}
