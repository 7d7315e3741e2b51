//! Key rollover certificates between two generations of a root: missing ones are made, declined ones are not.
use super::fixture::Fixture;
use crate::ca::Hierarchy;
use crate::ca::{AuthorityRekeying, RekeyedAuthority};
use crate::error::Problem;

const ROOT: &str = "genfic";
const NEXT: &str = "genfic-g2";

fn rekey(fixture: &Fixture) -> Result<RekeyedAuthority, Problem> {
    fixture.engine().lifecycle().rekey_authority(ROOT, &AuthorityRekeying::default())
}

fn rollover(fixture: &Fixture) -> Vec<usize> {
    let of = |name| {
        Hierarchy::over(&*fixture.records)
            .cross_certificates(&fixture.records.authority(name).unwrap().unwrap())
            .unwrap()
            .len()
    };
    vec![of(ROOT), of(NEXT)]
}

#[test]
fn links_that_were_lost_are_made_by_the_same_command_and_no_other_generation() {
    // X11
    for (made, before) in [(1, vec![0, 0]), (2, vec![0, 1])] {
        let fixture = Fixture::with_system_ca();
        fixture.script.fail_after(made, "intent");
        rekey(&fixture).unwrap_err();
        fixture.script.fail(&[]);
        assert_eq!(rollover(&fixture), before);
        let rekeyed = rekey(&fixture).unwrap();
        assert_eq!(rekeyed.created.authority.name, NEXT);
        assert_eq!(rollover(&fixture), [1, 1], "what was there is not made again");
        let rollover = rekeyed.rollover.unwrap();
        assert!(rollover.new_with_old.is_signed_by(fixture.certificate(ROOT).tbs().public_key()));
        assert!(rollover.old_with_new.is_signed_by(fixture.certificate(NEXT).tbs().public_key()));
        assert!(rollover.new_with_old_file.exists() && rollover.old_with_new_file.exists());
        assert_eq!(rekey(&fixture).unwrap().created.authority.name, "genfic-g3");
    }
}

#[test]
fn links_that_are_not_wanted_or_cannot_be_made_are_not_lost() {
    let without = AuthorityRekeying { without_rollover: true, ..AuthorityRekeying::default() };
    let unwanted = Fixture::with_system_ca();
    unwanted.engine().lifecycle().rekey_authority(ROOT, &without).unwrap();
    assert_eq!(rekey(&unwanted).unwrap().created.authority.name, "genfic-g3");

    // requested at first, and then the old key is lost
    let lost = Fixture::with_system_ca();
    lost.script.fail_after(1, "intent");
    rekey(&lost).unwrap_err();
    lost.script.fail(&[]);
    let given_up = lost.engine().lifecycle().rekey_authority(ROOT, &without).unwrap();
    assert_eq!((given_up.created.authority.name.as_str(), given_up.rollover.is_none()), (NEXT, true));
    assert_eq!(rekey(&lost).unwrap().created.authority.name, "genfic-g3");

    // revoked since: there is nothing to certify
    let revoked = Fixture::with_system_ca();
    revoked.script.fail_after(1, "intent");
    rekey(&revoked).unwrap_err();
    revoked.script.fail(&[]);
    revoked.engine().revocation().revoke_authority(ROOT, None, None).unwrap();
    assert_eq!(rekey(&revoked).unwrap().created.authority.name, "genfic-g3");
}
