//! What has a fault, and the log of it.
use std::collections::BTreeMap;

/// What has a fault when it cannot be remembered which state is served.
pub(super) const MARK: &str = "mark";

/// Returns the name of what has a fault, for everybody: no path.
fn named(what: &str) -> String {
    match what {
        "status" => "the newest published status".into(),
        MARK => "the place where the daemon remembers which answers it has served".into(),
        _ if what.starts_with("responder of ") => format!("a certificate or key of the {what}"),
        _ => what.to_owned(),
    }
}

/// Returns the files that cannot be used. A status that cannot be read is a reason not to be ready, and told as such.
pub(super) fn unusable(faults: &BTreeMap<String, String>, is_unreadable: bool) -> Vec<String> {
    let is_told = |what: &str| what == "status" && is_unreadable;
    faults.keys().filter(|what| !is_told(what)).map(|what| named(what)).collect()
}

/// Logs each fault once when it appears and once when it is gone.
pub(super) fn report(before: &BTreeMap<String, String>, now: &BTreeMap<String, String>) {
    for (what, fault) in now.iter().filter(|(what, fault)| before.get(*what) != Some(*fault)) {
        tracing::error!(what, "{fault}");
    }
    for what in before.keys().filter(|what| !now.contains_key(*what)) {
        tracing::info!(what, "mended");
    }
}
