//! Identifies the user who runs the program.
use super::Accounts;
use crate::audit::Actor;
use std::fs;

/// Value of `/proc/self/loginuid` when nobody has logged in.
const NO_LOGIN: u32 = u32::MAX;

/// Returns the user of this process, and the person on whose behalf it runs when that is known.
///
/// The person is the login user, which the kernel keeps across `su` and `sudo`. Without a login user it is
/// `SUDO_USER`. Since anybody can set a variable, it counts only when an ancestor process is a `sudo` that runs
/// as root.
#[must_use]
pub(crate) fn current_actor() -> Actor {
    let login = fs::read_to_string("/proc/self/loginuid").ok().and_then(|text| text.trim().parse().ok());
    let variable = |name| std::env::var(name).ok();
    let effective = rustix::process::geteuid().as_raw();
    let sudo = variable("SUDO_USER").zip(variable("SUDO_UID")).filter(|_| below_sudo(std::process::id()));
    Actor { process: std::process::id(), ..actor(effective, login, sudo, &Accounts::of_system()) }
}

fn actor(effective: u32, login: Option<u32>, sudo: Option<(String, String)>, accounts: &Accounts) -> Actor {
    let login = login.filter(|user| *user != NO_LOGIN);
    let behind_sudo = || {
        let (name, number) = sudo?;
        let number: u32 = number.parse().ok()?;
        (accounts.name_of(number) == name || accounts.number_of(&name).is_none()).then_some(number)
    };
    let person = login.or_else(behind_sudo).filter(|user| *user != effective);
    Actor {
        user: accounts.name_of(effective),
        on_behalf_of: person.map(|user| accounts.name_of(user)),
        process: 0,
    }
}

/// Returns whether an ancestor of this process is a `sudo` with root's rights.
fn below_sudo(process: u32) -> bool {
    let mut process = process;
    for _ in 0..64 {
        let Ok(status) = fs::read_to_string(format!("/proc/{process}/status")) else { return false };
        if is_sudo(&status) {
            return true;
        }
        match field(&status, "PPid").and_then(|parent| parent.parse().ok()) {
            Some(parent) if parent > 0 => process = parent,
            _ => return false,
        }
    }
    false
}

fn is_sudo(status: &str) -> bool {
    let effective = field(status, "Uid").and_then(|users| users.split_whitespace().nth(1));
    field(status, "Name") == Some("sudo") && effective == Some("0")
}

fn field<'a>(status: &'a str, name: &str) -> Option<&'a str> {
    status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(effective: u32, login: Option<u32>, sudo: Option<(&str, &str)>) -> String {
        let accounts = Accounts::parse("root:x:0:0\ngenfic-ca:x:900:900\nalice:x:1000:1000\n", "");
        let sudo = sudo.map(|(name, number)| (name.to_owned(), number.to_owned()));
        actor(effective, login, sudo, &accounts).to_string()
    }

    #[test]
    fn the_login_user_is_named_before_any_variable() {
        // G15
        assert_eq!(shown(900, Some(1000), None), "alice as genfic-ca");
        assert_eq!(shown(900, Some(1000), Some(("root", "0"))), "alice as genfic-ca");
        assert_eq!(shown(1000, Some(1000), None), "alice");
        assert_eq!(shown(4242, None, None), "4242");
    }

    #[test]
    fn without_a_login_user_sudo_is_asked_and_must_agree_with_itself() {
        assert_eq!(shown(900, Some(NO_LOGIN), Some(("alice", "1000"))), "alice as genfic-ca");
        assert_eq!(shown(900, None, Some(("alice", "0"))), "genfic-ca");
        assert_eq!(shown(900, None, Some(("alice", "x"))), "genfic-ca");
        assert_eq!(shown(900, Some(NO_LOGIN), None), "genfic-ca");
    }

    #[test]
    fn a_process_called_sudo_without_roots_rights_is_not_sudo() {
        let status = |name: &str, user: &str| format!("Name:\t{name}\nPPid:\t1\nUid:\t{user}\n");
        assert!(is_sudo(&status("sudo", "0\t0\t0\t0")));
        assert!(!is_sudo(&status("sudo", "1000\t1000\t1000\t1000")));
        assert!(!is_sudo(&status("bash", "0\t0\t0\t0")));
    }

    #[test]
    fn the_current_process_has_a_user_and_a_number() {
        let actor = current_actor();
        assert_eq!(actor.process, std::process::id());
        assert!(!actor.user.is_empty());
    }
}
