//! The part of a server's configuration that names its certificate and key.
use std::fmt::Write;
use std::path::PathBuf;

/// A server program.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Server {
    /// nginx 1.13 or newer.
    Nginx,
    /// Apache httpd 2.4.38 or newer.
    Apache,
    /// HAProxy 1.8 or newer.
    HaProxy,
    /// Postfix 3.6 or newer.
    Postfix,
    /// Dovecot 2.3 or newer.
    Dovecot,
    /// PostgreSQL 12 or newer.
    PostgreSql,
    /// OpenVPN 2.4 or newer, as a server.
    OpenVpn,
    /// strongSwan 5.9 or newer, configured by `swanctl.conf`.
    StrongSwan,
}

/// Values in a snippet. Paths are absolute and plain ([`Snippet::is_plain`]).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Snippet {
    /// Host names of the server. The first is its own name.
    pub names: Vec<String>,
    /// The certificate and its issuers without the root, PEM.
    pub chain: PathBuf,
    /// The certificate's key, PEM.
    pub key: PathBuf,
    /// Its issuers with the root, PEM. They verify the responses of the responder, and certificates of clients.
    pub issuers: PathBuf,
    /// The same issuers, each in a file of its own; for strongSwan.
    pub issuer_files: Vec<PathBuf>,
    /// Key and chain in one file; for HAProxy.
    pub combined: PathBuf,
    /// Whether the certificate names a responder.
    pub has_responder: bool,
    /// `notAfter` of the certificate.
    pub until: String,
    /// The command that renews the certificate in time and then runs [`Server::after_renewal`].
    pub renewal: String,
}

impl Snippet {
    /// Returns whether a path means the same in the configuration of every server: no space, quote, variable or comment.
    #[must_use]
    pub fn is_plain(path: &str) -> bool {
        let fits =
            |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '.' | '_' | '-' | '+' | '@' | '=');
        path.starts_with('/') && path.chars().all(fits)
    }
}

impl Server {
    /// Returns the text for this server.
    #[must_use]
    pub fn snippet(self, snippet: &Snippet) -> String {
        match self {
            Self::Nginx => nginx(snippet),
            Self::Apache => apache(snippet),
            Self::HaProxy => haproxy(snippet),
            Self::Postfix => postfix(snippet),
            Self::Dovecot => dovecot(snippet),
            Self::PostgreSql => postgresql(snippet),
            Self::OpenVpn => openvpn(snippet),
            Self::StrongSwan => strongswan(snippet),
        }
    }

    /// Returns the shell command after which the server uses a renewed chain. It has no quotes in it.
    #[must_use]
    pub fn after_renewal(self, snippet: &Snippet) -> String {
        match self {
            Self::Nginx => "nginx -s reload".into(),
            Self::Apache => "apachectl graceful".into(),
            // key and chain in one file, which is never half written
            Self::HaProxy => {
                let both = snippet.combined.display();
                format!(
                    "umask 077; cat {} {} >{both}.new && mv -f {both}.new {both} && systemctl reload haproxy",
                    snippet.key.display(),
                    snippet.chain.display()
                )
            }
            Self::Postfix => "postfix reload".into(),
            Self::Dovecot => "doveadm reload".into(),
            Self::PostgreSql => "systemctl reload postgresql".into(),
            Self::OpenVpn => "systemctl restart openvpn-server@server".into(),
            Self::StrongSwan => "swanctl -s -n".into(),
        }
    }

    /// Whether the server sends responses of the responder along in the handshake, and so needs the issuers.
    #[must_use]
    pub fn staples(self) -> bool {
        matches!(self, Self::Nginx | Self::Apache)
    }

    /// Whether the server verifies certificates of others by the issuers.
    #[must_use]
    pub fn verifies(self) -> bool {
        matches!(self, Self::OpenVpn)
    }
}

fn head(snippet: &Snippet) -> String {
    let name = snippet.names.first().map_or("", String::as_str);
    format!(
        "# {name}: the certificate ends {}; for a timer of the home's owner, who may reload the server:\n# {}\n",
        snippet.until, snippet.renewal
    )
}

/// Returns a name for a section of a configuration.
fn label(snippet: &Snippet) -> String {
    let name = snippet.names.first().map_or("tls", String::as_str);
    name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect()
}

