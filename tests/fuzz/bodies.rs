//! What each fuzz target does with octets from outside. Nothing may panic; what is asserted must hold for every input.
#[path = "admission.rs"]
pub mod admission;
#[path = "../support/builders.rs"]
mod builders;
#[path = "status.rs"]
pub mod status;
#[path = "tokens.rs"]
pub mod tokens;

use builders::{CertificateBuilder, TestKey};
use genfic_ca::assembly::any_octets;
use genfic_ca::ceremony;
use genfic_ca::config::Config;
use genfic_ca::custody::{Block, Line, LineFault, ShareSet, lines_of_key, lines_of_share, read_block};
use genfic_ca::import::parse_index_txt;
use genfic_ca::index::{CertificateState, Revocation};
use genfic_ca::lint;
use genfic_ca::ocsp::cert_id::HashAlgorithm;
use genfic_ca::ocsp::client::Question;
use genfic_ca::ocsp::delegate::DelegatedResponder;
use genfic_ca::ocsp::responder::answer;
use genfic_ca::ocsp::response::OcspResponse;
use genfic_ca::ocsp::settings::{NotIssued, ResponderSettings};
use genfic_ca::ocsp::snapshot::{ServedIssuer, Snapshot};
use genfic_ca::ocsp::text::describe;
use genfic_ca::profile::{Profile, check_alt_name, parse_alt_name};
use genfic_ca::signing::{self, KeyError, KeyRecipient, RecipientText, ResponseSigner, Secret, TokenUri};
use genfic_ca::status::{PublishedAuthority, StatusEntry, StatusError, StatusReader};
use genfic_ca::subscriber_key::ForeignKey;
use genfic_ca::x509::{
    Certificate, CertificateId, CertificateList, CertificationRequest, CrlReason, Fingerprint, Name,
    SerialNumber, UnixTime, key_weaknesses, pem, text,
};
use std::path::Path;
use std::sync::{Arc, OnceLock};

/// What a target does with octets.
pub type Body = fn(&[u8]);

/// Every target by name.
pub const TARGETS: &[(&str, Body)] = &[
    ("admission", admission::admission),
    ("ceremony", ceremony_files),
    ("certificate", certificate),
    ("config", config),
    ("crl", crl),
    ("envelope", envelope),
    ("index_txt", index_txt),
    ("journal", journal),
    ("name", name),
    ("ocsp_request", ocsp_request),
    ("ocsp_response", ocsp_response),
    ("pem", pem_text),
    ("private_key", private_key),
    ("profile", profile),
    ("protocol", protocol),
    ("recipient", recipient),
    ("request", request),
    ("share", share),
    ("status_authorities", status::authorities),
    ("status_base", status::base),
    ("status_delta", status::delta),
    ("status_manifest", status::manifest),
    ("token_uri", token_uri),
    ("tokens", tokens::tokens),
];

/// A request for a ceremony, its answer, or what a medium has besides.
pub fn ceremony_files(octets: &[u8]) {
    let text = String::from_utf8_lossy(octets);
    match ceremony::Request::parse(&text) {
        Ok(request) => assert_eq!(ceremony::Request::parse(&request.to_toml()), Ok(request)),
        Err(mistakes) => assert!(mistakes.iter().all(|mistake| !mistake.to_string().is_empty())),
    }
    if let Ok(answer) = ceremony::Answer::parse(&text) {
        assert_eq!(ceremony::Answer::parse(&answer.to_toml()), Ok(answer));
    }
    any_octets::medium(&text);
}

/// The envelope of a key.
pub fn envelope(octets: &[u8]) {
    let text = String::from_utf8_lossy(octets);
    if let Some(written) = any_octets::envelope(&text) {
        assert_eq!(any_octets::envelope(&written), Some(written));
    }
}

