//! `create-request --ensure`: a key and a request that are there as asked stay.
use super::{otherwise, unchanged, would_change};
use crate::cli::{CreateRequest, Global, Sign};
use crate::commands::output::not_written;
use crate::commands::request::{self, Made, Wanted, fields, into_signed, wanted};
use crate::commands::sign::{applicant, ensured, issuing, profile_for};
use crate::report::Report;
use crate::session::Session;
use genfic_ca::ca::{Difference, same_names};
use genfic_ca::error::{Code, Problem, Shown as _};
use genfic_ca::home::{Mode, write_new};
use genfic_ca::profile::{Applicant, parse_alt_name};
use genfic_ca::signing::{KeyError, Nobody, SubscriberKey};
use genfic_ca::subscriber_key::read_subscriber_key_file;
use genfic_ca::x509::{GeneralName, pem};
use serde_json::json;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::Duration;

const AS_IT_IS: &str =
    "nothing was changed: move these files away to have new ones made, or ask for what is there";

/// The time that another command may take between its key and its request.
const MEANWHILE: Duration = Duration::from_secs(2);

/// What there is of a key and its request.
enum Pair {
    Absent,
    /// A key whose request was never written, or is gone.
    WithoutRequest,
    AsAsked(Box<Applicant>),
    Otherwise(Vec<Difference>),
}

/// What was found or made.
enum Outcome {
    There(Applicant),
    Made {
        made: Made,
        /// Whether the key was made too.
        is_new: bool,
    },
    Otherwise(Vec<Difference>),
    Absent,
}

/// Creates the key and the request, unless they are there as asked.
pub(crate) fn create(global: &Global, args: &CreateRequest) -> Result<Report, Problem> {
    if !args.ensure.ensure {
        return request::create(global, args);
    }
    let files = Files::of(args)?;
    match outcome(global, args, &files, true)? {
        Outcome::There(found) => {
            let text = format!("key and request for {} are there as asked", found.subject);
            Ok(unchanged(args.ensure, files.fields(&found), text))
        }
        Outcome::Otherwise(differences) => Ok(files.otherwise(&differences)),
        Outcome::Absent => Ok(would_change()),
        Outcome::Made { made, .. } => Ok(request::made_report(args, made)),
    }
}

/// The same, and has the request signed unless it is.
pub(crate) fn create_and_sign(session: &Session, args: &CreateRequest) -> Result<Report, Problem> {
    if !args.ensure.ensure {
        return request::create_and_sign(session, args);
    }
    let parent = args.parent.clone().unwrap_or_default();
    if args.ensure.dry_run && session.engine().record().authority(&parent)?.is_none() {
        return Ok(would_change());
    }
    let authority = session.engine().hierarchy().authority(&issuing(session, &parent)?.0)?;
    let profile = profile_for(session, &authority, args.profile.as_deref())?;
    let takes_dns = session.assembly.settings().profile(&profile)?.takes_dns_names();
    let files = Files::of(args)?;
    let asked = Sign {
        files: vec![files.request.clone()],
        parent,
        profile: args.profile.clone(),
        valid: args.valid.clone(),
        contact: args.contact.clone(),
        output: Some(files.certificate.clone()),
        is_named_here: true,
        ensure: true,
        dry_run: args.ensure.dry_run,
        ..Sign::default()
    };
    match outcome(&session.global, args, &files, takes_dns)? {
        Outcome::Otherwise(differences) => Ok(files.otherwise(&differences)),
        Outcome::Absent => Ok(would_change()),
        Outcome::There(_) => Ok(into_signed(ensured::sign(session, &asked)?, &files.key, &files.request)),
        Outcome::Made { made, is_new } => {
            let signed = ensured::sign(session, &asked);
            let report = signed.map_err(|problem| match is_new {
                true => request::not_signed(problem, &made),
                false => problem,
            })?;
            let report = into_signed(report, &files.key, &files.request).warn(made.notices);
            Ok(Report { changed: true, ..report })
        }
    }
}

/// Looks, makes what is missing, and looks again when another command was quicker.
fn outcome(
    global: &Global,
    args: &CreateRequest,
    files: &Files,
    takes_dns: bool,
) -> Result<Outcome, Problem> {
    let quicker = |problem: &Problem| problem.code == Code::FileExists;
    let mut is_last = false;
    loop {
        let (wanted, notices) = wanted(global, args, takes_dns)?;
        let (made, is_new) = match files.look(args, &wanted)? {
            Pair::AsAsked(found) => return Ok(Outcome::There(*found)),
            Pair::Otherwise(differences) => return Ok(Outcome::Otherwise(differences)),
            Pair::Absent | Pair::WithoutRequest if args.ensure.dry_run => return Ok(Outcome::Absent),
            Pair::Absent => (request::make_pair(global, wanted), true),
            Pair::WithoutRequest => (files.request_again(global, &wanted), false),
        };
        match made {
            Ok(made) => return Ok(Outcome::Made { made: Made { notices, ..made }, is_new }),
            Err(problem) if !is_last && quicker(&problem) && files.key.exists() => {
                is_last = true;
                sleep(MEANWHILE);
            }
            Err(problem) => return Err(problem),
        }
    }
}

