//! `certtool` and `ocsptool` of GnuTLS, which share no code with OpenSSL.
use crate::hierarchy::{Hierarchy, ROOT, ROOT_CRL, SYSTEM, SYSTEM_CRL, certificate};
use crate::support::{Home, Said};
use std::fs;

pub(crate) fn judges(hierarchy: &Hierarchy) {
    chains(hierarchy);
    crls(&hierarchy.home);
    answers(hierarchy);
}

fn chains(hierarchy: &Hierarchy) {
    let home = &hierarchy.home;
    let read = |name: &str| fs::read_to_string(home.path(name)).unwrap();
    fs::write(home.path("both.crl.pem"), [read(ROOT_CRL), read(SYSTEM_CRL)].concat()).unwrap();
    let verify = |host: &str| -> Said {
        fs::write(home.path("chain.pem"), [read(&certificate(host)), read(SYSTEM)].concat()).unwrap();
        home.run(&[
            "certtool",
            "--verify",
            "--verify-profile",
            "medium",
            "--verify-purpose",
            "1.3.6.1.5.5.7.3.1",
            "--verify-hostname",
            host,
            "--load-ca-certificate",
            ROOT,
            "--load-crl",
            "both.crl.pem",
            "--infile",
            "chain.pem",
        ])
    };
    for host in &hierarchy.good {
        let said = verify(host).ok();
        assert!(said.out.contains("Chain verification output: Verified."), "{}", said.all());
    }
    let said = verify(&hierarchy.revoked);
    assert!(said.status != 0 && said.out.contains("revoked"), "{}", said.all());
}

fn crls(home: &Home) {
    let verify =
        |crl, ca| home.run(&["certtool", "--verify-crl", "--load-ca-certificate", ca, "--infile", crl]);
    for (crl, ca) in [(ROOT_CRL, ROOT), (SYSTEM_CRL, SYSTEM)] {
        let said = verify(crl, ca).ok();
        assert!(said.out.contains("Verification output: Verified."), "{}", said.all());
    }
    assert_ne!(verify(SYSTEM_CRL, ROOT).status, 0);
}

fn answers(hierarchy: &Hierarchy) {
    let (home, url) = (&hierarchy.home, format!("--ask={}/ocsp", hierarchy.daemon.url));
    for (host, status) in [(&hierarchy.good[0], "good"), (&hierarchy.revoked, "revoked")] {
        let file = certificate(host);
        let said = home
            .run(&[
                "ocsptool",
                &url,
                "--load-cert",
                &file,
                "--load-issuer",
                SYSTEM,
                "--load-trust",
                SYSTEM,
                "--outder",
                "--outfile",
                "answer.der",
            ])
            .ok();
        assert!(said.all().contains("Verifying OCSP Response: Success."), "{}", said.all());
        let verify = |trust| {
            home.run(&[
                "ocsptool",
                "--verify-response",
                "--load-response",
                "answer.der",
                "--load-trust",
                trust,
            ])
        };
        let said = verify(SYSTEM).ok();
        assert!(said.out.contains(&format!("Certificate Status: {status}")), "{}", said.all());
        assert!(said.out.contains("Verifying OCSP Response: Success."), "{}", said.all());
        assert_ne!(verify(ROOT).status, 0, "a delegate of the system CA does not speak for the root"); // O7
    }
}
