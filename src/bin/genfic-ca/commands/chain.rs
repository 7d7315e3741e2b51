//! Certificate chains for output.
use genfic_ca::ca::{Engine, Published};
use genfic_ca::error::Problem;
use genfic_ca::x509::Certificate;

/// Returns the certificates of a CA and its issuers, the CA's own first; with the root when requested.
pub(crate) fn issuers(
    engine: &Engine,
    authority: &str,
    with_root: bool,
) -> Result<Vec<Published<Certificate>>, Problem> {
    let path = engine.hierarchy().path(authority)?;
    let wanted = path.complete()?.iter().filter(|one| with_root || one.parent.is_some());
    let published = wanted.map(|one| engine.publication().check_authority_published(&one.name));
    published.map(|one| Ok(one?.certificate())).collect()
}

/// Returns the certificates as PEM, one after the other.
pub(crate) fn pem<'c>(certificates: impl IntoIterator<Item = &'c Published<Certificate>>) -> String {
    certificates.into_iter().map(Published::to_pem).collect()
}
