//! Putting right what a command that was cut short left behind.
use super::Pki;
use crate::problem::Problem;

/// What was put right.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Recovered {
    /// Certificates that were intended and may have been signed: they count as revoked now.
    pub abandoned: usize,
}

impl Pki<'_> {
    /// Abandons what a command recorded and did not live to sign. While another command is signing, nothing
    /// is touched; the next one looks again.
    ///
    /// # Errors
    /// When the index fails.
    pub fn recover(&self) -> Result<Recovered, Problem> {
        let pending = self.index.pending()?;
        if pending.is_empty() {
            return Ok(Recovered::default());
        }
        let Some(_alone) = self.index.nobody_is_signing()? else { return Ok(Recovered::default()) };
        let now = self.clock.now();
        let authorities = self.index.authorities()?;
        let pending: Vec<_> = self
            .index
            .pending()?
            .into_iter()
            .map(|id| {
                let name = authorities
                    .iter()
                    .find(|authority| authority.issuer == id.issuer)
                    .map_or("", |authority| authority.name.as_str());
                let event = self.event(now, "certificate.abandoned", format!("{name}/{}", id.serial_number));
                (id, event)
            })
            .collect();
        let abandoned = self.index.abandon(&pending)?;
        if abandoned > 0 {
            self.status.publish_status(self.index, now)?;
        }
        Ok(Recovered { abandoned })
    }
}
