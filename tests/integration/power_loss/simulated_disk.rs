//! A disk with a memory in front of it: what a command changed, in order, and what of it was made durable when.
//!
//! Contents of a file are durable once that file was synchronised, names once their directory was; everything else may
//! be lost or not, each for itself. Only the names within one directory keep their order, as journals have it. The
//! index' shared memory (`-shm`) is never found again: SQLite builds it anew.
use super::trace::Call;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

pub(super) type Inode = usize;
const ROOT: Inode = 0;

/// What was there at the beginning.
#[derive(Clone, Debug)]
pub(super) enum Node {
    Directory(BTreeMap<OsString, Inode>),
    File(Arc<Vec<u8>>),
}

/// One change to a file or a directory, which is there as a whole or not at all; of a write, a part may be.
#[derive(Clone, Debug)]
pub(super) enum Change {
    Write {
        at: u64,
        octets: Arc<Vec<u8>>,
    },
    RequestedValidity(u64),
    Mode(u32),
    /// Names that go, and names that come.
    Names {
        gone: Vec<OsString>,
        come: Vec<(OsString, Inode)>,
    },
}

impl Change {
    /// Changes the contents of a file.
    pub(super) fn apply(&self, file: &mut Vec<u8>) {
        match self {
            Self::RequestedValidity(length) => file.resize(usize::try_from(*length).unwrap(), 0),
            Self::Write { at, octets } => {
                let from = usize::try_from(*at).unwrap();
                let to = from + octets.len();
                if file.len() < to {
                    file.resize(to, 0);
                }
                file[from..to].copy_from_slice(octets);
            }
            Self::Mode(_) | Self::Names { .. } => {}
        }
    }
}

#[derive(Debug)]
pub(super) enum Event {
    Changed {
        what: Inode,
        change: Change,
    },
    /// Durable is now what was changed before this event of this one, or of all; `data` leaves the mode out.
    Synchronised {
        what: Option<Inode>,
        before: usize,
        data: bool,
    },
}

/// The beginning, and everything that happened.
pub(super) struct Disk {
    pub(super) nodes: Vec<(Node, u32)>,
    pub(super) events: Vec<Event>,
    /// By event, the one that makes it durable.
    pub(super) durable_from: Vec<usize>,
    root: PathBuf,
    live: HashMap<Inode, BTreeMap<OsString, Inode>>,
    lengths: HashMap<Inode, u64>,
    /// The open files of the process whose call is followed, and those of the others by its number. What a process
    /// starts with is closed when it becomes another program, as all files of this one are.
    open: HashMap<i64, (Inode, u64)>,
    /// Files that are written at their ends alone.
    appended: HashSet<Inode>,
    open_elsewhere: HashMap<usize, HashMap<i64, (Inode, u64)>>,
    process: usize,
    /// By call, how many events there were when it ended.
    ended: Vec<usize>,
}

impl Disk {
    /// The disk with this directory as it is now.
    pub(super) fn of(root: &Path) -> Self {
        let mut disk = Self {
            nodes: Vec::new(),
            events: Vec::new(),
            durable_from: Vec::new(),
            root: root.canonicalize().unwrap(),
            live: HashMap::new(),
            lengths: HashMap::new(),
            open: HashMap::new(),
            appended: HashSet::new(),
            open_elsewhere: HashMap::new(),
            process: 0,
            ended: Vec::new(),
        };
        disk.import(&root.canonicalize().unwrap());
        disk
    }

    fn import(&mut self, path: &Path) -> Inode {
        let metadata = path.symlink_metadata().unwrap();
        let mode = metadata.permissions().mode() & 0o7777;
        let inode = self.nodes.len();
        if metadata.is_file() {
            let octets = fs::read(path).unwrap();
            self.lengths.insert(inode, octets.len().try_into().unwrap());
            self.nodes.push((Node::File(Arc::new(octets)), mode));
            return inode;
        }
        assert!(metadata.is_dir(), "{}", path.display());
        self.nodes.push((Node::Directory(BTreeMap::new()), mode));
        let mut names = BTreeMap::new();
        for entry in fs::read_dir(path).unwrap() {
            let entry = entry.unwrap();
            names.insert(entry.file_name(), self.import(&entry.path()));
        }
        self.live.insert(inode, names.clone());
        self.nodes[inode].0 = Node::Directory(names);
        inode
    }

    /// Everything that these calls did below the directory.
    pub(super) fn follow(&mut self, calls: &[Call]) {
        for call in calls {
            if call.process != self.process {
                let other = self.open_elsewhere.remove(&call.process).unwrap_or_default();
                let before = std::mem::replace(&mut self.open, other);
                self.open_elsewhere.insert(self.process, before);
                self.process = call.process;
            }
            self.one(call);
            self.ended.push(self.events.len());
        }
    }

