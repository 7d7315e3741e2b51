//! What requests and their certificates are called.
use crate::cli::Sign;
use genfic_ca::error::Shown as _;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

/// The name of a request's file without its ending; `None` for standard input.
pub(super) fn stem(file: &Path) -> Option<&OsStr> {
    file.file_stem().filter(|stem| *stem != "-")
}

/// The file in a directory that a certificate for it goes into.
pub(super) fn in_directory(directory: &Path, stem: &OsStr) -> PathBuf {
    let mut name = stem.to_owned();
    name.push(".crt");
    directory.join(name)
}

/// What a file is called where requests are told apart.
pub(super) fn label(file: &Path) -> String {
    file.shown().to_string()
}

/// The files with these labels, which are in the order of the files; each is found once.
pub(super) fn labelled_files<'a>(
    args: &'a Sign,
    labels: impl Iterator<Item = &'a str>,
) -> Vec<Option<&'a Path>> {
    let mut left = args.files.iter();
    labels.map(|wanted| left.find(|file| label(file) == wanted).map(PathBuf::as_path)).collect()
}
