//! `nameConstraints` (RFC 5280 §4.2.1.10).
use super::{Extension, NAME_CONSTRAINTS};
use crate::x509::octets::{SEQUENCE, tlv};
use crate::x509::{GeneralName, MalformedDer, Name, TbsCertificate};
use der::asn1::AnyRef;
use der::{Decode, Reader, SliceReader};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// `GeneralSubtree` without minimum and maximum: a set of names.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Subtree {
    /// The DNS name and every name below it, without a leading dot.
    Dns(String),
    /// Addresses whose first `prefix` bits are those of `network`.
    Ip {
        /// Network address.
        network: IpAddr,
        /// Number of leading bits that are compared.
        prefix: u8,
    },
    /// One mailbox, all mailboxes of a host, or, with a leading dot, all mailboxes of the hosts below a domain.
    Email(String),
    /// URIs with this host or, with a leading dot, with a host below the domain.
    Uri(String),
    /// Distinguished names that begin with these RDNs.
    Directory(Name),
    /// A name form that is not evaluated here, as one whole DER element.
    Other(Vec<u8>),
}

/// `NameConstraints`
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct NameConstraints {
    /// `permittedSubtrees`
    pub permitted: Vec<Subtree>,
    /// `excludedSubtrees`
    pub excluded: Vec<Subtree>,
}

pub(super) fn mask(octets: usize, prefix: u8) -> Vec<u8> {
    (0..octets)
        .map(|at| {
            let ones = usize::from(prefix).saturating_sub(at * 8).min(8);
            u8::try_from(0xff00_u32 >> ones & 0xff).unwrap_or(0)
        })
        .collect()
}

pub(super) fn octets_of(address: IpAddr) -> Vec<u8> {
    match address {
        IpAddr::V4(address) => address.octets().to_vec(),
        IpAddr::V6(address) => address.octets().to_vec(),
    }
}

impl Subtree {
    /// Every IPv4 address.
    pub(crate) const ALL_IPV4: Self = Self::Ip { network: IpAddr::V4(Ipv4Addr::UNSPECIFIED), prefix: 0 };
    /// Every IPv6 address.
    pub(crate) const ALL_IPV6: Self = Self::Ip { network: IpAddr::V6(Ipv6Addr::UNSPECIFIED), prefix: 0 };

    fn to_der(&self) -> Vec<u8> {
        let base = match self {
            Self::Email(text) => tlv(0x81, text.as_bytes()),
            Self::Dns(text) => tlv(0x82, text.as_bytes()),
            Self::Uri(text) => tlv(0x86, text.as_bytes()),
            Self::Directory(name) => tlv(0xa4, name.as_der()),
            Self::Ip { network, prefix } => {
                let octets = octets_of(*network);
                let mask = mask(octets.len(), *prefix);
                tlv(0x87, &[octets, mask].concat())
            }
            Self::Other(octets) => octets.clone(),
        };
        tlv(SEQUENCE, &base)
    }

    fn from_base(element: &[u8]) -> Result<Self, MalformedDer> {
        if element.first() == Some(&0x87) {
            let contents = AnyRef::from_der(element)?.value();
            let (address, mask) = contents.split_at(contents.len() / 2);
            let network = <[u8; 4]>::try_from(address)
                .map(IpAddr::from)
                .or_else(|_| <[u8; 16]>::try_from(address).map(IpAddr::from));
            let ones: u32 = mask.iter().map(|octet| octet.count_ones()).sum();
            let prefix = u8::try_from(ones).unwrap_or(128);
            return match network {
                Ok(network) if self::mask(address.len(), prefix) == mask => Ok(Self::Ip { network, prefix }),
                _ => Err(MalformedDer::new("nameConstraints", "not an address and a mask")),
            };
        }
        Ok(match GeneralName::from_der(element)? {
            GeneralName::Dns(text) => Self::Dns(text),
            GeneralName::Email(text) => Self::Email(text),
            GeneralName::Uri(text) => Self::Uri(text),
            GeneralName::Directory(name) => Self::Directory(name),
            _ => Self::Other(element.to_vec()),
        })
    }

    /// Tells whether the subtree applies to the form of this name.
    #[must_use]
    pub(crate) fn concerns(&self, name: &GeneralName) -> bool {
        match (self, name) {
            (Self::Dns(_), GeneralName::Dns(_))
            | (Self::Email(_), GeneralName::Email(_) | GeneralName::SmtpUtf8Mailbox(_))
            | (Self::Uri(_), GeneralName::Uri(_))
            | (Self::Directory(_), GeneralName::Directory(_)) => true,
            (Self::Ip { network, .. }, GeneralName::Ip(address)) => network.is_ipv4() == address.is_ipv4(),
            (Self::Other(ours), GeneralName::Other(theirs)) => ours.first() == theirs.first(),
            _ => false,
        }
    }

