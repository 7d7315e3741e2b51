//! Text form of subtrees, as people type and read them.
use super::name_constraints::{Subtree, mask, octets_of};
use crate::error::Reason;
use crate::x509::Name;
use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

/// Reads the argument of `--permit` and `--exclude`: `dns:example`, `ip:192.0.2.0/24`, `email:example`,
/// `uri:example`, `dir:C=BE,O=Example`. Without a prefix the text is an address range, a mailbox or a DNS name.
impl FromStr for Subtree {
    type Err = Reason;

    fn from_str(text: &str) -> Result<Self, Reason> {
        let (kind, value) = match text.split_once(':') {
            Some((kind @ ("dns" | "DNS" | "ip" | "IP" | "email" | "uri" | "URI" | "dir"), value)) => {
                (kind.to_ascii_lowercase(), value)
            }
            _ if text.contains('/') || text.parse::<IpAddr>().is_ok() => ("ip".into(), text),
            _ if text.contains('@') => ("email".into(), text),
            _ => ("dns".into(), text),
        };
        let host = |value: &str| {
            let plain = value.trim_start_matches('.');
            let fits = plain.split('.').all(|label| {
                !label.is_empty()
                    && label.len() <= 63
                    && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
            });
            if fits {
                Ok(value.to_ascii_lowercase())
            } else {
                Err(format!("`{value}` is not a host or domain name"))
            }
        };
        match kind.as_str() {
            "dns" => host(value)
                .map(|name| Self::Dns(name.trim_start_matches('.').to_owned()))
                .map_err(Reason::from),
            "uri" => host(value).map(Self::Uri).map_err(Reason::from),
            "email" => match value.rsplit_once('@') {
                Some((local, domain)) if !local.is_empty() && value.is_ascii() => {
                    Ok(Self::Email(format!("{local}@{}", host(domain)?)))
                }
                Some(_) => Err(format!("`{value}` is not a mailbox in ASCII").into()),
                None => host(value).map(Self::Email).map_err(Reason::from),
            },
            "dir" => Name::parse(value).map(Self::Directory).map_err(|error| error.to_string().into()),
            _ => {
                let (address, prefix) = match value.split_once('/') {
                    Some((address, prefix)) => (address, prefix.parse::<u8>().ok()),
                    None => (value, Some(if value.contains(':') { 128 } else { 32 })),
                };
                let network: IpAddr = address
                    .parse()
                    .map_err(|_| format!("`{value}` is not an address range such as 192.0.2.0/24"))?;
                let longest = if network.is_ipv4() { 32 } else { 128 };
                match prefix {
                    Some(prefix) if prefix <= longest => {
                        let octets = octets_of(network);
                        let beyond = mask(octets.len(), prefix).iter().zip(&octets).any(|(m, o)| o & !m != 0);
                        if beyond {
                            Err(format!("`{value}` has address bits beyond its prefix").into())
                        } else {
                            Ok(Self::Ip { network, prefix })
                        }
                    }
                    _ => Err(format!("`{value}` has no prefix length from 0 to {longest}").into()),
                }
            }
        }
    }
}

/// Writes the form that [`Subtree::from_str`] reads.
impl fmt::Display for Subtree {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dns(text) => write!(f, "dns:{text}"),
            Self::Email(text) => write!(f, "email:{text}"),
            Self::Uri(text) => write!(f, "uri:{text}"),
            Self::Directory(name) => write!(f, "dir:{name}"),
            Self::Ip { network, prefix } => write!(f, "ip:{network}/{prefix}"),
            Self::Other(octets) => write!(f, "other:{} octets", octets.len()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_typed_wrongly_is_refused() {
        for wrong in ["192.0.2.1/24", "192.0.2.0/33", "a b", "ip:x", "dns:", "email:@x", "dir:nonsense"] {
            assert!(wrong.parse::<Subtree>().is_err(), "{wrong}");
        }
    }
}
