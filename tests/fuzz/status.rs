//! Status files, which a responder reads: what is understood is written in the same octets.
use genfic_ca::assembly::any_octets;

/// A manifest.
pub fn manifest(octets: &[u8]) {
    if let Some(written) = any_octets::status_manifest(octets) {
        assert_eq!(any_octets::status_manifest(&written), Some(written));
    }
}

/// The file of the CAs.
pub fn authorities(octets: &[u8]) {
    if let Some(written) = any_octets::status_authorities(octets) {
        assert_eq!(any_octets::status_authorities(&written), Some(written));
    }
}

/// A table of a base, a block of one, or the beginning of a block.
pub fn base(octets: &[u8]) {
    const BLOCK: usize = 4096;
    if let Some(written) = any_octets::status_table(octets) {
        assert_eq!(written, octets);
    }
    let mut block = octets.to_vec();
    block.resize(BLOCK, 0);
    if let Some(written) = any_octets::status_block(&block) {
        assert_eq!(written, block);
    }
}

/// A delta, and behind its first header the sections of a group, which no digest keeps as they are.
pub fn delta(octets: &[u8]) {
    const BEFORE: usize = 60;
    if let Some(written) = any_octets::status_delta(octets) {
        assert!(octets.starts_with(&written), "what was read is what is there");
    }
    for sections in [octets, octets.get(BEFORE..).unwrap_or_default()] {
        if let Some(written) = any_octets::status_sections(sections) {
            assert_eq!(written, sections);
        }
    }
}
