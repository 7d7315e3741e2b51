//! Moving in: CAs that other programs made, and certificates that others sign.
mod dry_run;
mod easy_rsa;
mod external_parent;
mod foreign_ca_directories;
mod foreign_string_types;
mod openssl;
mod refusals;
mod repeated_import;
mod weak_keys;
mod without_certificate_files;
