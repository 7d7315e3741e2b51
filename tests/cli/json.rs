//! `--json` of every command: one object, its fields present and of their types.
use crate::support::{Home, free_address};
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::Path;
use std::time::{Duration, Instant};

/// Fields that every certificate has.
const CERTIFICATE: &str = "serial:serial subject:text san[]?:text not_before:time not_after:time profile:text \
                           issuer:text fingerprint:fingerprint file:path";
const CRL: &str = "number:number next_update:time files[]:path";

fn is(kind: &str, value: &Value, directory: &Path) -> bool {
    let text = value.as_str();
    let is_hex =
        |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_digit() || ('a'..='f').contains(&c));
    match kind {
        "text" => text.is_some_and(|text| !text.is_empty()),
        "number" => value.is_u64(),
        "bool" => value.is_boolean(),
        "null" => value.is_null(),
        "time" => {
            text.is_some_and(|text| text.len() == 20 && text.ends_with('Z') && text.as_bytes()[10] == b'T')
        }
        "serial" => text.is_some_and(is_hex),
        "fingerprint" => text
            .and_then(|text| text.strip_prefix("sha256:"))
            .is_some_and(|digits| digits.len() == 64 && is_hex(digits)),
        "path" => text.is_some_and(|text| directory.join(text).is_file()),
        _ => panic!("no such kind: {kind}"),
    }
}

/// Checks `path:kind` items; `[]` goes into a list that has something, `[]?` into any list.
fn check(result: &Value, spec: &str, directory: &Path) {
    for item in spec.split_whitespace() {
        let (path, kind) = item.split_once(':').unwrap();
        let mut values = vec![result.clone()];
        for step in path.split('.') {
            let name = step.trim_end_matches("[]?").trim_end_matches("[]");
            let mut next = Vec::new();
            for value in values {
                let field = value.get(name).unwrap_or_else(|| panic!("{item}: no {name} in {value}")).clone();
                if name == step {
                    next.push(field);
                } else {
                    let list = field.as_array().unwrap_or_else(|| panic!("{item}: {field}"));
                    assert!(!list.is_empty() || step.ends_with('?'), "{item} is empty in {result}");
                    next.extend(list.iter().cloned());
                }
            }
            values = next;
        }
        for value in values {
            assert!(kind.split('|').any(|kind| is(kind, &value, directory)), "{item}: {value}\n{result}");
        }
    }
}

/// Every command of the help, `crl publish` and the like included.
fn commands(home: &Home, above: &[&str]) -> BTreeSet<String> {
    let help = home.ca(&[above, &["--help"]].concat()).ok().out;
    let Some((_, listed)) = help.split_once("\nCommands:\n") else {
        return BTreeSet::from([above.join(" ")]);
    };
    let lines = listed.lines().take_while(|line| !line.is_empty());
    // what stands further right is the rest of what is said of a command
    let names = lines.filter(|line| !line.starts_with("   "));
    let names = names.filter_map(|line| line.split_whitespace().next()).filter(|name| *name != "help");
    names.flat_map(|name| commands(home, &[above, &[name]].concat())).collect()
}

struct Walk {
    home: Home,
    seen: BTreeSet<String>,
}

impl Walk {
    /// Runs a command with `--json` and checks the object around the result, and its fields.
    #[track_caller]
    fn step(&mut self, command: &str, rest: &str, exit: i32, changed: bool, spec: &str) {
        let words: Vec<&str> = command.split(' ').chain(rest.split_whitespace()).collect();
        let said = self.home.ca(&[&["--json"], words.as_slice()].concat());
        assert_eq!(said.status, exit, "{words:?} {}", said.all());
        assert_eq!(said.err, "", "{words:?}");
        assert_eq!(said.out.lines().count(), 1, "{words:?} {}", said.out);
        let object = said.json();
        let directory = self.home.directory();
        check(&object, "schema:text command:text ok:bool changed:bool warnings[]?:text", directory);
        assert_eq!(object["schema"], "genfic-ca/1", "{object}");
        assert_eq!(object["command"], command, "{object}");
        assert_eq!(object["changed"], changed, "{words:?} {object}");
        assert_eq!(object["ok"], exit == 0 || exit == 12, "{object}");
        assert_eq!(object.get("error").is_some(), exit != 0, "{object}");
        if exit != 0 {
            check(&object, "error.code:text error.exit:number error.message:text", directory);
            assert_eq!(object["error"]["exit"], exit, "{object}");
        }
        if spec.is_empty() {
            check(&object, "result:null error.hint:text", directory);
        } else {
            check(&object["result"], spec, directory);
        }
        self.seen.insert(command.to_owned());
    }
}

fn each(list: &str, fields: &str) -> String {
    fields.split_whitespace().map(|field| format!("{list}[].{field} ")).collect()
}

