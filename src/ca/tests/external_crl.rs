//! The CRL of an external CA, which is brought here.
use super::fixture::Fixture;
use crate::ca::ExternalCrl;
use crate::home::PublicFile;
use crate::index::Authority;
use crate::x509::extension::{CRL_DISTRIBUTION_POINTS, distribution_point_urls};
use std::fs;

#[test]
fn a_crl_is_missing_where_certificates_name_a_url_that_this_home_serves() {
    let fixture = Fixture::with_system_ca();
    let root = Authority { external: true, ..fixture.engine().hierarchy().authority("genfic").unwrap() };
    let child = fixture.certificate("genfic-system");
    let file = fixture.public("genfic", PublicFile::Crl);
    let crl = fs::read(&file).unwrap();
    let other = fs::read(fixture.public("genfic-system", PublicFile::Crl)).unwrap();
    let state = |below, base| {
        ExternalCrl::of(&fixture.publication.directory, &root, [below].into_iter(), base).unwrap()
    };
    let list = fixture.list("genfic");
    let tbs = list.tbs();
    let in_place = ExternalCrl::InPlace(tbs.crl_number(), tbs.this_update(), tbs.next_update());
    assert_eq!(state(&child, None), in_place, "wherever certificates say that it is");
    fs::write(&file, other).unwrap();
    assert_eq!(state(&child, None), ExternalCrl::OfAnother);
    fs::write(&file, "no CRL").unwrap();
    assert!(matches!(state(&child, None), ExternalCrl::Unreadable(_)));
    fs::remove_file(&file).unwrap();
    let points = &child.tbs().extension(CRL_DISTRIBUTION_POINTS).unwrap().value;
    let url = distribution_point_urls(points).unwrap().pop().unwrap();
    let (base, _) = url.rsplit_once('/').unwrap();
    assert_eq!(state(&child, Some(base)), ExternalCrl::Missing(url.clone()));
    assert_eq!(state(&child, Some("http://elsewhere.example")), ExternalCrl::NotServedHere);
    assert_eq!(state(&child, Some(&base[..base.len() - 1])), ExternalCrl::NotServedHere, "another host");
    assert_eq!(state(&child, None), ExternalCrl::NotServedHere);
    assert_eq!(state(&root.certificate, Some(base)), ExternalCrl::Unnamed);
    fs::write(&file, crl).unwrap();
    assert_eq!(state(&child, None), in_place);
}
