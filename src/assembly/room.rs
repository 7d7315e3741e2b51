//! Room on the disk: what is kept for revoking, who may use it, and who must find it untouched.
use crate::ca::{DiskReserve, Purpose, Room};
use crate::error::Problem;
use crate::home::{GivenBack, Home, Reserve};

/// What a home keeps.
pub(super) struct HomeReserve(pub(super) Home);

impl DiskReserve for HomeReserve {
    fn find(&self, purpose: Purpose) -> Result<Room, Problem> {
        let reserve = Reserve::of(&self.0);
        let given = match purpose {
            Purpose::Issue => {
                reserve.must_be_held()?;
                None
            }
            Purpose::Distrust => reserve.make_way(reserve.size()),
            Purpose::Look => reserve.make_way(Reserve::TO_LOOK),
        };
        Ok(Box::new(Given { reserve, given, home: self.0.clone() }))
    }
}

/// Room was found before the home was opened, for as long as it is.
pub(super) struct FoundBefore;

impl DiskReserve for FoundBefore {
    fn find(&self, _: Purpose) -> Result<Room, Problem> {
        Ok(Box::new(()))
    }
}

struct Given {
    reserve: Reserve,
    given: Option<GivenBack>,
    home: Home,
}

/// What was not needed is kept again; where it was not kept, and there is room by now, it is.
impl Drop for Given {
    fn drop(&mut self) {
        match self.given.take() {
            Some(given) => given.take_back(),
            // an issuing command says when it is missing; here nothing depends on it
            None if self.home.has_index() => drop(self.reserve.hold()),
            // not a home: nothing of ours is left in it
            None => {}
        }
    }
}
