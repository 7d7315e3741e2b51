//! How it is told that a process is not there, or not any more.
use crate::error::Code;
use crate::signer::protocol::FrameError;
use crate::signing::KeyError;
use std::io;
use std::time::Duration;

/// Returns whether nothing came in time.
pub(super) fn is_silence(error: &FrameError) -> bool {
    use io::ErrorKind::{TimedOut, WouldBlock};
    matches!(error, FrameError::Io(source) if matches!(source.kind(), TimedOut | WouldBlock))
}

/// How it is told that a process is not there, or not any more.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ends {
    /// Whether the process is a service of its own.
    pub(super) of_service: bool,
}

impl Ends {
    pub(super) fn lost(self, error: &FrameError, limit: Duration) -> KeyError {
        match error {
            error if is_silence(error) => {
                self.ended(&format!("it did not answer within {} s, and was given up", limit.as_secs()))
            }
            error => self.ended(&format!("it does not answer: {error}")),
        }
    }

    pub(super) fn absent(self) -> KeyError {
        if self.of_service {
            return self.ended("it is not connected");
        }
        KeyError::Prevented {
            code: Code::SignerUnavailable,
            reason: "this signer has no tokens: nothing is set up that reaches them".into(),
            hint: "set up the unit genfic-signer-tokens, as the manual says; or make the key in a file"
                .into(),
        }
    }

    /// Returns the error that the process is not there, or not any more.
    pub(super) fn ended(self, how: &str) -> KeyError {
        let reason = format!("the process of the tokens: {how}");
        if !self.of_service {
            return KeyError::Signer(reason);
        }
        let hint = "nothing was signed, and nothing is lost: look at the log of genfic-signer-tokens, start it again if \
                    it does not run, unlock the key once more, and run the command again";
        KeyError::Prevented { code: Code::SignerUnavailable, reason, hint: hint.into() }
    }
}
