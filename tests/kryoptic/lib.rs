//! Nothing: `Cargo.toml` names what is built.
