//! A publisher that records each step and fails where the script says so.
use super::faulty::{Script, forward};
use crate::repository::{
    AuthorityFiles, CeremonyFile, HomeDirectory, PendingRequest, PublishError, Publisher,
};
use crate::x509::extension::CrlNumber;
use crate::x509::{Certificate, CertificateList, CrlListing, CrlSummary, Fingerprint, SerialNumber};
use std::path::PathBuf;
use std::sync::Arc;
use zeroize::Zeroizing;

pub(super) struct Publication {
    pub(super) directory: HomeDirectory,
    pub(super) script: Script,
}

type Outcome<T> = Result<T, PublishError>;

impl Publisher for Publication {
    forward! { directory write;
        is_published(name: &str, own: &Fingerprint, issuer_path: &[Fingerprint], cross_certificates: &[Fingerprint]) -> bool;
        sweep(issued_by: &[&str]);
        is_stored(authority: &str, serial_number: &SerialNumber) -> bool;
        authority(name: &str, own: &Certificate, issuer_path: &[Certificate], cross_certificates: &[Certificate])
            -> Outcome<AuthorityFiles>, "authority";
        crl(name: &str, crl: &CertificateList) -> Outcome<Vec<PathBuf>>, "crl";
        delta_crl(name: &str, crl: &CertificateList) -> Outcome<Vec<PathBuf>>, "delta";
        published_delta_crl(name: &str) -> Outcome<Option<CertificateList>>;
        delta_crl_in_place(name: &str) -> Outcome<Option<CrlSummary>>;
        published_crl(name: &str) -> Outcome<Option<CertificateList>>;
        signed_list(name: &str, certificate: &Certificate) -> Outcome<Option<Arc<CrlListing>>>;
        crl_files(name: &str) -> Outcome<Vec<PathBuf>>;
        crl_in_place(name: &str) -> Outcome<Option<CrlSummary>>;
        repeat_crl_text(name: &str) -> Outcome<()>;
        crl_number_floor(name: &str) -> Outcome<CrlNumber>;
        issued(authority: &str, certificates: &[&Certificate]) -> Outcome<Vec<PathBuf>>, "issued";
        responder(name: &str, certificate: &Certificate, key: &str) -> Outcome<PathBuf>, "responder";
        keep_responder_keys(authority: &str, keys: &[&str]) -> Outcome<()>, "responder's keys";
        responder_certificate(authority: &str) -> Option<Certificate>;
        responder_key(authority: &str) -> Option<Zeroizing<Vec<u8>>>;
        responder_token(authority: &str) -> Option<String>;
        pending_requests() -> Outcome<Vec<PendingRequest>>;
        store_pending_request(authority: &PendingRequest) -> Outcome<()>, "wait";
        ceremony(authority: &str, file: CeremonyFile) -> Outcome<Option<Vec<u8>>>;
        keep_ceremony(authority: &str, file: CeremonyFile, contents: Option<&[u8]>) -> Outcome<()>, "ceremony";
        key_move(authority: &str) -> Outcome<Option<Vec<u8>>>;
        keep_key_move(authority: &str, contents: Option<&[u8]>) -> Outcome<()>, "key move";
        move_authority(from: &str, to: &str) -> Outcome<bool>;
        remove_responder(name: &str) -> Outcome<bool>;
        place(name: &str) -> Outcome<()>;
        remove_pending_request(name: &str) -> Outcome<()>, "wait no longer";
    }
}