    /// The directory and the name that a path means, where it is below the root.
    fn place(&self, from: &str, path: &OsStr) -> Option<(Inode, OsString)> {
        let path = Path::new(path);
        let (mut here, below) = match path.strip_prefix(&self.root) {
            Ok(below) => (ROOT, below),
            Err(_) if path.is_absolute() => return None,
            Err(_) if from == "AT_FDCWD" => (ROOT, path),
            Err(_) => (self.open.get(&from.parse().unwrap())?.0, path),
        };
        let mut names: Vec<&OsStr> = Vec::new();
        for part in below.components() {
            match part {
                Component::Normal(name) => names.push(name),
                Component::CurDir => {}
                other => panic!("{other:?} in {}", path.display()),
            }
        }
        let Some(last) = names.pop() else { return Some((here, ".".into())) };
        for name in names {
            here = *self.live.get(&here)?.get(name)?;
        }
        Some((here, last.to_owned()))
    }

    fn found(&self, from: &str, path: &OsStr) -> Option<Inode> {
        let (directory, name) = self.place(from, path)?;
        if name == "." { Some(directory) } else { self.live.get(&directory)?.get(&name).copied() }
    }

    fn changed(&mut self, what: Inode, change: Change) {
        match &change {
            Change::Names { gone, come } => {
                let names = self.live.entry(what).or_default();
                for name in gone {
                    names.remove(name);
                }
                names.extend(come.iter().cloned());
            }
            Change::Write { at, octets } => {
                let end = at + octets.len() as u64;
                let length = self.lengths.entry(what).or_default();
                *length = end.max(*length);
            }
            Change::RequestedValidity(length) => drop(self.lengths.insert(what, *length)),
            Change::Mode(_) => {}
        }
        self.events.push(Event::Changed { what, change });
    }

    fn come(&mut self, directory: Inode, name: OsString, inode: Inode) {
        self.changed(directory, Change::Names { gone: Vec::new(), come: vec![(name, inode)] });
    }

    fn gone(&mut self, directory: Inode, name: OsString) {
        self.changed(directory, Change::Names { gone: vec![name], come: Vec::new() });
    }

    fn new_node(&mut self, node: Node, mode: u32) -> Inode {
        self.nodes.push((node, mode & !0o022));
        self.nodes.len() - 1
    }

    fn opened(&mut self, call: &Call, flags: usize, from: &str, path: &OsStr) {
        let Some((directory, name)) = self.place(from, path) else {
            self.open.remove(&call.result);
            return;
        };
        let inode = match self.found(from, path) {
            Some(inode) => inode,
            None => {
                assert!(call.has(flags, "O_CREAT"), "{call:?}");
                let mode = u32::try_from(call.number(flags + 1)).unwrap();
                let inode = self.new_node(Node::File(Arc::default()), mode);
                self.come(directory, name, inode);
                inode
            }
        };
        if call.has(flags, "O_TRUNC") && self.lengths.get(&inode).is_some_and(|length| *length > 0) {
            self.changed(inode, Change::RequestedValidity(0));
        }
        if call.has(flags, "O_APPEND") {
            self.appended.insert(inode);
        }
        self.open.insert(call.result, (inode, 0));
    }

    fn written(&mut self, descriptor: i64, at: Option<u64>, mut octets: Vec<u8>, done: i64) {
        octets.truncate(done.try_into().unwrap());
        let Some((inode, offset)) = self.open.get(&descriptor).copied() else { return };
        let at = match at {
            Some(at) => at,
            None if self.appended.contains(&inode) => self.lengths.get(&inode).copied().unwrap_or(0),
            None => {
                self.open.insert(descriptor, (inode, offset + octets.len() as u64));
                offset
            }
        };
        self.changed(inode, Change::Write { at, octets: Arc::new(octets) });
    }

    /// What is in a file now.
    fn contents(&self, inode: Inode) -> Vec<u8> {
        let Node::File(octets) = &self.nodes[inode].0 else { panic!("{inode} is no file") };
        let mut file = octets.to_vec();
        for event in &self.events {
            match event {
                Event::Changed { what, change } if *what == inode => change.apply(&mut file),
                _ => {}
            }
        }
        file
    }

    fn renamed(&mut self, from: (&str, &OsStr), to: (&str, &OsStr)) {
        let (Some(from), Some(to)) = (self.place(from.0, from.1), self.place(to.0, to.1)) else { return };
        assert_eq!(from.0, to.0, "a rename between two directories");
        let inode = self.live[&from.0][&from.1];
        self.changed(from.0, Change::Names { gone: vec![from.1], come: vec![(to.1, inode)] });
    }

