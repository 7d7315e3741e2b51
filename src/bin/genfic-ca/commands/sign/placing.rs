//! Where certificates are written.
use super::super::chain::pem;
use super::super::held::Replaceable;
use super::super::output::{Output, put_all};
use super::super::values::usage;
use super::naming::{in_directory, labelled_files, stem};
use crate::cli::Sign;
use crate::hints;
use genfic_ca::ca::{IssuanceRequest, IssuedCertificate, Published};
use genfic_ca::error::{Problem, Remedy, Shown as _};
use genfic_ca::x509::Certificate;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

/// Where certificates are written.
pub(super) enum OutputPaths {
    Home,
    Output,
    File(Output, PathBuf),
    Directory(PathBuf),
}

/// Returns where certificates are written. This is checked before anything is signed.
pub(super) fn output_paths(args: &Sign) -> Result<OutputPaths, Problem> {
    let Some(output) = &args.output else { return Ok(OutputPaths::Home) };
    if output.is_dir() && !args.is_named_here {
        let mut stems: Vec<&OsStr> = args.files.iter().filter_map(|file| stem(file)).collect();
        stems.sort_unstable();
        return match stems.array_windows().find(|[one, next]| one == next) {
            None => {
                let mut paths = stems.iter().map(|stem| in_directory(output, stem));
                paths.try_for_each(|path| Output::within(&path)?.writable().map(drop))?;
                Ok(OutputPaths::Directory(output.clone()))
            }
            Some([name, _]) => Err(usage(
                format!(
                    "two of the requests would both be saved as {}.crt in {}",
                    name.shown(),
                    output.shown()
                ),
                "sign them one after the other; nothing was signed",
            )),
        };
    }
    if args.files.len() > 1 {
        return Err(usage(
            format!("{} is not a directory, and there are {} requests", output.shown(), args.files.len()),
            "give -o a directory that exists; nothing was signed",
        ));
    }
    match if args.is_named_here { Output::within(output) } else { Output::at(output) }?.writable()? {
        Output::Standard => Ok(OutputPaths::Output),
        place => Ok(OutputPaths::File(place, output.clone())),
    }
}

/// Refuses to replace files that hold what is to stay.
pub(super) fn check_outputs(
    args: &Sign,
    paths: &OutputPaths,
    requests: &[IssuanceRequest],
) -> Result<(), Problem> {
    let files = labelled_files(args, requests.iter().map(|request| request.label.as_str()));
    let typed = Replaceable { by_force: args.force, links: args.is_named_here };
    let made_up = Replaceable { links: true, ..typed };
    for (request, file) in requests.iter().zip(files) {
        match paths {
            OutputPaths::File(_, path) => typed.check(path, &request.applicant)?,
            OutputPaths::Directory(directory) => {
                if let Some(stem) = file.and_then(stem) {
                    made_up.check(&in_directory(directory, stem), &request.applicant)?;
                }
            }
            OutputPaths::Home | OutputPaths::Output => {}
        }
    }
    Ok(())
}

/// Returns the certificate as PEM, with its chain when requested (P15).
pub(super) fn with_chain(issued: &IssuedCertificate, chain: &[Published<Certificate>]) -> Vec<u8> {
    pem(std::iter::once(&issued.certificate).chain(chain)).into_bytes()
}

/// Writes the certificates and reports their paths. When that fails, it reports where the home stores them.
pub(super) fn place(
    args: &Sign,
    output_paths: OutputPaths,
    issued: &[IssuedCertificate],
    chain: Result<&[Published<Certificate>], &Problem>,
) -> (Vec<PathBuf>, Option<Problem>) {
    let kept: Vec<PathBuf> = issued.iter().map(|one| one.file.clone().unwrap_or_default()).collect();
    let requests = labelled_files(args, issued.iter().map(|one| one.label.as_str()));
    let path = |(one, request): (&IssuedCertificate, &Option<&Path>), kept: &Path| match &output_paths {
        OutputPaths::Home if args.chain.is_some() => kept.with_extension("chain.pem"),
        OutputPaths::Home | OutputPaths::Output => kept.to_owned(),
        OutputPaths::File(_, path) => path.clone(),
        OutputPaths::Directory(directory) => {
            let stem = request.and_then(stem).map_or_else(
                || OsString::from(one.certificate.tbs().serial_number().to_string()),
                OsStr::to_owned,
            );
            in_directory(directory, &stem)
        }
    };
    let paths: Vec<PathBuf> =
        issued.iter().zip(&requests).zip(&kept).map(|(one, kept)| path(one, kept)).collect();
    if paths == kept {
        return (kept, None);
    }
    let written = chain.map_err(Problem::clone).and_then(|chain| {
        let contents = issued.iter().map(|one| with_chain(one, chain));
        put(output_paths, paths.iter().cloned().zip(contents).collect())
    });
    match written {
        Ok(()) => (paths, None),
        Err(problem) => {
            let hint = match kept.as_slice() {
                [kept] => {
                    format!("the certificate is issued and kept as {}; copy it from there", kept.shown())
                }
                _ => "the certificates are issued and kept where it says below; copy them from there"
                    .to_owned(),
            };
            let hint = match &problem.hint {
                Remedy::Access(_) => format!("{hint}; {}", hints::text(&problem.hint)),
                _ => hint,
            };
            (kept, Some(problem.hint(hint)))
        }
    }
}

/// Writes the files. Links within the home are not followed.
fn put(output_paths: OutputPaths, contents: Vec<(PathBuf, Vec<u8>)>) -> Result<(), Problem> {
    let outputs = match output_paths {
        OutputPaths::Output => Vec::new(),
        OutputPaths::File(output, _) => {
            std::iter::once(output).zip(contents.into_iter().map(|(_, octets)| octets)).collect()
        }
        OutputPaths::Directory(_) => {
            let named = contents.into_iter().map(|(path, octets)| Ok((Output::within(&path)?, octets)));
            named.collect::<Result<Vec<_>, Problem>>()?
        }
        OutputPaths::Home => {
            contents.into_iter().map(|(path, octets)| (Output::own(&path), octets)).collect()
        }
    };
    put_all(outputs)
}
