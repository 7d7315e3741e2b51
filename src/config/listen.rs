//! Where the daemon listens: `ADDRESS:PORT`, or `unix:PATH`.
use crate::error::Shown as _;
use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;

/// Octets of the longest path of a Unix socket (`sun_path` without its end).
const LONGEST: usize = 107;

/// A place to listen on.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum ListenAddress {
    /// An IP address and a port; port 0 means any free port.
    Tcp(SocketAddr),
    /// A Unix socket in the file system.
    Unix(PathBuf),
}

/// A text that is no place to listen on.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidListenAddress(String);

impl FromStr for ListenAddress {
    type Err = InvalidListenAddress;

    fn from_str(text: &str) -> Result<Self, InvalidListenAddress> {
        let refused = |reason: &str| Err(InvalidListenAddress(format!("`{text}` {reason}")));
        match text.strip_prefix("unix:") {
            Some("") => refused("names no path"),
            Some(path) if path.len() > LONGEST || path.contains('\0') => {
                refused("is longer than the path of a socket can be: 107 octets")
            }
            Some(path) => Ok(Self::Unix(path.into())),
            None => match text.parse() {
                Ok(address) => Ok(Self::Tcp(address)),
                Err(_) => refused("is not ADDRESS:PORT such as \"127.0.0.1:2560\", nor unix:PATH"),
            },
        }
    }
}

impl fmt::Display for ListenAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => address.fmt(f),
            Self::Unix(path) => write!(f, "unix:{}", path.shown()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_and_paths_are_read_and_written_as_they_were() {
        for text in ["127.0.0.1:2560", "[::]:80", "unix:/run/genfic-ocspd.sock", "unix:here"] {
            assert_eq!(text.parse::<ListenAddress>().unwrap().to_string(), text);
        }
        let long = format!("unix:/{}", "x".repeat(200));
        for text in ["localhost", "localhost:80", "127.0.0.1", "unix:", "/run/x.sock", "", &long] {
            assert!(text.parse::<ListenAddress>().unwrap_err().to_string().contains(text), "{text}");
        }
    }
}
