//! Finds certificates by a selector, and names by their beginnings.
use super::reading::numbered;
use super::row::serial_column;
use crate::index::{CertificateRecord, IndexError, Selector};
use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension};

/// The row numbers of the certificates of any issuer, or of one CA, whose serial numbers are from one through another.
pub(super) const WITHIN: &str = "
    SELECT s.certificate FROM issuer i
    CROSS JOIN status s ON s.issuer = i.number AND s.serial BETWEEN ?1 AND ?2 LIMIT ?3";
pub(super) const WITHIN_OF: &str = "
    SELECT s.certificate FROM authority a
    CROSS JOIN status s ON s.issuer = a.issuer AND s.serial BETWEEN ?1 AND ?2
    WHERE a.name = ?4 LIMIT ?3";

/// Number of octets of the longest serial number.
const LONGEST: usize = 20;

/// Returns, for each length of a serial number, the lowest and the highest column of the numbers of this length that
/// begin with these hexadecimal digits as they are written.
fn beginning(digits: &str) -> Vec<([u8; LONGEST], [u8; LONGEST])> {
    let column = |length: usize, digit: char| {
        let text: String = digits.chars().chain(std::iter::repeat(digit)).take(2 * length).collect();
        let octets = base16ct::mixed::decode_vec(text).ok()?;
        let mut column = [0; LONGEST];
        column.iter_mut().rev().zip(octets.iter().rev()).for_each(|(to, from)| *to = *from);
        Some(column)
    };
    let of_length = |length: usize| {
        // a number of this length has no leading zero octet
        let mut least = [0; LONGEST];
        *least.get_mut(LONGEST.checked_sub(length)?)? = 1;
        let (low, high) = (column(length, '0')?.max(least), column(length, 'f')?);
        (low <= high).then_some((low, high))
    };
    (digits.len().div_ceil(2).max(1)..=LONGEST).filter_map(of_length).collect()
}

/// Returns the row numbers of the certificates whose serial numbers begin like this, at most `limit`.
fn beginning_with(
    connection: &Connection,
    authority: Option<&str>,
    digits: &str,
    limit: usize,
) -> Result<Vec<i64>, IndexError> {
    let mut numbers: Vec<i64> = Vec::new();
    let mut statement = connection.prepare_cached(if authority.is_some() { WITHIN_OF } else { WITHIN })?;
    for (low, high) in beginning(digits) {
        let left = i64::try_from(limit.saturating_sub(numbers.len())).unwrap_or(i64::MAX);
        let mut parameters: Vec<Value> = vec![low.to_vec().into(), high.to_vec().into(), left.into()];
        parameters.extend(authority.map(|name| Value::from(name.to_owned())));
        let found = statement.query_map(rusqlite::params_from_iter(parameters), |row| row.get(0))?;
        numbers.extend(found.collect::<Result<Vec<i64>, _>>()?);
    }
    numbers.sort_unstable_by(|one, other| other.cmp(one));
    Ok(numbers)
}

pub(super) const NAME_FROM: &str = "SELECT value FROM name WHERE value >= ?1 ORDER BY value LIMIT 1";
pub(super) const NAME_AFTER: &str = "SELECT value FROM name WHERE value > ?1 ORDER BY value LIMIT 1";
pub(super) const NAME_BEFORE: &str = "SELECT value FROM name WHERE value < ?1 ORDER BY value DESC LIMIT 1";

/// Returns at most `limit` names, each found by its own look-up from the one before it, so that a name of very many
/// certificates costs as much as any other.
fn walk(
    connection: &Connection,
    first: &str,
    next: &str,
    from: &str,
    limit: usize,
    goes_on: impl Fn(&str) -> bool,
) -> Result<Vec<String>, IndexError> {
    let mut names: Vec<String> = Vec::new();
    while names.len() < limit {
        let (query, bound) = names.last().map_or((first, from), |last| (next, last.as_str()));
        let mut statement = connection.prepare_cached(query)?;
        match statement.query_row([bound], |row| row.get::<_, String>(0)).optional()? {
            Some(name) if goes_on(&name) => names.push(name),
            _ => break,
        }
    }
    Ok(names)
}

