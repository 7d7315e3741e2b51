//! What is logged: the levels of the configuration, unless GENFIC_OCSPD_LOG has others.
use genfic_ca::config::{LogLevel, LogLevels};
use genfic_ca::error::{Code, Problem};
use tracing_subscriber::filter::{LevelFilter, Targets};

/// The variable of the environment that counts before the configuration.
const VARIABLE: &str = "GENFIC_OCSPD_LOG";

/// Returns the levels in the environment, or else the configured ones.
///
/// # Errors
/// Exit status 2 when the environment has something that is no level.
pub(crate) fn levels(configured: &LogLevels) -> Result<LogLevels, Problem> {
    match std::env::var(VARIABLE) {
        Ok(text) if !text.is_empty() => of_environment(&text),
        _ => Ok(configured.clone()),
    }
}

fn of_environment(text: &str) -> Result<LogLevels, Problem> {
    text.parse().map_err(|error| {
        Problem::new(Code::Usage, format!("{VARIABLE}: {error}"))
            .hint(format!("for example {VARIABLE}=debug; without it [log] level counts"))
    })
}

/// Returns the filter of these levels.
pub(crate) fn filter(levels: &LogLevels) -> Targets {
    levels.each().fold(Targets::new(), |filter, (part, level)| match part {
        None => filter.with_default(filter_of(level)),
        Some(part) => filter.with_target(part, filter_of(level)),
    })
}

fn filter_of(level: LogLevel) -> LevelFilter {
    match level {
        LogLevel::Off => LevelFilter::OFF,
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Debug => LevelFilter::DEBUG,
        LogLevel::Trace => LevelFilter::TRACE,
    }
}

#[cfg(test)]
mod tests {
    use super::{filter, of_environment};
    use tracing::Level;

    #[test]
    fn levels_count_for_the_parts_that_they_name() {
        let filter = filter(&"warn,genfic_ca=trace".parse().unwrap());
        assert!(filter.would_enable("genfic_ca::ocsp", &Level::TRACE));
        assert!(filter.would_enable("hyper", &Level::WARN));
        assert!(!filter.would_enable("hyper", &Level::INFO));
    }

    #[test]
    fn what_is_no_level_is_a_mistake_of_the_command_line() {
        let problem = of_environment("debgu").unwrap_err();
        assert_eq!(problem.exit.code(), 2);
        assert!(
            problem.message.starts_with("GENFIC_OCSPD_LOG: `debgu` is not a level"),
            "{}",
            problem.message
        );
    }
}
