//! What is to be done, in the words of the command line: the one place where a remedy becomes text.
mod access;
mod authority;
mod home;
mod import;
mod record;
mod repair;
mod request;

use genfic_ca::error::Remedy;
use std::borrow::Cow;

/// A remedy as people and programs are told it; nothing when there is none.
pub(crate) fn text(remedy: &Remedy) -> Cow<'_, str> {
    match remedy {
        Remedy::Words(words) => Cow::Borrowed(words),
        Remedy::Several(each) => {
            let lines: Vec<Cow<'_, str>> = each.iter().map(text).filter(|line| !line.is_empty()).collect();
            Cow::Owned(lines.join("\n"))
        }
        Remedy::Request(remedy) => request::text(remedy),
        Remedy::Home(remedy) => home::text(remedy),
        Remedy::Import(remedy) => import::text(remedy),
        Remedy::Access(remedy) => access::text(remedy),
        Remedy::Repair(remedy) => repair::text(remedy),
        Remedy::Authority(remedy) => authority::text(remedy),
        Remedy::Record(remedy) => record::text(remedy),
    }
}
