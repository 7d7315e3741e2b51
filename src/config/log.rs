//! `[log]`: what the daemon logs, how, and where.
use super::sections::word;
use crate::document::Section;
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

/// `[log]`
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct LogConfig {
    /// What is logged.
    pub level: LogLevels,
    /// The form of the lines.
    pub format: LogFormat,
    /// Where they go.
    pub target: LogTarget,
    /// Where the access log goes; `None` when there is none.
    pub access: Option<LogTarget>,
    /// How clients' addresses stand in the access log.
    pub access_addresses: AddressForm,
}

impl Default for LogConfig {
    fn default() -> Self {
        Self {
            level: LogLevels(vec![(None, LogLevel::Info)]),
            format: LogFormat::Text,
            target: LogTarget::Stderr,
            access: None,
            access_addresses: AddressForm::Full,
        }
    }
}

impl LogConfig {
    pub(super) fn read(section: &mut Section) -> Self {
        let default = Self::default();
        let formats = [("text", LogFormat::Text), ("json", LogFormat::Json)];
        let forms = [("full", AddressForm::Full), ("short", AddressForm::Short), ("none", AddressForm::None)];
        let level = section
            .get_as("level", |text: String| text.parse().map_err(|error: InvalidLevel| error.to_string()));
        Self {
            level: level.unwrap_or(default.level),
            format: word(section, "format", &formats).unwrap_or(default.format),
            target: section.get_as("target", |text: String| target(&text)).unwrap_or(default.target),
            access: section
                .get_as("access", |text: String| match &*text {
                    "off" => Ok(None),
                    _ => target(&text).map(Some).map_err(|error| format!("{error}, nor \"off\"")),
                })
                .flatten(),
            access_addresses: word(section, "access_addresses", &forms).unwrap_or(default.access_addresses),
        }
    }
}

fn target(text: &str) -> Result<LogTarget, String> {
    match text {
        "stderr" => Ok(LogTarget::Stderr),
        path if path.starts_with('/') => Ok(LogTarget::File(path.into())),
        _ => Err(format!("`{text}` is neither \"stderr\" nor an absolute path")),
    }
}

/// The form of log lines.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum LogFormat {
    /// Text for people; the access log in the Common Log Format.
    Text,
    /// A JSON object a line.
    Json,
}

/// Where log lines go.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum LogTarget {
    /// Standard error, which the journal has under systemd.
    Stderr,
    /// The file at this absolute path, to which lines are added.
    File(PathBuf),
}

/// How the address of a client stands in the access log.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum AddressForm {
    /// Whole.
    Full,
    /// Without the last octet of an IPv4 address, and the last 64 bits of an IPv6 address.
    Short,
    /// Not at all.
    None,
}

/// How much is logged.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum LogLevel {
    Off,
    Error,
    Warn,
    Info,
    Debug,
    Trace,
}

impl LogLevel {
    const ALL: [(&'static str, Self); 6] = [
        ("error", Self::Error),
        ("warn", Self::Warn),
        ("info", Self::Info),
        ("debug", Self::Debug),
        ("trace", Self::Trace),
        ("off", Self::Off),
    ];
}

/// Levels by part of the program; `None` stands for all other parts. Written `info`, or `warn,genfic_ca=debug`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct LogLevels(Vec<(Option<String>, LogLevel)>);

impl LogLevels {
    /// Each part of the program that has a level of its own, and `None` for the others, with its level.
    pub fn each(&self) -> impl Iterator<Item = (Option<&str>, LogLevel)> {
        self.0.iter().map(|(part, level)| (part.as_deref(), *level))
    }
}

/// A text that names no level.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("`{0}` is not a level: error, warn, info, debug, trace or off, or PART=LEVEL")]
pub struct InvalidLevel(String);

impl FromStr for LogLevels {
    type Err = InvalidLevel;

    fn from_str(text: &str) -> Result<Self, InvalidLevel> {
        let mut levels = Vec::new();
        for one in text.split(',').map(str::trim).filter(|one| !one.is_empty()) {
            let invalid = || InvalidLevel(one.to_owned());
            let (part, level) = one.split_once('=').map_or((None, one), |(part, level)| (Some(part), level));
            let is_part = |part: &str| {
                !part.is_empty() && part.chars().all(|c| c.is_alphanumeric() || "-:_".contains(c))
            };
            if part.is_some_and(|part| !is_part(part)) {
                return Err(invalid());
            }
            let known = LogLevel::ALL.iter().find(|(name, _)| level.eq_ignore_ascii_case(name));
            levels.push((part.map(str::to_owned), known.ok_or_else(invalid)?.1));
        }
        if levels.is_empty() { Err(InvalidLevel(text.to_owned())) } else { Ok(Self(levels)) }
    }
}

impl fmt::Display for LogLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(Self::ALL.iter().find(|(_, level)| level == self).map_or("", |row| row.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    #[test]
    fn a_level_or_levels_by_part_are_taken_and_what_is_neither_is_refused() {
        let of = |text: &str| -> Vec<(Option<String>, LogLevel)> { text.parse::<LogLevels>().unwrap().0 };
        assert_eq!(of("debug"), [(None, LogLevel::Debug)]);
        assert_eq!(of(" TRACE ,"), [(None, LogLevel::Trace)]);
        let both = [(None, LogLevel::Warn), (Some("genfic_ca".into()), LogLevel::Off)];
        assert_eq!(of("warn,genfic_ca=off"), both);
        for text in
            ["", ",", "debgu", "\"debug\"", "[span]=debug", "a=b=c", "a=", "=debug", "genfic_ca", "warn;info"]
        {
            assert!(text.parse::<LogLevels>().is_err(), "{text}");
        }
    }

    #[test]
    fn every_setting_is_read_and_a_mistake_has_its_line() {
        let config = Config::parse(
            "[log]\nlevel = 'warn'\nformat = 'json'\ntarget = '/var/log/x/daemon.log'\naccess = 'stderr'\n\
             access_addresses = 'short'\n",
        );
        let log = config.unwrap().log;
        assert_eq!((log.format, log.access_addresses), (LogFormat::Json, AddressForm::Short));
        assert_eq!(
            (log.target, log.access),
            (LogTarget::File("/var/log/x/daemon.log".into()), Some(LogTarget::Stderr))
        );
        for (text, expected) in [
            ("[log]\nlevel = 'debgu'\n", "line 2: log.level: `debgu` is not a level"),
            ("[log]\nformat = 'xml'\n", "log.format: must be \"text\" or \"json\""),
            ("[log]\ntarget = 'here.log'\n", "neither \"stderr\" nor an absolute path"),
            ("[log]\naccess = 'on'\n", "nor an absolute path, nor \"off\""),
            ("[log]\naccess_addresses = 'some'\n", "must be \"full\" or \"short\" or \"none\""),
        ] {
            let errors = Config::parse(text).unwrap_err();
            assert!(errors[0].to_string().contains(expected), "{errors:?}");
        }
    }
}
