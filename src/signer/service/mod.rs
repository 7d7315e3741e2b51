//! The signer's side: answers the requests of its clients.
//!
//! A request is answered by [`Signer::answer`]: what is to be signed is admitted by [`seams::Rules`], recorded in the
//! journal, and signed by a key of the [`Ring`]. `child.rs` serves the command that started the signer.
mod administering;
mod answers;
#[cfg(test)]
mod any_client_tests;
mod between;
#[cfg(test)]
mod bound_tests;
mod bringing;
#[cfg(test)]
mod bringing_tests;
#[cfg(test)]
mod brought_crl_tests;
mod child;
#[cfg(test)]
mod clients_tests;
#[cfg(test)]
mod contract_tests;
mod conversation;
mod copying;
mod custody;
#[cfg(test)]
mod custody_tests;
mod foreign;
mod group;
mod leaving;
#[cfg(test)]
mod lying_tests;
mod making;
#[cfg(test)]
mod making_tests;
mod media;
#[cfg(test)]
mod media_tests;
mod moving;
#[cfg(test)]
mod moving_tests;
mod own_rules;
mod own_rules_brought;
mod own_rules_moving;
mod remembering;
#[cfg(test)]
mod renewal_tests;
mod ring;
#[cfg(test)]
mod rollover_tests;
mod seams;
mod shown;
mod standing;
#[cfg(test)]
mod test_parts;

pub(crate) use answers::{Signer, SignerParts, SourceMaker};
pub(crate) use child::{Announcing, serve_child};
pub(crate) use own_rules::{OwnRules, ProfileReader};
pub(crate) use ring::{OwnRing, Ring};
pub(crate) use seams::JournalPlace;
pub(crate) use standing::Standing;
