//! Private keys of other programs, in descriptors that a client opened and did not read.
use super::answers::{Answer, Signer, signer};
use crate::error::Shown as _;
use crate::signer::protocol::{Failure, Frame, Reply, WireFound, WirePath, WireSource};
use crate::signing::{
    KeyError, KeyFile, KeyPlace, MoveKeyFiles, OpenedKey, Secret, SecretPurpose, open_with, unarmored,
};
use crate::subscriber_key::{ForeignKey, has_private_key, without_private_keys};
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsFd as _, OwnedFd};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use zeroize::Zeroizing;

/// Bound of the file of a foreign key, in octets.
const LARGEST: u64 = 1024 * 1024;
/// What a larger file is looked through in, in octets.
const PIECE: usize = 64 * 1024;
/// What a private key in PEM has in its first line.
const MARKER: &[u8] = b"PRIVATE KEY-----";

/// Time for the other end of a pipe to write all of it.
const PATIENCE: Duration = Duration::from_secs(120);

/// What a client handed over: a file, or a pipe that nobody waits for without end.
struct HandedOver {
    file: File,
    end: Instant,
}

impl HandedOver {
    fn within(descriptor: OwnedFd, patience: Duration) -> Self {
        Self { file: File::from(descriptor), end: Instant::now() + patience }
    }
}

impl Read for HandedOver {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let left = self.end.saturating_duration_since(Instant::now());
            let limit = PollTimeout::try_from(left).unwrap_or(PollTimeout::MAX);
            match poll(&mut [PollFd::new(self.file.as_fd(), PollFlags::POLLIN)], limit) {
                Ok(0) => return Err(io::ErrorKind::TimedOut.into()),
                Ok(_) => return self.file.read(buffer),
                Err(Errno::EINTR) => {}
                Err(errno) => return Err(errno.into()),
            }
        }
    }
}

/// A key in a file of another program, or in a key file of another signer.
pub(super) enum Found {
    /// PKCS#8, PKCS#1 or SEC 1.
    Foreign(ForeignKey),
    /// `age-encryption.org/v1`, as the keys here are.
    Age(Vec<u8>),
}

impl Found {
    /// Returns whether a passphrase, or an identity, is needed to open it.
    pub(super) fn is_encrypted(&self) -> bool {
        match self {
            Self::Foreign(key) => key.is_encrypted(),
            Self::Age(_) => true,
        }
    }

    /// Opens it, with a secret where it is encrypted. A store opens a file of age.
    pub(super) fn open(
        &self,
        path: &Path,
        files: &dyn MoveKeyFiles,
        secret: Option<&Secret>,
    ) -> Result<OpenedKey, KeyError> {
        let given = || secret.cloned().ok_or_else(|| KeyError::InputNeeded(path.shown().to_string()));
        match self {
            Self::Foreign(key) => key.open(path, &mut || given()),
            Self::Age(octets) => files.open_foreign(path, octets, &given()?),
        }
    }
}

/// Writes the form, never the key.
impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Foreign(key) => key.fmt(f),
            Self::Age(_) => f.write_str("age"),
        }
    }
}

/// Reads the private key behind a descriptor.
pub(super) fn found(descriptor: OwnedFd, path: &Path) -> Result<Found, KeyError> {
    let octets = read(&mut HandedOver::within(descriptor, PATIENCE), path)?;
    if is_too_large(&octets) {
        return Err(too_large(path));
    }
    if KeyFile::has_key(&octets) {
        return Ok(Found::Age(unarmored(octets.to_vec())));
    }
    let found = ForeignKey::find(&octets, path)?;
    found.map(Found::Foreign).ok_or_else(|| KeyError::NotFound(KeyPlace::File(path.to_owned())))
}

/// Reads a file from where its descriptor stands, up to one octet more than a key may have.
fn read(from: &mut impl Read, path: &Path) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    // large enough at the beginning, so that nothing of a key stays in freed memory
    let mut octets = Zeroizing::new(Vec::with_capacity(64 * 1024));
    from.take(LARGEST + 1).read_to_end(&mut octets).map_err(|error| unread(path, &error))?;
    Ok(octets)
}

