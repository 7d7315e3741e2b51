//! Choice of the end of sibling CAs (G4): they end apart from each other and in order, and none ends after its
//! issuer.
//!
//! The choice starts from the profile's full validity. A profile that `ends_before` others leaves room before the
//! issuer's end for one sibling of each of those profiles that has none yet. From there, the next free second is
//! taken that keeps the gap to every sibling that has not expired, and the order where the profiles set one. When no
//! such second is left before the issuer's end, the nearest earlier one is taken. With a gap of 14 days, for example,
//! the user CA gets its full validity, and a system CA created after it 14 days more. In the other order of creation,
//! the system CA gets its full validity and the user CA 14 days less.
//!
//! Neither the gap nor the order may take more than half of the validity that a CA would have without them. A sibling
//! that is about to expire is also about to be replaced, and must not shorten new ones.
use super::Profiles;
use crate::x509::UnixTime;

/// Another CA with the same issuer.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Sibling {
    /// Name, for messages.
    pub name: String,
    /// Profile under which it was created.
    pub profile: String,
    /// notAfter.
    pub end: UnixTime,
}

/// The chosen end, and the rules that it could not keep.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Staggered {
    /// notAfter of the new CA.
    pub end: UnixTime,
    /// Rules that could not be kept, one sentence each without a full stop; empty when all were kept.
    pub notices: Vec<String>,
}

impl Profiles {
    /// Chooses the end of a new CA, which is never later than `issuer_end`. `full_end` is that of
    /// [`Profile::full_length`](super::Profile::full_length), `issuer_end` that of
    /// [`IssuerView::end`](super::IssuerView::end).
    #[must_use]
    pub fn stagger(
        &self,
        profile: &str,
        full_end: UnixTime,
        issuer_end: UnixTime,
        siblings: &[Sibling],
        gap_days: i64,
        now: UnixTime,
    ) -> Staggered {
        let gap = gap_days.max(0).saturating_mul(UnixTime::DAY);
        let wish = full_end.min(issuer_end);
        let floor = half_way(now, wish);
        let living: Vec<&Sibling> = siblings.iter().filter(|sibling| sibling.end > now).collect();
        let later = self.ends_before(profile);
        let missing = later.iter().filter(|name| !living.iter().any(|one| one.profile == **name)).count();
        let room = gap.saturating_mul(i64::try_from(missing).unwrap_or(0));
        let reserved = issuer_end.plus(room.saturating_neg());
        let reserved = if reserved > floor { reserved } else { issuer_end };
        let mut bounds = Bounds { from: floor, to: reserved };
        for sibling in &living {
            if later.contains(&sibling.profile) && sibling.end.plus(-gap) >= floor {
                bounds.to = bounds.to.min(sibling.end.plus(-gap));
            }
            if self.ends_before(&sibling.profile).iter().any(|name| name == profile) {
                bounds.from = bounds.from.max(sibling.end.plus(gap));
            }
        }
        let taken: Vec<UnixTime> = living.iter().map(|sibling| sibling.end).collect();
        let open = Bounds { from: floor, to: issuer_end };
        let end = free_slot(wish, bounds, &taken, gap)
            .or_else(|| free_slot(wish, open, &taken, gap))
            .unwrap_or(wish);
        Staggered { end, notices: self.stagger_warnings(profile, end, siblings, gap_days, now) }
    }

    /// Returns a warning for each sibling that ends too close to `end` or in the wrong order; empty when none does.
    #[must_use]
    pub(crate) fn stagger_warnings(
        &self,
        profile: &str,
        end: UnixTime,
        siblings: &[Sibling],
        gap_days: i64,
        now: UnixTime,
    ) -> Vec<String> {
        let gap = gap_days.max(0).saturating_mul(UnixTime::DAY);
        let later = self.ends_before(profile);
        let floor = half_way(now, end);
        let mut warnings = Vec::new();
        for sibling in siblings.iter().filter(|sibling| sibling.end > now) {
            let distance = end.0.saturating_sub(sibling.end.0).saturating_abs();
            let should_end_first = later.contains(&sibling.profile) && end > sibling.end;
            let should_end_last =
                self.ends_before(&sibling.profile).iter().any(|name| name == profile) && end < sibling.end;
            if distance < gap {
                warnings.push(format!(
                    "it ends on {end} and its sibling {} on {}, which is less than {gap_days} days apart",
                    sibling.name, sibling.end
                ));
            } else if (should_end_first && sibling.end.plus(-gap) >= floor) || should_end_last {
                let (first, last) = if should_end_first { ("before", "after") } else { ("after", "before") };
                warnings.push(format!(
                    "it ends on {end}, {last} its sibling {} on {}; a CA of profile {profile} should end {first} it",
                    sibling.name, sibling.end
                ));
            }
        }
        warnings
    }

