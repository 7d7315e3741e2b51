//! Names of status files.

/// Returns the change number in the name of a status file: `base-N.status`, `delta-N.status`, `authorities-N.json`, each
/// also with a further number as in `base-N-2.status`, or `.db` as it was in the former version. `None` for other names.
pub(crate) fn status_file_change(name: &str) -> Option<u64> {
    let (stem, ending) = name.split_once('.')?;
    let (kind, numbers) = stem.split_once('-')?;
    let is_of_kind = match kind {
        "base" | "delta" => ending == "status" || ending == "db",
        "authorities" => ending == "json",
        _ => false,
    };
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|octet| octet.is_ascii_digit());
    let (change, further) = numbers.split_once('-').unwrap_or((numbers, "2"));
    (is_of_kind && is_number(change) && is_number(further)).then(|| change.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_status_files_have_a_change_number() {
        for (name, change) in [
            ("base-7.status", Some(7)),
            ("delta-12-3.status", Some(12)),
            ("authorities-0.json", Some(0)),
            ("base-7.db", Some(7)),
            ("manifest.json", None),
            ("authorities-7.status", None),
            ("base-7.json", None),
            ("base-.status", None),
            ("base-7-.status", None),
            ("base-+7.status", None),
            ("base-7.status.old", None),
            (".new-base-7.status", None),
        ] {
            assert_eq!(status_file_change(name), change, "{name}");
        }
    }
}
