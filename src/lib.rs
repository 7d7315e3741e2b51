//! A private certificate authority: the engine behind `genfic-ca`, and the responder behind `genfic-ocspd`.
//!
//! # Who may use whom
//!
//! ```text
//! bin/genfic-ca   bin/genfic-ocspd      parse, say, exit
//!        └────── assembly ──────┘       configuration → working objects; the only place that names adapters
//!                │
//!              doctor                   looks at everything, mends what is safe; knows traits only
//!                /      \
//!    ca   import   backup   ocsp       use cases; the responder and its server: all know traits only
//!               │         │
//!             status                   what the index says, published for responders
//!               │
//!   profile lint signing index audit repository config home clock handout calendar
//!               │
//!        x509 error document failpoint   values and octets; what is told to people; TOML with line numbers
//! ```
//!
//! | module | what it is |
//! |---|---|
//! | [`x509`] | names, keys, certificates, requests, CRLs, extensions (RFC 5280, RFC 2986) as DER and as text; pure |
//! | [`profile`] | issuance policy: what is granted to an applicant, or every violation at once; pure |
//! | [`lint`] | rules over encoded octets, one a file; makes [`lint::Linted`]; pure |
//! | [`signing`] | what each key signs: [`signing::CaSigner`], [`signing::ResponseSigner`], [`signing::SubscriberKey`]; where CA keys are kept: [`signing::CaKeys`], the age file store; passphrases |
//! | [`subscriber_key`] | file formats of other people's keys |
//! | [`index`] | what was issued and what became of it; SQLite |
//! | [`status`] | what the index publishes for responders: files, their writer and their reader |
//! | [`audit`] | events and the hash chain that binds them; pure |
//! | [`repository`] | what anyone may fetch, and what was issued; never an older CRL over a newer one |
//! | [`home`] | paths, owners and modes; whole files or none; who is at work; space kept for revoking; what was left half written |
//! | [`config`] | `genfic-ca.toml` → checked values; unknown keys refused; pure |
//! | [`ca`] | [`ca::Engine`] and its rooms (issuance, maintenance, revocation, lifecycle): the only place where order matters |
//! | [`calendar`] | what ends and what is due when, as text, SVG and iCalendar; pure |
//! | [`handout`] | what others take: PKCS#7, PKCS#12, names of hashed directories, snippets for servers; no I/O |
//! | [`doctor`] | a check a file over home, index, keys and what is published; what mends the findings |
//! | [`backup`] | archives of a home: made, verified, and restored without forgetting what was published since |
//! | [`import`] | what other programs' CAs were: `index.txt`, certificates, keys and CRL numbers, read and not changed |
//! | [`ocsp`] | requests, answers, the responder, its cache, HTTP and server; the client |
//! | [`clock`] | the only place that reads the system's time |
//! | [`failpoint`] | places where a test has the process killed; empty in release builds |
//!
//! `tests/architecture.rs` holds the code to this.
//!
//! # What cannot happen
//!
//! [`lint::Linted`] is made by `lint/linted.rs` alone, [`index::Recorded`] by `index/recorded.rs` alone and from a
//! `Linted`, and a CA's key ([`signing::CaSigner`]) takes a `Recorded` by value: signing what was not checked, what is
//! not on record, or twice, does not compile. CRLs go the same way. Nothing takes octets to sign: inside, a private key
//! signs what `signing/admit.rs` alone admits, a certificate or CRL that says itself that it is by this key's CA, a
//! request for this key, or the answer of this key's responder. Keys of responders and of subscribers are types of
//! their own, and neither can be had for a CA's; a [`ca::Engine`] hides its keys.
//!
//! # Five flows
//!
//! *Sign*: octets → verified request → profile → template → TBSCertificate → lint → record the intent (serial
//! number, TBS, audit) → sign → check the own signature → record as issued → publish the status → files. Before
//! the record nothing happened. After it the row is pending and is never signed again: the next command
//! abandons it ([`ca::Maintenance::recover`]), which counts as revoked everywhere. A certificate is never handed out
//! before its status is published. Many at once go in groups: while one is recorded, the one before it
//! is signed and the one before that made public.
//!
//! *Revoke*: state transition with its audit event → status files → CRL → public files. Each later step that
//! fails is reported and made good by the next command; the index has the truth. [`ca::Maintenance::recover`] repeats
//! what needs no key (status, certificates and chains, what was issued lately), [`ca::Maintenance::keep_up`] what does
//! (CRL, responder). What a CA signed last, and what is published, is compared with the index before anything new is:
//! no row of it takes a revocation back ([`index::contradicting`]). From taking a CRL number to the file in its place one process is at it at a time.
//!
//! *Renew a CA*: with the same key, the new certificate takes the place of the old one in the transaction that
//! records it as issued, and both stay on record; with a new key, it is a CA of its own that succeeds the old one
//! ([`ca::Hierarchy::generations`]). The newest generation that can issue does; the others sign CRLs until their last
//! certificate has ended ([`ca::Hierarchy::is_quiet`]).
//!
//! *Move in*: directory of another program → its record, certificates and newest CRL brought together → plan (what a
//! dry run shows) → key encrypted anew → one transaction with everything → status, files, CRL, responder. A CA above
//! that others run is on record without a key, so that chains are complete.
//!
//! *Answer*: octets → request → CertID → issuer by name and key hash → status from the published files → cached
//! or freshly signed answer. The daemon never opens the index, and what the newest verified CRL has revoked for good is
//! revoked to it whatever the status says.
#![allow(
    rustdoc::private_intra_doc_links,
    reason = "the documentation is made with private items, for those who build on it"
)]

pub mod assembly;
pub mod audit;
pub mod backup;
pub mod ca;
pub mod calendar;
pub(crate) mod clock;
pub mod config;
pub mod doctor;
pub(crate) mod document;
pub mod error;
pub mod failpoint;
pub mod handout;
pub mod home;
pub mod import;
pub mod index;
pub mod lint;
pub mod ocsp;
pub mod profile;
pub mod repository;
pub mod signing;
pub mod status;
pub mod subscriber_key;
pub mod x509;
