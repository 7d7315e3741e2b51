//! Table of every error: variant, stable name, exit status and meaning.
use super::Exit;

macro_rules! codes {
    ($($name:ident, $code:literal, $exit:ident, $meaning:literal;)+) => {
        /// The kind of an error: a stable dotted name for programs, and an exit status. A name that is used with
        /// several exit statuses has a variant for each.
        #[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
        pub enum Code {
            $(#[doc = $meaning] $name,)+
        }

        impl Code {
            /// Every code, sorted by name.
            pub const ALL: &[Self] = &[$(Self::$name),+];

            /// Returns the stable dotted name, for example `policy.weak-key`.
            #[must_use]
            pub const fn code(self) -> &'static str {
                match self { $(Self::$name => $code,)+ }
            }

            /// Returns the exit status of a command that ends with this error.
            #[must_use]
            pub const fn exit(self) -> Exit {
                match self { $(Self::$name => Exit::$exit,)+ }
            }

            /// Returns the meaning in a few words.
            #[must_use]
            pub const fn meaning(self) -> &'static str {
                match self { $(Self::$name => $meaning,)+ }
            }
        }
    };
}

codes! {
    AuditBroken, "audit.broken", Integrity, "the chain of audit records is broken";
    AuthorityAboveOthers, "authority.above-others", Refused, "CAs that are in use stand below the CA";
    AuthorityEnded, "authority.ended", Refused, "the CA's certificate has ended";
    AuthorityExists, "authority.exists", Exists, "a CA of this name, or for this key, is on record";
    AuthorityItself, "authority.itself", Refused, "a CA does not certify itself";
    AuthorityNotACa, "authority.not-a-ca", Refused, "the certificate is not a CA's";
    AuthorityNotFound, "authority.not-found", NotFound, "there is no CA of this name";
    AuthorityNotPending, "authority.not-waiting", NotFound, "no CA of this name waits for a certificate";
    AuthorityRetired, "authority.retired", Exists, "the CA is retired already";
    AuthorityRevoked, "authority.revoked", Refused, "the CA's certificate was revoked";
    AuthorityRevokedBefore, "authority.revoked", Exists, "the CA was revoked before";
    AuthorityPending, "authority.waiting", Exists, "a CA of this name waits for its certificate";
    BackupDamaged, "backup.damaged", NotVerified, "the backup is not whole";
    BackupExists, "backup.exists", Exists, "a backup of this name is there";
    BackupFormat, "backup.format", Failure, "the backup is of a format that this version does not know";
    BackupUnusable, "backup.unusable", NotVerified, "the backup would not restore to a home that works";
    CeremonyAnswered, "ceremony.answered", Exists, "the request for a ceremony was answered before";
    CeremonyBehind, "ceremony.behind", Integrity, "a medium knows more than the request for a ceremony";
    CeremonyDate, "ceremony.date", Refused, "the date of the ceremony cannot be";
    CeremonyInterrupted, "ceremony.interrupted", Refused, "the ceremony was interrupted while it signed";
    CeremonyMalformed, "ceremony.malformed", NotVerified, "the file of a ceremony is not what it should be";
    CeremonyNone, "ceremony.none", NotFound, "no request for a ceremony waits for its answer";
    CeremonyOther, "ceremony.other", NotVerified, "the file of a ceremony is for another key or another request";
    CeremonyRefused, "ceremony.refused", Refused, "the rules of a ceremony do not allow what is to be signed";
    CeremonySuperseded, "ceremony.superseded", Refused, "a newer request replaced the one that was answered";
    CertificateAmbiguous, "certificate.ambiguous", Usage, "more than one certificate is meant";
    CertificateExpired, "certificate.expired", NotFound, "the certificate has expired";
    CertificateLapsed, "certificate.expired", Refused, "the certificate to take has expired";
    CertificateExpiring, "certificate.expiring", Findings, "certificates are about to expire";
    CertificateHeld, "certificate.held", Exists, "the certificate is on hold already";
    CertificateNoServerName, "certificate.no-server-name", Refused, "the certificate names no server";
    CertificateNotFound, "certificate.not-found", NotFound, "no such certificate is on record";
    CertificateNotHeld, "certificate.not-held", Refused, "the certificate is not on hold";
    CertificateNotYetValid, "certificate.not-yet-valid", Refused, "the certificate is not valid yet";
    CertificateOtherKey, "certificate.other-key", NotVerified, "the certificate is for another key";
    CertificateOtherName, "certificate.other-name", NotVerified, "the certificate bears another name";
    CertificateOtherOnRecord, "certificate.other-on-record", Usage, "another certificate is on record under this number";
    CertificateRevoked, "certificate.revoked", Refused, "the certificate was revoked";
    CertificateRevokedBefore, "certificate.revoked", Exists, "the certificate was revoked before";
    CertificateSignature, "certificate.signature", NotVerified, "the certificate's signature does not verify";
    CertificateUnnamed, "certificate.unnamed", Usage, "which certificate is meant was not said";
    CertificateUnverifiable, "certificate.unverifiable", Refused, "the certificate's signature cannot be verified here";
    ClockBehind, "clock.behind", Integrity, "the clock stands before what was signed last";
    ClockUnconfirmed, "clock.unconfirmed", Integrity, "the clock is far from the last confirmed time";
    ConfigInvalid, "config.invalid", Failure, "the configuration has mistakes";
    ConfigUnsafe, "config.unsafe", Permissions, "others can change a file that the configuration names";
    CrlDates, "crl.dates", Refused, "the CRL is from the future, has lapsed, or does not say until when";
    CrlDropsEntries, "crl.drops-entries", Integrity, "the CRL lacks a revocation that the one before it has";
    CrlFindings, "crl.findings", Findings, "the CRL has findings";
    CrlNotPublished, "crl.not-published", NotFound, "no CRL of this CA is published";
    CrlNotThere, "crl.not-there", Failure, "the URL has no CRL";
    CrlNumber, "crl.number", Integrity, "the CRL number was not taken, or was used";
    CrlOlder, "crl.older", Integrity, "a CRL with a higher number is published";
    CrlOtherIssuer, "crl.other-issuer", NotVerified, "the CRL is another CA's";
    CrlScope, "crl.scope", Refused, "the CRL is not complete for its CA";
    CrlSignature, "crl.signature", NotVerified, "the CRL's signature does not verify";
    CrlSignedHere, "crl.signed-here", Refused, "the CA's key is here, so its CRLs are signed here";
    CrlUnreachable, "crl.unreachable", Failure, "the server that has the CRL cannot be reached";
    DaemonEnded, "daemon.ended", Failure, "a part that the daemon cannot do without has ended";
    DaemonListen, "daemon.listen", Failure, "the daemon cannot listen";
    DaemonNotReady, "daemon.not-ready", Findings, "the daemon would not be ready, or would lack something";
    DaemonStart, "daemon.start", Failure, "the daemon cannot start";
    DiskFull, "disk.full", Failure, "the disk is full";
    DoctorFindings, "doctor.findings", Findings, "the doctor found something";
    EnsureBusy, "ensure.busy", Busy, "another command is making what is to be there";
    EnsureDiffers, "ensure.differs", Exists, "it is there, and is not as asked";
    DirectoryNotRead, "file.directory", Failure, "the directory cannot be read";
    DirectoryMissing, "file.directory", NotFound, "the directory is not there";
    FileExists, "file.exists", Exists, "the file is there and is not replaced";
    KeptFileMalformed, "file.malformed", Integrity, "a file of the home is not what it should be";
    FileMalformed, "file.malformed", NotVerified, "the file is not what is needed";
    OtherFile, "file.malformed", Usage, "the file has something else in it";
    OctetsMalformed, "file.malformed", Failure, "the octets cannot be shown";
    FileNotAFile, "file.not-a-file", Usage, "what was named is no regular file";
    FileNotRead, "file.read", Failure, "the file cannot be read";
    FileMissing, "file.read", NotFound, "the file is not there";
    FileTooLarge, "file.too-large", Failure, "the file is larger than anything of its kind";
    FileUnreadable, "file.unreadable", Integrity, "a published file cannot be read as what it is";
    FileNotWritten, "file.write", Failure, "the file cannot be written";
    FileNotPermitted, "file.write", Permissions, "the file may not be written";
    HomeExists, "home.exists", Exists, "a home is there already";
    HomeMissing, "home.missing", NotFound, "there is no home";
    HomeNotCreated, "home.not-created", Failure, "the home cannot be made";
    HomeNotPermitted, "home.not-created", Permissions, "the home may not be made there";
    HomeUnsafe, "home.unsafe", Permissions, "owners or modes let others at the home";
    HomeWrongUser, "home.wrong-user", Permissions, "the home belongs to another user";
    ImportCrlNumber, "import.crl-number", Refused, "the CRL number cannot be taken over";
    ImportIndexMalformed, "import.index-malformed", NotVerified, "the other program's record cannot be read";
    ImportNoCa, "import.no-ca", Refused, "the directory has no CA's certificate";
    ImportNoCertificate, "import.no-certificate", NotFound, "a certificate is not where it should be";
    ImportNoIndex, "import.no-index", NotFound, "the directory has no record of another program";
    ImportNoKey, "import.no-key", NotFound, "the directory has no key for the certificate";
    ImportTooLarge, "import.too-large", Failure, "the directory has more than can be taken in";
    IndexBusy, "index.busy", Busy, "another process uses the index";
    IndexConflict, "index.conflict", Busy, "somebody else was quicker";
    IndexContradictsAudit, "index.contradicts-audit", Integrity, "the index takes back what its audit records say";
    IndexContradictsCrl, "index.contradicts-crl", Integrity, "the index takes back what a CRL says";
    IndexContradictsStatus, "index.contradicts-status", Integrity, "the index takes back what the published status says";
    IndexDamaged, "index.damaged", Integrity, "the index is damaged";
    IndexExists, "index.exists", Exists, "an index is there already";
    IndexFailed, "index.failed", Failure, "the index cannot be used";
    IndexMissing, "index.missing", NotFound, "there is no index";
    IndexNotFound, "index.not-found", NotFound, "it is not on record";
    IndexRestored, "index.restored", Integrity, "the index is an older copy, or another one";
    IndexSchema, "index.schema", Failure, "the index is of a schema that this version does not know";
    IndexSerialInUse, "index.serial-in-use", Failure, "the serial number is in use";
    IndexTransition, "index.transition", Refused, "the certificate is in a state that does not allow it";
    InputConfirmation, "input.confirmation", InputNeeded, "a confirmation is needed";
    InputDeclined, "input.declined", InputNeeded, "the question was answered with no";
    InputInterrupted, "input.interrupted", InputNeeded, "the question was interrupted";
    IssuerMismatch, "issuer.mismatch", Integrity, "what is to be signed names another issuer";
    IssuerUnfit, "issuer.unfit", Refused, "the CA may not issue";
    IssuerUnknown, "issuer.unknown", NotFound, "the issuer is not known";
    JournalBusy, "journal.busy", Busy, "another process writes into the signer's journal";
    JournalDamaged, "journal.damaged", Integrity, "the signer's journal was changed, or a part of it is missing";
    JournalFailed, "journal.failed", Failure, "the signer's journal cannot be read or written";
    JournalListUnknown, "journal.list-unknown", KeyUnavailable, "the signer does not know what its last CRL lists";
    JournalRepeated, "journal.repeated", Integrity, "the key signed a certificate with this serial number before";
    JournalUnreconciled, "journal.unreconciled", Integrity, "the signer's journal and the index contradict each other";
    KeyCryptography, "key.cryptography", Failure, "the cryptographic library failed";
    KeyElsewhere, "key.elsewhere", KeyUnavailable, "others have the CA's key";
    KeyNotHere, "key.elsewhere", NotFound, "the key is not in this home";
    KeyEncrypted, "key.encrypted", KeyUnavailable, "the key is encrypted";
    KeyExists, "key.exists", Exists, "a key of this name is there and is not replaced";
    KeyIdentityNeeded, "key.identity-needed", InputNeeded, "the identity that opens it is needed";
    KeyIdentityWrong, "key.identity-wrong", KeyUnavailable, "the identity does not open it";
    KeyInService, "key.in-service", KeyUnavailable, "the signer that listens has the key, not the home";
    KeyInUse, "key.in-use", Busy, "another command may be using the key";
    KeyInterrupted, "key.interrupted", KeyUnavailable, "the passphrase was not given";
    KeyMalformed, "key.malformed", KeyUnavailable, "the private key cannot be used";
    KeyMismatch, "key.mismatch", Integrity, "the CA's key is not the one of its certificate";
    KeyOfAnother, "key.mismatch", NotVerified, "the key is not the one of the certificate";
    KeyModule, "key.module", KeyUnavailable, "the PKCS#11 module cannot be used";
    KeyModuleUnknown, "key.module-unknown", KeyUnavailable, "the PKCS#11 module is not configured";
    KeyMoveUnfinished, "key.move-unfinished", Refused, "the key was being moved, and is where it was";
    KeyNotFound, "key.not-found", KeyUnavailable, "the key is not in its place";
    KeyNotOffline, "key.not-offline", Refused, "the configuration says that the key is not kept offline";
    KeyNotRead, "key.not-read", Failure, "the key's file cannot be read";
    KeyNotWritten, "key.not-written", Failure, "the key's file cannot be written";
    KeyOffline, "key.offline", KeyUnavailable, "the CA's key is on media outside of the home";
    KeyPassphraseNeeded, "key.passphrase-needed", InputNeeded, "the passphrase is needed and nobody can be asked";
    KeyPassphraseUnavailable, "key.passphrase-unavailable", KeyUnavailable, "the source of the passphrase cannot be used";
    KeyPassphraseUnsuitable, "key.passphrase-unsuitable", KeyUnavailable, "the passphrase is not fit for it";
    KeyPassphraseWeak, "key.passphrase-weak", Refused, "the new passphrase is soon guessed";
    KeyPassphraseWrong, "key.passphrase-wrong", KeyUnavailable, "the passphrase is wrong";
    KeyPinLastTry, "key.pin-last-try", KeyUnavailable, "one more wrong PIN would lock the token";
    KeyPinLocked, "key.pin-locked", KeyUnavailable, "the token is locked after too many wrong PINs";
    KeyPinWrong, "key.pin-wrong", KeyUnavailable, "the PIN is wrong";
    KeyPlugin, "key.plugin", KeyUnavailable, "a plugin of age failed, or is not executed here";
    KeySignature, "key.signature", Integrity, "a signature that was just made does not verify";
    KeyTokenFailed, "key.token-failed", KeyUnavailable, "the token failed";
    KeyTokenMissing, "key.token-missing", KeyUnavailable, "the token is not there";
    KeyTokenUnable, "key.token-unable", KeyUnavailable, "the token cannot do this";
    KeyUnsafe, "key.unsafe", Permissions, "owners or modes let others at a key or passphrase";
    KeyUnusable, "key.unusable", KeyUnavailable, "the key's store failed";
    LintRefused, "lint", Refused, "what would be signed breaks a rule";
    LintFindings, "lint", Findings, "the file breaks rules";
    MediumFull, "medium.full", Failure, "the medium is full";
    MediumNotRead, "medium.not-read", Failure, "the medium cannot be read";
    MediumNotWritten, "medium.not-written", Failure, "the medium cannot be written";
    MediumOther, "medium.other-key", Exists, "the medium has another key under this name";
    MediumUnverified, "medium.unverified", NotVerified, "the medium does not return what was written to it";
    OcspPresigning, "ocsp.being-made", Busy, "another process makes the file of answers";
    OcspNoResponder, "ocsp.no-responder", NotFound, "no valid responder certificate is there to sign with";
    OcspNotAResponder, "ocsp.not-a-responder", Failure, "what answered is no OCSP responder";
    OcspNotGood, "ocsp.not-good", NotVerified, "the answer is another than good";
    OcspNotVerified, "ocsp.not-verified", NotVerified, "the answer does not verify";
    OcspUnreachable, "ocsp.unreachable", Failure, "the responder cannot be reached";
    OcspUrl, "ocsp.url", Usage, "no responder's URL is known";
    OutputFailed, "output.failed", Failure, "the output cannot be written";
    PolicyCommonName, "policy.common-name", Refused, "the commonName is not as the profile asks";
    PolicyCompromisedKey, "policy.compromised-key", Refused, "the key is compromised";
    PolicyContact, "policy.contact", Refused, "the contact is not a mail address";
    PolicyExtendedKeyUsage, "policy.extended-key-usage", Refused, "an extended key usage is not allowed";
    PolicyInvalidProfile, "policy.invalid-profile", Failure, "a profile has mistakes";
    PolicyIssuer, "policy.issuer", Refused, "the issuer does not allow it";
    PolicyIssuerExpired, "policy.issuer-expired", Refused, "the issuer has expired";
    PolicyIssuerNotYetValid, "policy.issuer-not-yet-valid", Refused, "the issuer is not valid yet";
    PolicyKeyHeld, "policy.key-held", Refused, "a certificate for the key is on hold";
    PolicyKeyOfACa, "policy.key-of-a-ca", Refused, "the key is a CA's";
    PolicyKeyReused, "policy.key-reused", Refused, "the key was certified for somebody else";
    PolicyKeyType, "policy.key-type", Refused, "the profile does not take keys of this type";
    PolicyLimits, "policy.limits", Refused, "the request is larger than anything that is granted";
    PolicyNameConstraints, "policy.name-constraints", Refused, "a name is outside of what the CAs above permit";
    PolicyNameCount, "policy.name-count", Refused, "there are too many names";
    PolicyNameKind, "policy.name-kind", Refused, "the profile does not grant names of this kind";
    PolicyNameMissing, "policy.name-missing", Refused, "a name that the profile requires is missing";
    PolicyNameNotPermitted, "policy.name-not-permitted", Refused, "the profile does not permit the name";
    PolicyNameOfACa, "policy.name-of-a-ca", Refused, "the name is a CA's";
    PolicyNameSyntax, "policy.name-syntax", Refused, "the name is not well formed";
    PolicyNameWildcard, "policy.name-wildcard", Refused, "the wildcard is not allowed";
    PolicyNoSuchProfile, "policy.no-such-profile", NotFound, "there is no profile of this name";
    PolicyOtherKey, "policy.other-key", Refused, "the request is for another key";
    PolicyOutlivesIssuer, "policy.outlives-issuer", Refused, "it would outlive its issuer";
    PolicyPathLength, "policy.path-length", Refused, "the path would be longer than a CA above allows";
    PolicyRefused, "policy.refused", Refused, "the profile refuses it";
    PolicyResponder, "policy.responder", Refused, "the profile of responders is not for requests";
    PolicySubjectCount, "policy.subject-count", Refused, "an attribute of the subject is there too often";
    PolicySubjectEmpty, "policy.subject-empty", Refused, "the subject would be empty";
    PolicySubjectFixed, "policy.subject-fixed", Refused, "an attribute of the subject is fixed to another value";
    PolicySubjectForbidden, "policy.subject-forbidden", Refused, "an attribute of the subject is forbidden";
    PolicySubjectMissing, "policy.subject-missing", Refused, "an attribute of the subject is missing";
    PolicySubjectRdn, "policy.subject-rdn", Refused, "a part of the subject is not well formed";
    PolicySubjectUnlisted, "policy.subject-unlisted", Refused, "the profile does not name an attribute of the subject";
    PolicySubjectValue, "policy.subject-value", Refused, "a value in the subject is not allowed";
    PolicyTooLong, "policy.too-long", Refused, "it would be valid for longer than is allowed";
    PolicyValidity, "policy.validity", Refused, "the validity is not as the profile asks";
    PolicyWeakKey, "policy.weak-key", Refused, "the key is weak";
    PolicyWrongCa, "policy.wrong-ca", Refused, "the profile is not for this CA";
    PublishBusy, "publish.busy", Busy, "another command is publishing";
    QuickstartCheck, "quickstart.check", NotVerified, "a check of the demonstration failed";
    RenewalDiffers, "renewal.differs", Refused, "the certificate to renew is not as it would be now";
    RenewalHook, "renewal.hook", Failure, "the command to run after a renewal failed";
    RenewalMeanwhile, "renewal.meanwhile", Busy, "another command has renewed the certificate meanwhile";
    RenewalNoGain, "renewal.no-gain", Refused, "the new certificate would end no later";
    RenewalSameKey, "renewal.same-key", Refused, "the request is for the same key";
    RequestMalformed, "request.malformed", Refused, "the file is not a well-formed request";
    RequestNotARequest, "request.not-a-request", Refused, "the file has something else than a request";
    RequestSignature, "request.signature", Refused, "the request is not signed by its own key";
    RequestUnsupported, "request.unsupported", Refused, "the request's algorithm is not supported";
    RequestWithPrivateKey, "request.with-private-key", Refused, "the file has a private key beside the request";
    RestoreNotAccepted, "restore.not-accepted", Integrity, "the home was restored and nobody has accepted that yet";
    ShareDamaged, "share.damaged", NotVerified, "the share, or the page, is damaged or mistyped";
    ShareForeign, "share.foreign", NotVerified, "the share is not of the set that is needed";
    ShareMissing, "share.missing", InputNeeded, "more shares are needed";
    ShareNumbers, "share.numbers", Usage, "so many shares of so many restore nothing";
    ShareOpensNothing, "share.opens-nothing", KeyUnavailable, "the shares belong together and do not open the key";
    ShareRepeated, "share.repeated", NotVerified, "the share was given before";
    SignerAlgorithm, "signer.algorithm", Refused, "the signature algorithm is not the key's";
    SignerCertificateUnknown, "signer.certificate-unknown", KeyUnavailable, "nobody has accepted a CA certificate of an issuer that the signer does not know";
    SignerClock, "signer.clock", Integrity, "a time is not near that of the signer's clock";
    SignerCrlDay, "signer.crl-day", Refused, "timers have had enough CRLs of the CA signed for now";
    SignerCrlEntryMissing, "signer.crl-entry-missing", Integrity, "a CRL would take back what the last one revokes";
    SignerCrlEntryUnknown, "signer.crl-entry-unknown", Integrity, "the signer does not know the end of what a CRL leaves out";
    SignerCrlLength, "signer.crl-length", Refused, "a CRL would be valid for longer than is allowed";
    SignerCrlNumber, "signer.crl-number", Integrity, "a CRL number is not above those used before";
    SignerCrlOrder, "signer.crl-order", Refused, "the entries of a CRL are not in order";
    SignerCrlScope, "signer.crl-scope", Refused, "a CRL is about a part of what the CA issued";
    SignerDelta, "signer.delta", Refused, "a delta CRL does not say what its complete CRL says";
    SignerEnrolment, "signer.enrolment", Refused, "a responder may not renew itself by this";
    SignerEnvelopeCa, "signer.envelope-ca", Refused, "the key was not made to certify CAs";
    SignerEnvelopeDay, "signer.envelope-day", Refused, "the key has signed enough certificates for a day";
    SignerEnvelopeMalformed, "signer.envelope-malformed", Failure, "the envelope of a key has mistakes";
    SignerEnvelopeName, "signer.envelope-name", Refused, "a name is outside of what the key was made for";
    SignerEnvelopeNone, "signer.envelope-none", NotFound, "the key has no envelope yet";
    SignerEnvelopePath, "signer.envelope-path", Refused, "the path length is beyond what the key was made for";
    SignerEnvelopePurpose, "signer.envelope-purpose", Refused, "the purpose is none that the key was made for";
    SignerEnvelopeUrl, "signer.envelope-url", Refused, "a URL is at another server than those that the key was made for";
    SignerEnvelopeValidity, "signer.envelope-validity", Refused, "the validity is longer than what the key was made for";
    SignerIssuer, "signer.issuer", Integrity, "what is to be signed names another issuer than the key's CA";
    SignerLint, "signer.lint", Refused, "what is to be signed breaks a rule";
    SignerLocked, "signer.locked", KeyUnavailable, "the signer has the key, and it is not unlocked for this";
    SignerMalformed, "signer.malformed", Refused, "what is to be signed is not what it is said to be";
    SignerNoCertificate, "signer.no-certificate", Integrity, "the signer has no certificate of the CA";
    SignerNotBound, "signer.not-bound", Refused, "an administrator has unlocked the new key for another profile, or for none";
    SignerOutlivesIssuer, "signer.outlives-issuer", Refused, "the certificate would outlive its issuer";
    SignerProfile, "signer.profile", Refused, "no profile of the signer grants the certificate";
    SignerRecord, "signer.record", Integrity, "the signer's record cannot be read";
    SignerRefused, "signer.refused", Refused, "the signer's rules do not admit what is to be signed";
    SignerRequest, "signer.request", Integrity, "a request is not for the key that is to sign it";
    SignerSerial, "signer.serial", Integrity, "the signer has signed the serial number before";
    SignerUnavailable, "signer.unavailable", KeyUnavailable, "the signer of CA keys cannot be used";
    StatusDue, "status.due", Findings, "something is due in the home";
    StatusNotPublished, "status.not-published", Failure, "the status cannot be published";
    Usage, "usage", Usage, "the command line is wrong";
    UsageAmbiguous, "usage.ambiguous", Usage, "more than one thing is meant";
    UsageAuthorityName, "usage.authority-name", Usage, "it cannot be the name of a CA";
    UsageIdentity, "usage.identity", Usage, "it is no identity of age";
    UsagePassphraseFrom, "usage.passphrase-from", Usage, "it names no source of a passphrase";
    UsageRecipient, "usage.recipient", Usage, "it is no recipient of age";
    UsageToken, "usage.token", Usage, "it is no URI of a token";
}

/// Writes the name.
impl std::fmt::Display for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_code_is_a_row_of_its_own_in_order_and_well_formed() {
        let rows: HashSet<_> = Code::ALL.iter().map(|code| (code.code(), code.exit())).collect();
        assert_eq!(rows.len(), Code::ALL.len());
        assert!(Code::ALL.is_sorted_by_key(|code| code.code()));
        for code in Code::ALL {
            let is_plain = |c: char| c.is_ascii_lowercase() || c == '-' || c == '.';
            assert!(code.code().chars().all(is_plain) && !code.meaning().ends_with('.'), "{code}");
        }
    }

    #[test]
    fn every_exit_status_is_that_of_a_code_but_for_the_one_that_is_kept() {
        let told: HashSet<_> = Code::ALL.iter().map(|code| code.exit()).collect();
        let silent: Vec<&Exit> = Exit::ALL.iter().filter(|exit| !told.contains(exit)).collect();
        assert_eq!(silent, [&Exit::NoSuchUser]);
    }
}
