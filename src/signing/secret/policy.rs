//! Strength of new passphrases, as zxcvbn estimates it.
//!
//! zxcvbn counts the guesses of somebody who tries common passwords, words, names, dates, keyboard patterns and their
//! combinations first. A guess at a CA's key takes about a second and 256 MiB (`AgeFileStore::USUAL_WORK`).
use zxcvbn::{Score, zxcvbn};

/// Bound of the characters that are judged. The time grows with the square of their number, and what is strong by its
/// first 64 characters is strong.
const JUDGED: usize = 64;

/// The rule that new passphrases of CA keys obey.
///
/// zxcvbn scores from 0 to 4. Less than 4 is refused: fewer than 10^10 guesses, which are three centuries of one
/// processor, or some months of a thousand.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct PassphrasePolicy {
    /// Whether a weak passphrase is accepted, with a note.
    pub allows_weak: bool,
    /// Texts that somebody who guesses would try first: the organization's name and those of its CAs.
    pub known: Vec<String>,
}

impl PassphrasePolicy {
    /// Returns why a new passphrase for the key of this name is weak, as one phrase that repeats nothing of it; `None`
    /// for one that is strong enough.
    #[must_use]
    pub fn weakness(&self, key: &str, passphrase: &str) -> Option<String> {
        let judged: &str = match passphrase.char_indices().nth(JUDGED) {
            Some((end, _)) => passphrase.get(..end).unwrap_or(passphrase),
            None => passphrase,
        };
        let texts = self.known.iter().map(String::as_str).chain([key]);
        let parts = texts.flat_map(|text| {
            let words = text.split(|c: char| !c.is_alphanumeric()).filter(|word| word.chars().count() > 2);
            std::iter::once(text).chain(words)
        });
        let estimate = zxcvbn(judged, &parts.collect::<Vec<&str>>());
        if estimate.score() >= Score::Four {
            return None;
        }
        let feedback = estimate.feedback();
        let warning = feedback.and_then(zxcvbn::feedback::Feedback::warning).map(|one| one.to_string());
        let advice = feedback.into_iter().flat_map(|one| one.suggestions()).map(ToString::to_string);
        let sentences: Vec<String> = warning.into_iter().chain(advice).map(|one| phrase(&one)).collect();
        let usual = || "add another uncommon word or two".to_owned();
        Some(if sentences.is_empty() { usual() } else { sentences.join("; ") })
    }
}

/// Returns sentences as one phrase within another sentence, without capitals and full stops.
fn phrase(sentences: &str) -> String {
    let phrases = sentences.trim_end_matches('.').split(". ").map(|sentence| {
        let mut chars = sentence.chars();
        let first = chars.next().map(|c| c.to_lowercase().to_string()).unwrap_or_default();
        first + chars.as_str()
    });
    phrases.collect::<Vec<String>>().join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::time::{Duration, Instant};

    fn weakness(passphrase: &str) -> Option<String> {
        let known = vec!["Gentoo Fictional, Inc.".to_owned(), "genfic-user".to_owned()];
        PassphrasePolicy { known, ..PassphrasePolicy::default() }.weakness("genfic", passphrase)
    }

    #[test]
    fn what_is_soon_guessed_is_weak_and_the_advice_repeats_nothing_of_it() {
        for weak in [
            "",
            "short",
            "s3cret",
            "password1",
            "1qaz2wsx",
            "aaaaaaaaaaaaaaaa",
            "abcabcabcabcabc",
            "genfic genfic",
            "genfic root",
            "wrong horse",
            "genfic-user",
            "fictional2026",
            "Gentoo Fictional, Inc.",
            "31.12.1999",
        ] {
            let advice = weakness(weak).unwrap_or_else(|| panic!("{weak}"));
            assert!(!advice.is_empty() && !advice.ends_with('.') && !advice.contains(". "), "{advice}");
            assert!(weak.is_empty() || weak == "short" || !advice.contains(weak), "{advice}");
        }
    }

    #[test]
    fn words_by_chance_and_long_sentences_are_strong() {
        for strong in [
            "correct horse battery staple",
            "mutt unlucky crimp slouching ferret abacus",
            "0f1e2d3c4b5a69788796a5b4c3d2e1f0a9",
            "zwölf Boxkämpfer jagen Viktor",
            "x9$Lq2!vT7k",
        ] {
            assert_eq!(weakness(strong), None, "{strong}");
        }
    }

    #[test]
    fn the_names_of_the_organization_and_of_its_cas_count_as_guessed() {
        let nobody = PassphrasePolicy::default();
        let passphrase = "zkqwvbxjtghm";
        assert_eq!(nobody.weakness("other", passphrase), None);
        let told =
            PassphrasePolicy { known: vec!["Zkqwvbxjtghm & Co".into()], ..PassphrasePolicy::default() };
        assert!(told.weakness("other", passphrase).is_some());
        assert!(nobody.weakness("zkqwvbxjtghm-g2", passphrase).is_some(), "the key's own name");
    }

    #[test]
    fn the_longest_passphrase_is_judged_in_no_time() {
        for long in ["a".repeat(4096), "P@ssw0rd!1l0vey0u".repeat(240), "é1l@4".repeat(800)] {
            weakness("first");
            let began = Instant::now();
            let _ = weakness(&long);
            assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]
        #[test]
        fn whatever_is_typed_is_judged(text in any::<String>(), known in any::<String>()) {
            let policy = PassphrasePolicy { allows_weak: false, known: vec![known] };
            let _ = policy.weakness("genfic", &text);
        }
    }
}
