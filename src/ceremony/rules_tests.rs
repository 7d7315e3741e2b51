//! The rules of the offline side: for which requests, on which dates, and what of them is signed.
use super::*;
use crate::ceremony::generation::generation;
use crate::ceremony::history::entry as signed_in_ceremony;
use crate::ceremony::{Item, checkpoint, sha256};
use crate::signing::{LocalSigner, SoftKey};
use crate::testing::{CertificateBuilder, NOW, TestKey, entry, name, tbs_cert_list};
use crate::x509::extension::{authority_key_identifier, crl_number};
use crate::x509::{CrlReason, KeyAlgorithm, SerialNumber};
use proptest::prelude::*;
use std::cell::RefCell;
use std::sync::OnceLock;

const REVOKED: Option<CrlReason> = Some(CrlReason::KeyCompromise);

/// The key of a root, and its certificate, which ends in ten years.
struct Root {
    signer: LocalSigner<SoftKey>,
    certificate: Certificate,
}

fn root() -> &'static Root {
    static ROOT: OnceLock<Root> = OnceLock::new();
    ROOT.get_or_init(|| {
        let key = SoftKey::generate(KeyAlgorithm::ED25519).unwrap();
        let builder = CertificateBuilder::new(&name("CN=Root"), key.public_key()).into_ca(None);
        let builder = builder
            .valid(NOW.plus_days(-3000), NOW.plus_days(3650))
            .signature(key.public_key().algorithm().signature_algorithm());
        let certificate = builder.signed(|tbs| key.forge(tbs));
        Root { signer: LocalSigner(key), certificate }
    })
}

fn sign(tbs: &[u8]) -> Vec<u8> {
    root().signer.0.forge(tbs)
}

/// A CRL of the root.
fn list(number: u64, this_update: UnixTime, entries: Vec<CrlEntry>) -> TbsCertList {
    let issuer = &root().certificate;
    let extensions = vec![authority_key_identifier(&issuer.key_identifier()), crl_number(number)];
    let algorithm = issuer.tbs().public_key().algorithm().signature_algorithm();
    let times = (this_update, this_update.plus_days(400));
    tbs_cert_list(algorithm, issuer.tbs().subject(), times, entries, extensions)
}

fn signed_list(number: u64, this_update: UnixTime, entries: Vec<CrlEntry>) -> CertificateList {
    let tbs = list(number, this_update, entries);
    let signature = sign(tbs.as_der());
    CertificateList::encode_signed(tbs, &signature)
}

/// A serial number of 20 octets.
fn long(first: u8) -> SerialNumber {
    let octets: Vec<u8> = std::iter::once(first).chain(1..20).collect();
    SerialNumber::from_be_octets(&octets).unwrap()
}

/// A CA below the root, from today until this day.
fn child(days: i64) -> CertificateBuilder {
    static KEY: OnceLock<TestKey> = OnceLock::new();
    let key = KEY.get_or_init(TestKey::p256);
    let number = long(0x41);
    CertificateBuilder::new(&name("CN=Below"), key.public_key())
        .number(&number)
        .issued_by(&root().certificate)
        .into_ca(Some(0))
        .valid(NOW, NOW.plus_days(days).plus(-1))
        .signature(root().certificate.tbs().public_key().algorithm().signature_algorithm())
}

fn known() -> Known {
    Known {
        issuer: root().certificate.clone(),
        mark: 7,
        crl: Some(signed_list(7, NOW.plus_days(-300), vec![entry(&[9], REVOKED)])),
        history: History::default(),
        used: UsedSerials::default(),
        others: Vec::new(),
        named: Vec::new(),
    }
}

fn request(items: Vec<ToBeSigned>) -> Request {
    Request {
        authority: "root".into(),
        key: base16ct::lower::encode_string(&root().certificate.tbs().public_key().digest()),
        made: NOW,
        until: NOW.plus_days(60),
        crl_number: 7,
        crl: known().crl,
        certificate: None,
        history: History::default(),
        checkpoint: None,
        ended: Vec::new(),
        items: items.into_iter().map(|tbs| Item { tbs, why: "a test".into(), beside: None }).collect(),
    }
}

fn with_history(request: Request, entries: u8) -> Request {
    let history = History((1..=entries).map(signed_in_ceremony).collect());
    let vouched = checkpoint(&root().signer, root().certificate.tbs().subject(), &history).unwrap();
    Request { history, checkpoint: Some(vouched), ..request }
}

