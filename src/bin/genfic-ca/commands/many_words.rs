//! Lists of certificates that people write: one CERT a line, or a table that `list` has printed.

/// Headings of the columns that identify a certificate in the comma-separated values of `list --csv`.
const ISSUER: &str = "issuer";
const SERIAL: &str = "serial";
/// First heading of the table that `list` prints for people.
const CERT: &str = "CERT";

/// Returns the CERT of each line, in their order and each once. Blank lines and lines that begin with `#` are
/// comments. Of the comma-separated values of `list --csv`, issuer and serial number are taken; of the table that
/// `list` prints, the first column.
pub(crate) fn words(text: &str) -> Vec<String> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let rows = rows(text);
    let mut lines = rows.iter().filter(|row| !is_comment(row)).peekable();
    let Some(head) = lines.peek() else { return Vec::new() };
    let headings = fields(head);
    let column = |name: &str| headings.iter().position(|heading| heading.trim() == name);
    let found: Vec<String> = match (column(ISSUER), column(SERIAL)) {
        (Some(issuer), Some(serial)) => lines
            .skip(1)
            .filter_map(|line| {
                let fields = fields(line);
                Some(format!("{}/{}", fields.get(issuer)?.trim(), fields.get(serial)?.trim()))
            })
            .collect(),
        _ if head.split_whitespace().next() == Some(CERT) && head.trim() != CERT => lines
            .skip(1)
            .filter_map(|line| {
                line.split_whitespace().next().map(|cell| cell.trim_end_matches('…').to_owned())
            })
            // below the table stands what else was found
            .filter(|cell| cell.contains('/'))
            .collect(),
        _ => lines.map(|line| word(line)).collect(),
    };
    let mut seen = std::collections::HashSet::new();
    found.into_iter().filter(|word| seen.insert(word.clone())).collect()
}

fn is_comment(line: &str) -> bool {
    let line = line.trim();
    line.is_empty() || line.starts_with('#')
}

/// Returns the CERT of a line: what stands before the first comma or tab when that cannot be a name, else all of it.
fn word(line: &str) -> String {
    let line = line.trim();
    let first = line.split([',', '\t']).next().unwrap_or(line).trim().trim_matches('"');
    let is_serial = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_hexdigit() || c == ':');
    let is_exact = first.starts_with("serial:")
        || first.starts_with("sha256:")
        || first.split_once('/').is_some_and(|(_, serial)| is_serial(serial));
    if is_exact { first.to_owned() } else { line.to_owned() }
}

/// Splits a text into lines; a line break within quotes does not end a line of comma-separated values. Where quotes
/// are not closed on their line, they are no quotes unless the text is such a table.
fn rows(text: &str) -> Vec<String> {
    let is_table = text.lines().find(|line| !is_comment(line)).is_some_and(|head| {
        let headings = fields(head);
        [ISSUER, SERIAL].iter().all(|name| headings.iter().any(|heading| heading.trim() == *name))
    });
    if !is_table {
        return text.lines().map(str::to_owned).collect();
    }
    let mut rows: Vec<String> = Vec::new();
    let mut is_open = false;
    for line in text.lines() {
        match rows.last_mut().filter(|_| is_open) {
            Some(last) => {
                last.push('\n');
                last.push_str(line);
            }
            None => rows.push(line.to_owned()),
        }
        is_open ^= line.matches('"').count() % 2 == 1;
    }
    rows
}

/// Returns the fields of a row of comma-separated values (RFC 4180).
fn fields(row: &str) -> Vec<String> {
    let mut fields = vec![String::new()];
    let mut is_quoted = false;
    let mut characters = row.chars().peekable();
    while let Some(one) = characters.next() {
        let last = fields.last_mut();
        match (one, last) {
            ('"', Some(last)) if is_quoted && characters.peek() == Some(&'"') => {
                characters.next();
                last.push('"');
            }
            ('"', _) => is_quoted = !is_quoted,
            (',', _) if !is_quoted => fields.push(String::new()),
            (one, Some(last)) => last.push(one),
            (_, None) => {}
        }
    }
    fields
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_line_is_a_cert_and_comments_and_blanks_are_none() {
        let text = "# gone since May\n\nwww.example\n  serial:4f1a  \r\ngenfic-system/4f1a\nwww.example\nGenfic, Inc.\n";
        assert_eq!(words(text), ["www.example", "serial:4f1a", "genfic-system/4f1a", "Genfic, Inc."]);
        assert_eq!(words(""), Vec::<String>::new());
        assert_eq!(words("# nothing\n"), Vec::<String>::new());
    }

    #[test]
    fn the_first_column_is_the_cert_where_it_can_be_nothing_else() {
        let text = "genfic-system/4f1a,left in May\nserial:0a,\"x, y\"\nsha256:abcd\tz\n";
        assert_eq!(words(text), ["genfic-system/4f1a", "serial:0a", "sha256:abcd"]);
    }

    #[test]
    fn tables_that_were_listed_are_read() {
        let text = "issuer,serial,status,subject\ngenfic-system,4f1a,valid,\"CN=a, O=\"\"b\"\"\"\n\
                    genfic-user,0b,valid,\"CN=two\nlines\"\n";
        assert_eq!(words(text), ["genfic-system/4f1a", "genfic-user/0b"]);
        let text = "CERT                STATUS  UNTIL       SUBJECT\ngenfic-system/4f1a  valid   2030-01-01  CN=a\n\
             left out: 2 that were replaced\n1 certificate\n";
        assert_eq!(words(text), ["genfic-system/4f1a"]);
    }
}
