//! `ceremony request`, `ceremony sign` and `ceremony import`.
use super::generation::usual_cross;
use super::output::Output;
use super::question::{confirm, date_typed};
use super::values::{read, usage};
use crate::cli::{CeremonyImport, CeremonyRequest, CeremonySign, Global};
use crate::report::{Report, counted, path_value};
use crate::session::{Session, orders_of};
use genfic_ca::assembly;
use genfic_ca::ca::CeremonyPlan;
use genfic_ca::ceremony::{Ceremony, Medium, Request, link_text, sha256};
use genfic_ca::config::Config;
use genfic_ca::error::{Code, Problem, Shown as _};
use genfic_ca::x509::{Certificate, Fingerprint, UnixTime};
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::path::Path;

/// Returns what a request asks for, for people. `links` has for each item that is a key rollover certificate the
/// fingerprint of the other generation's certificate.
fn shown(request: &Request, links: &[Option<Fingerprint>]) -> String {
    let mut text = String::new();
    for (number, item) in request.items.iter().enumerate() {
        let mut lines = item.tbs.summary();
        lines.extend(links.get(number).copied().flatten().iter().flat_map(link_text));
        let _ = write!(text, "\n{}. {}\n   why: {}\n", number + 1, lines.join("\n   "), item.why);
    }
    text
}

/// Returns what a request asks for, for programs.
fn items(request: &Request, links: &[Option<Fingerprint>]) -> Vec<Value> {
    let each = request.items.iter().enumerate().map(|(number, item)| {
        let other = links.get(number).copied().flatten();
        let usual = [("kind", item.tbs.kind().into()), ("name", item.tbs.name()), ("why", item.why.clone())];
        let all = usual.into_iter().chain(other.map(|other| ("generation", other.to_string())));
        Value::Object(all.map(|(field, text)| (field.to_owned(), Value::String(text))).collect())
    });
    each.collect()
}

/// Returns the question that comes before a request that people may be carrying to the key is worth nothing any more.
fn replacing(waiting: &Request) -> String {
    let certificates = waiting.serial_numbers().count();
    let abandoned = match certificates {
        0 => String::new(),
        _ => format!(
            ", and {} of it will be abandoned, listed as revoked",
            counted(certificates, "certificate")
        ),
    };
    format!(
        "a request of {} to the key of {} can be answered until {}: no answer to it will be taken in{abandoned}\n\
         Replace it?",
        waiting.made, waiting.authority, waiting.until
    )
}

/// Writes a request.
pub(crate) fn request(session: &Session, args: &CeremonyRequest) -> Result<Report, Problem> {
    let output = Output::within(&args.output)?;
    let cross = args.cross.iter().map(|what| usual_cross(session, what, args.cross_profile.as_deref()));
    let cross = cross.collect::<Result<_, _>>()?;
    let plan = CeremonyPlan {
        authority: args.authority.clone(),
        crl: !args.no_crl,
        renew: args.renew.clone(),
        children: args.child.clone(),
        cross,
        responder: args.responder,
        why: args.why.clone(),
    };
    let may_replace = |waiting: &Request| confirm(&session.global, &replacing(waiting));
    let made = session.engine().lifecycle().request_ceremony(&plan, &may_replace)?;
    output.put(made.text.as_bytes())?;
    let items_asked = made.request.items.iter();
    let links: Vec<Option<Fingerprint>> =
        items_asked.map(|item| item.other_generation().map(Certificate::fingerprint)).collect();
    let named: String = links.iter().flatten().map(|other| format!(" --generation {other}")).collect();
    let compare = match named.is_empty() {
        true => "",
        false => {
            "the key links itself with another generation only when that is named there: take the fingerprint along on another \
             way than the file\n"
        }
    };
    let result = json!({
        "name": args.authority,
        "file": path_value(&args.output),
        "sha256": made.digest,
        "until": made.request.until.to_string(),
        "items": items(&made.request, &links),
        "supersedes": made.supersedes,
    });
    let superseded = if made.supersedes { "it replaces a request that was not answered\n" } else { "" };
    let text = format!(
        "the request is in {}, to be answered until {}\nsha256 {}\n{superseded}{}\n{compare}next: carry it to the key: \
         genfic-ca ceremony sign {} --keys DIR -o ANSWER{named}",
        args.output.shown(),
        made.request.until,
        made.digest,
        shown(&made.request, &links),
        args.output.shown(),
    );
    Ok(Report::done(result, text).warn(made.notices))
}

fn text_of(file: &Path) -> Result<String, Problem> {
    let octets = read(file)?;
    String::from_utf8(octets).map_err(|_| {
        Problem::new(Code::CeremonyMalformed, format!("{} is not text", file.shown()))
            .hint("copy it anew from where it was written")
    })
}

