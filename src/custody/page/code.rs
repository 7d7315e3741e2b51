//! QR codes.
use super::PageError;
use qrcode::{Color, EcLevel, QrCode};

/// How densely a text is put into codes.
#[derive(Clone, Copy)]
pub(super) struct Density {
    /// Octets of text in a code.
    piece: usize,
    level: EcLevel,
}

/// 77 modules wide with a quarter of them redundant: a telephone reads it from paper that was folded.
pub(super) const SAFE: Density = Density { piece: 280, level: EcLevel::Q };
/// For what the paper has a second time in plain text.
pub(super) const DENSE: Density = Density { piece: 520, level: EcLevel::M };

/// A QR code with what is printed below it.
pub(super) struct Code {
    /// Label.
    pub(super) label: String,
    /// Modules of a side.
    pub(super) width: u16,
    /// Rows of dark modules: each run by its first module and its length.
    pub(super) rows: Vec<Vec<(u16, u16)>>,
}

/// Returns a text in as many codes as it takes, each of which begins with a comment that says its number.
pub(super) fn codes_of(name: &str, text: &str, density: Density) -> Result<Vec<Code>, PageError> {
    let pieces = pieces(text, density.piece);
    let count = pieces.len();
    let coded = pieces.iter().enumerate().map(|(at, piece)| {
        let mut code = encoded(&format!("# {name} {} of {count}\n{piece}", at + 1), density.level)?;
        code.label = format!("{name} {} of {count}", at + 1);
        Ok(code)
    });
    coded.collect()
}

/// Returns the text in pieces of whole lines.
fn pieces(text: &str, most: usize) -> Vec<String> {
    let mut pieces = vec![String::new()];
    for line in text.split_inclusive('\n') {
        match pieces.last_mut() {
            Some(last) if last.is_empty() || last.len() + line.len() <= most => last.push_str(line),
            _ => pieces.push(line.to_owned()),
        }
    }
    pieces
}

/// Returns a text in one code without a label.
pub(super) fn of(text: &str) -> Result<Code, PageError> {
    encoded(text, SAFE.level)
}

fn encoded(text: &str, level: EcLevel) -> Result<Code, PageError> {
    let code = QrCode::with_error_correction_level(text, level).map_err(|_| PageError::Code)?;
    let width = u16::try_from(code.width()).map_err(|_| PageError::Code)?;
    let colors = code.to_colors();
    let rows = colors.chunks(code.width()).map(|row| {
        let mut runs: Vec<(u16, u16)> = Vec::new();
        for (at, _) in (0..width).zip(row).filter(|(_, color)| **color == Color::Dark) {
            match runs.last_mut() {
                Some((first, length)) if *first + *length == at => *length += 1,
                _ => runs.push((at, 1)),
            }
        }
        runs
    });
    Ok(Code { label: String::new(), width, rows: rows.collect() })
}
