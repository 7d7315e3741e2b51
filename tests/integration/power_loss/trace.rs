//! What a command does to files, as `strace` sees it.
use crate::support::{CA, Home};
use std::collections::HashMap;
use std::ffi::OsString;
use std::fs;
use std::os::unix::ffi::OsStringExt;
use std::process::Command;

/// Calls that change files or say which file is meant; whatever else changes files is not known here, and stops the
/// test.
const CALLS: &str = "openat,open,creat,close,read,write,pwrite64,writev,pwritev,pwritev2,ftruncate,truncate,fallocate,\
    fsync,fdatasync,sync,syncfs,sync_file_range,msync,rename,renameat,renameat2,link,linkat,unlink,unlinkat,rmdir,mkdir,\
    mkdirat,symlink,symlinkat,dup,dup2,dup3,fcntl,lseek,sendfile,copy_file_range,splice,chmod,fchmod,fchmodat,?fchmodat2,\
    chdir,fchdir,mknod,mknodat,clone,?clone3,fork,vfork,execve";

/// A call that succeeded.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) name: String,
    pub(super) arguments: Vec<String>,
    pub(super) result: i64,
    /// The process, of which each has descriptors of its own; the first is 0.
    pub(super) process: usize,
    /// How many calls had ended when it began: of those beside it, nothing is known.
    pub(super) began: usize,
}

impl Call {
    /// The octets of an argument in quotes.
    pub(super) fn octets(&self, at: usize) -> Vec<u8> {
        let text = self.arguments[at].trim_matches('"');
        assert!(!self.arguments[at].ends_with("..."), "cut short: {}", self.name);
        text.split("\\x").skip(1).map(|pair| u8::from_str_radix(pair, 16).unwrap()).collect()
    }

    pub(super) fn path(&self, at: usize) -> OsString {
        OsString::from_vec(self.octets(at))
    }

    pub(super) fn number(&self, at: usize) -> i64 {
        let text = &self.arguments[at];
        let octal = text.len() > 1 && text.starts_with('0') && text.chars().all(|c| c.is_digit(8));
        let number = if octal { i64::from_str_radix(text, 8) } else { text.parse() };
        number.unwrap_or_else(|_| panic!("{self:?}"))
    }

    pub(super) fn has(&self, at: usize, flag: &str) -> bool {
        self.arguments.get(at).is_some_and(|text| text.split('|').any(|one| one == flag))
    }
}

/// Runs the command in the home and gives its calls, in the order in which they ended.
#[track_caller]
pub(super) fn calls(home: &Home, words: &[&str]) -> Vec<Call> {
    let like = home.command(words);
    let record = home.directory().with_extension("trace");
    let mut command = if rustix::process::geteuid().is_root() {
        Command::new("strace")
    } else {
        // who is not root cannot look into the program, but is root in a name space of its own
        let mut command = Command::new("unshare");
        command.args(["--map-root-user", "strace"]);
        command
    };
    command.args(["-f", "-qq", "-xx", "-s", "67108864", "-e", "signal=none", "-e"]);
    command.arg(format!("trace={CALLS}")).arg("-o").arg(&record).arg(CA).args(like.get_args());
    command.current_dir(home.directory()).stdin(std::process::Stdio::null());
    for (name, value) in like.get_envs() {
        command.env(name, value.unwrap());
    }
    let output = command.output().unwrap_or_else(|error| panic!("strace: {error}"));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{words:?}: {}{said}", String::from_utf8_lossy(&output.stdout));
    let text = fs::read_to_string(&record).unwrap();
    fs::remove_file(&record).unwrap();
    parsed(&text)
}

