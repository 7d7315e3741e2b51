//! A private certificate authority: the engine behind `genfic-ca`, and the responder behind `genfic-ocspd`.
//!
//! # Who may use whom
//!
//! The programs are on top, values and octets at the bottom; each line says who, and whom.
//!
//! ```text
//! bin/genfic-ca     assembly doctor handout ca import ocsp backup config subscriber_key signing index repository
//!                   home audit calendar lint profile x509 error
//! bin/genfic-ocspd  assembly ocsp signing home error failpoint
//! --------------------------
//! assembly          doctor ca ocsp backup config signing status index repository home audit clock profile x509
//!                   error
//! --------------------------
//! handout           ca signing x509 error
//! doctor            ca ocsp backup config signing status index repository home audit profile x509 error
//! --------------------------
//! ca                config signing status index repository audit clock lint profile x509 error failpoint
//! import            subscriber_key signing index home x509 error
//! ocsp              config signing status index clock x509 error failpoint
//! --------------------------
//! backup            signing status index home audit x509 error failpoint
//! config            signing profile document x509 error
//! subscriber_key    signing home x509 error
//! --------------------------
//! signing           index home x509 error failpoint
//! status            index repository home audit x509 error failpoint
//! --------------------------
//! index             home audit lint x509 error failpoint
//! repository        home x509 error failpoint
//! --------------------------
//! home              audit x509 error failpoint
//! --------------------------
//! audit             x509
//! calendar          x509 error
//! clock             x509
//! lint              x509
//! profile           document x509 error
//! --------------------------
//! document          error
//! x509              error
//! --------------------------
//! error
//! failpoint
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
//! | [`doctor`] | checks over home, index, keys and what is published; what mends the findings |
//! | [`backup`] | archives of a home: made, verified, and restored without forgetting what was published since |
//! | [`import`] | what other programs' CAs were: `index.txt`, certificates, keys and CRL numbers, read and not changed |
//! | [`ocsp`] | requests, answers, the responder, its cache, HTTP and server; the client |
//! | [`clock`] | the only place that reads the system's time |
//! | [`assembly`] | configuration → working objects; the only place that names adapters |
//! | [`document`], [`error`] | TOML with line numbers; what is told to people, and the codes of it |
//! | [`failpoint`] | places where a test has the process killed; empty in release builds |
//!
//! `tests/architecture/` holds the code to this: what is drawn above is drawn by it, from the table that it checks every
//! file against. `tests/symbols.rs` looks at what the programs link. What is where among the tests is in `tests/README.md`.
//!
//! # What cannot happen
//!
//! [`lint::Linted`] is made by `lint/linted.rs` alone, [`index::Recorded`] by `index/recorded.rs` alone and from a
//! `Linted`, and a CA's key ([`signing::CaSigner`]) takes a `Recorded` by value: signing what was not checked, what is
//! not on record, or twice, does not compile. CRLs go the same way. What is handed out is [`ca::Published`], which
//! `ca/publication/published.rs` alone makes, of what responders know of: the programs have the octets of a certificate
//! from one of these alone, and so have the formats in [`handout`], so handing out what is not published does not compile.
//! Nothing takes octets to sign: inside, a private key signs an
//! `Admitted`, which `signing/admit.rs` alone makes: a certificate or CRL that says itself that it is by this key's CA, a
//! request for this key, or the answer of this key's responder. Keys of responders ([`signing::ResponseSigner`]) and of
//! subscribers ([`signing::SubscriberKey`]) are types of their own, and neither can be had for a CA's; a [`ca::Engine`]
//! hides its keys. [`ca::IssuingAuthority`] and [`ca::CrlAuthority`] are a certificate with the key that belongs to it
//! and may be used: neither can exist wrong.
//!
//! # Where things happen
//!
//! Four walks through the code, each with the files in their order.
//!
//! ## Request to certificate
//!
//! 1. `bin/genfic-ca/commands/sign.rs` reads requests and options; `x509/csr.rs` reads each request (RFC 2986) and checks
//!    its signature over the octets received.
//! 2. `ca/run.rs` sees to room on the disk and to what was left behind; `ca/issuance/mod.rs` opens the CA's key
//!    (last walk) into an [`ca::IssuingAuthority`] (`ca/authority.rs`).
//! 3. `ca/issuance/registration.rs` asks the profile: `profile/evaluate.rs` says no with every violation, or grants a
//!    template (`profile/template.rs`), which becomes a TBSCertificate.
//! 4. `lint/linted.rs` holds it to the rules in `lint/certificate/` and makes a `Linted`.
//! 5. `ca/issuance/groups.rs` takes what is granted group by group: while one is recorded, the one before it is signed,
//!    and the one before that made public. The intent (serial number, TBSCertificate, audit event) is recorded through
//!    `index/issuance.rs` by `index/sqlite/issuing.rs`; `index/recorded.rs` makes the `Recorded`.
//! 6. `signing/ca_signer.rs` signs it: `signing/admit.rs` admits it, the signature is checked; it is recorded as issued.
//! 7. `ca/publication.rs` publishes the status (`status/publish.rs`), puts the certificate into its file
//!    (`repository/directory.rs`), and gives it back with the proof (`ca/publication/published.rs`).
//!
//! Before the record nothing happened. After it the row is pending and is never signed again: the next command abandons
//! it (`ca/maintenance/recover.rs`), which counts as revoked everywhere. A certificate is never handed out before its
//! status is published.
//!
//! ## Revoke to CRL
//!
//! 1. `bin/genfic-ca/commands/revoke.rs` finds what is meant and asks; `ca/revocation/revoke.rs` begins.
//! 2. The transition is one transaction with its audit event: `index/revocation.rs`, `index/sqlite/revoking.rs`; what may
//!    follow what is in `index/state.rs`.
//! 3. `ca/publication.rs` publishes the status: `status/publish.rs`, a small file with what changed.
//! 4. `ca/maintenance/crl.rs` compares what the CA signed last with the index (`index/contradiction.rs`), takes a number
//!    above every one that is known and raises the mark beside the key (`signing/age/mark.rs`).
//! 5. The list is encoded by `x509/crl_builder.rs`, held to the rules in `lint/crl/`, recorded and signed as a certificate
//!    is: `lint/linted.rs`, `index/recorded.rs`, `signing/ca_signer.rs`.
//! 6. `repository/directory.rs` puts it in the place of the one before, never an older one over a newer one.
//!
//! Each step after the second that fails is reported and made good by the next command; the index has the truth.
//! [`ca::Maintenance::recover`] repeats what needs no key, [`ca::Maintenance::keep_up`] what does.
//!
//! ## OCSP request to answer
//!
//! 1. `bin/genfic-ocspd/main.rs` starts what `assembly/daemon.rs` puts together: `ocsp/server/daemon.rs`.
//! 2. Beside all requests `ocsp/reload.rs` watches the files and swaps an `ocsp/snapshot.rs` in: the status
//!    (`status/snapshot.rs`), responders' certificates and keys (`ocsp/responder_files.rs`), and the newest verified CRLs
//!    (`ocsp/floor.rs`): what one of those has revoked for good is revoked, whatever the status says.
//! 3. A connection (`ocsp/server/connection.rs`) brings a request to `ocsp/http/service.rs`: the body of a POST
//!    (`ocsp/http/request_body.rs`) or the path of a GET (`ocsp/http/get_path.rs`).
//! 4. `ocsp/request.rs` reads it, `ocsp/responder.rs` plans the answer: issuer by name and key hash (`ocsp/cert_id.rs`),
//!    whether the CA is answered for (`ocsp/authority_state.rs`), the status of each certificate.
//! 5. `ocsp/cache.rs` has the answer, or it is signed: `ocsp/response_data.rs` encodes it, `signing/response_signer.rs`
//!    signs it as the responder of `ocsp/delegate.rs`, `ocsp/response.rs` frames it.
//! 6. `ocsp/http/caching.rs` says how long it may be kept.
//!
//! The daemon never opens the index.
//!
//! ## Passphrase to signature
//!
//! 1. `bin/genfic-ca/session.rs` takes what was written after `--passphrase-from` (`signing/secret/mod.rs`) and makes the
//!    sources of it (`signing/secret/sources.rs`); `assembly.rs` gives them to the store of keys.
//! 2. `ca/authority.rs` asks for the key of a CA that is on record, by what it is and the URI that the index has of it
//!    (`signing/ca_keys.rs`).
//! 3. `signing/age/store.rs` takes it for a file, reads that and asks for the passphrase: `signing/secret/read.rs` reads it from a file, a
//!    variable, a descriptor or a credential, `bin/genfic-ca/prompt.rs` from the terminal.
//! 4. What is decrypted becomes a private key in memory (`signing/soft_key.rs`) that is wiped when it is dropped, behind a
//!    [`signing::CaSigner`] (`signing/ca_signer.rs`).
//! 5. That admits what is to be signed (`signing/admit.rs`, by what `signing/contents.rs` tells of the octets), signs it
//!    by the key's scheme (`signing/soft_key/`), frames it (`x509/seal.rs`) and checks the signature before it is given
//!    out.
//!
//! ## Renewing a CA, and moving in
//!
//! With the same key, a CA's new certificate takes the place of the old one in the transaction that records it as
//! issued, and both stay on record; with a new key, it is a CA of its own that succeeds the old one
//! ([`ca::Hierarchy::generations`]). The newest generation that can issue does; the others sign CRLs until their last
//! certificate has ended ([`ca::Hierarchy::is_quiet`]).
//!
//! Directory of another program → its record, certificates and newest CRL brought together (`import/`) → plan (what a
//! dry run shows) → key encrypted anew → one transaction with everything → status, files, CRL, responder
//! (`ca/lifecycle/adopt.rs`). A CA above that others run is on record without a key, so that chains are complete.
//!
//! # Where a change goes
//!
//! | change | files |
//! |---|---|
//! | an extension | `x509/extension/mod.rs` (its object identifier; `is_known`), `lint/certificate/extensions.rs` (`KNOWN`), `x509/text/extension.rs` (how it is shown), `profile/evaluate.rs` (when it is granted) |
//! | a key store | a directory beside `signing/age/`, with [`signing::CaKeys`], which names new keys, finds those on record by their URIs, keeps their marks, and says what else it can do and which files are its own; `assembly.rs` and the files in `assembly/` that make the one there is; where it keeps files that backups are to have: `backup/entry.rs` |
//! | a command | `bin/genfic-ca/cli.rs`, `bin/genfic-ca/commands.rs` (its name, what it is about, what it runs), `bin/genfic-ca/purpose.rs` (whether it issues, revokes or looks), a file in `bin/genfic-ca/commands/` |
//! | a lint rule | `lint/certificate/mod.rs`, and a file beside it |
//! | a second index | a directory beside `index/sqlite/` that passes `index/contract/`, as `index/memory/` does; doctor and backup want a file too (`index/stored.rs`), and `status/` writes its files by `index/sqlite/row.rs` |
//! | an algorithm | a row in `x509/algorithm/`; where the library has another kind of private key for it, a file in `signing/soft_key/` |
//! | an error | a row in `error/code.rs`; a hint that names a command or an option is a value in `error/remedy/`, and words in `bin/genfic-ca/hints/`; any other is words where it is told |
//! | a check of the doctor | a file in `doctor/`, a row of `CHECKS` in `doctor/mod.rs`, and of `doctor/code.rs` for each kind of finding; what it looks at comes by `assembly/inspection.rs` |
//! | what responders are told | `status/image.rs`, `status/snapshot.rs`, `status/continuity.rs`, `status/compare.rs`; of a certificate also `index/sqlite/row.rs` |
//! | the order of publication | `ca/publication.rs` for status, certificates and chains; `ca/maintenance/own_signatures.rs` for what a CA signs after them, its CRL and its responder's certificate |
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
#[cfg(test)]
mod testing;
pub mod x509;
