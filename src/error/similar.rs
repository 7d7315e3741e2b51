//! Suggests what a mistyped name may stand for.

use super::Remedy;

/// Number of characters beyond which a word is compared with nothing: longer ones are no typed names.
const LONGEST: usize = 200;

/// Returns the candidate that is most like the word, if one is like it: the same but for letter case, hyphens and
/// the like, or with few letters wrong, swapped, missing or too many, a third of them at most.
#[must_use]
pub fn similar<S: AsRef<str>>(word: &str, candidates: impl IntoIterator<Item = S>) -> Option<String> {
    let plain = |text: &str| -> String {
        text.chars()
            .filter(|c| !c.is_whitespace() && !"-_".contains(*c))
            .flat_map(char::to_lowercase)
            .collect()
    };
    let typed = plain(word);
    let length = typed.chars().count();
    if length == 0 || length > LONGEST {
        return None;
    }
    let most = (length / 3).clamp(1, 4);
    let distance = |candidate: &str| -> Option<usize> {
        let known = plain(candidate);
        let difference = known.chars().count().abs_diff(length);
        (difference <= most).then(|| strsim::damerau_levenshtein(&typed, &known))
    };
    let near = candidates.into_iter().filter_map(|candidate| {
        let candidate = candidate.as_ref();
        let distance = distance(candidate).filter(|distance| *distance <= most && candidate != word)?;
        Some((distance, candidate.to_owned()))
    });
    near.min_by_key(|(distance, _)| *distance).map(|(_, candidate)| candidate)
}

/// Returns the question whether the most similar candidate is meant; `None` when none is similar.
#[must_use]
pub fn did_you_mean<S: AsRef<str>>(word: &str, candidates: impl IntoIterator<Item = S>) -> Option<String> {
    similar(word, candidates).map(|name| format!("did you mean `{}`?", super::on_one_line(&name)))
}

/// Returns a remedy after the question whether the most similar candidate is meant, if there is one.
#[must_use]
pub(crate) fn suggested<S: AsRef<str>>(word: &str, candidates: &[S], remedy: impl Into<Remedy>) -> Remedy {
    match did_you_mean(word, candidates) {
        Some(question) => Remedy::from(question).and(remedy),
        None => remedy.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMES: [&str; 5] =
        ["genfic", "genfic-user", "genfic-system", "key-compromise", "www.genfic.example"];

    #[test]
    fn the_name_with_the_fewest_letters_wrong_is_suggested() {
        for (word, meant) in [
            ("genfic-usr", "genfic-user"),
            ("genfic_user", "genfic-user"),
            ("Genfic", "genfic"),
            ("genfci-system", "genfic-system"),
            ("keyCompromize", "key-compromise"),
            ("wwww.genfic.example", "www.genfic.example"),
        ] {
            assert_eq!(similar(word, NAMES).as_deref(), Some(meant), "{word}");
        }
        assert_eq!(did_you_mean("genfik", NAMES).as_deref(), Some("did you mean `genfic`?"));
    }

    #[test]
    fn nothing_is_suggested_where_nothing_is_similar() {
        for word in ["", "-", "x", "root", "genfic", &"genfic".repeat(100)] {
            assert_eq!(similar(word, ["genfic"]), None, "{word}");
        }
        assert_eq!(similar("genfic", NAMES.iter().take(0)), None);
        assert_eq!(did_you_mean("a\nc", ["a\nb"]).as_deref(), Some("did you mean `a\\nb`?"));
    }
}
