//! TOML texts with errors that name line and key. Reading collects every mistake of a text.
//!
//! Keys are read by name. A key of the text that was not read is a mistake. Pure.
use crate::error::Reason;
use std::collections::BTreeMap;
use std::fmt;
use toml::{Spanned, de::DeTable, de::DeValue};

/// One mistake in a TOML text.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Mistake {
    /// Line, counted from 1; `None` for something that is missing.
    pub line: Option<usize>,
    /// The key with the tables that contain it, for example `validity.days`; empty for the text as a whole.
    pub key: String,
    /// The mistake in words, without a full stop.
    pub message: String,
}

/// Writes `line 3: validity.days: must be at least 1`.
impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(line) = self.line {
            write!(f, "line {line}: ")?;
        }
        if !self.key.is_empty() {
            write!(f, "{}: ", self.key)?;
        }
        f.write_str(&self.message)
    }
}

impl std::error::Error for Mistake {}

#[derive(Clone, Debug)]
enum Value {
    Text(String),
    Integer(Option<i64>),
    Number(Option<f64>),
    Boolean(bool),
    List(Vec<Placed>),
    Table(BTreeMap<String, Placed>),
    Time,
}

#[derive(Clone, Debug)]
struct Placed {
    line: usize,
    value: Value,
}

/// A type that can be read from one TOML value.
pub(crate) trait FromValue: Sized {
    /// The expected type in messages: `text`, `a whole number`.
    const EXPECTED: &'static str;

    /// Returns the value; `None` for a TOML value of another type.
    #[doc(hidden)]
    fn from_value(value: Scalar<'_>) -> Option<Self>;
}

/// A TOML value that is neither an array nor a table.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Scalar<'v> {
    /// A string.
    Text(&'v str),
    /// An integer.
    Integer(i64),
    /// A float.
    Number(f64),
    /// A boolean.
    Boolean(bool),
}

impl FromValue for String {
    const EXPECTED: &'static str = "text in quotes";
    fn from_value(value: Scalar<'_>) -> Option<Self> {
        if let Scalar::Text(text) = value { Some(text.to_owned()) } else { None }
    }
}

impl FromValue for i64 {
    const EXPECTED: &'static str = "a whole number";
    fn from_value(value: Scalar<'_>) -> Option<Self> {
        if let Scalar::Integer(number) = value { Some(number) } else { None }
    }
}

impl FromValue for f64 {
    const EXPECTED: &'static str = "a number";
    fn from_value(value: Scalar<'_>) -> Option<Self> {
        match value {
            Scalar::Number(number) => Some(number),
            Scalar::Integer(number) => i32::try_from(number).ok().map(Self::from),
            _ => None,
        }
    }
}

impl FromValue for bool {
    const EXPECTED: &'static str = "true or false";
    fn from_value(value: Scalar<'_>) -> Option<Self> {
        if let Scalar::Boolean(truth) = value { Some(truth) } else { None }
    }
}

impl Value {
    fn read<T: FromValue>(&self) -> Option<T> {
        T::from_value(match self {
            Self::Text(text) => Scalar::Text(text),
            Self::Integer(number) => Scalar::Integer((*number)?),
            Self::Number(number) => Scalar::Number((*number)?),
            Self::Boolean(truth) => Scalar::Boolean(*truth),
            Self::List(_) | Self::Table(_) | Self::Time => return None,
        })
    }
}

/// One table of the text. Each key is read once; keys that were not read are reported as mistakes at the end.
#[derive(Debug)]
pub(crate) struct Section {
    path: String,
    line: Option<usize>,
    entries: BTreeMap<String, Placed>,
    known: Vec<String>,
    mistakes: Vec<Mistake>,
}

/// Returns the key of the line that contains this octet; empty where the line assigns no value.
fn key_on_line(text: &str, at: usize) -> String {
    let start = text.get(..at).and_then(|before| before.rfind('\n')).map_or(0, |end| end.saturating_add(1));
    let line = text.get(start..).and_then(|rest| rest.lines().next()).unwrap_or_default();
    let key = line.split_once('=').map_or("", |(key, _)| key.trim());
    let is_plain = key.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c));
    if is_plain { key.to_owned() } else { String::new() }
}

/// Reads a text: `build` reads the keys of the top level. Returns the result of `build` when there is no mistake.
///
/// # Errors
/// Every mistake, in the order of the text.
pub(crate) fn read<T>(text: &str, build: impl FnOnce(&mut Section) -> T) -> Result<T, Vec<Mistake>> {
    let (built, mistakes) = read_leniently(text, build);
    if mistakes.is_empty() { Ok(built) } else { Err(mistakes) }
}

