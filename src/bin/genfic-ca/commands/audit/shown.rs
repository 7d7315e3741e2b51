//! `audit show`: a row for each command, or for each record.
use super::wanted::Wanted;
use crate::cli::AuditShow;
use crate::report::{Column, Listing, Report, Style, table, unwritable};
use crate::session::Session;
use genfic_ca::audit::{Act, Acts, AuditRecord, Outcome};
use genfic_ca::error::Problem;
use genfic_ca::x509::UnixTime;
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::io;

const COLUMNS: [Column; 7] = [
    Column::whole("SEQ").leaves(2),
    Column::moments("TIME"),
    Column::text("WHO"),
    Column::whole("ACTION"),
    Column::object("OBJECT"),
    Column::state("OUTCOME"),
    Column::text("DETAILS").leaves(1),
];

/// Records that are read back for each act that is asked for from the end, at first.
const STEPS: u64 = 50;

/// Lists the audit records: for people the commands, for programs each record.
pub(crate) fn show(session: &Session, args: &AuditShow) -> Result<Report, Problem> {
    let wanted = Wanted::by(session, args)?;
    let style = Style { json: session.global.json, quiet: session.global.quiet };
    let mut listing = Listing::new("audit show", "records", &COLUMNS, style);
    let written = if style.json {
        records(session, args, &wanted, &mut listing)?
    } else if session.global.verbose {
        steps(session, args, &wanted, &mut listing)?
    } else {
        acts(session, args, &wanted, &mut listing)?
    };
    match written.and_then(|()| listing.finish("nothing")) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(Report::default()),
        other => other.map_err(|error| unwritable(&error)),
    }
}

/// Passes records on with the act of each, as far as it is known.
fn each(
    session: &Session,
    from: u64,
    wanted: &Wanted,
    acts: &mut Acts,
    visit: &mut dyn FnMut(&AuditRecord, &Act) -> bool,
) -> Result<(), Problem> {
    session.engine().record().audit_within(from, wanted.times.clone(), &mut |record| {
        let act = acts.push(&record).clone();
        visit(&record, &act)
    })?;
    Ok(())
}

fn head(session: &Session) -> Result<u64, Problem> {
    Ok(session.engine().record().audit_head()?.sequence)
}

/// Lists each record, with the sequence number of the first of its command.
fn records(
    session: &Session,
    args: &AuditShow,
    wanted: &Wanted,
    listing: &mut Listing,
) -> Result<io::Result<()>, Problem> {
    let has_conditions = args.who.is_some() || args.object.is_some() || args.action.is_some();
    let from = match args.last {
        // without conditions the last records are those of the highest numbers
        Some(last) if !has_conditions && args.until.is_none() => {
            head(session)?.saturating_sub(last).saturating_add(1)
        }
        Some(_) => 1,
        None => args.from,
    };
    let mut kept: VecDeque<Value> = VecDeque::new();
    let mut written = Ok(());
    let mut acts = Acts::default();
    each(session, from, wanted, &mut acts, &mut |record, act| {
        if !wanted.includes(record, act.command.as_deref()) {
            return true;
        }
        let mut value = record.to_json();
        if let Some(fields) = value.as_object_mut() {
            fields.insert("act".into(), json!(act.first));
            fields.insert("command".into(), json!(act.command));
        }
        match args.last.and_then(|last| usize::try_from(last).ok()) {
            Some(last) => {
                kept.push_back(value);
                if kept.len() > last {
                    kept.pop_front();
                }
            }
            None => written = listing.push(|| value, Vec::new),
        }
        written.is_ok()
    })?;
    for value in kept {
        written = written.and_then(|()| listing.push(|| value, Vec::new));
    }
    Ok(written)
}

/// Lists a row for each command.
fn acts(
    session: &Session,
    args: &AuditShow,
    wanted: &Wanted,
    listing: &mut Listing,
) -> Result<io::Result<()>, Problem> {
    let Some(last) = args.last else {
        let mut written = Ok(());
        from(session, args.from, wanted, &mut |act| {
            written = listing.push(|| json!(null), || row(&act));
            written.is_ok()
        })?;
        return Ok(written);
    };
    let last = usize::try_from(last).unwrap_or(usize::MAX);
    let head = head(session)?;
    let mut back = STEPS.saturating_mul(args.last.unwrap_or(1).max(1));
    let mut kept: VecDeque<Act> = VecDeque::new();
    loop {
        let first = head.saturating_sub(back).saturating_add(1);
        kept.clear();
        from(session, first, wanted, &mut |act| {
            kept.push_back(act);
            if kept.len() > last {
                kept.pop_front();
            }
            true
        })?;
        // the first act that is found may have begun before
        if first <= 1 || kept.len() == last && kept.front().is_some_and(|act| act.first > first) {
            break;
        }
        back = back.saturating_mul(8);
    }
    Ok(kept.iter().try_for_each(|act| listing.push(|| json!(null), || row(act))))
}

