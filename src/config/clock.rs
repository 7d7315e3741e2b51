//! `[clock]`: within which bounds the clock is trusted.
use super::sections::{DAY, span};
use crate::document::Section;

/// `[clock]`
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ClockConfig {
    /// Seconds after the last confirmed time up to which unattended commands trust the clock.
    pub trust: i64,
}

impl Default for ClockConfig {
    fn default() -> Self {
        Self { trust: 30 * DAY }
    }
}

impl ClockConfig {
    pub(super) fn read(section: &mut Section) -> Self {
        Self { trust: span(section, "trust", DAY, 366 * DAY).unwrap_or(Self::default().trust) }
    }
}
