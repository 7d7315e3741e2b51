//! Disk space: the reserve for revocation, which commands may use it, and which must find it untouched.
use crate::ca::{CommandPurpose, DiskReserve, HeldReserve};
use crate::error::Problem;
use crate::home::{GivenBack, Home, ReserveFile};

/// The reserve of a home.
pub(super) struct HomeReserve(pub(super) Home);

impl DiskReserve for HomeReserve {
    fn find(&self, purpose: CommandPurpose) -> Result<HeldReserve, Problem> {
        let reserve = ReserveFile::of(&self.0);
        let given = match purpose {
            CommandPurpose::Issue => {
                reserve.must_be_held()?;
                None
            }
            CommandPurpose::Distrust => reserve.release(reserve.size()),
            CommandPurpose::Look => reserve.release(ReserveFile::TO_LOOK),
        };
        Ok(Box::new(FoundReserve { reserve, given, home: self.0.clone() }))
    }
}

/// Disk space that was made sure of before the home was opened, and is held as long as it is open.
pub(super) struct FoundBefore;

impl DiskReserve for FoundBefore {
    fn find(&self, _: CommandPurpose) -> Result<HeldReserve, Problem> {
        Ok(Box::new(()))
    }
}

struct FoundReserve {
    reserve: ReserveFile,
    given: Option<GivenBack>,
    home: Home,
}

/// Takes unused space back into the reserve; or makes a missing reserve, when there is space by now.
impl Drop for FoundReserve {
    fn drop(&mut self) {
        match self.given.take() {
            Some(given) => given.take_back(),
            // a failure is not reported here: issuing commands report a missing reserve
            None if self.home.has_index() => drop(self.reserve.hold()),
            // not a home: no file of ours is left in it
            None => {}
        }
    }
}
