//! The names of the signer's own copies: they follow the name of the key, and a key in a token has none.
use super::{Copies, WAIT, WITHOUT_NAME, is_hexadecimal, unusable};
use crate::failpoint;
use crate::home::{Mode, ReadError, Writing, read_file, replace_alone, sync_directory};
use crate::signer::{KeyEnvelope, Refusal};
use crate::signing::{KeyRef, UsedSerials};
use crate::x509::SubjectPublicKeyInfo;
use std::path::Path;
use std::{fs, io};

impl Copies {
    /// Returns the public keys whose files here are not called as their CAs are: they are in tokens.
    pub(crate) fn without_names(&self) -> Vec<SubjectPublicKeyInfo> {
        let is_without = |stem: &str| {
            let digest = stem.strip_prefix(WITHOUT_NAME);
            digest.is_some_and(|digest| digest.len() == 16 && is_hexadecimal(digest))
        };
        let without = self.files.iter().filter(|(stem, _)| is_without(stem));
        without.filter_map(|(_, own)| own.first()).map(|one| one.tbs().public_key().clone()).collect()
    }

    /// Returns the serial numbers that a key has used elsewhere, where they came with it to a medium.
    ///
    /// # Errors
    /// When the file of them cannot be read, or has something else.
    pub(crate) fn used(&self, key: &KeyRef) -> Result<Option<UsedSerials>, Refusal> {
        let Some(name) = key.file_stem() else { return Ok(None) };
        let file = format!("{name}.{}", UsedSerials::ENDING);
        let path = self.directory.join(&file);
        let read = |path: &Path| match read_file(path, UsedSerials::LARGEST) {
            Err(ReadError::Io(error)) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            octets => octets.map(Some).map_err(|error| unusable(path, error)),
        };
        let (contents, manifest) = (read(&path)?, read(&self.directory.join(UsedSerials::MANIFEST))?);
        UsedSerials::of_medium((&file, contents), manifest.as_deref()).map_err(|error| unusable(&path, error))
    }

    /// Gives the files of a key the name that it gets. What another key is called by is left alone.
    ///
    /// # Errors
    /// When they cannot be renamed; a part of them may be, and the same is done again.
    pub(crate) fn rename(&self, from: &KeyRef, to: &KeyRef, identity: &[u8; 32]) -> Result<(), Refusal> {
        self.check(from, Some(*identity), false)?;
        let (Some(from), Some(to)) = (from.file_stem(), to.file_stem()) else { return Ok(()) };
        let (from, to) = (from.to_string(), to.to_string());
        let is_own = |stem: &String| {
            let own = self.files.get(stem).and_then(|own| own.first());
            own.is_some_and(|one| one.tbs().public_key().digest() == *identity)
        };
        let is_there = |stem: &String| self.files.contains_key(stem) || self.damaged.contains_key(stem);
        if from == to {
            return Ok(());
        }
        if is_own(&to) && !is_there(&from) {
            // one that was killed may have left the envelope under the name before
            return self.remove_former(&self.envelope_path(&from), &self.envelope_path(&to));
        }
        if !is_own(&from) || is_there(&to) {
            return Ok(());
        }
        let alone =
            Writing::alone(&self.directory, WAIT).map_err(|error| unusable(&self.directory, error))?;
        // by the certificates it is seen which files a key has: before they are renamed the former envelope counts
        let (former, new) = (self.envelope_path(&from), self.envelope_path(&to));
        match read_file(&former, KeyEnvelope::LARGEST) {
            Ok(envelope) => replace_alone(&alone, &new, &envelope, Mode::Private)
                .map_err(|error| unusable(&new, error))?,
            Err(ReadError::Io(error)) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(unusable(&former, error)),
        }
        failpoint::passed("signer: envelope has its new name");
        let (certificates, renamed) = (self.certificates_path(&from), self.certificates_path(&to));
        fs::rename(&certificates, &renamed).map_err(|error| unusable(&certificates, error))?;
        failpoint::passed("signer: certificates have their new name");
        sync_directory(&self.directory).map_err(|error| unusable(&self.directory, error.source))?;
        drop(alone);
        self.remove_former(&former, &new)
    }

