//! What cannot move in, and is told why; nothing is left of it.
use super::foreign_ca_directories::{OLD, ca_with_old, genfic_ca, sh};
use crate::support::Home;

#[test]
fn what_cannot_be_taken_over_is_refused_in_words() {
    let home = Home::new();
    genfic_ca(&home);
    ca_with_old(&home, "import openssl genficCA --as genfic").ok();
    let copy = |name: &str, change: &str| {
        sh(&home, &format!("rm -rf {name}; cp -r genficUserCA {name}; cd {name}; {change}"));
    };
    copy("line", "printf 'R\\tnonsense\\n' >>index.txt");
    copy("number", "echo zz >crlnumber");
    copy("nokey", "rm -r private");
    copy("nocert", "rm user-genfic.crt");
    copy("noindex", "rm index.txt");
    copy("weak", "openssl genrsa -traditional -out private/user-genfic.key 1024");
    copy("dsa", "sed -i 's/RSA PRIVATE/DSA PRIVATE/' private/user-genfic.key");
    copy(
        "pbes1",
        &format!(
            "openssl pkcs8 -topk8 -v1 PBE-MD5-DES -provider legacy -provider default -in private/user-genfic.key -passin 'pass:{OLD}' -passout 'pass:{OLD}' -out k; mv k private/user-genfic.key"
        ),
    );
    copy("swapped", "cp ../genficCA/private/root-genfic.key private/user-genfic.key");
    copy(
        "plain",
        &format!(
            "openssl rsa -in private/user-genfic.key -passin 'pass:{OLD}' -out k; mv k private/other.key; rm private/user-genfic.key"
        ),
    );
    sh(&home, "mkdir two; cp -r genficCA genficUserCA two; mkdir empty");
    for (from, exit, code, told) in [
        ("line", 11, "import.index-malformed", "line 8: it has 2 fields"),
        ("number", 7, "import.crl-number", "hexadecimal"),
        ("nokey", 5, "import.no-key", "--without-key"),
        ("nocert", 5, "import.no-certificate", "--cert FILE"),
        ("noindex", 5, "import.no-index", "--index"),
        ("two", 2, "usage.ambiguous", "two/genficUserCA/index.txt"),
        ("weak", 8, "key.unusable", "fewer than 2048 bits"),
        ("dsa", 8, "key.unusable", "DSA PRIVATE KEY is not supported"),
        ("pbes1", 8, "key.unusable", "encryption is not supported"),
        ("swapped", 13, "key.mismatch", "not the one its certificate is for"),
        ("empty", 5, "import.no-index", "no index.txt"),
        ("nowhere", 5, "file.read", "there is no nowhere"),
        ("openssl.cnf", 2, "usage", "not a directory"),
    ] {
        let said = ca_with_old(&home, &format!("import openssl {from} --as genfic-user"));
        assert!(
            said.status == exit && said.err.contains(code) && said.err.contains(told),
            "{from}: {}",
            said.all()
        );
        sh(&home, "test ! -e home/keys/genfic-user.age; test ! -e home/public/genfic-user.pem");
    }
    for (words, exit, told) in [
        ("import openssl genficUserCA --as Bad/Name", 2, "usage.authority-name"),
        ("import openssl genficUserCA --as genfic-user --profile user", 2, "not that of a CA"),
        ("import openssl genficUserCA --as genfic-user --profile none", 5, "none"),
        ("import openssl genficUserCA --as genfic-user --cert user-1.crt", 7, "import.no-ca"),
        ("import easy-rsa genficUserCA --as genfic-user", 5, "import.no-certificate"),
        ("import easy-rsa two --as genfic-user", 5, "import.no-index"),
    ] {
        let said = ca_with_old(&home, words);
        assert!(said.status == exit && said.err.contains(told), "{words}: {}", said.all());
    }
    // a key under another name that is not encrypted is known by what it is
    ca_with_old(&home, "import openssl plain --as genfic-user").ok();
    home.ca(&["audit", "verify"]).ok();
    let audit = home.ca(&["audit", "show"]).ok().out;
    assert!(audit.contains("import openssl") && audit.contains("key.mismatch"), "{audit}");
}

#[test]
fn what_contradicts_is_told_and_what_distrusts_more_counts() {
    let home = Home::new();
    genfic_ca(&home);
    ca_with_old(&home, "import openssl genficCA --as genfic").ok();
    // the record forgets a revocation that the CRL has, and has a number that no certificate may have
    sh(
        &home,
        "cd genficUserCA; sed -i 's/^R\\t\\([^\\t]*\\)\\t[^\\t]*\\t02/V\\t\\1\\t\\t02/' index.txt
        printf 'R\\t300101000000Z\\t250101000000Z\\t00\\tunknown\\t/CN=zero\\n' >>index.txt
        sed -i '/\\t01\\tunknown/d' index.txt
        openssl req -x509 -newkey rsa:2048 -sha1 -nodes -keyout /dev/null -subj /CN=old -out newcerts/99.pem
        head -c 300 newcerts/03.pem >newcerts/cut.pem; chmod 644 newcerts/*",
    );
    let said = ca_with_old(&home, "import openssl genficUserCA --as genfic-user").ok();
    for told in [
        "1 certificate revoked by the CRL and not by the record, taken over as revoked: 02",
        "1 certificate revoked and left out, so that no CRL from here lists them: replace what trusts them: 00",
        "1 certificate signed by the CA and not in its record, taken over as issued: 01",
        "newcerts/99.pem",
    ] {
        assert!(said.err.contains(told), "{told}: {}", said.err);
    }
    let list = home.result(&["list", "-p", "genfic-user", "--status", "revoked"]);
    assert_eq!(list["certificates"].as_array().unwrap().len(), 3, "{list}");
}
