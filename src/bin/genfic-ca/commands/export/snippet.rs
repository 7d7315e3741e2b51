//! `export snippet`: the certificate settings of a server's configuration, and the files that they name.
use super::super::chain::{issuers, pem};
use super::super::output::{Output, no_directory};
use super::super::several::shell_word;
use super::super::values::usage;
use super::chosen::{Chosen, must_match, of_subscriber};
use super::subscriber::unopened;
use crate::cli::{ServerProgram, SnippetFor};
use crate::report::{Report, path_value, path_values};
use crate::session::Session;
use genfic_ca::error::{Code, Problem, Shown as _};
use genfic_ca::export::{Server, Snippet};
use genfic_ca::signing::{KeyError, Nobody, SubscriberKey};
use genfic_ca::subscriber_key::read_subscriber_key_file;
use genfic_ca::x509::extension::{AUTHORITY_INFO_ACCESS, AccessDescription, ExtendedKeyUsage};
use genfic_ca::x509::{Certificate, GeneralName};
use serde_json::json;
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// Writes the chain and the issuers beside the key, and prints the settings for the server's configuration.
pub(crate) fn snippet(session: &Session, args: &SnippetFor) -> Result<Report, Problem> {
    let engine = session.engine();
    let output = Output::chosen(args.output.as_deref())?;
    let Chosen { record, certificate, notices: mut warnings } = of_subscriber(session, &args.certificate)?;
    let names = names(&certificate)?;
    let directory = absolute(args.dir.as_deref().unwrap_or(Path::new(".")))?;
    if !directory.is_dir() {
        return Err(no_directory(&directory));
    }
    let base = names.first().map(|name| name.replace('*', "wildcard").replace(':', "-")).unwrap_or_default();
    let file = |ending: &str| directory.join(format!("{base}.{ending}"));
    let key = args.key.as_deref().map_or_else(|| Ok(file("key")), absolute)?;
    let until = certificate.tbs().validity().not_after.to_string();
    let (word, server) = server(args.server);
    let issued_by = issuers(engine, &record.authority, true)?;
    let numbered = |number: usize| file(&format!("issuer-{number}.pem"));
    let mut snippet = Snippet {
        names,
        chain: file("chain.pem"),
        key,
        issuers: file("issuers.pem"),
        issuer_files: (1..=issued_by.len()).map(numbered).collect(),
        combined: file("haproxy.pem"),
        has_responder: names_responder(&certificate),
        until: until.split('T').next().unwrap_or_default().to_owned(),
        renewal: String::new(),
    };
    for path in [&snippet.chain, &snippet.key] {
        if !Snippet::is_plain(&path.shown().to_string()) {
            let message = format!("{} would be read otherwise in a configuration", path.shown());
            return Err(usage(message, "use a directory with letters, digits, `.`, `_` and `-` in its name"));
        }
    }
    snippet.renewal = renewal(session, server, &snippet);
    let is_haproxy = args.server == ServerProgram::Haproxy;
    let key = the_key(&snippet.key, is_haproxy)?;
    match &key {
        Some(key) => must_match(key, &snippet.key, &certificate)?,
        None => warnings
            .push(format!("the key {} is not here yet; it goes there, mode 0600", snippet.key.shown())),
    }
    if !is_for_servers(&certificate) {
        warnings.push(format!("the certificate {} is not for servers", record.id.serial_number));
    }
    let mut files: Vec<PathBuf> = Vec::new();
    let chain = pem(std::iter::once(&certificate).chain(&issuers(engine, &record.authority, false)?));
    if let Some(key) = key.filter(|_| is_haproxy) {
        let place = Output::private(&snippet.combined, args.force)?;
        let both = Zeroizing::new(format!("{}{chain}", key.to_pem()?.as_str()));
        files.extend(place.put_private(both.as_bytes(), args.force)?);
    } else {
        files.extend(Output::within(&snippet.chain)?.put(chain.as_bytes())?);
    }
    if server.staples() && snippet.has_responder || server.verifies() {
        files.extend(Output::within(&snippet.issuers)?.put(pem(&issued_by).as_bytes())?);
    }
    if server == Server::StrongSwan {
        for (issuer, path) in issued_by.iter().zip(&snippet.issuer_files) {
            files.extend(Output::within(path)?.put(pem([issuer]).as_bytes())?);
        }
    }
    let said = server.snippet(&snippet);
    let file = output.put(said.as_bytes())?;
    files.extend(file.clone());
    let result = json!({
        "server": word,
        "serial": record.id.serial_number.to_string(),
        "names": snippet.names,
        "snippet": said,
        "key": path_value(&snippet.key),
        "files": path_values(&files),
    });
    let report = match file {
        Some(path) => Report::done(result, format!("written to {}", path.shown())),
        None => Report { octets: Some(said.into_bytes()), ..Report::done(result, "") },
    };
    Ok(report.warn(warnings))
}

