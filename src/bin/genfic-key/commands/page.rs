//! `page`.
use super::combine::text_of;
use super::split::no_page;
use super::{must_be_free, put};
use crate::cli::{Global, Page};
use crate::output::Report;
use crate::plugins::plugins;
use crate::sources::{key, must_be_secret, place, plain_name, sources};
use genfic_ca::assembly::now;
use genfic_ca::custody::page::{self, KeyFacts, Paper};
use genfic_ca::custody::{Block, ShareSet, read_block};
use genfic_ca::error::{Code, Problem, Shown as _};
use genfic_ca::failpoint;
use genfic_ca::signing::SealedKey;
use serde_json::json;
use std::path::Path;

/// Makes a page, or reads one.
pub(crate) fn page(global: &Global, args: &Page) -> Result<Report, Problem> {
    must_be_free(&args.output)?;
    let (what, octets, text) = match (&args.read, &args.key) {
        (Some(typed), _) => {
            ("key", key_in(typed, &args.output)?, "has the key, as encrypted as it was printed")
        }
        (None, Some(key)) => match &args.share {
            Some(share) => (
                "share page",
                of_share(global, args, key, share)?,
                "is the page of the share: print it, and destroy the file",
            ),
            None => ("key page", of_key(global, args, key)?, "is the page of the encrypted key: print it"),
        },
        (None, None) => return Err(Problem::new(Code::Usage, "which key is meant was not said")),
    };
    failpoint::passed("custody: page made");
    put(&args.output, &octets)?;
    let result = json!({ "file": args.output.to_string_lossy(), "kind": what });
    let text = format!("{} {text}", args.output.shown());
    Ok(Report { changed: true, result, text, warnings: Vec::new() })
}

fn of_key(global: &Global, args: &Page, named: &Path) -> Result<Vec<u8>, Problem> {
    let mut named = key(global, named, &args.signer)?;
    let name = plain_name(&named.path())?;
    if named.service().is_some() {
        // only to whoever can open it; what is printed is the file as it is
        let secrets = sources(global, &named, None)?;
        named.try_opening(&secrets, Some(&plugins(global, &secrets, &[])))?;
    }
    let sealed = named.sealed()?;
    let set = named.shares()?.and_then(|record| ShareSet::parse(&record).ok());
    let set = set.filter(|set| set.is_of(sealed.octets()));
    let protection = sealed.protection().to_string();
    let facts = KeyFacts {
        name: &name,
        file: sealed.octets(),
        protection: &protection,
        shares: set.as_ref(),
        made: now(),
    };
    page::of_key(Paper::from(args.paper), &facts).map_err(no_page)
}

fn of_share(global: &Global, args: &Page, named: &Path, share: &Path) -> Result<Vec<u8>, Problem> {
    let name = plain_name(&place(global, named).0)?;
    if share != Path::new("-") {
        must_be_secret(share)?;
    }
    match read_block(&text_of(share)?)? {
        Block::Share(share) => page::of_share(Paper::from(args.paper), &name, &share, now()).map_err(no_page),
        Block::Key(_) => Err(Problem::new(Code::ShareDamaged, "this is a key, not a share")
            .hint("leave --share out for the page of a key")),
    }
}

/// Returns the key file that was typed as lines, or scanned as text of age.
fn key_in(typed: &Path, output: &Path) -> Result<Vec<u8>, Problem> {
    let text = text_of(typed)?;
    // no line of a key has this
    if text.as_str().contains("-----BEGIN ") {
        return Ok(SealedKey::of(output, text.as_str().as_bytes().to_vec())?.octets().to_vec());
    }
    match read_block(&text)? {
        Block::Key(file) => Ok(SealedKey::of(output, file)?.octets().to_vec()),
        Block::Share(_) => Err(Problem::new(Code::ShareDamaged, "this is a share, not a key")
            .hint("`genfic-key combine --share` reads shares")),
    }
}
