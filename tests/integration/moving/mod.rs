//! Moving in: CAs that other programs made, and certificates that others sign.
mod again;
mod before;
mod by_number;
mod easy_rsa;
mod elsewhere;
mod names;
mod openssl;
mod refusals;
mod trees;
mod weak_keys;