    /// Tells whether the name is within the subtree. A form that cannot be evaluated is within no subtree.
    #[must_use]
    pub fn contains(&self, name: &GeneralName) -> bool {
        match (self, name) {
            (Self::Dns(base), GeneralName::Dns(name)) => {
                let name = name.strip_prefix("*.").map_or(name.as_str(), |rest| rest);
                within_domain(base.trim_start_matches('.'), name)
            }
            (Self::Ip { network, prefix }, GeneralName::Ip(address)) => {
                let (network, address) = (octets_of(*network), octets_of(*address));
                let mask = mask(network.len(), *prefix);
                network.len() == address.len()
                    && network.iter().zip(&address).zip(&mask).all(|((a, b), m)| a & m == b & m)
            }
            (Self::Email(base), GeneralName::Email(mail) | GeneralName::SmtpUtf8Mailbox(mail)) => {
                let Some((local, host)) = mail.rsplit_once('@') else { return false };
                match base.rsplit_once('@') {
                    Some((base_local, base_host)) => {
                        base_local == local && base_host.eq_ignore_ascii_case(host)
                    }
                    None => host_matches(base, host),
                }
            }
            (Self::Uri(base), GeneralName::Uri(uri)) => {
                uri_host(uri).is_some_and(|host| host_matches(base, &host))
            }
            (Self::Directory(base), GeneralName::Directory(name)) => name.begins_with(base),
            _ => false,
        }
    }

    /// Tells whether a name outside the subtree covers names inside: a wildcard whose parent domain is that of the
    /// subtree's host.
    fn meets(&self, name: &GeneralName) -> bool {
        match (self, name) {
            (Self::Dns(base), GeneralName::Dns(name)) => {
                let hosts = name.strip_prefix("*.");
                let parent = base.trim_matches('.').split_once('.').map(|(_, parent)| parent);
                hosts.zip(parent).is_some_and(|(hosts, parent)| hosts.eq_ignore_ascii_case(parent))
            }
            _ => false,
        }
    }

    /// Returns the IPv4 range of a range of IPv4-mapped IPv6 addresses (RFC 4291 §2.5.5.2); `None` for every other
    /// subtree.
    #[must_use]
    pub(crate) fn in_ipv4(&self) -> Option<Self> {
        match self {
            Self::Ip { network: IpAddr::V6(network), prefix } => {
                let network = IpAddr::V4(network.to_ipv4_mapped()?);
                Some(Self::Ip { network, prefix: prefix.checked_sub(96)? })
            }
            _ => None,
        }
    }
}

/// Returns the IPv4 address within an IPv6 address: IPv4-mapped and IPv4-compatible addresses (RFC 4291 §2.5.5),
/// addresses of translators (RFC 6052 §2.1), and 6to4 addresses (RFC 3056 §2).
fn ipv4_within(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let last = |[.., a, b, c, d]: [u8; 16]| Ipv4Addr::new(a, b, c, d);
    let octets = address.octets();
    match address.segments() {
        [0, 0, 0, 0, 0, 0xffff, ..] | [0x64, 0xff9b, 0, 0, 0, 0, ..] => Some(last(octets)),
        [0, 0, 0, 0, 0, 0, high, low] if high != 0 || low > 1 => Some(last(octets)),
        [0x2002, high, low, ..] => {
            let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
            Some(Ipv4Addr::new(a, b, c, d))
        }
        _ => None,
    }
}

fn within_domain(base: &str, name: &str) -> bool {
    let (base, name) = (base.to_ascii_lowercase(), name.to_ascii_lowercase());
    base.is_empty() || name == base || name.strip_suffix(&base).is_some_and(|rest| rest.ends_with('.'))
}

fn host_matches(base: &str, host: &str) -> bool {
    match base.strip_prefix('.') {
        Some(domain) => !host.eq_ignore_ascii_case(domain) && within_domain(domain, host),
        None => base.eq_ignore_ascii_case(host),
    }
}

fn uri_host(uri: &str) -> Option<String> {
    let (_, rest) = uri.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let host = host.split(':').next()?;
    (!host.is_empty() && !host.starts_with('[')).then(|| host.to_owned())
}

