//! `list`.
mod holders;

use super::values::{record as record_fields, until, usage};
use crate::cli::{HolderType, List, StatusFilter};
use crate::report::{Column, Lines, Listing, Report, Style, counted, unwritable};
use crate::session::Session;
use genfic_ca::config::parse_period;
use genfic_ca::error::{Code, Notice, Problem};
use genfic_ca::home::quoted;
use genfic_ca::index::{CertificateRecord, Filter, StatusValue};
use genfic_ca::x509::UnixTime;
use holders::LeftOut;
use serde_json::json;
use std::io::ErrorKind;
use std::path::Path;

const CERT: Column = Column::serial("CERT");
const STATUS: Column = Column::state("STATUS");
const UNTIL: Column = Column::times("UNTIL");
const PROFILE: Column = Column::text("PROFILE").leaves(2);
const SUBJECT: Column = Column::subject("SUBJECT");
const NAMES: Column = Column::text("NAMES").leaves(1);
const FINGERPRINT: Column = Column::text("FINGERPRINT");
const TABLE: [Column; 7] = [CERT, STATUS, UNTIL, PROFILE, SUBJECT, NAMES, FINGERPRINT];
/// Columns of a list by end.
const BY_END: [Column; 8] = [CERT, STATUS, UNTIL, Column::text("DAYS"), PROFILE, SUBJECT, NAMES, FINGERPRINT];
/// Columns of comma-separated values, named like the JSON fields.
const COLUMNS: [&str; 17] = [
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
    "type",
    "days_left",
];
/// Number of names that are shown when a subject without `*` matches none.
const EXAMPLES: usize = 3;

/// Lists certificates.
pub(crate) fn list(session: &Session, args: &List) -> Result<Report, Problem> {
    let engine = session.engine();
    let now = engine.now();
    let meant = args.parent.as_deref().map(|name| session.meant(name)).transpose()?.unwrap_or_default();
    let ending = args.expiring.as_deref().map(|text| within(text, now)).transpose()?;
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
    // what ends comes in one order, whatever the number of generations that issued it
    let (filters, among) = match (ending, meant.as_slice()) {
        (Some(_), [_, _, ..]) => (vec![filter], meant.as_slice()),
        _ => (filter.of_each(&meant), &[][..]),
    };
    let style = Style { json: session.global.json, quiet: session.global.quiet };
    let lines = match (args.csv, args.jsonl) {
        (true, _) => Some(Lines::Csv(&COLUMNS)),
        (_, true) => Some(Lines::Json),
        _ => None,
    };
    let wide = session.global.wide;
    let headings: &'static [Column] = match (ending, wide) {
        (Some(_), true) => &BY_END,
        (Some(_), false) => BY_END.split_last().map_or(&[], |(_, rest)| rest),
        (None, true) => &TABLE,
        (None, false) => TABLE.split_last().map_or(&[], |(_, rest)| rest),
    };
    let mut listing = Listing::new("list", "certificates", headings, style).in_lines(lines);
    let mut written = Ok(());
    let chain_statuses = engine.revocation().chain_statuses()?;
    let mut left_out = LeftOut::of(args);
    let mut unread = None;
    let mut visit = |record: CertificateRecord| {
        if !among.is_empty() && !among.contains(&record.authority) {
            return true;
        }
        let kind = HolderType::of(engine.revocation().kind(&record));
        let is_left_out = left_out
            .counts(kind, || Ok(engine.revocation().replacement(&record, &chain_statuses)?.is_some()));
        let is_meant = match is_left_out {
            Ok(false) if args.below_revoked => engine.revocation().needs_reissue(&record, &chain_statuses),
            other => other.map(|is_left_out| !is_left_out),
        };
        match is_meant {
            Ok(true) => {}
            Ok(false) => return true,
            Err(problem) => {
                unread = Some(problem);
                return false;
            }
        }
        let file = || session.issued_file(&record);
        let fell = chain_statuses.chain_is_revoked(&record.authority);
        let days = days_left(&record, now);
        let value = || {
            let mut value = record_fields(&record, file().as_deref(), now);
            if let Some(fields) = value.as_object_mut() {
                fields.insert("issuer_revoked".into(), json!(fell));
                fields.insert("type".into(), json!(kind.word()));
                fields.insert("days_left".into(), json!(days));
            }
            value
        };
        let row = || {
            let names: Vec<String> = record.subject_alt_names.iter().map(ToString::to_string).collect();
            let fingerprint = record.certificate.as_ref().map(|one| one.fingerprint().to_string());
            let cells = [
                Some(format!("{}/{}", record.authority, record.id.serial_number)),
                Some(match record.status(now) {
                    StatusValue::Valid if fell => "issuer-revoked".into(),
                    status => status.to_string(),
                }),
                Some(until(&record)),
                ending.map(|_| days.map(|days| days.to_string()).unwrap_or_default()),
                Some(record.profile.clone()),
                Some(record.subject.to_string()),
                Some(names.join(", ")),
                wide.then(|| fingerprint.unwrap_or_default()),
            ];
            cells.into_iter().flatten().collect()
        };
        written = listing.push(value, row);
        written.is_ok()
    };
    for filter in filters {
        engine.record().list(&filter, &mut visit)?;
    }
    if let Some(problem) = unread {
        return Err(problem);
    }
    let count = listing.count();
    if ending.is_some() {
        listing.also("left_out", left_out.value());
    }
    let report = written.and_then(|()| listing.finish("no certificate matches"));
    let report = match report {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Report::default(),
        other => other.map_err(|error| unwritable(&error))?,
    };
    let text = if lines.is_none() { left_out.text() } else { String::new() };
    let exit = args.expiring.as_deref().filter(|_| count > 0).map(|within| {
        Problem::new(
            Code::CertificateExpiring,
            format!("{} ending within {within}", counted(count, "certificate")),
        )
    });
    let whole = args.subject.as_deref().filter(|_| count == 0).map(|text| whole_names(session, text));
    let unknown =
        args.profile.as_deref().filter(|_| count == 0).and_then(|name| unknown_profile(session, name));
    Ok(Report { text, ..report }.warn(whole.transpose()?.flatten()).warn(unknown).ending(exit))
}

