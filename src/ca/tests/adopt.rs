//! Adoption of CAs below external CAs.
use super::fixture::Fixture;
use crate::ca::Adoption;
use crate::error::Code;
use crate::x509::Certificate;
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};

/// Returns the certificates of a root and of `below` CAs, each below the one before, the root first.
fn chain(below: usize) -> Vec<Certificate> {
    let mut issuer: Option<Issuer<'static, KeyPair>> = None;
    let mut made = Vec::new();
    for number in 0..=below {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, format!("Other {number}"));
        let key = KeyPair::generate().unwrap();
        let certificate = match &issuer {
            Some(issuer) => params.signed_by(&key, issuer),
            None => params.self_signed(&key),
        };
        made.push(Certificate::from_der(certificate.unwrap().der()).unwrap());
        issuer = Some(Issuer::new(params, key));
    }
    made
}

#[test]
fn sixteen_cas_that_others_run_may_stand_above_one_and_no_more() {
    // G6
    let fixture = Fixture::new();
    let plan = |below: usize| {
        let mut others = chain(below);
        let certificate = others.pop().unwrap();
        fixture.engine().lifecycle().plan_adoption(&Adoption {
            name: "own".into(),
            profile: "system-ca".into(),
            ocsp: false,
            certificate,
            renews: None,
            succeeds: None,
            others,
            prior: Vec::new(),
            crl_number: 0,
            last_crl: None,
            source: "test".into(),
        })
    };
    assert_eq!(plan(16).unwrap().issuer_path.len(), 16);
    let refused = plan(17).unwrap_err();
    assert_eq!(refused.code, Code::IssuerUnknown, "{refused}");
}
