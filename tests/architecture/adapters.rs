//! Only `assembly` constructs adapters. All other modules know their traits, not their types.
use crate::source::production;

/// Each adapter, and the module that contains it.
const ADAPTERS: &[(&str, &str)] = &[
    ("SqliteIndex", "index"),
    ("StatusDirectory", "status"),
    ("HomeDirectory", "repository"),
    ("SystemClock", "clock"),
    ("AgeFileStore", "signing"),
    ("TokenStore", "signing"),
    ("SoftKey", "signing"),
    ("LocalSigner", "signing"),
    ("Admitted", "signing"),
];
/// Functions that decode keys from files of other programs, and the modules that may call them: those that know the
/// formats.
const MAKERS: &[(&str, &[&str])] = &[
    ("OpenedKey::", &["signing", "subscriber_key"]),
    ("ResponseSigner::from_pkcs8_der(", &["signing", "ocsp"]),
    ("SubscriberKey::from", &["signing", "subscriber_key"]),
];

/// Finds a word in code, apart from longer words that contain it.
fn names(code: &str, word: &str) -> bool {
    let part = |c: char| c.is_alphanumeric() || c == '_';
    code.match_indices(word)
        .any(|(at, _)| !code[..at].ends_with(part) && !code[at + word.len()..].starts_with(part))
}

#[test]
fn adapters_are_named_by_the_assembly_and_by_their_own_module_alone() {
    let mut wrong = Vec::new();
    for source in production() {
        let code = source.code();
        for (adapter, own) in ADAPTERS {
            if !["assembly", own].contains(&source.top()) && names(&code, adapter) {
                wrong.push(format!("{}: {adapter}", source.name));
            }
        }
        for (made, makers) in MAKERS {
            if !makers.contains(&source.top()) && code.contains(made) {
                wrong.push(format!("{}: {made}", source.name));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// A CA key in the signer signs what its journal has. Only the journal says so.
#[test]
fn only_the_journal_says_that_it_has_what_a_key_signs() {
    let is_named = |file: &str| {
        let found = production().into_iter().filter(|source| source.code().contains(file));
        found.map(|source| source.name).collect::<Vec<_>>()
    };
    assert_eq!(is_named("ForKey::journaled"), ["src/signer/journal.rs", "src/signer/token/served.rs"]);
}

/// The URI of a CA's key says where the key is. One file takes it apart; the others that know a scheme read what is said of
/// responders, or RFC 7512.
#[test]
fn one_file_alone_judges_where_the_key_of_a_ca_is() {
    let is_scheme = |line: &str| {
        ["age", "offline", "signer", "pkcs11"]
            .iter()
            .any(|scheme| line.contains(&format!("(\"{scheme}:")) && !line.contains("failpoint::"))
    };
    let judging = production().into_iter().filter(|source| {
        let lines = source.text.lines().take_while(|line| !line.starts_with("#[cfg(test)]"));
        lines.filter(|line| !line.trim_start().starts_with("//")).any(is_scheme)
    });
    let names: Vec<String> = judging.map(|source| source.name).collect();
    assert_eq!(names, ["src/ocsp/responder_files.rs", "src/repository/directory.rs"]);
}

#[test]
fn each_adapter_is_in_the_module_that_is_said_here() {
    let sources = production();
    for (adapter, own) in ADAPTERS {
        assert!(
            sources.iter().any(|source| source.top() == *own
                && ["struct", "trait"].iter().any(|kind| names(&source.text, &format!("{kind} {adapter}")))),
            "{own} has no {adapter}"
        );
    }
}

/// An adapter is in the module of its trait, and only that module uses the libraries that the adapter is made with.
#[test]
fn what_an_adapter_is_made_with_is_named_by_it_alone() {
    const MADE_WITH: &[(&str, &[&str])] = &[
        ("rusqlite::", &["index::sqlite", "signer::record", "status"]),
        ("age::", &["signing::age"]),
        ("cryptoki::", &["signing::pkcs11"]),
    ];
    let mut wrong = Vec::new();
    for source in production() {
        let module = source.module.join("::");
        for (library, makers) in MADE_WITH {
            let is_named = source
                .text
                .match_indices(library)
                .any(|(at, _)| source.text[..at].ends_with(|c: char| c.is_whitespace() || "(<&".contains(c)));
            if is_named
                && !makers.iter().any(|maker| module == *maker || module.starts_with(&format!("{maker}::")))
            {
                wrong.push(format!("{}: {library}", source.name));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// A CA's key signs what the signer's journal has. Its proof has private fields, which the file that makes it does not
/// pass on.
#[test]
fn only_the_journal_makes_the_proof_that_something_is_in_it() {
    let mut makers = Vec::new();
    for source in production().iter().filter(|source| source.top() == "signer") {
        let code: String = source.code().split_whitespace().collect();
        let is_made = code.match_indices("Journaled(").any(|(at, _)| !code[..at].ends_with("struct"));
        makers.extend((is_made || code.contains("structJournaled<")).then(|| source.name.clone()));
    }
    assert_eq!(makers, ["src/signer/journal.rs"]);
}