fn nginx(snippet: &Snippet) -> String {
    let mut out = head(snippet);
    let _ = write!(
        out,
        "server {{\n    listen 443 ssl;\n    server_name {};\n\n    ssl_certificate {};\n    ssl_certificate_key {};\n    \
         ssl_protocols TLSv1.2 TLSv1.3;\n",
        snippet.names.join(" "),
        snippet.chain.display(),
        snippet.key.display()
    );
    if snippet.has_responder {
        let _ = write!(
            out,
            "\n    # the answer of the OCSP responder comes with the handshake\n    ssl_stapling on;\n    \
             ssl_stapling_verify on;\n    ssl_trusted_certificate {};\n",
            snippet.issuers.display()
        );
    }
    out.push_str("}\n");
    out
}

fn apache(snippet: &Snippet) -> String {
    let mut out = head(snippet);
    out.push_str("# needs: a2enmod ssl\n");
    if snippet.has_responder {
        out.push_str(
            "# the answer of the OCSP responder comes with the handshake; needs: a2enmod socache_shmcb\n",
        );
        out.push_str("SSLStaplingCache shmcb:genfic-ca-stapling(131072)\n");
    }
    // a name with a wildcard cannot be a server's own name
    let own = snippet.names.iter().position(|name| !name.contains('*'));
    out.push_str("<VirtualHost *:443>\n");
    for (at, name) in snippet.names.iter().enumerate() {
        let word = if Some(at) == own { "ServerName" } else { "ServerAlias" };
        let _ = writeln!(out, "    {word} {name}");
    }
    let _ = write!(
        out,
        "\n    SSLEngine on\n    SSLCertificateFile {}\n    SSLCertificateKeyFile {}\n    \
         SSLProtocol -all +TLSv1.2 +TLSv1.3\n",
        snippet.chain.display(),
        snippet.key.display()
    );
    if snippet.has_responder {
        out.push_str("    SSLUseStapling on\n");
    }
    out.push_str("</VirtualHost>\n");
    out
}

fn haproxy(snippet: &Snippet) -> String {
    let mut out = head(snippet);
    let label = label(snippet);
    if snippet.has_responder {
        out.push_str("# HAProxy 2.8 and newer staples with `ocsp-update on` after the file in a crt-list\n");
    }
    let _ = write!(
        out,
        "frontend {label}\n    mode http\n    timeout client 30s\n    bind :443 ssl crt {} ssl-min-ver TLSv1.2 alpn h2,http/1.1\n    \
         default_backend {label}-servers\n\n\
         backend {label}-servers\n    mode http\n    timeout connect 5s\n    timeout server 30s\n    server one 127.0.0.1:8080\n",
        snippet.combined.display()
    );
    out
}

fn postfix(snippet: &Snippet) -> String {
    let mut out = head(snippet);
    let _ = write!(
        out,
        "smtpd_tls_chain_files = {},\n    {}\nsmtpd_tls_security_level = may\nsmtpd_tls_auth_only = yes\n\
         smtpd_tls_protocols = >=TLSv1.2\nsmtpd_tls_mandatory_protocols = >=TLSv1.2\n",
        snippet.key.display(),
        snippet.chain.display()
    );
    out
}

fn dovecot(snippet: &Snippet) -> String {
    let mut out = head(snippet);
    let (chain, key) = (snippet.chain.display(), snippet.key.display());
    let _ = write!(
        out,
        "# Dovecot staples no OCSP responses\nssl = required\nssl_cert = <{chain}\nssl_key = <{key}\n\
         ssl_min_protocol = TLSv1.2\n# Dovecot 2.4 and newer, in place of ssl_cert and ssl_key:\n\
         # ssl_server_cert_file = {chain}\n# ssl_server_key_file = {key}\n"
    );
    out
}

fn postgresql(snippet: &Snippet) -> String {
    let mut out = head(snippet);
    let _ = write!(
        out,
        "# PostgreSQL staples no OCSP responses; the key is its user's, mode 0600, or root's and its group's, mode 0640\n\
         ssl = on\nssl_cert_file = '{}'\nssl_key_file = '{}'\nssl_min_protocol_version = 'TLSv1.2'\n\
         # clients with certificates of the CA: ssl_ca_file and ssl_crl_file, and `clientcert=verify-full` in pg_hba.conf\n",
        snippet.chain.display(),
        snippet.key.display()
    );
    out
}

