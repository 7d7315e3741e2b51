//! The OpenRC scripts: they agree with the units, and start, reload and stop the daemon.
use crate::support::{CA, OCSPD, Said, is_root, run, skipped};
use std::fs;
use std::path::Path;
use std::process::Command;

fn text(name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("ca-layout").join(name)).unwrap()
}

/// Returns a setting of the systemd unit of the daemon.
fn of_unit(name: &str) -> String {
    let unit = text("systemd/genfic-ocspd.service");
    let value = unit.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('=')).unwrap();
    value.to_owned()
}

/// Returns what a line of the script has between these words.
fn of_script<'a>(script: &'a str, before: &str, after: &str) -> &'a str {
    script.lines().find_map(|line| line.strip_prefix(before)?.strip_suffix(after)).unwrap()
}

#[test]
fn the_openrc_script_says_what_the_systemd_unit_says() {
    let script = text("openrc/init.d/genfic-ocspd");
    let settings = text("openrc/conf.d/genfic-ocspd");
    let home = genfic_ca::home::Home::system();
    let (user, group) = (of_unit("User"), of_unit("Group"));
    for line in [
        format!(": \"${{GENFIC_OCSPD:={}}}\"", of_unit("ExecStart")),
        format!(": \"${{GENFIC_OCSPD_USER:={user}:{group}}}\""),
        format!(": \"${{GENFIC_OCSPD_HOME:={}}}\"", home.directory().display()),
        format!(": \"${{GENFIC_OCSPD_CONFIG:={}}}\"", home.configuration_file().display()),
        format!("umask={}", of_unit("UMask")),
        format!("respawn_delay={}", of_unit("RestartSec").trim_end_matches('s')),
        format!("rc_ulimit=\"${{rc_ulimit:--n {}}}\"", of_unit("LimitNOFILE")),
        format!("\tulimit -c {}", of_unit("LimitCORE")),
        format!("export {}", of_unit("Environment")),
    ] {
        assert!(script.lines().any(|row| row == line), "{line}");
    }
    let limit = of_script(&script, "retry=\"${GENFIC_OCSPD_RETRY:-TERM/", "/KILL/5}\"");
    let timeout = genfic_ca::config::Config::default().daemon.shutdown_timeout;
    assert!(limit.parse::<i64>().unwrap() >= timeout + 5, "{limit}");
    let most: u64 = of_unit("MemoryMax").trim_end_matches('M').parse().unwrap();
    assert!(settings.contains(&format!("memory.max {}", most << 20)), "{settings}");
    // every setting that is offered is one that the script, or OpenRC, takes
    let offered =
        settings.lines().filter_map(|line| line.strip_prefix('#')?.split_once('=')).map(|row| row.0);
    for name in offered.filter(|name| !name.contains(' ')) {
        let is_openrcs = ["capabilities", "rc_cgroup_settings"].contains(&name);
        assert!(
            is_openrcs || script.contains(&format!("{{{name}:")) || script.contains(&format!("${{{name}}}")),
            "{name}"
        );
    }
}

#[test]
fn the_openrc_script_of_the_signer_says_what_its_units_say() {
    let script = text("openrc/init.d/genfic-signer");
    let units = ["service", "socket"].map(|kind| text(&format!("systemd/genfic-signer.{kind}")));
    let admin = text("systemd/genfic-signer-admin.socket");
    let setting = |unit: &str, name: &str| {
        let value = unit.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
        value.unwrap_or_else(|| panic!("{name}")).to_owned()
    };
    let [service, socket] = &units;
    let (user, group) = (setting(service, "User"), setting(service, "Group"));
    let mebibytes: u64 = setting(service, "LimitMEMLOCK").trim_end_matches('M').parse().unwrap();
    for line in [
        format!(": \"${{GENFIC_SIGNER:={}}}\"", setting(service, "ExecStart")),
        format!(": \"${{GENFIC_SIGNER_USER:={user}:{group}}}\""),
        format!(": \"${{GENFIC_SIGNER_DIRECTORY:=/var/lib/{}}}\"", setting(service, "StateDirectory")),
        format!(": \"${{GENFIC_SIGNER_CA_USER:={}}}\"", setting(socket, "SocketUser")),
        format!(": \"${{GENFIC_SIGNER_ADMINS:={}}}\"", setting(&admin, "SocketGroup")),
        format!("rc_ulimit=\"${{rc_ulimit:--l {}}}\"", mebibytes * 1024),
        format!("retry=\"TERM/{}/KILL/5\"", setting(service, "TimeoutStopSec").trim_end_matches('s')),
        format!("umask={}", setting(service, "UMask")),
        format!("export {}", setting(service, "Environment")),
        format!("\tulimit -c {}", setting(service, "LimitCORE")),
    ] {
        assert!(script.lines().any(|row| row == line), "{line}");
    }
    for (unit, path, owner) in [(socket, "ca", "genfic-ca"), (&admin, "admin", "root")] {
        assert_eq!(setting(unit, "ListenStream"), format!("/run/genfic-signer/{path}.socket"));
        assert!(script.contains(&format!("${{sockets}}/{path}.socket")), "{path}");
        assert_eq!(setting(unit, "SocketUser"), owner);
        assert_eq!(setting(unit, "FileDescriptorName"), path, "the program knows its doors by these names");
    }
    assert_eq!(
        (setting(socket, "SocketMode"), setting(&admin, "SocketMode")),
        ("0600".into(), "0660".into())
    );
    let settings = text("openrc/conf.d/genfic-signer");
    let offered = settings.lines().filter_map(|line| line.strip_prefix('#')?.split_once('='));
    for (name, _) in offered {
        assert!(script.contains(&format!("{{{name}:")) || script.contains(&format!("${{{name}}}")), "{name}");
    }
}

#[test]
fn the_openrc_scripts_are_read_by_a_shell_and_their_cron_lines_by_cron() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for name in [
        "init.d/genfic-ocspd",
        "conf.d/genfic-ocspd",
        "init.d/genfic-signer",
        "conf.d/genfic-signer",
        "init.d/genfic-signer-tokens",
        "conf.d/genfic-signer-tokens",
    ] {
        let name = format!("openrc/{name}");
        run(root, &["sh", "-n", &format!("ca-layout/{name}")]).ok();
    }
    let page = text("doc/install.md");
    let line =
        page.lines().find_map(|line| line.strip_prefix("$ ")?.split_once(" | sudo crontab")).unwrap().0;
    let crontab = run(root, &["sh", "-c", line]).ok().out;
    let jobs: Vec<&str> = crontab.lines().collect();
    assert_eq!(jobs.len(), 3, "{crontab}");
    for job in jobs {
        assert!(
            job.split_whitespace().nth(5) == Some("genfic-ca") && job.contains("  genfic-ca --quiet"),
            "{job}"
        );
    }
}

/// Debian's package, unpacked over a copy of this system: nothing of it is installed.
#[test]
fn openrc_starts_supervises_reloads_and_stops_the_daemon() {
    let Some(packages) = std::env::var_os("GENFIC_TEST_OPENRC") else {
        return skipped(
            "$GENFIC_TEST_OPENRC does not name a directory with Debian's openrc (tests/run makes it)",
        );
    };
    if !is_root() {
        return;
    }
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/package/openrc");
    let said = Said::of(Command::new(script).arg(packages).args([CA, OCSPD]).output().unwrap());
    match said.status {
        77 => skipped(said.out.trim()),
        _ => assert_eq!(said.status, 0, "{}", said.all()),
    }
}