fn code(outcome: Result<(), Problem>) -> &'static str {
    outcome.err().map_or("", |problem| problem.code.code())
}

fn admitted(request: &Request, known: &Known) -> Result<usize, Problem> {
    let recorded = RefCell::new(0);
    let record = |_: &[u8]| {
        *recorded.borrow_mut() += 1;
        Ok(())
    };
    let admitted = admit(request, known, NOW.plus_days(1), &record)?;
    assert_eq!(admitted.len(), *recorded.borrow(), "each is on record before it is signed");
    Ok(admitted.len())
}

#[track_caller]
fn refused(items: Vec<ToBeSigned>, told: &str) {
    let problem = admitted(&request(items), &known()).unwrap_err();
    assert_eq!(problem.code, Code::CeremonyRefused, "{}", problem.message);
    assert!(problem.message.contains(told), "{told}: {}", problem.message);
}

#[test]
fn a_serial_number_that_was_used_before_the_key_came_to_the_medium_is_not_signed_again() {
    // G6, X4
    let tbs = child(30).tbs();
    let serial = tbs.serial_number().clone();
    let asked = request(vec![ToBeSigned::Certificate(tbs)]);
    assert_eq!(admitted(&asked, &known()).unwrap(), 1);
    let mut used = UsedSerials::default();
    used.add(serial.clone(), NOW.plus_days(30));
    let problem = admitted(&asked, &Known { used, ..known() }).unwrap_err();
    assert_eq!(problem.code, Code::CeremonyRefused, "{}", problem.message);
    assert!(
        problem.message.contains(&format!("the serial number {serial} was signed before")),
        "{}",
        problem.message
    );
}

#[test]
fn a_request_is_for_this_key_extends_what_the_medium_knows_and_is_answered_once() {
    // G6
    let (digest, fresh) = (sha256(b"a request"), request(Vec::new()));
    let check = |request: &Request, known: &Known| code(check_request(request, &digest, known));
    assert_eq!(check(&fresh, &known()), "");
    let other = Request { key: sha256(b"another key"), ..fresh.clone() };
    assert_eq!(check(&other, &known()), "ceremony.other");
    // of three that the medium signed the request knows two, three, or four
    let medium = Known { history: History((1..=3).map(signed_in_ceremony).collect()), ..known() };
    for (entries, told) in [(0, "ceremony.behind"), (2, "ceremony.behind"), (3, ""), (4, "")] {
        assert_eq!(check(&with_history(fresh.clone(), entries), &medium), told, "{entries}");
    }
    let mut drifted = with_history(fresh.clone(), 4);
    drifted.history.0[1] = signed_in_ceremony(99);
    assert_eq!(check(&drifted, &medium), "ceremony.behind");
    // a longer history counts only when the key vouches for it
    let longer = with_history(fresh.clone(), 4);
    let shorter_word = with_history(fresh.clone(), 3).checkpoint;
    assert_eq!(check(&Request { checkpoint: shorter_word, ..longer.clone() }, &medium), "ceremony.other");
    assert_eq!(check(&Request { checkpoint: None, ..longer.clone() }, &medium), "ceremony.other");
    let stranger = LocalSigner(SoftKey::generate(KeyAlgorithm::ED25519).unwrap());
    let word = checkpoint(&stranger, &name("CN=Root"), &longer.history).unwrap();
    assert_eq!(check(&Request { checkpoint: Some(word), ..longer.clone() }, &medium), "ceremony.other");
    let answered = code(check_request(&longer, &longer.history.0[3].request.clone(), &medium));
    assert_eq!(answered, "ceremony.answered");
    // numbers of CRLs
    assert_eq!(check(&Request { crl_number: 6, ..fresh.clone() }, &known()), "ceremony.behind");
    assert_eq!(check(&fresh, &Known { mark: 8, ..known() }), "ceremony.behind");
    let forged = CertificateList::encode_signed(list(7, NOW.plus_days(-300), Vec::new()), &[1; 64]);
    assert_eq!(check(&Request { crl: Some(forged), ..fresh }, &known()), "ceremony.other");
}

