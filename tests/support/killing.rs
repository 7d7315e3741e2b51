//! The places at which a command can be killed, or the signer that it starts.
use std::path::Path;
use std::process::Command;

/// The variables by which the command is killed, and its signer.
pub(crate) const PROGRAMS: [&str; 2] = ["GENFIC_CA_FAILPOINT", "GENFIC_SIGNER_FAILPOINT"];

/// Returns the places that one of the programs passes, in order, when this command comes to its end. They are written into
/// `trace`.
pub(crate) fn places(command: &mut Command, program: &str, trace: &Path) -> Vec<String> {
    let run = command.env(format!("{program}_TRACE"), trace).output().unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    let trace = std::fs::read_to_string(trace).unwrap_or_default();
    trace.lines().map(str::to_owned).collect()
}

/// Of what a command does again and again (one file after the other) the first time and the last;
/// every time with `GENFIC_TEST_EVERY_PLACE`. With the number of each.
pub(crate) fn chosen(places: &[String]) -> Vec<(usize, String)> {
    let every = std::env::var_os("GENFIC_TEST_EVERY_PLACE").is_some();
    let is_end = |at: usize, place: &String| {
        places.iter().position(|one| one == place) == Some(at)
            || places.iter().rposition(|one| one == place) == Some(at)
    };
    let all = places.iter().enumerate();
    all.filter(|(at, place)| every || is_end(*at, place)).map(|(at, place)| (at + 1, place.clone())).collect()
}

/// Kills each of the programs at each place that it passes, in a new copy of the home each time. `make` makes the command
/// that runs in a copy; `look` sees what is left, which program was killed, and where. Returns how many places there are.
pub(crate) fn killed_at_each(
    home: &super::Home,
    make: impl Fn(&super::Home) -> Command,
    look: impl Fn(&super::Home, &super::Said, (&str, &str)),
) -> [usize; 2] {
    PROGRAMS.map(|program| {
        let traced = home.copied();
        let found = places(&mut make(&traced), program, &traced.path("trace"));
        for (number, place) in chosen(&found) {
            let copy = home.copied();
            let said = super::Said::of(make(&copy).env(program, number.to_string()).output().unwrap());
            // a command whose signer is killed says so, or goes on where it needs it no more
            assert!(program == PROGRAMS[1] || said.status == -1, "{place}: {}", said.all());
            look(&copy, &said, (program, &place));
        }
        found.len()
    })
}
