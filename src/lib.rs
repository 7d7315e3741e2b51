//! A private certificate authority: the engine behind `genfic-ca`, the responder behind `genfic-ocspd`, and the
//! custody of keys behind `genfic-key`.
//!
//! # Who may use whom
//!
//! Each line names a module and the modules that it may use: the programs at the top, values and DER at the bottom.
//!
//! ```text
//! bin/genfic-ca      assembly doctor backup export ca ocsp ceremony config import subscriber_key signing index
//!                    repository home audit calendar lint profile x509 error
//! bin/genfic-key     assembly custody signing home x509 error failpoint
//! bin/genfic-signer  assembly signing home error
//! bin/genfic-ocspd   assembly ocsp config signing home error failpoint
//! ---------------------------
//! assembly           doctor backup ca ocsp signer ceremony config signing status index repository home audit clock
//!                    profile x509 error
//! ---------------------------
//! doctor             backup ca ocsp config signing status index repository home audit profile x509 error
//! ---------------------------
//! backup             signer signing status index home audit x509 error failpoint
//! export             ca signing x509 error
//! ---------------------------
//! signer             subscriber_key signing index home lint profile document par_map x509 error failpoint
//! ca                 ceremony config signing status index repository home audit clock lint profile par_map x509
//!                    error failpoint
//! ocsp               config signing status index home clock par_map x509 error failpoint
//! ---------------------------
//! ceremony           signing index home lint document x509 error failpoint
//! config             signing profile document x509 error
//! custody            signing document x509 error
//! subscriber_key     signing home x509 error
//! import             signing index home x509 error
//! ---------------------------
//! signing            index home par_map x509 error failpoint
//! status             index repository home audit x509 error failpoint
//! ---------------------------
//! index              home audit lint x509 error failpoint
//! repository         home x509 error failpoint
//! ---------------------------
//! home               audit x509 error failpoint
//! ---------------------------
//! audit              x509
//! calendar           x509 error
//! clock              x509
//! lint               x509
//! profile            document x509 error
//! ---------------------------
//! document           error
//! par_map            failpoint
//! x509               error
//! ---------------------------
//! error
//! failpoint
//! ```
//!
//! | module | what it is |
//! |---|---|
//! | [`x509`] | names, keys, certificates, requests, CRLs, extensions (RFC 5280, RFC 2986) as DER and as text; pure |
//! | [`profile`] | issuance policy: what is granted to an applicant, or every violation at once; pure |
//! | [`lint`] | rules over encoded certificates and CRLs, one per file; makes [`lint::Linted`]; pure |
//! | [`signing`] | keys by what they sign: [`signing::CaSigner`], [`signing::ResponseSigner`], [`signing::SubscriberKey`]; the stores of CA keys: [`signing::CaKeys`], in age files and in tokens (PKCS#11); passphrases and PINs |
//! | [`custody`] | shares of a key's passphrase, their form on paper and its typing, printed pages; no I/O |
//! | [`subscriber_key`] | file formats of subscribers' keys |
//! | `signer` | the signer of CA keys: protocol, rules of admission, envelopes of keys, journal |
//! | [`ceremony`] | keys kept offline: media with a key and all that it needs; requests that a home makes of such a key, and the answers |
//! | [`index`] | the record of certificates, their states and audit events; SQLite |
//! | [`status`] | the status that the index publishes for responders: files in a form of their own, their writer and their reader |
//! | [`audit`] | audit events and their hash chain; pure |
//! | [`repository`] | public files and issued certificates; never replaces a CRL by an older one |
//! | [`home`] | paths, owners and modes; atomic writes; locks of running commands; the disk reserve for revocation; half-written files |
//! | [`config`] | `genfic-ca.toml` → checked values; unknown keys refused; pure |
//! | [`ca`] | [`ca::Engine`] and its use cases (issuance, maintenance, revocation, lifecycle): decides the order of steps within each use case; the doctor repairs in the order of its checks |
//! | [`calendar`] | expiries and due dates, as text, SVG and iCalendar; pure |
//! | [`export`] | exports for other programs: PKCS#7, PKCS#12, names of hashed directories, snippets for servers; no I/O |
//! | [`doctor`] | checks of home, index, keys and published files; repairs of the findings |
//! | [`backup`] | archives of a home: made, verified, and restored without losing what was published since |
//! | [`import`] | CAs of other programs: `index.txt`, certificates, keys and CRL numbers, read and not changed |
//! | [`ocsp`] | requests, responses, the responder, its cache, HTTP and server; the client |
//! | [`clock`] | the only place that reads the system's time |
//! | [`assembly`] | configuration → working objects; the only place that names adapters |
//! | [`document`], [`error`] | TOML with line numbers; problems as shown to people, and their codes |
//! | `par_map` | pieces of work that do not depend on each other, over all processors |
//! | [`failpoint`] | points at which a test has the process killed; empty in release builds |
//!
//! `tests/architecture/` draws the map above and checks every file against its table. `tests/symbols.rs` checks
//! what the programs link. `tests/README.md` says what each test is for.
//! `ca-layout/doc/` is the manual, by task.
//!
//! # What cannot happen
//!
//! The types rule out the following mistakes.
//!
//! - Signing what was not checked, what is not on record, or the same record twice does not compile. Only
//!   `lint/linted.rs` makes a [`lint::Linted`]; only `index/recorded.rs` makes an [`index::Recorded`], from a
//!   `Linted`; a CA's key ([`signing::CaSigner`]) takes a `Recorded` by value. The same holds for CRLs.
//! - Handing out a certificate that is not published does not compile. Only `ca/publication/published.rs` makes a
//!   [`ca::Published`], for certificates whose status responders have. The programs and the formats in [`export`]
//!   get the octets of a certificate from a `Published` alone.
//! - No interface signs arbitrary octets. A private key signs an `Admitted`, which only `signing/admit.rs` makes: a
//!   certificate or CRL that names this key's CA as its issuer, a request for this key, a response of this key's
//!   responder, or the number and digest of a file of such responses.
//! - A CA's key cannot be used as another kind of key. Keys of responders ([`signing::ResponseSigner`]) and of
//!   subscribers ([`signing::SubscriberKey`]) are types of their own, which cannot be made from a CA's key; a
//!   [`ca::Engine`] hides its keys.
//! - A CA cannot be opened with the wrong key. [`ca::IssuingAuthority`] and [`ca::CrlAuthority`] are a certificate
//!   with its key, and exist only if the two match and the certificate allows this use.
//!
//! # Where things happen
//!
//! Each list follows one task through the code, with the files in their order.
//!
//! ## Request to certificate
//!
//! 1. `bin/genfic-ca/commands/sign.rs` reads requests and options; `x509/csr.rs` reads each request (RFC 2986) and
//!    checks its signature over the octets received.
//! 2. `ca/run.rs` makes sure of disk space and recovers from commands that were cut short; `ca/issuance/mod.rs`
//!    opens the CA's key (see "Passphrase to signature") into an [`ca::IssuingAuthority`] (`ca/authority.rs`).
//! 3. `ca/issuance/evaluation.rs` evaluates the profile: `profile/evaluate.rs` refuses with every violation, or
//!    grants a template (`profile/template.rs`), which becomes a TBSCertificate.
//! 4. `lint/linted.rs` checks it against the rules in `lint/certificate/` and makes a `Linted`.
//! 5. `ca/issuance/pipeline.rs` works in batches: while one is recorded, the one before it is signed, and the one
//!    before that published. The intent (serial number, TBSCertificate, audit event) is recorded through
//!    `index/issuance.rs` by `index/sqlite/issuing.rs`; `index/recorded.rs` makes the `Recorded`.
//! 6. `signing/ca_signer.rs` signs it: `signing/admit.rs` admits it, and the signature is verified. It is recorded
//!    as issued.
//! 7. `ca/publication.rs` publishes the status (`status/publish.rs`), writes the certificate into its file
//!    (`repository/directory.rs`), and returns it with the proof of publication (`ca/publication/published.rs`).
//!
//! A crash before the record leaves nothing behind. After it the row is pending and is never signed again: the next
//! command abandons it (`ca/maintenance/recover.rs`), which counts as revoked everywhere. A certificate is never
//! handed out before its status is published.
//!
//! ## Revoke to CRL
//!
//! 1. `bin/genfic-ca/commands/revoke.rs` finds the certificate and asks for confirmation; `ca/revocation/revoke.rs`
//!    begins.
//! 2. The transition is one transaction with its audit event: `index/revocation.rs`, `index/sqlite/revoking.rs`;
//!    `index/state.rs` defines the transitions that are allowed.
//! 3. `ca/publication.rs` publishes the status: `status/publish.rs` takes the lock, `status/addition.rs` reads what has
//!    changed since the last publication and compares it with what was published (`status/continuity.rs`),
//!    `status/delta_file.rs` adds it as a group at the end of the delta, and `status/manifest.rs` names that. A delta that
//!    has become too long is folded into a new base (`status/base_writer.rs`).
//! 4. `ca/maintenance/crl.rs` compares the last signed CRL with the index (`index/contradiction.rs`), takes a CRL
//!    number above every number known anywhere, and raises the mark beside the key (`signing/age/mark.rs`).
//! 5. `x509/crl_builder.rs` encodes the CRL. Like a certificate it is checked against the rules in `lint/crl/`,
//!    recorded and signed: `lint/linted.rs`, `index/recorded.rs`, `signing/ca_signer.rs`.
//! 6. `repository/directory.rs` replaces the published CRL, never a newer one by an older one.
//! 7. Where delta CRLs are configured, `ca/maintenance/delta.rs` makes one beside it: from the one before, from what the
//!    CRL says otherwise than the last (`ca/maintenance/difference.rs`), and without what has not changed since its base.
//!    The signer compares it with what it noted of each complete CRL since that base (`signer/record/changes.rs`).
//!
//! Several certificates at once go through `bin/genfic-ca/commands/several.rs` and `ca/revocation/several.rs`: the
//! second step for each, then the others once, with one CRL of each CA.
//!
//! A failure after the second step is reported, and the next command completes the step; the index has the truth.
//! [`ca::Maintenance::recover`] repeats steps that need no key, [`ca::Maintenance::maintain`] those that do.
//!
//! ## OCSP request to answer
//!
//! 1. `bin/genfic-ocspd/main.rs` starts what `assembly/daemon.rs` assembles: `ocsp/server/daemon.rs`.
//!    SIGHUP replaces `ocsp/rules.rs`, what the configuration says of answers.
//! 2. Independently of requests, `ocsp/reload.rs` watches the files (`ocsp/watch.rs`, `ocsp/server/changes.rs`) and swaps in
//!    an `ocsp/snapshot.rs`: the status (`status/snapshot.rs`: the table of the base, and the delta), responders'
//!    certificates and keys (`ocsp/responder_files.rs`), and the newest
//!    verified CRLs (`ocsp/floor.rs`). A certificate that such a CRL revokes for good is revoked, whatever the
//!    status says.
//!    `ocsp/health.rs` logs what is lacking.
//! 3. A connection (`ocsp/server/connection.rs`) brings a request to `ocsp/http/service.rs`: the body of a POST
//!    (`ocsp/http/request_body.rs`) or the path of a GET (`ocsp/http/get_path.rs`).
//! 4. `ocsp/cache.rs` has the answer by the octets of the request when it was compared with this snapshot before, and
//!    puts it together from what differs. Otherwise `ocsp/request.rs` reads the request, and `ocsp/responder.rs` plans the
//!    response: issuer by name and key hash (`ocsp/cert_id.rs`), whether OCSP is served for the CA
//!    (`ocsp/authority_state.rs`), the status of each certificate (`status/changes.rs`, or one block that `status/base.rs`
//!    reads). A kept answer that says the same is used on.
//! 5. Else it is made (`ocsp/http/signing.rs`): `ocsp/response_data.rs` encodes it, `signing/response_signer.rs` signs it
//!    with the key of the responder in `ocsp/delegate.rs`, where the request is or, for keys that take longer, on a thread
//!    of `ocsp/http/signers.rs`; `ocsp/response.rs` frames it.
//! 6. `ocsp/http/replies.rs` makes the reply, `ocsp/http/caching.rs` sets how long clients may cache it, and
//!    `ocsp/http/access.rs` notes it where there is an access log. `ocsp/metrics/mod.rs` counts it, and
//!    `ocsp/server/watched.rs` says the numbers to those who watch.
//!
//! The daemon never opens the index.
//!
//! With a file of answers it never signs either: `ocsp/presigned/file.rs` takes the status's place, `ocsp/presigned/store.rs`
//! finds the record of a certificate, and `ocsp/presigned/answering.rs` puts the answer together. `genfic-ca ocsp presign`
//! makes the file: `ocsp/presigned/make.rs` decides what is to be signed, from the status and what an earlier file has
//! (`ocsp/presigned/former.rs`), and `ocsp/presigned/writer.rs` writes it.
//!
//! ## Passphrase to signature
//!
//! 1. `bin/genfic-ca/session.rs` parses `--passphrase-from` (`signing/secret/mod.rs`) and makes the passphrase
//!    sources (`signing/secret/sources.rs`); `assembly.rs` gives them to the key store.
//! 2. `ca/authority.rs` asks for the key of a CA on record, by its identity and the key's URI in the index
//!    (`signing/ca_keys.rs`).
//! 3. `signing/age/store.rs` finds and reads the key file, and asks for the passphrase. `signing/secret/read.rs`
//!    reads it from a file, an environment variable, a descriptor or a credential, `bin/genfic-ca/prompt.rs` from
//!    the terminal, where a wrong one is asked for again. The file key of one file does too, which `genfic-key open` writes
//!    (`signing/file_key_text.rs`, `signing/age/file_key.rs`). New ones are judged by `signing/secret/policy.rs`;
//!    `signing/age/reencrypt.rs` replaces the file by one that a new passphrase opens.
//! 4. The decrypted private key is kept in memory (`signing/soft_key.rs`), wiped when it is dropped, behind a
//!    [`signing::CaSigner`] (`signing/ca_signer.rs`).
//! 5. The signer admits the octets to be signed (`signing/admit.rs`, by what `signing/contents.rs` reads in them),
//!    signs them by the key's scheme (`signing/soft_key/`), frames them as `SIGNED{}` (`x509/encode_signed.rs`) and verifies
//!    the signature before it returns it.
//!
//! ## Ceremony
//!
//! 1. `ca/lifecycle/ceremony.rs` grants and lints what a key that is offline is asked for, keeps the request
//!    (`requests/NAME.ceremony`), and records its certificates and its CRL as any other. `ca/maintenance/recover.rs`
//!    abandons no certificate that a kept request waits for.
//! 2. Where the key is, `ceremony/signing.rs` reads the request (`ceremony/request.rs`) and what the medium knows;
//!    `ceremony/rules.rs` decides, by a date that people give; `ceremony/generation.rs` knows a link of two generations of
//!    the key, whose other one people name. The medium has the answer before anybody else.
//! 3. `ca/lifecycle/ceremony_answer.rs` takes the answer (`ceremony/answer.rs`) in: issued, published, and the chain of what
//!    the key signed (`ceremony/history.rs`), for which the key vouches, kept for the next request.
//!
//! ## Renewing a CA, and importing one
//!
//! With the same key, a CA's new certificate replaces the old one in the transaction that records it as issued, and
//! both stay on record. With a new key, it is a CA of its own that succeeds the old one
//! ([`ca::Hierarchy::generations`]). The newest generation that can issue does so; the others sign CRLs until their
//! last certificate has expired, and are retired then ([`ca::Hierarchy::is_retired`]).
//!
//! A CA of another program is imported in these steps: its record, certificates and newest CRL are read and
//! compared (`import/`); a plan is made, which a dry run shows; its key is encrypted anew; everything is recorded
//! in one transaction; status, files, CRL and responder certificate are published (`ca/lifecycle/adopted.rs`). An
//! external CA in its issuer path is put on record without a key, so that chains are complete.
//!
//! # Where a change goes
//!
//! | change | files |
//! |---|---|
//! | an extension | `x509/extension/mod.rs` (its object identifier; `is_known`), and a file beside it for its contents; `x509/text/extension.rs` (`NAMES`, `decode`: its text form); `lint/certificate/extensions.rs` (`KNOWN`); `profile/mod.rs` or the file of a section, such as `profile/usage.rs` (the key by which a profile grants it); `policy/README.md` (that key); `profile/evaluate.rs` (`extensions`: when it is granted, and its place in the order) |
//! | a key store | a directory beside `signing/age/` that implements [`signing::CaKeys`]: names new keys, finds those on record by their URIs, keeps their CRL number marks, and says which operations it supports and which files are its own; `signing/mod.rs`; `signing/keystore.rs`, which chooses for new keys; `signing/vault.rs`, by which the signer opens its keys; `signing/contract/`, which its tests run; `assembly/signer.rs`, which makes the present ones; `config/sections.rs` (its settings); `bin/genfic-ca/cli/authority.rs` and `bin/genfic-ca/cli/renewal.rs` (`--keystore`); `tests/architecture/adapters.rs`, `tests/symbols.rs`; if it keeps files that belong into backups: `backup/entry.rs`, `backup/check.rs`, `backup/collect.rs` |
//! | a command | `bin/genfic-ca/cli.rs` and a file in `bin/genfic-ca/cli/` (its options), `bin/genfic-ca/cli/examples.rs` (its group and example), `bin/genfic-ca/commands/naming.rs` (its name and object), `bin/genfic-ca/commands.rs` (what it runs), `bin/genfic-ca/purpose.rs` (whether it issues, revokes or only reads), a file in `bin/genfic-ca/commands/`; `tests/cli/help.trycmd`, `tests/input/all_commands/mod.rs` |
//! | what `--ensure` compares | `ca/difference.rs`; `ca/lifecycle/comparison.rs` (CAs), `ca/lifecycle/cross_comparison.rs`, `ca/issuance/before.rs` (requests); `bin/genfic-ca/commands/ensure/` and `bin/genfic-ca/commands/sign/ensured.rs` (what is done and said); `ca-layout/ansible/` |
//! | a lint rule | an entry of `RULES` and a case in `broken` in the file of its part, in `lint/certificate/` or for CRLs in `lint/crl/`; a new file is also named in `lint/certificate/mod.rs` or `lint/crl/mod.rs` |
//! | a second index | a directory beside `index/sqlite/`, named in `index/mod.rs`, that passes `index/contract/` as `index/memory/` does, and implements `index/stored.rs` (a copy as a file) for doctor and backup; `assembly.rs`, `assembly/init.rs`, `assembly/inspection.rs` and `assembly/backup.rs`, which make the present one; `config/sections.rs`; files that take the index for a file: `home/layout.rs`, `home/survey.rs`, `backup/mod.rs` (`Stores`), `doctor/mod.rs`; `tests/architecture/adapters.rs`, `tests/symbols.rs`; `status/former.rs`, which reads rows of the former status files by `index/sqlite/row.rs` |
//! | an algorithm | a `KeyScheme` in a file of `x509/algorithm/`, entered in `SCHEMES` in `x509/algorithm/mod.rs`; for another signature with the same keys, `other_signatures` of their scheme; if the library has another kind of private key for it: `PrivateAlgorithm` in `x509/algorithm/scheme.rs`, a file in `signing/soft_key/`, `signing/soft_key.rs`, `signing/soft_key/private_half.rs`; weaknesses of its keys: `x509/key_strength.rs` |
//! | an error | a row in `error/code.rs`; a hint that names a command or an option is a value in `error/remedy/`, with its words in `bin/genfic-ca/hints/`; the words of any other hint are where the error is made |
//! | a check of the doctor | a file in `doctor/`, a row of `CHECKS` in `doctor/mod.rs`, and a row of `doctor/code.rs` for each kind of finding; its inputs come from `assembly/inspection.rs`; a repair is a `Mending` in `doctor/finding.rs`, made in `doctor/mend.rs`, and its command a value in `error/remedy/repair.rs` |
//! | the published status of a certificate | `index/state.rs` and `index/sqlite/row.rs` for a part of its state, with a new file in `index/sqlite/schema/`; otherwise `StatusRow` in `index/record.rs`, `index/sqlite/reading.rs`, `index/memory/reading.rs` and `status/reader.rs`; `status/entry.rs` (its octets, with a new version of base and delta), `status/manifest.rs` (`VERSION`: files of another are not continued), `status/compare.rs`, `status/any_octets.rs`, `ca-layout/doc/internals.md`; `ocsp/responder.rs` and `ocsp/response_data.rs`, which answer by it |
//! | the published status of a CA | `status/authority.rs`, `status/authorities_file.rs`, `status/compare.rs`; `ocsp/authority_state.rs` |
//! | the order of publication | `ca/publication.rs` for status, certificates and chains; `ca/maintenance/own_signatures.rs` for the CRL of a CA and the certificate of its responder, which the CA signs after them (`WithoutCrl`, which `ca/lifecycle/new_key.rs`, `ca/lifecycle/adopted.rs` and `ca/maintenance/maintain.rs` pass, says what a failure holds up); `ca/revocation/` after a revocation; `ca/maintenance/recover.rs` after a crash; `doctor/mend.rs` for repairs, in the order of `CHECKS`; `ca/tests/publication_order.rs` proves it |
#![allow(
    rustdoc::private_intra_doc_links,
    reason = "the documentation is made with private items, for those who build on it"
)]

pub mod assembly;
pub mod audit;
pub mod backup;
pub mod ca;
pub mod calendar;
pub mod ceremony;
pub(crate) mod clock;
pub mod config;
pub mod custody;
pub mod doctor;
pub(crate) mod document;
pub mod error;
pub mod export;
pub mod failpoint;
pub mod home;
pub mod import;
pub mod index;
pub mod lint;
pub mod ocsp;
pub(crate) mod par_map;
pub mod profile;
pub mod repository;
pub(crate) mod signer;
pub mod signing;
pub mod status;
pub mod subscriber_key;
#[cfg(test)]
mod testing;
pub mod x509;