#[test]
fn a_certificate_is_the_cas_own_or_below_it_and_goes_beyond_nothing() {
    // G6, K3
    let of = |builder: CertificateBuilder| vec![ToBeSigned::Certificate(builder.tbs())];
    assert_eq!(admitted(&request(of(child(3000))), &known()).unwrap(), 1);
    refused(of(child(3000).named_by(&name("CN=Another"))), "names CN=Another as its issuer");
    refused(of(child(4000)), "outlives its issuer");
    refused(of(child(1)), "has ended by");
    let mut again = request(of(child(3000)));
    let mut signed = signed_in_ceremony(1);
    (signed.kind, signed.name) = ("certificate".into(), long(0x41).to_string());
    again.history = History(vec![signed]);
    let problem = admitted(&again, &known()).err().unwrap();
    assert!(problem.message.contains("was signed before"), "{}", problem.message);
    let mut without_usage = child(3000);
    without_usage.extensions.retain(|one| one.oid != crate::x509::extension::KEY_USAGE);
    let problem = admitted(&request(of(without_usage)), &known()).err().unwrap();
    assert_eq!(problem.code, Code::LintRefused, "{}", problem.message);
    // the root's own next certificate outlives the one that is there
    let next = CertificateBuilder::of(root().certificate.tbs())
        .number(&long(0x42))
        .valid(NOW, NOW.plus_days(7305).plus(-1));
    assert_eq!(admitted(&request(of(next.clone())), &known()).unwrap(), 1);
    let other_name = name("CN=Other Root");
    refused(of(next.clone().named(&other_name).named_by(&other_name)), "would call itself CN=Other Root");
    // once the key has signed it, it is what a medium goes by that another one renewed
    let own = || root().certificate.clone();
    let next = next.signed(sign);
    assert_eq!(newest(own(), Some(&next)), next);
    assert_eq!(newest(next.clone(), Some(&own())), next);
    let forged = CertificateBuilder::of(next.tbs()).unsigned();
    let of_another = child(5000).signed(sign);
    assert!(newest(own(), Some(&forged)) == own() && newest(own(), Some(&of_another)) == own());
    let known = Known { issuer: next, ..known() };
    assert_eq!(admitted(&request(of(child(4000))), &known).unwrap(), 1);
}

/// The certificate of a root of the same name and another key. Anybody can make one.
fn other_root() -> Certificate {
    let key = SoftKey::generate(KeyAlgorithm::ED25519).unwrap();
    let builder = CertificateBuilder::new(&name("CN=Root"), key.public_key()).into_ca(None);
    let builder =
        builder.valid(NOW, NOW.plus_days(3000)).signature(key.public_key().algorithm().signature_algorithm());
    builder.signed(|tbs| key.forge(tbs))
}

/// A request for the key rollover certificate of this root by the other.
fn link(other: &Certificate) -> Request {
    let builder = CertificateBuilder::of(other.tbs()).number(&long(0x43)).issued_by(&root().certificate);
    let tbs = builder.valid(NOW, NOW.plus_days(2000).plus(-1)).tbs();
    let mut request = request(vec![ToBeSigned::Certificate(tbs)]);
    request.items[0].beside = Some(other.clone());
    request
}

#[test]
fn the_key_links_itself_with_no_generation_that_the_request_alone_knows() {
    // G6, K3
    let (other, third) = (other_root(), other_root());
    let asked = link(&other);
    let refused = |request: &Request, known: Known, told: &str| {
        let problem = admitted(request, &known).unwrap_err();
        assert_eq!(problem.code, Code::CeremonyRefused, "{}", problem.message);
        assert!(problem.message.contains(told), "{told}: {}", problem.message);
        problem.hint
    };
    let hint = refused(&asked, known(), "no profile and no envelope limits");
    let wanted = remedy::Authority::NameGeneration(other.fingerprint().to_string());
    assert_eq!(hint, wanted.into());
    // another one that was named, or lies there, vouches for nothing
    let named =
        |all: &[&Certificate]| Known { named: all.iter().map(|one| one.fingerprint()).collect(), ..known() };
    let there = |one: &Certificate| Known { others: vec![one.clone()], ..known() };
    refused(&asked, named(&[&third]), "nobody here has named that");
    refused(&asked, there(&third), "nobody here has named that");
    assert_eq!(admitted(&asked, &named(&[&other])).unwrap(), 1);
    assert_eq!(admitted(&asked, &there(&other)).unwrap(), 1);
    // what was named is what is asked for
    refused(&asked, named(&[&other, &third]), &third.fingerprint().to_string());
    let below = request(vec![ToBeSigned::Certificate(child(30).tbs())]);
    refused(&below, named(&[&other]), "asks for no link");
    // what lies there is a generation also for a request that brings none, and is told of
    let silent = request(asked.items.iter().map(|item| item.tbs.clone()).collect());
    assert!(generation(&silent.items[0], &known()).is_none());
    let known = there(&other);
    let found = generation(&silent.items[0], &known).unwrap();
    assert!(found.is_on_medium && *found.certificate == other);
}

