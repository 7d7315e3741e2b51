//! CAs for one purpose alone: their extendedKeyUsage limits everything below them (X9), the responder excepted, whose
//! OCSPSigning is never among the purposes of a CA.
use crate::foreign_notes::noted;
use crate::hierarchy::{ROOT, ROOT_CRL, forge};
use crate::support::{Daemon, Home, Said, free_address};
use crate::{java, nss, webpki};
use ::webpki::{Error, KeyUsage};
use std::fs;

/// A CA with a purpose, and the profile of what it issues.
struct Limited {
    ca: &'static str,
    purpose: &'static str,
    /// Of certificates for what the CA is not for.
    other: &'static str,
    usage: KeyUsage,
    nss: &'static str,
    good: &'static str,
    revoked: &'static str,
}

const SERVERS: Limited = Limited {
    ca: "genfic-servers",
    purpose: "serverAuth",
    other: "clientAuth",
    usage: KeyUsage::server_auth(),
    nss: nss::FOR_SERVER,
    good: "good.genfic.example",
    revoked: "revoked.genfic.example",
};
const CLIENTS: Limited = Limited {
    ca: "genfic-clients",
    purpose: "clientAuth",
    other: "serverAuth",
    usage: KeyUsage::client_auth(),
    nss: nss::FOR_CLIENT,
    good: "amber",
    revoked: "basil",
};

impl Limited {
    fn file(&self, ending: &str) -> String {
        format!("home/public/{}.{ending}", self.ca)
    }

    /// Two profiles: of the CA, with its one purpose, and of its certificates, with the same.
    fn profiles(&self, home: &Home, ca: &str, leaf: &str) {
        let write = |of: &str, name: String, edit: &dyn Fn(&str) -> String| {
            let text = fs::read_to_string(home.path(&format!("home/policy/{of}.toml"))).unwrap();
            let edited: String = text.lines().map(|line| edit(line) + "\n").collect();
            assert_ne!(edited, text);
            fs::write(home.path(&format!("home/policy/{name}.toml")), edited).unwrap();
        };
        let (purpose, leaf_profile) = (self.purpose, format!("{}-leaf", self.ca));
        write(ca, self.ca.into(), &|line| match line.split(' ').next() {
            Some("leaf_profile") => format!("leaf_profile = \"{leaf_profile}\""),
            Some("ends_before") => String::new(),
            Some("revocation") => format!("{line}\nextended_key_usage = [\"{purpose}\"]"),
            _ => line.into(),
        });
        write(leaf, leaf_profile.clone(), &|line| match line.split(' ').next() {
            Some("issuers") => format!("issuers = [\"{}\"]", self.ca),
            Some("extended_key_usage") => format!("extended_key_usage = [\"{purpose}\"]"),
            _ => line.into(),
        });
    }

    fn is_judged(&self, home: &Home, daemon: &Daemon) {
        let issuer = self.file("pem");
        let text = home.run(&["openssl", "x509", "-in", &issuer, "-noout", "-ext", "extendedKeyUsage"]).ok();
        let named = if self.purpose == "serverAuth" { "TLS Web Server" } else { "TLS Web Client" };
        assert!(text.out.contains(named) && !text.out.contains("OCSP"), "{}", text.all());

        let [good, revoked] = [self.good, self.revoked].map(|name| format!("{name}.crt"));
        for (file, status) in [(&good, "good"), (&revoked, "revoked")] {
            by_openssl(home, self.purpose, &issuer, file).ok();
            by_gnutls(home, self.purpose, &issuer, file).ok();
            self.answers(home, daemon, file, status);
        }
        nss::assert_good(home, self.nss, &good, &issuer);
        nss::assert_revoked(home, self.nss, &revoked, &issuer);
        let crls = [ROOT_CRL, &self.file("crl.pem")];
        assert_eq!(webpki::verify(home, self.usage, &crls, &good, &issuer), Ok(()));
        assert_eq!(webpki::verify(home, self.usage, &crls, &revoked, &issuer), Err(Error::CertRevoked));
        let asked = |way: &str, file: &str| java::question(way, file, &issuer);
        let forged = self.what_a_thief_makes_is_refused(home, &issuer);
        let questions = ["ocsp", "crl"].map(|way| [asked(way, &good), asked(way, &revoked)]).concat();
        let answers = java::ask(home, &[&questions[..], &[asked("none", &forged)]].concat());
        let wanted = ["good", "revoked 0 SUPERSEDED", "good", "revoked 0 SUPERSEDED"];
        assert_eq!(answers[..4], wanted, "{}: {questions:?}", self.ca);
        noted("java-purposes", answers[4] == "good");
    }