/// A journal: as it is, and with the first group made whole, without a session and with one, behind whose digest no other octets come.
pub fn journal(octets: &[u8]) {
    let written = any_octets::journal(octets);
    assert!(octets.starts_with(&written), "what was read is what is there");
    const HEAD: usize = 80;
    let Some(entries) = octets.get(HEAD..) else { return };
    let mut group = octets[..HEAD].to_vec();
    let beginning = if octets[7] == b'2' { b"GFSJRNL2" } else { b"GFSJRNL1" };
    let session = if beginning.ends_with(b"2") { 4 } else { 0 };
    group[..8].copy_from_slice(beginning);
    let length = u32::try_from(entries.len().saturating_sub(session)).unwrap_or(u32::MAX);
    group[8..12].copy_from_slice(&length.to_be_bytes());
    group[12..20].copy_from_slice(&1_u64.to_be_bytes());
    group[48..80].fill(0);
    group.extend(entries);
    let said = [b"genfic-signer journal group 1\0", &group[..]].concat();
    group.extend(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &said).as_ref());
    let written = any_octets::journal(&group);
    assert!(written.is_empty() || written == group);
}

/// A frame of the signer's protocol: as it is, and as the message of a frame around it.
pub fn protocol(octets: &[u8]) {
    let read = |frame: &[u8]| {
        for again in any_octets::signer_frames(frame) {
            assert!(any_octets::signer_frames(&again).contains(&again), "what is sent is read");
        }
        if let Some(problem) = any_octets::failure_in(frame) {
            assert!(!problem.message.is_empty());
        }
    };
    read(octets);
    let (message, body) = match octets.iter().position(|octet| *octet == b'\n') {
        Some(end) => (&octets[..end], &octets[end + 1..]),
        None => (octets, &[][..]),
    };
    let parts = if body.is_empty() { String::new() } else { format!("\"parts\":[{}],", body.len()) };
    let head = [b"{", parts.as_bytes(), b"\"message\":", message, b"}"].concat();
    let lengths =
        [head.len(), body.len()].map(|length| u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes());
    read(&[&lengths.concat()[..], &head, body].concat());
}

/// Recipients of age, one a line.
pub fn recipient(octets: &[u8]) {
    let text = String::from_utf8_lossy(octets);
    for line in text.lines() {
        if let Ok(recipient) = line.parse::<RecipientText>() {
            assert_eq!(recipient.to_string(), line);
            assert!(line.parse::<KeyRecipient>().is_ok(), "what is configured is encrypted to: {line}");
        }
        let _ = line.parse::<KeyRecipient>();
    }
}

/// URIs of keys in tokens (RFC 7512), one a line.
pub fn token_uri(octets: &[u8]) {
    let text = String::from_utf8_lossy(octets);
    for line in text.lines() {
        if let Ok(uri) = line.parse::<TokenUri>() {
            assert_eq!(uri.to_string().parse::<TokenUri>(), Ok(uri), "{line}");
        }
    }
}

/// A share or a key as somebody typed it, or the record of a set of shares.
pub fn share(octets: &[u8]) {
    let text = String::from_utf8_lossy(octets);
    if let Ok(set) = ShareSet::parse(&text) {
        assert_eq!(ShareSet::parse(&set.to_string()), Ok(set));
    }
    for (number, line) in (1..).zip(text.lines()) {
        match Line::parse(number, line) {
            Ok(read) => assert_eq!(
                Line::parse(number, &read.to_string()).map(|line| line.to_string()),
                Ok(read.to_string())
            ),
            Err(LineFault::Wrong(at, is, fits)) => assert!(at > 0 && is != fits, "{line}"),
            Err(_) => {}
        }
    }
    let Ok(block) = read_block(&text) else { return };
    let lines = match &block {
        Block::Share(share) => lines_of_share(share),
        Block::Key(file) => lines_of_key(file).unwrap(),
    };
    let again: String = lines.iter().map(|line| format!("{line}\n")).collect();
    assert_eq!(read_block(&again), Ok(block));
}

/// A request for a certificate, as `sign` and `show` read it.
pub fn request(octets: &[u8]) {
    let Ok(request) = CertificationRequest::from_pem_or_der(octets) else { return };
    let _ = (text::request_text(&request), text::request_json(&request));
    let _ = (request.has_challenge_password(), key_weaknesses(request.public_key()));
    if let Ok(names) = request.subject_alt_names() {
        names.iter().for_each(|name| drop(check_alt_name(name)));
    }
    let subject = request.subject().clone();
    if let Ok(verified) = request.verified() {
        assert_eq!(verified.subject(), &subject);
    }
}