fn openvpn(snippet: &Snippet) -> String {
    let mut out = head(snippet);
    let _ = write!(
        out,
        "# OpenVPN asks no responder: clients that are revoked are refused by\n\
         #   crl-verify FILE\n\
         # where FILE has the CRLs of all CAs in `ca`, PEM, one after the other, fetched anew before they end\n\
         ca {}\ncert {}\nkey {}\ndh none\ntls-version-min 1.2\nremote-cert-tls client\n",
        snippet.issuers.display(),
        snippet.chain.display(),
        snippet.key.display()
    );
    out
}

fn strongswan(snippet: &Snippet) -> String {
    let mut out = head(snippet);
    let label = label(snippet);
    let _ = write!(
        out,
        "# the key goes into the private/ directory of swanctl; OCSP and CRLs are fetched as the certificates say\n\
         connections {{\n    {label} {{\n        local {{\n            auth = pubkey\n            certs = {}\n            \
         id = {}\n        }}\n        remote {{\n            auth = pubkey\n            revocation = ifuri\n        }}\n    \
         }}\n}}\nauthorities {{\n",
        snippet.chain.display(),
        snippet.names.first().map_or("%any", String::as_str)
    );
    for (number, file) in (1_usize..).zip(&snippet.issuer_files) {
        let _ = write!(out, "    {label}-{number} {{\n        cacert = {}\n    }}\n", file.display());
    }
    out.push_str("}\n");
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn snippet(names: &[&str], has_responder: bool) -> Snippet {
        Snippet {
            names: names.iter().map(|name| (*name).to_owned()).collect(),
            chain: "/etc/ssl/www.chain.pem".into(),
            key: "/etc/ssl/www.key".into(),
            issuers: "/etc/ssl/www.issuers.pem".into(),
            issuer_files: vec!["/etc/ssl/www.issuer-1.pem".into()],
            combined: "/etc/ssl/www.haproxy.pem".into(),
            has_responder,
            until: "2027-01-01".into(),
            renewal: "renew www.example".into(),
        }
    }

    #[test]
    fn nothing_is_stapled_where_the_certificate_names_no_responder() {
        for server in [Server::Nginx, Server::Apache] {
            let (with, without) = (
                server.snippet(&snippet(&["www.example"], true)),
                server.snippet(&snippet(&["www.example"], false)),
            );
            assert!(with.to_lowercase().contains("stapling"), "{with}");
            assert!(!without.to_lowercase().contains("stapling"), "{without}");
        }
    }

    #[test]
    fn a_wildcard_is_an_alias_and_never_the_name_of_an_apache_host() {
        let text = Server::Apache.snippet(&snippet(&["*.example", "www.example"], false));
        assert!(text.contains("ServerAlias *.example") && text.contains("ServerName www.example"), "{text}");
    }

    #[test]
    fn paths_that_a_server_would_read_otherwise_are_told() {
        assert!(Snippet::is_plain("/etc/ssl/www.example+1.pem"));
        for path in ["relative", "/a b", "/a$b", "/a#b", "/a\"b", "/a;b", "/a{b", "/a,b", "/a\\b", "/é"] {
            assert!(!Snippet::is_plain(path), "{path}");
        }
    }

    #[test]
    fn every_server_is_told_how_its_certificate_is_renewed_by_a_command_without_quotes() {
        let of = snippet(&["www.example"], true);
        for server in [
            Server::Nginx,
            Server::Apache,
            Server::HaProxy,
            Server::Postfix,
            Server::Dovecot,
            Server::PostgreSql,
            Server::OpenVpn,
            Server::StrongSwan,
        ] {
            assert!(server.snippet(&of).contains("\n# renew www.example\n"), "{server:?}");
            let command = server.after_renewal(&of);
            assert!(!command.is_empty() && !command.contains(['\'', '"']), "{command}");
        }
        let combined = Server::HaProxy.after_renewal(&of);
        assert!(combined.contains("cat /etc/ssl/www.key /etc/ssl/www.chain.pem"), "{combined}");
    }
}
