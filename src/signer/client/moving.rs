//! Keys that move between the child of a command and the signer that listens. What is handed over is an open file, which
//! this process does not read.
use super::administering::limits_in;
use super::keys::{RemoteKeys, unexpected};
use crate::failpoint;
use crate::index::KeyLocation;
use crate::signer::protocol::{Failure, Frame, MOST_SERIALS, Reply, Request, WireKey, put_serial, serials};
use crate::signing::{
    AwaitedKey, ComingKey, KeyBelongings, KeyError, KeyHolder, KeyRef, MoveKeys, ProposedEnvelope,
    UsedElsewhere,
};
use crate::x509::extension::CrlNumber;
use crate::x509::{Certificate, UnixTime};

/// Returns the envelope and the certificates of a key that is to come, one a part.
fn parts_of(coming: &ComingKey) -> Vec<Vec<u8>> {
    let envelope = coming.envelope.clone().unwrap_or_default().into_bytes();
    let certificates = coming.certificates.iter().map(|one| one.as_der().to_vec());
    std::iter::once(envelope).chain(certificates).collect()
}

fn text(part: Vec<u8>) -> Result<String, KeyError> {
    String::from_utf8(part).map_err(|_| unexpected().into())
}

impl RemoteKeys {
    fn moved(&self, key: &KeyRef, request: impl FnOnce(WireKey) -> Request) -> Result<bool, KeyError> {
        match self.ask(key, request)?.message {
            Reply::Moved { moved } => Ok(moved),
            _ => Err(unexpected().into()),
        }
    }

    fn told_of(&self, key: &KeyRef, request: Request, part: Vec<u8>) -> Result<(), KeyError> {
        match self.link(key)?.ask(Frame::with(request, vec![part]))?.message {
            Reply::Done => Ok(()),
            _ => Err(unexpected().into()),
        }
    }
}

impl MoveKeys for RemoteKeys {
    fn reference_at(&self, key: &KeyRef, holder: KeyHolder) -> Option<KeyRef> {
        key.file_stem()?;
        let (KeyLocation::File(name) | KeyLocation::FileOfService(name)) = key.location() else {
            return None;
        };
        Some(key.moved_to(match holder {
            KeyHolder::Home => KeyLocation::File(name),
            KeyHolder::Service => KeyLocation::FileOfService(name),
        }))
    }

    fn belongings(&self, key: &KeyRef) -> Result<KeyBelongings, KeyError> {
        let answer = self.ask(key, |key| Request::Belongings { key })?;
        let Reply::Belongings { mark } = answer.message else { return Err(unexpected().into()) };
        let mut parts = answer.parts.into_iter();
        let envelope = text(parts.next().unwrap_or_default())?;
        let certificates = parts.map(|octets| Certificate::from_der(&octets));
        let certificates = certificates.collect::<Result<_, _>>().map_err(|error| {
            KeyError::Signer(format!("it gave a certificate of a CA that is none: {error}"))
        })?;
        Ok(KeyBelongings { mark, envelope: Some(envelope).filter(|text| !text.is_empty()), certificates })
    }

    fn propose(&self, coming: &ComingKey) -> Result<ProposedEnvelope, KeyError> {
        let (profile, urls) = (coming.profile.clone(), coming.urls.clone());
        let request = Request::Propose { key: self.wire(&coming.key)?, profile, urls };
        let answer = self.link(&coming.key)?.ask(Frame::with(request, parts_of(coming)))?;
        let (Reply::Proposed { is_here }, Ok(part)) = (answer.message.clone(), answer.only_part()) else {
            return Err(unexpected().into());
        };
        let text = text(part)?;
        Ok(ProposedEnvelope { limits: limits_in(&text)?, text, is_here })
    }

    fn hand_over(&self, from: &KeyRef, coming: &ComingKey) -> Result<(), KeyError> {
        let left = self.ask(from, |key| Request::Leave { key })?;
        if left.message != Reply::Done || left.descriptors.len() != 1 {
            return Err(unexpected().into());
        }
        failpoint::passed("key: handed out");
        let request = Request::Come { key: self.wire(&coming.key)?, profile: coming.profile.clone() };
        let frame = Frame { message: request, parts: parts_of(coming), descriptors: left.descriptors };
        match self.link(&coming.key)?.ask(frame)?.message {
            Reply::Done => Ok(()),
            _ => Err(unexpected().into()),
        }
    }

    fn hand_memory_over(
        &self,
        from: &KeyRef,
        to: &KeyRef,
        until: UnixTime,
        mark: CrlNumber,
    ) -> Result<(), KeyError> {
        let mut after = Vec::new();
        loop {
            let request = Request::Used { key: self.wire(from)? };
            let answer = self.link(from)?.ask(Frame::with(request, vec![after]))?;
            let part = answer.parts.into_iter().next().ok_or_else(|| KeyError::from(unexpected()))?;
            let used = serials(&part).map_err(|failure: Failure| KeyError::from(failure))?;
            // once for the CRL number, also where no certificate was signed
            let last = used.is_empty();
            let claim = Request::Claim { key: self.wire(to)?, until: until.0, mark, last, unlisted: false };
            self.told_of(to, claim, part)?;
            let Some(last) = used.last() else { return Ok(()) };
            after = Vec::new();
            put_serial(&mut after, last);
        }
    }

    fn awaited(&self, authority: &str) -> Result<Option<AwaitedKey>, KeyError> {
        if !self.has_service() {
            return Ok(None);
        }
        let key = KeyRef::at(KeyLocation::FileOfService(&format!("{authority}.age")));
        let answer = self.ask(&key, |key| Request::Awaited { key })?;
        let Reply::Awaited { settled, profile } = answer.message.clone() else {
            return Err(unexpected().into());
        };
        if answer.parts.is_empty() {
            return Ok(None);
        }
        let identity = answer.only_part().map_err(|_| KeyError::from(unexpected()))?;
        let identity = <[u8; 32]>::try_from(identity).map_err(|_| KeyError::from(unexpected()))?;
        let key = KeyRef { identity: Some(identity), ..key };
        Ok(Some(AwaitedKey { key, profile, is_settled: settled }))
    }

    fn tell_used(&self, key: &KeyRef, used: &UsedElsewhere<'_>) -> Result<(), KeyError> {
        let mut groups = used.serials.chunks(MOST_SERIALS).peekable();
        loop {
            let group = groups.next().unwrap_or_default();
            let last = groups.peek().is_none();
            let (until, mark) = (used.until.0, used.crl_number);
            let claim = Request::Claim { key: self.wire(key)?, until, mark, last, unlisted: true };
            let mut part = Vec::new();
            group.iter().for_each(|serial| put_serial(&mut part, serial));
            self.told_of(key, claim, part)?;
            if last {
                return Ok(());
            }
        }
    }

    fn file_on_media(&self, key: &KeyRef) -> Result<Option<String>, KeyError> {
        match self.ask(key, |key| Request::OnMedia { key })?.message {
            Reply::OnMedia { digest } => Ok(digest),
            _ => Err(unexpected().into()),
        }
    }

    fn settle(&self, key: &KeyRef) -> Result<bool, KeyError> {
        self.moved(key, |key| Request::Settle { key })
    }

    fn remove_moved(&self, key: &KeyRef) -> Result<bool, KeyError> {
        self.moved(key, |key| Request::Depart { key })
    }
}
