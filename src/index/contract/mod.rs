//! What every adapter must do, as sentences that are run against any [`Index`](super::Index).
//!
//! An adapter's tests say `contract!(make)`, where `make()` returns an empty index and whatever must be
//! kept until the test ends.
mod audit;
mod authorities;
mod fixture;
mod issuing;
mod reading;
mod revoking;

pub(crate) use audit::*;
pub(crate) use authorities::*;
pub(crate) use fixture::{CertificateAuthority, Key, NOW, event, leaf, serial};
pub(crate) use issuing::*;
pub(crate) use reading::*;
pub(crate) use revoking::*;

/// One test for each sentence.
macro_rules! contract {
    ($make:path) => {
        $crate::index::contract::contract! { $make;
            a_serial_number_is_taken_once_for_each_issuer
            a_group_is_recorded_whole_or_not_at_all
            nothing_is_issued_under_an_issuer_that_is_revoked_or_below_a_revoked_one
            nothing_is_issued_under_an_issuer_that_is_expired_or_unknown
            nothing_is_signed_while_the_clock_stands_before_the_newest_record
            a_certificate_is_stored_only_against_its_own_intent
            an_abandoned_certificate_counts_as_revoked_and_is_never_issued
            a_ca_exists_once_its_certificate_is_issued
            the_name_of_a_ca_is_taken_while_it_is_pending_and_free_when_it_is_abandoned
            a_ca_signed_elsewhere_can_be_added
            authorities_come_with_parents_first_and_siblings_by_name
            a_state_is_replaced_only_when_it_is_the_one_that_was_seen
            only_a_hold_can_be_lifted_in_the_index
            crl_numbers_grow_and_are_never_given_twice
            a_list_is_recorded_once_under_a_number_that_was_taken
            a_list_counts_once_it_is_published
            what_is_revoked_stays_until_a_published_list_after_its_end_had_it
            entries_come_by_serial_number_and_of_one_issuer_only
            a_selector_finds_what_it_means_newest_first
            a_filter_passes_what_matches_all_of_it
            the_uses_of_a_key_are_known
            whatever_changes_gets_a_higher_change_number
            a_visitor_may_ask_the_index_and_change_it
            every_act_is_one_record_of_a_whole_chain
            what_is_refused_leaves_no_trace_but_its_own_record
            what_is_recorded_is_found_whole_newest_first
        }
    };
    ($make:path; $($sentence:ident)*) => {
        $(#[test]
        fn $sentence() {
            let (index, _kept) = $make();
            $crate::index::contract::$sentence(&index);
        })*
    };
}
pub(crate) use contract;
