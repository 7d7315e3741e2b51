//! The steps around every command.
use super::fixture::{Fixture, request};
use crate::audit::Outcome;
use crate::ca::{CommandPurpose, Conclusion, Task};
use crate::error::{Code, Problem};

struct Done(Option<Problem>);

impl Conclusion for Done {
    fn refusal(&self) -> Option<&Problem> {
        self.0.as_ref()
    }
}

const TASK: Task<'static> = Task {
    command: "sign",
    object: "genfic-system/a.csr",
    purpose: CommandPurpose::Issue,
    shows_record: "`genfic-ca audit show`",
};

fn refused() -> Problem {
    Problem::new(Code::PolicyContact, "no")
}

#[test]
fn what_a_command_refuses_is_on_record_before_it_is_said() {
    // G15
    let fixture = Fixture::with_system_ca();
    let engine = fixture.engine();
    for outcome in [Err(refused()), Ok(Done(Some(refused())))] {
        let before = fixture.audit().len();
        let said = engine.run(&TASK, |_| outcome);
        assert_eq!(said.map_or_else(|problem| problem, |done| done.0.unwrap()).message, "no");
        let recorded = fixture.audit().pop().unwrap().event;
        assert_eq!((&*recorded.action, &*recorded.object), (TASK.command, TASK.object));
        assert!(matches!(recorded.outcome, Outcome::Refused(_)), "{recorded:?}");
        assert_eq!(fixture.audit().len(), before + 1);
    }
}

#[test]
fn what_a_command_does_is_not_recorded_once_more() {
    let fixture = Fixture::with_system_ca();
    let before = fixture.audit().len();
    fixture.engine().run(&TASK, |_| Ok(Done(None))).ok().unwrap();
    assert_eq!(fixture.audit().len(), before);
}

#[test]
fn a_command_first_puts_right_what_another_left_behind() {
    let fixture = Fixture::with_system_ca();
    fixture.script.fail(&["sign"]);
    fixture.issue(&[request("a.example")]).unwrap_err();
    fixture.script.fail(&[]);
    let mut abandoned = None;
    let run = fixture.engine().run(&TASK, |begun| {
        abandoned = Some(begun.recovered.abandoned);
        Ok(Done(None))
    });
    assert!(run.is_ok());
    assert_eq!(abandoned, Some(1));
}

#[test]
fn of_a_command_that_is_interrupted_it_is_said_whether_it_had_begun() {
    let fixture = Fixture::with_system_ca();
    let engine = fixture.engine();
    let interrupted = || Err::<Done, _>(Problem::new(Code::KeyInterrupted, "interrupted"));
    let problem = engine.run(&TASK, |_| interrupted()).err().unwrap();
    assert_eq!(problem.message, "interrupted; nothing was done");
    let problem = engine.run(&TASK, |_| {
        fixture.issue(&[request("a.example")]).unwrap();
        interrupted()
    });
    let problem = problem.err().unwrap();
    assert_eq!(problem.message, "interrupted; what was on record before that stands: `genfic-ca audit show`");
}
