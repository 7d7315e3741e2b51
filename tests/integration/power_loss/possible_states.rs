//! What may be found on the disk when the power fails, and putting it there.
use super::simulated_disk::{Change, Disk, Event, Inode, Node};
use std::collections::hash_map::DefaultHasher;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ffi::OsString;
use std::fs::{self, File, Permissions};
use std::hash::{Hash, Hasher};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;

/// What of the changes that were not made durable is there all the same.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Kept {
    Nothing,
    Everything,
    /// Those of this file or directory alone.
    Only(Inode),
    AllBut(Inode),
    /// All, but of this file's last write only the first sectors of 512 octets.
    Torn(Inode, usize),
    /// All lengths and names, but of this file no contents: zeros.
    Zeros(Inode),
    /// Each for itself, drawn from this seed; of a directory the first few.
    Drawn(u64),
}

/// How a change survives.
#[derive(Clone, Copy, Hash)]
enum How {
    Whole,
    /// So many octets of a write.
    First(usize),
    /// A write's length, and zeros.
    Zeros,
}

/// A file's; a directory has none.
type Contents = Option<Arc<Vec<u8>>>;

/// All that is found: directories and files with contents and modes, by path.
pub(super) struct State {
    tree: BTreeMap<OsString, (Contents, u32)>,
}

fn draw(seed: u64, what: Inode, at: usize) -> u64 {
    let mut hasher = DefaultHasher::new();
    (seed, what, at).hash(&mut hasher);
    hasher.finish()
}

impl Disk {
    /// By event, the one that makes it durable: never, for those that nothing does.
    fn durable_from(&self) -> Vec<usize> {
        let mut from = vec![usize::MAX; self.events.len()];
        for (when, event) in self.events.iter().enumerate() {
            let Event::Synchronised { what, before, data } = event else { continue };
            for (at, event) in self.events[..*before].iter().enumerate() {
                let Event::Changed { what: changed, change } = event else { continue };
                let is_meant = what.is_none_or(|what| what == *changed);
                if is_meant && !(*data && matches!(change, Change::Mode(_))) {
                    from[at] = from[at].min(when);
                }
            }
        }
        from
    }

    /// To be called once, when everything is followed.
    pub(super) fn settle(&mut self) {
        self.durable_from = self.durable_from();
    }

    fn is_durable(&self, at: usize, until: usize) -> bool {
        self.durable_from[at] < until
    }

    /// The files and directories with changes that are not durable at this event.
    pub(super) fn pending(&self, until: usize) -> Vec<Inode> {
        let events = self.events[..until].iter().enumerate();
        let pending = events.filter_map(|(at, event)| match event {
            Event::Changed { what, .. } if !self.is_durable(at, until) => Some(*what),
            _ => None,
        });
        pending.collect::<BTreeSet<Inode>>().into_iter().collect()
    }

    /// The last write to a file, where it is not durable at this event, with its length.
    pub(super) fn last_write(&self, until: usize, file: Inode) -> Option<(usize, usize)> {
        let events = self.events[..until].iter().enumerate().rev();
        let mut writes = events.filter_map(|(at, event)| match event {
            Event::Changed { what, change: Change::Write { octets, .. } } if *what == file => {
                Some((at, octets.len()))
            }
            _ => None,
        });
        writes.next().filter(|(at, _)| !self.is_durable(*at, until))
    }

    /// The changes before this event that survive, with how.
    fn surviving(&self, until: usize, kept: Kept) -> Vec<(usize, How)> {
        let mut cut: Vec<Inode> = Vec::new();
        let mut found = Vec::new();
        for (at, event) in self.events[..until].iter().enumerate() {
            let Event::Changed { what, change } = event else { continue };
            if self.is_durable(at, until) {
                found.push((at, How::Whole));
                continue;
            }
            let survives = match kept {
                Kept::Nothing => false,
                Kept::Everything | Kept::Torn(..) | Kept::Zeros(_) => true,
                Kept::Only(only) => *what == only,
                Kept::AllBut(but) => *what != but,
                Kept::Drawn(seed) => draw(seed, *what, at) & 1 == 1,
            };
            // within one directory, what came after what is lost is lost
            let is_name = matches!(change, Change::Names { .. });
            if !survives || is_name && cut.contains(what) {
                cut.extend(is_name.then_some(*what));
                continue;
            }
            let is_write = matches!(change, Change::Write { .. });
            let how = match kept {
                Kept::Torn(file, sectors)
                    if self.last_write(until, file).is_some_and(|last| last.0 == at) =>
                {
                    How::First(sectors * 512)
                }
                Kept::Zeros(file) if is_write && file == *what => How::Zeros,
                _ => How::Whole,
            };
            found.push((at, how));
        }
        found
    }

