//! Text and codes on sheets of paper, one below the other.
use super::Paper;
use super::code::Code;
use pdf_writer::{Content, Finish, Name, Pdf, Rect, Ref, Str, TextStr};

/// The part of the paper that is printed on: what A4 and Letter have in common, without margins, in points.
const WIDTH: f32 = 595.0;
const HEIGHT: f32 = 792.0;
const MARGIN: f32 = 48.0;
const TOP: f32 = HEIGHT - 42.0;
const BOTTOM: f32 = 52.0;
const INNER: f32 = WIDTH - 2.0 * MARGIN;

/// Courier's advance, in parts of the size: every character is as wide.
const ADVANCE: f32 = 0.6;

/// Sizes of text.
const BODY: f32 = 9.0;
const LINES: f32 = 8.5;
const PROGRAM: f32 = 7.6;
const SHARE: f32 = 13.0;

const TITLES: Name<'static> = Name(b"T");
const TEXTS: Name<'static> = Name(b"C");
const BOLDS: Name<'static> = Name(b"B");

/// Pages that are filled from their top.
pub(super) struct Sheet {
    paper: Paper,
    footer: String,
    pages: Vec<Content>,
    page: Content,
    y: f32,
}

impl Sheet {
    /// Returns an empty sheet; `footer` is on each page.
    pub(super) fn new(paper: Paper, footer: &str) -> Self {
        Self { paper, footer: footer.to_owned(), pages: Vec::new(), page: blank(paper), y: TOP }
    }

    fn put(&mut self, font: Name<'_>, size: f32, x: f32, y: f32, text: &str) {
        let octets: Vec<u8> =
            text.chars().map(|c| if c.is_ascii() { u8::try_from(c).unwrap_or(b'?') } else { b'?' }).collect();
        self.page.begin_text().set_font(font, size).next_line(x, y).show(Str(&octets)).end_text();
    }

    /// Begins a new page where less than this height is left.
    fn need(&mut self, height: f32) {
        if self.y - height < BOTTOM {
            self.break_page();
        }
    }

    /// Begins a new page.
    pub(super) fn break_page(&mut self) {
        if self.y < TOP {
            self.pages.push(std::mem::replace(&mut self.page, blank(self.paper)));
            self.y = TOP;
        }
    }

    /// Writes the title.
    pub(super) fn title(&mut self, text: &str) {
        self.y -= 16.0;
        self.put(TITLES, 15.0, MARGIN, self.y, text);
        self.y -= 10.0;
    }

    /// Writes a heading.
    pub(super) fn heading(&mut self, text: &str) {
        self.need(60.0);
        self.y -= 18.0;
        self.put(TITLES, 11.0, MARGIN, self.y, text);
        self.y -= 5.0;
    }

    /// Writes a paragraph, broken into lines.
    pub(super) fn paragraph(&mut self, text: &str) {
        self.wrapped(text, 0.0);
        self.y -= 4.0;
    }