/// Returns what to say of a profile that is not configured. Certificates on record may have it all the same.
fn unknown_profile(session: &Session, name: &str) -> Option<Notice> {
    let problem = session.assembly.settings().profile(name).err()?;
    (problem.code == Code::PolicyNoSuchProfile)
        .then_some(Notice { message: problem.message, remedy: problem.hint })
}

/// Returns the times between which certificates end that end within this time.
fn within(text: &str, now: UnixTime) -> Result<(UnixTime, UnixTime), Problem> {
    let seconds = parse_period(text).map_err(|error| usage(error, "for example --expiring 30d"))?;
    Ok((now, now.plus(seconds)))
}

/// Returns the number of whole days until a valid certificate ends, when its end is known.
fn days_left(record: &CertificateRecord, now: UnixTime) -> Option<i64> {
    let end = record.validity.not_after;
    let ends = record.status(now) == StatusValue::Valid && end != UnixTime::NO_END;
    ends.then(|| end.0.saturating_sub(now.0).div_euclid(86_400))
}

/// Returns what to say when a text that matches whole names only has matched none. Only names that begin so are looked
/// up: to find those that contain it, every name would have to be read.
fn whole_names(session: &Session, text: &str) -> Result<Option<String>, Problem> {
    if text.is_empty() || text.contains(['*', '?']) {
        return Ok(None);
    }
    let anywhere = quoted(Path::new(&format!("*{text}*")));
    let said = format!("`{text}` is compared with whole names: --subject {anywhere} finds what contains it");
    let names = session.engine().record().names(text, EXAMPLES)?;
    Ok(Some(match names.is_empty() {
        true => said,
        false => format!("{said}, as {}", names.join(", ")),
    }))
}
