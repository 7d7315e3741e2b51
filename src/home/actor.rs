//! Identifies the user who runs the program, by what the kernel says of this process and of those that started it.
//! Environment variables count for nothing: anybody can set them.
use super::Accounts;
use crate::audit::Actor;
use std::fs;

/// Value of `/proc/PID/loginuid` when nobody has logged in.
const NO_LOGIN: u32 = u32::MAX;
/// Bound of the processes that are looked at upwards.
const MOST: usize = 64;
/// Programs by which one user acts as another.
const PROGRAMS: [&str; 5] = ["sudo", "su", "runuser", "doas", "pkexec"];
/// What is written in place of a person who cannot be told. No user name has a blank.
const UNKNOWN: &str = "somebody unknown";

/// Returns the user of this process, and the person on whose behalf it runs.
///
/// The person is the login user, which the kernel keeps across `su` and `sudo`. Where none is set, it is the real user
/// of the process that started `sudo` or another program of this kind: the first process above this one whose real user
/// is neither the effective user of this one nor root. Only the kernel sets parents and users of processes. When what
/// stands above cannot be read, or a login user is set that no login can have set, the person is told as unknown.
#[must_use]
pub(crate) fn current_actor() -> Actor {
    let effective = rustix::process::geteuid().as_raw();
    let person = person(effective, &ancestry(std::process::id()));
    Actor { process: std::process::id(), ..actor(effective, person, &Accounts::of_system()) }
}

fn actor(effective: u32, person: Person, accounts: &Accounts) -> Actor {
    let on_behalf_of = match person {
        Person::Known(user) => (user != effective).then(|| accounts.name_of(user)),
        Person::Nobody => None,
        Person::Unknown => Some(UNKNOWN.to_owned()),
    };
    Actor { user: accounts.name_of(effective), on_behalf_of, process: 0 }
}

/// The person behind a process.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Person {
    /// The user of this number.
    Known(u32),
    /// Nobody but the effective user: a service, or somebody who became no other user.
    Nobody,
    /// It cannot be told.
    Unknown,
}

/// What the kernel says of one process.
#[derive(Clone, Debug, Eq, PartialEq)]
struct Process {
    name: String,
    /// Real user.
    real: u32,
    /// Login user, if set.
    login: Option<u32>,
}

/// This process and those above it, in order.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
struct Ancestry {
    processes: Vec<Process>,
    /// Whether the last one is the first process of the system.
    is_whole: bool,
}

fn person(effective: u32, ancestry: &Ancestry) -> Person {
    let all = ancestry.processes.as_slice();
    let login = all.first().and_then(|own| own.login);
    // whoever has no login user may set one: it counts when a process of root or of that user had it first
    let first = all.iter().take_while(|one| login.is_some() && one.login == login).last();
    match login.zip(first) {
        Some((user, first)) if first.real == 0 || first.real == user => return Person::Known(user),
        _ => {}
    }
    if let Some(other) = all.iter().find(|one| one.real != 0 && one.real != effective) {
        return Person::Known(other.real);
    }
    let by_program = |one: &Process| one.real == 0 && PROGRAMS.contains(&one.name.as_str());
    match (login, ancestry.is_whole) {
        (None, true) if all.iter().skip(1).any(by_program) => Person::Known(0),
        (None, true) => Person::Nobody,
        _ => Person::Unknown,
    }
}

/// Returns what can be read of a process and of those above it.
fn ancestry(process: u32) -> Ancestry {
    let mut ancestry = Ancestry::default();
    let mut next = process;
    while ancestry.processes.len() < MOST {
        if next == 0 {
            ancestry.is_whole = true;
            break;
        }
        let Ok(status) = fs::read_to_string(format!("/proc/{next}/status")) else { break };
        let login = fs::read_to_string(format!("/proc/{next}/loginuid")).unwrap_or_default();
        let Some((parent, read)) = read_process(&status, &login) else { break };
        ancestry.processes.push(read);
        next = parent;
    }
    ancestry
}

