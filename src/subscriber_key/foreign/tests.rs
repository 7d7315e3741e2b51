use super::*;
use std::fs;
use std::process::Command;

fn openssl(directory: &Path, arguments: &str) {
    let output =
        Command::new("openssl").args(arguments.split_whitespace()).current_dir(directory).output().unwrap();
    assert!(output.status.success(), "openssl {arguments}: {}", String::from_utf8_lossy(&output.stderr));
}

fn found(directory: &Path, name: &str) -> ForeignKey {
    let path = directory.join(name);
    ForeignKey::find(&fs::read(&path).unwrap(), &path).unwrap().unwrap()
}

fn given(passphrase: &str) -> impl FnMut() -> Result<Secret, KeyError> + use<> {
    let passphrase = passphrase.to_owned();
    move || Ok(Secret::new(passphrase.clone()))
}

fn never() -> Result<Secret, KeyError> {
    panic!("a passphrase was asked for")
}

#[test]
fn every_form_that_openssl_writes_is_read() {
    let directory = tempfile::tempdir().unwrap();
    let at = directory.path();
    for (kind, make) in [
        ("rsa", "genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out plain"),
        ("ec", "genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-384 -out plain"),
        ("ed25519", "genpkey -algorithm ED25519 -out plain"),
    ] {
        openssl(at, make);
        openssl(at, "pkey -in plain -pubout -outform DER -out public");
        let public = fs::read(at.join("public")).unwrap();
        openssl(at, "pkcs8 -topk8 -nocrypt -in plain -outform DER -out plain.der");
        let mut plain = vec![("plain", "PKCS#8, not encrypted"), ("plain.der", "PKCS#8, not encrypted")];
        let mut encrypted = vec![
            ("pkcs8 -topk8 -v2 aes-256-cbc", "PKCS#8, encrypted"),
            ("pkcs8 -topk8 -v2 des3 -v2prf hmacWithSHA1", "PKCS#8, encrypted"),
            ("pkcs8 -topk8 -v2 aes128 -outform DER", "PKCS#8, encrypted"),
            ("pkcs8 -topk8 -scrypt", "PKCS#8, encrypted"),
        ];
        match kind {
            "rsa" => {
                openssl(at, "rsa -traditional -in plain -out old");
                openssl(at, "rsa -traditional -in plain -outform DER -out old.der");
                plain.extend([("old", "PKCS#1, not encrypted"), ("old.der", "PKCS#1, not encrypted")]);
                encrypted.extend([
                    ("rsa -traditional -des3", "PKCS#1, encrypted by PEM with DES-EDE3-CBC"),
                    ("rsa -traditional -aes128", "PKCS#1, encrypted by PEM with AES-128-CBC"),
                    ("rsa -traditional -aes192", "PKCS#1, encrypted by PEM with AES-192-CBC"),
                    ("rsa -traditional -aes256", "PKCS#1, encrypted by PEM with AES-256-CBC"),
                ]);
            }
            "ec" => {
                openssl(at, "ec -in plain -out old");
                openssl(at, "ec -in plain -outform DER -out old.der");
                plain.extend([("old", "SEC 1, not encrypted"), ("old.der", "SEC 1, not encrypted")]);
                encrypted.push(("ec -des3", "SEC 1, encrypted by PEM with DES-EDE3-CBC"));
            }
            _ => {}
        }
        for (name, said) in plain {
            let key = found(at, name);
            assert_eq!((key.to_string().as_str(), key.is_encrypted()), (said, false), "{kind}");
            let opened = key.open(&at.join(name), &mut never).unwrap();
            assert_eq!(opened.public_key().as_der(), public, "{kind} {name}");
        }
        for (command, said) in encrypted {
            openssl(at, &format!("{command} -in plain -passout pass:s3cret-é -out encrypted"));
            let key = found(at, "encrypted");
            assert_eq!((key.to_string().as_str(), key.is_encrypted()), (said, true), "{kind}");
            let path = at.join("encrypted");
            let opened = key.open(&path, &mut given("s3cret-é")).unwrap();
            assert_eq!(opened.public_key().as_der(), public, "{kind} {command}");
            let wrong = key.open(&path, &mut given("wrong"));
            assert!(matches!(wrong, Err(KeyError::SecretRejected(_))), "{kind} {command}: {wrong:?}");
            assert!(!format!("{key:?}").contains("s3cret"));
        }
    }
}

