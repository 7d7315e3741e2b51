//! The transcript of a ceremony, for the auditor: who, when, what, with digests.
use super::{Answer, Request, link_text, sha256};
use crate::x509::Fingerprint;
use std::fmt::Write as _;

/// Returns the text. `links` has for each item that is a key rollover certificate the fingerprint of the other generation's
/// certificate.
#[must_use]
pub(crate) fn transcript(
    request: &Request,
    links: &[Option<Fingerprint>],
    answer: &Answer,
    answer_text: &str,
) -> String {
    let mut text = format!(
        "TRANSCRIPT OF A CEREMONY\n\nCA        {}\nkey       sha256:{}\ndate      {} (as the people there gave it)\n",
        answer.authority, answer.key, answer.at
    );
    match answer.people.as_slice() {
        [] => text.push_str("people    nobody was named\n"),
        people => {
            let _ = writeln!(text, "people    {}", people.join(", "));
        }
    }
    let _ = write!(
        text,
        "request   sha256:{}, of {}\nanswer    sha256:{}\n",
        answer.request,
        request.made,
        sha256(answer_text.as_bytes())
    );
    for (number, (item, signed)) in request.items.iter().zip(&answer.items).enumerate() {
        let _ = write!(text, "\n{}. {}\n", number.saturating_add(1), item.tbs.summary().join("\n   "));
        if let Some(other) = links.get(number).copied().flatten() {
            let _ = writeln!(text, "   {}", link_text(&other).join("\n   "));
        }
        let _ = write!(
            text,
            "   why: {}\n   to be signed sha256:{}\n   signed       sha256:{}\n",
            item.why,
            sha256(item.tbs.as_der()),
            sha256(signed.as_der())
        );
    }
    let before = request.history.0.len();
    let _ = write!(
        text,
        "\nhistory   {before} entries before, head {}\n          {} entries after, head {}\n\nsignatures of those present:\n\n",
        request.history.head(),
        answer.history.0.len(),
        answer.history.head()
    );
    text
}
