//! The files that a signer may still open when it serves.
use crate::signer::Places;
use crate::signing::{PassphraseOrders, SecretSpec};
use std::path::Path;

/// Returns the places of a signer that is the child of a command: it writes into the directory of keys, into the file of
/// a new passphrase, and to the terminal. It reads what its command names, which may be any file of that user.
pub(super) fn of_child(directory: &Path, passphrases: &PassphraseOrders) -> Places {
    let mut places = Places::default().read(Path::new("/")).write(there(directory)).terminal();
    if let (true, Some(SecretSpec::File(file))) = (passphrases.new.generates, &passphrases.new.from) {
        places = places
            .write(file.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new(".")));
    }
    traced(places)
}

/// Returns a directory, or where there is none yet the nearest one above it, in which it will be made.
fn there(directory: &Path) -> &Path {
    directory.ancestors().find(|above| above.is_dir()).unwrap_or(Path::new("/"))
}

/// A test may have the points written down that the signer passes.
#[cfg(debug_assertions)]
fn traced(places: Places) -> Places {
    let file = std::env::var_os("GENFIC_CA_FAILPOINT_TRACE");
    match file.as_deref().and_then(|file| Path::new(file).parent()) {
        Some(directory) => places.write(directory),
        None => places,
    }
}

#[cfg(not(debug_assertions))]
fn traced(places: Places) -> Places {
    places
}
