//! Every key type as CA and as leaf, before every judge. One hierarchy a type; the leaves rotate through all types,
//! so that each is twice among the good ones and once revoked.
use crate::hierarchy::Hierarchy;
use crate::{gnutls, java, nss, openssl, python, webpki};

fn every_judge_agrees(n: usize) {
    // G1, G3, X6, X14, C1, C2, O3, O7: chains, CRLs and answers, and a revoked certificate is refused everywhere
    let hierarchy = Hierarchy::of_key_type(n);
    openssl::judges(&hierarchy);
    gnutls::judges(&hierarchy);
    python::judges(&hierarchy);
    nss::judges(&hierarchy);
    java::judges(&hierarchy);
    webpki::judges(&hierarchy);
}

#[test]
fn what_p256_cas_issue_is_accepted_and_what_they_revoke_refused() {
    every_judge_agrees(0);
}

#[test]
fn what_p384_cas_issue_is_accepted_and_what_they_revoke_refused() {
    every_judge_agrees(1);
}

#[test]
fn what_ed25519_cas_issue_is_accepted_and_what_they_revoke_refused() {
    every_judge_agrees(2);
}

#[test]
fn what_rsa2048_cas_issue_is_accepted_and_what_they_revoke_refused() {
    every_judge_agrees(3);
}

#[test]
fn what_rsa3072_cas_issue_is_accepted_and_what_they_revoke_refused() {
    every_judge_agrees(4);
}

#[test]
fn what_rsa4096_cas_issue_is_accepted_and_what_they_revoke_refused() {
    every_judge_agrees(5);
}
