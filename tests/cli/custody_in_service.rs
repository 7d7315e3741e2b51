//! `genfic-key` with keys that the signer that listens has: an administrator has them protected anew, split and printed, and
//! shares unlock them without giving anybody the passphrase.
use crate::standing_signer::{ADMINS, AMBER, OWNER, Service, WORDS};
use crate::support::{Said, is_root, skipped};
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, chown};

/// A passphrase that is strong, and another one.
pub(crate) const OTHER: &str = "mutt unlucky crimp slouching ferret abacus";

/// A service with the root `example`, and a home that uses it. Everything is locked.
pub(crate) fn with_root() -> Service {
    let service = Service::new();
    for own in ["amber", "mallory"] {
        fs::create_dir(service.home.path(own)).unwrap();
        chown(service.home.path(own), Some(AMBER), Some(AMBER)).unwrap();
    }
    let new = "key unlock example --new --profile root-ca --scope ca --scope crl --passphrase-from fd:0";
    service.done(&[
        service.own_home(),
        service.admin(new),
        service.ca("create-root example --key ed25519 --ocsp=false"),
        service.admin("key lock"),
    ]);
    service
}

/// The line by which this user runs `genfic-key` in the directory of the administrator.
fn line_of(service: &Service, (user, groups): (u32, u32), words: &str) -> String {
    let (program, socket) = (service.home.path("bin/genfic-key"), service.home.path("sockets/admin.socket"));
    let variables =
        format!("WORDS='{WORDS}' OTHER='{OTHER}' GENFIC_CA_SIGNER_ADMIN_SOCKET={}", socket.display());
    format!(
        "(cd {} && {variables} setpriv --reuid={user} --regid={user} --groups={groups} {} --no-input {words})",
        service.home.path("amber").display(),
        program.display()
    )
}

/// The line by which the administrator runs `genfic-key`.
pub(crate) fn line(service: &Service, words: &str) -> String {
    line_of(service, (AMBER, ADMINS), words)
}

fn run(service: &Service, words: &str) -> Said {
    service.in_one_login(&[line(service, words)])
}

/// Returns how often the journal of the service has this text.
fn journaled(service: &Service, text: &str) -> usize {
    let journal = fs::read(service.home.path("signer/journal")).unwrap();
    journal.windows(text.len()).filter(|window| *window == text.as_bytes()).count()
}

/// Has the key unlocked for CRLs with this passphrase, and used.
#[track_caller]
pub(crate) fn signs(service: &Service, passphrase: &str) {
    let unlock = service.admin_with(passphrase, "key unlock example --scope crl --passphrase-from fd:0");
    service.done(&[unlock, service.ca("crl publish example"), service.admin("key lock")]);
}

#[track_caller]
fn refused(said: &Said, code: &str) {
    assert!(said.status != 0 && said.err.contains(code), "{code}: {}", said.all());
}

#[test]
fn an_administrator_has_a_key_of_the_service_protected_anew_by_a_passphrase_or_by_recipients() {
    // K1, K2, G6
    if !is_root() {
        return skipped("becoming two other users needs root");
    }
    let service = with_root();
    let rewrap = "rewrap example --service --passphrase-from env:WORDS --new-passphrase-from env:OTHER";
    let said = run(&service, rewrap).ok();
    assert!(
        said.out.contains("it is locked") && said.out.contains("the key of example in the signer"),
        "{}",
        said.out
    );
    assert_eq!(
        journaled(
            &service,
            ": passphrase, scrypt 2^10; the client says \"rewrap, from passphrase, scrypt 2^10 to \
             passphrase, scrypt 2^10\""
        ),
        1
    );
    assert_eq!(journaled(&service, "age:example.age, encrypted, lent to an administrator"), 1);
    signs(&service, OTHER);
    // the former passphrase opens nothing, and each wrong one is in the journal
    refused(&run(&service, rewrap), "key.passphrase-wrong");
    assert_eq!(journaled(&service, "example, 1 in a row"), 1);
    // to a recipient, whose identity the signer opens it with before it takes it
    let to_recipient = "rewrap example --service --passphrase-from env:OTHER --recipients-file recipients";
    let keygen = service.home.path("amber");
    let keygen = format!(
        "cd {} && for i in 1 2; do age-keygen -o identity$i 2>/dev/null; done; age-keygen -y identity1 >recipients && \
         chown {AMBER} *",
        keygen.display()
    );
    service.home.shell(&keygen).ok();
    refused(&run(&service, to_recipient), "--try-identity");
    refused(&run(&service, &format!("{to_recipient} --try-identity identity2")), "key.identity-wrong");
    run(&service, &format!("{to_recipient} --try-identity identity1")).ok();
    let identity = fs::read_to_string(service.home.path("amber/identity1")).unwrap();
    signs(&service, &identity);
    // and back
    run(&service, "rewrap example --service --identity identity1 --new-passphrase-from env:WORDS").ok();
    signs(&service, WORDS);
    let verified = service.home.shell(&service.ca("audit verify"));
    assert_eq!(verified.status, 0, "{}", verified.all());
}

