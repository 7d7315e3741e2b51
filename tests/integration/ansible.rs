//! The Ansible role: it makes what is missing, changes nothing the second time, and stops where something is otherwise.
use crate::support::{CA, PASSPHRASE, Said, skipped};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

/// Answers as `systemctl` does, as far as Ansible asks, and remembers what was enabled and started.
const SYSTEMCTL: &str = r#"#!/bin/sh
state=$(dirname "$0")/../units
case $1 in
show)
  active=inactive; [ ! -e "$state/$2.started" ] || active=active
  printf 'LoadState=loaded\nActiveState=%s\nUnitFileState=x\n' $active ;;
is-enabled) [ -e "$state/$2.enabled" ] && echo enabled || { echo disabled; exit 1; } ;;
enable) mkdir -p "$state"; touch "$state/$2.enabled" ;;
start) mkdir -p "$state"; touch "$state/$2.started" ;;
is-active) [ -e "$state/$2.started" ] && echo active || { echo inactive; exit 3; } ;;
*) ;;
esac
"#;

const PLAY: &str = "
- hosts: ca
  gather_facts: false
  roles: [genfic_ca]
- hosts: servers
  gather_facts: false
  tasks:
    - ansible.builtin.include_role: {name: genfic_ca, tasks_from: certificate}
";

/// Two machines in one directory: that of the CA, and a server.
struct Machines {
    directory: TempDir,
}

