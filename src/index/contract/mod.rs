//! The behaviour of every adapter, as tests that run against any [`Index`](super::Index).
//!
//! They are divided as the traits are. An adapter's tests call `contract!(make, after; ...)` with the uses that
//! the adapter serves. `make()` returns an empty index and the values that must live until the test ends.
//! `after(&index)` examines the index at the end of each test.
mod audit;
mod authorities;
mod fixture;
mod generations;
mod importing;
mod issuance;
mod keys;
mod naming;
mod reading;
mod restoration;
mod retirement;
mod revocation;
mod stored;

pub(crate) use audit::*;
pub(crate) use authorities::*;
pub(crate) use fixture::{CertificateAuthority, NOW, TestKey, event, leaf, serial};
pub(crate) use generations::*;
pub(crate) use importing::*;
pub(crate) use issuance::*;
pub(crate) use keys::*;
pub(crate) use naming::*;
pub(crate) use reading::*;
pub(crate) use restoration::*;
pub(crate) use retirement::*;
pub(crate) use revocation::*;
pub(crate) use stored::*;

/// Expands to a module of tests for each use, with a test for each rule: `contract!(make, after; reading
/// audit)`.
macro_rules! contract {
    (@issuance $make:ident $after:ident) => {
        $crate::index::contract::contract! { @each $make $after;
            a_serial_number_is_taken_once_for_each_issuer
            a_group_is_recorded_whole_or_not_at_all
            nothing_is_issued_under_an_issuer_that_is_revoked_or_below_a_revoked_one
            nothing_is_issued_under_an_issuer_that_is_expired_or_unknown
            nothing_is_signed_while_the_clock_stands_before_what_was_signed_last
            a_certificate_is_stored_only_against_its_own_intent
            an_abandoned_certificate_counts_as_revoked_and_is_never_issued
            a_key_is_intended_for_one_subject_only_whoever_is_first
            one_holder_with_a_new_name_keeps_the_key
            a_renewal_is_recorded_only_beside_what_it_was_decided_beside
            a_key_that_others_have_is_certified_for_nobody_and_not_released
            a_ca_that_is_revoked_or_held_does_not_come_back
            what_a_ca_signed_and_nobody_recorded_is_put_on_record
        }
    };
    (@revocation $make:ident $after:ident) => {
        $crate::index::contract::contract! { @each $make $after;
            a_state_is_replaced_only_when_it_is_the_one_that_was_seen
            only_a_hold_can_be_lifted_in_the_index
            crl_numbers_grow_and_are_never_given_twice
            no_number_is_for_an_earlier_list_than_a_number_before_it
            a_list_is_recorded_once_under_a_number_that_was_taken
            a_list_counts_once_it_is_published
            a_delta_is_recorded_once_beside_the_complete_list_of_its_number
            a_delta_is_based_on_the_oldest_published_list_that_has_not_lapsed
            what_changed_since_a_list_is_known
            a_list_signed_elsewhere_counts_by_its_own_number
            lists_that_overtake_each_other_are_both_recorded_and_the_highest_counts
            the_entries_of_a_list_are_those_of_the_moment_its_number_was_taken
            a_list_lacks_nothing_that_one_with_a_lower_number_has
            what_is_revoked_stays_until_a_published_list_after_its_end_had_it
            what_ended_only_by_a_clock_that_is_ahead_stays_on_the_lists
            entries_come_by_serial_number_and_of_one_issuer_only
        }
    };
    (@authorities $make:ident $after:ident) => {
        $crate::index::contract::contract! { @each $make $after;
            a_ca_exists_once_its_certificate_is_issued
            the_name_of_a_ca_is_taken_while_it_is_pending_and_free_when_it_is_abandoned
            nobody_else_bears_the_name_of_a_ca
            how_an_issuers_name_is_written_is_known
            the_key_of_a_ca_is_where_the_record_says
            each_of_two_cas_with_one_key_has_it_in_its_own_place
            a_ca_signed_elsewhere_can_be_added
            authorities_come_with_parents_first_and_siblings_by_name
            a_summary_says_of_each_ca_what_is_on_record
            a_renewed_certificate_takes_its_place_once_it_is_issued
            only_the_name_and_key_of_a_ca_that_is_not_revoked_are_renewed
            a_generation_knows_the_one_before_it
            a_retired_ca_has_another_name_and_issues_nothing
            the_last_end_is_that_of_what_others_hold
            a_renewal_that_was_found_again_takes_its_place
            what_an_imported_ca_issued_and_revoked_is_on_record
            an_import_completes_what_is_on_record_and_contradicts_none_of_it
            an_import_is_whole_or_not_at_all
            a_ca_that_others_kept_comes_home
        }
    };
    (@audit $make:ident $after:ident) => {
        $crate::index::contract::contract! { @each $make $after;
            every_act_is_one_record_of_a_whole_chain
            records_are_found_by_time_and_by_what_they_name
            what_is_refused_leaves_no_trace_but_its_own_record
        }
    };
    (@reading $make:ident $after:ident) => {
        $crate::index::contract::contract! { @each $make $after;
            a_selector_finds_what_it_means_newest_first
            what_ends_is_counted_by_day_ca_and_profile
            a_serial_number_is_found_by_its_first_digits
            names_are_found_by_their_beginning_and_next_to_each_other
            a_filter_passes_what_matches_all_of_it
            the_uses_of_a_key_are_known
            whatever_changes_gets_a_higher_change_number
            all_rows_come_by_issuer_and_in_the_order_of_serial_numbers
            a_visitor_may_ask_the_index_and_change_it
        }
    };
    (@restoration $make:ident $after:ident) => {
        $crate::index::contract::contract! { @each $make $after;
            nothing_is_issued_or_released_between_a_restore_and_its_acceptance
            a_restore_revokes_what_was_published_as_revoked_and_releases_nothing
            what_was_found_and_is_not_on_record_is_issued_again
            numbers_go_on_above_all_that_were_seen
            revocations_that_were_signed_are_taken_over_and_lift_nothing
            a_certificate_known_by_its_number_is_read_everywhere
        }
    };
    (@stored $make:ident $after:ident) => {
        $crate::index::contract::contract! { @each $make $after;
            a_copy_is_of_one_moment_and_does_not_change
            what_is_recorded_is_found_whole_newest_first
        }
    };
    (@each $make:ident $after:ident; $($sentence:ident)*) => {
        $(#[test]
        fn $sentence() {
            let (index, _kept) = super::$make();
            $crate::index::contract::$sentence(&index);
            super::$after(&index);
        })*
    };
    ($make:ident, $after:ident; $($uses:ident)*) => {
        $(mod $uses {
            $crate::index::contract::contract!(@$uses $make $after);
        })*
    };
}
pub(crate) use contract;