/// Reads a text and returns the result with every mistake. A key with a mistake counts as absent.
pub(crate) fn read_leniently<T>(text: &str, build: impl FnOnce(&mut Section) -> T) -> (T, Vec<Mistake>) {
    let ends: Vec<usize> = text.match_indices('\n').map(|(at, _)| at).collect();
    let line_of = |at: usize| ends.partition_point(|end| *end < at) + 1;
    let (table, errors) = DeTable::parse_recoverable(text);
    let mut root = Section::new(String::new(), None, entries(table.into_inner(), &line_of));
    let built = build(&mut root);
    let mut mistakes = root.finish();
    if !errors.is_empty() {
        let mistake = |error: &toml::de::Error| Mistake {
            line: error.span().map(|span| line_of(span.start)),
            key: error.span().map(|span| key_on_line(text, span.start)).unwrap_or_default(),
            message: error.message().replace('\n', ", "),
        };
        mistakes = errors.iter().map(mistake).collect();
    }
    mistakes.sort_by_key(|one| one.line);
    (built, mistakes)
}

fn entries(table: DeTable<'_>, line_of: &impl Fn(usize) -> usize) -> BTreeMap<String, Placed> {
    let entry = |(key, value): (Spanned<_>, Spanned<DeValue<'_>>)| {
        let line = line_of(key.span().start);
        let key: std::borrow::Cow<'_, str> = key.into_inner();
        (key.into_owned(), Placed { line, value: convert(value.into_inner(), line_of) })
    };
    table.into_iter().map(entry).collect()
}

fn convert(value: DeValue<'_>, line_of: &impl Fn(usize) -> usize) -> Value {
    match value {
        DeValue::String(text) => Value::Text(text.into_owned()),
        DeValue::Integer(number) => Value::Integer(i64::from_str_radix(number.as_str(), number.radix()).ok()),
        DeValue::Float(number) => Value::Number(number.as_str().parse().ok()),
        DeValue::Boolean(truth) => Value::Boolean(truth),
        DeValue::Datetime(_) => Value::Time,
        DeValue::Array(list) => Value::List(
            list.into_iter()
                .map(|item| {
                    let line = line_of(item.span().start);
                    Placed { line, value: convert(item.into_inner(), line_of) }
                })
                .collect(),
        ),
        DeValue::Table(table) => Value::Table(entries(table, line_of)),
    }
}

impl Section {
    fn new(path: String, line: Option<usize>, entries: BTreeMap<String, Placed>) -> Self {
        Self { path, line, entries, known: Vec::new(), mistakes: Vec::new() }
    }

