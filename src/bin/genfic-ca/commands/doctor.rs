//! `doctor`: inspects a home. It runs where other commands refuse, so it opens no session.
use crate::cli::{Cli, Doctor, Global};
use crate::hints;
use crate::report::{Colour, Report, counted, painted};
use crate::session::home_of;
use clap::CommandFactory;
use genfic_ca::assembly::{self, Inspection};
use genfic_ca::doctor::{Check, Consequence, Finding, Mended, Seen, Severity};
use genfic_ca::error::{Code, Problem};
use genfic_ca::home::quoted;
use genfic_ca::signing::{NewPassphrases, SecretSpec};
use serde_json::{Value, json};

/// Number of times that `--fix` repairs and inspects again; a repair may reveal further findings.
const ROUNDS: usize = 3;

/// A finding, and what `--fix` did about it.
#[derive(Clone)]
struct Told {
    check: &'static str,
    finding: Finding,
    fixed: bool,
    /// Why it was not fixed.
    why_not: Option<String>,
}

/// Inspects everything. With `--fix` it repairs what is safe and inspects again.
pub(crate) fn doctor(global: &Global, args: &Doctor) -> Result<Report, Problem> {
    let given = global.passphrase_from.as_deref().map(str::parse::<SecretSpec>).transpose()?;
    let home = home_of(global);
    let mut inspection = Inspection::open(&home, global.config.as_deref())?;
    // nobody is asked: a repair that needs a passphrase without a source is reported with its command
    let passphrases = |inspection: &Inspection| {
        let new = NewPassphrases::default();
        assembly::passphrase_orders(inspection.settings(), given.clone(), new, false)
    };
    let diagnose = |inspection: &Inspection| {
        let mut checks = inspection.diagnose(args.deep, &passphrases(inspection));
        if args.online {
            checks.push(inspection.check_online(args.deep));
        }
        checks
    };
    let mut checks = diagnose(&inspection);
    let mut told: Vec<Told> = all(&checks, &[]);
    let mut mended: Vec<Mended> = Vec::new();
    let mut warnings = Vec::new();
    if args.fix && !told.is_empty() {
        let mut now = all(&checks, &[]);
        // a repair may reveal what could not be inspected before
        for _ in 0..ROUNDS {
            let left = now.iter().filter(|one| one.why_not.is_none());
            let findings: Vec<&Finding> = left.map(|one| &one.finding).collect();
            let at_hand = passphrases(&inspection);
            let (again, done, unrecorded) = inspection.mend(&findings, &at_hand)?;
            warnings.extend(unrecorded.map(|problem| format!("what was mended is not on record: {problem}")));
            inspection = again;
            checks = diagnose(&inspection);
            take(&mut mended, done);
            now = all(&checks, &mended);
            for one in &now {
                if !told.iter().any(|known| is_same(known, one)) {
                    told.push(one.clone());
                }
            }
            let is_open = |one: &Told| one.finding.mending.is_some() && one.why_not.is_none();
            if !now.iter().any(is_open) {
                break;
            }
        }
        let remain = |one: &Told| now.iter().any(|left| is_same(left, one));
        let gone = told.into_iter().filter(|one| !remain(one)).map(|one| Told { fixed: true, ..one });
        told = gone.collect::<Vec<_>>().into_iter().chain(now).collect();
    }
    if let Some(home) = named_home(global) {
        for one in &mut told {
            one.finding.remedy = naming(&hints::text(&one.finding.remedy), &home).into();
        }
    }
    let changed = mended.iter().any(|one| one.outcome.is_ok());
    let serious: Vec<&Told> =
        told.iter().filter(|one| !one.fixed && one.finding.severity > Severity::Note).collect();
    let exit = (!serious.is_empty())
        .then(|| Problem::new(Code::DoctorFindings, summary(&told)).hint("each finding names its remedy"));
    if global.quiet && !global.json {
        warnings.extend(serious.iter().map(|one| format!("{}; {}", message(&one.finding), remedy(one))));
    }
    let result = json!({
        "findings": told.iter().map(fields).collect::<Vec<Value>>(),
        "checks": checks.iter().map(check_fields).collect::<Vec<Value>>(),
    });
    let text = format!("{}\n\n{}", text(&checks, &told), summary(&told));
    Ok(Report { changed, ..Report::seen(result, text) }.warn(warnings).ending(exit))
}

fn is_same(one: &Told, other: &Told) -> bool {
    one.finding.code == other.finding.code && one.finding.object == other.finding.object
}

/// Merges repairs into those made before; the last attempt at the same finding counts.
fn take(mended: &mut Vec<Mended>, done: Vec<Mended>) {
    mended.retain(|old| !done.iter().any(|new| new.code == old.code && new.object == old.object));
    mended.extend(done);
}

/// Returns the home as other commands have to name it; `None` when `--home` was not given to this command.
fn named_home(global: &Global) -> Option<String> {
    let home = global.home.as_ref()?;
    let everywhere = std::env::var_os("GENFIC_CA_HOME").is_some_and(|named| named == home.as_os_str());
    (!everywhere).then(|| quoted(&std::path::absolute(home).unwrap_or_else(|_| home.clone())))
}

