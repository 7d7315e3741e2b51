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
    /// Its issuers with the root, PEM. They verify the responses of the responder.
    pub issuers: PathBuf,
    /// Key and chain in one file; for HAProxy.
    pub combined: PathBuf,
    /// Whether the certificate names a responder.
    pub has_responder: bool,
    /// `notAfter` of the certificate.
    pub until: String,
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
        }
    }
}

fn head(snippet: &Snippet, reload: &str) -> String {
    let name = snippet.names.first().map_or("", String::as_str);
    format!("# {name}: the certificate ends {}; after a renewal: {reload}\n", snippet.until)
}

fn nginx(snippet: &Snippet) -> String {
    let mut out = head(snippet, "nginx -s reload");
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
    let mut out = head(snippet, "apachectl graceful");
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
    let mut out = head(snippet, "systemctl reload haproxy");
    let name = snippet.names.first().map_or("tls", String::as_str);
    let label: String = name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
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
    let mut out = head(snippet, "postfix reload");
    let _ = write!(
        out,
        "smtpd_tls_chain_files = {},\n    {}\nsmtpd_tls_security_level = may\nsmtpd_tls_auth_only = yes\n\
         smtpd_tls_protocols = >=TLSv1.2\nsmtpd_tls_mandatory_protocols = >=TLSv1.2\n",
        snippet.key.display(),
        snippet.chain.display()
    );
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
            combined: "/etc/ssl/www.haproxy.pem".into(),
            has_responder,
            until: "2027-01-01".into(),
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
}
