//! Parses the level of detail of the log, for example `debug` or `genfic_ca=trace,warn`.
use tracing_subscriber::filter::{LevelFilter, Targets};

/// Returns the requested levels; `info` when nothing is requested or the text is invalid.
pub(crate) fn detail(asked: Option<&str>) -> Targets {
    asked.and_then(read).unwrap_or_else(|| Targets::new().with_default(LevelFilter::INFO))
}

/// Parses levels and `TARGET=LEVEL`, separated by commas; empty parts are ignored. Returns `None` when a part is
/// neither, for example because it begins with a quotation mark: it would count as a target to which nothing is
/// logged.
fn read(text: &str) -> Option<Targets> {
    let asked: Vec<&str> = text.split(',').map(str::trim).filter(|one| !one.is_empty()).collect();
    let is_word = |one: &&str| one.starts_with(|c: char| c.is_alphanumeric() || matches!(c, '-' | ':' | '_'));
    if !asked.iter().all(is_word) {
        return None;
    }
    asked.join(",").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::detail;
    use tracing_subscriber::filter::LevelFilter;

    #[test]
    fn a_level_or_levels_by_target_are_taken_and_what_is_neither_is_info() {
        for (asked, level) in [
            (None, LevelFilter::INFO),
            (Some("debug"), LevelFilter::DEBUG),
            (Some(" TRACE ,"), LevelFilter::TRACE),
            (Some("warn,genfic_ca=off"), LevelFilter::WARN),
            (Some("off"), LevelFilter::OFF),
            (Some(""), LevelFilter::ERROR),
            (Some("\"debug\""), LevelFilter::INFO),
            (Some("[span]=debug"), LevelFilter::INFO),
            (Some("a=b=c"), LevelFilter::INFO),
        ] {
            let default = detail(asked).default_level().unwrap_or(LevelFilter::OFF);
            assert_eq!(default, level, "{asked:?}");
        }
        assert!(detail(Some("warn,genfic_ca=trace")).would_enable("genfic_ca::ocsp", &tracing::Level::TRACE));
        assert!(!detail(Some("warn,genfic_ca=trace")).would_enable("hyper", &tracing::Level::INFO));
    }
}
