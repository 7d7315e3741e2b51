//! Subjects and alternative names that no certificate may have (X4, X7), through `sign`.
use crate::malformed_requests::{Case, all_refused};
use crate::support::Home;
use crate::support::builders::*;
use crate::{ca, refused};
use genfic_ca::x509::octets::{SET, sequence, tlv};
use std::fs;

const UTF8: u8 = 0x0c;
const PRINTABLE: u8 = 0x13;
const BMP: u8 = 0x1e;

#[test]
fn subjects_that_deceive_or_break_their_bounds_are_refused() {
    // X4
    let home = Home::with_hierarchy("http://pki.genfic.example");
    let forge = RequestBuilder::new();
    let san = extension_request(&[extension(SAN, false, &sequence(&[&dns(b"good.genfic.example")]))]);
    let of = |name: &[u8]| forge.request(name, std::slice::from_ref(&san));
    let named = |tag: u8, value: &[u8]| of(&common_name(tag, value));
    let rdn = |value: &[u8]| tlv(SET, &sequence(&[&tlv(6, &[0x55, 4, 11]), &tlv(UTF8, value)]));
    let many: Vec<Vec<u8>> = (0..10_000).map(|n| rdn(format!("unit {n}").as_bytes())).collect();
    let one_rdn = tlv(
        SET,
        &(0..10_000)
            .map(|_| sequence(&[&tlv(6, &[0x55, 4, 11]), &tlv(UTF8, b"u")]))
            .collect::<Vec<_>>()
            .concat(),
    );
    let value = "policy.subject-value";
    let cases: Vec<Case> = vec![
        ("a NUL", named(UTF8, b"good.genfic.example\0.evil.example"), value, r"\u{0}"),
        ("an escape sequence", named(UTF8, b"\x1b[31mroot\x1b[0m"), value, r"\u{1b}[31mroot"),
        ("a line feed", named(UTF8, b"good\nerror: none"), value, "good\\n"),
        ("text that runs backwards", named(UTF8, "\u{202e}gro.elpmaxe".as_bytes()), value, r"\u{202e}"),
        ("a space of no width", named(UTF8, "good\u{200b}name".as_bytes()), value, r"\u{200b}"),
        ("an empty common name", named(UTF8, b""), value, "empty"),
        ("octets that are no UTF-8", named(UTF8, b"\xff\xfe\xfd"), value, "not text"),
        ("BMPString with half a pair", named(BMP, &[0, b'a', 0xd8, 0]), value, "not text"),
        ("BMPString of odd length", named(BMP, &[0, b'a', 0]), value, "not text"),
        ("PrintableString beyond ASCII", named(PRINTABLE, b"caf\xe9"), value, "not text"),
        ("a number for a name", named(2, &[7]), value, "not text"),
        ("a sequence for a name", named(0x30, &[5, 0]), value, "not text"),
        ("65 characters", named(UTF8, &[b'x'; 65]), value, "65 characters, at most 64"),
        ("100,000 characters", named(UTF8, &[b'x'; 100_000]), value, "(100000 characters)"),
        (
            "a country of three letters",
            of(&subject(&[0x55, 4, 6], PRINTABLE, b"BEL")),
            value,
            "3 characters, at most 2",
        ),
        (
            "a country in small letters",
            of(&subject(&[0x55, 4, 6], PRINTABLE, b"be")),
            value,
            "two capital letters",
        ),
        (
            "an attribute that nobody knows",
            of(&subject(&[0x2a, 3, 4], UTF8, b"x")),
            "policy.subject-unlisted",
            "1.2.3.4",
        ),
        ("ten thousand RDNs", of(&sequence(&[&many.concat()])), "policy.subject-count", "10000 attributes"),
        (
            "ten thousand attributes in one RDN",
            of(&sequence(&[&one_rdn])),
            "policy.subject-count",
            "10000 attributes",
        ),
        ("an empty RDN", of(&sequence(&[&[0x31, 0]])), "request.malformed", "Name"),
        (
            "an empty subject and no name",
            forge.request(&[0x30, 0], &[]),
            "policy.name-missing",
            "neither a subject",
        ),
        (
            "a name for another host",
            of(&common_name(UTF8, b"www.bank.example")),
            "policy.common-name",
            "www.bank.example",
        ),
        ("an address for a name", named(UTF8, b"192.0.2.7"), "policy.common-name", "192.0.2.7"),
    ];
    all_refused(&home, &cases);
}

