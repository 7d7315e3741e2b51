//! All profiles of a home, and the mistakes that only show when profiles are compared.
use super::{Kind, Profile};
use crate::document::Mistake;
use crate::error::{Code, Problem, suggested};
use std::collections::BTreeMap;

/// One mistake in the text of a profile.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("profile {profile}: {mistake}")]
pub struct ProfileError {
    /// Name of the profile.
    pub profile: String,
    /// Mistake and its place.
    pub mistake: Mistake,
}

/// Combines the mistakes into one problem.
impl From<Vec<ProfileError>> for Problem {
    fn from(errors: Vec<ProfileError>) -> Self {
        let lines: Vec<String> = errors.iter().map(ToString::to_string).collect();
        Self::new(Code::PolicyInvalidProfile, lines.join("\n"))
            .hint("correct the file below policy/; policy/README.md documents every key")
    }
}

/// Profiles by name, checked against each other.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Profiles {
    fit: BTreeMap<String, Profile>,
    /// Profiles that cannot be used, with the reason.
    unfit: BTreeMap<String, Problem>,
    /// Reason why no profile could be read.
    unreadable: Option<Problem>,
}

impl Profiles {
    /// Reads profiles from pairs of a name and a text. The name is that of the file without `.toml`.
    ///
    /// # Errors
    /// Every mistake in every text, and every reference to a profile that is missing or of the wrong kind.
    pub fn parse<'t>(texts: impl IntoIterator<Item = (&'t str, &'t str)>) -> Result<Self, Vec<ProfileError>> {
        let (mut profiles, mut errors) = Self::separated(texts);
        if errors.is_empty() {
            errors = profiles.contradictions();
        }
        profiles.unfit.clear();
        if errors.is_empty() { Ok(profiles) } else { Err(errors) }
    }

    /// Reads the profiles and keeps those that can be used. A mistake in a profile is reported when that profile is
    /// looked up, and does not affect the others. `place` returns where the text of a profile is.
    pub fn read<'t>(
        texts: impl IntoIterator<Item = (&'t str, &'t str)>,
        place: impl Fn(&str) -> String,
    ) -> Self {
        let (mut profiles, mut errors) = Self::separated(texts);
        errors.extend(profiles.contradictions());
        let mut faults: BTreeMap<String, Vec<ProfileError>> = BTreeMap::new();
        for error in errors {
            faults.entry(error.profile.clone()).or_default().push(error);
        }
        for (name, errors) in faults {
            let line = |error: &ProfileError| format!("{}: {}", place(&name), error.mistake);
            let message = errors.iter().map(line).collect::<Vec<_>>().join("\n");
            profiles.refuse(&name, Problem { message, ..Problem::from(errors) });
        }
        profiles
    }

    /// Returns an empty set, with the reason why the profiles could not be read.
    #[must_use]
    pub fn unreadable(why: Problem) -> Self {
        Self { unreadable: Some(why), ..Self::default() }
    }

    /// Marks a profile as one that cannot be used.
    pub fn refuse(&mut self, name: &str, why: Problem) {
        self.fit.remove(name);
        self.unfit.insert(name.to_owned(), why);
    }

    /// Returns the reasons why some or all profiles cannot be used.
    pub fn faults(&self) -> impl Iterator<Item = &Problem> {
        self.unfit.values().chain(&self.unreadable)
    }

    /// Returns the names of the profiles that cannot be used, with the reasons.
    pub fn unusable(&self) -> impl Iterator<Item = (&str, &Problem)> {
        self.unfit.iter().map(|(name, why)| (name.as_str(), why))
    }

    /// Returns every mistake of the `given` profiles, as if they stood among the `others` in place of those of the same
    /// names, and what they make wrong in the others.
    #[must_use]
    pub fn mistakes_among(given: &[(&str, &str)], others: &[(&str, &str)]) -> Vec<ProfileError> {
        let is_given = |name: &str| given.iter().any(|(one, _)| *one == name);
        let found = |texts: &[(&str, &str)]| {
            let (profiles, errors) = Self::separated(texts.iter().copied());
            let flaws = profiles.iter().filter(|one| is_given(one.name())).flat_map(|one| {
                let told =
                    |mistake: &Mistake| ProfileError { profile: one.name().into(), mistake: mistake.clone() };
                one.flaws().into_iter().map(told).collect::<Vec<_>>()
            });
            [errors, flaws.collect(), profiles.contradictions()].concat()
        };
        let before = found(others);
        let kept = others.iter().filter(|(name, _)| !is_given(name));
        let all: Vec<(&str, &str)> = kept.chain(given).copied().collect();
        found(&all).into_iter().filter(|error| is_given(&error.profile) || !before.contains(error)).collect()
    }

    fn separated<'t>(texts: impl IntoIterator<Item = (&'t str, &'t str)>) -> (Self, Vec<ProfileError>) {
        let (mut profiles, mut errors) = (Self::default(), Vec::new());
        for (name, text) in texts {
            match Profile::parse(name, text) {
                Ok(profile) => drop(profiles.fit.insert(name.to_owned(), profile)),
                Err(mistakes) => {
                    profiles.refuse(name, Problem::from(mistakes.clone()));
                    errors.extend(mistakes);
                }
            }
        }
        (profiles, errors)
    }

    /// Returns the profile with this name, if it can be used.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Profile> {
        self.fit.get(name)
    }

    /// Returns the usable profiles in order of name.
    pub fn iter(&self) -> impl Iterator<Item = &Profile> {
        self.fit.values()
    }

    /// Returns the profile with this name.
    ///
    /// # Errors
    /// When the profile cannot be used, with the reason; when there is none with that name, with a list of the
    /// others: exit status 5.
    pub fn find(&self, name: &str) -> Result<&Profile, Problem> {
        self.get(name).ok_or_else(|| {
            if let Some(why) = self.unfit.get(name).or(self.unreadable.as_ref()) {
                return why.clone();
            }
            let names: Vec<&str> = self.fit.keys().map(String::as_str).collect();
            Problem::new(Code::PolicyNoSuchProfile, format!("there is no profile `{name}`")).hint(suggested(
                name,
                &names,
                format!("use one of {}", names.join(", ")),
            ))
        })
    }

    fn contradictions(&self) -> Vec<ProfileError> {
        let mut errors = Vec::new();
        for profile in self.iter() {
            let mut refuse = |key: &str, message: String| {
                let mistake = Mistake { line: None, key: key.into(), message };
                errors.push(ProfileError { profile: profile.name().to_owned(), mistake });
            };
            // the kind of a profile that cannot be used is not known
            let unknown = |name: &String| self.unfit.contains_key(name);
            let ca =
                |name: &String| unknown(name) || self.get(name).is_some_and(|other| other.kind().is_ca());
            for issuer in profile.issuers().iter().filter(|name| *name != "*" && !ca(name)) {
                refuse("issuers", format!("there is no CA profile `{issuer}`"));
            }
            for later in profile.authority.ends_before.iter().filter(|name| !ca(name)) {
                refuse("ca.ends_before", format!("there is no CA profile `{later}`"));
            }
            if let Some(leaf) = profile.default_leaf_profile() {
                match self.get(leaf) {
                    Some(other) if other.kind() != Kind::EndEntity => {
                        refuse("ca.leaf_profile", format!("`{leaf}` is not of kind \"end-entity\""));
                    }
                    Some(other) if !other.may_be_issued_by(profile.name()) => {
                        refuse(
                            "ca.leaf_profile",
                            format!("`{leaf}` does not name this profile in its issuers"),
                        );
                    }
                    None if !self.unfit.contains_key(leaf) => {
                        refuse("ca.leaf_profile", format!("there is no profile `{leaf}`"));
                    }
                    Some(_) | None => {}
                }
            }
        }
        errors
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Exit;

    const ROOT: &str = "kind = 'root-ca'\n[validity]\ndays = 9\n";
    const LEAF: &str = "kind = 'end-entity'\nissuers = ['root']\nkey_usage = ['digitalSignature']\n\
                        extended_key_usage = ['clientAuth']\n[validity]\ndays = 9\n";

    fn first_error(texts: &[(&str, &str)]) -> String {
        Profiles::parse(texts.iter().copied()).unwrap_err()[0].to_string()
    }

    #[test]
    fn profiles_are_found_by_name() {
        let profiles = Profiles::parse([("root", ROOT), ("leaf", LEAF)]).unwrap();
        assert_eq!(profiles.find("leaf").unwrap().name(), "leaf");
        let problem = profiles.find("laef").unwrap_err();
        let hint = format!("{:?}", problem.hint);
        assert_eq!(problem.exit, Exit::NotFound);
        assert!(hint.contains("did you mean `leaf`?") && hint.contains("use one of leaf, root"), "{hint}");
    }

    #[test]
    fn profiles_that_name_what_is_not_there_are_refused() {
        // G21
        assert!(first_error(&[("leaf", LEAF)]).contains("no CA profile `root`"));
        assert!(first_error(&[("root", LEAF), ("leaf", LEAF)]).contains("no CA profile"));
        for (ca, reason) in [
            ("leaf_profile = 'leaf'", "no profile `leaf`"),
            ("leaf_profile = 'root'", "end-entity"),
            ("ends_before = ['other']", "no CA profile `other`"),
        ] {
            let text = format!("{ROOT}[ca]\n{ca}\n");
            let error = first_error(&[("root", &text)]);
            assert!(error.contains(reason), "{ca}: {error}");
        }
        let other = format!("{ROOT}[ca]\nleaf_profile = 'leaf'\n");
        assert!(first_error(&[("root", ROOT), ("other", &other), ("leaf", LEAF)]).contains("issuers"));
    }

    #[test]
    fn a_profile_with_a_mistake_holds_no_other_up_and_says_so_when_it_is_asked_for() {
        let named = "kind = 'end-entity'\nissuers = ['nobody']\nkey_usage = ['digitalSignature']\n\
                     extended_key_usage = ['clientAuth']\n[validity]\ndays = 9\n";
        let texts = [("root", "kind = 'rot'"), ("leaf", LEAF), ("named", named), ("other", ROOT)];
        let profiles = Profiles::read(texts, |name| format!("policy/{name}.toml"));
        assert_eq!(profiles.iter().map(Profile::name).collect::<Vec<_>>(), ["leaf", "other"]);
        for (name, message) in [
            ("root", "policy/root.toml: line 1: kind: `rot` is none of"),
            ("named", "policy/named.toml: issuers: there is no CA profile `nobody`"),
        ] {
            let problem = profiles.find(name).unwrap_err();
            assert!(problem.message.starts_with(message), "{problem:?}");
            assert_eq!(problem.code.code(), "policy.invalid-profile");
        }
        assert_eq!(profiles.faults().count(), 2);
        assert_eq!(profiles.find("absent").unwrap_err().code.code(), "policy.no-such-profile");
        let none = Profiles::unreadable(Problem::new(Code::FileNotRead, "no"));
        assert_eq!(none.find("leaf").unwrap_err().code.code(), "file.read");
    }

    #[test]
    fn what_a_profile_leaves_open_is_told_with_its_line() {
        // X8
        let flaws = |text: &str| -> Vec<String> {
            Profile::parse("p", text).unwrap().flaws().into_iter().map(ToString::to_string).collect()
        };
        assert_eq!(flaws(ROOT), ["line 2: validity.max_days: is missing: `-v` may ask for any length"]);
        assert_eq!(flaws(&format!("{ROOT}max_days = 9")), [""; 0]);
        let open = flaws(&format!("{ROOT}max_days = 9\n[names]\npermitted = []\n[ca]\npermit = []\n"));
        assert!(open[0].starts_with("line 6: names.permitted: is empty"), "{open:?}");
        assert!(open[1].starts_with("line 8: ca.permit: is empty"), "{open:?}");
    }

    #[test]
    fn a_profile_is_checked_among_others_and_what_it_breaks_in_them_is_told() {
        // G21
        let told = |given: &[(&str, &str)], others: &[(&str, &str)]| -> Vec<String> {
            Profiles::mistakes_among(given, others).iter().map(ToString::to_string).collect()
        };
        let leaf = format!("{LEAF}max_days = 9\n");
        let root = format!("{ROOT}max_days = 9\n[ca]\nleaf_profile = 'leaf'\n");
        assert_eq!(told(&[("leaf", &leaf)], &[("root", &root)]), [""; 0]);
        assert!(told(&[("leaf", &leaf)], &[])[0].contains("no CA profile `root`"));
        assert!(told(&[("leaf", LEAF)], &[("root", &root)])[0].contains("validity.max_days: is missing"));
        let broken = told(&[("leaf", &root)], &[("root", &root), ("leaf", &leaf), ("other", "kind = 'x'")]);
        assert!(broken.iter().any(|line| line.starts_with("profile root: ca.leaf_profile")), "{broken:?}");
        assert!(!broken.iter().any(|line| line.contains("profile other")), "{broken:?}");
    }

    #[test]
    fn mistakes_of_all_files_are_told_at_once() {
        let errors = Profiles::parse([("a", "kind = 'x'"), ("b", "kin = 'ca'")]).unwrap_err();
        let texts: Vec<String> = errors.iter().map(ToString::to_string).collect();
        assert!(texts[0].starts_with("profile a: line 1: kind: `x` is none of"), "{texts:?}");
        assert!(texts[1].starts_with("profile b: kind: is missing"), "{texts:?}");
        assert_eq!(Problem::from(errors).code.code(), "policy.invalid-profile");
    }
}