/// Returns the name of a server program as typed, and the program.
fn server(typed: ServerProgram) -> (&'static str, Server) {
    match typed {
        ServerProgram::Nginx => ("nginx", Server::Nginx),
        ServerProgram::Apache => ("apache", Server::Apache),
        ServerProgram::Haproxy => ("haproxy", Server::HaProxy),
        ServerProgram::Postfix => ("postfix", Server::Postfix),
        ServerProgram::Dovecot => ("dovecot", Server::Dovecot),
        ServerProgram::Postgresql => ("postgresql", Server::PostgreSql),
        ServerProgram::Openvpn => ("openvpn", Server::OpenVpn),
        ServerProgram::Strongswan => ("strongswan", Server::StrongSwan),
    }
}

/// Returns the command for a timer that renews the certificate and has the server use it.
fn renewal(session: &Session, server: Server, snippet: &Snippet) -> String {
    let name = snippet.names.first().map_or("", String::as_str);
    let home = match &session.global.home {
        Some(home) => {
            let home = std::path::absolute(home).unwrap_or_else(|_| home.clone());
            format!(" --home {}", shell_word(&home.shown().to_string()))
        }
        None => String::new(),
    };
    format!(
        "genfic-ca{home} renew {} --expiring 30d --chain -o {} --hook '{}'",
        shell_word(name),
        snippet.chain.shown(),
        server.after_renewal(snippet)
    )
}

fn absolute(path: &Path) -> Result<PathBuf, Problem> {
    let absolute = std::path::absolute(path).map_err(|error| {
        Problem::new(Code::DirectoryNotRead, format!("{}: {error}", path.shown()))
            .hint("give it from the root on")
    })?;
    Ok(absolute.components().collect())
}

/// Returns the DNS names and IP addresses of a certificate.
fn names(certificate: &Certificate) -> Result<Vec<String>, Problem> {
    let alternative = certificate.tbs().subject_alt_names();
    let names: Vec<String> = alternative
        .iter()
        .filter_map(|name| match name {
            GeneralName::Dns(_) | GeneralName::Ip(_) => {
                name.to_string().split_once(':').map(|(_, value)| value.to_owned())
            }
            _ => None,
        })
        // other characters could change the meaning of a configuration; certificates issued here have none
        .filter(|name| name.chars().all(|c| c.is_ascii_alphanumeric() || ".-_*:".contains(c)))
        .collect();
    if names.is_empty() {
        let message = format!(
            "the certificate of {} has neither a DNS name nor an address",
            certificate.tbs().subject()
        );
        return Err(Problem::new(Code::CertificateNoServerName, message)
            .hint("clients check these names; issue one with --san"));
    }
    Ok(names)
}

fn names_responder(certificate: &Certificate) -> bool {
    let access = certificate.tbs().extension(AUTHORITY_INFO_ACCESS);
    let list = access.and_then(|one| AccessDescription::list_from_value(&one.value).ok());
    list.is_some_and(|list| list.iter().any(|one| one.method == AccessDescription::OCSP))
}

fn is_for_servers(certificate: &Certificate) -> bool {
    ExtendedKeyUsage::of(certificate.tbs())
        .is_none_or(|usage| usage.0.iter().any(|purpose| purpose.to_string() == "serverAuth"))
}

/// Reads the server's key when it is on this host. A key under a passphrase is refused, because a server starts
/// without a person who could type it.
fn the_key(path: &Path, must_be_here: bool) -> Result<Option<SubscriberKey>, Problem> {
    match read_subscriber_key_file(path, &Nobody) {
        Ok(key) => Ok(Some(key)),
        Err(KeyError::NotFound(_)) if !must_be_here => Ok(None),
        Err(KeyError::InputNeeded(_)) => {
            let message = format!("{} is encrypted, and a server starts without a person", path.shown());
            Err(Problem::new(Code::KeyEncrypted, message)
                .hint("decrypt it where the server runs: openssl pkey -in KEY -out PLAIN.key (mode 0600)"))
        }
        Err(error) => Err(unopened(error)),
    }
}
