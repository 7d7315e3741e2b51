//! What is said on a medium of its use, by both programs that write media.

/// Returns how the key of this CA is used from a medium, for a stranger who reads the text beside it.
pub(crate) fn bundle_usage(name: &str) -> String {
    format!(
        "With the program genfic-ca, on the machine that has the record of this authority:\n\n    \
         genfic-ca crl publish {name} --keys DIRECTORY-OF-THIS-FILE\n\n\
         On a machine that is never on a network, with a request from the machine that has the record:\n\n    \
         genfic-ca ceremony sign REQUEST.toml --keys DIRECTORY-OF-THIS-FILE -o ANSWER.toml"
    )
}
