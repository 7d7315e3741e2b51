//! What names a certificate may have: blanks, hosts in disguise, name constraints, and profiles that leave them open.
use crate::support::Home;
use std::fs;

fn request(home: &Home, subject: &str) {
    let words =
        ["openssl", "req", "-new", "-newkey", "rsa:2048", "-nodes", "-keyout", "x.key", "-out", "x.req"];
    home.run(&[&words[..], &["-utf8", "-subj", subject][..]].concat()).ok();
}

#[test]
fn blanks_around_a_common_name_and_hosts_in_disguise_are_not_granted() {
    // X4, X8
    let home = Home::with_hierarchy("http://pki.genfic.example");
    for (subject, code) in [
        ("/CN= www.genfic.example ", "policy.subject-value"),
        ("/CN=www.genfic.example\u{a0}", "policy.subject-value"),
        ("/CN=www.genfic.example.", "policy.common-name"),
        ("/CN=www.genfic.example:443", "policy.common-name"),
        ("/CN=https:\\/\\/www.genfic.example", "policy.common-name"),
        ("/CN=www\u{ff0e}genfic\u{3002}example", "policy.common-name"),
        ("/CN=www.gen\u{200d}fic.example", "policy.common-name"),
    ] {
        request(&home, subject);
        let said = home.ca(&["sign", "x.req", "-p", "genfic-system", "--san", "other.genfic.example"]);
        assert!(said.status == 7 && said.err.contains(code), "{subject}: {}", said.all());
    }
}

#[test]
fn a_constrained_ca_issues_neither_wildcards_over_excluded_names_nor_addresses_in_disguise() {
    // X8
    let home = Home::with_hierarchy("http://pki.genfic.example");
    let constraints = ["--permit", "x.example", "--permit", "0.0.0.0/0", "--permit", "::/0"];
    let excluded = ["--exclude", "secret.x.example", "--exclude", "192.0.2.0/24", "--profile", "system-ca"];
    let words = ["create-child", "held", "-p", "genfic"];
    home.ca(&[&words[..], &constraints[..], &excluded[..]].concat()).ok();
    let profile = home.path("home/policy/system.toml");
    let text = fs::read_to_string(&profile).unwrap().replace("wildcards = false", "wildcards = true");
    fs::write(&profile, text).unwrap();
    request(&home, "/CN=a.x.example");
    for (name, fits) in [
        ("a.x.example", true),
        ("*.a.x.example", true),
        ("192.0.3.1", true),
        ("*.x.example", false),
        ("*.secret.x.example", false),
        ("::ffff:192.0.2.1", false),
        ("::192.0.2.1", false),
        ("a.y.example", false),
    ] {
        let said = home.ca(&["sign", "x.req", "-p", "held", "--san", "a.x.example", "--san", name]);
        let refused = said.status == 7 && said.err.contains("policy.name-constraints");
        assert_eq!((said.status == 0, refused), (fits, !fits), "{name}: {}", said.all());
    }
}

#[test]
fn permitting_a_name_permits_mail_and_uris_of_its_hosts_alone() {
    // X8
    let home = Home::with_hierarchy("http://pki.genfic.example");
    home.ca(&["create-child", "held", "-p", "genfic", "--profile", "user-ca", "--permit", "ok.example"]).ok();
    let text = home.run(&["openssl", "x509", "-in", "home/public/held.pem", "-noout", "-text"]).ok().out;
    for line in ["email:ok.example", "email:.ok.example", "URI:ok.example", "URI:.ok.example"] {
        assert!(text.contains(line), "{line}: {text}");
    }
    for (address, fits) in
        [("amber@ok.example", true), ("amber@x.ok.example", true), ("amber@b.example", false)]
    {
        request(&home, "/CN=Amber");
        let said = home.ca(&["sign", "x.req", "-p", "held", "--san", &format!("email:{address}")]);
        assert_eq!(said.status == 0, fits, "{address}: {}", said.all());
    }
}

#[test]
fn a_profile_that_leaves_something_open_is_refused_in_new_homes_and_told_in_older_ones() {
    // X8
    let home = Home::with_hierarchy("http://pki.genfic.example");
    let text = fs::read_to_string(home.path("home/policy/system.toml")).unwrap();
    let open = text.replace("max_days = 3650", "").replace("[names]", "[names]\npermitted = []");
    fs::write(home.path("home/policy/open.toml"), open).unwrap();
    request(&home, "/CN=a.genfic.example");
    let words = ["sign", "x.req", "-p", "genfic-system", "--san", "a.genfic.example"];
    home.ca(&words).ok();
    let with_it = [&words[..], &["--profile", "open"][..]].concat();
    let said = home.ca(&with_it);
    assert!(said.status == 1 && said.err.contains("policy.invalid-profile"), "{}", said.all());
    for flaw in ["names.permitted: is empty", "validity.max_days: is missing"] {
        let line =
            said.err.lines().find(|line| line.contains(flaw)).unwrap_or_else(|| panic!("{}", said.all()));
        assert!(line.contains("policy/open.toml: line "), "{line}");
    }
    let looked = home.ca(&["doctor"]);
    assert!(looked.all().contains("open.toml") && looked.all().contains("max_days"), "{}", looked.all());

    // as in a home whose index was migrated
    home.run(&["sqlite3", "home/index.db", "INSERT INTO older VALUES (1, 4)"]).ok();
    let said = home.ca(&with_it).ok();
    assert!(said.err.contains("the next version refuses this profile"), "{}", said.all());
}
