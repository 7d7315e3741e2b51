//! Failures of modules and tokens, as errors of keys.
use crate::signing::{KeyError, KeyPlace};
use cryptoki::error::{Error, RvError};

/// Returns whether the token was taken away, or the connection to it was lost.
pub(super) fn is_gone(error: &Error) -> bool {
    use RvError as Of;
    let Error::Pkcs11(value, _) = error else { return false };
    matches!(
        value,
        Of::TokenNotPresent
            | Of::TokenNotRecognized
            | Of::DeviceRemoved
            | Of::DeviceError
            | Of::SlotIdInvalid
            | Of::SessionClosed
            | Of::SessionHandleInvalid
            | Of::ObjectHandleInvalid
            | Of::KeyHandleInvalid
            | Of::UserNotLoggedIn
            | Of::CryptokiNotInitialized
    )
}

/// Returns the error of a key for a failure of its token, while doing this.
pub(super) fn of(place: &KeyPlace, doing: &str, error: &Error) -> KeyError {
    use RvError as Of;
    let place = place.clone();
    match error {
        Error::Pkcs11(Of::PinIncorrect | Of::PinLenRange | Of::PinInvalid, _) => KeyError::PinRejected(place),
        Error::Pkcs11(Of::PinLocked, _) => KeyError::PinLocked(place),
        Error::Pkcs11(
            Of::MechanismInvalid | Of::CurveNotSupported | Of::MechanismParamInvalid | Of::KeySizeRange,
            _,
        ) => KeyError::TokenUnable(place, doing.to_owned()),
        error if is_gone(error) => KeyError::TokenGone(place, format!("{doing}: {error}")),
        error => KeyError::TokenFailed(place, format!("{doing}: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::{Exit, Problem};
    use cryptoki::context::Function;

    #[test]
    fn each_failure_of_a_token_is_told_for_what_it_is() {
        let at = KeyPlace::Uri("pkcs11:token=a".into());
        for (value, code) in [
            (RvError::PinIncorrect, "key.pin-wrong"),
            (RvError::PinLocked, "key.pin-locked"),
            (RvError::TokenNotPresent, "key.token-missing"),
            (RvError::DeviceRemoved, "key.token-missing"),
            (RvError::CurveNotSupported, "key.token-unable"),
            (RvError::GeneralError, "key.token-failed"),
        ] {
            let problem = Problem::from(of(&at, "signing", &Error::Pkcs11(value, Function::Sign)));
            assert_eq!((problem.code.code(), problem.exit), (code, Exit::KeyUnavailable), "{value}");
            assert!(!problem.hint.is_empty(), "{code}");
        }
    }
}