    /// The responder's certificate is by this CA, which is not for OCSPSigning.
    fn answers(&self, home: &Home, daemon: &Daemon, file: &str, status: &str) {
        let (issuer, chain, url) = (self.file("pem"), self.file("chain.pem"), daemon.url.as_str());
        let said = home
            .run(&["openssl", "ocsp", "-issuer", &issuer, "-CAfile", &chain, "-url", url, "-cert", file])
            .ok();
        assert!(said.err.contains("Response verify OK"), "{}", said.all());
        assert!(said.out.contains(&format!("{file}: {status}")), "{}", said.all());
        let ask = format!("--ask={url}");
        let words =
            ["ocsptool", &ask, "--load-cert", file, "--load-issuer", &issuer, "--load-trust", &issuer];
        let said = home.run(&words).ok();
        assert!(said.all().contains("Verifying OCSP Response: Success."), "{}", said.all());
        assert!(said.all().contains(&format!("Certificate Status: {status}")), "{}", said.all());
        let own = home.ca(&["ocsp", "query", file, "--json"]).json();
        assert_eq!(own["result"]["status"], status);
    }

    /// A certificate for another purpose by this CA's own key; gives its file.
    fn what_a_thief_makes_is_refused(&self, home: &Home, issuer: &str) -> String {
        let file = forge(home, self.ca, "DNS:forged.genfic.example", self.other);
        for said in [by_openssl(home, self.other, issuer, &file), by_gnutls(home, self.other, issuer, &file)]
        {
            assert_ne!(said.status, 0, "{}", said.all());
        }
        let (nss, usage) = match self.other {
            "clientAuth" => (nss::FOR_CLIENT, KeyUsage::client_auth()),
            _ => (nss::FOR_SERVER, KeyUsage::server_auth()),
        };
        noted("nss-one-tls-purpose", nss::verify(home, nss, &[], &file, issuer).status == 0);
        let mail = forge(home, self.ca, "email:forged@genfic.example", "emailProtection");
        let said = nss::verify(home, nss::FOR_SIGNING_MAIL, &[], &mail, issuer);
        assert_ne!(said.status, 0, "{}", said.all());
        assert!(webpki::verify(home, usage, &[], &file, issuer).is_err());
        file
    }
}

fn by_openssl(home: &Home, purpose: &str, issuer: &str, file: &str) -> Said {
    let purpose = if purpose == "serverAuth" { "sslserver" } else { "sslclient" };
    let begin = ["openssl", "verify", "-x509_strict", "-purpose", purpose, "-CAfile", ROOT, "-untrusted"];
    home.run(&[&begin[..], &[issuer, file]].concat())
}

fn by_gnutls(home: &Home, purpose: &str, issuer: &str, file: &str) -> Said {
    let oid = if purpose == "serverAuth" { "1.3.6.1.5.5.7.3.1" } else { "1.3.6.1.5.5.7.3.2" };
    let both = [file, issuer].map(|one| fs::read_to_string(home.path(one)).unwrap()).concat();
    fs::write(home.path("chain.pem"), both).unwrap();
    let begin = ["certtool", "--verify", "--verify-purpose", oid, "--load-ca-certificate", ROOT];
    home.run(&[&begin[..], &["--infile", "chain.pem"]].concat())
}

#[test]
fn a_ca_for_one_purpose_has_a_responder_that_all_believe_and_no_thief_uses_it_for_another() {
    // X8, X9, O7: the CA for servers is also one for some names alone, and its responder has none of them
    let listen = free_address();
    let home = Home::at_url(&format!("http://{listen}"));
    SERVERS.profiles(&home, "system-ca", "system");
    CLIENTS.profiles(&home, "user-ca", "user");
    home.ca(&["create-root", "genfic", "--ocsp"]).ok();
    let names = ["--permit", "genfic.example", "--exclude", "secret.genfic.example"];
    for (limited, constraints) in [(&SERVERS, &names[..]), (&CLIENTS, &[])] {
        let create = ["create-child", limited.ca, "-p", "genfic", "--profile", limited.ca];
        home.ca(&[&create[..], constraints].concat()).ok();
        for name in [limited.good, limited.revoked] {
            home.ca(&["create-request", name, "--sign", "-p", limited.ca]).ok();
        }
        home.ca(&["revoke", limited.revoked, "--reason", "superseded"]).ok();
    }
    nss::make_database(&home).ok();
    let daemon = home.daemon(&listen);
    for limited in [SERVERS, CLIENTS] {
        limited.is_judged(&home, &daemon);
    }
}
