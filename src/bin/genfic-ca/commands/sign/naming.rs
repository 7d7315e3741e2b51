//! Names of requests and their certificates.
use crate::cli::Sign;
use genfic_ca::error::Shown as _;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

/// Returns the name of a request's file without its ending; `None` for standard input.
pub(super) fn stem(file: &Path) -> Option<&OsStr> {
    file.file_stem().filter(|stem| *stem != "-")
}

/// Returns the file in a directory into which the certificate is written.
pub(super) fn in_directory(directory: &Path, stem: &OsStr) -> PathBuf {
    let mut name = stem.to_owned();
    name.push(".crt");
    directory.join(name)
}

/// Returns the label of a request in messages.
pub(super) fn label(file: &Path) -> String {
    file.shown().to_string()
}

/// Returns the files with these labels, which have the order of the files. Each file is found once.
pub(super) fn labelled_files<'a>(
    args: &'a Sign,
    labels: impl Iterator<Item = &'a str>,
) -> Vec<Option<&'a Path>> {
    let mut left = args.files.iter();
    labels.map(|wanted| left.find(|file| label(file) == wanted).map(PathBuf::as_path)).collect()
}
