//! The commented configuration that `init` writes.

/// The text of a new `genfic-ca.toml`: every key with its default in a comment, and these values set.
#[must_use]
pub fn template(
    organization: Option<&str>,
    country: Option<&str>,
    url: Option<&str>,
    scrypt_log_n: Option<u8>,
) -> String {
    let line = |key: &str, value: Option<&str>, example: &str| match value {
        Some(value) => format!("{key} = {}", toml::Value::from(value)),
        None => format!("# {key} = \"{example}\""),
    };
    let mut out = String::with_capacity(TEXT.len() + 128);
    for text in TEXT.lines() {
        match text {
            "@country@" => out.push_str(&line("country", country, "BE")),
            "@organization@" => out.push_str(&line("organization", organization, "Gentoo Fictional, Inc.")),
            "@url@" => out.push_str(&line("url", url, "http://pki.genfic.example")),
            "# scrypt_log_n = 18" => match scrypt_log_n {
                Some(work) => out.push_str(&format!("scrypt_log_n = {work}")),
                None => out.push_str("# scrypt_log_n = 18"),
            },
            text => out.push_str(text),
        }
        out.push('\n');
    }
    out
}

/// A line that begins with `# ` and a key is a setting that is commented out; other comments begin with `##`.
const TEXT: &str = r#"## Configuration of genfic-ca and genfic-ocspd.
##
## A line with one # is a setting at its default (or an example where there is none): remove the # and change it.
## Lengths of time are written 90d, 24h, 30m, 45s. A key that is not known is refused.

## Subject attributes of what is made here when no --subject is given. Without default.
[organization]
@country@
# state = "Antwerp"
# locality = "Mechelen"
@organization@
# unit = "Infrastructure"

## Base of the URLs in certificates, where genfic-ocspd or a web server serves CRLs and CA certificates: plain http,
## since fetching them by https would need what they say. Without it certificates do not say where to ask.
[publication]
@url@

[keys]
## The work of guessing a passphrase doubles with each step; 10 to 22.
# scrypt_log_n = 18
## Key types: p256, p384, ed25519, rsa2048, rsa3072, rsa4096.
# root = "p384"
# ca = "p256"
# leaf = "p256"
# responder = "p256"
## Keys that are known to be compromised and get no certificate: SHA-256 of the SubjectPublicKeyInfo in hexadecimal,
## one a line. Without default.
# compromised_spki_sha256_file = "/etc/genfic-ca/compromised.txt"

[issuance]
## Certificates begin this long before they are made, for clients whose clocks are slow; at most 2d.
# backdate = "1h"
## Days between the ends of sibling CAs.
# stagger_days = 14

[crl]
## How long a CRL lasts; for a CA whose key is offline, the second.
# next_update = "7d"
# next_update_offline = "365d"
## The share of that time after which the next one is due.
# renew_at = 0.5

[ocsp]
## How long an answer lasts.
# next_update = "24h"
## Days that responder certificates last; for a CA whose key is offline, the second.
# responder_days = 30
# responder_days_offline = 400
## What is answered for a serial number that was never issued: unknown or revoked.
# not_issued = "unknown"
## Nonces: echo answers each request afresh; ignore answers from the cache.
# nonce = "echo"
## How far back answers reach beyond a certificate's end (archiveCutoff). Without default.
# archive_cutoff = "365d"
## Most certificates in one request.
# max_certificates = 20
## Status older than this is not answered from.
# max_status_age = "7d"

[daemon]
# listen = ["127.0.0.1:2560"]
## When all are taken, the client that has kept the daemon waiting longest makes room.
# max_connections = 1024
## Octets.
# max_body = 65536
# header_timeout = "10s"
# idle_timeout = "60s"

[passphrase]
## Where passphrases come from: prompt, file:PATH, env:VAR, fd:N, cred:NAME (a systemd credential).
# from = "prompt"

## What differs for one CA, here one named genfic-user. The key of a root counts as offline, others do not.
# [authority.genfic-user]
# passphrase_from = "file:/etc/genfic-ca/genfic-user.pass"
# offline = false
# crl_next_update = "2d"
"#;
