//! Paths in JSON, which has text only. A path that is not UTF-8 is given twice: as text with U+FFFD, and in a field
//! beside it as hexadecimal octets, for example `file_hex` beside `file`.
use serde_json::{Map, Value, json};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// Keys that mark a path that is not UTF-8 until the object is written. No field has such a name.
const TEXT: &str = "\0text";
const HEX: &str = "\0hex";

/// Returns a path as the value of a field.
pub(crate) fn path_value(path: impl AsRef<Path>) -> Value {
    let path = path.as_ref();
    match path.to_str() {
        Some(text) => Value::from(text),
        None => {
            let hex = base16ct::lower::encode_string(path.as_os_str().as_bytes());
            json!({ TEXT: path.to_string_lossy(), HEX: hex })
        }
    }
}

/// Returns several paths as the value of a field. If one is not UTF-8, the octets are in an array beside it, with
/// null for those that are.
pub(crate) fn path_values<P: AsRef<Path>>(paths: impl IntoIterator<Item = P>) -> Value {
    paths.into_iter().map(path_value).collect()
}

/// Returns the value with each path as text, and with the octets of the paths that are not UTF-8 beside them.
pub(super) fn resolved(value: Value) -> Value {
    match value {
        Value::Object(fields) => Value::Object(fields.into_iter().flat_map(field).collect()),
        Value::Array(values) => values.into_iter().map(|value| halves(value).0).collect(),
        other => other,
    }
}

fn field((name, value): (String, Value)) -> impl Iterator<Item = (String, Value)> {
    let (text, hex) = match value {
        Value::Array(values) => {
            let (texts, hexes): (Vec<Value>, Vec<Value>) = values.into_iter().map(halves).unzip();
            let hexes = if hexes.iter().all(Value::is_null) { Value::Null } else { Value::Array(hexes) };
            (Value::Array(texts), hexes)
        }
        other => halves(other),
    };
    let beside = (!hex.is_null()).then(|| (format!("{name}_hex"), hex));
    std::iter::once((name, text)).chain(beside)
}

fn halves(value: Value) -> (Value, Value) {
    match value {
        Value::Object(mut fields) if fields.contains_key(TEXT) => {
            let mut take = |name| Map::remove(&mut fields, name).unwrap_or_default();
            (take(TEXT), take(HEX))
        }
        other => (resolved(other), Value::Null),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ffi::OsStr;

    #[test]
    fn a_path_that_is_no_utf8_is_told_as_text_and_as_octets_beside_it() {
        let odd = Path::new(OsStr::from_bytes(b"d/\xff.crt"));
        let told = resolved(json!({
            "file": path_value(odd),
            "chain": path_value("a"),
            "none": Option::<&Path>::None.map(path_value),
            "files": path_values([Path::new("a"), odd]),
            "plain": path_values(["a", "b"]),
            "below": [{ "file": path_value(odd) }],
        }));
        let expected = json!({
            "file": "d/\u{fffd}.crt",
            "file_hex": "642fff2e637274",
            "chain": "a",
            "none": null,
            "files": ["a", "d/\u{fffd}.crt"],
            "files_hex": [null, "642fff2e637274"],
            "plain": ["a", "b"],
            "below": [{ "file": "d/\u{fffd}.crt", "file_hex": "642fff2e637274" }],
        });
        assert_eq!(told, expected);
    }
}
