//! The whole chapter in six lines, exactly as the command line contract prints them.
use crate::support::Home;

const SIX_LINES: &str = r#"
genfic-ca init --org "Gentoo Fictional, Inc." --country BE --url http://pki.genfic.example
genfic-ca create-root   genfic
genfic-ca create-child  genfic-user   -p genfic --profile user-ca
genfic-ca create-child  genfic-system -p genfic --profile system-ca
genfic-ca create-request w03443ad.genfic.example --sign -p genfic-system
genfic-ca revoke w03443ad.genfic.example --reason key-compromise
"#;

/// Runs shell lines as they stand, with the program's directory first in the PATH.
pub(crate) fn shell(home: &Home, lines: &str) -> std::process::Output {
    let program = std::path::Path::new(crate::support::CA).parent().unwrap();
    let path = format!("{}:{}", program.display(), std::env::var("PATH").unwrap());
    let like = home.command::<&str>(&[]);
    let mut command = std::process::Command::new("sh");
    command.args(["-euc", lines]).current_dir(home.directory()).env("PATH", path);
    for (name, value) in like.get_envs() {
        command.env(name, value.unwrap());
    }
    command.output().unwrap()
}

#[test]
fn the_six_lines_make_a_hierarchy_and_a_revoked_certificate() {
    // G1, G2, G3, G11
    let home = Home::new();
    std::fs::rename(home.path("home/genfic-ca.toml"), home.path("kept.toml")).unwrap();
    std::fs::remove_dir_all(home.path("home")).unwrap();
    let output = shell(&home, SIX_LINES);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let tree = home.ca(&["authorities", "--tree"]).ok().out;
    assert!(tree.contains("├─ genfic-system") && tree.contains("└─ genfic-user"), "{tree}");
    let list = home.result(&["list", "--status", "revoked"]);
    assert_eq!(list["certificates"][0]["reason"], "key-compromise");
    assert_eq!(list["certificates"][0]["san"][0], "DNS:w03443ad.genfic.example");
    for file in ["w03443ad.genfic.example.key", "w03443ad.genfic.example.req", "w03443ad.genfic.example.crt"]
    {
        assert!(home.path(file).is_file(), "{file}");
    }
}

#[test]
fn a_persons_certificate_needs_no_word_about_names() {
    // G8: the profile `user` takes no DNS names, so none is made of the name
    let home = Home::with_hierarchy("http://pki.genfic.example");
    home.ca(&["create-request", "amber", "--sign", "-p", "genfic-user"]).ok();
    let amber = home.result(&["show", "amber.crt"]);
    assert_eq!(amber["san"], serde_json::json!([]), "{amber}");
    home.run(&["openssl", "verify", "-CAfile", "home/public/genfic-user.chain.pem", "amber.crt"]).ok();
}

#[test]
fn the_tree_has_every_ca_below_its_own_root_and_says_what_fell_with_its_issuer() {
    // G3
    let home = Home::with_hierarchy("http://pki.genfic.example");
    home.ca(&["create-root", "another"]).ok();
    home.ca(&["create-child", "another-system", "-p", "another"]).ok();
    let names = |tree: &str| -> Vec<String> {
        tree.lines().skip(1).map(|line| line.split("  ").next().unwrap().trim().to_owned()).collect()
    };
    let tree = home.ca(&["authorities", "--tree"]).ok().out;
    let expected = ["another", "└─ another-system", "genfic", "├─ genfic-system", "└─ genfic-user"];
    assert_eq!(names(&tree), expected, "{tree}");
    let root = home.result(&["show", "another"])["serial"].as_str().unwrap().to_owned();
    home.ca(&["revoke", &format!("another/{root}"), "--yes"]).ok();
    let listed = home.result(&["authorities"]);
    let fallen = |name: &str| {
        let all = listed["authorities"].as_array().unwrap();
        all.iter().find(|ca| ca["name"] == name).unwrap()["status"].as_str().unwrap().to_owned()
    };
    assert_eq!((fallen("another"), fallen("another-system")), ("revoked".into(), "issuer-revoked".into()));
}

#[test]
fn a_refusal_is_recorded_with_what_was_refused() {
    // G15
    let home = Home::with_hierarchy("http://pki.genfic.example");
    home.run(&[
        "openssl",
        "req",
        "-new",
        "-newkey",
        "rsa:1024",
        "-nodes",
        "-keyout",
        "w.key",
        "-out",
        "w.req",
        "-subj",
        "/CN=w.example",
    ])
    .ok();
    let refused = home.ca(&["sign", "w.req", "-p", "genfic-system", "--json"]);
    assert_eq!((refused.status, refused.json()["error"]["code"].as_str()), (7, Some("policy.weak-key")));
    let records = home.result(&["audit", "show", "--last", "1"]);
    let record = records["records"][0].to_string();
    for word in ["genfic-system/w.req", "policy.weak-key", "\"sign\""] {
        assert!(record.contains(word), "{record}");
    }
}