#[test]
fn every_command_says_one_json_object_with_typed_fields() {
    // G22
    let address = free_address();
    let home = Home::at_url(&format!("http://{address}"));
    std::fs::write(home.path("bad.req"), "no request").unwrap();
    let mut walk = Walk { home, seen: BTreeSet::new() };
    let authority = format!(
        "name:text serial:serial subject:text not_before:time not_after:time certificate:path chain:path crl:path \
         fingerprint:fingerprint {}",
        CRL.split(' ').map(|field| format!("crl_details.{field} ")).collect::<String>()
    );
    let signed = format!("{} refused[]?.code:text", each("certificates", CERTIFICATE));
    let revoked = format!(
        "serial:serial issuer:text reason:text revoked_at:time {}",
        CRL.split(' ').map(|field| format!("crl.{field} ")).collect::<String>()
    );
    walk.step("version", "", 0, false, "version:text");
    walk.step("init", "", 0, false, "home:text config:path policy:text index:path");
    walk.step("create-root", "genfic", 0, true, &authority);
    walk.step("create-root", "genfic", 4, false, "");
    walk.step("create-child", "genfic-system -p genfic", 0, true, &authority);
    walk.step(
        "create-request",
        "www.example",
        0,
        true,
        "key:path request:path subject:text san[]:text algorithm:text",
    );
    walk.step("create-request", "www.example", 4, false, "");
    walk.step(
        "sign",
        "www.example.req -p genfic-system --dry-run",
        0,
        false,
        "certificates[].subject:text certificates[].serial:null certificates[].not_after:time dry_run:bool",
    );
    walk.step("sign", "www.example.req -p genfic-system", 0, true, &signed);
    walk.step(
        "sign",
        "www.example.req bad.req -p genfic-system",
        7,
        true,
        &format!("{signed} refused[].file:text refused[].message:text refused[].hint:text"),
    );
    walk.step("sign", "bad.req", 2, false, "");
    walk.step("sign", "bad.req -p genfic-system", 7, false, "");
    walk.step(
        "create-request",
        "two.example --sign -p genfic-system",
        0,
        true,
        &format!("{signed} key:path request:path"),
    );
    walk.step("list", "", 0, false,
        "certificates[].serial:serial certificates[].file:path|null certificates[].status:text certificates[].fingerprint:fingerprint");
    walk.step("list", "--expiring 3000d", 12, false, &each("certificates", CERTIFICATE));
    walk.step("authorities", "", 0, false,
        "authorities[].name:text authorities[].parent:text|null authorities[].serial:serial authorities[].not_after:time \
         authorities[].status:text authorities[].ocsp:bool authorities[].fingerprint:fingerprint");
    walk.step("status", "", 0, false,
        "authorities[].name:text authorities[].crl.number:number authorities[].crl.next_update:time authorities[].crl.due:bool \
         authorities[].crl.owed:bool pending:number attention[]?:text");
    let renewal = |what: &str| format!("authorities[].{what} ");
    walk.step("calendar", "--svg c.svg --ics c.ics", 0, true, &format!(
        "now:time svg:path ics:path entries[].at:time entries[].what:text entries[].name:text entries[].overdue:bool \
         entries[].message:text {}{}{}{}", renewal("name:text"), renewal("not_after:time"), renewal("valid:bool"),
        renewal("crl.due:time")));
    walk.step(
        "calendar",
        "",
        0,
        false,
        "svg:null ics:null authorities[].full_length.until:time authorities[].crl.ends:time",
    );
    walk.step("doctor", "", 0, false,
        "findings[]?.code:text checks[].name:text checks[].looked_at:text checks[].skipped:null checks[].findings:number");
    walk.step("show", "two.example", 0, false,
        "type:text serial:serial subject:text san[]:text not_before:time not_after:time fingerprint:fingerprint status:text issuer:text");
    walk.step("lint", "two.example.crt", 0, false, "findings[]?.rule:text");
    walk.step("lint", "bad.req", 11, false, "");
    let daemon = walk.home.daemon(&address);
    walk.step("ocsp query", "two.example", 0, false,
        "url:text serial:serial status:text revoked_at:null produced_at:time this_update:time next_update:time signed_by:text");
    walk.step("hold", "two.example", 0, true, &revoked);
    walk.step("release", "two.example", 0, true, "serial:serial issuer:text crl.number:number");
    walk.step("revoke", "two.example --reason superseded", 0, true, &revoked);
    walk.step("revoke", "two.example", 5, false, "");
    walk.step("revoke", "www.example", 2, false, "");
    walk.step("revoke", "genfic-system", 9, false, "");
    let renewed = format!("{signed} certificates[].replaces:serial");
    walk.step("create-request", "three.example --sign -p genfic-system", 0, true, &signed);
    walk.step("renew", "three.example --expiring 1d", 0, false, &signed);
    walk.step("renew", "three.example", 0, true, &renewed);
    walk.step("rekey", "three.example", 4, false, "");
    std::fs::create_dir(walk.home.path("new")).unwrap();
    walk.step("rekey", "three.example --dir new", 0, true, &format!("{renewed} key:path request:path"));
    walk.step("renew", "two.example", 7, false, "");
    let deadline = Instant::now() + Duration::from_secs(20);
    while walk.home.ca(&["ocsp", "query", "two.example"]).status == 0 {
        assert!(Instant::now() < deadline, "the responder does not see the revocation");
    }
    walk.step("ocsp query", "two.example", 11, false, "status:text revoked_at:time reason:text");
    drop(daemon);
    walk.step("ocsp responder", "genfic-system", 0, true,
        "responders[].name:text responders[].serial:serial responders[].not_after:time responders[].file:path");
    walk.step("ocsp responder", "--due", 0, false, "responders[]?.name:text");
    walk.step("ocsp sync", "", 0, true, "change:number");
    let switched = "name:text ocsp:bool certificates_naming_responder:number";
    walk.step("ocsp disable", "--yes genfic-system", 0, true, switched);
    walk.step("ocsp enable", "genfic-system", 0, true, switched);
    walk.step("crl publish", "genfic-system", 0, true, &format!("crls[].name:text {}", each("crls", CRL)));
    walk.step("crl publish", "--due", 0, false, "crls[]?.name:text");
    walk.step("crl show", "genfic-system", 0, false,
        "type:text number:number this_update:time next_update:time issuer:text entries[].serial:serial entries[].revoked_at:time");
    walk.step(
        "crl check",
        "genfic-system",
        0,
        false,
        "number:number this_update:time next_update:time findings[]?:text",
    );
    walk.step("renew-ca", "genfic-system", 0, true,
        "name:text serial:serial subject:text not_before:time not_after:time certificate:path chain:path parent:text \
         fingerprint:fingerprint replaces:serial");
    walk.step(
        "renew-ca",
        "genfic --rekey",
        0,
        true,
        &format!(
            "{authority} succeeds:text links.new_with_old.file:path links.new_with_old.serial:serial \
         links.old_with_new.file:path links.old_with_new.not_after:time"
        ),
    );
    walk.step("cross-sign", "genfic-g2 -p genfic", 0, true, "links.new_with_old.fingerprint:fingerprint");
    walk.step("create-root", "partner", 0, true, &authority);
    walk.step("cross-sign", "partner -p genfic", 0, true, &each("certificates", CERTIFICATE));
    walk.step("cross-sign", "three.example.crt -p genfic", 7, false, "");
    walk.step("revoke-ca", "partner", 9, false, "");
    walk.step(
        "revoke-ca",
        "partner --reason superseded --yes",
        0,
        true,
        &format!(
            "name:text certificates[].serial:serial certificates[].issuer:text reason:text revoked_at:time \
         falls[].name:text falls[].certificates:number run_book[]:text {}",
            each("crls", CRL)
        ),
    );
    walk.step("revoke-ca", "partner --yes", 4, false, "");
    walk.step("audit show", "--last 3", 0, false,
        "records[].sequence:number records[].time:time records[].user:text records[].action:text records[].outcome:text");
    walk.step("audit verify", "", 0, false, "records:number head:serial");
    walk.step("export index-txt", "genfic-system -o index.txt", 0, true, "file:path certificates:number");
    let anchor = "authorities[].name:text authorities[].not_after:time authorities[].fingerprint:fingerprint";
    walk.step("export bundle", "", 0, false, &format!("format:text text:text file:null {anchor}"));
    walk.step(
        "export bundle",
        "--format pkcs7 -o all.p7b",
        0,
        true,
        &format!("format:text file:path {anchor}"),
    );
    walk.step("export bundle", "none", 5, false, "");
    let from = "--p12-passphrase-from env:GENFIC_TEST_PASSPHRASE";
    walk.step(
        "export truststore",
        &format!("-o trust.p12 {from}"),
        0,
        true,
        &format!("file:path legacy:bool {anchor}"),
    );
    walk.step("export truststore", "-o trust.p12", 9, false, "");
    walk.step(
        "export hashed-dir",
        "anchors",
        0,
        true,
        &format!("directory:text crls:number files[]:path {anchor}"),
    );
    let holder = "two.example --key two.example.key -o two.p12";
    walk.step("export p12", &format!("{holder} {from}"), 0, true,
        "file:path serial:serial subject:text fingerprint:fingerprint friendly_name:text chain[]:text legacy:bool");
    walk.step("export p12", &format!("{holder} {from}"), 4, false, "");
    walk.step(
        "export snippet",
        "nginx two.example",
        0,
        true,
        "server:text serial:serial names[]:text snippet:text key:path files[]:path",
    );
    walk.step("backup create", "one.age --with-keys", 0, true,
        "file:path bytes:number sha256:serial created:time change:number audit_sequence:number authorities[].name:text \
         with_keys:bool");
    walk.step("backup verify", "one.age", 0, false,
        "file:path created:time change:number certificates:number files:number behind.changes:number faults[]?:text");
    walk.step(
        "backup restore",
        "one.age --home elsewhere --published home/public",
        0,
        true,
        "home:text created:time authorities[].name:text authorities[].next_crl:number authorities[].key:bool \
         restored.certificates:number restored.revoked:number pending:number unproved[]?:text locked:bool",
    );
    walk.step("backup accept", "--home elsewhere --yes", 0, true, "accepted:bool backup:time restored:time");
    walk.step("backup accept", "--home elsewhere", 0, false, "accepted:bool");
    let clock = concat!(
        "now:time standing:text signs:text confirmed:time signed.at:time signed.what:text ",
        "published:time trust:text"
    );
    walk.step("clock status", "", 0, false, clock);
    walk.step("clock accept", "--yes", 0, true, "accepted:time before:time");
    walk.step("clock accept", "", 9, false, "");
    walk.step(
        "create-child",
        "far --csr-only --profile user-ca",
        0,
        true,
        "name:text request:path key:text algorithm:text profile:text waiting:bool",
    );
    walk.step("sign", "far.req -p genfic --profile user-ca --chain=with-root -o far.pem", 0, true, &signed);
    let adopted = "name:text serial:serial subject:text not_before:time not_after:time certificate:path chain:path \
                   crl:path profile:text parent:text above[]?:text fingerprint:fingerprint crl_details.number:number";
    walk.step("adopt", "far far.pem", 0, true, adopted);
    walk.step("adopt", "far far.pem", 4, false, "");
    let make = "mkdir old; openssl req -x509 -newkey ed25519 -nodes -keyout old/ca.key -subj /CN=old -days 99 -out old/ca.crt
        cp -r old pki; mkdir pki/private; mv pki/ca.key pki/private; touch old/index.txt pki/index.txt; cp old/ca.key .";
    walk.home.run(&["sh", "-ec", make]).ok();
    let imported = "name:text source:text serial:serial subject:text not_before:time not_after:time \
                    fingerprint:fingerprint profile:text parent:null above[]?:text found.index:path \
                    found.certificate:path found.key:path found.key_form:text found.other_keys:number \
                    certificates.all:number certificates.valid:number certificates.expired:number \
                    certificates.revoked:number certificates.held:number certificates.known_by_number[]?:serial \
                    certificates.left_out[]?:text last_crl_number:number dry_run:bool key_opened:bool";
    walk.step("import openssl", "old --as old --dry-run", 0, false, imported);
    let done =
        format!("{imported} certificate:path chain:path crl:path crl_details.number:number responder:serial");
    walk.step("import openssl", "old --as old", 0, true, &done);
    walk.step("import openssl", "old --as old", 4, false, "");
    walk.step("import easy-rsa", "pki --as vpn --dry-run", 4, false, "");
    walk.step("import easy-rsa", "old --as vpn", 5, false, "");
    walk.step(
        "key import",
        "brought ca.key",
        0,
        true,
        "name:text key:text algorithm:text form:text waiting:bool",
    );
    walk.step("key import", "brought far.pem", 2, false, "");
    walk.step("completions", "bash", 0, false, "shell:text script:text");
    walk.step("man", "pages", 0, true, "files[]:path");
    walk.step(
        "quickstart",
        "--no-serve --dir demo",
        0,
        true,
        "dir:text url:text passphrase:path checks[].sentence:text checks[].passed:bool checks[].command:text",
    );
    let all = commands(&walk.home, &[]);
    assert_eq!(all.difference(&walk.seen).collect::<Vec<_>>(), Vec::<&String>::new(), "commands not walked");
    assert!(all.len() > 20, "{all:?}");
}

#[test]
fn wrong_words_are_told_in_json_with_the_command_that_they_are_about() {
    // G22
    let home = Home::new();
    for (words, command) in
        [(&["crl", "publish", "--json"][..], "crl publish"), (&["--json", "nonsense"], "")]
    {
        let said = home.ca(words);
        let object = said.json();
        assert_eq!((said.status, said.err.as_str()), (2, ""), "{}", said.all());
        assert_eq!((&object["command"], &object["ok"]), (&command.into(), &false.into()), "{object}");
        assert_eq!(object["error"]["exit"], 2, "{object}");
    }
}
