//! Comma-separated values (RFC 4180).

/// Returns one record with its line end. A field that a spreadsheet would take for a formula gets an apostrophe in
/// front, because other people choose the names in requests.
#[must_use]
pub fn csv_row(fields: &[String]) -> String {
    let fields: Vec<String> = fields.iter().map(|field| quoted(field)).collect();
    format!("{}\r\n", fields.join(","))
}

fn quoted(field: &str) -> String {
    let is_formula = field.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let guard = if is_formula { "'" } else { "" };
    if is_formula || field.contains(['"', ',', '\n', '\r']) {
        format!("\"{guard}{}\"", field.replace('"', "\"\""))
    } else {
        field.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_quoted_where_they_have_to_be() {
        let row =
            |fields: &[&str]| csv_row(&fields.iter().map(|field| (*field).to_owned()).collect::<Vec<_>>());
        assert_eq!(row(&["a", "", "C=BE, CN=x"]), "a,,\"C=BE, CN=x\"\r\n");
        assert_eq!(row(&["say \"no\"", "two\nlines"]), "\"say \"\"no\"\"\",\"two\nlines\"\r\n");
    }

    #[test]
    fn nothing_reaches_a_spreadsheet_as_a_formula() {
        for field in ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"] {
            let row = csv_row(&[field.to_owned()]);
            assert!(row.starts_with("\"'"), "{row}");
        }
        assert_eq!(csv_row(&["CN==1".into()]), "CN==1\r\n");
    }
}