impl Machines {
    /// Returns the machines, or `None` where Ansible is not installed.
    fn new() -> Option<Self> {
        if Command::new("ansible-playbook").arg("--version").output().is_err() {
            skipped("ansible-playbook is not there (ansible-core)");
            return None;
        }
        let machines = Self { directory: tempfile::tempdir().unwrap() };
        fs::create_dir(machines.path("bin")).unwrap();
        let systemctl = machines.path("bin/systemctl");
        fs::write(&systemctl, SYSTEMCTL).unwrap();
        fs::set_permissions(&systemctl, fs::Permissions::from_mode(0o755)).unwrap();
        fs::write(machines.path("play.yml"), PLAY).unwrap();
        let here = machines.directory.path().display();
        let user = Said::of(Command::new("id").arg("-un").output().unwrap()).out.trim().to_owned();
        let group = Said::of(Command::new("id").arg("-gn").output().unwrap()).out.trim().to_owned();
        let inventory = format!(
            "
all:
  vars:
    ansible_connection: local
    ansible_become: false
    ansible_python_interpreter: /usr/bin/python3
    genfic_ca_program: {CA}
    genfic_ca_user: ''
    genfic_ca_home: {here}/home
    genfic_ca_org: Gentoo Fictional, Inc.
    genfic_ca_country: BE
    genfic_ca_url: http://pki.genfic.example
    genfic_ca_passphrase: {PASSPHRASE}
    genfic_ca_service_manager: systemd
    genfic_ca_authorities:
      - {{name: genfic, valid: 7300}}
      - {{name: genfic-system, parent: genfic, profile: system-ca, permit: [genfic.example], key: p256}}
    genfic_ca_directory: {here}/server
    genfic_ca_owner: {user}
    genfic_ca_group: {group}
    genfic_ca_names: [www.genfic.example, genfic.example]
    genfic_ca_host: authority
    genfic_ca_issuer: genfic-system
    genfic_ca_requests: {here}/requests
    genfic_ca_hook: touch {here}/hooked
  children:
    ca: {{hosts: {{authority: {{}}}}}}
    servers: {{hosts: {{www.genfic.example: {{}}}}}}
"
        );
        fs::write(machines.path("inventory.yml"), inventory).unwrap();
        Some(machines)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn play(&self, words: &[&str]) -> Said {
        let roles = Path::new(env!("CARGO_MANIFEST_DIR")).join("ca-layout/ansible");
        let path = format!("{}:{}", self.path("bin").display(), std::env::var("PATH").unwrap());
        let output = Command::new("ansible-playbook")
            .args(["-i", "inventory.yml", "play.yml"])
            .args(words)
            .current_dir(self.directory.path())
            .env("PATH", path)
            .env("ANSIBLE_ROLES_PATH", roles)
            .env("ANSIBLE_HOME", self.path(".ansible"))
            .env("ANSIBLE_LOCAL_TEMP", self.path(".ansible/tmp"))
            .env("ANSIBLE_REMOTE_TEMP", self.path(".ansible/tmp"))
            .env("ANSIBLE_NOCOLOR", "1")
            .env("LC_ALL", "C.UTF-8")
            .env_remove("GENFIC_CA_HOME")
            .output()
            .unwrap();
        let said = Said::of(output);
        assert!(!said.all().contains(PASSPHRASE), "{}", said.all());
        said
    }
}

/// Returns how much each of the machines was changed.
#[track_caller]
fn changes(said: &Said) -> Vec<u32> {
    assert_eq!(said.status, 0, "{}", said.all());
    let counts = said.out.lines().filter_map(|line| line.split_once("changed=")?.1.split_whitespace().next());
    counts.map(|count| count.parse().unwrap()).collect()
}

#[test]
fn the_role_makes_everything_once_and_stops_where_something_is_otherwise() {
    // G22
    let Some(machines) = Machines::new() else { return };
    let would = changes(&machines.play(&["--check"]));
    assert!(would.iter().all(|count| *count > 0), "{would:?}");
    for nothing in ["home", "server", "requests", "units", "hooked"] {
        assert!(!machines.path(nothing).exists(), "a dry run made {nothing}");
    }
    // with everything that can be logged
    let made = machines.play(&["-vvv"]);
    assert!(changes(&made).iter().all(|count| *count > 0), "{}", made.all());
    let chain = fs::read(machines.path("server/www.genfic.example.chain.pem")).unwrap();
    assert!(machines.path("hooked").exists());
    assert_eq!(fs::read_dir(machines.path("units")).unwrap().count(), 10, "units enabled and started");
    let key = fs::metadata(machines.path("server/www.genfic.example.key")).unwrap();
    assert_eq!(key.permissions().mode() & 0o777, 0o600);
    let command = |words: &[&str]| {
        Said::of(Command::new(CA).args(words).env("GENFIC_CA_HOME", machines.path("home")).output().unwrap())
    };
    let listed = command(&["list"]).ok().out;
    assert!(listed.contains("DNS:genfic.example") && listed.contains("CN=www.genfic.example"), "{listed}");

    fs::remove_file(machines.path("hooked")).unwrap();
    let head = command(&["audit", "show"]).ok().out;
    assert_eq!(changes(&machines.play(&[])), [0, 0]);
    assert_eq!(changes(&machines.play(&["--check"])), [0, 0]);
    assert_eq!(command(&["audit", "show"]).ok().out, head, "nothing is put on record");
    assert_eq!(fs::read(machines.path("server/www.genfic.example.chain.pem")).unwrap(), chain);
    assert!(!machines.path("hooked").exists());

    let other = "{\"genfic_ca_authorities\": [{\"name\": \"genfic\", \"valid\": 100, \"key\": \"p256\"}]}";
    let said = machines.play(&["--limit", "ca", "-e", other]);
    assert_ne!(said.status, 0, "{}", said.all());
    for told in
        ["valid: asked for 100 days, there is 7300 days", "key: asked for p256, there is p384", "(exit 4)"]
    {
        assert!(said.out.contains(told), "{told}: {}", said.all());
    }

    let soon = machines.play(&["--limit", "servers", "-e", "genfic_ca_expiring=3000d"]);
    assert!(changes(&soon)[0] > 0, "{}", soon.all());
    assert_ne!(fs::read(machines.path("server/www.genfic.example.chain.pem")).unwrap(), chain);
    assert!(machines.path("hooked").exists());
}

#[test]
fn the_example_of_a_playbook_reads_as_one() {
    // G22
    let Some(machines) = Machines::new() else { return };
    let site = Path::new(env!("CARGO_MANIFEST_DIR")).join("ca-layout/ansible/site.yml");
    fs::copy(site, machines.path("play.yml")).unwrap();
    fs::write(machines.path("vault.yml"), "vault_genfic_ca_passphrase: none\n").unwrap();
    let said = machines.play(&["--syntax-check"]);
    assert!(said.status == 0 && !said.all().contains("WARNING"), "{}", said.all());
}