    fn one(&mut self, call: &Call) {
        let file = |disk: &Self, at: usize| disk.open.get(&call.number(at)).map(|(inode, _)| *inode);
        match call.name.as_str() {
            "openat" => self.opened(call, 2, &call.arguments[0], &call.path(1)),
            "open" => self.opened(call, 1, "AT_FDCWD", &call.path(0)),
            "close" => drop(self.open.remove(&call.number(0))),
            "dup" | "dup2" | "dup3" => match self.open.get(&call.number(0)).copied() {
                Some(open) => drop(self.open.insert(call.result, open)),
                None => drop(self.open.remove(&call.result)),
            },
            "fcntl" if call.arguments[1].starts_with("F_DUPFD") => {
                if let Some(open) = self.open.get(&call.number(0)).copied() {
                    self.open.insert(call.result, open);
                }
            }
            "fcntl" | "clone" | "clone3" | "fork" | "vfork" => {}
            "execve" => self.open.clear(),
            "read" => {
                if let Some((_, offset)) = self.open.get_mut(&call.number(0)) {
                    *offset += u64::try_from(call.result).unwrap();
                }
            }
            "lseek" => {
                if let Some((_, offset)) = self.open.get_mut(&call.number(0)) {
                    *offset = call.result.try_into().unwrap();
                }
            }
            "write" => {
                if file(self, 0).is_some() {
                    self.written(call.number(0), None, call.octets(1), call.result);
                }
            }
            "pwrite64" => {
                let at = call.number(3).try_into().unwrap();
                self.written(call.number(0), Some(at), call.octets(1), call.result);
            }
            "copy_file_range" => {
                assert!(call.arguments[1] == "NULL" && call.arguments[3] == "NULL", "{call:?}");
                let (inode, offset) = self.open[&call.number(0)];
                let (from, done) = (usize::try_from(offset).unwrap(), usize::try_from(call.result).unwrap());
                let octets = self.contents(inode)[from..from + done].to_vec();
                self.open.insert(call.number(0), (inode, offset + done as u64));
                self.written(call.number(2), None, octets, call.result);
            }
            "ftruncate" => {
                if let Some(inode) = file(self, 0) {
                    self.changed(inode, Change::RequestedValidity(call.number(1).try_into().unwrap()));
                }
            }
            "fallocate" => {
                if let Some(inode) = file(self, 0) {
                    let length = u64::try_from(call.number(2) + call.number(3)).unwrap();
                    if self.lengths.get(&inode).is_none_or(|known| *known < length)
                        && call.arguments[1] == "0"
                    {
                        self.changed(inode, Change::RequestedValidity(length));
                    }
                }
            }
            "fsync" | "fdatasync" => {
                if let Some(inode) = file(self, 0) {
                    let before = self.ended.get(call.began.wrapping_sub(1)).copied().unwrap_or_default();
                    let data = call.name == "fdatasync";
                    self.events.push(Event::Synchronised { what: Some(inode), before, data });
                }
            }
            "syncfs" | "sync" => {
                let before = self.ended.get(call.began.wrapping_sub(1)).copied().unwrap_or_default();
                self.events.push(Event::Synchronised { what: None, before, data: false });
            }
            "rename" => self.renamed(("AT_FDCWD", &call.path(0)), ("AT_FDCWD", &call.path(1))),
            "renameat" | "renameat2" => {
                assert!(!call.has(4, "RENAME_EXCHANGE"), "{call:?}");
                self.renamed((&call.arguments[0], &call.path(1)), (&call.arguments[2], &call.path(3)));
            }
            "link" | "linkat" => {
                let two = call.name == "link";
                let (old, new) =
                    if two { (call.path(0), call.path(1)) } else { (call.path(1), call.path(3)) };
                if let (Some(inode), Some((directory, name))) =
                    (self.found("AT_FDCWD", &old), self.place("AT_FDCWD", &new))
                {
                    self.come(directory, name, inode);
                }
            }
            "unlink" | "rmdir" => {
                if let Some((directory, name)) = self.place("AT_FDCWD", &call.path(0)) {
                    self.gone(directory, name);
                }
            }
            "unlinkat" => {
                if let Some((directory, name)) = self.place(&call.arguments[0], &call.path(1)) {
                    self.gone(directory, name);
                }
            }
            "mkdir" | "mkdirat" => {
                let at = usize::from(call.name == "mkdirat");
                let from = if at == 1 { call.arguments[0].as_str() } else { "AT_FDCWD" };
                if let Some((directory, name)) = self.place(from, &call.path(at)) {
                    let mode = u32::try_from(call.number(at + 1)).unwrap();
                    let inode = self.new_node(Node::Directory(BTreeMap::new()), mode);
                    self.live.insert(inode, BTreeMap::new());
                    self.come(directory, name, inode);
                }
            }
            "chmod" | "fchmod" | "fchmodat" => {
                let inode = match call.name.as_str() {
                    "fchmod" => file(self, 0),
                    "chmod" => self.found("AT_FDCWD", &call.path(0)),
                    _ => self.found(&call.arguments[0], &call.path(1)),
                };
                if let Some(inode) = inode {
                    let mode = call.number(if call.name == "fchmodat" { 2 } else { 1 });
                    self.changed(inode, Change::Mode(mode.try_into().unwrap()));
                }
            }
            other => panic!("{other} changes files in a way that is not known here: {call:?}"),
        }
    }
}