impl NameConstraints {
    /// Tells whether there are no constraints.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.permitted.is_empty() && self.excluded.is_empty()
    }

    /// Excludes all IP addresses when DNS names are permitted and no IP addresses are (X8). Without the exclusion
    /// every address would be allowed.
    ///
    /// When addresses of one family are permitted, the other family is not excluded, although GnuTLS then allows all
    /// of it: Java 17 would reject every address.
    #[must_use]
    pub(crate) fn closed_for_addresses(mut self) -> Self {
        let dns = self.permitted.iter().any(|tree| matches!(tree, Subtree::Dns(_)));
        let ip = self.permitted.iter().any(|tree| matches!(tree, Subtree::Ip { .. }));
        if dns && !ip {
            for all in [Subtree::ALL_IPV4, Subtree::ALL_IPV6] {
                if !self.excluded.contains(&all) {
                    self.excluded.push(all);
                }
            }
        }
        self
    }

    /// Limits mailboxes and URIs to hosts within the permitted DNS names (X8). A form is limited when DNS names are
    /// permitted and the form has no permitted subtrees; without the limit every name of the form would be allowed.
    #[must_use]
    pub(crate) fn closed_for_hosts(mut self) -> Self {
        let names = |tree: &Subtree| match tree {
            Subtree::Dns(base) => Some(base.trim_start_matches('.').to_owned()),
            _ => None,
        };
        let names: Vec<String> = self.permitted.iter().filter_map(names).collect();
        if names.iter().any(String::is_empty) {
            return self;
        }
        let hosts = || names.iter().flat_map(|name| [name.clone(), format!(".{name}")]);
        if !self.permitted.iter().any(|tree| matches!(tree, Subtree::Email(_))) {
            self.permitted.extend(hosts().map(Subtree::Email));
        }
        if !self.permitted.iter().any(|tree| matches!(tree, Subtree::Uri(_))) {
            self.permitted.extend(hosts().map(Subtree::Uri));
        }
        self
    }

    /// Returns the extension, critical.
    #[must_use]
    pub fn to_extension(&self) -> Extension {
        let field = |tag: u8, trees: &[Subtree]| match trees {
            [] => Vec::new(),
            trees => tlv(tag, &trees.iter().map(Subtree::to_der).collect::<Vec<_>>().concat()),
        };
        let contents = [field(0xa0, &self.permitted), field(0xa1, &self.excluded)].concat();
        Extension::new(NAME_CONSTRAINTS, true, tlv(SEQUENCE, &contents))
    }

    /// Reads the extension's value.
    ///
    /// # Errors
    /// When the value is malformed, or has a minimum or maximum.
    pub(crate) fn from_value(value: &[u8]) -> Result<Self, MalformedDer> {
        let malformed = |reason: &str| MalformedDer::new("nameConstraints", reason);
        let mut reader = SliceReader::new(value)?;
        let mut constraints = Self::default();
        reader.sequence(|fields| {
            while !fields.is_finished() {
                let element = fields.tlv_bytes()?;
                let trees = match element.first() {
                    Some(0xa0) => &mut constraints.permitted,
                    Some(0xa1) => &mut constraints.excluded,
                    _ => return Err(malformed("an unexpected element")),
                };
                let mut list = SliceReader::new(AnyRef::from_der(element)?.value())?;
                while !list.is_finished() {
                    trees.push(list.sequence(|tree| {
                        let base = Subtree::from_base(tree.tlv_bytes()?)?;
                        if tree.is_finished() {
                            Ok(base)
                        } else {
                            Err(malformed("minimum or maximum is present"))
                        }
                    })?);
                }
            }
            Ok::<_, MalformedDer>(())
        })?;
        reader.finish()?;
        Ok(constraints)
    }

    /// Returns the nameConstraints of a certificate; `None` when it has none.
    ///
    /// # Errors
    /// When the extension is present and malformed.
    pub fn of(tbs: &TbsCertificate) -> Result<Option<Self>, MalformedDer> {
        tbs.extension(NAME_CONSTRAINTS).map(|extension| Self::from_value(&extension.value)).transpose()
    }

    /// Returns why the name is not allowed, or `None` when it is. An IPv6 address that contains an IPv4 address must
    /// meet the constraints of both families.
    #[must_use]
    pub fn refuses(&self, name: &GeneralName) -> Option<String> {
        let within = match name {
            GeneralName::Ip(IpAddr::V6(address)) => ipv4_within(*address),
            _ => None,
        };
        let within = within.map(|address| GeneralName::Ip(IpAddr::V4(address)));
        self.refuses_as(name, name).or_else(|| self.refuses_as(name, &within?))
    }

    fn refuses_as(&self, name: &GeneralName, form: &GeneralName) -> Option<String> {
        let excludes =
            |tree: &&Subtree| tree.contains(form) || tree.in_ipv4().is_some_and(|range| range.contains(form));
        if let Some(tree) = self.excluded.iter().find(excludes) {
            return Some(format!("{name} is excluded by {tree}"));
        }
        if let Some(tree) = self.excluded.iter().find(|tree| tree.meets(form)) {
            return Some(format!("{name} covers names that are excluded by {tree}"));
        }
        let permitted: Vec<&Subtree> = self.permitted.iter().filter(|tree| tree.concerns(form)).collect();
        if permitted.is_empty() || permitted.iter().any(|tree| tree.contains(form)) {
            return None;
        }
        let list: Vec<String> = permitted.iter().map(ToString::to_string).collect();
        Some(format!("{name} is not within {}", list.join(", ")))
    }
}

#[cfg(test)]
#[path = "name_constraints_tests.rs"]
mod tests;
