//! The calendar as one SVG file. The file loads nothing, keeps text as text, and is light or dark like the reader's
//! system.
mod heat;

use super::scale::Scale;
use super::{Calendar, Outlook, Renewal, day};
use crate::error::xml_text;

/// Width of the picture in points. Bars run from LEFT to RIGHT, which leaves room for a date.
const WIDTH: i64 = 900;
const MARGIN: i64 = 24;
const LEFT: i64 = 264;
const RIGHT: i64 = 784;
const TOP: i64 = 96;
const ROW: i64 = 44;
/// Maximum length of a name in characters, for which the space before the bars suffices.
const NAME: usize = 30;

const STYLE: &str = "\
text{font-family:system-ui,-apple-system,'Segoe UI',Roboto,'DejaVu Sans',sans-serif;font-size:13px;fill:#1b1f24}
.page{fill:#ffffff}.title{font-size:19px;font-weight:600}.head{font-size:14px;font-weight:600}
.small{font-size:11px;fill:#57606a}.late{font-size:13px;fill:#a8320a;font-weight:600}
.grid{stroke:#d5dbe1;stroke-width:1}.full{fill:#2666ad}.short{fill:#a9c6e6}.gone{fill:#8b95a0}.rest{fill:#dde3e9}
.due{stroke:#a8320a;stroke-width:2}.date{paint-order:stroke;stroke:#ffffff;stroke-width:5px}
@media (prefers-color-scheme:dark){text{fill:#e6e9ec}.page{fill:#12161b}.small{fill:#9aa5b1}.late{fill:#f2a071}
.grid{stroke:#2d3640}.full{fill:#6aa7e8}.short{fill:#2c4a6b}.gone{fill:#7d8894}.rest{fill:#2a323b}.due{stroke:#f2a071}.date{stroke:#12161b}}";

impl Calendar {
    /// Returns the picture: a bar for each CA until its end, then a progress bar for each CRL and responder
    /// certificate.
    #[must_use]
    pub fn svg(&self) -> String {
        let renewals: Vec<(String, &Outlook, Renewal)> = self.renewals();
        let count = |length: usize| i64::try_from(length).unwrap_or(i64::MAX / ROW);
        let second = TOP + 28 + ROW * count(self.outlooks.len()) + 44;
        let third = second + 20 + 30 * count(renewals.len()) + MARGIN;
        let below = self.leaves.as_ref().map_or(0, |leaves| heat::height(leaves) + MARGIN);
        let height = third + below;
        let mut page = Page::default();
        page.put(format!(
            r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" role="img" aria-labelledby="title desc">"#
        ));
        let title = format!("Certificate authorities on {}", day(self.now));
        page.put(format!(r#"<title id="title">{}</title>"#, xml_text(&title)));
        page.put(format!(r#"<desc id="desc">{}</desc>"#, xml_text(&self.description())));
        page.put(format!("<style>{STYLE}</style>"));
        page.put(format!(r#"<rect class="page" width="{WIDTH}" height="{height}"/>"#));
        page.text("title", MARGIN, 42, &title);
        page.text("head", MARGIN, 76, "When they end");
        self.legend(&mut page);
        self.draw_bars(&mut page);
        if !renewals.is_empty() {
            page.text("head", MARGIN, second, "What is made anew");
            page.bar("gone", LEFT, second - 9, 18, 10, "");
            page.text("small", LEFT + 24, second, "has passed");
            page.line("due", LEFT + 110, second - 11, second + 3);
            page.text("small", LEFT + 118, second, "the next one is due");
        }
        for (at, (what, outlook, renewal)) in renewals.iter().enumerate() {
            self.renewal(&mut page, second + 30 + 30 * count(at), what, outlook, *renewal);
        }
        if let Some(leaves) = &self.leaves {
            heat::draw(&mut page, third + 12, leaves);
        }
        page.put("</svg>".into());
        page.text
    }

    /// Returns the content of the picture in words.
    fn description(&self) -> String {
        let lines: Vec<String> =
            self.entries().iter().map(|entry| format!("{}: {}.", day(entry.at), entry.sentence())).collect();
        let holders = self.leaves.as_ref().map(heat::description);
        lines.into_iter().chain(holders).collect::<Vec<_>>().join(" ")
    }

    fn renewals(&self) -> Vec<(String, &Outlook, Renewal)> {
        let fit = self.outlooks.iter().filter(|outlook| outlook.is_usable);
        let mut out: Vec<(String, &Outlook, Renewal)> = Vec::new();
        for outlook in fit {
            out.extend(outlook.crl.map(|renewal| ("CRL of".to_owned(), outlook, renewal)));
            out.extend(outlook.responder.map(|renewal| ("responder of".to_owned(), outlook, renewal)));
        }
        out
    }

    fn legend(&self, page: &mut Page) {
        page.bar("full", LEFT, 67, 18, 10, "");
        page.text("small", LEFT + 24, 76, "issues at full length");
        page.bar("short", LEFT + 156, 67, 18, 10, "");
        page.text("small", LEFT + 180, 76, "what it issues ends with it");
    }

    fn draw_bars(&self, page: &mut Page) {
        let end = self.outlooks.iter().map(|outlook| outlook.validity.not_after).max().unwrap_or(self.now);
        let scale = Scale::new(self.now, end, RIGHT - LEFT);
        let count = i64::try_from(self.outlooks.len()).unwrap_or(0);
        let bottom = TOP + 20 + ROW * count;
        for mark in scale.marks(9) {
            let x = LEFT + scale.position(mark.at);
            page.line("grid", x, TOP + 8, bottom);
            page.centred("small", x, TOP + 3, &mark.label);
        }
        for (row, outlook) in (0..).zip(&self.outlooks) {
            let y = TOP + 20 + ROW * row;
            let inset = MARGIN + 14 * i64::try_from(outlook.depth.min(6)).unwrap_or(0);
            page.text("name", inset, y + 13, &cut(&outlook.name));
            if !outlook.is_usable {
                page.text("small", inset, y + 28, "revoked or ended");
                continue;
            }
            let until = outlook.validity.not_after;
            let full = outlook.full_length.as_ref().map_or(self.now, |full| full.last);
            let (turn, end) = (scale.position(full), scale.position(until));
            let told = match &outlook.full_length {
                Some(full) if full.last < self.now => "full length is past".to_owned(),
                Some(full) => format!("full length until {}", day(full.last)),
                None => "issues no more".to_owned(),
            };
            page.text("small", inset, y + 28, &told);
            let words = format!("{} ends {}; {told}", outlook.name, day(until));
            let issues = outlook.full_length.is_some();
            page.bar(if issues { "short" } else { "rest" }, LEFT, y + 4, end.max(2), 14, &words);
            page.bar("full", LEFT, y + 4, turn.min(end), 14, &words);
            page.text("date", LEFT + end.max(2) + 8, y + 16, &day(until));
        }
    }

    /// Draws one bar from the beginning to the end. The part in the past is darker, and a mark shows when the next
    /// one is due.
    fn renewal(&self, page: &mut Page, y: i64, what: &str, outlook: &Outlook, renewal: Renewal) {
        let scale = Scale::new(renewal.begins, renewal.ends, RIGHT - LEFT - 260);
        let name = cut(&format!("{what} {}", outlook.name));
        page.text("name", MARGIN, y + 4, &name);
        let late = renewal.due <= self.now;
        let since = if late { "overdue since" } else { "due" };
        let told = match outlook.is_offline {
            true if late => format!("overdue: ceremony by {}", day(renewal.ends)),
            true => format!("ceremony by {}", day(renewal.ends)),
            false => format!("{since} {}, ends {}", day(renewal.due), day(renewal.ends)),
        };
        let words = format!("{what} {}: {told}", outlook.name);
        page.bar("rest", LEFT, y - 5, RIGHT - LEFT - 260, 10, &words);
        page.bar("gone", LEFT, y - 5, scale.position(self.now), 10, &words);
        if scale.contains(renewal.due) {
            page.line("due", LEFT + scale.position(renewal.due), y - 9, y + 9);
        }
        page.text(if late { "late" } else { "date" }, RIGHT - 244, y + 4, &told);
    }
}

/// Collects elements, one on each line.
#[derive(Default)]
struct Page {
    text: String,
}

impl Page {
    fn put(&mut self, element: String) {
        self.text.push_str(&element);
        self.text.push('\n');
    }

    fn text(&mut self, class: &str, x: i64, y: i64, text: &str) {
        if !text.is_empty() {
            self.put(format!(r#"<text class="{class}" x="{x}" y="{y}">{}</text>"#, xml_text(text)));
        }
    }

    fn centred(&mut self, class: &str, x: i64, y: i64, text: &str) {
        self.put(format!(
            r#"<text class="{class}" x="{x}" y="{y}" text-anchor="middle">{}</text>"#,
            xml_text(text)
        ));
    }

    fn line(&mut self, class: &str, x: i64, from: i64, to: i64) {
        self.put(format!(r#"<path class="{class}" d="M{x} {from}V{to}"/>"#));
    }

    /// Draws a cell whose colour covers so many hundredths.
    fn shaded(
        &mut self,
        class: &str,
        (x, y): (i64, i64),
        (width, height): (i64, i64),
        share: i64,
        told: &str,
    ) {
        self.put(format!(
            r#"<rect class="{class}" x="{x}" y="{y}" width="{width}" height="{height}" rx="3" fill-opacity="{:.2}"><title>{}</title></rect>"#,
            f64::from(i32::try_from(share).unwrap_or(100)) / 100.0,
            xml_text(told)
        ));
    }

    fn bar(&mut self, class: &str, x: i64, y: i64, width: i64, height: i64, told: &str) {
        if width > 0 {
            self.put(format!(
                r#"<rect class="{class}" x="{x}" y="{y}" width="{width}" height="{height}" rx="3"><title>{}</title></rect>"#,
                xml_text(told)
            ));
        }
    }
}

fn cut(name: &str) -> String {
    if name.chars().count() <= NAME {
        return name.to_owned();
    }
    name.chars().take(NAME - 1).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{NOW, calendar, outlook};
    use super::*;

    #[test]
    fn the_picture_loads_nothing_and_says_what_it_shows() {
        let svg = calendar().svg();
        for foreign in ["href", "url(", "@import", "<script", "<image", "<use"] {
            assert!(!svg.contains(foreign), "{foreign}");
        }
        assert_eq!(svg.matches("http").count(), 1, "the namespace alone");
        assert!(svg.contains(r#"role="img" aria-labelledby="title desc""#));
        assert!(svg.contains("CA genfic ends.</desc>"), "{svg}");
        assert!(svg.contains("prefers-color-scheme:dark"));
        assert!(svg.contains(">genfic-system</text>"), "text is text");
    }

    #[test]
    fn every_class_has_a_colour_for_light_and_for_dark() {
        let svg = calendar().svg();
        let (light, dark) = STYLE.split_once("@media").unwrap();
        for class in ["page", "small", "late", "grid", "full", "short", "gone", "rest", "due", "date"] {
            assert!(svg.contains(&format!("class=\"{class}\"")), "{class} is not used");
            assert!(
                light.contains(&format!(".{class}{{")) && dark.contains(&format!(".{class}{{")),
                "{class}"
            );
        }
    }

    #[test]
    fn nothing_leaves_the_page_and_names_cannot_break_it() {
        let svg = Calendar::new(vec![outlook("a<b>&\"c", 9, 20), outlook(&"x".repeat(64), 0, 1)], NOW).svg();
        assert!(svg.contains("a&lt;b&gt;&amp;&quot;c") && !svg.contains("a<b>"), "{svg}");
        for element in svg.lines().filter(|line| line.starts_with("<rect") && line.contains(" x=")) {
            let number = |key: &str| -> i64 {
                let rest = element.split_once(&format!(" {key}=\"")).unwrap().1;
                rest.split_once('"').unwrap().0.parse().unwrap()
            };
            assert!(number("x") >= 0 && number("x") + number("width") <= RIGHT, "{element}");
        }
    }
}