    fn ends_before(&self, profile: &str) -> &[String] {
        self.get(profile).map_or(&[], |profile| &profile.authority.ends_before)
    }
}

/// Returns the middle between now and an end. Siblings do not move an end before it.
fn half_way(now: UnixTime, end: UnixTime) -> UnixTime {
    now.plus(end.0.saturating_sub(now.0).max(0) / 2)
}

#[derive(Clone, Copy)]
struct Bounds {
    from: UnixTime,
    to: UnixTime,
}

/// Returns the first second from `wish` on that is within the bounds and at least `gap` seconds from the taken ones.
/// Without one, returns the last such second before `wish`.
fn free_slot(wish: UnixTime, bounds: Bounds, taken: &[UnixTime], gap: i64) -> Option<UnixTime> {
    let free = |at: &UnixTime| {
        bounds.from <= *at
            && *at <= bounds.to
            && taken.iter().all(|end| at.0.saturating_sub(end.0).saturating_abs() >= gap)
    };
    let edges = taken.iter().flat_map(|end| [end.plus(gap), end.plus(-gap)]);
    let candidates: Vec<UnixTime> =
        [wish, bounds.from, bounds.to].into_iter().chain(edges).filter(free).collect();
    let next = candidates.iter().copied().filter(|at| *at >= wish).min();
    next.or_else(|| candidates.iter().copied().max())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::SHIPPED;
    use proptest::prelude::*;

    const NOW: UnixTime = UnixTime(1_800_000_000);

    fn profiles() -> Profiles {
        let enabled = SHIPPED.iter().filter_map(|(file, text)| Some((file.strip_suffix(".toml")?, *text)));
        Profiles::parse(enabled).unwrap()
    }

    fn day(days: i64) -> UnixTime {
        NOW.plus_days(days)
    }

    fn sibling(profile: &str, end: i64) -> Sibling {
        Sibling { name: format!("genfic-{profile}-{end}"), profile: profile.into(), end: day(end) }
    }

    fn pick(profile: &str, issuer_end: i64, siblings: &[Sibling]) -> Staggered {
        profiles().stagger(profile, day(3650), day(issuer_end), siblings, 14, NOW)
    }

    fn picked(profile: &str, issuer_end: i64, siblings: &[Sibling]) -> i64 {
        let staggered = pick(profile, issuer_end, siblings);
        assert_eq!(staggered.notices, Vec::<String>::new());
        (staggered.end.0 - NOW.0) / UnixTime::DAY
    }

    #[test]
    fn the_user_ca_ends_first_and_the_system_ca_14_days_later() {
        // G4
        assert_eq!(picked("user-ca", 7300, &[]), 3650);
        assert_eq!(picked("system-ca", 7300, &[sibling("user-ca", 3650)]), 3664);
    }

    #[test]
    fn in_the_other_order_the_user_ca_ends_14_days_earlier() {
        // G4
        assert_eq!(picked("system-ca", 7300, &[]), 3650);
        assert_eq!(picked("user-ca", 7300, &[sibling("system-ca", 3650)]), 3636);
    }

    #[test]
    fn below_a_short_root_the_user_ca_leaves_room_for_the_system_ca() {
        // G4, X11
        assert_eq!(picked("user-ca", 1000, &[]), 986);
        assert_eq!(picked("system-ca", 1000, &[sibling("user-ca", 986)]), 1000);
        assert_eq!(picked("system-ca", 1000, &[]), 1000);
        assert_eq!(picked("user-ca", 1000, &[sibling("system-ca", 1000)]), 986);
    }

    #[test]
    fn further_siblings_take_the_next_free_slot() {
        // G4
        let two = [sibling("user-ca", 3650), sibling("system-ca", 3664)];
        assert_eq!(picked("system-ca", 7300, &two), 3678);
        assert_eq!(picked("user-ca", 7300, &two), 3636);
        assert_eq!(picked("sub-ca", 7300, &two), 3678);
        assert_eq!(picked("sub-ca", 3664, &two), 3636, "nothing is free later, so earlier");
    }

    #[test]
    fn a_sibling_about_to_end_does_not_drag_new_ones_down() {
        // G4
        assert_eq!(picked("user-ca", 7300, &[sibling("system-ca", 30)]), 3650);
        assert_eq!(picked("user-ca", 7300, &[sibling("system-ca", -5)]), 3650);
    }

    #[test]
    fn where_no_slot_is_left_the_ca_ends_with_its_wish_and_a_notice() {
        // G4
        let staggered = pick("system-ca", 20, &[sibling("user-ca", 18)]);
        assert!(staggered.end <= day(20));
        assert_eq!(staggered.notices.len(), 1);
        assert!(staggered.notices[0].contains("genfic-user-ca-18"));
    }

    #[test]
    fn an_explicit_end_that_breaks_the_stagger_is_warned_about() {
        // G4: the older script gave both children 3650 days
        let warn = |profile: &str, end: i64, other: Sibling| {
            profiles().stagger_warnings(profile, day(end), &[other], 14, NOW)
        };
        assert!(warn("user-ca", 3650, sibling("system-ca", 3650))[0].contains("less than 14 days apart"));
        assert!(warn("user-ca", 3700, sibling("system-ca", 3650))[0].contains("should end before"));
        assert!(warn("system-ca", 3600, sibling("user-ca", 3650))[0].contains("should end after"));
        assert!(warn("system-ca", 3664, sibling("user-ca", 3650)).is_empty());
        assert!(warn("user-ca", 3650, sibling("system-ca", -1)).is_empty());
    }

    proptest! {
        #[test]
        fn siblings_end_apart_in_order_and_not_after_their_issuer(
            kinds in proptest::collection::vec(0_usize..3, 1..8),
            issuer_days in 400_i64..9000,
        ) {
            // G4
            let profiles = profiles();
            let mut siblings: Vec<Sibling> = Vec::new();
            for (at, kind) in kinds.iter().enumerate() {
                let profile = ["user-ca", "system-ca", "sub-ca"][*kind];
                let staggered = profiles.stagger(profile, day(3650), day(issuer_days), &siblings, 14, NOW);
                prop_assert!(staggered.end <= day(issuer_days));
                prop_assert!(staggered.end > NOW);
                if staggered.notices.is_empty() {
                    for other in &siblings {
                        prop_assert!((staggered.end.0 - other.end.0).abs() >= 14 * UnixTime::DAY);
                        if profile == "system-ca" && other.profile == "user-ca" {
                            prop_assert!(staggered.end > other.end);
                        }
                    }
                }
                siblings.push(Sibling { name: at.to_string(), profile: profile.into(), end: staggered.end });
            }
        }

        #[test]
        fn the_first_two_cas_of_a_root_always_fit(issuer_days in 57_i64..9000, user_first: bool) {
            // G4
            let profiles = profiles();
            let order = if user_first { ["user-ca", "system-ca"] } else { ["system-ca", "user-ca"] };
            let first = profiles.stagger(order[0], day(3650), day(issuer_days), &[], 14, NOW);
            let made = [Sibling { name: "a".into(), profile: order[0].into(), end: first.end }];
            let second = profiles.stagger(order[1], day(3650), day(issuer_days), &made, 14, NOW);
            prop_assert!(first.notices.is_empty() && second.notices.is_empty());
            let (user, system) = if user_first { (first.end, second.end) } else { (second.end, first.end) };
            prop_assert!(system.0 - user.0 >= 14 * UnixTime::DAY);
            prop_assert!(system <= day(issuer_days));
        }
    }
}
