//! What is there beside what is asked for.
use super::fixture::{DAY, Fixture, key, new, request_by};
use crate::ca::{Difference, ExpectedAuthority, GrantedBefore, IssuanceRequest, NewAuthority};
use crate::profile::RequestedValidity;
use crate::x509::{KeyAlgorithm, Name};

fn compared(fixture: &Fixture, new: &NewAuthority, parent: Option<&str>) -> Option<Vec<&'static str>> {
    let expected = ExpectedAuthority { new, parent, root: parent.is_none(), profile: true };
    let differences = fixture.engine().lifecycle().compare(&expected).unwrap()?;
    Some(differences.iter().map(|one| one.what).collect())
}

#[test]
fn a_ca_is_compared_point_by_point_with_what_is_asked() {
    // G22
    let fixture = Fixture::with_system_ca();
    let same = new("genfic-system", "system-ca");
    assert_eq!(compared(&fixture, &new("another", "system-ca"), Some("genfic")), None);
    assert_eq!(compared(&fixture, &same, Some("genfic")), Some(vec![]));
    assert_eq!(compared(&fixture, &same, None), Some(vec!["parent"]));
    let other = NewAuthority {
        subject: Some(Name::parse("CN=Other").unwrap()),
        key: Some(KeyAlgorithm::P384),
        validity: RequestedValidity::Days(7),
        ocsp: Some(false),
        ..new("genfic-system", "user-ca")
    };
    let all = vec!["profile", "subject", "key", "ocsp", "valid"];
    assert_eq!(compared(&fixture, &other, Some("genfic")), Some(all));
    fixture.wait(5000 * DAY);
    assert_eq!(compared(&fixture, &same, Some("genfic")), Some(vec!["status"]));
    assert!(fixture.asked().is_empty(), "no passphrase is needed to look");
}

fn standing(fixture: &Fixture, request: &IssuanceRequest) -> Result<bool, Vec<Difference>> {
    let by = ("system", None);
    match fixture.engine().issuance().granted_before("genfic-system", by, request).unwrap() {
        GrantedBefore::Nothing => Ok(false),
        GrantedBefore::AsAsked(_) => Ok(true),
        GrantedBefore::Otherwise(_, differences) => Err(differences),
    }
}

#[test]
fn a_request_is_granted_once_until_its_certificate_has_expired() {
    // G22
    let fixture = Fixture::with_system_ca();
    let key = key();
    let request = request_by(&key, "a.example");
    assert_eq!(standing(&fixture, &request), Ok(false));
    fixture.issue(std::slice::from_ref(&request)).unwrap();
    assert_eq!(standing(&fixture, &request), Ok(true));
    let differences = standing(&fixture, &request_by(&key, "b.example")).unwrap_err();
    let points: Vec<&str> = differences.iter().map(|one| one.what).collect();
    assert_eq!(points, ["subject", "names"]);
    fixture.wait(2000 * DAY);
    assert_eq!(standing(&fixture, &request), Ok(false), "it has expired");
}

#[test]
fn a_request_whose_certificate_was_revoked_is_not_granted_again() {
    // G22
    let fixture = Fixture::with_system_ca();
    let request = request_by(&key(), "a.example");
    fixture.issue(std::slice::from_ref(&request)).unwrap();
    let engine = fixture.engine();
    engine.revocation().revoke(&fixture.record("a.example"), None, None, false).unwrap();
    let differences = standing(&fixture, &request).unwrap_err();
    assert!(differences[0].what == "status" && differences[0].found.starts_with("revoked since"));
    fixture.wait(2000 * DAY);
    assert!(standing(&fixture, &request).is_err(), "not even when it would have expired");
}
