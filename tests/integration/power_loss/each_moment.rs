//! Commands whose power fails at each moment.
use super::possible_states::Kept;
use super::simulated_disk::{Change, Disk, Event, Inode};
use super::trace::calls;
use crate::crash::killed_at_each_step::{Scenario, all_scenarios, put_right};
use crate::crash::observed::Seen;
use std::collections::BTreeSet;
use std::collections::hash_map::DefaultHasher;
use std::ffi::OsString;
use std::hash::{Hash, Hasher};
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// How many homes are looked into at the same time.
const WORKERS: usize = 3;
/// How many states of each command are tried, in the short form and in the long one.
const FEW: usize = 24;
const MANY: usize = 300;

/// What a command did, and a state that may be found when the power fails on the way.
struct Loss {
    until: usize,
    kept: Kept,
}

struct Recorded {
    scenario: Scenario,
    disk: Disk,
    /// What others saw before each event.
    seen: Vec<Seen>,
}

/// What the sample is drawn with; `GENFIC_TEST_SEED` gives others.
fn seed() -> u64 {
    std::env::var("GENFIC_TEST_SEED").map_or(9, |text| text.parse().unwrap())
}

fn is_long() -> bool {
    std::env::var_os("GENFIC_TEST_EVERY_PLACE").is_some()
}

/// Those that the short form tries, in which everything happens that is made durable.
fn scenarios() -> Vec<Scenario> {
    let short = [
        "create-root genfic",
        "create-child genfic-other -p genfic",
        "sign c.example.req -p genfic-system -o c.example.crt",
        "sign d.example.req d.example.req",
        "renew a.example",
        "renew-ca genfic-system",
        "revoke a.example",
        "crl publish --all",
        "ocsp responder genfic-system",
    ];
    let mut all = all_scenarios();
    all.retain(|one| is_long() || short.iter().any(|short| one.words.join(" ").starts_with(short)));
    assert!(all.len() >= short.len());
    all
}

fn memory() -> tempfile::TempDir {
    let parent = Path::new("/dev/shm");
    let parent = if parent.is_dir() { parent.to_owned() } else { std::env::temp_dir() };
    tempfile::Builder::new().prefix("genfic-").tempdir_in(parent).unwrap()
}

/// Runs the command, and looks at each moment at what others see of it.
fn recorded(scenario: Scenario) -> Recorded {
    let run = scenario.home.copied();
    let mut disk = Disk::of(run.directory());
    disk.follow(&calls(&run, &scenario.words));
    disk.settle();
    let mut seen = Seen::default();
    seen.look(scenario.home.directory());
    let mut all = Vec::with_capacity(disk.events.len() + 1);
    for at in 0..=disk.events.len() {
        let renamed = at.checked_sub(1).map(|at| &disk.events[at]);
        let is_seen = |come: &[(OsString, Inode)]| {
            come.iter().any(|(name, _)| !name.as_encoded_bytes().starts_with(b".new-"))
        };
        if matches!(renamed, Some(Event::Changed { change: Change::Names { come, .. }, .. }) if is_seen(come))
        {
            let place = memory();
            disk.state(at, Kept::Everything).put(place.path());
            seen.look(place.path());
        }
        all.push(seen.clone());
    }
    Recorded { scenario, disk, seen: all }
}

/// The states that differ, of each moment that may differ, or a sample of them.
fn losses(recorded: &Recorded) -> Vec<Loss> {
    let disk = &recorded.disk;
    let mut known = BTreeSet::new();
    let mut found = Vec::new();
    for until in 0..=disk.events.len() {
        // what happens between is found with what happens next
        let next = disk.events.get(until);
        if !is_long() && matches!(next, Some(Event::Changed { .. })) {
            continue;
        }
        let pending = disk.pending(until);
        let mut ways = vec![Kept::Nothing, Kept::Everything];
        for one in &pending {
            ways.extend([Kept::Only(*one), Kept::AllBut(*one), Kept::Zeros(*one)]);
            let Some((_, length)) = disk.last_write(until, *one) else { continue };
            let sectors = length.div_ceil(512);
            ways.extend([1, 8, sectors / 2, sectors.saturating_sub(1)].map(|cut| Kept::Torn(*one, cut)));
        }
        ways.extend((0..if is_long() { 8 } else { 4 }).map(|one| Kept::Drawn(seed() * 100 + one)));
        for kept in ways {
            if known.insert(disk.digest(until, kept)) {
                found.push(Loss { until, kept });
            }
        }
    }
    let most = if is_long() { MANY } else { FEW };
    if found.len() > most {
        let drawn = |loss: &Loss| {
            let mut hasher = DefaultHasher::new();
            (seed(), loss.until, format!("{:?}", loss.kept)).hash(&mut hasher);
            hasher.finish()
        };
        found.sort_by_key(drawn);
        found.truncate(most);
    }
    found
}

/// Finds this state, and has the next commands put it right.
fn recovers(recorded: &Recorded, loss: &Loss) {
    let scenario = &recorded.scenario;
    let place = memory();
    recorded.disk.state(loss.until, loss.kept).put(place.path());
    let home = scenario.home.at(place);
    let mut seen = recorded.seen[loss.until].clone();
    seen.look_after_power_loss(home.directory());
    put_right(scenario, &home, &mut seen);
    seen.check_no_list_went_back(home.directory());
}

#[test]
fn whatever_is_lost_with_the_power_the_next_command_puts_right() {
    // X1, C1, C7, O13, G2: nothing signed is unrecorded, no number is used twice, no list goes back
    let all: Vec<Recorded> = scenarios().into_iter().map(recorded).collect();
    let jobs: Vec<(&Recorded, Loss)> =
        all.iter().flat_map(|one| losses(one).into_iter().map(move |loss| (one, loss))).collect();
    let (next, failures) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..WORKERS {
            scope.spawn(|| {
                while let Some((recorded, loss)) = jobs.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if std::panic::catch_unwind(|| recovers(recorded, loss)).is_err() {
                        let words = recorded.scenario.words.join(" ");
                        let at = format!("{words}: {:?} before event {}", loss.kept, loss.until);
                        failures.lock().unwrap().push(at);
                    }
                }
            });
        }
    });
    let failures = failures.into_inner().unwrap();
    assert!(failures.is_empty(), "of {} states these are not put right: {failures:#?}", jobs.len());
    let events: usize = all.iter().map(|one| one.disk.events.len()).sum();
    let (states, commands) = (jobs.len(), all.len());
    println!(
        "{states} states of {commands} commands with {events} changes and waits for the disk, seed {}",
        seed()
    );
}
