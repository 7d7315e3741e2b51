//! Encoding of an event, over which the digests of the chain are computed. Each event has exactly one encoding.
//!
//! The encoding is a version octet followed by the fields in the order of [`AuditEvent`]. Numbers are big-endian with
//! a fixed width. Text is a 32-bit length and UTF-8. An optional field is an octet 0, or an octet 1 and the value.
use super::{Actor, AuditEvent, Outcome};
use crate::x509::UnixTime;

/// First octet of every encoding.
const VERSION: u8 = 1;

/// Reason why octets are not an event.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub(crate) enum MalformedEvent {
    /// The octets end too early.
    #[error("the event ends early")]
    Short,
    /// Octets follow the event.
    #[error("octets are left over after the event")]
    Trailing,
    /// The version octet is not supported.
    #[error("event version {0} is not known")]
    Version(u8),
    /// The octet before an optional field is neither 0 nor 1.
    #[error("a mark of presence is neither 0 nor 1")]
    Mark,
    /// A text is not UTF-8.
    #[error("text is not UTF-8")]
    Text,
}

impl AuditEvent {
    /// Returns the octets over which the chain computes the digest.
    #[must_use]
    pub(crate) fn to_octets(&self) -> Vec<u8> {
        let mut out = vec![VERSION];
        out.extend(self.at.0.to_be_bytes());
        put_text(&mut out, &self.actor.user);
        put_optional(&mut out, self.actor.on_behalf_of.as_deref());
        out.extend(self.actor.process.to_be_bytes());
        put_text(&mut out, &self.action);
        put_text(&mut out, &self.object);
        put_optional(
            &mut out,
            match &self.outcome {
                Outcome::Done => None,
                Outcome::Refused(code) => Some(code),
            },
        );
        put_length(&mut out, self.details.len());
        for (name, value) in &self.details {
            put_text(&mut out, name);
            put_text(&mut out, value);
        }
        out
    }

    /// Reads exactly one event. Octets that [`AuditEvent::to_octets`] would not write are refused.
    ///
    /// # Errors
    /// When the octets are not such an encoding.
    pub(crate) fn from_octets(octets: &[u8]) -> Result<Self, MalformedEvent> {
        let mut rest = Rest(octets);
        match rest.octet()? {
            VERSION => {}
            other => return Err(MalformedEvent::Version(other)),
        }
        let at = UnixTime(i64::from_be_bytes(rest.array()?));
        let user = rest.text()?;
        let on_behalf_of = rest.optional()?;
        let process = u32::from_be_bytes(rest.array()?);
        let action = rest.text()?;
        let object = rest.text()?;
        let outcome = rest.optional()?.map_or(Outcome::Done, Outcome::Refused);
        let mut details = Vec::new();
        for _ in 0..rest.length()? {
            details.push((rest.text()?, rest.text()?));
        }
        if !rest.0.is_empty() {
            return Err(MalformedEvent::Trailing);
        }
        let actor = Actor { user, on_behalf_of, process };
        Ok(Self { at, actor, action, object, outcome, details })
    }
}

/// Returns a text as it stands in the encoding of an event.
pub(crate) fn encoded_text(text: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len().saturating_add(4));
    put_text(&mut out, text);
    out
}

fn put_length(out: &mut Vec<u8>, length: usize) {
    out.extend(u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes());
}

fn put_text(out: &mut Vec<u8>, text: &str) {
    put_length(out, text.len());
    out.extend_from_slice(text.as_bytes());
}

fn put_optional(out: &mut Vec<u8>, text: Option<&str>) {
    out.push(u8::from(text.is_some()));
    if let Some(text) = text {
        put_text(out, text);
    }
}

/// Octets that have not been read yet.
struct Rest<'a>(&'a [u8]);

impl<'a> Rest<'a> {
    fn take(&mut self, length: usize) -> Result<&'a [u8], MalformedEvent> {
        let (taken, rest) = self.0.split_at_checked(length).ok_or(MalformedEvent::Short)?;
        self.0 = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], MalformedEvent> {
        self.take(N)?.try_into().map_err(|_| MalformedEvent::Short)
    }

    fn octet(&mut self) -> Result<u8, MalformedEvent> {
        self.array::<1>().map(|[octet]| octet)
    }

    fn length(&mut self) -> Result<usize, MalformedEvent> {
        usize::try_from(u32::from_be_bytes(self.array()?)).map_err(|_| MalformedEvent::Short)
    }

    fn text(&mut self) -> Result<String, MalformedEvent> {
        let length = self.length()?;
        String::from_utf8(self.take(length)?.to_vec()).map_err(|_| MalformedEvent::Text)
    }

    fn optional(&mut self) -> Result<Option<String>, MalformedEvent> {
        match self.octet()? {
            0 => Ok(None),
            1 => self.text().map(Some),
            _ => Err(MalformedEvent::Mark),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn event() -> impl Strategy<Value = AuditEvent> {
        let actor = (".{0,8}", proptest::option::of(".{0,8}"), any::<u32>())
            .prop_map(|(user, on_behalf_of, process)| Actor { user, on_behalf_of, process });
        let outcome =
            proptest::option::of(".{0,8}").prop_map(|code| code.map_or(Outcome::Done, Outcome::Refused));
        let details = proptest::collection::vec((".{0,6}", ".{0,6}"), 0..4);
        (any::<i64>(), actor, ".{0,12}", ".{0,12}", outcome, details).prop_map(
            |(at, actor, action, object, outcome, details)| AuditEvent {
                at: UnixTime(at),
                actor,
                action,
                object,
                outcome,
                details,
            },
        )
    }

    proptest! {
        #[test]
        fn an_event_survives_a_round_trip(event in event()) {
            prop_assert_eq!(AuditEvent::from_octets(&event.to_octets()), Ok(event));
        }

        #[test]
        fn what_can_be_read_is_written_the_same_way(
            event in event(), at in any::<prop::sample::Index>(), bit in 0u32..8
        ) {
            let mut octets = event.to_octets();
            let at = at.index(octets.len());
            octets[at] ^= 1u8 << bit;
            if let Ok(other) = AuditEvent::from_octets(&octets) {
                prop_assert_eq!(other.to_octets(), octets);
                prop_assert_ne!(other, event);
            }
        }
    }

    #[test]
    fn text_cannot_move_from_one_field_to_the_next() {
        let event = |action: &str, object: &str| AuditEvent {
            at: UnixTime(1),
            actor: Actor::named("alice"),
            action: action.into(),
            object: object.into(),
            outcome: Outcome::Done,
            details: Vec::new(),
        };
        assert_ne!(event("ab", "c").to_octets(), event("a", "bc").to_octets());
    }

    #[test]
    fn what_is_no_event_is_refused_with_the_reason() {
        assert_eq!(AuditEvent::from_octets(&[]), Err(MalformedEvent::Short));
        assert_eq!(AuditEvent::from_octets(&[9]), Err(MalformedEvent::Version(9)));
        let huge = [&[VERSION][..], &[0; 8], &[0xff; 4]].concat();
        assert_eq!(AuditEvent::from_octets(&huge), Err(MalformedEvent::Short));
    }
}