#[test]
fn alternative_names_that_are_none_or_not_allowed_are_refused() {
    // X7, X12
    let home = Home::with_hierarchy("http://pki.genfic.example");
    let forge = RequestBuilder::new();
    let good = dns(b"good.genfic.example");
    let with = |name: Vec<u8>| forge.with_names(&[good.clone(), name]);
    let host = |name: &[u8]| with(dns(name));
    let (syntax, kind, wildcard) = ("policy.name-syntax", "policy.name-kind", "policy.name-wildcard");
    let raw = |value: &[u8]| forge.with_extensions("good.genfic.example", &[extension(SAN, false, value)]);
    let other_name = tlv(
        0xa0,
        &[tlv(6, &[0x2b, 6, 1, 4, 1, 0x82, 0x37, 20, 2, 3]), tlv(0xa0, &tlv(UTF8, b"root@corp"))].concat(),
    );
    let numbered: Vec<Vec<u8>> =
        (0..10_000).map(|n| dns(format!("h{n}.genfic.example").as_bytes())).collect();
    let bad: Vec<Vec<u8>> = (0..10_000).map(|n| dns(format!("h {n}").as_bytes())).collect();
    let hundred_one: Vec<Vec<u8>> = numbered.iter().take(101).cloned().collect();
    let broken: Vec<Vec<u8>> = (0..10_000).map(|_| dns(b"\xff")).collect();
    let long = [vec![b'a'; 63], vec![b'b'; 63], vec![b'c'; 63], vec![b'd'; 63]].join(&b'.');
    let cases: Vec<Case> = vec![
        ("a NUL", host(b"good.genfic.example\0.evil.example"), syntax, "NUL"),
        ("a control character", host(b"a\x1bb.example"), syntax, r"\u{1b}"),
        ("beyond ASCII", host("bücher.example".as_bytes()), syntax, "IA5String"),
        ("text that runs backwards", host("\u{202e}moc.example".as_bytes()), syntax, r"\u{202e}"),
        ("a wildcard alone", host(b"*"), syntax, "wildcard"),
        ("a wildcard and a dot", host(b"*."), syntax, "dot"),
        ("a wildcard of a whole domain", host(b"*.com"), wildcard, "*.com"),
        ("a wildcard in the middle", host(b"a.*.example"), syntax, "wildcard"),
        ("a wildcard with letters", host(b"*a.example"), syntax, "wildcard"),
        ("two wildcards", host(b"*.*.example"), syntax, "wildcard"),
        ("an honest wildcard", host(b"*.genfic.example"), wildcard, "does not allow"),
        ("a broken A-label", host(b"xn--zzzzzzzz99999.example"), syntax, "internationalised"),
        ("an A-label of nothing", host(b"xn--.example"), syntax, "internationalised"),
        ("an underscore", host(b"a_b.example"), syntax, "underscore"),
        ("a dot at the end", host(b"a.example."), syntax, "dot"),
        ("a dot at the start", host(b".a.example"), syntax, "empty label"),
        ("an empty name", host(b""), syntax, "empty"),
        ("a blank", host(b"a b.example"), syntax, "blank"),
        ("a port", host(b"a.example:443"), syntax, "port"),
        ("a URL for a host", host(b"https://a.example/"), syntax, "colon"),
        ("an address as a host", host(b"192.0.2.7"), syntax, "number"),
        ("a label of 64", host(&[&[b'a'; 64][..], b".example"].concat()), syntax, "63"),
        ("a name of 255", host(&long), syntax, "253"),
        ("100,000 octets", host(&[b'a'; 100_000]), syntax, "(100004 characters)"),
        ("an address of five octets", with(tlv(0x87, &[1, 2, 3, 4, 5])), syntax, "4 or 16 octets"),
        (
            "an address with a mask",
            with(tlv(0x87, &[192, 0, 2, 0, 255, 255, 255, 0])),
            syntax,
            "4 or 16 octets",
        ),
        ("a mailbox of nobody", with(tlv(0x81, b"@genfic.example")), syntax, "local part"),
        ("a URI without a scheme", with(tlv(0x86, b"genfic.example")), syntax, "absolute"),
        ("a login name of Windows", with(other_name), kind, "other"),
        ("a registeredID", with(tlv(0x88, &[0x2a, 3, 4])), kind, "other"),
        ("an x400Address", with(tlv(0xa3, &sequence(&[]))), kind, "other"),
        ("a directoryName", with(tlv(0xa4, cn("x").as_der())), kind, "dirName"),
        ("a form that nobody has", with(tlv(0x89, b"x")), syntax, "known form"),
        ("no names at all", raw(&[0x30, 0]), syntax, "empty"),
        ("no sequence", raw(&[5, 0]), syntax, "whole extension"),
        (
            "octets behind the names",
            raw(&[&sequence(&[&good])[..], &[0]].concat()),
            syntax,
            "whole extension",
        ),
        ("ten thousand names", forge.with_names(&numbered), "policy.name-count", "10000 alternative names"),
        ("one hundred and one", forge.with_names(&hundred_one), "policy.name-count", "101 alternative names"),
        ("ten thousand bad ones", forge.with_names(&bad), "policy.name-count", "10000 alternative names"),
        (
            "ten thousand broken ones",
            forge.with_names(&broken),
            "policy.name-count",
            "10000 alternative names",
        ),
    ];
    all_refused(&home, &cases);
}

