//! A directory to which the files of the status are copied: whatever is there at any moment, no answer is of no state.
use super::tests::Home;
use super::*;
use crate::index::CertificateState;
use crate::x509::CertificateId;
use proptest::collection::vec;
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::fs;
use std::sync::LazyLock;

/// Files by name.
type Files = BTreeMap<String, Vec<u8>>;
/// What is known of each certificate.
type States = Vec<(CertificateId, Option<CertificateState>)>;

fn files(home: &Home) -> Files {
    let entries = fs::read_dir(&home.status).unwrap().map(Result::unwrap);
    let named = entries.map(|entry| (entry.file_name().into_string().unwrap(), entry.path()));
    let mut all: Files = named
        .filter(|(_, path)| path.is_file())
        .map(|(name, path)| (name, fs::read(path).unwrap()))
        .collect();
    all.remove(".lock");
    all
}

static PUBLISHED: LazyLock<(Vec<Files>, BTreeMap<u64, States>)> = LazyLock::new(published);

/// Returns the files of five states in the order of their changes, and what each says: a base, two deltas, a base that was
/// made anew, and a delta over that.
fn published() -> (Vec<Files>, BTreeMap<u64, States>) {
    let home = Home::new();
    let ids: Vec<CertificateId> =
        (10..30).map(|number| home.root.issue_leaf(&home.index, "a.example", 10, number)).collect();
    let (mut all, mut states) = (Vec::new(), BTreeMap::new());
    let mut publish = |anew: bool| {
        if anew {
            fs::remove_file(home.status.join(StatusManifest::FILE)).unwrap();
        }
        home.publish();
        let view = home.open();
        let of = |id: &CertificateId| (id.clone(), view.status(id).unwrap());
        states.insert(view.change(), ids.iter().map(of).collect());
        all.push(files(&home));
    };
    publish(false);
    for (id, anew) in ids.iter().zip([false, false, true, false]) {
        home.revoke(id);
        publish(anew);
    }
    (all, states)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn files_copied_in_any_order_and_in_parts_give_a_state_that_was_published_or_none(
        steps in vec((0..5_usize, any::<prop::sample::Index>(), any::<bool>(), any::<prop::sample::Index>()), 1..60),
    ) {
        // G7, O13
        let (all, states) = &*PUBLISHED;
        let there = tempfile::tempdir().unwrap();
        for (name, octets) in &all[0] {
            fs::write(there.path().join(name), octets).unwrap();
        }
        let source = StatusDirectory::new(there.path());
        let mut known = Some(source.open(None).unwrap());
        for (state, file, is_cut, length) in steps {
            let (name, octets) = file.get(&all[state].iter().collect::<Vec<_>>()).to_owned();
            let octets = if is_cut { &octets[..length.index(octets.len() + 1)] } else { octets };
            // renamed into its place, as rsync does
            let aside = there.path().join(".copied");
            fs::write(&aside, octets).unwrap();
            fs::rename(&aside, there.path().join(name)).unwrap();
            if let Ok(view) = source.open(known.as_ref()) {
                for (id, state) in &states[&view.change()] {
                    // what cannot be read is not answered
                    if let Ok(found) = view.status(id) {
                        prop_assert_eq!(&found, state);
                    }
                }
                known = Some(view);
            }
        }
        // when everything of the last state is there, that state is
        for (name, octets) in &all[4] {
            fs::write(there.path().join(name), octets).unwrap();
        }
        prop_assert_eq!(Some(&source.open(known.as_ref()).unwrap().change()), states.keys().last());
    }
}
