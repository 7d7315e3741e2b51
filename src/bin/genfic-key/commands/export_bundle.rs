//! `export-bundle`.
use super::confirm;
use crate::bundle_usage::bundle_usage;
use crate::cli::{ExportBundle, Global};
use crate::output::Report;
use crate::sources::{key, name_in_service, sources};
use genfic_ca::assembly::{CustodyService, ExportToMedia, now};
use genfic_ca::error::{Code, Problem, Shown as _};
use genfic_ca::home::{AuthorityName, Home, quoted, verify_policy};
use serde_json::json;

/// Moves a key of the signer to media.
pub(crate) fn export_bundle(global: &Global, args: &ExportBundle) -> Result<Report, Problem> {
    let text = args.key.to_string_lossy();
    if !args.signer.service {
        return Err(Problem::new(Code::Usage, format!("{text} would be a key of a home"))
            .hint(format!(
                "for a key of the signer add --service; for one of a home: genfic-ca key export-bundle {text} --to DIR"
            )));
    }
    for (at, medium) in args.to.iter().enumerate() {
        if args.to.iter().take(at).any(|other| other == medium) {
            return Err(Problem::new(Code::Usage, format!("{} is named twice", medium.shown()))
                .hint("give each medium once"));
        }
    }
    let name = name_in_service(&args.key)?;
    let authority: AuthorityName = name.parse().map_err(|error| Problem::of(Code::Usage, error))?;
    verify_policy(&args.policy)?;
    let named = key(global, &args.key, &args.signer)?;
    let secrets = sources(global, &named, None)?;
    let shown: Vec<String> = args.to.iter().map(|medium| format!("  {}", quoted(medium))).collect();
    let home = global.home.as_deref().map_or_else(Home::system, Home::at);
    let usage = bundle_usage(&name);
    let export = ExportToMedia {
        authority,
        media: args.to.clone(),
        public: args.public.clone().unwrap_or_else(|| home.public_directory()),
        policy: args.policy.clone(),
        usage: &usage,
        at: now(),
    };
    let notices = export.notices();
    let told: String = notices.iter().map(|notice| format!("\n{notice}")).collect();
    let question = format!(
        "the key of {name} will be on these media alone, and in the signer no more:\n{}{told}\ngo on?",
        shown.join("\n")
    );
    confirm(global, &question)?;
    let places: Vec<String> = args.to.iter().map(|medium| quoted(medium)).collect();
    let record = format!("genfic-ca key export-bundle {name} --to {}", places.join(" --to "));
    let exported =
        CustodyService::at(&args.signer.socket).move_to_media(&export, &secrets).map_err(|problem| {
            match problem.code {
                Code::KeyNotFound => {
                    let hint = format!("where it is on the media already, as the CA's user: {record}");
                    problem.hint(hint)
                }
                _ => problem,
            }
        })?;
    let media: Vec<_> = args.to.iter().map(|medium| medium.to_string_lossy()).collect();
    let result = json!({
        "name": name,
        "media": media,
        "files": exported.files,
        "key_file_sha256": exported.digest,
        "removed": true,
    });
    let text = format!(
        "the key of {name} is on {}, read back and compared:\n{}\nit was removed from the signer: unlinked, then \
         overwritten\na disk that writes elsewhere (SSD, snapshots, a journal) and backups of the signer may still have the \
         encrypted file\nnext: as the CA's user, have the record say so: {record}",
        if args.to.len() == 1 { "1 medium".to_owned() } else { format!("{} media", args.to.len()) },
        shown.join("\n"),
    );
    // who was asked has seen them
    let unseen = notices.into_iter().filter(|_| global.yes);
    let warnings = unseen.chain(exported.notices).chain(secrets.take_notes()).collect();
    Ok(Report { changed: true, result, text, warnings })
}