#[test]
fn an_ipv4_address_within_ipv6_and_doubled_names_are_granted_for_what_they_are() {
    // X7, X12
    let home = Home::with_hierarchy("http://pki.genfic.example");
    let mapped = [&[0; 10][..], &[0xff, 0xff, 192, 0, 2, 7]].concat();
    let names = [
        dns(b"good.genfic.example"),
        dns(b"GOOD.genfic.example"),
        tlv(0x87, &mapped),
        tlv(0x87, &[192, 0, 2, 7]),
    ];
    fs::write(home.path("a.req"), RequestBuilder::new().with_names(&names)).unwrap();
    let result = home.result(&["sign", "a.req", "-p", "genfic-system"]);
    let expected = serde_json::json!(["DNS:good.genfic.example", "IP:::ffff:192.0.2.7", "IP:192.0.2.7"]);
    assert_eq!(result["certificates"][0]["san"], expected);
}

#[test]
fn names_given_by_the_administrator_are_held_to_the_same() {
    // X7
    let home = Home::with_hierarchy("http://pki.genfic.example");
    fs::write(home.path("a.req"), RequestBuilder::new().good("good.genfic.example")).unwrap();
    for (name, exit, code) in [
        ("DNS:", 2, "usage"),
        ("DNS:a\u{202e}b.example", 2, "usage"),
        ("DNS:a b", 2, "usage"),
        ("IP:192.0.2.256", 2, "usage"),
        ("DNS:*.genfic.example", 7, "policy.name-wildcard"),
        ("email:a@genfic.example", 7, "policy.name-missing"),
    ] {
        refused(&ca(&home, &["sign", "a.req", "-p", "genfic-system", "--san", name]), exit, code, name);
    }
    for subject in ["CN=\u{202e}x", "CN=", "CN=a\u{7}", "C=Belgium", "nonsense", "XX=y"] {
        let said = ca(&home, &["create-request", "x.example", "--subject", subject]);
        refused(&said, 2, "usage", subject);
    }
    assert!(!home.path("x.example.key").exists());
}

#[test]
fn what_is_hidden_in_files_is_never_sent_to_the_terminal() {
    let home = Home::with_hierarchy("http://pki.genfic.example");
    let forge = RequestBuilder::new();
    let hostile = forge.request(&common_name(UTF8, "\u{1b}]0;x\u{7}\u{202e}cod.exe".as_bytes()), &[]);
    fs::write(home.path("h.req"), &hostile).unwrap();
    let name = "\u{1b}[2J\u{202e}h.req";
    fs::write(home.path(name), &hostile).unwrap();
    for words in [
        &["show", "h.req"][..],
        &["show", name],
        &["sign", name, "-p", "genfic-system"],
        &["show", "\u{1b}x"],
        &["revoke", "\u{1b}x"],
    ] {
        let said = ca(&home, words);
        for hidden in ['\u{1b}', '\u{7}', '\u{202e}'] {
            assert!(!said.out.contains(hidden) && !said.err.contains(hidden), "{words:?}: {:?}", said.all());
        }
    }
    let audit = ca(&home, &["audit", "show"]).ok();
    assert!(!audit.out.contains('\u{1b}') && audit.out.contains(r"\u{1b}"), "{}", audit.out);
}