    /// The same for equal states.
    pub(super) fn digest(&self, until: usize, kept: Kept) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.surviving(until, kept).hash(&mut hasher);
        hasher.finish()
    }

    /// What is there when everything before this event happened, and so much of it survives.
    pub(super) fn state(&self, until: usize, kept: Kept) -> State {
        let mut contents: HashMap<Inode, Arc<Vec<u8>>> = HashMap::new();
        let mut names: HashMap<Inode, BTreeMap<OsString, Inode>> = HashMap::new();
        let mut modes: HashMap<Inode, u32> = HashMap::new();
        for (inode, (node, mode)) in self.nodes.iter().enumerate() {
            modes.insert(inode, *mode);
            match node {
                Node::File(octets) => drop(contents.insert(inode, Arc::clone(octets))),
                Node::Directory(entries) => drop(names.insert(inode, entries.clone())),
            }
        }
        for (at, how) in self.surviving(until, kept) {
            let Event::Changed { what, change } = &self.events[at] else { continue };
            match change {
                Change::Names { gone, come } => {
                    let entries = names.entry(*what).or_default();
                    for name in gone {
                        entries.remove(name);
                    }
                    entries.extend(come.iter().cloned());
                }
                Change::Mode(mode) => drop(modes.insert(*what, *mode)),
                Change::RequestedValidity(_) => {
                    change.apply(Arc::make_mut(contents.entry(*what).or_default()))
                }
                Change::Write { at, octets } => {
                    let octets = match how {
                        How::Whole => Arc::clone(octets),
                        How::First(most) => Arc::new(octets[..octets.len().min(most)].to_vec()),
                        How::Zeros => Arc::new(vec![0; octets.len()]),
                    };
                    let written = Change::Write { at: *at, octets };
                    written.apply(Arc::make_mut(contents.entry(*what).or_default()));
                }
            }
        }
        let mut state = State { tree: BTreeMap::new() };
        state.walk(0, &OsString::new(), &names, &contents, &modes);
        state
    }
}

impl State {
    fn walk(
        &mut self,
        directory: Inode,
        path: &OsString,
        names: &HashMap<Inode, BTreeMap<OsString, Inode>>,
        contents: &HashMap<Inode, Arc<Vec<u8>>>,
        modes: &HashMap<Inode, u32>,
    ) {
        for (name, inode) in names.get(&directory).into_iter().flatten() {
            let mut below = path.clone();
            if !below.is_empty() {
                below.push("/");
            }
            below.push(name);
            if name.to_string_lossy().ends_with("-shm") {
                continue;
            }
            let octets = contents.get(inode).cloned();
            let is_directory = octets.is_none();
            self.tree.insert(below.clone(), (octets, modes[inode]));
            if is_directory {
                self.walk(*inode, &below, names, contents, modes);
            }
        }
    }

    /// Makes it in an empty directory.
    pub(super) fn put(&self, directory: &Path) {
        for (path, (octets, mode)) in &self.tree {
            let place = directory.join(path);
            match octets {
                None => fs::create_dir(&place).unwrap(),
                Some(octets) => {
                    let mut file = File::create(&place).unwrap();
                    // what is kept free is zeros alone
                    if octets.len() > 1 << 20 && octets.iter().all(|octet| *octet == 0) {
                        file.set_len(octets.len() as u64).unwrap();
                    } else {
                        file.write_all(octets).unwrap();
                    }
                }
            }
            fs::set_permissions(&place, Permissions::from_mode(*mode)).unwrap();
        }
    }
}