fn unread(path: &Path, error: &io::Error) -> KeyError {
    KeyError::Malformed(format!("{} cannot be read: {error}", path.shown()))
}

fn too_large(path: &Path) -> KeyError {
    KeyError::Malformed(format!("{} is too large for a key", path.shown()))
}

fn is_too_large(octets: &[u8]) -> bool {
    u64::try_from(octets.len()).is_ok_and(|length| length > LARGEST)
}

impl Signer {
    /// Reads and decrypts the private key in a descriptor.
    pub(super) fn read_foreign(
        &self,
        descriptors: Vec<OwnedFd>,
        file: WirePath,
        old: Option<WireSource>,
    ) -> Answer {
        let [descriptor] = <[OwnedFd; 1]>::try_from(descriptors)
            .map_err(|_| signer("a key is handed over as one open descriptor"))?;
        let path = PathBuf::from(file);
        let found = found(descriptor, &path)?;
        let files = self.parts.vaults.iter().find_map(|vault| vault.moving());
        let files = files.ok_or_else(|| signer("it has no store of files of keys"))?;
        let open = |ask: &mut dyn FnMut() -> Result<Secret, KeyError>| {
            let secret = found.is_encrypted().then(ask).transpose()?;
            found.open(&path, files, secret.as_ref())
        };
        let purpose = SecretPurpose::Open(format!("the old key {}", path.shown()));
        let own = match (old, &self.parts.source) {
            (Some(old), Some(source)) => Some(source(old.into())),
            (Some(_), None) => return Err(signer("it takes no source of passphrases from a client")),
            (None, _) => None,
        };
        let sources = own.as_ref().or(self.parts.sources.as_ref());
        let opened = match sources {
            Some(sources) => open_with(sources, &purpose, open)?,
            None => open(&mut || Err(KeyError::InputNeeded(purpose.key().to_owned())))?,
        };
        let public_key = opened.public_key().as_der().to_vec();
        let number = self.foreign.put(opened)?;
        Ok(Frame::with(Reply::Foreign { number, form: found.to_string() }, vec![public_key]))
    }
}

/// Looks for private keys in descriptors, one for each of these files. What has one is told without it.
pub(super) fn find_keys(descriptors: &[OwnedFd], files: Vec<WirePath>) -> Answer {
    if descriptors.len() != files.len() {
        return Err(signer("each file is handed over as one open descriptor"));
    }
    let (mut found, mut parts) = (Vec::new(), Vec::new());
    for (descriptor, path) in descriptors.iter().zip(files) {
        let (one, beside) = look_into(descriptor, &PathBuf::from(path));
        found.push(one);
        parts.extend(beside.into_iter().flatten());
    }
    Ok(Frame::with(Reply::Found { files: found }, parts))
}

/// Returns what is in a file, and for one with a key what else is in it with the public key.
fn look_into(descriptor: &OwnedFd, path: &Path) -> (WireFound, Option<[Vec<u8>; 2]>) {
    let not_read = |error: KeyError| (WireFound::NotRead(error.into()), None);
    let mut file = match descriptor.try_clone() {
        Ok(descriptor) => HandedOver::within(descriptor, PATIENCE),
        Err(error) => return not_read(unread(path, &error)),
    };
    let octets = match read(&mut file, path) {
        Ok(octets) => octets,
        Err(error) => return not_read(error),
    };
    let unusable =
        |error: KeyError, others| (WireFound::Unusable(Failure::from(error)), Some([others, Vec::new()]));
    if is_too_large(&octets) {
        return match goes_on_with_a_key(&octets, &mut file) {
            Ok(true) => unusable(too_large(path), Vec::new()),
            Ok(false) => (WireFound::NoKey, None),
            Err(error) => not_read(unread(path, &error)),
        };
    }
    if !has_private_key(&octets) {
        return (WireFound::NoKey, None);
    }
    let others = without_private_keys(&octets);
    let key = match ForeignKey::find(&octets, path) {
        Ok(Some(key)) => key,
        Ok(None) => return unusable(KeyError::NotFound(KeyPlace::File(path.to_owned())), others),
        Err(error) => return unusable(error, others),
    };
    if key.is_encrypted() {
        return (WireFound::Key(key.to_string()), Some([others, Vec::new()]));
    }
    // nobody is asked for a key that is not encrypted
    match key.open(path, &mut || Err(KeyError::InputNeeded(String::new()))) {
        Ok(opened) => {
            let public_key = opened.public_key().as_der().to_vec();
            (WireFound::Key(key.to_string()), Some([others, public_key]))
        }
        Err(error) => unusable(error, others),
    }
}

