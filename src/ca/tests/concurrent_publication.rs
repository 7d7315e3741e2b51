//! Several processes that revoke and publish at the same time: none waits while another makes a CRL, and no
//! revocation is lost.
use super::fixture::Fixture;
use crate::ca::AuthorityRenewal;
use crate::home::PublicFile;
use crate::signing::{KeyRef, PrivateKey};
use crate::testing::tbs_cert_list;
use crate::x509::extension::crl_number;
use crate::x509::{encode_signed, pem};

const CA: &str = "genfic-system";
/// The steps of publishing a CRL, from taking its number to writing its files.
const STEPS: [&str; 4] = ["reserve", "list", "sign", "crl"];

fn lists(fixture: &Fixture, host: &str) -> bool {
    let serial_number = fixture.record(host).id.serial_number;
    fixture.list(CA).tbs().find(&serial_number).is_some()
}

#[test]
fn whoever_finds_a_newer_list_published_has_nothing_left_to_do() {
    // C7, G11
    for step in STEPS {
        let fixture = Fixture::with_system_ca();
        let record = fixture.issue_host("a.example");
        let other = fixture.another_process();
        fixture.script.before(step, move || drop(other.publish(CA).unwrap()));
        let revoked = fixture.engine().revocation().revoke(&record, None, None, true).unwrap();
        assert!(revoked.owed.is_none(), "{step}: {:?}", revoked.owed);
        let told = revoked.crl.unwrap();
        assert_eq!((told.number, told.entries, &told.crl), (3, 1, &fixture.list(CA)), "{step}");
        assert_eq!(told.next_update, fixture.list(CA).tbs().next_update().unwrap());
        assert!(lists(&fixture, "a.example"), "{step}");
        assert!(!fixture.engine().maintenance().crl_is_due(CA).unwrap(), "{step}");
        let text = std::fs::read_to_string(&told.files[1]).unwrap();
        assert_eq!(text, pem::encode("X509 CRL", fixture.list(CA).as_der()), "{step}");
        assert_eq!(fixture.publish(CA).unwrap().number, 4, "{step}");
        fixture.audit();
    }
}

#[test]
fn what_is_revoked_after_the_number_was_taken_leaves_a_list_owed() {
    // G11
    for step in STEPS {
        let fixture = Fixture::with_system_ca();
        fixture.issue_host("a.example");
        let other = fixture.another_process();
        fixture.script.before(step, move || {
            other.engine().revocation().revoke(&other.record("a.example"), None, None, false).unwrap();
        });
        assert_eq!(fixture.publish(CA).unwrap().number, 2, "{step}");
        assert!(
            !lists(&fixture, "a.example") && fixture.engine().maintenance().crl_is_due(CA).unwrap(),
            "{step}"
        );
        fixture.publish(CA).unwrap();
        assert!(
            lists(&fixture, "a.example") && !fixture.engine().maintenance().crl_is_due(CA).unwrap(),
            "{step}"
        );
    }
}

#[test]
fn a_revocation_does_not_wait_for_a_list_that_another_process_is_making() {
    // G11, C7: the second process publishes its own CRL, and the slower process finds that one
    for step in STEPS {
        let fixture = Fixture::with_system_ca();
        fixture.issue_host("a.example");
        let other = fixture.another_process();
        fixture.script.before(step, move || {
            let revoked =
                other.engine().revocation().revoke(&other.record("a.example"), None, None, true).unwrap();
            assert_eq!((revoked.crl.unwrap().number, revoked.owed), (3, None));
        });
        assert_eq!(fixture.publish(CA).unwrap().number, 3, "{step}");
        assert!(
            lists(&fixture, "a.example") && !fixture.engine().maintenance().crl_is_due(CA).unwrap(),
            "{step}"
        );
    }
}

#[test]
fn one_that_overtakes_and_dies_before_it_publishes_leaves_the_place_to_the_slower() {
    // C1, C7
    for dies_at in ["reserve", "list", "sign", "crl"] {
        let fixture = Fixture::with_system_ca();
        let record = fixture.issue_host("a.example");
        let other = fixture.another_process();
        other.script.fail(&[dies_at]);
        fixture.script.before("list", move || drop(other.publish(CA).unwrap_err()));
        let revoked = fixture.engine().revocation().revoke(&record, None, None, true).unwrap();
        assert_eq!((revoked.crl.unwrap().number, revoked.owed), (2, None), "{dies_at}");
        assert!(
            lists(&fixture, "a.example") && !fixture.engine().maintenance().crl_is_due(CA).unwrap(),
            "{dies_at}"
        );
        assert_eq!(fixture.publish(CA).unwrap().number, 4, "{dies_at}: 3 is used up");
    }
}

#[test]
fn one_that_overtakes_and_dies_before_it_says_so_is_found_in_its_place() {
    // C7, G11
    let fixture = Fixture::with_system_ca();
    let record = fixture.issue_host("a.example");
    let other = fixture.another_process();
    other.script.fail(&["listed"]);
    fixture.script.before("crl", move || drop(other.publish(CA).unwrap_err()));
    let revoked = fixture.engine().revocation().revoke(&record, None, None, true).unwrap();
    assert_eq!((revoked.crl.unwrap().number, revoked.owed), (3, None));
    assert!(lists(&fixture, "a.example"));
    assert!(
        fixture.engine().maintenance().crl_is_due(CA).unwrap(),
        "the index does not know of it: one more is made"
    );
    assert_eq!(fixture.publish(CA).unwrap().number, 4);
    assert!(!fixture.engine().maintenance().crl_is_due(CA).unwrap());
}

