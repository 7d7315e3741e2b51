use super::*;

fn constraints(permit: &[&str], exclude: &[&str]) -> NameConstraints {
    let parse = |list: &[&str]| list.iter().map(|text| text.parse().unwrap()).collect();
    NameConstraints { permitted: parse(permit), excluded: parse(exclude) }
}

fn dns(name: &str) -> GeneralName {
    GeneralName::Dns(name.into())
}

#[test]
fn constraints_survive_a_round_trip_without_leading_dot_or_minimum() {
    // X8
    let all = constraints(
        &[".ok.example", "ip:192.0.2.0/24", "ip:2001:db8::/33", "email:example", "a@b.example"],
        &["uri:.bad.example", "dir:C=BE,O=Example"],
    );
    let extension = all.to_extension();
    assert!(extension.critical);
    assert_eq!(NameConstraints::from_value(&extension.value), Ok(all.clone()));
    assert_eq!(all.permitted[0], Subtree::Dns("ok.example".into()));
}

#[test]
fn permitting_only_dns_names_excludes_every_address() {
    // X8
    let closed = constraints(&["ok.example"], &[]).closed_for_addresses();
    assert!(closed.refuses(&GeneralName::Ip("192.0.2.1".parse().unwrap())).is_some());
    assert!(closed.refuses(&GeneralName::Ip("::1".parse().unwrap())).is_some());
    let both = constraints(&["ok.example", "192.0.2.0/24"], &[]).closed_for_addresses();
    assert!(both.refuses(&GeneralName::Ip("192.0.2.1".parse().unwrap())).is_none());
}

#[test]
fn names_are_matched_as_the_rfc_says() {
    // X8
    let some = constraints(
        &["ok.example", "email:host.example", "email:.sub.example", "uri:.u.example"],
        &["bad.ok.example"],
    );
    assert!(some.refuses(&dns("ok.example")).is_none());
    assert!(some.refuses(&dns("*.A.OK.example")).is_none());
    assert!(some.refuses(&dns("notok.example")).is_some());
    assert!(some.refuses(&dns("x.bad.ok.example")).is_some());
    assert!(some.refuses(&GeneralName::Email("a@host.example".into())).is_none());
    assert!(some.refuses(&GeneralName::Email("a@x.host.example".into())).is_some());
    assert!(some.refuses(&GeneralName::Email("a@x.sub.example".into())).is_none());
    assert!(some.refuses(&GeneralName::Uri("http://x.u.example:8/".into())).is_none());
    assert!(some.refuses(&GeneralName::Uri("http://u.example/".into())).is_some());
    assert!(some.refuses(&GeneralName::Directory(Name::parse("CN=a").unwrap())).is_none());
}

#[test]
fn directory_names_are_matched_by_leading_rdns() {
    // X8
    let some = constraints(&["dir:C=BE,O=Example"], &[]);
    assert!(some.refuses(&GeneralName::Directory(Name::parse("C=BE,O=EXAMPLE,CN=a").unwrap())).is_none());
    assert!(some.refuses(&GeneralName::Directory(Name::parse("C=NL,O=Example,CN=a").unwrap())).is_some());
}

#[test]
fn a_wildcard_that_covers_an_excluded_name_is_refused() {
    // X8
    let some = constraints(&[], &["secret.x.example"]);
    for covers in ["*.x.example", "*.X.Example", "*.secret.x.example", "secret.x.example"] {
        assert!(some.refuses(&dns(covers)).is_some(), "{covers}");
    }
    for apart in ["*.example", "*.y.example", "open.x.example", "*.open.x.example", "x.example"] {
        assert!(some.refuses(&dns(apart)).is_none(), "{apart}");
    }
    assert!(constraints(&["open.x.example"], &[]).refuses(&dns("*.x.example")).is_some());
}

#[test]
fn an_address_in_another_dress_is_held_to_what_is_said_of_it() {
    // X8
    let ip = |text: &str| GeneralName::Ip(text.parse().unwrap());
    let some = constraints(&[], &["192.0.2.0/24"]);
    for dressed in ["::ffff:192.0.2.7", "::192.0.2.7", "64:ff9b::192.0.2.7", "2002:c000:0207::1"] {
        assert!(some.refuses(&ip(dressed)).is_some(), "{dressed}");
    }
    for other in ["::ffff:192.0.3.7", "::", "::1", "2001:db8::c000:207", "2002:c000:0307::1"] {
        assert!(some.refuses(&ip(other)).is_none(), "{other}");
    }
    let permitted = constraints(&["192.0.2.0/24"], &[]);
    assert!(permitted.refuses(&ip("::ffff:192.0.2.7")).is_none());
    assert!(permitted.refuses(&ip("::ffff:192.0.3.7")).is_some());
    let mapped = constraints(&[], &["::ffff:192.0.2.0/120"]);
    assert!(mapped.refuses(&ip("192.0.2.7")).is_some() && mapped.refuses(&ip("192.0.3.7")).is_none());
    assert!(constraints(&[], &["::/0"]).refuses(&ip("192.0.2.7")).is_none());
}

#[test]
fn permitting_only_dns_names_permits_mailboxes_and_uris_of_these_hosts_alone() {
    // X8
    let closed = constraints(&["ok.example"], &[]).closed_for_hosts();
    let mail = |text: &str| closed.refuses(&GeneralName::Email(text.into())).is_none();
    assert!(mail("a@ok.example") && mail("a@x.OK.example"));
    assert!(!mail("a@b.example") && !mail("a@notok.example") && !mail("a@ok.example.evil.example"));
    let uri = |text: &str| closed.refuses(&GeneralName::Uri(text.into())).is_none();
    assert!(uri("https://ok.example/") && uri("https://u:p@x.ok.example:8443/"));
    assert!(!uri("https://b.example/") && !uri("https://ok.example@b.example/") && !uri("http://192.0.2.1/"));
    let said = constraints(&["ok.example", "email:b.example", "uri:.c.example"], &[]);
    assert_eq!(said.clone().closed_for_hosts(), said, "what is said stays");
    let none = constraints(&["192.0.2.0/24"], &["no.example"]);
    assert_eq!(none.clone().closed_for_hosts(), none);
}

#[test]
fn directory_names_are_matched_as_names_are_compared() {
    // X3, X8
    let some = constraints(&["dir:C=BE,O=Example Corp"], &[]);
    let printable = [
        0x30, 0x35, 0x31, 0x0b, 0x30, 9, 6, 3, 0x55, 4, 6, 0x13, 2, b'B', b'E', 0x31, 0x16, 0x30, 0x14, 6, 3,
        0x55, 4, 10, 0x13, 13, b'E', b'X', b'A', b'M', b'P', b'L', b'E', b' ', b' ', b'C', b'o', b'r', b'p',
        0x31, 0x0e, 0x30, 12, 6, 3, 0x55, 4, 3, 0x13, 5, b'a', b' ', b'b', b' ', b'c',
    ];
    let name = Name::from_der(&printable).unwrap();
    assert!(some.refuses(&GeneralName::Directory(name)).is_none());
    assert!(some.refuses(&GeneralName::Directory(Name::parse("O=Example Corp,C=BE").unwrap())).is_some());
}