/// Returns whether there is the first line of a private key in these octets and the rest of the file.
fn goes_on_with_a_key(begun: &[u8], file: &mut impl Read) -> io::Result<bool> {
    let mut seen = Zeroizing::new(begun.to_vec());
    loop {
        if seen.windows(MARKER.len()).any(|part| part == MARKER) {
            return Ok(true);
        }
        // a line may be cut in two
        let kept = seen.len().saturating_sub(MARKER.len());
        seen.drain(..kept);
        let before = seen.len();
        file.by_ref().take(u64::try_from(PIECE).unwrap_or(u64::MAX)).read_to_end(&mut seen)?;
        if seen.len() == before {
            return Ok(false);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    const PEM_KEY: &str = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";

    fn seen(contents: &[u8]) -> (WireFound, Vec<u8>) {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("file");
        fs::write(&path, contents).unwrap();
        let opened = OwnedFd::from(File::open(&path).unwrap());
        let answer = find_keys(&[opened], vec![path.as_path().into()]).unwrap();
        let Reply::Found { mut files } = answer.message else { panic!("{:?}", answer.message) };
        (files.remove(0), answer.parts.into_iter().next().unwrap_or_default())
    }

    #[test]
    fn what_is_beside_a_key_comes_without_it() {
        // K1
        let certificate = "-----BEGIN CERTIFICATE-----\nBBBB\n-----END CERTIFICATE-----";
        let (found, others) = seen(format!("text\n{PEM_KEY}{certificate}\nmore\n").as_bytes());
        assert!(matches!(found, WireFound::Unusable(_)), "{found:?}");
        assert_eq!(String::from_utf8(others).unwrap().trim(), certificate);
        // a certificate without an end does not take the key along
        let (_, others) = seen(format!("-----BEGIN CERTIFICATE-----\nBBBB\n{PEM_KEY}").as_bytes());
        assert_eq!(String::from_utf8(others).unwrap(), "-----BEGIN CERTIFICATE-----\nBBBB\n");
    }

    #[test]
    fn a_pipe_that_nobody_writes_is_not_waited_for_without_end() {
        let (reading, writing) = io::pipe().unwrap();
        rustix::io::write(&writing, b"-----BEGIN").unwrap();
        let mut pipe = HandedOver::within(reading.into(), Duration::from_millis(200));
        let Err(KeyError::Malformed(reason)) = read(&mut pipe, Path::new("pipe")) else {
            panic!("it was read to its end")
        };
        assert!(reason.contains("timed out"), "{reason}");
        let (reading, writing) = io::pipe().unwrap();
        rustix::io::write(&writing, PEM_KEY.as_bytes()).unwrap();
        drop(writing);
        let mut pipe = HandedOver::within(reading.into(), PATIENCE);
        assert_eq!(**read(&mut pipe, Path::new("pipe")).unwrap(), *PEM_KEY.as_bytes());
    }

    #[test]
    fn a_key_is_found_wherever_it_is_in_a_file_and_whatever_else_is_there() {
        let mut large = vec![b'\n'; usize::try_from(LARGEST).unwrap() + 3 * PIECE];
        assert_eq!(seen(&large).0, WireFound::NoKey);
        for at in [0, PIECE - 5, large.len() - 7] {
            let mut with = large.clone();
            with.splice(at..at, PEM_KEY.bytes());
            assert!(matches!(seen(&with).0, WireFound::Unusable(_)), "{at}");
        }
        large.truncate(10);
        let latin = [&b"caf\xe9\n"[..], PEM_KEY.as_bytes()].concat();
        assert!(matches!(seen(&latin).0, WireFound::Unusable(_)));
        assert_eq!(seen(b"V\t260101000000Z\n").0, WireFound::NoKey);
        assert_eq!(seen(b"").0, WireFound::NoKey);
    }
}
