//! The commented configuration file that `init` writes.

/// Returns the text of a new `genfic-ca.toml`: every key with its default in a comment, and these values set.
#[must_use]
pub fn template(
    organization: Option<&str>,
    country: Option<&str>,
    url: Option<&str>,
    scrypt_log_n: Option<u8>,
    signer_socket: Option<&str>,
) -> String {
    let mut out = String::with_capacity(TEXT.len() + 128);
    for line in TEXT.lines() {
        let key = line.strip_prefix("# ").and_then(|setting| setting.split_once(" = ")).map(|pair| pair.0);
        let given = match key {
            Some("country") => country.map(toml::Value::from),
            Some("organization") => organization.map(toml::Value::from),
            Some("url") => url.map(toml::Value::from),
            Some("scrypt_log_n") => scrypt_log_n.map(|work| toml::Value::from(i64::from(work))),
            Some("signer_socket") => signer_socket.map(toml::Value::from),
            _ => None,
        };
        match key.zip(given) {
            Some((key, value)) => out.push_str(&format!("{key} = {value}")),
            None => out.push_str(line),
        }
        out.push('\n');
    }
    out
}

/// The template. A line that begins with `# ` and a key is a setting that is commented out; other comments begin with
/// `##`.
const TEXT: &str = include_str!("../../ca-layout/genfic-ca.toml");