/// The files of a request.
struct Files {
    key: PathBuf,
    request: PathBuf,
    certificate: PathBuf,
}

impl Files {
    fn of(args: &CreateRequest) -> Result<Self, Problem> {
        let (directory, base) = request::place(args)?;
        let path = |extension: &str| directory.join(format!("{base}.{extension}"));
        Ok(Self { key: path("key"), request: path("req"), certificate: path("crt") })
    }

    fn fields(&self, found: &Applicant) -> serde_json::Value {
        fields(&self.key, &self.request, &found.subject, &found.alt_names, found.public_key.algorithm())
    }

    fn otherwise(&self, differences: &[Difference]) -> Report {
        let name = self.request.shown().to_string();
        otherwise(&name, json!({ "request": name }), differences, AS_IT_IS)
    }

    fn look(&self, args: &CreateRequest, wanted: &Wanted<'_>) -> Result<Pair, Problem> {
        let is_there = |path: &Path| path.symlink_metadata().is_ok();
        match (is_there(&self.key), is_there(&self.request)) {
            (false, false) => return Ok(Pair::Absent),
            (false, true) => {
                let missing = Difference::new("key", self.key.shown(), "no such file");
                return Ok(Pair::Otherwise(vec![missing]));
            }
            (true, _) => {}
        }
        // an encrypted key is not opened: nobody is asked for its passphrase when nothing has to be done
        let key = match read_subscriber_key_file(&self.key, &Nobody) {
            Ok(key) => Some(key),
            Err(KeyError::InputNeeded(_)) => None,
            Err(error) => return Err(error.into()),
        };
        let mut differences = Vec::new();
        if args.encrypt && key.is_some() {
            differences.push(Difference::new("encrypt", "a key with a passphrase", "one without"));
        }
        if let (Some(_), Some(key)) = (&args.key, &key) {
            let found = key.public_key().algorithm();
            differences.extend(Difference::between("key", &wanted.algorithm, &found));
        }
        if !is_there(&self.request) {
            return Ok(if differences.is_empty() {
                Pair::WithoutRequest
            } else {
                Pair::Otherwise(differences)
            });
        }
        let found = applicant(&self.request)?;
        if key.as_ref().is_some_and(|key| *key.public_key() != found.public_key) {
            differences.push(Difference::new("key", "the request's key", "another"));
        } else if args.key.is_some() && key.is_none() {
            let of_request = found.public_key.algorithm();
            differences.extend(Difference::between("key", &wanted.algorithm, &of_request));
        }
        if args.subject.is_some() && !wanted.subject.is_same_as(&found.subject) {
            differences.push(Difference::new("subject", &wanted.subject, &found.subject));
        }
        differences.extend(names(args, wanted, &found));
        Ok(if differences.is_empty() { Pair::AsAsked(Box::new(found)) } else { Pair::Otherwise(differences) })
    }

    /// Makes the request for a key that is there. An encrypted one needs its passphrase.
    fn request_again(&self, global: &Global, wanted: &Wanted<'_>) -> Result<Made, Problem> {
        let key: SubscriberKey = read_subscriber_key_file(&self.key, &request::passphrases(global)?)?;
        let der = key.request(&wanted.subject, &wanted.names)?;
        let text = pem::encode("CERTIFICATE REQUEST", &der);
        write_new(&self.request, text.as_bytes(), Mode::Public).map_err(not_written)?;
        Ok(Made {
            key: self.key.clone(),
            request: self.request.clone(),
            certificate: self.certificate.clone(),
            algorithm: key.public_key().algorithm(),
            subject: wanted.subject.clone(),
            names: wanted.names.clone(),
            notices: Vec::new(),
        })
    }
}

/// Compares the names that were asked for with those in the request, which may also have its own name.
fn names(args: &CreateRequest, wanted: &Wanted<'_>, found: &Applicant) -> Option<Difference> {
    if args.san.is_empty() {
        return None;
    }
    let own = parse_alt_name(&format!("DNS:{}", wanted.base)).ok();
    let asked: Vec<GeneralName> = args.san.iter().filter_map(|text| parse_alt_name(text).ok()).collect();
    let with_own: Vec<GeneralName> = asked.iter().cloned().chain(own).collect();
    let fits = same_names(&asked, &found.alt_names) || same_names(&with_own, &found.alt_names);
    let list = |names: &[GeneralName]| names.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    (!fits).then(|| Difference::new("names", list(&asked), list(&found.alt_names)))
}