    fn wrapped(&mut self, text: &str, indent: f32) {
        let mut line = String::new();
        for word in text.split_whitespace() {
            if !line.is_empty() && width(&line, BODY) + width(word, BODY) + BODY * ADVANCE > INNER - indent {
                self.line(&std::mem::take(&mut line), indent);
            }
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
        self.line(&line, indent);
    }

    fn line(&mut self, text: &str, indent: f32) {
        self.need(BODY);
        self.y -= BODY * 1.25;
        self.put(TEXTS, BODY, MARGIN + indent, self.y, text);
    }

    /// Writes names with their values.
    pub(super) fn facts(&mut self, rows: &[(&'static str, String)]) {
        for (name, value) in rows {
            let y = self.y - BODY * 1.25;
            self.put(BOLDS, BODY, MARGIN, y, name);
            self.wrapped(value, 68.0);
        }
    }

    /// Begins a new page where so many lines of a key, with a heading and a paragraph, fit on a page and not on this one.
    pub(super) fn keep_together(&mut self, lines: usize) {
        let rows = f32::from(u16::try_from(lines.div_ceil(3)).unwrap_or(u16::MAX));
        let height = rows * LINES * 1.3 + 90.0;
        if height <= TOP - BOTTOM {
            self.need(height);
        }
    }

    /// Writes lines of a key in three columns, down each column first.
    pub(super) fn columns(&mut self, lines: &[String]) {
        let step = LINES * 1.3;
        let mut rest = lines;
        while !rest.is_empty() {
            self.need(step * 4.0);
            let room = std::iter::successors(Some(self.y), |y| Some(y - step)).skip(1);
            let room = room.take_while(|y| *y >= BOTTOM).count().max(1);
            let (now, later) = rest.split_at_checked(room * 3).unwrap_or((rest, &[]));
            let rows = now.len().div_ceil(3).max(1);
            let top = self.y;
            let mut x = MARGIN;
            for column in now.chunks(rows) {
                let mut y = top;
                for line in column {
                    y -= step;
                    self.put(BOLDS, LINES, x, y, line);
                    self.y = self.y.min(y);
                }
                x += INNER / 3.0;
            }
            self.y -= 4.0;
            rest = later;
            if !rest.is_empty() {
                self.break_page();
            }
        }
    }

    /// Writes a program, a line of it in a line.
    pub(super) fn program(&mut self, text: &str) {
        self.y -= 4.0;
        for line in text.lines() {
            self.need(PROGRAM);
            self.y -= PROGRAM * 1.18;
            if !line.is_empty() {
                self.put(TEXTS, PROGRAM, MARGIN, self.y, line);
            }
        }
        self.y -= 4.0;
    }

    /// Draws codes, three in a row, with their labels.
    pub(super) fn codes(&mut self, codes: &[Code]) {
        let side = INNER / 3.0 - 6.0;
        for row in codes.chunks(3) {
            self.need(side + 18.0);
            let mut x = MARGIN;
            for code in row {
                self.code(code, x, self.y - 4.0, side);
                self.put(TEXTS, BODY, x + 12.0, self.y - side - 8.0, &code.label);
                x += INNER / 3.0;
            }
            self.y -= side + 16.0;
        }
    }

    /// Draws a share: its code, and its lines beside it.
    pub(super) fn share(&mut self, code: &Code, lines: &[String]) {
        let side = 170.0;
        self.need(side + 8.0);
        self.code(code, MARGIN, self.y - 4.0, side);
        let mut y = self.y - 34.0;
        for line in lines {
            self.put(BOLDS, SHARE, MARGIN + side + 16.0, y, line);
            y -= 26.0;
        }
        self.y -= side + 8.0;
    }

    /// Draws a code into a square whose upper left corner is here; the border that a code needs is within.
    fn code(&mut self, code: &Code, x: f32, y: f32, side: f32) {
        let module = side / f32::from(code.width + 8);
        // within, a unit is a module, which keeps the document small
        self.page.save_state().transform([module, 0.0, 0.0, module, x, y - side]);
        for (row, down) in code.rows.iter().zip((4..code.width + 4).rev()) {
            for (first, length) in row {
                self.page.rect(f32::from(first + 4), f32::from(down), f32::from(*length), 1.0);
            }
        }
        self.page.fill_nonzero().restore_state();
    }

    /// Returns the document.
    pub(super) fn finish(mut self) -> Vec<u8> {
        self.break_page();
        let (width, height) = size(self.paper);
        let mut pdf = Pdf::new();
        let mut next = 0;
        let mut reference = || {
            next += 1;
            Ref::new(next)
        };
        let (catalog, tree, information) = (reference(), reference(), reference());
        let fonts = [(TITLES, "Helvetica-Bold"), (TEXTS, "Courier"), (BOLDS, "Courier-Bold")]
            .map(|(name, base)| (name, base, reference()));
        let count = self.pages.len();
        let pages = std::mem::take(&mut self.pages);
        let places: Vec<(Ref, Ref)> = pages.iter().map(|_| (reference(), reference())).collect();
        pdf.catalog(catalog).pages(tree);
        pdf.document_info(information).title(TextStr(&self.footer)).producer(TextStr("genfic-key"));
        pdf.pages(tree)
            .kids(places.iter().map(|(page, _)| *page))
            .count(i32::try_from(count).unwrap_or_default());
        for (number, (content, (place, stream))) in (1..).zip(pages.into_iter().zip(&places)) {
            self.page = content;
            let footer = format!("{}    page {number} of {count}", self.footer);
            self.put(TEXTS, BODY, MARGIN, BOTTOM - 18.0, &footer);
            let mut page = pdf.page(*place);
            page.media_box(Rect::new(0.0, 0.0, width, height));
            page.parent(tree).contents(*stream);
            let mut resources = page.resources();
            let mut named = resources.fonts();
            for (name, _, font) in &fonts {
                named.pair(*name, *font);
            }
            named.finish();
            resources.finish();
            page.finish();
            let content = std::mem::replace(&mut self.page, blank(self.paper)).finish();
            pdf.stream(*stream, &content);
        }
        for (_, base, font) in fonts {
            pdf.type1_font(font)
                .base_font(Name(base.as_bytes()))
                .encoding_predefined(Name(b"WinAnsiEncoding"));
        }
        pdf.finish()
    }
}

/// Returns width and height.
fn size(paper: Paper) -> (f32, f32) {
    match paper {
        Paper::A4 => (595.28, 841.89),
        Paper::Letter => (612.0, 792.0),
    }
}

/// Returns the content of a page with the origin moved, so that what is printed is in the middle of either paper.
fn blank(paper: Paper) -> Content {
    let (width, height) = size(paper);
    let mut content = Content::new();
    content.transform([1.0, 0.0, 0.0, 1.0, (width - WIDTH) / 2.0, (height - HEIGHT) / 2.0]);
    content
}

fn width(text: &str, size: f32) -> f32 {
    f32::from(u16::try_from(text.chars().count()).unwrap_or(u16::MAX)) * size * ADVANCE
}
