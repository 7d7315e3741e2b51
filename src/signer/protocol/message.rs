//! Requests and replies.
use super::administering::WireDescription;
use super::failure::Failure;
use super::orders::{Orders, WireSource};
use super::unlocking::{WireGrant, WireHanded, WireTerms};
use super::words::{WireKey, WirePath, WirePlace};
use crate::signing::KeyLimits;
use crate::x509::extension::CrlNumber;
use serde::{Deserialize, Serialize};

/// Version of the protocol. A signer of another one says so in its answer to [`Request::Hello`].
pub(crate) const VERSION: u16 = 1;

/// What a client asks.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(tag = "ask", rename_all = "kebab-case")]
pub(crate) enum Request {
    /// The first frame of a connection.
    Hello {
        /// [`VERSION`] of the client.
        version: u16,
        /// Version of the client's program.
        program: String,
        /// For a child: the directory of keys, and where passphrases come from. A service takes no such orders.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        orders: Option<Orders>,
    },
    /// Checks a key as far as possible without its secret: [`Reply::Done`].
    Inspect { key: WireKey },
    /// Asks for the files of a key: [`Reply::Files`].
    Files { key: WireKey },
    /// Asks for the encrypted key file, for a backup: [`Reply::Done`] with one part.
    Sealed { key: WireKey },
    /// Asks for the mark: [`Reply::Mark`].
    Mark { key: WireKey },
    /// Raises the mark: [`Reply::Done`].
    RaiseMark { key: WireKey, number: CrlNumber },
    /// Unlocks a key: [`Reply::Key`] with its public key as the part.
    Open { key: WireKey },
    /// Generates a key: [`Reply::Key`] with its public key as the part.
    Generate { key: WireKey, algorithm: String },
    /// Reads the private key in the descriptor that comes with the frame, and keeps it until the connection ends:
    /// [`Reply::Foreign`] with its public key as the part. With `old`, the passphrase comes from there.
    Foreign { file: WirePath, old: Option<WireSource> },
    /// Looks for private keys in the descriptors that come with the frame, one for each of these files:
    /// [`Reply::Found`]. For each file with a key there are two parts: what else is in it, as PEM, and the public key of
    /// one that is not encrypted.
    Find { files: Vec<WirePath> },
    /// Stores a key that [`Request::Foreign`] read: [`Reply::Key`] with its public key as the part.
    Import { key: WireKey, foreign: u32 },
    /// Gives a key and its mark another name: [`Reply::Moved`].
    Rename { from: WireKey, to: WireKey },
    /// Deletes a key for which no certificate could be issued: [`Reply::Done`].
    Discard { key: WireKey },
    /// Encrypts a key with a new passphrase, and keeps it until it is put: [`Reply::Reencrypted`].
    Reencrypt { key: WireKey },
    /// Puts a key encrypted anew in the place of the former one: [`Reply::Done`].
    PutReencrypted { number: u32 },
    /// Asks what is known of a key without opening it: [`Reply::Described`].
    Describe { key: WireKey },
    /// Has the private key written into the descriptor that comes with the frame, an empty file that its owner alone can
    /// read: PKCS#8 in PEM, encrypted with a passphrase that the signer asks for: [`Reply::Done`].
    Export { key: WireKey },
    /// Says that another program of the same user is about to encrypt the key anew, for a child: [`Reply::Done`].
    Protected { key: WireKey, how: String },
    /// Asks for the envelope of a key, and how it would be with these fields set to these values: [`Reply::Limits`].
    Limits { key: WireKey, settings: Vec<(String, String)> },
    /// Sets fields of the envelope of a key, which the client was told to be `before`: [`Reply::Done`].
    SetLimits { key: WireKey, settings: Vec<(String, String)>, before: KeyLimits },
    /// Accepts the certificate of the CA of this name with this SHA-256, whose issuer the signer does not know:
    /// [`Reply::Done`].
    AcceptCertificate { key: String, certificate: String },
    /// Signs TBSCertificates, one a part: [`Reply::Signed`] with the octets of signatureValue, one a part. `issuer`
    /// says that a part with the CA's certificate follows them; without it, the one certificate is self-signed.
    /// `profile` is the one of the CA. `enrolment` says that two more parts follow: the certificate of the responder that
    /// is in use, and the signature of its key by which it names the key in the one TBSCertificate.
    SignCertificates {
        key: WireKey,
        issuer: bool,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        profile: Option<String>,
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        enrolment: bool,
    },
    /// Signs the TBSCertList that is the first part; the second one is the CA's certificate: [`Reply::Signed`].
    /// `profile` is the one of the CA.
    SignCrl {
        key: WireKey,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        profile: Option<String>,
    },
    /// Signs a CertificationRequestInfo for the key itself, the one part: [`Reply::Signed`].
    #[expect(
        clippy::enum_variant_names,
        reason = "a certification request is signed, which is the word of the field"
    )]
    SignRequest { key: WireKey },
    /// Asks what the signer has to be shown before it signs a CRL after the one of this number that leaves out the
    /// entries with the serial numbers in the part: [`Reply::Unknown`].
    Unknown { key: WireKey, last: CrlNumber },
    /// Shows what the key signed: the first part is the CA's certificate, the others are certificates, or one CRL:
    /// [`Reply::Done`].
    Show { key: WireKey, crl: bool },
    /// Says that the certificates with the serial numbers in the part were given up: [`Reply::Done`].
    Abandon { key: WireKey },
    /// Says that the key comes back here from a medium, where it is remembered what it signed meanwhile:
    /// [`Reply::Done`].
    Returned { key: WireKey },
    /// Asks for what is kept beside a key: [`Reply::Belongings`].
    Belongings { key: WireKey },
    /// Asks for the envelope that a key would get if it came here: [`Reply::Proposed`]. The first part is the text of the
    /// envelope that it has, empty where it has none; the others are the certificates of its CA. `profile` is the one of
    /// the CA.
    Propose {
        key: WireKey,
        profile: String,
        /// Beginnings of URLs, for an envelope that names none.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        urls: Vec<String>,
    },
    /// Asks for the envelope that was proposed last for the key of this name, which is to come: [`Reply::Done`] with
    /// three parts, its text, the SHA-256 of the certificates that come along, and lines about those for which nobody
    /// vouches; without any where nobody has asked, or the key is here.
    Proposal { key: String },
    /// Asks for the file of a key that is to be moved, still encrypted: [`Reply::Done`] with a descriptor.
    Leave { key: WireKey },
    /// Brings a key, still encrypted, in the file whose descriptor comes with the frame. It is not used before
    /// [`Request::Settle`]. The parts are as for [`Request::Propose`], with the envelope that was proposed: [`Reply::Done`].
    Come { key: WireKey, profile: String },
    /// Asks for serial numbers that a key has used, in order, after the one in the part: [`Reply::Done`] with two parts,
    /// which are empty at the end: the serial numbers, and for each notAfter of its certificate in seconds since 1970, in
    /// eight octets, the highest value where it is not known.
    Used { key: WireKey },
    /// Says which serial numbers a key that has come and not settled has used, and up to which CRL number. A certificate
    /// that was not shown here is valid until this time, in seconds since 1970. `last` says that these were all, without
    /// which the key does not settle. `unlisted` says that nobody has the CRL of that number: the number alone
    /// counts: [`Reply::Done`].
    Claim {
        key: WireKey,
        until: i64,
        mark: CrlNumber,
        last: bool,
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        unlisted: bool,
    },
    /// Brings a key that another program made. The parts are as for [`Request::Propose`]. The private key is behind the
    /// first descriptor that comes with the frame, what opens that behind the next one, where `old` says so, and behind the
    /// last one the new passphrase, or with recipients of age an identity of one of them. `envelope` is the digest of the
    /// envelope and the certificates that the administrator has confirmed ([`confirmed`](super::confirmed)). `crl` says that
    /// the last part is the last CRL that the key signed. It is not used before [`Request::Settle`], and unlocked then: [`Reply::Brought`] with its public key as the part.
    Bring {
        key: WireKey,
        /// The name of the file, for messages.
        file: WirePath,
        profile: String,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        urls: Vec<String>,
        terms: WireTerms,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        old: Option<WireHanded>,
        new: WireHanded,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        recipients: Vec<String>,
        envelope: [u8; 32],
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        crl: bool,
    },
    /// Asks which key is here under this name, or was brought for it by an administrator of this login: [`Reply::Awaited`]
    /// with SHA-256 of its SubjectPublicKeyInfo as the part; without a part where none is.
    Awaited { key: WireKey },
    /// Has a key used that has come: [`Reply::Moved`].
    Settle { key: WireKey },
    /// Removes a key that has left, or that has come and not settled: [`Reply::Moved`].
    Depart { key: WireKey },
    /// Asks for the names of the files of the signer, for a backup: [`Reply::Contents`].
    Contents,
    /// Asks for octets of one of these files from this one on: [`Reply::Done`] with a part, which is empty at its end.
    Content { name: String, from: u64 },
    /// Accepts what a restore could not know: [`Reply::Done`].
    Accept,
    /// Asks for the envelope of a key, or where it has none yet, for the one that it gets with the TBSCertificate that is
    /// the part: [`Reply::Done`] with a part, its text. `profile` is the one of the CA.
    EnvelopeWith { key: WireKey, profile: Option<String> },
    /// Asks for the journal from this octet on: [`Reply::Done`] with a part, which is empty at the end.
    Journal { from: u64 },
    /// Asks for a new passphrase before there is a home to put its key into: [`Reply::Done`].
    NewPassphrase { key: String },
    /// Removes the files of generated passphrases whose keys were not made: [`Reply::Done`].
    TakeBack,
    /// Asks for the warnings about passphrases since the last time: [`Reply::Notes`].
    Notes,
    /// Unlocks the key of a CA, or the one of this URI, with the passphrase behind the descriptor that comes with the
    /// frame: [`Reply::Unlocked`] with the one key. `envelope` is the digest of the envelope and the certificates
    /// that the administrator has confirmed for a key that is to come ([`confirmed`](super::confirmed)).
    Unlock {
        key: String,
        terms: WireTerms,
        handed: WireHanded,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        envelope: Option<[u8; 32]>,
    },
    /// Gives the passphrase of a key that is about to be made, likewise, and says what it is made for:
    /// [`Reply::Done`]. A key of this name that is there and has no certificate yet is bound to that and unlocked:
    /// [`Reply::Unlocked`].
    Prepare {
        key: String,
        terms: WireTerms,
        handed: WireHanded,
        /// The profile of its CA, and no other.
        profile: String,
        /// Beginnings of the URLs that its certificates may name; none for any.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        urls: Vec<String>,
        /// Recipients of age to which the key is encrypted; then an identity of one of them is behind the descriptor.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        recipients: Vec<String>,
    },
    /// Gives the key of a CA a new passphrase. Two descriptors come with the frame, behind which the present one and the
    /// new one are: [`Reply::Done`].
    ChangePassphrase { key: String, old: WireHanded, new: WireHanded },
    /// Asks for the file of a key that is unlocked for custody, still encrypted, and for the record of the shares that open
    /// it: [`Reply::Done`] with two parts, of which the second one is empty where there is no such record.
    Lend { key: String },
    /// Puts the same key, encrypted anew, in the place of its file that was lent and had this SHA-256, in hexadecimal
    /// digits. The parts are as in the answer to [`Request::Lend`]. What opens the new file is behind the descriptor that
    /// comes with the frame. `how` is for the journal: [`Reply::Done`].
    PutSealed { key: String, before: String, handed: WireHanded, how: String },
    /// Asks as [`Request::Lend`] does for a key that is to go to media, with what belongs to it: [`Reply::Bundle`]. The
    /// parts are as for [`Request::Lend`], then the text of its envelope, then the certificates of its CA.
    LendBundle { key: String },
    /// Says that the file of a key that was lent, with this SHA-256 in hexadecimal digits, is whole on media: the key is
    /// removed here. `places` is for the journal: [`Reply::Done`].
    ToMedia { key: String, digest: String, places: String },
    /// Asks whether a key that is not here went to media: [`Reply::OnMedia`].
    OnMedia { key: WireKey },
    /// Has the private key written into the first descriptor that comes with the frame, as [`Request::Export`] does. Behind
    /// the other two are the passphrase that opens the key, and that of the file: [`Reply::Done`].
    ExportOpened { key: String, old: WireHanded, new: WireHanded },
    /// Asks for the record of the shares that open a key: [`Reply::Done`] with a part, empty where there is none.
    Shares { key: String },
    /// Locks a key, or every key, for everybody: [`Reply::Unlocked`] with what was unlocked.
    Lock { key: Option<String> },
    /// Asks what is unlocked: [`Reply::Unlocked`].
    WhatIsUnlocked,
    /// Answers [`Reply::Asking`]: the terminal is free.
    Go,
}

