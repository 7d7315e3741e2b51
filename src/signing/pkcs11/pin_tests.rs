//! PINs that are asked more than once: for each signature, and for each key.
use super::*;

fn asks_before_each_signature(place: &Place) {
    place.token("Office");
    let kind = if place.module == Path::new(SOFTHSM) { "rsa:2048" } else { "EC:prime256v1" };
    let made = Command::new("pkcs11-tool")
        .arg("--module")
        .arg(&place.module)
        .args(["--token-label", "Office", "--login", "--pin", PIN, "--keypairgen", "--key-type", kind])
        .args(["--label", "card", "--id", "01", "--usage-sign", "--always-auth"])
        .output()
        .unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let pin = Given::new(PIN);
    let card = place.store(&pin).signer(&new("card")).unwrap();
    for _ in 0..3 {
        card.sign_request(&crate::x509::Name::parse("CN=card").unwrap(), &[]).unwrap();
    }
    assert_eq!(pin.asked(), 1, "a person types it once, the token gets it each time");
}

#[test]
fn a_key_that_wants_its_pin_before_each_signature_gets_it() {
    // G17, G20
    let name = "pins::a_key_that_wants_its_pin_before_each_signature_gets_it";
    in_a_process_of_its_own(name, SOFTHSM, asks_before_each_signature);
}

#[test]
fn a_key_of_another_make_that_wants_its_pin_before_each_signature_gets_it() {
    // G17, G20
    let name = "pins::a_key_of_another_make_that_wants_its_pin_before_each_signature_gets_it";
    in_a_process_of_its_own(name, KRYOPTIC, asks_before_each_signature);
}

fn asks_for_each_key(place: &Place) {
    place.token("Office");
    let one = place.with_pin().asking_for_each_key().make_key(&new("one"), KeyAlgorithm::P256).unwrap();
    let wrong = Given::new(WRONG);
    for _ in 0..20 {
        let refused = place.store(&wrong).asking_for_each_key().open_key(&new("one")).err().unwrap();
        assert_eq!(code(refused).0, Code::KeyPinWrong);
    }
    assert_eq!(wrong.asked(), 20);
    place.with_pin().asking_for_each_key().make_key(&new("other"), KeyAlgorithm::P256).unwrap();
    drop(one);
    // the token never got the wrong one
    place.with_pin().asking_for_each_key().open_key(&new("other")).unwrap();
}

#[test]
fn what_one_has_unlocked_in_a_token_is_opened_by_no_wrong_pin() {
    // G17, K2
    let name = "pins::what_one_has_unlocked_in_a_token_is_opened_by_no_wrong_pin";
    in_a_process_of_its_own(name, KRYOPTIC, asks_for_each_key);
}
