//! Something else where a request is expected, and requests in strange wrappings.
use crate::malformed_requests::{Case, all_refused};
use crate::support::Home;
use crate::support::builders::RequestBuilder;
use crate::{ca, refused};
use genfic_ca::x509::pem;
use std::fs;

const NOT: &str = "request.not-a-request";

fn request_pem(host: &str) -> String {
    pem::encode("CERTIFICATE REQUEST", &RequestBuilder::new().good(host))
}

#[test]
fn something_else_in_the_place_of_a_request_is_told_by_what_it_is() {
    // G22
    let home = Home::with_hierarchy("http://pki.genfic.example");
    home.ca(&["create-request", "www.example", "--sign", "-p", "genfic-system"]).ok();
    let run = |words: &str| drop(home.run(&words.split(' ').collect::<Vec<_>>()).ok());
    run("openssl x509 -in www.example.crt -outform DER -out crt.der");
    run("openssl pkey -in www.example.key -outform DER -out key.der");
    run("openssl pkey -in www.example.key -traditional -outform DER -out sec1.der");
    run("openssl pkcs8 -topk8 -in www.example.key -passout pass:x -outform DER -out p8.der");
    run("openssl pkey -in www.example.key -pubout -out pub.pem");
    run("openssl pkey -in www.example.key -pubout -outform DER -out pub.der");
    run("openssl pkcs12 -export -in www.example.crt -inkey www.example.key -passout pass:x -out all.p12");
    run("openssl crl2pkcs7 -nocrl -certfile www.example.crt -out all.p7b");
    run("openssl crl2pkcs7 -nocrl -certfile www.example.crt -outform DER -out p7.der");
    run("openssl genrsa -traditional -out rsa.pem 2048");
    run("openssl rsa -in rsa.pem -traditional -outform DER -out rsa.der");
    for (file, what, hint) in [
        ("www.example.crt", "a certificate", "the request that it was made from"),
        ("crt.der", "a certificate", "genfic-ca show"),
        ("home/public/genfic.chain.pem", "a certificate", "genfic-ca show"),
        ("home/public/genfic.crl", "a CRL", "openssl req -new"),
        ("home/public/genfic.crl.pem", "a CRL", "openssl req -new"),
        ("www.example.key", "a private key", "openssl req -new -key"),
        ("key.der", "a private key", "keep it to yourself"),
        ("sec1.der", "a private key", "keep it to yourself"),
        ("p8.der", "a private key", "keep it to yourself"),
        ("rsa.pem", "a private key", "keep it to yourself"),
        ("rsa.der", "a private key", "keep it to yourself"),
        ("home/keys/genfic.age", "a private key", "keep it to yourself"),
        ("pub.pem", "a public key", "openssl req -new"),
        ("pub.der", "a public key", "openssl req -new"),
        ("all.p12", "a PKCS#12 file", "private key"),
        ("all.p7b", "a PKCS#7 file", "openssl req -new"),
        ("p7.der", "a PKCS#7 file", "openssl req -new"),
    ] {
        let said = ca(&home, &["sign", file, "-p", "genfic-system"]);
        refused(&said, 7, NOT, file);
        assert!(
            said.err.contains(&format!("{file}: this is {what}, not a certification request")),
            "{}",
            said.err
        );
        assert!(said.err.contains(hint), "{file}: {}", said.err);
    }
}

#[test]
fn several_blocks_wrong_labels_and_broken_wrappings_are_refused() {
    let home = Home::with_hierarchy("http://pki.genfic.example");
    let good = request_pem("good.genfic.example");
    let other = request_pem("other.genfic.example");
    let key = pem::encode("PRIVATE KEY", &[0x30, 0]);
    let certificate = fs::read_to_string(home.path("home/public/genfic.pem")).unwrap();
    let malformed = "request.malformed";
    let utf16: Vec<u8> = [0xfeff].into_iter().chain(good.encode_utf16()).flat_map(u16::to_le_bytes).collect();
    let body = good.lines().nth(1).unwrap();
    let cases: Vec<Case> = vec![
        ("two requests", [&good[..], &other].concat().into(), malformed, "2 requests; one is needed"),
        ("the same twice", [&good[..], &good].concat().into(), malformed, "2 requests"),
        (
            "with its private key before",
            [&key[..], &good].concat().into(),
            "request.with-private-key",
            "beside the request, the file has a private key",
        ),
        (
            "with its private key behind",
            [&good[..], &key].concat().into(),
            "request.with-private-key",
            "no longer private",
        ),
        ("with a certificate", [&good[..], &certificate].concat().into(), malformed, "has a certificate"),
        (
            "the label of a certificate",
            good.replace("CERTIFICATE REQUEST", "CERTIFICATE").into(),
            NOT,
            "a certificate",
        ),
        (
            "a label that nobody has",
            good.replace("CERTIFICATE REQUEST", "REQUEST FOR A CERTIFICATE").into(),
            malformed,
            "0 requests",
        ),
        (
            "another label at the end",
            good.replace("END CERTIFICATE REQUEST", "END CERTIFICATE").into(),
            malformed,
            "no matching END",
        ),
        (
            "no end",
            good.replace("-----END CERTIFICATE REQUEST-----", "").into(),
            malformed,
            "no matching END",
        ),
        (
            "text within",
            good.replace(body, &format!("{body}\nhello, world!")).into(),
            malformed,
            "not base64",
        ),
        (
            "an empty block",
            "-----BEGIN CERTIFICATE REQUEST-----\n-----END CERTIFICATE REQUEST-----\n".into(),
            malformed,
            "",
        ),
        ("UTF-16", utf16, NOT, "text in UTF-16"),
        ("nothing", Vec::new(), NOT, "this is empty"),
        ("a BOM alone", "\u{feff}".into(), malformed, ""),
        ("a key of SSH", b"ssh-ed25519 AAAAC3Nz me@host\n".to_vec(), NOT, "a public key"),
    ];
    all_refused(&home, &cases);
}

#[test]
fn requests_in_strange_but_whole_wrappings_are_signed() {
    let home = Home::with_hierarchy("http://pki.genfic.example");
    let wrapped = |host: &str, wrap: &dyn Fn(String) -> Vec<u8>| {
        let file = format!("{host}.req");
        fs::write(home.path(&file), wrap(request_pem(host))).unwrap();
        let result = home.result(&["sign", &file, "-p", "genfic-system"]);
        assert_eq!(result["certificates"][0]["subject"], format!("CN={host}"));
    };
    wrapped("crlf.example", &|pem| pem.replace('\n', "\r\n").into());
    wrapped("bom.example", &|pem| format!("\u{feff}{pem}").into());
    wrapped("new.example", &|pem| pem.replace("CERTIFICATE", "NEW CERTIFICATE").into());
    wrapped("one-line.example", &|pem| {
        let lines: Vec<&str> = pem.lines().collect();
        let (first, last) = (lines[0], lines[lines.len() - 1]);
        format!("{first}\n{}\n{last}", lines[1..lines.len() - 1].concat()).into()
    });
    wrapped("mail.example", &|pem| {
        [&b"Dear CA,\nsoci\xe9t\xe9 anonyme\n\n"[..], pem.as_bytes(), b"\n-- \nBye \xff\xfe\n"].concat()
    });
    wrapped("blanks.example", &|pem| pem.replace('\n', "  \t\n").into());
    let file = "der.example.req";
    fs::write(home.path(file), RequestBuilder::new().good("der.example")).unwrap();
    home.result(&["sign", file, "-p", "genfic-system"]);
}
