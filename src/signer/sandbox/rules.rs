//! Lists of system calls with what their arguments may be, as programs for the kernel.
use nix::libc;
use seccompiler::{
    BackendError, BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule, TargetArch,
};
use std::collections::BTreeMap;

/// Calls by their numbers, each with the arguments that are allowed; none for any.
pub(super) type Rules = BTreeMap<i64, Vec<SeccompRule>>;

pub(super) fn clone3_missing() -> Result<BpfProgram, BackendError> {
    let architecture = TargetArch::try_from(std::env::consts::ARCH)?;
    let missing = SeccompAction::Errno(libc::ENOSYS.unsigned_abs());
    let rules = BTreeMap::from([(libc::SYS_clone3, Vec::new())]);
    SeccompFilter::new(rules, SeccompAction::Allow, missing, architecture)?.try_into()
}

pub(super) fn program(rules: Rules) -> Result<BpfProgram, BackendError> {
    let architecture = TargetArch::try_from(std::env::consts::ARCH)?;
    let refused = SeccompAction::Errno(libc::EPERM.unsigned_abs());
    SeccompFilter::new(rules, refused, SeccompAction::Allow, architecture)?.try_into()
}

/// Returns the rule that an argument, of 32 bits, is this value.
pub(super) fn only(argument: u8, compared: SeccompCmpOp, value: u64) -> Result<SeccompRule, BackendError> {
    SeccompRule::new(vec![condition(argument, compared, value)?])
}

pub(super) fn condition(
    argument: u8,
    compared: SeccompCmpOp,
    value: u64,
) -> Result<SeccompCondition, BackendError> {
    SeccompCondition::new(argument, SeccompCmpArgLen::Dword, compared, value)
}

/// Returns the rules that an argument is one of these values.
pub(super) fn one_of(argument: u8, values: &[u64]) -> Result<Vec<SeccompRule>, BackendError> {
    values.iter().map(|value| only(argument, SeccompCmpOp::Eq, *value)).collect()
}

/// Returns the rule that an argument is none of these values.
pub(super) fn none_of(argument: u8, values: &[u64]) -> Result<Vec<SeccompRule>, BackendError> {
    let conditions = values.iter().map(|value| condition(argument, SeccompCmpOp::Ne, *value));
    Ok(vec![SeccompRule::new(conditions.collect::<Result<_, _>>()?)?])
}
