//! What the service removes of a key that goes to media, and for whom.
use super::clients_tests::{WORDS, command, key, peer, root};
use super::custody_tests::{Case, OTHER, admin, resealed};
use super::ring::Ring as _;
use super::seams::Asked;
use super::test_parts::OnePassphrase;
use crate::signer::protocol::{Failure, Frame, Reply, Request, WireKey, ends, put_serial, serials};
use crate::signer::{ClientClass, KeyEnvelope, Peer, Scope, SignedKind};
use crate::signing::{KeyRef, KeyVault as _};
use crate::testing::{NOW, tbs_cert_list};
use crate::x509::extension::{authority_key_identifier, crl_number};
use crate::x509::{Certificate, SignatureAlgorithm, SubjectPublicKeyInfo, sha256};
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::sync::Arc;

/// A service whose key has signed the certificate of a root.
fn case() -> Case {
    let case = Case::new();
    case.unlock(&[Scope::Ca]);
    let opened = case.ask(&command(), Request::Open { key: key("genfic") }.into());
    let own = SubjectPublicKeyInfo::from_der(&opened.parts[0]).unwrap();
    let certificate = root(&own, |tbs| {
        let request =
            Request::SignCertificates { key: key("genfic"), issuer: false, profile: None, enrolment: false };
        let mut signed = case.ask(&command(), Frame::with(request, vec![tbs.to_vec()]));
        assert_eq!(signed.message, Reply::Signed);
        signed.parts.pop().unwrap()
    });
    case.standing.ring.lock(None);
    // as the next signature has it kept
    let keep = |name: &str, text: String| {
        let file = case.directory.path().join(name);
        if !file.exists() {
            fs::write(&file, text).unwrap();
            fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
        }
    };
    keep("genfic.pem", certificate.to_pem());
    keep("genfic.envelope.toml", KeyEnvelope::made_for(&certificate, "root-ca", None).to_toml("genfic"));
    case
}

fn lend(case: &Case, peer: &Peer) -> Result<(WireKey, Vec<Vec<u8>>), Failure> {
    let answer = case.ask(peer, Request::LendBundle { key: "genfic".into() }.into());
    match answer.message {
        Reply::Failed { failure } => Err(failure),
        Reply::Bundle { key, profile, mark: None, .. } => {
            assert_eq!(profile, "root-ca");
            Ok((key, answer.parts))
        }
        other => panic!("{other:?}"),
    }
}

fn to_media(case: &Case, peer: &Peer, file: &[u8]) -> Reply {
    let digest = base16ct::lower::encode_string(&sha256(file));
    let places = "/media/a, \"/media/b\"\n".into();
    case.ask(peer, Request::ToMedia { key: "genfic".into(), digest, places }.into()).message
}

fn on_media(case: &Case, key: &WireKey) -> Option<String> {
    match case.ask(&command(), Request::OnMedia { key: key.clone() }.into()).message {
        Reply::OnMedia { digest } => digest,
        other => panic!("{other:?}"),
    }
}

fn is_refused(reply: &Reply) -> bool {
    matches!(reply, Reply::Failed { .. })
}

#[test]
fn a_key_is_lent_with_all_that_belongs_to_it_and_is_removed_when_it_is_whole_on_media() {
    // K2, G6
    let case = case();
    case.unlock(&[Scope::Custody, Scope::Leaf]);
    let (key, parts) = lend(&case, &admin()).unwrap();
    let sealed = fs::read(case.file()).unwrap();
    let at = |name: &str| case.directory.path().join(name);
    assert_eq!((&parts[0], &parts[1]), (&sealed, &Vec::new()));
    assert_eq!(parts[2], fs::read(at("genfic.envelope.toml")).unwrap());
    assert_eq!(parts.len(), 4, "and the certificate of its CA");
    let used = case.ask(&admin(), Frame::with(Request::Used { key: key.clone() }, vec![Vec::new()]));
    let [numbers, times] = <[Vec<u8>; 2]>::try_from(used.parts).unwrap();
    let certificate = Certificate::from_der(&parts[3]).unwrap();
    assert_eq!(serials(&numbers).unwrap(), [certificate.tbs().serial_number().clone()]);
    assert_eq!(ends(&times).unwrap(), [Some(certificate.tbs().validity().not_after)]);
    assert_eq!(on_media(&case, &key), None);
    assert_eq!(to_media(&case, &admin(), &sealed), Reply::Done);
    assert!(!case.file().exists() && !at("genfic.envelope.toml").exists());
    assert!(at("genfic.pem").exists() && at("journal").exists());
    assert!(case.standing.ring.grants().is_empty(), "nobody uses it any more");
    let digest = base16ct::lower::encode_string(&sha256(&sealed));
    assert_eq!(on_media(&case, &key), Some(digest.clone()));
    let journal = fs::read(at("journal")).unwrap();
    let told = format!("goes to media; SHA-256 {digest}; the client says \"/media/a, '/media/b'\"");
    assert!(journal.windows(told.len()).any(|octets| octets == told.as_bytes()));
    // nothing is there any more
    assert!(is_refused(&to_media(&case, &admin(), &sealed)));
}