/// The number of the process of each thread.
fn processes(text: &str) -> HashMap<&str, usize> {
    let mut begun: HashMap<&str, &str> = HashMap::new();
    let mut children: Vec<(&str, &str, bool)> = Vec::new();
    let mut found: HashMap<&str, usize> = HashMap::new();
    for line in text.lines() {
        let (thread, rest) = line.split_once(' ').unwrap();
        let rest = rest.trim_start();
        if found.is_empty() {
            found.insert(thread, 0);
        }
        let start = rest.strip_suffix(" <unfinished ...>");
        let whole = match rest.strip_prefix("<... ") {
            Some(_) => begun.remove(thread).unwrap_or_default(),
            None => rest,
        };
        if let Some(start) = start {
            begun.insert(thread, start);
        } else if ["clone(", "clone3(", "fork(", "vfork("].iter().any(|name| whole.starts_with(name)) {
            let is_thread = whole.contains("CLONE_THREAD") || rest.contains("CLONE_THREAD");
            let child = rest.rsplit_once(" = ").unwrap().1.split_whitespace().next().unwrap();
            children.push((thread, child, is_thread));
        }
    }
    // in the order in which the calls ended, which a grandchild's may have done before its parent's
    let mut number = 0;
    while !children.is_empty() {
        let before = children.len();
        children.retain(|(parent, child, is_thread)| {
            let Some(of_parent) = found.get(parent).copied() else { return true };
            number += usize::from(!is_thread);
            found.insert(child, if *is_thread { of_parent } else { number });
            false
        });
        assert!(children.len() < before, "{children:?}");
    }
    found
}

fn parsed(text: &str) -> Vec<Call> {
    let processes = processes(text);
    let mut calls: Vec<Call> = Vec::new();
    let mut begun: HashMap<&str, (String, usize)> = HashMap::new();
    for line in text.lines() {
        let (thread, rest) = line.split_once(' ').unwrap();
        let rest = rest.trim_start();
        if let Some(start) = rest.strip_suffix(" <unfinished ...>") {
            begun.insert(thread, (start.to_owned(), calls.len()));
            continue;
        }
        let (whole, began) = match rest.strip_prefix("<... ") {
            Some(resumed) => {
                let (start, began) = begun.remove(thread).unwrap();
                (start + resumed.split_once("resumed>").unwrap().1, began)
            }
            None => (rest.to_owned(), calls.len()),
        };
        calls.extend(call(&whole, processes[thread], began));
    }
    calls
}

/// A line of the record; `None` for what is no call, or failed.
fn call(line: &str, process: usize, began: usize) -> Option<Call> {
    let (name, rest) = line.split_once('(')?;
    let (arguments, result) = rest.rsplit_once(" = ")?;
    let arguments = arguments.trim_end().strip_suffix(')')?;
    let result: i64 = result.split_whitespace().next()?.parse().ok()?;
    let arguments = arguments.split(", ").map(str::to_owned).collect();
    (result >= 0).then(|| Call { name: name.to_owned(), arguments, result, process, began })
}

#[test]
fn a_record_of_calls_is_read_with_those_that_ran_side_by_side() {
    let text = r#"7 clone3({flags=CLONE_VM|CLONE_THREAD} => {parent_tid=[8]}, 88) = 8
7 openat(AT_FDCWD, "\x61\x2f\x62", O_WRONLY|O_CREAT, 0600) = 3
7 fsync(3 <unfinished ...>
8 write(4, "\x00\xff"..., 2) = 2
7 <... fsync resumed>)             = 0
8 openat(AT_FDCWD, "\x61", O_RDONLY) = -1 ENOENT (\x4e)
8 +++ exited with 0 +++
"#;
    let calls = parsed(&text.replace("\"...", "\""));
    let calls = calls.into_iter().skip(1).collect::<Vec<Call>>();
    let names: Vec<(&str, usize)> = calls.iter().map(|call| (call.name.as_str(), call.began)).collect();
    assert_eq!(names, [("openat", 1), ("write", 2), ("fsync", 2)]);
    assert!(calls.iter().all(|call| call.process == 0));
    assert_eq!((calls[0].path(1), calls[0].number(3)), ("a/b".into(), 0o600));
    assert!(calls[0].has(2, "O_CREAT") && !calls[0].has(2, "O_TRUNC"));
    assert_eq!((calls[1].octets(1), calls[1].result), (vec![0, 255], 2));
}

#[test]
fn a_child_has_descriptors_of_its_own_and_its_threads_have_the_same() {
    let text = r#"7 clone(child_stack=0x7f, flags=CLONE_VM|CLONE_VFORK|SIGCHLD <unfinished ...>
9 execve("\x61", [], 0x7f /* 2 vars */) = 0
7 <... clone resumed>)             = 9
9 clone3({flags=CLONE_VM|CLONE_THREAD <unfinished ...>
10 close(3) = 0
9 <... clone3 resumed>} => {parent_tid=[10]}, 88) = 10
7 close(3) = 0
"#;
    let calls = parsed(text);
    let closed: Vec<usize> =
        calls.iter().filter(|call| call.name == "close").map(|call| call.process).collect();
    assert_eq!(closed, [1, 0]);
}