impl Request {
    /// Bound of the body that comes with most requests, in octets: serial numbers, certificates of one CA.
    pub(crate) const SMALL: u32 = 256 * 1024;
    /// Bound of a group of certificates, in octets.
    const GROUP: u32 = 32 * 1024 * 1024;
    /// Bound of a CRL, in octets: one with two million entries.
    const LIST: u32 = 128 * 1024 * 1024;

    /// Returns the bound of the octet strings that come with it.
    pub(crate) fn largest_body(&self) -> u32 {
        match self {
            Self::SignCrl { .. } | Self::Show { crl: true, .. } | Self::Bring { crl: true, .. } => Self::LIST,
            Self::SignCertificates { .. } | Self::Show { crl: false, .. } => Self::GROUP,
            _ => Self::SMALL,
        }
    }
}

/// What the signer answers.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(tag = "say", rename_all = "kebab-case")]
pub(crate) enum Reply {
    /// To [`Request::Hello`].
    Welcome {
        /// [`VERSION`] of the signer.
        version: u16,
        /// Version of the signer's program.
        program: String,
    },
    /// It is done.
    Done,
    /// It failed.
    Failed { failure: Failure },
    /// The paths of the files of a key, the key file first.
    Files { files: Vec<WirePath> },
    /// The mark.
    Mark { number: Option<CrlNumber>, place: WirePlace },
    /// What is kept beside a key: the number in its mark. The first part is the text of its envelope, empty where it has
    /// none; the others are the certificates of its CA.
    Belongings { mark: Option<CrlNumber> },
    /// The envelope that a key would get, TOML, in the part, and whether the key is here already.
    Proposed { is_here: bool },
    /// A key that is to go to media: the reference to it here, the profile of its CA, the number in its mark, and that of the
    /// last CRL that is known of it, with SHA-256 of its TBSCertList in hexadecimal digits, where more than its number is.
    Bundle {
        key: WireKey,
        profile: String,
        mark: Option<CrlNumber>,
        crl: Option<CrlNumber>,
        list: Option<String>,
    },
    /// SHA-256 of the file with which a key went to media, in hexadecimal digits; `null` where it did not, or came back.
    OnMedia { digest: Option<String> },
    /// The files of the signer, with their lengths.
    Contents { files: Vec<(String, u64)> },
    /// The key is open.
    Key,
    /// The foreign key was read.
    Foreign { number: u32, form: String },
    /// What is in each of the files.
    Found { files: Vec<WireFound> },
    /// Whether there was anything to move.
    Moved { moved: bool },
    /// The key was brought in this form.
    Brought { form: String },
    /// The key of this name: whether it is in its place, and the profile of its envelope.
    Awaited { settled: bool, profile: String },
    /// The key is encrypted anew, and not in its place yet.
    Reencrypted { number: u32 },
    /// What is known of a key.
    Described { described: WireDescription },
    /// The envelope of a key, as it would be with the values of the question, and whether that is wider.
    Limits { before: KeyLimits, after: KeyLimits, is_wider: bool },
    /// Signatures, one a part.
    Signed,
    /// The serial numbers in the part are of certificates whose ends are not known, and whether the CRL is not known.
    Unknown { crl: bool },
    /// Keys that are, or were, unlocked.
    Unlocked { keys: Vec<WireGrant> },
    /// Warnings, one sentence each.
    Notes { notes: Vec<String> },
    /// A person is about to be asked on the terminal. The client leaves it alone and says [`Request::Go`].
    Asking,
    /// The person has answered; the reply follows.
    Asked,
}

/// What is in a file that was handed over.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum WireFound {
    /// No private key.
    NoKey,
    /// A private key of this form.
    Key(String),
    /// A private key that cannot be used.
    Unusable(Failure),
    /// It cannot be read.
    NotRead(Failure),
}
