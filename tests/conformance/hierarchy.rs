//! A root, a system CA below it and three certificates, their keys of a chosen mixture, and a running responder.
use crate::support::{Daemon, Home, free_address};

pub(crate) const KEYS: [&str; 6] = ["p256", "p384", "ed25519", "rsa2048", "rsa3072", "rsa4096"];

/// Root certificate, its CRL, and the same of the system CA, as paths beside the home.
pub(crate) const ROOT: &str = "home/public/genfic.pem";
pub(crate) const ROOT_CRL: &str = "home/public/genfic.crl.pem";
pub(crate) const SYSTEM: &str = "home/public/genfic-system.pem";
pub(crate) const SYSTEM_CRL: &str = "home/public/genfic-system.crl.pem";
pub(crate) const SYSTEM_CHAIN: &str = "home/public/genfic-system.chain.pem";

pub(crate) struct Hierarchy {
    /// Before the home, so that it ends before what it reads is gone.
    pub(crate) daemon: Daemon,
    pub(crate) home: Home,
    /// Key type of both CAs.
    pub(crate) key: &'static str,
    /// Host names of the certificates that stand.
    pub(crate) good: Vec<String>,
    /// Host name of the one that was revoked for `keyCompromise`.
    pub(crate) revoked: String,
}

impl Hierarchy {
    /// Both CAs have keys of the type `KEYS[n]`; the leaves take three types from there on.
    pub(crate) fn of_key_type(n: usize) -> Self {
        let listen = free_address();
        let home = Home::at_url(&format!("http://{listen}"));
        let key = KEYS[n];
        home.ca(&["create-root", "genfic", "--key", key, "--ocsp"]).ok();
        home.ca(&["create-child", "genfic-system", "-p", "genfic", "--profile", "system-ca", "--key", key])
            .ok();
        let leaves: Vec<String> = (0..3).map(|i| KEYS[(n + i) % KEYS.len()]).map(host).collect();
        for leaf in &leaves {
            let key = leaf.split_once('.').unwrap().0;
            home.ca(&["create-request", leaf, "--key", key, "--sign", "-p", "genfic-system"]).ok();
        }
        let revoked = leaves[2].clone();
        home.ca(&["revoke", &revoked, "--reason", "key-compromise"]).ok();
        let daemon = home.daemon(&listen);
        Self { daemon, home, key, good: leaves[..2].to_vec(), revoked }
    }
}

fn host(key: &str) -> String {
    format!("{key}.genfic.example")
}

/// The certificate of a host, as a path beside the home.
pub(crate) fn certificate(host: &str) -> String {
    format!("{host}.crt")
}

/// A certificate by the CA's own key for names and a purpose that `sign` would refuse, as a path beside the home.
pub(crate) fn forge(home: &Home, ca: &str, names: &str, purpose: &str) -> String {
    let plain: String = names.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    let (name, stolen) = (format!("forged-{plain}-{purpose}"), format!("{ca}.stolen.key"));
    if !home.path(&stolen).exists() {
        std::fs::write(home.path(&stolen), home.ca_key_pem(ca)).unwrap();
    }
    let extensions = format!(
        "basicConstraints=CA:FALSE\nsubjectAltName={names}\nkeyUsage=critical,digitalSignature\n\
         extendedKeyUsage={purpose}\nauthorityKeyIdentifier=keyid\nsubjectKeyIdentifier=hash\n"
    );
    let file = |ending: &str| format!("{name}.{ending}");
    std::fs::write(home.path(&file("ext")), extensions).unwrap();
    home.shell(&format!(
        "openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout {name}.key -out {name}.req -subj /O=Forged
         openssl x509 -req -in {name}.req -CA home/public/{ca}.pem -CAkey {stolen} -days 30 -extfile {name}.ext -out {name}.crt"
    ))
    .ok();
    file("crt")
}
