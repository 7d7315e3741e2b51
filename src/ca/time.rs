//! The time at which something is signed (X2).
use super::Pki;
use crate::index::IndexError;
use crate::problem::Problem;
use crate::x509::UnixTime;

/// How often another process may record something between our look at the clock and our turn at the index.
const OVERTAKEN: usize = 100;

impl Pki<'_> {
    /// The time, when it may be signed at: not before the newest record.
    ///
    /// # Errors
    /// Exit status 13 when the clock stands behind the newest record.
    pub fn signing_time(&self) -> Result<UnixTime, Problem> {
        self.in_time(|now| match self.index.newest_record()? {
            Some(newest) if now < newest => Err(IndexError::ClockBehind { now, newest }),
            _ => Ok(now),
        })
    }

    /// Records something at the time of the clock. Where another process recorded something later while this
    /// one waited for its turn, the clock has moved on too, and it is done again with its new time.
    pub(super) fn in_time<T>(
        &self,
        mut record: impl FnMut(UnixTime) -> Result<T, IndexError>,
    ) -> Result<T, Problem> {
        let mut outcome = record(self.clock.now());
        for _ in 0..OVERTAKEN {
            match &outcome {
                Err(IndexError::ClockBehind { newest, .. }) if self.clock.now() >= *newest => {
                    outcome = record(self.clock.now());
                }
                _ => break,
            }
        }
        Ok(outcome?)
    }
}