    /// Removes an envelope that is under a new name too. Another one is left alone.
    fn remove_former(&self, former: &Path, new: &Path) -> Result<(), Refusal> {
        let read = |path: &Path| match read_file(path, KeyEnvelope::LARGEST) {
            Err(ReadError::Io(error)) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            octets => octets.map(Some).map_err(|error| unusable(path, error)),
        };
        let Some(left) = read(former)? else { return Ok(()) };
        if read(new)?.as_ref() == Some(&left) {
            fs::remove_file(former).map_err(|error| unusable(former, error))?;
            sync_directory(&self.directory).map_err(|error| unusable(&self.directory, error.source))?;
            failpoint::passed("signer: former envelope removed");
        }
        Ok(())
    }

    /// Refuses a key that looks as if it had never been used, and whose name an envelope here has: the certificates of its
    /// CA are lost. Another envelope could be wider.
    ///
    /// # Errors
    /// When there is such an envelope.
    pub(crate) fn must_have_no_envelope(&self, key: &KeyRef) -> Result<(), Refusal> {
        let Some(name) = key.file_stem().map(|name| name.to_string()) else { return Ok(()) };
        let (certificates, envelope) = (self.certificates_path(&name), self.envelope_path(&name));
        match envelope.exists() && !certificates.exists() {
            true => Err(unusable(
                &certificates,
                format!("it is missing, and {name}.{} beside it is there", KeyEnvelope::ENDING),
            )),
            false => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::signer::admit::tests::name;
    use crate::testing::{CertificateBuilder, TestKey};
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn a_key_that_gets_another_name_takes_its_certificates_and_its_envelope_along() {
        let directory = tempfile::tempdir().unwrap();
        fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o700)).unwrap();
        let own = TestKey::p256();
        let certificate = CertificateBuilder::new(&name("CN=Root"), own.public_key()).signed_by(&own);
        let (public_key, identity) = (own.public_key(), own.public_key().digest());
        let of = |name: &str| KeyRef { identity: None, uri: format!("age:{name}.age") };
        let read = || Copies::read(directory.path()).unwrap();
        let mut copies = read();
        copies.add(&of("first"), &certificate);
        copies.keep(&of("first"), public_key).unwrap();
        let envelope = KeyEnvelope::made_for(&certificate, "root-ca", None);
        copies.put_envelope(&of("first"), public_key, &envelope).unwrap();
        assert_eq!(read().key_named(&of("first")).as_ref(), Some(public_key));

        // another key is not meant
        read().rename(&of("first"), &of("second"), &[7; 32]).unwrap();
        assert!(read().key_named(&of("second")).is_none());
        // as one that was killed in between left it
        fs::copy(directory.path().join("first.envelope.toml"), directory.path().join("second.envelope.toml"))
            .unwrap();
        assert!(read().must_have_no_envelope(&of("second")).is_err(), "and not taken for an unused one");
        for _ in 0..2 {
            read().rename(&of("first"), &of("second"), &identity).unwrap();
            assert!(read().key_named(&of("first")).is_none());
            assert_eq!(read().key_named(&of("second")).as_ref(), Some(public_key));
            assert_eq!(read().envelope(&of("second"), public_key).unwrap(), Some(envelope.clone()));
            // as one that was killed late left it
            fs::copy(
                directory.path().join("second.envelope.toml"),
                directory.path().join("first.envelope.toml"),
            )
            .unwrap();
        }
        read().rename(&of("first"), &of("second"), &identity).unwrap();
        let mut left: Vec<_> =
            fs::read_dir(directory.path()).unwrap().map(|one| one.unwrap().file_name()).collect();
        left.sort();
        assert_eq!(left, ["second.envelope.toml", "second.pem"]);
        read().must_have_no_envelope(&of("first")).unwrap();
    }
}
