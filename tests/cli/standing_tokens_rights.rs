//! Who may reach the tokens of the service, and for whom: the socket of their process, and the logins that use one key.
use crate::standing_signer::{AMBER, OTHER, OWNER, Service, TOKENS, wait_for};
use crate::standing_tokens::{ROOT, Vault};
use crate::support::tokens::Tokens;
use crate::support::{PASSPHRASE, is_root, skipped};
use std::fs;

/// Connects as this user to the socket of the tokens, says this, and prints what comes until the end or nothing more.
fn connecting(service: &Service, user: u32, said: &str) -> String {
    let script = "import socket, sys\n\
        s = socket.socket(socket.AF_UNIX)\n\
        try:\n    s.connect(sys.argv[1])\nexcept PermissionError:\n    print('not permitted'); sys.exit()\n\
        s.sendall(eval(sys.argv[2]))\n\
        came = b''\n\
        while (part := s.recv(4096)): came += part\n\
        print(came)\n";
    fs::write(service.home.path("connecting.py"), script).unwrap();
    let (file, socket) = (service.home.path("connecting.py"), service.home.path("sockets/tokens.socket"));
    let (file, socket) = (file.display(), socket.display());
    let line = format!(
        "setpriv --reuid={user} --regid={user} --clear-groups /usr/bin/python3 {file} {socket} \"{said}\" 2>&1 || true"
    );
    service.home.shell(&line).ok().out
}

#[test]
fn who_connects_to_the_socket_of_the_tokens_without_the_right_is_asked_nothing_and_gets_nothing() {
    // K2, P2
    if !is_root() {
        return skipped("becoming two other users needs root");
    }
    let service = Service::with_tokens();
    let frame = r#"b'\x00\x00\x00\x27\x00\x00\x00\x00' + b'{\"parts\":[],\"message\":{\"ask\":\"accept\"}}'"#;
    for user in [AMBER, OWNER, OTHER] {
        let said = connecting(&service, user, frame);
        assert_eq!(said.trim(), "not permitted", "{user}");
    }
    // who has the user of the tokens, and is no launcher: it is asked what it starts, told no PIN, and answers nothing
    let said = connecting(&service, TOKENS, frame);
    assert!(said.contains("begin"), "{said}");
    wait_for("end of that", || {
        fs::read_to_string(&service.log).unwrap().contains("does not reach the tokens")
    });
    let unlock =
        service.admin_with(PASSPHRASE, "key unlock 'pkcs11:token=Office;object=x' --passphrase-from fd:0");
    let said = service.in_one_login(&[unlock]);
    assert_ne!(said.status, 0, "{}", said.all());
    // the service goes on
    assert!(service.unlocked().is_empty());
}

#[test]
fn two_sessions_use_one_key_in_a_token_each_after_its_own_unlocking() {
    // K2, K4
    if !is_root() {
        return skipped("becoming two other users needs root");
    }
    let vault = Vault::of(Tokens::softhsm());
    vault.done(&[vault.service.own_home(), vault.new_key("example"), vault.ca(ROOT)]);
    let publish = vault.ca("crl publish example");
    let as_user = |user: u32, steps: &[String]| {
        let lines = format!("set -e\necho {user} >/proc/self/loginuid\n{}", steps.join("\n"));
        vault.service.home.shell(&lines)
    };
    vault.done(&[vault.admin("", "key lock --all"), vault.unlock(PASSPHRASE, "example"), publish.clone()]);
    // what one has unlocked the other does not use
    let refused = as_user(OTHER, std::slice::from_ref(&publish));
    assert!(refused.status == 8 && refused.err.contains("signer.locked"), "{}", refused.all());
    vault.done(&[vault.admin("", "key lock --all")]);
    // both unlock it, and sign at once
    let each = [vault.unlock(PASSPHRASE, "example"), publish.clone(), publish.clone()];
    std::thread::scope(|scope| {
        let one = scope.spawn(|| as_user(OTHER, &each));
        let other = as_user(AMBER, &each);
        let one = one.join().unwrap();
        assert_eq!((one.status, other.status), (0, 0), "{}{}", one.all(), other.all());
    });
    let unlocked = vault.service.unlocked();
    assert_eq!(unlocked.len(), 2, "{unlocked:?}");
    // whoever locks it locks it for both
    let steps =
        [each[0].clone(), vault.admin("", "key lock example"), vault.refused("signer.locked", &publish)];
    let said = as_user(OTHER, &steps);
    assert_eq!(said.status, 0, "{}", said.all());
    assert!(vault.service.unlocked().is_empty());
}
