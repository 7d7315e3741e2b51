//! Which files of a key were in its place and were replaced, as the journal says: none of them comes back. And whether the
//! key went to media.
use super::entry::{Act, ActKind, Entry};
use super::group::JournalHead;
use super::reader::{JournalFault, JournalReader};
use std::io::Read;

/// What is before the SHA-256 of a file that was replaced.
const FORMER: &str = ", in the place of SHA-256 ";
/// What is before that of one that was lent.
const LENT: &str = ", encrypted, lent to an administrator; SHA-256 ";
/// What is before that of one that goes to media.
const TO_MEDIA: &str = " goes to media; SHA-256 ";

/// Returns the details of an entry that a key file with the second SHA-256 comes in the place of one with the first.
pub(crate) fn replaced(before: &[u8; 32], after: &[u8; 32]) -> String {
    let [before, after] = [before, after].map(|digest| base16ct::lower::encode_string(digest));
    format!("SHA-256 {after}{FORMER}{before}")
}

/// Returns the details of an entry that the file of a key, with this SHA-256, is lent.
pub(crate) fn lent(uri: &str, digest: &[u8; 32]) -> String {
    format!("{uri}{LENT}{}", base16ct::lower::encode_string(digest))
}

/// Returns the details of an entry that the file of a key, with this SHA-256, goes to media, as the client says of them.
pub(crate) fn gone_to_media(uri: &str, digest: &[u8; 32], said: &str) -> String {
    let digest = base16ct::lower::encode_string(digest);
    format!("{uri}{TO_MEDIA}{digest}; the client says \"{}\"", said.replace('"', "'"))
}

/// Returns the SHA-256, in hexadecimal digits, of the file with which this key last went to media, where it came in no
/// other way since. The key is named by the SHA-256 of its SubjectPublicKeyInfo.
///
/// # Errors
/// When the journal was changed, or cannot be read.
pub(crate) fn file_on_media(source: impl Read, identity: &[u8; 32]) -> Result<Option<String>, JournalFault> {
    let mut reader = JournalReader::after(JournalHead::default(), source);
    let mut found = None;
    while let Some(group) = reader.next_group()? {
        for (_, entry) in group.numbered() {
            let Entry::Act(Act { kind, key: Some(key), details }) = entry else { continue };
            if key == identity && matches!(kind, ActKind::KeyMoved | ActKind::KeyImported) {
                // the first is the signer's: what a client said comes behind it
                let told = details.split_once(TO_MEDIA).and_then(|(_, rest)| rest.get(..64));
                found = told.map(str::to_owned);
            }
        }
    }
    Ok(found)
}

/// Returns whether a file with this SHA-256 was in the place of this key, which is named by the SHA-256 of its
/// SubjectPublicKeyInfo.
///
/// # Errors
/// When the journal was changed, or cannot be read.
pub(crate) fn was_in_place(
    source: impl Read,
    identity: &[u8; 32],
    digest: &[u8; 32],
) -> Result<bool, JournalFault> {
    let digest = base16ct::lower::encode_string(digest);
    let mut reader = JournalReader::after(JournalHead::default(), source);
    while let Some(group) = reader.next_group()? {
        for (_, entry) in group.numbered() {
            let Entry::Act(Act { kind, key: Some(key), details }) = entry else { continue };
            let before = match kind {
                ActKind::KeyProtected => FORMER,
                ActKind::KeyExported => LENT,
                _ => continue,
            };
            // the first is the signer's: what a client said comes behind it
            let told = details.split_once(before).map(|(_, rest)| rest);
            if key == identity && told.is_some_and(|told| told.starts_with(&digest)) {
                return Ok(true);
            }
        }
    }
    Ok(false)
}
