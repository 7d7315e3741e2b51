//! Trust anchors as a configuration profile for macOS and iOS (`.mobileconfig`), not signed.
use crate::ca::Published;
use crate::error::xml_text;
use crate::x509::{Certificate, sha256};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::fmt::Write;

/// Returns the text of the profile. It has one payload for each certificate: roots are to be trusted, others complete
/// chains. Its identifiers come from the certificates, so that a second installation replaces the first.
#[must_use]
pub fn configuration_profile(title: &str, certificates: &[Published<Certificate>]) -> String {
    let mut payloads = String::new();
    let mut all = Vec::new();
    for certificate in certificates {
        let subject = certificate.tbs().subject();
        let is_root = certificate.tbs().is_self_issued();
        let kind = if is_root { "com.apple.security.root" } else { "com.apple.security.pkcs1" };
        let name = xml_text(&subject.common_name().unwrap_or_else(|| subject.to_string()));
        let id = identifier(certificate.as_der());
        let lines: Vec<String> = STANDARD
            .encode(certificate.as_der())
            .as_bytes()
            .chunks(64)
            .map(|line| String::from_utf8_lossy(line).into_owned())
            .collect();
        let _ = write!(
            payloads,
            "\t\t<dict>\n\
             \t\t\t<key>PayloadType</key><string>{kind}</string>\n\
             \t\t\t<key>PayloadVersion</key><integer>1</integer>\n\
             \t\t\t<key>PayloadIdentifier</key><string>genfic-ca.{id}</string>\n\
             \t\t\t<key>PayloadUUID</key><string>{id}</string>\n\
             \t\t\t<key>PayloadDisplayName</key><string>{name}</string>\n\
             \t\t\t<key>PayloadCertificateFileName</key><string>{id}.cer</string>\n\
             \t\t\t<key>PayloadContent</key><data>\n{}\n\t\t\t</data>\n\
             \t\t</dict>\n",
            lines.join("\n")
        );
        all.extend_from_slice(&certificate.fingerprint().0);
    }
    let id = identifier(&all);
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <!DOCTYPE plist PUBLIC \"-//Apple//DTD PLIST 1.0//EN\" \"http://www.apple.com/DTDs/PropertyList-1.0.dtd\">\n\
         <plist version=\"1.0\">\n\
         <dict>\n\
         \t<key>PayloadType</key><string>Configuration</string>\n\
         \t<key>PayloadVersion</key><integer>1</integer>\n\
         \t<key>PayloadIdentifier</key><string>genfic-ca.{id}</string>\n\
         \t<key>PayloadUUID</key><string>{id}</string>\n\
         \t<key>PayloadDisplayName</key><string>{}</string>\n\
         \t<key>PayloadContent</key>\n\
         \t<array>\n{payloads}\t</array>\n\
         </dict>\n\
         </plist>\n",
        xml_text(title)
    )
}

/// Returns a UUID of version 8 (RFC 9562 §5.8) from a digest.
fn identifier(octets: &[u8]) -> String {
    let mut out = String::with_capacity(36);
    for (at, octet) in sha256(octets).iter().take(16).enumerate() {
        let octet = match at {
            6 => octet & 0x0f | 0x80,
            8 => octet & 0x3f | 0x80,
            _ => *octet,
        };
        if matches!(at, 4 | 6 | 8 | 10) {
            out.push('-');
        }
        let _ = write!(out, "{octet:02X}");
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_are_uuids_and_stay() {
        let id = identifier(b"a");
        let parts: Vec<usize> = id.split('-').map(str::len).collect();
        assert_eq!(parts, [8, 4, 4, 4, 12]);
        assert_eq!(id.as_bytes()[14], b'8');
        assert_eq!(id, identifier(b"a"));
        assert_ne!(id, identifier(b"b"));
    }
}
