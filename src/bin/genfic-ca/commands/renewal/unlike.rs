//! How a certificate would differ from the one that it renews.
use super::Former;
use genfic_ca::error::{Code, Problem};
use genfic_ca::x509::GeneralName;

/// Returns the names that only the first list has, or that it has more often.
pub(super) fn only(one: &[GeneralName], other: &[GeneralName]) -> String {
    let count = |list: &[GeneralName], name: &GeneralName| list.iter().filter(|known| *known == name).count();
    let mut names: Vec<String> = Vec::new();
    for name in one {
        let (here, there) = (count(one, name), count(other, name));
        let told = match there {
            0 => name.to_string(),
            there if here > there => format!("{name} {here} times in place of {there}"),
            _ => continue,
        };
        if !names.contains(&told) {
            names.push(told);
        }
    }
    if names.is_empty() { "nothing".to_owned() } else { names.join(", ") }
}

/// The problem that a renewal would change the subject or the names.
pub(super) fn otherwise(what: &str, former: &Former) -> Problem {
    Problem::new(Code::RenewalDiffers, format!("{what} (profile {} as it is today)", former.profile)).hint(format!(
        "a renewal changes neither subject nor names: --profile renews it under another profile; for another subject or \
         other names, `genfic-ca sign REQUEST -p {} --san NAME` issues a new certificate",
        former.authority
    ))
}