#[test]
fn nobody_has_a_key_removed_but_the_login_that_unlocked_it_and_was_lent_it_for_that() {
    // K2
    let case = case();
    let sealed = fs::read(case.file()).unwrap();
    let is_refused = |peer: &Peer, file: &[u8]| {
        let refused = is_refused(&to_media(&case, peer, file));
        refused && case.file().exists()
    };
    assert!(is_refused(&admin(), &sealed), "without a word");
    case.unlock(&[Scope::Leaf, Scope::Ca, Scope::Crl, Scope::Move]);
    assert!(lend(&case, &admin()).is_err() && is_refused(&admin(), &sealed), "for everything else");
    case.unlock_with(WORDS, &[Scope::Custody], Some(3));
    assert!(is_refused(&admin(), &sealed), "it was not lent");
    case.lend(&admin()).unwrap();
    assert!(is_refused(&admin(), &sealed), "it was lent for something else");
    lend(&case, &admin()).unwrap();
    let timer = Peer { login: None, session: None, ..peer(ClientClass::Renew, 0) };
    let other_session = Peer { session: Some(4), ..admin() };
    for one in [command(), timer, other_session, peer(ClientClass::Administrator, 1001)] {
        assert!(lend(&case, &one).is_err() && is_refused(&one, &sealed), "{one:?}");
    }
    assert!(is_refused(&admin(), b"another file"));
    assert_eq!(to_media(&case, &admin(), &sealed), Reply::Done);
}

#[test]
fn a_key_that_was_protected_anew_since_it_was_lent_is_not_removed() {
    // K1, G6
    let case = case();
    case.unlock(&[Scope::Custody]);
    let sealed = lend(&case, &admin()).unwrap().1.remove(0);
    let anew = resealed(&sealed, WORDS, OTHER, 11);
    case.put(&admin(), &sealed, &anew, OTHER).unwrap();
    case.unlock_with(OTHER, &[Scope::Custody], None);
    assert!(is_refused(&to_media(&case, &admin(), &sealed)));
    assert!(is_refused(&to_media(&case, &admin(), &anew)), "that one is not on the media");
    assert_eq!(fs::read(case.file()).unwrap(), anew);
}

#[test]
fn a_key_without_a_certificate_does_not_go_to_media() {
    // G6
    let case = Case::new();
    case.unlock(&[Scope::Custody]);
    assert!(lend(&case, &admin()).is_err());
    // and the place of a serial number is not taken for an end
    let mut part = Vec::new();
    put_serial(&mut part, &"1".parse().unwrap());
    assert!(ends(&part).is_err());
}

/// The TBSCertList of a CRL of the root.
fn crl(own: &Certificate, number: u64) -> Vec<u8> {
    let extensions = vec![authority_key_identifier(&own.key_identifier()), crl_number(number)];
    let times = (NOW, NOW.plus_days(7));
    let subject = own.tbs().subject();
    tbs_cert_list(SignatureAlgorithm::ECDSA_SHA256, subject, times, [], extensions).as_der().to_vec()
}

#[test]
fn a_key_that_signed_since_it_was_lent_is_not_removed_before_the_media_have_that_too() {
    // G6, K1
    let case = case();
    case.unlock(&[Scope::Custody, Scope::Crl]);
    let parts = lend(&case, &admin()).unwrap().1;
    let own = Certificate::from_der(&parts[3]).unwrap();
    let request = Request::SignCrl { key: key("genfic"), profile: None };
    let signed = case.ask(&command(), Frame::with(request, vec![crl(&own, 1), own.as_der().to_vec()]));
    assert_eq!(signed.message, Reply::Signed);
    for _ in 0..2 {
        let refused = to_media(&case, &admin(), &parts[0]);
        let told = format!("{refused:?}");
        assert!(is_refused(&refused) && told.contains("the key signed meanwhile"), "{told}");
        assert!(case.file().exists() && case.directory.path().join("genfic.envelope.toml").exists());
    }
    // the next ones have it
    let lent = case.ask(&admin(), Request::LendBundle { key: "genfic".into() }.into());
    let Reply::Bundle { crl: last, list, .. } = lent.message else { panic!("{:?}", lent.message) };
    assert_eq!((last, list), (Some(1), Some(base16ct::lower::encode_string(&sha256(&crl(&own, 1))))));
    assert_eq!(to_media(&case, &admin(), &parts[0]), Reply::Done);
}

#[test]
fn who_opened_a_key_before_it_went_to_media_signs_nothing_with_it_after_that() {
    // G6, K2
    let timer = Peer { login: None, session: None, ..peer(ClientClass::Renew, 0) };
    for (waiting, goes) in [(&command(), false), (&command(), true), (&timer, false), (&timer, true)] {
        let case = case();
        case.unlock(&[Scope::Custody, Scope::Crl]);
        let parts = lend(&case, &admin()).unwrap().1;
        let own = Certificate::from_der(&parts[3]).unwrap();
        let named = KeyRef::from(key("genfic"));
        let store = case.store.clone().asking(Arc::new(OnePassphrase(WORDS)));
        let opened = case.standing.ring.open(waiting, &named, &|| store.open_key(&named)).unwrap();
        if goes {
            assert_eq!(to_media(&case, &admin(), &parts[0]), Reply::Done);
        }
        // as who waited for the turn at the journal
        let asked = Asked {
            peer: waiting,
            key: &named,
            public_key: opened.public_key(),
            kind: SignedKind::Crl,
            issuer: Some(&own),
            profile: None,
            mark: None,
            enrolment: None,
        };
        let signed = case.standing.signer.sign(&opened, &asked, vec![crl(&own, 1)]);
        assert_eq!(signed.is_ok(), !goes, "{:?}: {:?}", waiting.class, signed.err());
    }
}