/// Adds `--home` to each command of this program in a remedy, and not in quoted text or prose.
fn naming(remedy: &str, home: &str) -> String {
    let program = Cli::command();
    let is_command = |word: &str| {
        let name = word.trim_end_matches(|c: char| !c.is_ascii_alphanumeric());
        word.starts_with("--") || program.find_subcommand(name).is_some()
    };
    let mut quoted = false;
    let mut out = String::with_capacity(remedy.len());
    let mut words = remedy.split_inclusive(' ').peekable();
    while let Some(word) = words.next() {
        out.push_str(word);
        if !quoted
            && word.trim_start_matches(['`', '(']) == "genfic-ca "
            && words.peek().is_some_and(|next| is_command(next.trim_end()))
        {
            out.push_str(&format!("--home {home} "));
        }
        // quotation marks as in a quoted path; an apostrophe within a word begins no quotation
        if quoted || word.starts_with('\'') {
            let marks = word.matches('\'').count().saturating_sub(word.matches(r"\'").count());
            quoted ^= marks % 2 == 1;
        }
    }
    out
}

fn all(checks: &[Check], mended: &[Mended]) -> Vec<Told> {
    let of_check = |check: &Check| {
        let tell = |finding: &Finding| {
            let tried = mended.iter().find(|one| one.code == finding.code && one.object == finding.object);
            Told {
                check: check.name,
                finding: finding.clone(),
                fixed: false,
                why_not: tried.and_then(|one| one.outcome.as_ref().err()).map(ToString::to_string),
            }
        };
        check.findings.iter().map(tell).collect::<Vec<_>>()
    };
    checks.iter().flat_map(of_check).collect()
}

fn fields(told: &Told) -> Value {
    let finding = &told.finding;
    let mut fields = json!({
        "code": finding.code.code(),
        "severity": finding.severity.to_string(),
        "object": finding.object,
        "message": message(finding),
        "remedy": hints::text(&finding.remedy),
        "fixable": finding.mending.is_some(),
        "fixed": told.fixed,
        "check": told.check,
    });
    if let (Some(reason), Some(object)) = (&told.why_not, fields.as_object_mut()) {
        object.insert("not_fixed".into(), json!(reason));
    }
    fields
}

fn message(finding: &Finding) -> String {
    match finding.consequence {
        Some(Consequence::ProfileIsNamed) => format!("{}: sign needs --profile", finding.message),
        None => finding.message.clone(),
    }
}

fn check_fields(check: &Check) -> Value {
    json!({
        "name": check.name,
        "looked_at": check.looked.as_ref().ok().map(seen),
        "skipped": check.looked.as_ref().err().map(ToString::to_string),
        "findings": check.findings.len(),
    })
}

fn seen(seen: &Seen) -> String {
    match seen.newest_of {
        Some(count) => format!("{} (the newest; --deep compares all {count})", seen.what),
        None => seen.what.clone(),
    }
}

fn remedy(told: &Told) -> String {
    let remedy = hints::text(&told.finding.remedy);
    match &told.why_not {
        Some(reason) => format!("{remedy} (not mended: {reason})"),
        None => remedy.into_owned(),
    }
}

fn text(checks: &[Check], told: &[Told]) -> String {
    let width = checks.iter().map(|check| check.name.len()).max().unwrap_or(0);
    let mut lines = Vec::new();
    for check in checks {
        let looked = match &check.looked {
            Ok(looked) => seen(looked),
            Err(reason) => format!("not looked at: {reason}"),
        };
        lines.push(format!("{:<width$}  {looked}", check.name));
        for one in told.iter().filter(|one| one.check == check.name) {
            let word = if one.fixed { "mended".to_owned() } else { one.finding.severity.to_string() };
            let colour = match one.finding.severity {
                _ if one.fixed => Some(Colour::Green),
                Severity::Error => Some(Colour::Red),
                Severity::Warning => Some(Colour::Yellow),
                Severity::Note => None,
            };
            let padded = format!("{word:<7}");
            let word = colour.map_or_else(|| padded.clone(), |colour| painted(colour, &padded));
            lines.push(format!("  {word}  {}  ({})", message(&one.finding), one.finding.code));
            if !one.fixed {
                lines.push(format!("  {:<7}  {}", "", remedy(one)));
            }
        }
    }
    lines.join("\n")
}

/// Returns the last line of the report.
fn summary(told: &[Told]) -> String {
    let open = || told.iter().filter(|one| !one.fixed);
    let count = |severity| open().filter(|one| one.finding.severity == severity).count();
    let fixed = told.len() - open().count();
    let mut parts = Vec::new();
    if fixed > 0 {
        parts.push(format!("{fixed} mended"));
    }
    for (severity, noun) in
        [(Severity::Error, "error"), (Severity::Warning, "warning"), (Severity::Note, "note")]
    {
        let number = count(severity);
        if number > 0 {
            parts.push(counted(number, noun));
        }
    }
    if open().count() == 0 {
        parts.push(painted(Colour::Green, "nothing is wrong"));
    }
    let mendable = open().filter(|one| one.finding.mending.is_some() && one.why_not.is_none()).count();
    let mut line = parts.join(", ");
    if mendable > 0 {
        line.push_str(&format!("; `genfic-ca doctor --fix` can mend {mendable}"));
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_home_is_named_in_commands_and_nowhere_else() {
        for (remedy, named) in [
            ("genfic-ca crl publish a", "genfic-ca --home H crl publish a"),
            (
                "mv 'x genfic-ca doctor y' b && genfic-ca doctor",
                "mv 'x genfic-ca doctor y' b && genfic-ca --home H doctor",
            ),
            (
                r"mv 'it'\''s genfic-ca doctor' b; genfic-ca status",
                r"mv 'it'\''s genfic-ca doctor' b; genfic-ca --home H status",
            ),
            ("use the version of genfic-ca that wrote it", "use the version of genfic-ca that wrote it"),
            ("the CA's; `genfic-ca init` would", "the CA's; `genfic-ca --home H init` would"),
            ("sudo -u ca genfic-ca --yes doctor, then", "sudo -u ca genfic-ca --home H --yes doctor, then"),
        ] {
            assert_eq!(naming(remedy, "H"), named);
        }
    }
}