#[test]
fn a_crl_goes_on_from_the_last_ones_of_both_sides_and_there_is_one() {
    // C1, G6
    let kept = || vec![entry(&[9], REVOKED)];
    let of = |tbs: TbsCertList| vec![ToBeSigned::Crl(tbs)];
    assert_eq!(admitted(&request(of(list(8, NOW, kept()))), &known()).unwrap(), 1);
    refused(of(list(7, NOW, kept())), "7 was taken before");
    refused(of(list(8, NOW.plus_days(-301), kept())), "before the last one");
    refused(of(list(8, NOW, Vec::new())), "lacks 09");
    refused([of(list(8, NOW, kept())), of(list(9, NOW, kept()))].concat(), "more than one CRL");
    // what the medium alone knows counts too, and its mark
    let medium = Known {
        crl: Some(signed_list(7, NOW.plus_days(-9), vec![entry(&[9], REVOKED), entry(&[8], None)])),
        ..known()
    };
    let problem = admitted(&request(of(list(8, NOW, kept()))), &medium).err().unwrap();
    assert!(problem.message.contains("lacks 08"), "{}", problem.message);
    let problem = admitted(&request(of(list(8, NOW, kept()))), &Known { mark: 8, ..known() }).err().unwrap();
    assert!(problem.message.contains("8 was taken before"), "{}", problem.message);
}

/// A certificate of the root with this serial number that ended on this day.
fn ended(number: u8, days: i64) -> Certificate {
    let serial = SerialNumber::from_be_octets(&[number]).unwrap();
    let builder = child(1).number(&serial).valid(NOW.plus_days(-900), NOW.plus_days(days));
    builder.signed(sign)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_date_is_taken_from_the_last_thing_that_was_signed_until_the_request_ends(
        made in 0i64..500, lasts in 0i64..60, own in 0i64..600, other in 0i64..600, date in -10i64..700,
    ) {
        let at = |day: i64| NOW.plus_days(day);
        let request = Request {
            made: at(made), until: at(made + lasts), crl: Some(signed_list(7, at(other), Vec::new())),
            ..request(Vec::new())
        };
        let known = Known { crl: Some(signed_list(7, at(own), Vec::new())), ..known() };
        let first = made.max(own).max(other);
        let is_taken = (first..=made + lasts).contains(&date);
        let told = code(check_date(&request, &known, at(date)));
        prop_assert_eq!(told, if is_taken { "" } else { "ceremony.date" });
        prop_assert_eq!(bounds(&request, &known), (at(first), at(made + lasts)));
    }

    #[test]
    fn no_revocation_for_good_goes_unless_the_certificate_is_shown_and_had_ended(
        rows in prop::collection::btree_map(1u8..120, (any::<bool>(), any::<bool>(), 0u8..4), 0..6),
    ) {
        // each: whether it is only on hold, whether it is kept, and what is shown of it
        let reason = |held: bool| if held { Some(CrlReason::CertificateHold) } else { REVOKED };
        let listed = NOW.plus_days(-300);
        let of = |number: u8, held| entry(&[number], reason(held));
        let last = rows.iter().map(|(number, (held, ..))| of(*number, *held)).collect();
        let next = rows.iter().filter(|(_, (_, kept, _))| *kept).map(|(number, (held, ..))| of(*number, *held));
        let next = list(8, NOW, next.collect());
        let shown = rows.iter().filter_map(|(number, (.., shown))| match shown {
            // had ended before the list; ended since; another's word for it
            1 => Some(ended(*number, -301)),
            2 => Some(ended(*number, -299)),
            3 => Some(child(1).number(&SerialNumber::from_be_octets(&[*number]).unwrap()).valid(NOW.plus_days(-900), NOW.plus_days(-301)).unsigned()),
            _ => None,
        });
        let request = Request {
            crl: Some(signed_list(7, listed, last)), ended: shown.collect(), ..request(Vec::new())
        };
        let known = Known { crl: None, ..known() };
        let may_go = rows.values().all(|(held, kept, shown)| *held || *kept || *shown == 1);
        prop_assert_eq!(check_crl(&request, &known, &next).is_ok(), may_go, "{:?}", check_crl(&request, &known, &next));
    }
}
