//! Use cases: the only place where order matters.
mod request;

pub use request::make_request;
