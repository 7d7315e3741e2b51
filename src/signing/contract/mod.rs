//! What every store of CA keys keeps to, whether in files, in tokens or at the signer. Each store runs it in its tests.
use super::{CaKeys, CaSigner, KeyError, KeyRef};
use crate::x509::{CertificationRequest, KeyAlgorithm, Name};
use std::collections::HashSet;
use std::thread;

/// Holds a store to the contract; `new` returns the reference that a new key gets, and is called before each is made.
pub(crate) fn hold(keys: &dyn CaKeys, new: &dyn Fn(&str) -> KeyRef, algorithms: &[KeyAlgorithm]) {
    hold_all((keys, false), new, algorithms);
}

/// Holds a store to the contract in which `new` gives a key that is there, and has no certificate yet, for its CA once more.
pub(crate) fn hold_where_bound_again(
    keys: &dyn CaKeys,
    new: &dyn Fn(&str) -> KeyRef,
    algorithms: &[KeyAlgorithm],
) {
    hold_all((keys, true), new, algorithms);
}

fn hold_all(
    (keys, may_be_bound_again): (&dyn CaKeys, bool),
    new: &dyn Fn(&str) -> KeyRef,
    algorithms: &[KeyAlgorithm],
) {
    for algorithm in algorithms {
        a_key_that_is_made_signs_and_is_found_again(keys, &new(&format!("made-{algorithm}")), *algorithm);
    }
    let [algorithm, ..] = algorithms else { panic!("no key type") };
    a_key_is_never_replaced((keys, may_be_bound_again), &|| new("kept"), *algorithm);
    a_key_that_is_not_there_is_said_not_to_be(keys, &new("missing"));
    a_key_without_a_certificate_can_be_removed(keys, &|| new("removed"), *algorithm);
    a_mark_never_goes_back(keys, &new("marked"), *algorithm);
}

/// Signs a request, which proves that the key and its public half belong together.
fn signs(signer: &dyn CaSigner) {
    let subject = Name::parse("C=BE,O=Gentoo Fictional,CN=Genfic CA").unwrap();
    let request = signer.sign_request(&subject, &[]).unwrap();
    let read = CertificationRequest::from_der(&request).unwrap().verified().unwrap();
    assert_eq!(read.public_key(), signer.public_key());
}

fn a_key_that_is_made_signs_and_is_found_again(keys: &dyn CaKeys, key: &KeyRef, algorithm: KeyAlgorithm) {
    let made = keys.generate(key, algorithm).unwrap();
    assert_eq!(made.public_key().algorithm(), algorithm);
    signs(made.as_ref());
    let on_record = key.clone().of_key(made.public_key());
    let found = keys.signer(&on_record).unwrap();
    assert_eq!(found.public_key(), made.public_key());
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| (0..3).for_each(|_| signs(found.as_ref())));
        }
    });
    // both at once
    signs(made.as_ref());
    if let Some(inspecting) = keys.inspecting() {
        inspecting.inspect(&on_record).unwrap();
        let files = inspecting.files(&on_record);
        assert_eq!(files.iter().collect::<HashSet<_>>().len(), files.len());
    }
}

fn a_key_is_never_replaced(
    (keys, may_be_bound_again): (&dyn CaKeys, bool),
    new: &dyn Fn() -> KeyRef,
    algorithm: KeyAlgorithm,
) {
    let made = keys.generate(&new(), algorithm).unwrap();
    match keys.generate(&new(), algorithm) {
        Ok(again) => assert_eq!((again.public_key(), may_be_bound_again), (made.public_key(), true)),
        Err(again) => {
            assert!(matches!(again, KeyError::Exists(_)), "{again:?}");
            assert!(!may_be_bound_again);
        }
    }
    let on_record = new().of_key(made.public_key());
    assert_eq!(keys.signer(&on_record).unwrap().public_key(), made.public_key());
}

fn a_key_that_is_not_there_is_said_not_to_be(keys: &dyn CaKeys, key: &KeyRef) {
    assert!(matches!(keys.signer(key).err().unwrap(), KeyError::NotFound(_)));
    if let Some(inspecting) = keys.inspecting() {
        assert!(matches!(inspecting.inspect(key), Err(KeyError::NotFound(_))));
    }
}

fn a_key_without_a_certificate_can_be_removed(
    keys: &dyn CaKeys,
    new: &dyn Fn() -> KeyRef,
    algorithm: KeyAlgorithm,
) {
    let key = new();
    let first = keys.generate(&key, algorithm).unwrap().public_key().clone();
    keys.discard(&key).unwrap();
    a_key_that_is_not_there_is_said_not_to_be(keys, &key);
    let second = keys.generate(&new(), algorithm).unwrap();
    assert_ne!(*second.public_key(), first);
    signs(second.as_ref());
}

fn a_mark_never_goes_back(keys: &dyn CaKeys, key: &KeyRef, algorithm: KeyAlgorithm) {
    // C1
    let made = keys.generate(key, algorithm).unwrap();
    let on_record = key.clone().of_key(made.public_key());
    assert_eq!(keys.mark(&on_record).unwrap().number, None);
    for (raised, mark) in [(5, 5), (3, 5), (7, 7)] {
        keys.raise_mark(&on_record, raised).unwrap();
        assert_eq!(keys.mark(&on_record).unwrap().number, Some(mark));
    }
}
