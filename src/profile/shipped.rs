//! Profiles that come with the program. `init` copies them into the home.

/// File name and text of each profile. Those whose name ends in `.example` are not read until renamed.
pub const SHIPPED: [(&str, &str); 12] = [
    ("README.md", include_str!("../../policy/README.md")),
    ("root-ca.toml", include_str!("../../policy/root-ca.toml")),
    ("sub-ca.toml", include_str!("../../policy/sub-ca.toml")),
    ("user-ca.toml", include_str!("../../policy/user-ca.toml")),
    ("system-ca.toml", include_str!("../../policy/system-ca.toml")),
    ("user.toml", include_str!("../../policy/user.toml")),
    ("system.toml", include_str!("../../policy/system.toml")),
    ("ocsp-responder.toml", include_str!("../../policy/ocsp-responder.toml")),
    ("client.toml.example", include_str!("../../policy/client.toml.example")),
    ("code-signing.toml.example", include_str!("../../policy/code-signing.toml.example")),
    ("e-mail.toml.example", include_str!("../../policy/e-mail.toml.example")),
    ("short-lived.toml.example", include_str!("../../policy/short-lived.toml.example")),
];
