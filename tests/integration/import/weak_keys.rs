//! CAs with keys that nothing would be certified for any more.
use super::foreign_ca_directories::sh;
use crate::support::Home;

fn ca_with_key(home: &Home, directory: &str, key: &str, digest: &str) {
    sh(
        home,
        &format!(
            "mkdir -p {directory}/private {directory}/newcerts; touch {directory}/index.txt
            {key} >{directory}/private/cakey.pem
            openssl req -x509 -new -{digest} -key {directory}/private/cakey.pem -subj /CN={directory} -days 900 \\
              -out {directory}/cacert.pem"
        ),
    );
}

#[test]
fn a_ca_with_a_short_rsa_key_is_on_record_without_it_and_what_it_signed_is_verified() {
    // X13
    let home = Home::new();
    ca_with_key(&home, "short", "openssl genrsa 1024", "sha256");
    sh(&home, "cd short
        openssl req -newkey rsa:2048 -nodes -keyout ../l.key -subj /CN=leaf -out l.csr
        openssl x509 -req -in l.csr -CA cacert.pem -CAkey private/cakey.pem -set_serial 0x21 -days 90 -out newcerts/21.pem
        openssl req -newkey rsa:2048 -nodes -keyout ../f.key -subj /CN=forged -out f.csr
        openssl req -x509 -newkey rsa:1024 -nodes -keyout other.pem -subj /CN=short -out ../other.pem
        openssl x509 -req -in f.csr -CA ../other.pem -CAkey other.pem -set_serial 0x22 -days 90 -out newcerts/22.pem");
    // a damaged copy is not excused by its key
    sh(&home, "cp -r short bad; openssl x509 -in short/cacert.pem -outform DER -out bad/cacert.pem
        printf '\\377\\377\\377' | dd of=bad/cacert.pem bs=1 conv=notrunc seek=$(($(stat -c %s bad/cacert.pem) - 9))
        rm bad/newcerts/*");
    let said = home.ca(&["import", "openssl", "bad", "--as", "bad", "--without-key"]);
    assert!(said.status == 11 && said.err.contains("does not verify with its own key"), "{}", said.all());

    let refused = home.ca(&["import", "openssl", "short", "--as", "short"]);
    assert!(refused.status == 8 && refused.err.contains("--without-key"), "{}", refused.all());
    for more in [&["--dry-run"][..], &[]] {
        let words = [&["import", "openssl", "short", "--as", "short", "--without-key"][..], more].concat();
        let said = home.ca(&words).ok();
        let told = "the key of short is weak, so that others may be able to sign in its name (an RSA modulus of 1024 bits";
        assert!(said.err.contains(told), "{}", said.all());
    }
    let list = home.result(&["list", "-p", "short"]);
    let serials: Vec<&str> =
        list["certificates"].as_array().unwrap().iter().map(|one| one["serial"].as_str().unwrap()).collect();
    assert!(serials.contains(&"21") && !serials.contains(&"22"), "{list}");
    let doctor = home.ca(&["doctor"]);
    assert!(!doctor.all().contains("index."), "{}", doctor.all());
    home.ca(&["revoke", "short/21"]);
    home.ca(&["create-request", "a.example"]).ok();
    let signed = home.ca(&["sign", "a.example.req", "-p", "short"]);
    assert_eq!(signed.status, 8, "{}", signed.all());
}

#[test]
fn what_cannot_be_verified_or_read_is_refused_with_the_reason() {
    // X13
    let home = Home::new();
    ca_with_key(&home, "tiny", "openssl genrsa 512", "sha256");
    ca_with_key(&home, "odd", "openssl genrsa 1024", "sha384");
    ca_with_key(&home, "koblitz", "openssl ecparam -name secp256k1 -genkey -noout", "sha256");
    ca_with_key(&home, "dsa", "openssl dsaparam -genkey -noout 2048", "sha256");
    ca_with_key(&home, "sha1", "openssl genrsa 2048", "sha1");
    sh(&home, "cp -r koblitz der; openssl x509 -in koblitz/cacert.pem -outform DER -out der/ca.der; rm der/cacert.pem
        openssl req -x509 -newkey rsa:2048 -nodes -keyout /dev/null -subj /CN=other -out koblitz/newcerts/other.pem");
    let anew = "issue anew under another CA";
    for (words, exit, code, told) in [
        (
            "tiny",
            7,
            "certificate.unverifiable",
            ["a key of the type rsa512, which cannot be verified here", anew],
        ),
        (
            "odd",
            7,
            "certificate.unverifiable",
            ["sha384WithRSAEncryption by a key of the type rsa1024", anew],
        ),
        (
            "koblitz",
            5,
            "import.no-certificate",
            ["koblitz/cacert.pem cannot be read: ", "the curve 1.3.132.0.10 is not"],
        ),
        ("koblitz --cert koblitz/cacert.pem", 11, "file.malformed", ["with its key or without", anew]),
        ("der", 5, "import.no-certificate", ["der/ca.der cannot be read: ", "the curve 1.3.132.0.10 is not"]),
        ("dsa", 5, "import.no-certificate", ["dsa/cacert.pem cannot be read: ", "Of DSA"]),
        (
            "sha1",
            5,
            "import.no-certificate",
            ["sha1/cacert.pem cannot be read: ", "made anew for the same key first"],
        ),
    ] {
        let words: Vec<&str> =
            "import openssl --as old --without-key".split(' ').chain(words.split(' ')).collect();
        let said = home.ca(&words);
        let all = told.iter().all(|told| said.err.contains(told));
        assert!(said.status == exit && said.err.contains(code) && all, "{words:?}: {}", said.all());
    }
    assert_eq!(home.result(&["authorities"])["authorities"].as_array().unwrap().len(), 0);
}

#[test]
fn a_ca_whose_signatures_cannot_be_verified_is_on_record_with_numbers_alone() {
    // X13
    let home = Home::new();
    ca_with_key(&home, "root", "openssl genrsa 2048", "sha256");
    ca_with_key(&home, "below", "openssl genrsa 512", "sha256");
    sh(&home, "cd below
        printf 'basicConstraints=critical,CA:TRUE\\n' >e
        openssl req -new -key private/cakey.pem -subj /CN=below -out b.csr
        openssl x509 -req -in b.csr -CA ../root/cacert.pem -CAkey ../root/private/cakey.pem -set_serial 5 -days 800 \\
          -extfile e -out cacert.pem
        openssl req -newkey rsa:2048 -nodes -keyout ../l.key -subj /CN=leaf -out l.csr
        openssl x509 -req -in l.csr -CA cacert.pem -CAkey private/cakey.pem -set_serial 0x21 -days 90 -out newcerts/21.pem
        printf 'V\\t%s\\t\\t21\\tunknown\\t/CN=leaf\\n' $(date -u -d '+90 days' +%y%m%d%H%M%SZ) >index.txt");
    home.ca(&["import", "openssl", "root", "--as", "root"]).ok();
    let said = home.ca(&[
        "import",
        "openssl",
        "below",
        "--as",
        "below",
        "--without-key",
        "--cert",
        "below/cacert.pem",
    ]);
    let said = said.ok();
    for told in
        ["of the type rsa512 made cannot be verified here, so that 1 of its", "the key of below is weak"]
    {
        assert!(said.err.contains(told), "{}", said.all());
    }
    let doctor = home.ca(&["doctor", "--deep"]);
    assert!(!doctor.all().contains("index."), "{}", doctor.all());
    assert!(home.ca(&["show", "below/21"]).ok().out.contains("number"));
}
