//! Dependencies between modules, and their drawing. A module uses only modules on floors below its own.
use crate::source::{Source, production, root};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;

/// Rows of a module and the modules that it may use, separated by spaces.
type Table = &'static [(&'static str, &'static str)];

/// Modules of the library, and the modules that each may use. Rows that no other row names are the programs.
const MAY_USE: Table = &[
    ("document", "error"),
    ("error", ""),
    ("failpoint", ""),
    ("par_map", "failpoint"),
    ("x509", "error"),
    ("audit", "x509"),
    ("calendar", "x509 error"),
    ("clock", "x509"),
    ("lint", "x509"),
    ("profile", "document error x509"),
    ("home", "audit error failpoint x509"),
    ("index", "home audit lint error failpoint x509"),
    ("repository", "home error failpoint x509"),
    ("signing", "index home par_map error failpoint x509"),
    ("ceremony", "signing index home lint document error failpoint x509"),
    ("status", "index repository home audit error failpoint x509"),
    ("backup", "signer signing status index home audit error failpoint x509"),
    ("config", "signing profile document error x509"),
    ("custody", "signing document error x509"),
    ("export", "ca signing error x509"),
    ("subscriber_key", "signing home error x509"),
    ("signer", "subscriber_key signing index home lint profile document par_map error failpoint x509"),
    (
        "ca",
        "ceremony home config signing status index repository audit clock lint profile par_map error failpoint x509",
    ),
    ("import", "signing index home error x509"),
    ("ocsp", "config signing status index home clock par_map error failpoint x509"),
    ("doctor", "ca ocsp backup config signing status index repository home audit profile error x509"),
    (
        "assembly",
        "doctor ceremony ca ocsp backup config signer signing status index repository home audit clock profile error x509",
    ),
    (
        "bin/genfic-ca",
        "assembly doctor ca ceremony import ocsp backup config export subscriber_key signing index repository home audit calendar lint profile error x509",
    ),
    ("bin/genfic-key", "assembly custody signing home error failpoint x509"),
    ("bin/genfic-signer", "assembly signing home error"),
    ("bin/genfic-ocspd", "assembly ocsp config signing home error failpoint"),
];

/// Modules of `ca`, and the modules of `ca` that each may use.
const CA_MAY_USE: Table = &[
    ("difference", ""),
    ("clock_watch", ""),
    ("disk_reserve", ""),
    ("hierarchy", ""),
    ("settings", ""),
    ("problems", ""),
    ("engine", "clock_watch disk_reserve hierarchy settings"),
    ("ceremony", "engine"),
    ("authority", "engine hierarchy"),
    ("publication", "engine hierarchy"),
    ("time", "engine clock_watch settings"),
    ("issuance", "authority publication engine difference hierarchy settings problems"),
    ("maintenance", "issuance authority publication engine clock_watch hierarchy settings problems"),
    ("lifecycle", "maintenance issuance authority publication engine difference hierarchy settings problems"),
    ("revocation", "maintenance issuance publication engine hierarchy settings"),
    ("run", "lifecycle maintenance issuance engine disk_reserve"),
];

const WIDTH: usize = 112;

/// Returns the floor of each module, counted from the lowest; `None` when modules use each other in a circle.
fn floors(table: Table) -> Option<BTreeMap<&'static str, usize>> {
    let mut floors = BTreeMap::new();
    while floors.len() < table.len() {
        let laid: Vec<(&str, usize)> = table
            .iter()
            .filter(|(module, _)| !floors.contains_key(module))
            .filter_map(|(module, used)| {
                let below: Option<Vec<usize>> =
                    used.split_whitespace().map(|below| floors.get(below).copied()).collect();
                Some((*module, below?.into_iter().max().map_or(0, |highest| highest + 1)))
            })
            .collect();
        if laid.is_empty() {
            return None;
        }
        floors.extend(laid);
    }
    Some(floors)
}

/// Returns the lines of the drawing, the highest floor first.
fn drawn(table: Table) -> Vec<String> {
    let floors = floors(table).expect("no floors: some use each other in a circle");
    let indent = table.iter().map(|(module, _)| module.len()).max().unwrap() + 2;
    let mut lines = Vec::new();
    for floor in (0..=*floors.values().max().unwrap()).rev() {
        if !lines.is_empty() {
            lines.push("-".repeat(indent + 8));
        }
        for (module, used) in table.iter().filter(|(module, _)| floors[module] == floor) {
            let mut line = format!("{module:indent$}");
            // modules of the floor right below come first
            let mut used: Vec<&str> = used.split_whitespace().collect();
            used.sort_by_key(|below| (std::cmp::Reverse(floors[below]), *below));
            for below in used {
                if line.len() + below.len() > WIDTH {
                    lines.push(line.trim_end().to_owned());
                    line = " ".repeat(indent);
                }
                line.push_str(below);
                line.push(' ');
            }
            lines.push(line.trim_end().to_owned());
        }
    }
    lines
}

