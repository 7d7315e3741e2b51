//! Recipients as text. The configuration is read by programs that encrypt nothing, the daemon among them; their form
//! is checked here, without the code that would encrypt to them.
use bech32::Bech32;
use bech32::primitives::decode::CheckedHrpstring;
use std::fmt;
use std::str::FromStr;

/// Length of an X25519 public key in octets.
const X25519: usize = 32;

/// The text of a recipient that needs no plugin, `age1...`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RecipientText(String);

/// The text is not such a recipient. A secret is not repeated.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum InvalidRecipient {
    /// It is no recipient at all.
    #[error("`{0}` is not an age recipient")]
    Malformed(String),
    /// It is a plugin's, where no plugin is executed.
    #[error(
        "`{0}` is a plugin's, and no plugin is executed when a key is made: make it with a passphrase, then `genfic-key \
         rewrap` encrypts it so, and `genfic-key open` opens it each time"
    )]
    OfPlugin(String),
}

impl InvalidRecipient {
    /// Returns the error for text that is no recipient. Somebody who pastes the private half by mistake must not find
    /// it in a log.
    pub(crate) fn malformed(text: &str) -> Self {
        Self::Malformed(if text.starts_with("age1") { text } else { "what was given" }.to_owned())
    }
}

impl FromStr for RecipientText {
    type Err = InvalidRecipient;

    fn from_str(text: &str) -> Result<Self, InvalidRecipient> {
        // the part before the last `1` is whose recipient it is: `age`, or `age1NAME`
        if text.rsplit_once('1').is_some_and(|(of, _)| of.starts_with("age1")) {
            return Err(InvalidRecipient::OfPlugin(text.to_owned()));
        }
        match CheckedHrpstring::new::<Bech32>(text) {
            Ok(read) if text.starts_with("age1") && read.byte_iter().count() == X25519 => {
                Ok(Self(text.to_owned()))
            }
            _ => Err(InvalidRecipient::malformed(text)),
        }
    }
}

/// Writes the recipient as a user types it.
impl fmt::Display for RecipientText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::signing::{EnvelopeRecipient, KeyRecipient};

    const RECIPIENT: &str = "age14kxv6cdlkuulc025am9wzj2d0s6hq5zsjkqvgss2wmqur3u0fygs3xg4aw";

    #[test]
    fn what_has_the_form_is_a_recipient_for_age_and_what_has_not_is_not() {
        // K1
        let is_one = |text: &str| text.parse::<RecipientText>().is_ok();
        assert!(is_one(RECIPIENT));
        let mut others: Vec<String> = (0..RECIPIENT.len())
            .map(|at| {
                let other = if RECIPIENT[at..].starts_with('q') { "p" } else { "q" };
                format!("{}{other}{}", &RECIPIENT[..at], &RECIPIENT[at + 1..])
            })
            .collect();
        // age reads capitals too; here one spelling is enough
        assert!(!is_one(&RECIPIENT.to_uppercase()));
        others.extend([RECIPIENT[..61].into(), format!("{RECIPIENT}q"), String::new()]);
        others.push("age1nobody".into());
        for other in others {
            assert!(!is_one(&other), "{other}");
            assert!(other.parse::<EnvelopeRecipient>().is_err(), "{other}");
        }
        assert!(RECIPIENT.parse::<KeyRecipient>().is_ok());
    }

    #[test]
    fn the_private_half_is_not_repeated_and_a_plugins_is_told_apart() {
        let secret = "AGE-SECRET-KEY-1QQPQL";
        assert!(!secret.parse::<RecipientText>().unwrap_err().to_string().contains("QQPQL"));
        let plugin = "age1fake1w3jhxaqrc5akr".parse::<RecipientText>().unwrap_err();
        assert_eq!(plugin, InvalidRecipient::OfPlugin("age1fake1w3jhxaqrc5akr".into()));
    }
}