/// Passes on the acts with a record that is asked for, from this sequence number on.
fn from(
    session: &Session,
    from: u64,
    wanted: &Wanted,
    visit: &mut dyn FnMut(Act) -> bool,
) -> Result<(), Problem> {
    let mut acts = Acts::default();
    // first records of acts that are asked for and not complete
    let mut asked_for: Vec<u64> = Vec::new();
    let mut goes_on = true;
    let mut pass = |act: Act, asked_for: &mut Vec<u64>| {
        let found = asked_for.iter().position(|first| *first == act.first);
        match found {
            Some(place) => {
                asked_for.swap_remove(place);
                visit(act)
            }
            None => true,
        }
    };
    session.engine().record().audit_within(from, wanted.times.clone(), &mut |record| {
        let act = acts.push(&record);
        let (first, is_wanted) = (act.first, wanted.includes(&record, act.command.as_deref()));
        if is_wanted && !asked_for.contains(&first) {
            asked_for.push(first);
        }
        while let Some(act) = acts.next_complete() {
            goes_on &= pass(act, &mut asked_for);
        }
        goes_on
    })?;
    for act in acts.rest() {
        goes_on = goes_on && pass(act, &mut asked_for);
    }
    Ok(())
}

/// Lists the records, below a row for the command of each.
fn steps(
    session: &Session,
    args: &AuditShow,
    wanted: &Wanted,
    listing: &mut Listing,
) -> Result<io::Result<()>, Problem> {
    let first = match args.last {
        None => args.from,
        Some(_) => {
            let mut first = u64::MAX;
            let mut kept: VecDeque<u64> = VecDeque::new();
            from(session, 1, wanted, &mut |act| {
                kept.push_back(act.first);
                if kept.len() > usize::try_from(args.last.unwrap_or(1)).unwrap_or(usize::MAX) {
                    kept.pop_front();
                }
                true
            })?;
            first = kept.front().copied().unwrap_or(first);
            first
        }
    };
    let mut shown = None;
    let mut written = Ok(());
    let mut acts = Acts::default();
    each(session, first.min(head(session)?.saturating_add(1)), wanted, &mut acts, &mut |record, act| {
        if !wanted.includes(record, act.command.as_deref()) {
            return true;
        }
        if shown != Some(act.first) {
            shown = Some(act.first);
            let dash = String::new;
            let who = act.actor.to_string();
            let name = act.name().to_owned();
            let heading = vec![dash(), act.at.to_string(), who, name, act.object.clone(), dash(), dash()];
            written = listing.push(|| json!(null), || heading);
        }
        let mut step = step(record);
        if let Some(action) = step.get_mut(3) {
            action.insert_str(0, "  ");
        }
        if let Some(who) = step.get_mut(2) {
            who.clear();
        }
        if written.is_ok() {
            written = listing.push(|| json!(null), || step);
        }
        written.is_ok()
    })?;
    Ok(written)
}

fn row(act: &Act) -> Vec<String> {
    let sequence =
        if act.first == act.last { act.first.to_string() } else { format!("{}-{}", act.first, act.last) };
    let object = match act.others {
        0 => act.object.clone(),
        others => format!("{} +{others}", act.object),
    };
    vec![
        sequence,
        act.at.to_string(),
        act.actor.to_string(),
        act.name().to_owned(),
        object,
        match &act.refused {
            None => "done".into(),
            Some(code) if act.has_done => format!("refused in part {code}"),
            Some(code) => format!("refused {code}"),
        },
        act.details.clone(),
    ]
}

fn step(record: &AuditRecord) -> Vec<String> {
    let event = &record.event;
    vec![
        record.sequence.to_string(),
        event.at.to_string(),
        event.actor.to_string(),
        event.action.clone(),
        event.object.clone(),
        match &event.outcome {
            Outcome::Done => "done".to_owned(),
            Outcome::Refused(code) => format!("refused {code}"),
        },
        event.details_text(),
    ]
}

/// Returns the audit records from this sequence number on, as a table.
pub(crate) fn text(session: &Session, from: u64) -> Result<String, Problem> {
    let mut rows = Vec::new();
    let all = UnixTime(0)..=UnixTime::NO_END;
    session.engine().record().audit_within(from, all, &mut |record| {
        rows.push(step(&record));
        true
    })?;
    if rows.is_empty() {
        return Ok("nothing".into());
    }
    Ok(table(&COLUMNS, &rows))
}
