//! What is asked of a CA.
use crate::index::NewAuthority;
use crate::profile::{Applicant, Ask};

/// One certificate to be issued.
#[derive(Clone, Debug)]
pub struct Order {
    /// What the person who asked calls it, for example a file name.
    pub label: String,
    /// Subject, key and names.
    pub applicant: Applicant,
    /// What the administrator asks beyond that.
    pub ask: Ask,
    /// The CA that the certificate makes, if it makes one.
    pub authority: Option<NewAuthority>,
}
