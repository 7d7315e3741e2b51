//! What the terminals of standard output and standard error can show.
use rustix::termios::tcgetwinsize;
use std::ffi::OsStr;
use std::io::{self, IsTerminal};
use std::sync::OnceLock;

/// Columns of a terminal that does not say how many it has, such as a serial line.
const USUAL: usize = 80;

/// What is known of the places where output goes.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Screen {
    /// Columns that a table may fill; `None` where nothing limits it.
    pub(crate) width: Option<usize>,
    /// Whether standard output shows colours.
    pub(crate) colours_output: bool,
    /// Whether standard error shows colours.
    pub(crate) colours_errors: bool,
}

static SCREEN: OnceLock<Screen> = OnceLock::new();

/// Looks once where output goes. Neither `--wide` nor JSON has a limit; nor has a file or a pipe, because programs
/// read what comes out of it.
pub(crate) fn look(is_wide: bool, is_json: bool) {
    let variable = |name| std::env::var_os(name);
    let has_colours = |is_terminal| {
        !is_json && shows_colours(is_terminal, variable("NO_COLOR").as_deref(), variable("TERM").as_deref())
    };
    let is_terminal = io::stdout().is_terminal();
    let window = || tcgetwinsize(io::stdout()).ok().map(|size| usize::from(size.ws_col));
    let width = (is_terminal && !is_wide && !is_json)
        .then(|| width(variable("COLUMNS").as_deref(), window().unwrap_or_default()));
    let _ = SCREEN.set(Screen {
        width,
        colours_output: has_colours(is_terminal),
        colours_errors: has_colours(io::stderr().is_terminal()),
    });
}

/// Returns what [`look`] found; before it, a screen without limits and colours.
pub(crate) fn screen() -> Screen {
    SCREEN.get().copied().unwrap_or_default()
}

/// Returns the columns of a terminal: those that `COLUMNS` sets, else those of the window.
fn width(columns: Option<&OsStr>, window: usize) -> usize {
    let set = columns.and_then(OsStr::to_str).and_then(|text| text.trim().parse().ok());
    set.filter(|columns| *columns > 0).unwrap_or(if window > 0 { window } else { USUAL })
}

/// Whether a stream shows colours: a terminal that is not dumb, unless `NO_COLOR` is set and not empty.
fn shows_colours(is_terminal: bool, no_color: Option<&OsStr>, term: Option<&OsStr>) -> bool {
    is_terminal
        && no_color.is_none_or(OsStr::is_empty)
        && term.is_some_and(|term| !term.is_empty() && term != "dumb")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_has_the_columns_that_are_set_or_those_of_its_window_or_eighty() {
        let set = |text: &'static str| Some(OsStr::new(text));
        assert_eq!(width(set("132"), 100), 132);
        assert_eq!(width(None, 100), 100);
        assert_eq!(width(None, 0), 80);
        for nonsense in ["", "0", "-1", "wide"] {
            assert_eq!(width(set(nonsense), 100), 100, "{nonsense}");
        }
    }

    #[test]
    fn colours_are_shown_on_a_terminal_that_has_them_unless_somebody_wants_none() {
        let word = |text: &'static str| Some(OsStr::new(text));
        assert!(shows_colours(true, None, word("xterm")));
        assert!(shows_colours(true, word(""), word("xterm")));
        assert!(!shows_colours(false, None, word("xterm")));
        assert!(!shows_colours(true, word("1"), word("xterm")));
        assert!(!shows_colours(true, None, word("dumb")));
        assert!(!shows_colours(true, None, None));
    }
}
