//! Which key has which name, as the journal says: a key keeps its certificates under the name that it had first.
use super::entry::{Act, ActKind, Entry};
use super::group::JournalHead;
use super::reader::{JournalFault, JournalReader};
use std::collections::BTreeMap;
use std::io::Read;

/// What is between the place of a key that was made and the profile of its CA.
pub(crate) const MADE_FOR: &str = ", for a CA of the profile ";

/// Returns the keys that were made, came or got another name, by their URIs: SHA-256 of the SubjectPublicKeyInfo of each.
///
/// # Errors
/// When the journal was changed, or cannot be read.
pub(crate) fn named_keys(source: impl Read) -> Result<BTreeMap<String, [u8; 32]>, JournalFault> {
    let mut reader = JournalReader::after(JournalHead::default(), source);
    let mut named = BTreeMap::new();
    while let Some(group) = reader.next_group()? {
        for (_, entry) in group.numbered() {
            let Entry::Act(Act { kind, key: Some(key), details }) = entry else { continue };
            let name = match kind {
                // what the key is for may follow its place
                ActKind::KeyGenerated => details.split(MADE_FOR).next(),
                ActKind::KeyImported => Some(details.as_str()),
                ActKind::KeyMoved => details.strip_suffix(" comes"),
                ActKind::KeyRenamed => details.split_once(" to ").map(|(_, to)| to),
                _ => None,
            };
            named.extend(name.map(|name| (name.to_owned(), *key)));
        }
    }
    Ok(named)
}