#[test]
fn nobody_but_an_administrator_who_opens_the_key_gets_it_from_the_service() {
    // K1, K2
    if !is_root() {
        return skipped("becoming two other users needs root");
    }
    let service = with_root();
    let before = fs::read(service.home.path("signer/example.age")).unwrap();
    let page = "page example --service -o example.pdf --passphrase-from env";
    // the CA's user does not reach the socket, whoever has logged in
    let of_ca = line_of(&service, (OWNER, OWNER), &format!("{page}:WORDS"));
    refused(&service.in_one_login(&[of_ca]), "signer.");
    // an administrator without the passphrase, also while another has it unlocked for everything else
    let unlock = "key unlock example --scope ca --scope leaf --scope crl --scope move --passphrase-from fd:0";
    let said = service.in_one_login(&[service.admin(unlock), line(&service, &format!("{page}:OTHER"))]);
    refused(&said, "key.passphrase-wrong");
    refused(
        &run(&service, "page nobody --service -o nobody.pdf --passphrase-from env:WORDS"),
        "key.not-found",
    );
    refused(&run(&service, "page ./example.age --service -o nobody.pdf"), "is not the name of a CA");
    assert!(fs::read_dir(service.home.path("amber")).unwrap().next().is_none(), "nothing was written");
    assert_eq!(fs::read(service.home.path("signer/example.age")).unwrap(), before);
    run(&service, &format!("{page}:WORDS")).ok();
    let mode = fs::metadata(service.home.path("amber/example.pdf")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let left = service.unlocked();
    assert!(
        left.iter().all(|one| one["scopes"].get("custody").is_none()),
        "it was unlocked for this alone: {left:?}"
    );
}

#[test]
fn shares_unlock_a_key_of_the_service_and_nobody_is_shown_the_passphrase() {
    // K1, K2
    if !is_root() {
        return skipped("becoming two other users needs root");
    }
    let service = with_root();
    let split = "split example --shares 3 --threshold 2 --to s --service --in-place --yes --passphrase-from env:WORDS";
    let said = run(&service, split).ok();
    assert!(said.out.contains("the key of example in the signer is the split one now"), "{}", said.out);
    assert!(said.out.contains("this CA's timers cannot sign any more"), "{}", said.out);
    let listed = service.home.shell(&service.ca("key list --json")).ok().json();
    assert_eq!(listed["result"]["keys"][0]["threshold"], 2, "{listed}");
    let unlock = |options: &str, shares: [u8; 2]| {
        let [first, second] = shares.map(|index| format!("--share s/example-share-{index}-of-3.txt"));
        line(&service, &format!("combine example {options} {first} {second}"))
    };
    // the old passphrase opens it no more
    let old = service.in_one_login(&[service.admin("key unlock example --passphrase-from fd:0")]);
    refused(&old, "key.passphrase-wrong");
    service.done(&[unlock("--service --check", [1, 2])]);
    assert_eq!(service.unlocked().len(), 0);
    // it is used in this login, for what it was unlocked for, and then no more
    let said = service.done(&[
        unlock("--unlock --for 10m --only crl --count 1", [1, 3]),
        service.ca("crl publish example"),
        service.refused("signer.locked", &service.ca("crl publish example")),
        unlock("--unlock --only ca", [2, 3]),
        service.refused("signer.locked", &service.ca("crl publish example")),
        service.admin("key lock example"),
    ]);
    assert!(said.out.contains("example is unlocked for crl until"), "{}", said.out);
    assert!(
        !said.all().contains("is not there: shares are compared"),
        "the signer knows the shares: {}",
        said.all()
    );
    // what the shares give is nowhere: whoever guesses that it was told finds nothing that opens the key
    let files: Vec<String> = fs::read_dir(service.home.path("amber"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(files, ["s"]);
    // too few, and those of another set
    let few = "combine example --unlock --share s/example-share-1-of-3.txt";
    refused(&run(&service, few), "share.missing");
    let other = "split example --shares 2 --threshold 2 --to t --service --passphrase-from env:WORDS";
    refused(&run(&service, other), "key.passphrase-wrong");
    // back to a passphrase
    let said =
        service.done(&[unlock("--service --in-place --work 10 --new-passphrase-from env:OTHER", [1, 2])]);
    assert!(said.out.contains("this CA's timers cannot sign any more"), "{}", said.out);
    signs(&service, OTHER);
    refused(&service.in_one_login(&[unlock("--unlock", [1, 2])]), "share.opens-nothing");
    assert_eq!(
        journaled(&service, "with a record of its shares; the client says \"split, 2 of 3 shares, set"),
        1
    );
    assert_eq!(journaled(&service, "the client says \"combine, to passphrase, scrypt 2^10\""), 1);
}

#[test]
fn an_administrator_with_the_passphrase_has_a_key_of_the_service_exported_and_openssl_reads_it() {
    // K1, K2
    if !is_root() {
        return skipped("becoming two other users needs root");
    }
    let service = with_root();
    let phrase = service.home.path("amber/phrase");
    fs::write(&phrase, OTHER).unwrap();
    fs::set_permissions(&phrase, fs::Permissions::from_mode(0o600)).unwrap();
    chown(&phrase, Some(AMBER), Some(AMBER)).unwrap();
    let export = |options: &str| {
        let line =
            service.admin(&format!("key export example --service -o example.key --no-input {options}"));
        format!("(cd {} && {line})", service.home.path("amber").display())
    };
    let with = "--passphrase-from fd:0 --new-passphrase-from file:phrase";
    // the name is typed, and the passphrase is known
    refused(&service.in_one_login(&[export(with)]), "input.confirmation");
    let wrong = "--confirm example --passphrase-from file:phrase --new-passphrase-from fd:0";
    refused(&service.in_one_login(&[export(wrong)]), "key.passphrase-wrong");
    assert!(!service.home.path("amber/example.key").exists());
    let said = service.done(&[export(&format!("{with} --confirm example"))]);
    assert!(said.out.contains("the key in the signer stays as it is"), "{}", said.out);
    let read = "openssl pkey -in amber/example.key -passin file:amber/phrase -pubout -outform DER >one && \
                openssl x509 -in own/home/public/example.pem -noout -pubkey | openssl pkey -pubin -outform DER >two && \
                cmp one two";
    service.home.shell(read).ok();
    assert_eq!(journaled(&service, "age:example.age, as PKCS#8 encrypted with a passphrase of its own"), 1);
    signs(&service, WORDS);
}

#[test]
fn a_new_key_of_the_service_is_encrypted_to_recipients_where_an_administrator_says_so() {
    // K1, G6
    if !is_root() {
        return skipped("becoming two other users needs root");
    }
    let service = with_root();
    let amber = service.home.path("amber");
    let keygen = "for i in 1 2; do age-keygen -o identity$i 2>/dev/null; done";
    service.home.shell(&format!("cd {} && {keygen} && chown {AMBER} *", amber.display())).ok();
    let recipient = service.home.shell("age-keygen -y amber/identity1").ok().out;
    let (recipient, identity) = (recipient.trim(), fs::read_to_string(amber.join("identity1")).unwrap());
    let other = fs::read_to_string(amber.join("identity2")).unwrap();
    let new = |name: &str| {
        format!(
            "key unlock {name} --new --profile root-ca --scope ca --scope crl --recipient {recipient} --passphrase-from fd:0"
        )
    };
    // who could not open it later has none made
    let make = |name: &str| service.ca(&format!("create-root {name} --key ed25519 --ocsp=false"));
    let said = service.in_one_login(&[service.admin_with(&other, &new("second")), make("second")]);
    refused(&said, "key.identity-wrong");
    assert!(!service.home.path("signer/second.age").exists());
    refused(&service.in_one_login(&[service.admin(&new("second")), make("second")]), "key.identity-wrong");
    service.done(&[service.admin_with(&identity, &new("second")), make("second"), service.admin("key lock")]);
    let made = format!("for a CA of the profile root-ca, encrypted to {recipient}");
    assert_eq!(journaled(&service, &made), 1);
    let opened = "age -d -i amber/identity1 signer/second.age | openssl pkey -noout";
    service.home.shell(opened).ok();
    service.done(&[
        service.admin_with(&identity, "key unlock second --scope crl --passphrase-from fd:0"),
        service.ca("crl publish second"),
    ]);
}