/// Compares the drawing in a file's documentation, its first block of text, with the table. If GENFIC_TEST_WRITE is
/// set, the drawing is replaced.
fn hold(file: &str, table: Table) {
    let path = root().join(file);
    let text = fs::read_to_string(&path).unwrap();
    let (before, rest) = text.split_once("//! ```text\n").unwrap();
    let (found, after) = rest.split_once("//! ```\n").unwrap();
    let drawing: String = drawn(table).iter().map(|line| format!("//! {line}\n")).collect();
    if std::env::var_os("GENFIC_TEST_WRITE").is_some() {
        fs::write(&path, format!("{before}//! ```text\n{drawing}//! ```\n{after}")).unwrap();
        return;
    }
    assert!(
        found == drawing,
        "{file} draws other floors (GENFIC_TEST_WRITE=1 cargo test --test architecture draws these):\n{drawing}"
    );
}

#[test]
fn the_map_draws_what_is_held_here() {
    hold("src/lib.rs", MAY_USE);
    hold("src/ca/mod.rs", CA_MAY_USE);
}

/// Returns uses that are not permitted, and permissions that are not used.
fn compare(table: Table, used: &BTreeMap<(String, String), String>) -> Vec<String> {
    let mut wrong = Vec::new();
    for ((module, below), file) in used {
        if !may_use(table, module, below) {
            wrong.push(format!("{file}: {module} uses {below}"));
        }
    }
    for (module, may) in table {
        for below in may.split_whitespace() {
            if !used.contains_key(&((*module).to_owned(), below.to_owned())) {
                wrong.push(format!("{module} may use {below} and does not"));
            }
        }
    }
    wrong
}

fn may_use(table: Table, module: &str, below: &str) -> bool {
    table.iter().any(|(ruled, may)| *ruled == module && may.split_whitespace().any(|one| one == below))
}

#[test]
fn modules_use_only_what_is_below_them() {
    let sources = production();
    let modules: BTreeSet<&str> = sources.iter().map(Source::top).filter(|top| !top.is_empty()).collect();
    let mut used = BTreeMap::new();
    let mut wrong = Vec::new();
    for source in &sources {
        if source.text.contains("crate::{") {
            wrong.push(format!("{}: names several modules in one group", source.name));
        }
        let of_others = |path: &Vec<String>| {
            let module = path.first().map(String::as_str).filter(|module| modules.contains(module))?;
            (module != source.top() && !source.top().is_empty()).then(|| module.to_owned())
        };
        for below in source.paths(&source.code()).iter().filter_map(of_others) {
            used.insert((source.top().to_owned(), below), source.name.clone());
        }
        // comments do not name modules of higher floors either
        for told in source.paths(&source.text).iter().filter_map(of_others) {
            if !may_use(MAY_USE, source.top(), &told) {
                wrong.push(format!("{}: names {told}", source.name));
            }
        }
    }
    let ruled: BTreeSet<&str> = MAY_USE.iter().map(|(module, _)| *module).collect();
    wrong.extend(
        modules.symmetric_difference(&ruled).map(|module| format!("{module}: no rule, or no module")),
    );
    wrong.extend(compare(MAY_USE, &used));
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn places_in_ca_use_only_what_is_below_them() {
    let sources: Vec<Source> = production().into_iter().filter(|source| source.top() == "ca").collect();
    let places: BTreeSet<&str> =
        sources.iter().filter_map(|source| source.module.get(1).map(String::as_str)).collect();
    // names that the module re-exports, with the modules that define them
    let mut homes: BTreeMap<String, String> = BTreeMap::new();
    let front = sources.iter().find(|source| source.module.len() == 1).unwrap();
    for path in front.paths(&front.code()) {
        if let [_, place, .., name] = path.as_slice() {
            homes.insert(name.clone(), place.clone());
        }
    }
    let mut used = BTreeMap::new();
    for source in sources.iter().filter(|source| source.module.len() > 1) {
        let own = source.module[1].as_str();
        let named = source
            .paths(&source.code())
            .into_iter()
            .filter(|path| path.first().is_some_and(|top| top == "ca"))
            .filter_map(|path| {
                let next = path.get(1)?;
                places
                    .get(next.as_str())
                    .map(|place| (*place).to_owned())
                    .or_else(|| homes.get(next).cloned())
            });
        // the parts of an engine are entered by methods with the names of their modules
        let code: String = source.code().split_whitespace().collect();
        let entered = places.iter().filter(|place| code.contains(&format!(".{place}()")));
        for below in named.chain(entered.map(|place| (*place).to_owned())) {
            if below != own {
                used.insert((own.to_owned(), below), source.name.clone());
            }
        }
    }
    let ruled: BTreeSet<&str> = CA_MAY_USE.iter().map(|(place, _)| *place).collect();
    let mut wrong: Vec<String> =
        places.symmetric_difference(&ruled).map(|place| format!("{place}: no rule, or no place")).collect();
    wrong.extend(compare(CA_MAY_USE, &used));
    assert!(wrong.is_empty(), "{wrong:#?}");
}