#[test]
fn keys_of_other_types_are_refused_in_words() {
    let directory = tempfile::tempdir().unwrap();
    let at = directory.path();
    for (make, told) in [
        ("genrsa -out key 1024", "fewer than 2048 bits"),
        ("genrsa -traditional -out key 1024", "fewer than 2048 bits"),
        ("ecparam -name secp256k1 -genkey -noout -out key", "none of P-256"),
        ("genpkey -algorithm EC -pkeyopt ec_paramgen_curve:secp256k1 -out key", "is not supported"),
        ("genpkey -algorithm ED448 -out key", "is not supported"),
    ] {
        openssl(at, make);
        let error = found(at, "key").open(Path::new("key"), &mut never).unwrap_err();
        assert!(
            matches!(&error, KeyError::Backend(..)) && error.to_string().contains(told),
            "{make}: {error}"
        );
    }
    for (text, told) in [
        ("-----BEGIN DSA PRIVATE KEY-----\nMAA=\n-----END DSA PRIVATE KEY-----\n", "DSA PRIVATE KEY is not"),
        ("-----BEGIN OPENSSH PRIVATE KEY-----\nMAA=\n-----END OPENSSH PRIVATE KEY-----\n", "OPENSSH"),
        ("-----BEGIN PRIVATE KEY-----\nMAA=\n", "no end"),
        ("-----BEGIN PRIVATE KEY-----\n!\n-----END PRIVATE KEY-----\n", "not base64"),
        (
            "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: DES-CBC,00\n\nMAA=\n-----END RSA \
             PRIVATE KEY-----\n",
            "DES-CBC, is not supported",
        ),
    ] {
        let error = ForeignKey::find(text.as_bytes(), Path::new("a.key")).unwrap_err();
        assert!(error.to_string().starts_with("a.key: ") && error.to_string().contains(told), "{error}");
    }
}

#[test]
fn what_is_no_private_key_is_none() {
    let directory = tempfile::tempdir().unwrap();
    openssl(directory.path(), "req -x509 -newkey ed25519 -nodes -keyout key -out cert -subj /CN=a");
    openssl(directory.path(), "x509 -in cert -outform DER -out cert.der");
    for name in ["cert", "cert.der"] {
        let path = directory.path().join(name);
        assert!(ForeignKey::find(&fs::read(&path).unwrap(), &path).unwrap().is_none(), "{name}");
    }
    for octets in [&b""[..], b"text", &[0x30], &[0x30, 0x80, 0, 0]] {
        assert!(ForeignKey::find(octets, Path::new("a")).unwrap().is_none());
    }
    // a certificate before the key, since some programs write both into one file
    let both = ["cert", "key"].map(|name| fs::read_to_string(directory.path().join(name)).unwrap()).concat();
    let key = ForeignKey::find(both.as_bytes(), Path::new("both")).unwrap().unwrap();
    assert_eq!(key.to_string(), "PKCS#8, not encrypted");
}

proptest::proptest! {
    #[test]
    fn no_octets_bring_it_down(octets: Vec<u8>, passphrase: String) {
        if let Ok(Some(key)) = ForeignKey::find(&octets, Path::new("a")) {
            let _ = key.open(Path::new("a"), &mut given(&passphrase));
        }
        let text = format!(
            "-----BEGIN RSA PRIVATE KEY-----\nDEK-Info: DES-EDE3-CBC,0011223344556677\n\n{}{}",
            pem::body(&octets).collect::<String>(),
            pem::end("RSA PRIVATE KEY"),
        );
        let key = ForeignKey::find(text.as_bytes(), Path::new("a")).unwrap().unwrap();
        proptest::prop_assert!(key.open(Path::new("a"), &mut given(&passphrase)).is_err());
    }
}