/// Returns the date of a ceremony: that of the option, or what people type.
fn date(global: &Global, args: &CeremonySign, ceremony: &Ceremony) -> Result<UnixTime, Problem> {
    let (first, last) = ceremony.bounds();
    let clock = assembly::now();
    let proposal = (clock >= first && clock <= last).then_some(clock);
    let typed = match &args.date {
        Some(date) => date.clone(),
        None => date_typed(global, &(first, last), proposal)?,
    };
    let of_day = UnixTime::parse(&format!("{typed}T12:00:00Z"));
    let date = of_day.or_else(|| UnixTime::parse(&typed)).ok_or_else(|| {
        usage(format!("`{typed}` is no date"), "write it like 2030-01-31, or 2030-01-31T12:00:00Z")
    })?;
    // a day begins before its noon, and the request may be of that day
    let date = if of_day.is_some() && date.plus_days(1) > first && date < first { first } else { date };
    ceremony.check_date(date)?;
    Ok(date)
}

/// Signs a request where the key is.
pub(crate) fn sign(global: &Global, args: &CeremonySign) -> Result<Report, Problem> {
    let Some(medium) = &global.keys else {
        return Err(usage("which medium has the key was not said", "add --keys DIR"));
    };
    let output = Output::within(&args.output)?;
    let transcript = args.output.with_extension("txt");
    let transcript_output = Output::within(&transcript)?;
    let ceremony = Ceremony::open(Medium::at(medium), &text_of(&args.request)?, &args.generation)?;
    let name = ceremony.request().authority.clone();
    let signed = match ceremony.earlier()? {
        Some(earlier) => earlier,
        None => {
            let date = date(global, args, &ceremony)?;
            let question = format!(
                "{}\n\nrequest sha256 {}\ndate {date}\nThe key of {name} signs this. Is the digest that of the request, and all \
                 of it wanted?",
                shown(ceremony.request(), &ceremony.links()),
                ceremony.digest()
            );
            confirm(global, &question)?;
            let orders = orders_of(global, &Config::default(), Vec::new())?;
            assembly::sign_ceremony(&ceremony, medium, &orders, (date, &args.present))?
        }
    };
    output.put(signed.answer.as_bytes())?;
    transcript_output.put(signed.transcript.as_bytes())?;
    let digest = sha256(signed.answer.as_bytes());
    let result = json!({
        "name": name,
        "file": path_value(&args.output),
        "transcript": path_value(&transcript),
        "sha256": digest,
        "request_sha256": ceremony.digest(),
        "items": items(ceremony.request(), &ceremony.links()),
        "repeated": signed.is_repeated,
    });
    let how = match signed.is_repeated {
        true => "the medium has answered this request before; here is that answer once more".to_owned(),
        false => format!("{} signed", counted(ceremony.request().items.len(), "thing")),
    };
    let text = format!(
        "{how}\nthe answer is in {}\nsha256 {digest}\nthe transcript is in {}: print it, and have those present sign it\nnext: carry \
         the answer back: genfic-ca ceremony import {}",
        args.output.shown(),
        transcript.shown(),
        args.output.shown()
    );
    Ok(if signed.is_repeated { Report::seen(result, text) } else { Report::done(result, text) })
}

/// Takes in an answer.
pub(crate) fn import(session: &Session, args: &CeremonyImport) -> Result<Report, Problem> {
    let outcome = session.engine().lifecycle().take_answer(&text_of(&args.answer)?)?;
    let name = &outcome.authority;
    let mut lines = vec![format!("the answer of {name} is taken in")];
    for (serial, subject) in &outcome.certificates {
        lines.push(format!("  certificate {serial}, {subject}"));
    }
    if let Some((number, until)) = &outcome.crl {
        lines.push(format!("  CRL number {number}, until {until}"));
    }
    if let Some(serial) = &outcome.responder {
        lines.push(format!("  the OCSP responder of {name} uses {serial} from now on"));
    }
    let unpublished: Vec<&String> = outcome
        .authorities
        .iter()
        .filter(|name| session.engine().maintenance().crl_is_due(name).unwrap_or(true))
        .collect();
    for child in unpublished {
        lines.push(format!("next: genfic-ca crl publish {child}"));
    }
    let result = json!({
        "name": name,
        "certificates": outcome.certificates.iter().map(|(serial, subject)| json!({ "serial": serial, "subject": subject }))
            .collect::<Vec<_>>(),
        "crl": outcome.crl.as_ref().map(|(number, until)| json!({ "number": number, "next_update": until })),
        "authorities": outcome.authorities,
        "responder": outcome.responder,
    });
    Ok(Report::done(result, lines.join("\n")).warn(outcome.notices))
}
