//! Aligned text, and escaping of what came from outside.
use crate::x509::is_invisible;

/// Returns the text with an escape for every character that could move the cursor, change colours, or change the
/// direction or order of what is displayed: control characters, and the invisible characters of Unicode's category
/// "format".
#[must_use]
pub(crate) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        let joins = matches!(character, '\u{200c}' | '\u{200d}');
        if joins || is_invisible(character) {
            out.extend(character.escape_default());
        } else {
            out.push(character);
        }
    }
    out
}

/// Rows with a label and values, aligned in two columns. A value without a label continues the row above.
#[derive(Clone, Debug, Default)]
pub(crate) struct Page {
    rows: Vec<(String, Vec<String>)>,
}

impl Page {
    /// Adds a label with one value.
    pub(crate) fn row(&mut self, label: &str, value: impl ToString) {
        self.rows(label, &[value.to_string()]);
    }

    /// Adds a label with several values, one on each line. Adds nothing when there are no values.
    pub(crate) fn rows(&mut self, label: &str, values: &[String]) {
        if !values.is_empty() {
            self.rows.push((escape(label), values.iter().map(|value| escape(value)).collect()));
        }
    }

    /// Returns the lines, each indented by this many spaces and ended by a line feed.
    #[must_use]
    pub(crate) fn render(&self, indent: usize) -> String {
        let width = self.rows.iter().map(|(label, _)| label.chars().count()).max().unwrap_or(0);
        let mut out = String::new();
        for (label, values) in &self.rows {
            let labels = std::iter::once(label.as_str()).chain(std::iter::repeat(""));
            for (label, value) in labels.zip(values) {
                let line = format!("{:indent$}{label:width$}  {value}", "");
                out.push_str(line.trim_end());
                out.push('\n');
            }
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_stand_in_one_column() {
        let mut page = Page::default();
        page.row("Subject", "CN=a");
        page.rows("Names", &["DNS:a".into(), "DNS:b".into()]);
        page.rows("None", &[]);
        assert_eq!(page.render(1), " Subject  CN=a\n Names    DNS:a\n          DNS:b\n");
    }

    #[test]
    fn what_could_play_with_the_terminal_is_written_out() {
        let mut page = Page::default();
        page.row("a\u{9b}", "\x1b[2J\n\u{202e}é\u{e0041}");
        assert_eq!(page.render(0), "a\\u{9b}  \\u{1b}[2J\\n\\u{202e}é\\u{e0041}\n");
    }
}
