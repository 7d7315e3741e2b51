//! What each kind of client may ask of the signer.

/// A kind of client. A client that comes later, as a queue of requests or a site, is a row of its own here.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum ClientClass {
    /// The command that started the signer for itself: it is the user who owns the keys.
    Child,
    /// An administrator, as the own user, at the administrators' socket.
    Administrator,
    /// A command of the CA's user that somebody logged in for.
    Command,
    /// A timer of the CA's user.
    Renew,
    /// The process that reaches tokens. It is asked, and asks nothing.
    Tokens,
}

/// What a client may be allowed to ask.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Right {
    /// To be told which keys there are, and what they are unlocked for.
    Describe,
    /// To have signed what a key is unlocked for, by whom it is unlocked, and to give up what was recorded for that.
    Sign,
    /// To have signed what renews itself: CRLs, and certificates of responders.
    Renew,
    /// To have a key made, which nobody has used yet.
    Create,
    /// To unlock a key.
    Unlock,
    /// To lock keys.
    Lock,
    /// To approve what widens the limits of a key, or what a restore has lost.
    Approve,
    /// To take keys out, sealed, or to hand keys in.
    Transfer,
    /// To say of a key what nobody can check. The user who owns it does.
    Restate,
    /// To move a key into the signer or out of it, as far as an administrator has unlocked it for that.
    Move,
}

impl ClientClass {
    /// Returns whether such a client has a right. Nobody has one that is not named here.
    #[must_use]
    pub(crate) const fn may(self, right: Right) -> bool {
        use Right::{Approve, Create, Describe, Lock, Move, Renew, Sign, Transfer, Unlock};
        match self {
            Self::Child => true,
            // an administrator opens keys and does not use them
            Self::Administrator => matches!(right, Describe | Create | Unlock | Lock | Approve | Transfer),
            Self::Command => matches!(right, Describe | Sign | Create | Lock | Move),
            Self::Renew => matches!(right, Describe | Renew | Lock),
            Self::Tokens => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ClientClass::{Administrator, Child, Command};

    const ALL: [Right; 10] = [
        Right::Describe,
        Right::Sign,
        Right::Renew,
        Right::Create,
        Right::Unlock,
        Right::Lock,
        Right::Approve,
        Right::Transfer,
        Right::Restate,
        Right::Move,
    ];

    #[test]
    fn who_uses_keys_does_not_open_them_and_who_opens_them_does_not_use_them() {
        for class in [Administrator, Command, ClientClass::Renew] {
            assert!(!(class.may(Right::Sign) && class.may(Right::Unlock)), "{class:?}");
            assert!(class.may(Right::Lock), "anybody may make it safer: {class:?}");
        }
        assert!(ALL.into_iter().all(|right| Child.may(right)));
        assert!(!ALL.into_iter().any(|right| ClientClass::Tokens.may(right)));
        assert!([Administrator, Command, ClientClass::Renew].into_iter().all(|one| !one.may(Right::Restate)));
    }

    #[test]
    fn a_timer_renews_and_cannot_have_anything_else_signed() {
        let rights = ALL.into_iter().filter(|right| ClientClass::Renew.may(*right)).collect::<Vec<_>>();
        assert_eq!(rights, [Right::Describe, Right::Renew, Right::Lock]);
        assert!(
            !Command.may(Right::Approve) && !Command.may(Right::Transfer),
            "the CA's user widens nothing"
        );
    }
}
