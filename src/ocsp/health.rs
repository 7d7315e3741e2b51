//! Logs what the daemon lacks, once when it appears and once when it is mended, and when the daemon is ready.
use super::readiness::{lacking, unreadiness};
use super::settings::ResponderSettings;
use super::snapshot::Snapshot;
use crate::x509::UnixTime;
use std::collections::BTreeMap;

/// Seconds for which something has to be lacking before it is logged. While a new CA is published, its responder
/// certificate and its CRL come a moment after it.
const GRACE: i64 = 3;

/// What is lacking, and what of it was logged.
#[derive(Debug, Default)]
pub(crate) struct Health {
    lacks: BTreeMap<String, Lack>,
    /// Whether `ready` was the last that was logged; `None` before the first look.
    is_ready: Option<bool>,
}

#[derive(Debug)]
struct Lack {
    since: UnixTime,
    /// Whether the daemon is not ready because of it.
    is_reason: bool,
    is_logged: bool,
}

impl Health {
    /// Looks at the files in use, and logs what has changed since the last look. At the first look there is no grace.
    pub(crate) fn look(&mut self, snapshot: &Snapshot, settings: &ResponderSettings, now: UnixTime) {
        let reasons = unreadiness(snapshot, settings, now);
        let is_ready = reasons.is_empty();
        let found: BTreeMap<String, bool> = lacking(snapshot, now)
            .into_iter()
            .map(|sentence| (sentence, false))
            .chain(reasons.into_iter().map(|sentence| (sentence, true)))
            .collect();
        self.lacks.retain(|sentence, lack| {
            let is_there = found.contains_key(sentence);
            if !is_there && lack.is_logged {
                tracing::info!("mended: {sentence}");
            }
            is_there
        });
        for (sentence, is_reason) in found {
            let lack = self.lacks.entry(sentence).or_insert(Lack { since: now, is_reason, is_logged: false });
            // a clock that was set back begins the time anew
            lack.since = lack.since.min(now);
        }
        let grace = if self.is_ready.is_none() { 0 } else { GRACE };
        for (sentence, lack) in &mut self.lacks {
            if lack.is_logged || now.0.saturating_sub(lack.since.0) < grace {
                continue;
            }
            lack.is_logged = true;
            if lack.is_reason {
                tracing::error!("not ready: {sentence}");
                self.is_ready = Some(false);
            } else {
                tracing::error!("{sentence}");
            }
        }
        if is_ready && self.is_ready != Some(true) {
            self.is_ready = Some(true);
            tracing::info!("ready");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ocsp::fixture::{Hierarchy, NOW};
    use std::io::{self, Write};
    use std::sync::{Arc, Mutex};

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl Write for Lines {
        fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend(octets);
            Ok(octets.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Lines {
        /// Returns what `act` logs.
        fn of(&self, act: impl FnOnce()) -> String {
            let lines = self.clone();
            let subscriber = tracing_subscriber::fmt()
                .with_writer(move || lines.clone())
                .without_time()
                .with_target(false)
                .with_ansi(false)
                .finish();
            tracing::subscriber::with_default(subscriber, act);
            String::from_utf8(std::mem::take(&mut self.0.lock().unwrap())).unwrap()
        }
    }

    #[test]
    fn what_is_lacking_is_logged_once_and_once_when_it_is_mended_and_ready_only_when_it_is_so() {
        // O13
        let (hierarchy, lines) = (Hierarchy::new(), Lines::default());
        let settings = ResponderSettings::default();
        let whole = hierarchy.snapshot();
        let bare = hierarchy.snapshot_of(hierarchy.status(), Vec::new());
        let mut health = Health::default();
        let mut look =
            |snapshot: &Snapshot, after: i64| lines.of(|| health.look(snapshot, &settings, NOW.plus(after)));
        let first = look(&bare, 0);
        assert!(first.contains("ERROR not ready: ca has no valid responder certificate"), "{first}");
        assert!(first.contains("ERROR the CRL of ca is missing") && !first.contains("INFO"), "{first}");
        assert_eq!(look(&bare, 100), "");
        let mended = look(&whole, 101);
        let ready = "INFO mended: ca has no valid responder certificate\n INFO ready\n";
        assert!(mended.contains(ready), "{mended}");
        assert_eq!(look(&bare, 200), "", "it may be there in a moment");
        assert_eq!(look(&whole, 201), "");
        assert_eq!(look(&bare, 300), "");
        assert!(look(&bare, 303).contains("not ready: "));
        assert_eq!(look(&bare, 304), "");
        assert!(look(&whole, 305).contains("INFO ready"));
        let lapsed = lines.of(|| Health::default().look(&whole, &settings, NOW.plus_days(29).plus(1)));
        assert!(lapsed.contains("not ready: ca has no valid responder certificate"), "{lapsed}");
    }
}
