//! Outputs that people name: a file, the target of a link, a FIFO or device, standard output.
use super::values::usage;
use crate::cli::Global;
use genfic_ca::error::remedy::Access;
use genfic_ca::error::{Code, Problem, Shown as _};
use genfic_ca::home::{
    Existing, Mode, Replacement, WriteError, is_of_another_user, replace_all, write_whole,
};
use rustix::fs::{Access as Rights, AtFlags, CWD, Mode as NoMode, OFlags, accessat, fcntl_setfl, open};
use rustix::io::Errno;
use std::fs::{self, File, Metadata};
use std::io::{self, BufWriter, ErrorKind, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

/// Limit of the symbolic links that are followed: that of the Linux kernel.
const MOST_LINKS: usize = 40;

/// A checked output. A FIFO or device is already open.
#[derive(Debug)]
pub(crate) enum Output {
    /// Standard output: `-`, no name at all, or another name of it.
    Standard,
    /// A file, existing or not.
    File {
        /// Path as it was named.
        named: PathBuf,
        /// The same path, or the target of the link of that name.
        file: PathBuf,
    },
    /// A FIFO with a reader, or a character device.
    Stream {
        /// Path as it was named.
        named: PathBuf,
        /// The open FIFO or device.
        stream: File,
    },
}

impl Output {
    /// Returns the named output; standard output when none was named.
    pub(crate) fn chosen(named: Option<&Path>) -> Result<Self, Problem> {
        named.map_or(Ok(Self::Standard), Self::at)
    }

    /// Returns the output that a path names.
    ///
    /// # Errors
    /// For what cannot be written as a file: a directory, a socket, a block device, or a FIFO without a reader.
    pub(crate) fn at(path: &Path) -> Result<Self, Problem> {
        match fs::metadata(path) {
            _ if path == Path::new("-") => Ok(Self::Standard),
            Ok(metadata) if is_standard_output(&metadata) => Ok(Self::Standard),
            found => Self::followed(path, found),
        }
    }

    /// Returns the file at the end of links that were typed.
    fn followed(path: &Path, found: io::Result<Metadata>) -> Result<Self, Problem> {
        let file = match found {
            Ok(metadata) if metadata.is_file() && is_link(path) => fs::canonicalize(path),
            Ok(metadata) if metadata.is_file() => Ok(path.to_owned()),
            Ok(metadata) => {
                let kind = metadata.file_type();
                return if kind.is_fifo() || kind.is_char_device() {
                    Ok(Self::Stream { named: path.to_owned(), stream: stream(path)? })
                } else {
                    Err(no_place(path, &metadata))
                };
            }
            // there is no file yet, perhaps because a link has no target
            Err(error) if error.kind() == ErrorKind::NotFound => {
                let file = end_of_links(path);
                must_have_directory(&file)?;
                Ok(file)
            }
            Err(error) => Err(error),
        };
        match file {
            Ok(file) => Ok(Self::File { named: path.to_owned(), file }),
            Err(source) => Err(not_written(WriteError { path: path.to_owned(), source })),
        }
    }

    /// Returns the output for a file in a named directory whose own name nobody typed. Others may be able to write
    /// into the directory, so a link is replaced and never followed.
    ///
    /// # Errors
    /// For what is neither a file nor a link.
    pub(crate) fn within(path: &Path) -> Result<Self, Problem> {
        match path.symlink_metadata() {
            Ok(metadata) if metadata.is_file() || metadata.is_symlink() => Ok(Self::own(path)),
            Ok(metadata) => {
                let message = format!("{} is {}, and is not replaced", path.shown(), kind_of(&metadata).0);
                Err(Problem::new(Code::FileNotWritten, message)
                    .hint("move it away, or name another directory"))
            }
            Err(error) if error.kind() == ErrorKind::NotFound => {
                must_have_directory(path)?;
                Ok(Self::own(path))
            }
            Err(source) => Err(not_written(WriteError { path: path.to_owned(), source })),
        }
    }

    /// Returns the output for a file of the home, which replaces whatever is there.
    pub(crate) fn own(path: &Path) -> Self {
        Self::File { named: path.to_owned(), file: path.to_owned() }
    }

    /// Returns the same output as [`Output::at`], which must not exist.
    pub(crate) fn new_at(path: &Path) -> Result<Self, Problem> {
        match Self::at(path)? {
            Self::File { file, .. } if file.symlink_metadata().is_ok() => Err(taken_already(path)),
            output => Ok(output),
        }
    }

    /// Returns the same output as [`Output::within`], which must not exist.
    pub(crate) fn new_within(path: &Path) -> Result<Self, Problem> {
        if path.symlink_metadata().is_ok() {
            return Err(taken_already(path));
        }
        Self::within(path)
    }

    /// Returns the output for a private key: standard output, or a file of exactly this name. An existing file is
    /// overwritten only with `force`.
    pub(crate) fn private(path: &Path, force: bool) -> Result<Self, Problem> {
        if path == Path::new("-") {
            return Ok(Self::Standard);
        }
        match path.symlink_metadata() {
            Ok(metadata) if !metadata.is_file() => {
                let problem = no_place(path, &metadata);
                Err(problem.hint(
                    "what has a private key in it goes into a file of its own, or with - to standard output",
                ))
            }
            Ok(_) if !force => {
                Err(taken(path)
                    .hint("choose another name, or add --force to replace it; nothing was written"))
            }
            _ => {
                must_have_directory(path)?;
                Ok(Self::own(path))
            }
        }
    }

    /// Returns the same output, and refuses standard output with `--json`: the JSON object does not contain what is
    /// written.
    pub(crate) fn beside_json(self, global: &Global) -> Result<Self, Problem> {
        match self {
            Self::Standard if global.json => Err(usage(
                "with --json, standard output has the JSON object and nothing else",
                "name a file; nothing was done",
            )),
            output => Ok(output),
        }
    }

    /// Returns the same output, and refuses a file that this user cannot replace.
    pub(crate) fn writable(self) -> Result<Self, Problem> {
        if let Self::File { file, .. } = &self {
            must_be_writable(file)?;
        }
        Ok(self)
    }

    /// Whether the output is standard output.
    pub(crate) fn is_standard(&self) -> bool {
        matches!(self, Self::Standard)
    }

    /// Whether the output is a file, so that other files can be placed beside it.
    pub(crate) fn is_file(&self) -> bool {
        matches!(self, Self::File { .. })
    }

    /// Writes octets that everybody may read. Returns the path as it was named; `None` for standard output, whose
    /// octets the report writes.
    pub(crate) fn put(self, octets: &[u8]) -> Result<Option<PathBuf>, Problem> {
        match self {
            Self::Standard => Ok(None),
            Self::File { named, file } => {
                write_whole(&file, Mode::Public, Existing::Replace, |to| to.write_all(octets))
                    .map_err(not_written)?;
                Ok(Some(named))
            }
            Self::Stream { named, mut stream } => {
                let sent = stream.write_all(octets).and_then(|()| stream.flush());
                sent.map_err(|source| not_written(WriteError { path: named.clone(), source }))?;
                Ok(Some(named))
            }
        }
    }

    /// Writes what everybody may read while it is made, without holding it in memory. Returns the same as
    /// [`Output::put`]; for standard output nothing is made.
    pub(crate) fn put_made(
        self,
        make: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> Result<Option<PathBuf>, Problem> {
        let whole = |to: &mut File| {
            let mut to = BufWriter::new(to);
            make(&mut to)?;
            to.flush()
        };
        match self {
            Self::Standard => Ok(None),
            Self::File { named, file } => {
                write_whole(&file, Mode::Public, Existing::Replace, whole).map_err(not_written)?;
                Ok(Some(named))
            }
            Self::Stream { named, mut stream } => {
                whole(&mut stream)
                    .map_err(|source| not_written(WriteError { path: named.clone(), source }))?;
                Ok(Some(named))
            }
        }
    }

    /// Writes octets that everybody may read, without replacing a file. Returns the same as [`Output::put`].
    pub(crate) fn put_new(self, octets: &[u8]) -> Result<Option<PathBuf>, Problem> {
        match self {
            Self::File { named, file } => {
                write_whole(&file, Mode::Public, Existing::Keep, |to| to.write_all(octets))
                    .map_err(not_written)?;
                Ok(Some(named))
            }
            other => other.put(octets),
        }
    }

    /// Writes octets that only their owner may read, to an output of [`Output::private`]. Returns the same as
    /// [`Output::put`].
    pub(crate) fn put_private(self, octets: &[u8], force: bool) -> Result<Option<PathBuf>, Problem> {
        let Self::File { named, file } = self else { return self.put(octets) };
        let existing = if force { Existing::Replace } else { Existing::Keep };
        write_whole(&file, Mode::Private, existing, |to| to.write_all(octets)).map_err(not_written)?;
        Ok(Some(named))
    }
}

/// Writes several outputs that everybody may read. The files among them are replaced together.
pub(crate) fn put_all(outputs: Vec<(Output, Vec<u8>)>) -> Result<(), Problem> {
    let mut files = Vec::with_capacity(outputs.len());
    let mut others = Vec::new();
    for (output, contents) in outputs {
        match output {
            Output::File { file, .. } => {
                files.push(Replacement { path: file, contents, mode: Mode::Public });
            }
            other => others.push((other, contents)),
        }
    }
    replace_all(&files).map_err(not_written)?;
    others.into_iter().try_for_each(|(other, contents)| other.put(&contents).map(drop))
}

/// Returns the problem of a file outside of the home that could not be written.
pub(crate) fn not_written(error: WriteError) -> Problem {
    match (error.source.kind(), error.path.parent()) {
        (ErrorKind::AlreadyExists, _) => return taken(&error.path),
        (ErrorKind::NotFound, Some(directory)) => return no_directory(directory),
        _ => {}
    }
    let problem = Problem::new(Code::FileNotWritten, error.to_string());
    if is_of_another_user(&error.path, &error.source) {
        problem.hint(Access::SharedDirectory)
    } else {
        problem.hint("check the directory, its permissions and free space")
    }
}

/// Returns the problem of an output directory that does not exist.
pub(crate) fn no_directory(directory: &Path) -> Problem {
    let message = format!("the directory {} does not exist", directory.shown());
    Problem::new(Code::DirectoryMissing, message).hint("make it first; nothing was done")
}

/// Returns the problem of an existing file, which is not replaced.
pub(crate) fn taken(path: &Path) -> Problem {
    Problem::new(Code::FileExists, format!("{} exists already", path.shown()))
        .hint("move it away, or choose another name or --dir; nothing was written")
}

fn taken_already(path: &Path) -> Problem {
    taken(path).hint("move it away, or choose another with -o; nothing was done")
}

fn must_have_directory(file: &Path) -> Result<(), Problem> {
    let Some(parent) = file.parent().filter(|parent| !parent.as_os_str().is_empty()) else {
        return must_be_writable(file);
    };
    match fs::metadata(parent) {
        Ok(metadata) if metadata.is_dir() => must_be_writable(file),
        Err(source) if source.kind() == ErrorKind::PermissionDenied => {
            Err(not_written(WriteError { path: file.to_owned(), source }))
        }
        _ => Err(no_directory(parent)),
    }
}

/// Refuses a directory into which this user does not write. A file that is there is replaced by a new one, too.
fn must_be_writable(file: &Path) -> Result<(), Problem> {
    let parent = file.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    match accessat(CWD, parent, Rights::WRITE_OK | Rights::EXEC_OK, AtFlags::EACCESS) {
        Err(error @ (Errno::ACCESS | Errno::ROFS)) => {
            Err(not_written(WriteError { path: file.to_owned(), source: error.into() }))
        }
        _ => Ok(()),
    }
}

/// Returns the file that a path names, existing or not, at the end of its links; none for what is no file. Nothing is
/// opened.
pub(crate) fn file_at(path: &Path) -> Option<PathBuf> {
    if path == Path::new("-") {
        return None;
    }
    match fs::metadata(path) {
        Ok(metadata) if is_standard_output(&metadata) || !metadata.is_file() => None,
        Ok(_) if is_link(path) => fs::canonicalize(path).ok(),
        Ok(_) => Some(path.to_owned()),
        Err(_) => Some(end_of_links(path)),
    }
}

fn is_link(path: &Path) -> bool {
    path.symlink_metadata().is_ok_and(|metadata| metadata.is_symlink())
}

/// Whether the file is the one that standard output goes to. Replacing it would lose its contents and all later
/// output.
fn is_standard_output(metadata: &Metadata) -> bool {
    let own = io::stdout().as_fd().try_clone_to_owned().map(File::from).and_then(|file| file.metadata());
    own.is_ok_and(|own| (own.dev(), own.ino()) == (metadata.dev(), metadata.ino()))
}

/// Returns the target of dangling links; the path itself when it is no link.
fn end_of_links(path: &Path) -> PathBuf {
    let mut end = path.to_owned();
    for _ in 0..MOST_LINKS {
        match fs::read_link(&end) {
            Ok(next) => end = end.parent().unwrap_or(Path::new("")).join(next),
            Err(_) => break,
        }
    }
    end
}

/// Opens a FIFO or device for writing, without waiting for a reader.
fn stream(path: &Path) -> Result<File, Problem> {
    let failed = |error: rustix::io::Errno| match error {
        rustix::io::Errno::NXIO => {
            let message =
                format!("{} is a FIFO that nobody reads, or a device that is not there", path.shown());
            Problem::new(Code::FileNotWritten, message).hint("start its reader first; nothing was written")
        }
        other => not_written(WriteError { path: path.to_owned(), source: other.into() }),
    };
    let flags = OFlags::WRONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let stream = File::from(open(path, flags, NoMode::empty()).map_err(failed)?);
    fcntl_setfl(&stream, OFlags::empty()).map_err(failed)?;
    match stream.metadata() {
        Ok(metadata) if metadata.file_type().is_fifo() || metadata.file_type().is_char_device() => Ok(stream),
        Ok(metadata) => Err(no_place(path, &metadata)),
        Err(source) => Err(not_written(WriteError { path: path.to_owned(), source })),
    }
}

/// Returns the problem of something that can neither be replaced nor written.
fn no_place(path: &Path, metadata: &Metadata) -> Problem {
    let (what, hint) = kind_of(metadata);
    Problem::new(Code::FileNotAFile, format!("{} is {what}", path.shown())).hint(hint)
}

/// Returns the kind of a file, and what to name in its place.
fn kind_of(metadata: &Metadata) -> (&'static str, &'static str) {
    let kind = metadata.file_type();
    if kind.is_dir() {
        ("a directory", "name the file in it")
    } else if kind.is_symlink() {
        ("a symbolic link", "name the file itself")
    } else if kind.is_socket() {
        ("a socket", "name a file, or - for standard output")
    } else if kind.is_block_device() {
        ("a block device", "name a file, or - for standard output")
    } else if kind.is_fifo() {
        ("a FIFO", "name a file")
    } else {
        ("a device", "name a file")
    }
}
