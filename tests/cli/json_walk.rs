//! A walk through the commands: what each says with `--json`, checked against the fields that it is to have.
use crate::support::{Home, listed_commands};
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::Path;

fn is(kind: &str, value: &Value, directory: &Path) -> bool {
    let text = value.as_str();
    let is_hex =
        |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_digit() || ('a'..='f').contains(&c));
    match kind {
        "text" => text.is_some_and(|text| !text.is_empty()),
        "number" => value.is_u64(),
        "bool" => value.is_boolean(),
        "null" => value.is_null(),
        "time" => {
            text.is_some_and(|text| text.len() == 20 && text.ends_with('Z') && text.as_bytes()[10] == b'T')
        }
        "serial" => text.is_some_and(is_hex),
        "fingerprint" => text
            .and_then(|text| text.strip_prefix("sha256:"))
            .is_some_and(|digits| digits.len() == 64 && is_hex(digits)),
        "path" => text.is_some_and(|text| directory.join(text).is_file()),
        _ => panic!("no such kind: {kind}"),
    }
}

/// Checks `path:kind` items; `[]` goes into a list that has something, `[]?` into any list.
fn check(result: &Value, spec: &str, directory: &Path) {
    for item in spec.split_whitespace() {
        let (path, kind) = item.split_once(':').unwrap();
        let mut values = vec![result.clone()];
        for step in path.split('.') {
            let name = step.trim_end_matches("[]?").trim_end_matches("[]");
            let mut next = Vec::new();
            for value in values {
                let field = value.get(name).unwrap_or_else(|| panic!("{item}: no {name} in {value}")).clone();
                if name == step {
                    next.push(field);
                } else {
                    let list = field.as_array().unwrap_or_else(|| panic!("{item}: {field}"));
                    assert!(!list.is_empty() || step.ends_with('?'), "{item} is empty in {result}");
                    next.extend(list.iter().cloned());
                }
            }
            values = next;
        }
        for value in values {
            assert!(kind.split('|').any(|kind| is(kind, &value, directory)), "{item}: {value}\n{result}");
        }
    }
}

/// Every command of the help, `crl publish` and the like included.
pub(super) fn commands(home: &Home, above: &[&str]) -> BTreeSet<String> {
    let help = home.ca(&[above, &["--help"]].concat()).ok().out;
    let names = listed_commands(&help);
    if names.is_empty() {
        return BTreeSet::from([above.join(" ")]);
    }
    names.into_iter().flat_map(|name| commands(home, &[above, &[name]].concat())).collect()
}

/// The commands of one home, and which were given.
pub(super) struct Walk {
    pub(super) home: Home,
    pub(super) seen: BTreeSet<String>,
}

impl Walk {
    pub(super) fn of(home: Home) -> Self {
        Self { home, seen: BTreeSet::new() }
    }

    /// Runs a command with `--json` and checks the object around the result, and its fields.
    #[track_caller]
    pub(super) fn step(&mut self, command: &str, rest: &str, exit: i32, changed: bool, spec: &str) {
        let words: Vec<&str> = command.split(' ').chain(rest.split_whitespace()).collect();
        let said = self.home.ca(&[&["--json"], words.as_slice()].concat());
        assert_eq!(said.status, exit, "{words:?} {}", said.all());
        assert_eq!(said.err, "", "{words:?}");
        assert_eq!(said.out.lines().count(), 1, "{words:?} {}", said.out);
        let object = said.json();
        let directory = self.home.directory();
        check(&object, "schema:text command:text ok:bool changed:bool warnings[]?:text", directory);
        assert_eq!(object["schema"], "genfic-ca/1", "{object}");
        assert_eq!(object["command"], command, "{object}");
        assert_eq!(object["changed"], changed, "{words:?} {object}");
        assert_eq!(object["ok"], exit == 0 || exit == 12, "{object}");
        assert_eq!(object.get("error").is_some(), exit != 0, "{object}");
        if exit != 0 {
            check(&object, "error.code:text error.exit:number error.message:text", directory);
            assert_eq!(object["error"]["exit"], exit, "{object}");
        }
        if spec.is_empty() {
            check(&object, "result:null error.hint:text", directory);
        } else {
            check(&object["result"], spec, directory);
        }
        self.seen.insert(command.to_owned());
    }
}

/// Returns the item of each of these fields in a list.
pub(super) fn each(list: &str, fields: &str) -> String {
    fields.split_whitespace().map(|field| format!("{list}[].{field} ")).collect()
}