/// A certificate, as `show` and `lint` read it.
pub fn certificate(octets: &[u8]) {
    let Ok(certificate) = Certificate::from_pem_or_der(octets) else { return };
    let blocks = pem::decode_file(octets, "CERTIFICATE").expect("what was read is read again");
    let block = blocks.iter().find(|block| block.label == "CERTIFICATE").expect("it was found before");
    assert_eq!(Certificate::from_der(&block.der).expect("what was read is read again"), certificate);
    assert_eq!(certificate.fingerprint(), Fingerprint::of(&block.der), "its octets are those received");
    let _ = (text::certificate_text(&certificate), text::certificate_json(&certificate));
    let tbs = certificate.tbs();
    let _ = (lint::certificate_findings(tbs, None), lint::certificate_findings(tbs, Some(&certificate)));
    let _ = (certificate.is_ca(), certificate.key_identifier(), key_weaknesses(tbs.public_key()));
    let _ = (tbs.subject_alt_names(), certificate.is_signed_by(tbs.public_key()));
}

/// A CRL, as `crl show`, `crl check` and `lint` read it.
pub fn crl(octets: &[u8]) {
    let Ok(blocks) = pem::decode_file(octets, "X509 CRL") else { return };
    for block in blocks {
        let Ok(crl) = CertificateList::from_der(&block.der) else { continue };
        let _ = (text::crl_text(&crl, 10), text::crl_json(&crl, 10), crl.tbs().crl_number());
        let issuer = &stage().ca;
        let _ = (lint::crl_findings(crl.tbs(), None), lint::crl_findings(crl.tbs(), Some(issuer)));
        let _ = crl.is_signed_by(issuer.tbs().public_key());
        for entry in crl.tbs().entries().flatten() {
            assert!(crl.tbs().find(&entry.serial_number).is_some(), "an entry is found by its number");
        }
    }
}

/// An OCSP request, through the whole responder; the answer is one that a client can read.
pub fn ocsp_request(octets: &[u8]) {
    let stage = stage();
    for settings in [ResponderSettings::default(), stage.strict.clone()] {
        let answer = answer(octets, &stage.snapshot, &settings, None, NOW);
        OcspResponse::from_der(&answer.octets()).expect("every answer can be read");
    }
    let _ = describe(octets);
}

/// An OCSP response, as `ocsp query` and `show` read it.
pub fn ocsp_response(octets: &[u8]) {
    let _ = (describe(octets), OcspResponse::from_der(octets));
    if let Ok(answer) = stage().question.verify(octets, NOW, 300) {
        assert!(answer.this_update <= NOW.plus(300));
    }
}

/// PEM of any label.
pub fn pem_text(octets: &[u8]) {
    let text = String::from_utf8_lossy(octets);
    if let Ok(blocks) = pem::decode_all(&text) {
        for block in blocks {
            let again = pem::decode_all(&pem::encode(&block.label, &block.der)).expect("its own PEM");
            assert_eq!(again, [block]);
        }
    }
    let _ = pem::decode_file(octets, "CERTIFICATE");
}

/// A profile.
pub fn profile(octets: &[u8]) {
    if let Err(mistakes) = Profile::parse("fuzz", &String::from_utf8_lossy(octets)) {
        assert!(!mistakes.is_empty() && mistakes.iter().all(|mistake| !mistake.to_string().is_empty()));
    }
}

/// A configuration.
pub fn config(octets: &[u8]) {
    if let Err(mistakes) = Config::parse(&String::from_utf8_lossy(octets)) {
        assert!(!mistakes.is_empty() && mistakes.iter().all(|mistake| !mistake.to_string().is_empty()));
    }
}

/// The record of `openssl ca`.
pub fn index_txt(octets: &[u8]) {
    match parse_index_txt(&String::from_utf8_lossy(octets)) {
        Ok(lines) => assert!(lines.is_sorted_by(|one, next| one.line < next.line)),
        Err(wrong) => assert!(!wrong.is_empty()),
    }
}

/// A private key of another program. What is encrypted by PBES2 is not opened: it may ask for any amount of work.
pub fn private_key(octets: &[u8]) {
    let file = Path::new("fuzz.key");
    let Ok(Some(key)) = ForeignKey::find(octets, file) else { return };
    let is_legacy = octets.windows(9).any(|nine| nine == b"Proc-Type");
    let mut ask = || match is_legacy {
        true => Ok(Secret::new("fuzz".into())),
        false => Err(KeyError::SecretUnavailable(key.to_string())),
    };
    if let Ok(key) = key.open(file, &mut ask) {
        signing::SubscriberKey::from(key).request(&Name::empty(), &[]).expect("a key that was taken signs");
    }
}

