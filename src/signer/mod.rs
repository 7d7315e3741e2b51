//! The signer: the only part of the project that uses CA keys. It signs what its own rules admit, after its journal
//! has it.
//!
//! `service/` answers requests, `client/` asks them for the programs that have no key, and both speak `protocol/`.
mod admit;
mod bound;
mod client;
mod copies;
mod enrolment;
mod envelope;
mod envelope_text;
mod journal;
mod limits;
mod listening;
mod peer;
mod pinned_urls;
mod program;
mod protocol;
mod reconcile;
mod record;
mod rights;
mod sandbox;
mod scope;
mod service;
mod token;
mod unlocking;

pub(crate) use admit::{Admission, AdmittedContents, AdmittedTbs, KeyInUse, Refusal, Vouching};
pub(crate) use bound::Bound;
pub(crate) use client::{
    Administration, BundledKey, CustodyDoor, ForeignKeyFor, HandedKey, Link, ProposedKey, PutBack,
    RemoteJournal, RemoteKeys,
};
pub(crate) use enrolment::{Enrolment, Known};
pub(crate) use envelope::KeyEnvelope;
pub(crate) use journal::{
    Act, ActKind, Asker, JOURNAL, Journal, JournalFault, ToBeSigned, check_journal, named_keys,
};
#[cfg(debug_assertions)]
pub(crate) use journal::{JournalHead, JournalReader};
pub(crate) use listening::{
    ListeningError, Notice, Patience, Signals, Sockets, listen, passed_by_systemd, say, serve,
};
pub(crate) use peer::{Door, Life, Peer};
pub(crate) use protocol::{Failure, FrameError, Orders, WireGrant, WireTerms};
#[cfg(debug_assertions)]
pub(crate) use protocol::{Frame, Reply, Request};
pub(crate) use reconcile::{Contradiction, NamedIntent, Reconciled, Reconciliation, Row, named};
pub(crate) use record::{
    LastCrl, ListChanges, RecordError, SignatureRecord, Signed, SignedKind, Verified, WithUsed,
};
pub(crate) use rights::{ClientClass, Right};
pub(crate) use sandbox::{
    Confined, Demand, Places, confine, confine_launcher, confine_module, confine_plugins, lock_memory,
};
pub(crate) use scope::Scope;
pub(crate) use service::{
    Announcing, JournalPlace, OwnRing, OwnRules, ProfileReader, Signer, SignerParts, SourceMaker, Standing,
    serve_child,
};
pub(crate) use token::{
    HolderTokens, Launching, ModuleTerms, Modules, RemoteTokens, TokenProcess, end_with, serve_launcher,
    serve_module,
};
#[cfg(debug_assertions)]
pub(crate) use token::{token_conversations, token_frames};
pub(crate) use unlocking::{Event, Grant, Prepared, SharedRing, TokenPins};

/// Reads the terms of an unlocking.
#[cfg(debug_assertions)]
pub(crate) fn terms(terms: WireTerms) -> Result<(), Failure> {
    unlocking::Terms::try_from(terms).map(drop)
}