/// Reads the contents of `status` and `loginuid`. Returns the parent's number and the process.
fn read_process(status: &str, login: &str) -> Option<(u32, Process)> {
    let field = |name: &str| {
        status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).map(str::trim)
    };
    let real = field("Uid")?.split_whitespace().next()?.parse().ok()?;
    let login = login.trim().parse().ok().filter(|user| *user != NO_LOGIN);
    Some((field("PPid")?.parse().ok()?, Process { name: field("Name")?.to_owned(), real, login }))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SERVICE: u32 = 900;
    const ALICE: u32 = 1000;
    const BOB: u32 = 1001;

    /// Who is told for a process of the service, by name, real user and login user of it and of those above it.
    fn told(effective: u32, above: &[(&str, u32, Option<u32>)]) -> String {
        let accounts =
            Accounts::parse("root:x:0:0\ngenfic-ca:x:900:900\nalice:x:1000:1000\nbob:x:1001:1001\n", "");
        let process = |(name, real, login): &(&str, u32, Option<u32>)| Process {
            name: (*name).to_owned(),
            real: *real,
            login: *login,
        };
        let ancestry = Ancestry { processes: above.iter().map(process).collect(), is_whole: true };
        actor(effective, person(effective, &ancestry), &accounts).to_string()
    }

    #[test]
    fn the_login_user_is_named_across_sudo_and_su() {
        // G15
        let login = Some(ALICE);
        let sudo =
            [("genfic-ca", SERVICE, login), ("sudo", 0, login), ("bash", ALICE, login), ("sshd", 0, login)];
        assert_eq!(told(SERVICE, &sudo), "alice as genfic-ca");
        let su = [("genfic-ca", SERVICE, login), ("sudo", 0, login), ("bash", BOB, login), ("su", 0, login)];
        assert_eq!(
            told(SERVICE, &[&su[..], &[("bash", ALICE, login), ("sshd", 0, None)]].concat()),
            "alice as genfic-ca"
        );
        assert_eq!(told(ALICE, &[("genfic-ca", ALICE, login), ("bash", ALICE, login)]), "alice");
    }

    #[test]
    fn without_a_login_user_it_is_the_real_user_who_started_sudo() {
        // G15
        let below = |rest: &[(&'static str, u32, Option<u32>)]| {
            [&[("genfic-ca", SERVICE, None), ("sudo", 0, None)], rest].concat()
        };
        assert_eq!(told(SERVICE, &below(&[("bash", ALICE, None), ("init", 0, None)])), "alice as genfic-ca");
        let with_monitor = below(&[("sudo", 0, None), ("bash", ALICE, None), ("init", 0, None)]);
        assert_eq!(told(SERVICE, &with_monitor), "alice as genfic-ca");
        let within = below(&[("bash", 0, None), ("sudo", 0, None), ("bash", ALICE, None)]);
        assert_eq!(told(SERVICE, &within), "alice as genfic-ca");
        assert_eq!(told(SERVICE, &below(&[("bash", 0, None), ("init", 0, None)])), "root as genfic-ca");
        assert_eq!(told(0, &[("genfic-ca", 0, None), ("sudo", 0, None), ("bash", BOB, None)]), "bob as root");
    }

    #[test]
    fn a_service_acts_for_nobody_else() {
        assert_eq!(told(SERVICE, &[("genfic-ca", SERVICE, None), ("systemd", 0, None)]), "genfic-ca");
        assert_eq!(told(0, &[("genfic-ca", 0, None), ("bash", 0, None), ("init", 0, None)]), "root");
        assert_eq!(told(4242, &[("genfic-ca", 4242, None)]), "4242");
    }

    #[test]
    fn a_login_user_that_somebody_set_for_another_does_not_count() {
        let forged = Some(BOB);
        let above =
            [("genfic-ca", SERVICE, forged), ("sudo", 0, forged), ("bash", ALICE, forged), ("init", 0, None)];
        assert_eq!(told(SERVICE, &above), "alice as genfic-ca");
        let left_alone = [("genfic-ca", SERVICE, forged), ("init", 0, None)];
        assert_eq!(told(SERVICE, &left_alone), "somebody unknown as genfic-ca");
    }

    #[test]
    fn what_cannot_be_read_is_told_as_unknown() {
        let own = Process { name: "genfic-ca".into(), real: SERVICE, login: None };
        let hidden = Ancestry { processes: vec![own], is_whole: false };
        assert_eq!(person(SERVICE, &hidden), Person::Unknown);
        assert_eq!(person(SERVICE, &Ancestry::default()), Person::Unknown);
    }

    #[test]
    fn the_files_of_the_kernel_are_read_by_their_fields() {
        let status = "Name:\tsudo\nUmask:\t0022\nPPid:\t17\nUid:\t1000\t0\t0\t0\n";
        let process = |login| Some((17, Process { name: "sudo".into(), real: ALICE, login }));
        assert_eq!(read_process(status, "4294967295"), process(None));
        assert_eq!(read_process(status, "1001\n"), process(Some(BOB)));
        assert_eq!(read_process("Name:\tsudo\n", ""), None);
    }

    #[test]
    fn the_current_process_has_a_user_a_number_and_processes_above_it() {
        let actor = current_actor();
        assert_eq!(actor.process, std::process::id());
        assert!(!actor.user.is_empty());
        assert!(ancestry(std::process::id()).processes.len() > 1);
    }
}
