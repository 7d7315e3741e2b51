//! `--json` of every command: one object, its fields present and of their types.
use super::json_walk::{Walk, commands, each};
use crate::support::{Home, free_address};
use std::time::{Duration, Instant};

/// Fields that every certificate has.
const CERTIFICATE: &str = "serial:serial subject:text san[]?:text not_before:time not_after:time profile:text \
                           issuer:text fingerprint:fingerprint file:path";
const CRL: &str = "number:number next_update:time files[]:path";

#[test]
fn every_command_says_one_json_object_with_typed_fields() {
    // G22
    let address = free_address();
    let home = Home::at_url(&format!("http://{address}"));
    std::fs::write(home.path("bad.req"), "no request").unwrap();
    let mut walk = Walk::of(home);
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
    walk.step(
        "ocsp presign",
        "-o answers",
        0,
        true,
        "file:path number:number authorities[]:text certificates:number answers:number signed:number next_update:time",
    );
    walk.step("metrics", "", 0, false, "file:null metrics:number text:text");
    walk.step("metrics", "-o genfic.prom", 0, true, "file:path metrics:number text:text");
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
    walk.step("retire", "partner", 0, true,
        "name:text record:text retired_at:time remaining:number last_end:null revoked:number revoked_end:null name_free:bool name_free_after:null last_crl_until:null key:text");
    walk.step("retire", "partner-retired", 4, false, "");
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
    let generated = "brought --generate --new-passphrase-from file:generated.txt";
    walk.step("key passphrase", generated, 0, true, "keys[].name:text keys[].file:path");
    walk.step("key passphrase", "brought", 8, false, "");
    let known = "keys[].name:text keys[].key:text keys[].where:text keys[].file:path|null keys[].algorithm:text \
        keys[].protection:text|null keys[].scrypt_log_n:number|null keys[].recipients[]?:text keys[].threshold:null \
        keys[].shares:null keys[].last_used:time|null keys[].waiting:bool keys[].retired:bool keys[].problem:text|null";
    walk.step("key list", "", 0, false, known);
    let exported = "far -o exported.key --confirm far --new-passphrase-from env:GENFIC_TEST_PASSPHRASE";
    walk.step("key export", exported, 0, true, "name:text file:path algorithm:text format:text");
    walk.step("key export", "far -o again.key", 9, false, "");
    walk.step(
        "key envelope",
        "far",
        0,
        false,
        "name:text envelope.profile:text envelope.longest_days:number",
    );
    let set = "far --set longest_crl_days=300 --confirm far";
    walk.step(
        "key envelope",
        set,
        0,
        true,
        "name:text envelope.longest_crl_days:number before.profile:text wider:bool",
    );
    walk.step(
        "profile list",
        "",
        0,
        false,
        "profiles[].name:text profiles[].kind:text profiles[].description:text profiles[].authorities[]?:text \
         profiles[].days:number profiles[].usable:bool profiles[].file:path",
    );
    walk.step("profile show", "system", 0, false, "name:text issuers[]:text default_of[]:text text:text");
    std::fs::write(walk.home.path("wrong.toml"), "kind = 'x'").unwrap();
    walk.step(
        "profile check",
        "wrong.toml",
        12,
        false,
        "profiles[]:text mistakes[].profile:text mistakes[].line:number mistakes[].key:text mistakes[].message:text",
    );
    walk.step("config check", "", 0, false, "file:path");
    walk.step("completions", "bash", 0, false, "shell:text script:text");
    walk.step("man", "pages", 0, true, "files[]:path");
    walk.step(
        "quickstart",
        "--no-serve --dir demo",
        0,
        true,
        "dir:text url:text passphrase:path checks[].sentence:text checks[].passed:bool checks[].command:text",
    );
    offline_steps(&mut walk);
    let all = commands(&walk.home, &[]);
    assert_eq!(all.difference(&walk.seen).collect::<Vec<_>>(), Vec::<&String>::new(), "commands not walked");
    assert!(all.len() > 20, "{all:?}");
}

/// A key that goes to a medium, signs in a ceremony and comes back; and keys of a signer that listens, which is not there.
fn offline_steps(walk: &mut Walk) {
    walk.home.ca(&["create-root", "vault"]).ok();
    walk.step(
        "key export-bundle",
        "vault --to medium",
        0,
        true,
        "name:text media[]:text files[]:text key_file_sha256:text opened:bool removed:bool",
    );
    walk.step("key export-bundle", "vault --to other", 8, false, "");
    let items = "items[].kind:text items[].name:text items[].why:text";
    walk.step(
        "ceremony request",
        "vault -o asked.toml",
        0,
        true,
        &format!("name:text file:path sha256:text until:time supersedes:bool {items}"),
    );
    let asked = std::fs::read_to_string(walk.home.path("asked.toml")).unwrap();
    let made =
        asked.lines().find_map(|line| line.strip_prefix("made = ")).unwrap().trim_matches('"').to_owned();
    let sign = format!("asked.toml --keys medium -o answer.toml --yes --date {made}");
    let answered =
        format!("name:text file:path transcript:path sha256:text request_sha256:text repeated:bool {items}");
    walk.step("ceremony sign", &sign, 0, true, &answered);
    walk.step("ceremony sign", &sign, 0, false, &answered);
    walk.step("ceremony sign", "asked.toml -o answer.toml", 2, false, "");
    walk.step(
        "ceremony import",
        "answer.toml",
        0,
        true,
        "name:text certificates[]?.serial:serial crl.number:number crl.next_update:time authorities[]?:text",
    );
    walk.step("ceremony import", "answer.toml", 4, false, "");
    walk.step(
        "crl import",
        "vault home/public/vault.crl",
        0,
        false,
        "name:text number:number next_update:time entries:number recorded.revoked:number recorded.serial_only:number \
         lacking[]?:text files[]:path",
    );
    walk.step("key import-bundle", "vault --from medium", 0, true, "name:text file:path from:text");
    walk.step("key import-bundle", "vault --from medium", 4, false, "");
    let stayed =
        "name:text from:text to:text moved:bool removed:bool certificates_shown:number envelope:null";
    walk.step("key move", "vault --to home", 0, false, stayed);
    walk.step("key move", "vault --to signer", 8, false, "");
    walk.step("key unlock", "vault --socket none.socket", 8, false, "");
    walk.step("key lock", "vault --socket none.socket", 8, false, "");
    walk.step("key status", "--socket none.socket", 8, false, "");
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