    fn full(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    fn take(&mut self, key: &str) -> Option<Placed> {
        self.learn(key);
        self.entries.remove(key)
    }

    /// Records a key that is allowed here, to be listed when an unknown key is reported.
    fn learn(&mut self, key: &str) {
        if !self.known.iter().any(|known| known == key) {
            self.known.push(key.to_owned());
        }
    }

    fn push(&mut self, line: Option<usize>, key: &str, message: impl Into<String>) {
        let key = self.full(key);
        self.mistakes.push(Mistake { line, key, message: message.into() });
    }

    /// Records a mistake about a key of this table, whether or not the key is present.
    pub(crate) fn mistake(&mut self, key: &str, message: impl Into<String>) {
        let line = self.entries.get(key).map(|entry| entry.line).or(self.line);
        self.push(line, key, message);
    }

    /// Returns a mistake about a key of this table, for callers that report it themselves.
    #[must_use]
    pub(crate) fn flaw(&self, key: &str, message: impl Into<String>) -> Mistake {
        let line = self.entries.get(key).map(|entry| entry.line).or(self.line);
        Mistake { line, key: self.full(key), message: message.into() }
    }

    /// Returns whether the key has an empty list and was not read yet.
    #[must_use]
    pub(crate) fn is_empty_list(&self, key: &str) -> bool {
        matches!(self.entries.get(key), Some(Placed { value: Value::List(items), .. }) if items.is_empty())
    }

    /// Returns whether the table has this key and it was not read yet.
    pub(crate) fn has(&mut self, key: &str) -> bool {
        self.learn(key);
        self.entries.contains_key(key)
    }

    /// Returns the keys that were not read yet.
    #[must_use]
    pub(crate) fn keys(&self) -> Vec<String> {
        self.entries.keys().cloned().collect()
    }

    /// Returns the value of a key; `None` when the key is absent or its value is of the wrong type, which is a
    /// mistake.
    pub(crate) fn get<T: FromValue>(&mut self, key: &str) -> Option<T> {
        self.get_as(key, Ok::<T, Reason>)
    }

    /// Returns the value of a key as converted by `read`; an error of `read` is a mistake.
    pub(crate) fn get_as<T: FromValue, R, E: Into<Reason>>(
        &mut self,
        key: &str,
        read: impl FnOnce(T) -> Result<R, E>,
    ) -> Option<R> {
        let placed = self.take(key)?;
        let typed = placed.value.read::<T>().ok_or_else(|| format!("must be {}", T::EXPECTED).into());
        let read = typed.and_then(|value| read(value).map_err(E::into));
        read.map_err(|message| self.push(Some(placed.line), key, message)).ok()
    }

    /// As [`Self::get_as`]; an absent key is a mistake.
    pub(crate) fn require_as<T: FromValue, R, E: Into<Reason>>(
        &mut self,
        key: &str,
        read: impl FnOnce(T) -> Result<R, E>,
    ) -> Option<R> {
        if !self.has(key) {
            self.push(self.line, key, "is missing");
            return None;
        }
        self.get_as(key, read)
    }

    /// Returns a list of strings, each converted by `read`; `None` when the key is absent.
    pub(crate) fn list_as<R, E: Into<Reason>>(
        &mut self,
        key: &str,
        read: impl Fn(&str) -> Result<R, E>,
    ) -> Option<Vec<R>> {
        let placed = self.take(key)?;
        let Value::List(items) = placed.value else {
            self.push(Some(placed.line), key, "must be a list of text in brackets");
            return None;
        };
        let mut out = Vec::with_capacity(items.len());
        for item in items {
            let text = item.value.read::<String>().ok_or_else(|| "must hold only text in quotes".into());
            match text.and_then(|text| read(&text).map_err(E::into)) {
                Ok(value) => out.push(value),
                Err(message) => self.push(Some(item.line), key, message),
            }
        }
        Some(out)
    }

    /// As [`Self::list_as`]; an absent or empty list is a mistake, whose message names `what`.
    pub(crate) fn require_list_as<R, E: Into<Reason>>(
        &mut self,
        key: &str,
        what: &str,
        read: impl Fn(&str) -> Result<R, E>,
    ) -> Vec<R> {
        self.learn(key);
        match self.entries.get(key) {
            None => {
                self.push(self.line, key, format!("is missing; name at least one {what}"));
            }
            Some(Placed { line, value: Value::List(items) }) if items.is_empty() => {
                self.push(Some(*line), key, format!("must name at least one {what}"));
            }
            Some(_) => {}
        }
        self.list_as(key, read).unwrap_or_default()
    }

    /// Reads the table under a key, or an empty table if the key is absent. Keys that `build` did not read are
    /// mistakes.
    pub(crate) fn section<R>(&mut self, key: &str, build: impl FnOnce(&mut Self) -> R) -> R {
        let placed = self.take(key);
        let line = placed.as_ref().map(|placed| placed.line);
        let entries = match placed.map(|placed| placed.value) {
            Some(Value::Table(table)) => table,
            Some(_) => {
                self.push(line, key, "must be a table");
                BTreeMap::new()
            }
            None => BTreeMap::new(),
        };
        let mut inner = Self::new(self.full(key), line, entries);
        let built = build(&mut inner);
        self.mistakes.extend(inner.finish());
        built
    }

    /// Returns whether the value of a key is a table.
    #[must_use]
    pub(crate) fn is_table(&self, key: &str) -> bool {
        matches!(self.entries.get(key), Some(Placed { value: Value::Table(_), .. }))
    }

    /// Accepts every key that is left, for a table whose allowed keys are unknown.
    pub(crate) fn pass_over(&mut self) {
        self.entries.clear();
    }

    fn finish(mut self) -> Vec<Mistake> {
        for (key, placed) in std::mem::take(&mut self.entries) {
            let message = if self.known.is_empty() {
                "is not known here".to_owned()
            } else {
                format!("is not known here; one of {}", self.known.join(", "))
            };
            self.push(Some(placed.line), &key, message);
        }
        self.mistakes
    }
}

#[cfg(test)]
mod tests;
