//! Which certificates are due: they end soon, and nothing newer has taken their place.
use crate::cli::Renew;
use crate::progress;
use crate::session::Session;
use genfic_ca::error::Problem;
use genfic_ca::index::Filter;
use genfic_ca::profile::Kind;
use genfic_ca::x509::{CertificateId, UnixTime};

/// What is due, and what is not. Of the certificates only the numbers are kept: there may be many.
#[derive(Default)]
pub(super) struct Due {
    pub(super) ids: Vec<CertificateId>,
    /// The newest certificates of those that were renewed already; only after a command that was cut short.
    pub(super) renewed: Vec<CertificateId>,
    /// Number of certificates that end soon and were renewed already.
    pub(super) replaced: usize,
    /// Number of certificates that were named and do not end soon.
    pub(super) early: usize,
}

/// Returns the subscribers' certificates that end by then. CAs and responders are renewed by other commands.
pub(super) fn all(
    session: &Session,
    args: &Renew,
    until: UnixTime,
    was_cut_short: bool,
) -> Result<Due, Problem> {
    let engine = session.engine();
    let now = engine.now();
    let meant = args.parent.as_deref().map(|name| session.meant(name)).transpose()?.unwrap_or_default();
    let filter = Filter { ending: Some((now, until)), profile: args.profile.clone(), ..Filter::default() };
    progress::count("looked at", None);
    let mut ending: Vec<CertificateId> = Vec::new();
    for filter in filter.of_each(&meant) {
        engine.record().list(&filter, &mut |record| {
            progress::step();
            if engine.revocation().kind(&record) == Kind::EndEntity && record.certificate.is_some() {
                ending.push(record.id);
            }
            true
        })?;
    }
    if let (Some(profile), true) = (&args.profile, ending.is_empty()) {
        session.assembly.settings().profile(profile)?;
    }
    let chain_statuses = engine.revocation().chain_statuses()?;
    let mut due = Due::default();
    for id in ending {
        let Some(record) = engine.record().certificate(&id)? else { continue };
        match engine.revocation().replacement(&record, &chain_statuses)? {
            None => due.ids.push(id),
            Some(newer) => {
                due.replaced = due.replaced.saturating_add(1);
                if was_cut_short {
                    due.renewed.push(newer.id);
                }
            }
        }
    }
    Ok(due)
}
