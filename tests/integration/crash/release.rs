//! Failpoints are for tests: a program that people use does not have them.
use crate::support::CA;

#[test]
fn only_a_program_with_debug_assertions_has_failpoints() {
    let program = std::fs::read(CA).unwrap();
    let has = |text: &[u8]| program.windows(text.len()).any(|part| part == text);
    assert_eq!(has(b"GENFIC_CA_FAILPOINT"), cfg!(debug_assertions));
    assert_eq!(has(b"file: aside, written"), cfg!(debug_assertions));
    assert!(has(b"GENFIC_CA_HOME"), "the text of the program is looked at");
}
