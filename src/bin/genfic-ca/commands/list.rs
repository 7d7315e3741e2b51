//! `list`.
use super::values::{record as record_fields, until, usage};
use crate::cli::{List, StatusFilter};
use crate::report::{Lines, Listing, Report, Style, counted, unwritable};
use crate::session::Session;
use genfic_ca::config::parse_duration;
use genfic_ca::error::{Code, Problem};
use genfic_ca::index::{CertificateRecord, Filter, StatusValue};
use genfic_ca::profile::Kind;
use serde_json::json;
use std::io::ErrorKind;

const HEADINGS: [&str; 6] = ["CERT", "STATUS", "UNTIL", "PROFILE", "SUBJECT", "NAMES"];
/// Columns of comma-separated values, named like the JSON fields.
const COLUMNS: [&str; 15] = [
    "issuer",
    "serial",
    "status",
    "subject",
    "san",
    "not_before",
    "not_after",
    "profile",
    "contact",
    "revoked_at",
    "reason",
    "invalidity_date",
    "fingerprint",
    "file",
    "issuer_revoked",
];

/// Lists certificates.
pub(crate) fn list(session: &Session, args: &List) -> Result<Report, Problem> {
    let engine = session.engine();
    let now = engine.now();
    let meant = args.parent.as_deref().map(|name| session.meant(name)).transpose()?.unwrap_or_default();
    let ending = args
        .expiring
        .as_deref()
        .map(|text| {
            let seconds = parse_duration(text).map_err(|error| usage(error, "for example --expiring 30d"))?;
            Ok::<_, Problem>((now, now.plus(seconds)))
        })
        .transpose()?;
    let status =
        args.status.or(args.below_revoked.then_some(StatusFilter::Valid)).map(|status| match status {
            StatusFilter::Valid => StatusValue::Valid,
            StatusFilter::Expired => StatusValue::Expired,
            StatusFilter::Revoked => StatusValue::Revoked,
            StatusFilter::Held => StatusValue::Held,
        });
    let filter = Filter {
        authority: None,
        status: status.map(|status| (status, now)),
        ending,
        subject: args.subject.clone(),
        profile: args.profile.clone(),
    };
    let settings = session.assembly.settings();
    let renews_itself =
        |profile: &str| settings.profiles.get(profile).is_some_and(|one| one.kind() == Kind::OcspResponder);
    let without_responders = args.expiring.is_some() && args.profile.is_none();
    let style = Style { json: session.global.json, quiet: session.global.quiet };
    let lines = match (args.csv, args.jsonl) {
        (true, _) => Some(Lines::Csv(&COLUMNS)),
        (_, true) => Some(Lines::Json),
        _ => None,
    };
    let mut listing = Listing::new("list", "certificates", &HEADINGS, style).in_lines(lines);
    let mut written = Ok(());
    let chain_statuses = engine.revocation().chain_statuses()?;
    let mut unread = None;
    let mut visit = |record: CertificateRecord| {
        if without_responders && renews_itself(&record.profile) {
            return true;
        }
        if args.below_revoked {
            match engine.revocation().needs_reissue(&record, &chain_statuses) {
                Ok(true) => {}
                Ok(false) => return true,
                Err(problem) => {
                    unread = Some(problem);
                    return false;
                }
            }
        }
        let file = || session.issued_file(&record);
        let fell = chain_statuses.chain_is_revoked(&record.authority);
        let value = || {
            let mut value = record_fields(&record, file().as_deref(), now);
            if let Some(fields) = value.as_object_mut() {
                fields.insert("issuer_revoked".into(), json!(fell));
            }
            value
        };
        let row = || {
            let names: Vec<String> = record.subject_alt_names.iter().map(ToString::to_string).collect();
            vec![
                format!("{}/{}", record.authority, record.id.serial_number),
                match record.status(now) {
                    StatusValue::Valid if fell => "issuer-revoked".into(),
                    status => status.to_string(),
                },
                until(&record),
                record.profile.clone(),
                record.subject.to_string(),
                names.join(", "),
            ]
        };
        written = listing.push(value, row);
        written.is_ok()
    };
    for filter in filter.of_each(&meant) {
        engine.record().list(&filter, &mut visit)?;
    }
    if let Some(problem) = unread {
        return Err(problem);
    }
    let count = listing.count();
    let report = written.and_then(|()| listing.finish("no certificate matches"));
    let report = match report {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Report::default(),
        other => other.map_err(|error| unwritable(&error))?,
    };
    let exit = args.expiring.as_deref().filter(|_| count > 0).map(|within| {
        Problem::new(
            Code::CertificateExpiring,
            format!("{} ending within {within}", counted(count, "certificate")),
        )
    });
    Ok(report.ending(exit))
}
