//! The last CRL of a key, and what of it is known when the record is lost.
use super::tests::{AT, BY, KEY, Place};
use super::*;
use crate::signer::record::Verified;
use crate::signing::SoftKey;
use crate::testing::{crl, entry};
use crate::x509::{CertificateList, KeyAlgorithm};

#[test]
fn the_last_crl_is_known_with_its_entries_and_told_unknown_when_the_record_is_lost() {
    let place = Place::new();
    let journal = place.open().unwrap();
    let tbs = crl(7, (1..9).map(|number| entry(&[number], None))).tbs().clone();
    let count = tbs.entries().count();
    let journaled = journal.turn().unwrap().intend(BY, AT, KEY, vec![tbs]).unwrap();
    assert_eq!(journal.record().last_crl(&KEY).unwrap().unwrap().number, 7);
    let listed = |journal: &Journal| {
        let mut listed = 0;
        journal.record().each_last_entry(&KEY, &mut |_, _| {
            listed += 1;
            true
        })?;
        Ok::<_, RecordError>(listed)
    };
    assert_eq!(listed(&journal).unwrap(), count);
    drop((journal, journaled));
    place.forget_record();
    let journal = place.open().unwrap();
    assert!(matches!(listed(&journal), Err(RecordError::ListUnknown(7))));
}

#[test]
fn after_a_loss_of_the_record_only_the_crl_that_was_handed_out_last_is_taken_as_such() {
    // K3, C3: any other hides revocations
    let signer = SoftKey::generate(KeyAlgorithm::P256).unwrap();
    let key = signer.public_key().digest();
    let made = |number: u64| {
        let tbs = crl(number, (1..=number).map(|at| entry(&[u8::try_from(at).unwrap()], None))).tbs().clone();
        let signature = signer.forge(tbs.as_der());
        CertificateList::encode_signed(tbs, &signature)
    };
    let place = Place::new();
    let sign = |number, is_signed| {
        let journal = place.open().unwrap();
        let list = made(number).tbs().clone();
        let journaled = journal.turn().unwrap().intend(BY, AT, key, vec![list]).unwrap();
        if is_signed {
            let at = journaled[0].sequence();
            journal.signed(BY, AT, at, at).unwrap();
        }
    };
    let show = |number| {
        let journal = place.open().unwrap();
        let shown = Verified::crl(signer.public_key(), &made(number)).unwrap();
        let taken = journal.turn().unwrap().show(BY, AT, &[shown]).is_ok();
        let mut listed = 0;
        let known = journal.record().each_last_entry(&key, &mut |_, _| {
            listed += 1;
            true
        });
        (taken, known.ok().map(|()| listed), journal.record().last_crl(&key).unwrap().unwrap().number)
    };
    [3, 4].into_iter().for_each(|number| sign(number, true));
    place.forget_record();
    assert_eq!(show(3), (false, None, 4));
    assert_eq!(show(4), (true, Some(4), 4));
    assert!(place.open().unwrap().record().has_signed_crl(&key).unwrap());
    let elsewhere = Place::new();
    let shown = Verified::crl(signer.public_key(), &made(4)).unwrap();
    let journal = elsewhere.open().unwrap();
    journal.turn().unwrap().show(BY, AT, &[shown]).unwrap();
    assert_eq!(journal.record().last_crl(&key).unwrap().unwrap().number, 4);
    assert!(!journal.record().has_signed_crl(&key).unwrap(), "it was signed elsewhere");
    // those after it may have been signed, or not
    [5, 6].into_iter().for_each(|number| sign(number, false));
    for (number, listed) in [(4, 4), (5, 5), (6, 6)] {
        place.forget_record();
        assert_eq!(show(3), (false, None, 6));
        assert_eq!(show(number), (true, Some(listed), 6), "{number}");
    }
    sign(7, true);
    place.forget_record();
    assert_eq!(show(6), (false, None, 7));
    // one that was signed elsewhere meanwhile
    assert_eq!(show(9), (true, Some(9), 9));
    place.forget_record();
    assert_eq!(show(7), (false, None, 9));
    assert_eq!(show(9), (true, Some(9), 9));
    // after a restore nobody knows which was the last: none of those before it, by which entries would be forgotten
    let gap = Act { kind: ActKind::Gap, key: None, details: String::new() };
    place.open().unwrap().turn().unwrap().act(BY, AT, vec![gap]).unwrap();
    place.forget_record();
    for number in [3, 7, 8] {
        assert_eq!(show(number), (false, None, 9), "{number}");
    }
    assert_eq!(show(9), (true, Some(9), 9));
    assert_eq!(show(11), (true, Some(11), 11), "one that was signed after the backup");
    sign(12, true);
    place.forget_record();
    assert_eq!(show(11), (false, None, 12));
    // the key signed elsewhere meanwhile, up to a number that not every CRL has
    let until = UnixTime(2_000_000_000);
    place.open().unwrap().turn().unwrap().claim(BY, AT, key, Vec::new(), until, 90).unwrap();
    assert_eq!(show(11), (false, None, 90));
    assert_eq!(show(12), (true, Some(12), 90));
    place.forget_record();
    assert_eq!(show(11), (false, None, 90));
    assert_eq!(show(20), (true, Some(20), 90), "one of those");
}
