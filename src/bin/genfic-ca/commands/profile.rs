//! `profile list`, `profile show`, `profile check`.
use super::authority::status;
use super::values::{read_up_to, usage};
use crate::cli::{Global, ProfileCheck, ProfileShow};
use crate::report::{Column, Report, columns, counted, path_value, table};
use crate::session::{Session, home_of};
use genfic_ca::assembly;
use genfic_ca::error::{Code, Exit, Problem, Shown as _};
use genfic_ca::index::Authority;
use genfic_ca::profile::{Kind, Profile, ProfileError};
use serde_json::{Map, Value, json};
use std::path::PathBuf;

/// Bound of a profile's file in octets, as where the home's are read.
const LARGEST: u64 = 1 << 20;

const COLUMNS: [Column; 5] = [
    Column::whole("PROFILE"),
    Column::whole("KIND"),
    Column::whole("DAYS").leaves(1),
    Column::text("CAS"),
    Column::text("DESCRIPTION"),
];

/// A profile and the CAs of the home that may use it.
struct Usable<'p> {
    profile: &'p Profile,
    authorities: Vec<&'p str>,
    /// The CAs whose certificates it makes unless another is named.
    default_of: Vec<&'p str>,
    file: PathBuf,
}

/// Returns the CAs that issue: valid, not retired, and with a key of their own.
fn issuing(session: &Session) -> Result<Vec<Authority>, Problem> {
    let engine = session.engine();
    let mut found = Vec::new();
    for authority in engine.record().authorities()? {
        let is_in_use = !authority.is_external() && authority.retired.is_none();
        if is_in_use && status(engine.record(), &authority, engine.now())? == "valid" {
            found.push(authority);
        }
    }
    Ok(found)
}

fn usable<'p>(session: &'p Session, profile: &'p Profile, authorities: &'p [Authority]) -> Usable<'p> {
    let profiles = &session.assembly.settings().profiles;
    let may_use = |one: &&Authority| profile.may_be_issued_by(&one.profile);
    let is_default = |one: &&Authority| {
        let issuing = profiles.get(&one.profile);
        issuing.and_then(Profile::default_leaf_profile) == Some(profile.name())
    };
    let names = |found: &dyn Fn(&&Authority) -> bool| {
        authorities.iter().filter(found).map(|one| one.name.as_str()).collect()
    };
    Usable {
        profile,
        authorities: names(&may_use),
        default_of: names(&is_default),
        file: session.assembly.home.policy_directory().join(format!("{}.toml", profile.name())),
    }
}

impl Usable<'_> {
    fn fields(&self) -> Map<String, Value> {
        let profile = self.profile;
        let fields = json!({
            "name": profile.name(),
            "kind": profile.kind().to_string(),
            "description": profile.description(),
            "days": profile.days(),
            "max_days": profile.most_days(),
            "issuers": profile.issuers(),
            "authorities": self.authorities,
            "default_of": self.default_of,
            "usable": true,
            "file": path_value(&self.file),
        });
        fields.as_object().cloned().unwrap_or_default()
    }

    /// Returns the CAs in words.
    fn told(&self) -> String {
        match self.authorities.as_slice() {
            _ if self.profile.kind() == Kind::RootCa => "itself".into(),
            [] => "none".into(),
            names => names.join(", "),
        }
    }

    fn validity(&self) -> String {
        let days = self.profile.days();
        match self.profile.most_days() {
            Some(most) if most > days => format!("{days}, up to {most}"),
            _ => days.to_string(),
        }
    }
}

/// Lists the profiles of the home.
pub(crate) fn list(session: &Session) -> Result<Report, Problem> {
    let profiles = &session.assembly.settings().profiles;
    let authorities = issuing(session)?;
    let (mut values, mut rows) = (Vec::new(), Vec::new());
    for profile in profiles.iter() {
        let one = usable(session, profile, &authorities);
        values.push(Value::Object(one.fields()));
        rows.push(vec![
            profile.name().to_owned(),
            profile.kind().to_string(),
            one.validity(),
            one.told(),
            profile.description().to_owned(),
        ]);
    }
    for (name, why) in profiles.unusable() {
        values.push(json!({ "name": name, "usable": false, "message": why.message }));
        let dash = || "-".to_owned();
        rows.push(vec![name.to_owned(), dash(), dash(), dash(), "cannot be used: it has mistakes".into()]);
    }
    let text = if rows.is_empty() { "no profile".into() } else { table(&COLUMNS, &rows) };
    Ok(Report::seen(json!({ "profiles": values }), text))
}

/// Shows one profile: what it is for, who may use it, and its text.
pub(crate) fn show(session: &Session, args: &ProfileShow) -> Result<Report, Problem> {
    let profile = session.assembly.settings().profiles.find(&args.name)?;
    let authorities = issuing(session)?;
    let one = usable(session, profile, &authorities);
    let octets = read_up_to(&one.file, LARGEST)?;
    let contents = String::from_utf8_lossy(&octets);
    let mut rows = vec![
        ("  kind".to_owned(), profile.kind().to_string()),
        ("  days".into(), one.validity()),
        ("  CAs that may use it".into(), one.told()),
    ];
    if !profile.description().is_empty() {
        rows.insert(1, ("  description".into(), profile.description().to_owned()));
    }
    if !one.default_of.is_empty() {
        rows.push(("  what sign takes for".into(), one.default_of.join(", ")));
    }
    rows.push(("  file".into(), one.file.shown().to_string()));
    let text = format!("{}\n{}\n\n{}", profile.name(), columns(&rows), contents.trim_end());
    let mut fields = one.fields();
    fields.insert("text".into(), json!(contents));
    Ok(Report::seen(Value::Object(fields), text))
}

/// Checks profiles that are not in the home yet, or are changed.
pub(crate) fn check(global: &Global, args: &ProfileCheck) -> Result<Report, Problem> {
    let mut given: Vec<(String, String)> = Vec::new();
    for file in &args.files {
        let is_profile = file.extension().is_some_and(|extension| extension == "toml");
        let Some(name) = file.file_stem().and_then(|stem| stem.to_str()).filter(|_| is_profile) else {
            return Err(usage(
                format!("{} is not named as a profile", file.shown()),
                "the name of a profile is that of its file, NAME.toml",
            ));
        };
        let text = String::from_utf8(read_up_to(file, LARGEST)?).map_err(|_| {
            Problem::new(Code::FileMalformed, format!("{} is not UTF-8 text", file.shown()))
                .hint("save it as UTF-8")
        })?;
        given.push((name.to_owned(), text));
    }
    let pairs: Vec<(&str, &str)> = given.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    let mistakes = assembly::check_profiles(&home_of(global), &pairs)?;
    let fields = |ProfileError { profile, mistake }: &ProfileError| json!({ "profile": profile, "line": mistake.line, "key": mistake.key, "message": mistake.message });
    let result = json!({
        "profiles": given.iter().map(|(name, _)| name).collect::<Vec<_>>(),
        "mistakes": mistakes.iter().map(fields).collect::<Vec<_>>(),
    });
    if mistakes.is_empty() {
        return Ok(Report::seen(result, format!("{}, no mistakes", counted(given.len(), "profile"))));
    }
    let lines: Vec<String> = mistakes.iter().map(ToString::to_string).collect();
    let problem =
        Problem::new(Code::PolicyInvalidProfile, counted(mistakes.len(), "mistake")).exiting(Exit::Findings);
    Ok(Report::seen(result, lines.join("\n")).ending(Some(problem)))
}
