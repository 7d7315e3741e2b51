//! The CRL numbers of an imported CA.
use super::inventory::own_crls;
use super::layout::{SourcePaths, bases};
use super::tree::{Tree, read_text};
use crate::error::{Code, Problem, Shown as _};
use crate::signing::FindKeys;
use crate::x509::extension::{CRL_NUMBER, CrlNumber};
use crate::x509::{Certificate, CertificateList};

/// What is known of the CRLs of an imported CA.
#[derive(Debug, Default)]
pub(super) struct Numbers {
    /// The highest CRL number so far; 0 when there was no CRL.
    pub(super) highest: CrlNumber,
    /// The CRL with the highest number among those that were found.
    pub(super) last: Option<CertificateList>,
    pub(super) notices: Vec<String>,
}

/// Returns the highest CRL number so far, from `crlnumber` (the next number, hexadecimal) and from the CRLs.
pub(super) fn crl_number(
    source_paths: &SourcePaths,
    tree: &Tree,
    certificate: &Certificate,
    finder: &dyn FindKeys,
) -> Result<Numbers, Problem> {
    let Numbers { mut highest, mut last, mut notices } = Numbers::default();
    let noted = bases(source_paths).into_iter().map(|base| base.join("crlnumber"));
    if let Some(path) = noted.into_iter().find(|path| path.symlink_metadata().is_ok()) {
        let text = read_text(&path, finder)?;
        let text = text.trim();
        let shown = path.shown();
        if text.is_empty() || !text.chars().all(|digit| digit.is_ascii_hexdigit()) {
            let message = format!("{shown} has no CRL number in hexadecimal");
            return Err(Problem::new(Code::ImportCrlNumber, message).hint(
                "mend a copy of the directory: numbers must go on above the highest that any CRL of this CA had",
            ));
        }
        let next = CrlNumber::from_str_radix(text, 16).ok().filter(|next| is_small(*next));
        let next = next.ok_or_else(|| too_large(&format!("{shown} has the CRL number {text}")))?;
        highest = next.saturating_sub(1);
    }
    for crl in own_crls(tree, certificate) {
        let (number, made) = (crl.tbs().crl_number(), crl.tbs().this_update());
        let before = last.as_ref().and_then(|last: &CertificateList| last.tbs().crl_number());
        if number.is_some_and(is_small) && number > before {
            last = Some(crl.clone());
        }
        match number {
            Some(number) if !is_small(number) => {
                return Err(too_large(&format!("the CRL of {made} has the number {number:x}")));
            }
            Some(number) if number > highest => {
                if highest > 0 {
                    notices.push(format!(
                        "a CRL has number {number}, above crlnumber; numbers go on from there"
                    ));
                }
                highest = number;
            }
            Some(_) => {}
            None if crl.tbs().extensions().iter().any(|one| one.oid == CRL_NUMBER) => {
                return Err(too_large(&format!("the CRL of {made} has a number")));
            }
            None => notices.push(format!("the CRL of {made} has no number")),
        }
    }
    notices.dedup();
    Ok(Numbers { highest, last, notices })
}

fn is_small(number: CrlNumber) -> bool {
    i64::try_from(number).is_ok()
}

/// Returns the problem of a number above the supported range; RFC 5280 §5.2.3 allows numbers of 20 octets.
fn too_large(what: &str) -> Problem {
    let message = format!(
        "{what}, which is no damage, but numbers here have at most 63 bits, and the next CRL needs a higher one"
    );
    Problem::new(Code::ImportCrlNumber, message).hint(
        "this CA cannot be taken over with its CRL numbers: have its CRLs made by the program it comes from until its \
         last certificate has ended, and issue anew under another CA. If no CRL was ever handed out under such a \
         number, move that CRL away in a copy of the directory, and put the number after the highest that was handed \
         out into its crlnumber",
    )
}
