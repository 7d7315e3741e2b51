//! The process that starts those of PKCS#11 modules, asked as a signer asks it.
use crate::support::tokens::stub_module;
use crate::support::{Home, SIGNER};
use std::fs;
use std::io::{Read as _, Write as _};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// Sends a message to a launcher, and returns what it says. A descriptor that comes along is closed.
fn asked(connection: &mut UnixStream, message: &serde_json::Value) -> serde_json::Value {
    let head = serde_json::json!({ "parts": [], "message": message }).to_string();
    let length = u32::try_from(head.len()).unwrap().to_be_bytes();
    connection.write_all(&[&length[..], &[0; 4], head.as_bytes()].concat()).unwrap();
    let mut lengths = [0; 8];
    connection.read_exact(&mut lengths).unwrap();
    let length = u32::from_be_bytes(lengths[..4].try_into().unwrap());
    let mut head = vec![0; usize::try_from(length).unwrap()];
    connection.read_exact(&mut head).unwrap();
    serde_json::from_slice::<serde_json::Value>(&head).unwrap()["message"].clone()
}

/// Returns the number of the processes that this one has started and that go on.
fn children(of: u32) -> usize {
    let numbers = fs::read_dir("/proc").unwrap().filter_map(|one| {
        let name = one.ok()?.file_name().into_string().ok()?;
        name.bytes().all(|octet| octet.is_ascii_digit()).then_some(name)
    });
    let is_child = |number: &String| {
        let stat = fs::read_to_string(format!("/proc/{number}/stat")).unwrap_or_default();
        let rest = stat.rsplit_once(") ").map(|(_, rest)| rest.to_owned()).unwrap_or_default();
        let mut fields = rest.split(' ');
        fields.next().is_some_and(|state| state != "Z") && fields.next() == Some(&of.to_string())
    };
    numbers.filter(is_child).count()
}

#[test]
fn a_launcher_that_is_asked_again_and_again_has_one_process_for_each_module() {
    // R3, G17
    let home = Home::new();
    let modules = [stub_module(home.directory()), PathBuf::from("/nowhere/none.so")];
    let (mut connection, other) = UnixStream::pair().unwrap();
    let mut command = Command::new(SIGNER);
    command.arg("tokens").stdin(Stdio::piped()).stdout(Stdio::from(OwnedFd::from(other)));
    let mut launcher = command.spawn().unwrap();
    drop(command);
    let begin =
        serde_json::json!({ "ask": "begin", "program": env!("CARGO_PKG_VERSION"), "modules": modules });
    assert_eq!(asked(&mut connection, &begin)["say"], "modules");
    for number in 0..33 {
        let start = serde_json::json!({ "ask": "start", "module": number % 2 });
        assert_eq!(asked(&mut connection, &start)["say"], "started", "{number}");
        let running = children(launcher.id());
        assert!(running <= modules.len(), "{number}: {running}");
    }
    // there is no third one
    let start = serde_json::json!({ "ask": "start", "module": 2 });
    assert_eq!(asked(&mut connection, &start)["say"], "failed");
    let number = launcher.id();
    drop(connection);
    launcher.wait().unwrap();
    assert_eq!(children(number), 0, "they end with it");
}