pub(super) fn names(
    connection: &Connection,
    beginning: &str,
    limit: usize,
) -> Result<Vec<String>, IndexError> {
    let beginning = beginning.to_lowercase();
    walk(connection, NAME_FROM, NAME_AFTER, &beginning, limit, |name| name.starts_with(&beginning))
}

pub(super) fn names_near(
    connection: &Connection,
    name: &str,
    limit: usize,
) -> Result<Vec<String>, IndexError> {
    let name = name.to_lowercase();
    let mut near = walk(connection, NAME_BEFORE, NAME_BEFORE, &name, limit, |_| true)?;
    near.reverse();
    near.extend(walk(connection, NAME_FROM, NAME_AFTER, &name, limit, |_| true)?);
    Ok(near)
}

/// Returns the query and parameters of the row numbers that a selector matches, newest first. `None` when
/// nothing can match, and for beginnings of serial numbers, which have queries of their own.
pub(super) fn selection(selector: &Selector) -> Option<(&'static str, Vec<Value>)> {
    Some(match selector {
        Selector::Serial(serial) => (
            "SELECT s.certificate FROM issuer i
             CROSS JOIN status s ON s.issuer = i.number AND s.serial = ?1
             ORDER BY s.certificate DESC LIMIT ?2",
            vec![serial_column(serial).to_vec().into()],
        ),
        Selector::AuthoritySerial(name, serial) => (
            "SELECT s.certificate FROM authority a
             CROSS JOIN status s ON s.issuer = a.issuer AND s.serial = ?2
             WHERE a.name = ?1 LIMIT ?3",
            vec![name.clone().into(), serial_column(serial).to_vec().into()],
        ),
        Selector::SerialBeginning(..) => return None,
        Selector::Fingerprint(prefix) => (
            "SELECT number FROM certificate WHERE fingerprint BETWEEN ?1 AND ?2
             ORDER BY number DESC LIMIT ?3",
            vec![filled(prefix, '0')?.into(), filled(prefix, 'f')?.into()],
        ),
        Selector::Exact(fingerprint) => (
            "SELECT number FROM certificate WHERE fingerprint = ?1 LIMIT ?2",
            vec![fingerprint.0.to_vec().into()],
        ),
        Selector::Name(name) => (
            "SELECT certificate FROM name WHERE value = ?1 ORDER BY certificate DESC LIMIT ?2",
            vec![name.to_lowercase().into()],
        ),
    })
}

/// Returns the 32 octets that begin with these hexadecimal digits and continue with one digit.
fn filled(prefix: &str, digit: char) -> Option<Vec<u8>> {
    if !(1..=64).contains(&prefix.len()) {
        return None;
    }
    let digits: String = prefix.chars().chain(std::iter::repeat(digit)).take(64).collect();
    base16ct::mixed::decode_vec(digits).ok()
}

pub(super) fn select(
    connection: &Connection,
    selector: &Selector,
    limit: usize,
) -> Result<Vec<CertificateRecord>, IndexError> {
    if let Selector::SerialBeginning(authority, digits) = selector {
        let numbers = beginning_with(connection, authority.as_deref(), digits, limit)?;
        return numbers.into_iter().map(|number| numbered(connection, number)).collect();
    }
    let Some((query, mut parameters)) = selection(selector) else { return Ok(Vec::new()) };
    parameters.push(i64::try_from(limit).unwrap_or(i64::MAX).into());
    let mut statement = connection.prepare_cached(query)?;
    let numbers: Vec<i64> = statement
        .query_map(rusqlite::params_from_iter(parameters), |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    numbers.into_iter().map(|number| numbered(connection, number)).collect()
}