#[test]
fn a_list_that_is_recorded_as_published_late_does_not_go_back_to_it() {
    // C7
    let fixture = Fixture::with_system_ca();
    let other = fixture.another_process();
    fixture.script.before("listed", move || drop(other.publish(CA).unwrap()));
    assert_eq!(fixture.publish(CA).unwrap().number, 2);
    let issuer = fixture.certificate(CA).tbs().as_issuer();
    assert_eq!(fixture.records.last_crl(&issuer).unwrap().unwrap().number, 3);
    assert_eq!(fixture.list(CA).tbs().crl_number(), Some(3));
    assert!(!fixture.engine().maintenance().crl_is_due(CA).unwrap());
}

#[test]
fn a_higher_number_in_its_place_counts_only_on_a_list_that_is_on_record() {
    // C7: a CRL of another CA, one of this CA that is not on record in this index, and a recorded one without
    // a signature
    for case in ["another's", "unknown", "unsigned"] {
        let fixture = Fixture::with_system_ca();
        let record = fixture.issue_host("a.example");
        fixture.engine().revocation().revoke(&record, None, None, false).unwrap();
        (0..5).for_each(|_| drop(fixture.publish("genfic").unwrap()));
        let other = fixture.another_process();
        fixture.script.before("crl", move || {
            let octets = match case {
                "another's" => other.list("genfic").as_der().to_vec(),
                "unknown" => unknown_list(&other),
                _ => {
                    let list = other.publish(CA).unwrap().crl;
                    encode_signed(list.tbs().as_der(), list.tbs().signature(), &[7; 64])
                }
            };
            std::fs::write(other.public(CA, PublicFile::Crl), octets).unwrap();
        });
        assert_eq!(fixture.publish(CA).unwrap_err().code.code(), "crl.older", "{case}");
        assert!(case == "unsigned" || fixture.engine().maintenance().crl_is_due(CA).unwrap(), "{case}");
        let number = fixture.list(CA).tbs().crl_number().unwrap();
        assert_eq!(fixture.publish(CA).unwrap().number, number + 1, "{case}");
        assert!(
            lists(&fixture, "a.example") && !fixture.engine().maintenance().crl_is_due(CA).unwrap(),
            "{case}"
        );
    }
}

/// A CRL with a higher number, signed with the CA's key as on another host.
fn unknown_list(fixture: &Fixture) -> Vec<u8> {
    let authority = fixture.records.authority(CA).unwrap().unwrap();
    let signer = fixture.keys.store.open(&KeyRef::of(&authority)).unwrap();
    let (issuer, now) = (authority.certificate.tbs().subject(), fixture.now());
    let tbs = tbs_cert_list(signer.algorithm(), issuer, (now, now.plus_days(9)), [], vec![crl_number(6)]);
    encode_signed(tbs.as_der(), signer.algorithm(), &signer.forge(tbs.as_der()))
}

#[test]
fn a_crowd_that_revokes_and_publishes_loses_nothing() {
    // C1, C7, G11
    let fixture = Fixture::with_system_ca();
    let hosts: Vec<String> = (0..20).map(|number| format!("h{number}.example")).collect();
    hosts.iter().for_each(|host| drop(fixture.issue_host(host)));
    std::thread::scope(|threads| {
        for part in hosts.chunks(5) {
            let other = fixture.another_process();
            threads.spawn(move || {
                for host in part {
                    let revoked =
                        other.engine().revocation().revoke(&other.record(host), None, None, true).unwrap();
                    assert!(revoked.owed.is_none(), "{host}: {:?}", revoked.owed);
                    let list = revoked.crl.unwrap().crl;
                    assert!(list.tbs().find(&revoked.record.id.serial_number).is_some(), "{host}");
                }
            });
        }
    });
    assert!(hosts.iter().all(|host| lists(&fixture, host)));
    assert!(!fixture.engine().maintenance().crl_is_due(CA).unwrap());
    let issuer = fixture.certificate(CA).tbs().as_issuer();
    let last = fixture.records.last_crl(&issuer).unwrap().unwrap();
    assert_eq!(fixture.list(CA).tbs().crl_number(), Some(last.number));
    fixture.audit();
    let public = std::fs::read_dir(fixture.home.public_directory()).unwrap();
    let names: Vec<_> = public.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    assert!(!names.iter().any(|name| name.starts_with('.')), "{names:?}");
}

#[test]
fn what_another_process_records_after_the_status_was_published_is_not_published_along() {
    // O12
    let fixture = Fixture::with_system_ca();
    let other = fixture.another_process();
    other.script.fail(&["status"]);
    let published = |name| std::fs::read(fixture.public(name, PublicFile::CertificateDer)).unwrap();
    let (root, recorded) = (published("genfic"), || fixture.certificate("genfic").as_der().to_vec());
    fixture.wait(super::fixture::DAY);
    fixture.script.before("authority", move || {
        other.engine().lifecycle().renew_authority("genfic", &AuthorityRenewal::default()).unwrap_err();
    });
    let renewed = fixture.engine().lifecycle().renew_authority(CA, &AuthorityRenewal::default()).unwrap();
    assert_eq!(published(CA), renewed.authority.certificate.as_der());
    assert!(root == published("genfic") && root != recorded(), "its status is not published");
    fixture.engine().maintenance().recover().unwrap();
    assert_eq!(published("genfic"), recorded());
}
