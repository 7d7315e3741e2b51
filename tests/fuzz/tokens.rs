//! Conversations with the processes of tokens.
use genfic_ca::assembly::any_octets;

/// A conversation with the processes of tokens: octets as they are, and a frame for each line, whose parts come after tabs.
pub fn tokens(octets: &[u8]) {
    let _ = any_octets::token_conversations(octets);
    let _ = any_octets::token_conversations(&token_frames(octets));
}

/// Returns the frames of a conversation.
pub fn token_frames(octets: &[u8]) -> Vec<u8> {
    let lines = octets.split(|octet| *octet == b'\n').filter(|line| !line.is_empty());
    let framed = lines.flat_map(|line| {
        let mut fields = line.split(|octet| *octet == b'\t');
        let (message, parts) = (fields.next().unwrap_or_default(), fields.collect::<Vec<_>>());
        let numbers = parts.iter().map(|part| part.len().to_string()).collect::<Vec<_>>().join(",");
        let head = [b"{\"parts\":[", numbers.as_bytes(), b"],\"message\":", message, b"}"].concat();
        let body = parts.concat();
        let lengths =
            [head.len(), body.len()].map(|length| u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes());
        [&lengths.concat()[..], &head, &body].concat()
    });
    framed.collect()
}
