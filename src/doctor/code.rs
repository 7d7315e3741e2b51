//! Table of every kind of finding: variant, stable name and meaning.
use crate::error::Code;
use std::fmt;

macro_rules! codes {
    ($($name:ident, $code:literal, $meaning:literal;)+) => {
        /// The kind of a finding, with a stable dotted name for programs.
        #[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
        pub enum FindingCode {
            $(#[doc = $meaning] $name,)+
            /// The index cannot be opened; the name is that of the error code.
            Unopened(Code),
        }

        impl FindingCode {
            /// Every code of its own, sorted by name; error codes are not included.
            pub const ALL: &[Self] = &[$(Self::$name),+];

            /// Returns the stable dotted name, for example `crl.lapsed`.
            #[must_use]
            pub const fn code(self) -> &'static str {
                match self {
                    $(Self::$name => $code,)+
                    Self::Unopened(error) => error.code(),
                }
            }

            /// Returns the meaning in a few words.
            #[must_use]
            pub const fn meaning(self) -> &'static str {
                match self {
                    $(Self::$name => $meaning,)+
                    Self::Unopened(error) => error.meaning(),
                }
            }
        }
    };
}

codes! {
    AuditBroken, "audit.broken", "the chain of audit records is broken";
    AuthorityEnded, "authority.ended", "the CA's certificate has ended";
    AuthorityEndsSoon, "authority.ends-soon", "the CA's certificate ends within a year";
    AuthorityIssuerRevoked, "authority.issuer-revoked", "a CA above it is revoked";
    AuthorityRevoked, "authority.revoked", "the CA's certificate is revoked";
    AuthorityShortLeaves, "authority.short-leaves", "what the CA issues is cut short by its own end";
    AuthorityUnlinked, "authority.unlinked", "two generations of the CA lack link certificates";
    ClockAhead, "clock.ahead", "nothing was signed for so long that the clock may have jumped";
    ClockBehind, "clock.behind", "the clock stands before what was signed last";
    ClockFiles, "clock.files", "a file was written later than the clock says it is";
    ClockUnconfirmed, "clock.unconfirmed", "the clock is far from the last confirmed time";
    ConfigInvalid, "config.invalid", "the configuration has mistakes";
    ConfigMissing, "config.missing", "the configuration is not there";
    ConfigNoSuchCa, "config.no-such-ca", "the configuration has settings for a CA that there is not";
    ConfigNoUrl, "config.no-url", "certificates name neither CRL nor OCSP";
    CrlDeltaDue, "crl.delta-due", "the delta CRL is to be made or renewed";
    CrlDeltaLapsed, "crl.delta-lapsed", "the delta CRL has lapsed";
    CrlDue, "crl.due", "the CRL is to be renewed";
    CrlEntries, "crl.entries", "the CRL has entries that cannot be read";
    CrlExtraEntry, "crl.extra-entry", "the CRL lists what is not revoked on record";
    CrlFuture, "crl.future", "the CRL begins in the future";
    CrlHighWater, "crl.high-water", "the highest CRL number is not noted beside the key";
    CrlLacksRevocation, "crl.lacks-revocation", "the CRL lacks what is revoked on record";
    CrlLapsed, "crl.lapsed", "the CRL has lapsed";
    CrlMissing, "crl.missing", "no CRL is published";
    CrlNoteAhead, "crl.note-ahead", "a CRL number is noted beside the key that the index does not know";
    CrlNoteTooLarge, "crl.note-too-large", "the CRL number noted beside the key is out of all proportion";
    CrlNoteUnreadable, "crl.note-unreadable", "the CRL number noted beside the key cannot be read";
    CrlNumberAhead, "crl.number-ahead", "the CRL number is above the last on record as published";
    CrlNumberBehind, "crl.number-behind", "the CRL number is below the last on record as published";
    CrlOwed, "crl.owed", "something was revoked or released since the last CRL";
    CrlPemDiffers, "crl.pem-differs", "the CRL in PEM is not the one in DER";
    CrlSignature, "crl.signature", "the CRL is not signed by the CA";
    CrlUnreadable, "crl.unreadable", "the CRL cannot be read";
    HomeDirectoryMissing, "home.directory-missing", "a directory of the home is not there";
    HomeGroup, "home.group", "a file has another group than its directory";
    HomeKind, "home.kind", "something else is in the place of a file or directory";
    HomeLeftover, "home.leftover", "a command that was cut short left a file behind";
    HomeLinked, "home.linked", "a file with a key has a second name";
    HomeMode, "home.mode", "the mode lets others at a file";
    HomeOwner, "home.owner", "a file belongs to another user";
    HomeParent, "home.parent", "others can change a directory above the home";
    HomeShared, "home.shared", "a group that is not the daemon's can read a file";
    HomeShut, "home.shut", "the mode keeps the owner out of a file";
    HomeUnknownFile, "home.unknown-file", "a file is none of the home's";
    HomeUnreadable, "home.unreadable", "a file cannot be looked at";
    HomeWrongUser, "home.wrong-user", "the home belongs to another user";
    IndexContradictsCrl, "index.contradicts-crl", "the index takes back what a CRL says";
    IndexPending, "index.pending", "certificates are on record that nobody signed";
    IndexRecord, "index.record", "a record of the index is damaged";
    IndexReference, "index.reference", "a record of the index refers to one that is not there";
    IndexRestored, "index.restored", "the index is an older copy, or another one";
    IndexSignature, "index.signature", "a certificate is on record under a CA that did not sign it";
    IndexStorage, "index.storage", "the index is damaged";
    IssuedDiffers, "issued.differs", "a file of an issued certificate is not what is on record";
    IssuedMissing, "issued.missing", "a file of an issued certificate is not there";
    IssuedUnrecorded, "issued.unrecorded", "the CA's key signed a certificate that is not on record";
    KeyAway, "key.away", "the CA's key is elsewhere, as configured";
    KeyCompromised, "key.compromised", "a valid certificate is for a compromised key";
    KeyLeft, "key.left", "a key that is on media is still here";
    KeyMissing, "key.missing", "the CA's key is not in its place";
    KeyNotOffline, "key.not-offline", "the configuration denies that a key is kept offline";
    KeyOfAnother, "key.of-another", "the CA's key is not the one of its certificate";
    KeyOffline, "key.offline", "the CA's key is on media outside of the home";
    KeySignerAway, "key.signer-away", "the signer that has the CA's key is not reached";
    KeyUnusable, "key.unusable", "the CA's key cannot be used";
    OnlineNotAnswered, "online.not-answered", "an OCSP responder does not answer as it should";
    OnlineNotAsked, "online.not-asked", "a URL in certificates is not plain http";
    OnlineNotServed, "online.not-served", "a URL in certificates has nothing";
    OnlineOther, "online.other", "a URL in certificates has something else";
    OnlineStale, "online.stale", "a URL in certificates has something older";
    OnlineUnreachable, "online.unreachable", "a URL in certificates cannot be reached";
    PolicyInvalid, "policy.invalid", "a profile has mistakes";
    PolicyInvalidProfile, "policy.invalid-profile", "a profile leaves something open";
    PolicyNoLeafProfile, "policy.no-leaf-profile", "the CA's profile names none for what it signs";
    PolicyProfileMissing, "policy.profile-missing", "a profile that is needed is not there";
    PublicDiffers, "public.differs", "the published certificate or chain is not what is on record";
    ResponderDue, "responder.due", "the responder certificate is to be renewed";
    ResponderFuture, "responder.future", "the responder certificate is not valid yet";
    ResponderLapsed, "responder.lapsed", "the responder certificate has lapsed";
    ResponderMissing, "responder.missing", "the CA has no responder";
    ResponderRequested, "responder.requested", "others have the key of a responder certificate";
    ResponderRevoked, "responder.revoked", "the responder certificate was revoked or abandoned";
    ResponderUnrecorded, "responder.unrecorded", "the responder certificate is not on record";
    ResponderUnusable, "responder.unusable", "the responder cannot be used";
    RestoreNotAccepted, "restore.not-accepted", "the home was restored and nobody has accepted that yet";
    SpaceLow, "space.low", "there is little room on a file system";
    SpaceReserve, "space.reserve", "less is kept for revoking than that may need";
    StaggerOutlives, "stagger.outlives", "the CA ends after one above it";
    StaggerSiblings, "stagger.siblings", "the CA ends too near another below the same CA";
    StatusDamaged, "status.damaged", "the published status cannot be read";
    StatusDiffers, "status.differs", "the published status is not what is on record";
    StatusFuture, "status.future", "the published status is of a time to come";
    StatusLostRevocation, "status.lost-revocation", "the index lacks a revocation that is published";
    StatusMissing, "status.missing", "no status is published";
    StatusOld, "status.old", "the published status was not confirmed for long";
    StatusStale, "status.stale", "the published status lacks the latest changes";
}

/// Writes the name.
impl fmt::Display for FindingCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_code_is_a_row_of_its_own_in_order_and_well_formed() {
        let rows: HashSet<_> = FindingCode::ALL.iter().map(|code| code.code()).collect();
        assert_eq!(rows.len(), FindingCode::ALL.len());
        assert!(FindingCode::ALL.is_sorted_by_key(|code| code.code()));
        for code in FindingCode::ALL {
            let is_plain = |c: char| c.is_ascii_lowercase() || c == '-' || c == '.';
            assert!(code.code().chars().all(is_plain) && !code.meaning().ends_with('.'), "{code}");
        }
    }

    #[test]
    fn every_code_that_a_command_was_seen_to_tell_is_in_a_table() {
        let (_, codes) = include_str!("../../tests/surface/expected.txt").rsplit_once(" codes\n\n").unwrap();
        let known: HashSet<&str> = FindingCode::ALL
            .iter()
            .map(|code| code.code())
            .chain(Code::ALL.iter().map(|code| code.code()))
            .collect();
        assert!(codes.lines().count() > 100);
        for code in codes.lines() {
            assert!(known.contains(code), "{code}");
        }
    }
}