/// Names as people type them: `C=BE,O=Example`, `DNS:a.example`.
pub fn name(octets: &[u8]) {
    let text = String::from_utf8_lossy(octets);
    for line in text.lines() {
        if let Ok(name) = Name::parse(line) {
            let again = Name::parse(&name.to_string()).expect("a name as it is shown can be typed");
            assert_eq!(again, name, "{line}");
        }
        if let Ok(name) = parse_alt_name(line) {
            assert_eq!(check_alt_name(&name).as_ref(), Ok(&name), "{line}");
        }
    }
}

/// The time on stage.
pub const NOW: UnixTime = UnixTime(1_800_000_000);

/// A CA with a responder, always the same: number 2 is good, 3 revoked, the others were never issued.
pub struct Stage {
    /// The CA.
    pub ca: Certificate,
    snapshot: Snapshot,
    strict: ResponderSettings,
    /// About number 2.
    pub question: Question,
}

struct Status(Vec<PublishedAuthority>);

impl StatusReader for Status {
    fn entry(&self, id: &CertificateId) -> Result<Option<StatusEntry>, StatusError> {
        let state = match id.serial_number.as_be_octets() {
            [2] => CertificateState::Issued,
            [3] => CertificateState::Revoked(Revocation {
                revoked_at: NOW.plus(-1000),
                reason: Some(CrlReason::KeyCompromise),
                invalidity_date: None,
            }),
            _ => return Ok(None),
        };
        Ok(Some(StatusEntry { state, not_after: Some(NOW.plus(86_400)) }))
    }

    fn authorities(&self) -> &[PublishedAuthority] {
        &self.0
    }

    fn change(&self) -> u64 {
        1
    }

    fn time(&self) -> UnixTime {
        NOW
    }
}

fn issue(
    serial: u8,
    subject: &str,
    key: &TestKey,
    issuer: Option<&Certificate>,
    by: &TestKey,
) -> Certificate {
    let certificate = CertificateBuilder::new(&Name::parse(subject).expect("a name"), key.public_key())
        .number(&SerialNumber::from_be_octets(&[serial]).expect("a number"))
        .valid(NOW.plus_days(-1), NOW.plus_days(29));
    let certificate = match issuer {
        None => certificate.into_ca(None),
        Some(issuer) => certificate.into_responder().issued_by(issuer),
    };
    certificate.signed_by(by)
}

/// The stage, set once.
pub fn stage() -> &'static Stage {
    static STAGE: OnceLock<Stage> = OnceLock::new();
    STAGE.get_or_init(|| {
        let (ca_key, responder_key) = (TestKey::ed25519_of(1), TestKey::ed25519_of(2));
        let ca = issue(1, "C=BE,O=Example,CN=CA", &ca_key, None, &ca_key);
        let certificate = issue(2, "CN=responder", &responder_key, Some(&ca), &ca_key);
        let question = Question::new(&certificate, &ca, HashAlgorithm::Sha1, None).expect("a question");
        let signer = ResponseSigner::from_pkcs8_der(responder_key.pkcs8()).expect("a key");
        let responder = DelegatedResponder::new(certificate, Arc::new(signer), &ca).expect("a responder");
        let authority = PublishedAuthority {
            name: "ca".into(),
            issuer: ca.tbs().as_issuer(),
            names: Vec::new(),
            certificate: ca.clone(),
            serves_ocsp: true,
            retires: None,
        };
        let served = ServedIssuer {
            authority: authority.clone(),
            responders: vec![Arc::new(responder)],
            is_withdrawn: false,
            stored_until: None,
        };
        let snapshot = Snapshot::new(Arc::new(Status(vec![authority])), vec![served]);
        let strict = ResponderSettings {
            not_issued: NotIssued::Revoked,
            archive_cutoff: Some(86_400),
            max_cert_ids: 1,
            ..ResponderSettings::default()
        };
        Stage { ca, snapshot, strict, question }
    })
}

/// The answer on stage.
pub fn answered(request: &[u8]) -> Vec<u8> {
    answer(request, &stage().snapshot, &ResponderSettings::default(), None, NOW).octets().to_vec()
}
