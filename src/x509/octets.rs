//! DER building blocks (X.690) for structures that are written octet by octet, and readers of single elements.
use super::MalformedDer;
use der::asn1::AnyRef;
use der::{Decode, Reader, SliceReader};

/// Identifier octet of `SEQUENCE`, constructed.
pub const SEQUENCE: u8 = 0x30;
/// Identifier octet of `SET`, constructed.
pub const SET: u8 = 0x31;
/// Identifier octet of `INTEGER`.
pub(crate) const INTEGER: u8 = 0x02;
/// Identifier octet of `BIT STRING`.
pub(crate) const BIT_STRING: u8 = 0x03;
/// Identifier octet of `OCTET STRING`.
pub(crate) const OCTET_STRING: u8 = 0x04;

/// Appends identifier and length octets for contents of `length` octets.
pub(crate) fn put_header(out: &mut Vec<u8>, tag: u8, length: usize) {
    match (u8::try_from(length), u16::try_from(length).map(u16::to_be_bytes)) {
        (Ok(short), _) if short < 0x80 => out.extend_from_slice(&[tag, short]),
        (Ok(low), _) => out.extend_from_slice(&[tag, 0x81, low]),
        (_, Ok([high, low])) => out.extend_from_slice(&[tag, 0x82, high, low]),
        _ => {
            let octets = length.to_be_bytes();
            let significant = octets.get(insignificant(length)..).unwrap_or_default();
            out.extend_from_slice(&[tag, 0x80 | u8::try_from(significant.len()).unwrap_or(0x7f)]);
            out.extend_from_slice(significant);
        }
    }
}

/// Number of the leading octets of a length that are 0.
fn insignificant(length: usize) -> usize {
    usize::try_from(length.leading_zeros() / 8).unwrap_or_default()
}

/// Returns the number of octets of an element whose contents have this length.
pub(crate) fn length_with_header(length: usize) -> usize {
    let header = if length < 0x80 { 2 } else { 2 + size_of::<usize>() - insignificant(length) };
    header + length
}

/// Returns one complete element: identifier, length and contents.
#[must_use]
pub fn tlv(tag: u8, contents: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(contents.len() + 6);
    put_header(&mut out, tag, contents.len());
    out.extend_from_slice(contents);
    out
}

/// Returns a `SEQUENCE` of elements that are already encoded.
#[must_use]
pub fn sequence(elements: &[&[u8]]) -> Vec<u8> {
    tlv(SEQUENCE, &elements.concat())
}

/// Contents of the one element that the octets are, which must have this tag.
///
/// # Errors
/// When it has another tag or a wrong length.
pub(crate) fn contents_of(element: &[u8], tag: u8) -> Result<&[u8], MalformedDer> {
    if element.first() != Some(&tag) {
        return Err(MalformedDer::new("ASN.1", "an unexpected element"));
    }
    Ok(AnyRef::from_der(element)?.value())
}

/// Contents of the first of several elements, which must have this tag, and the elements after it. Reads what this project
/// has encoded: only lengths up to 65,535 octets, and not whether they are written in the fewest octets.
pub(crate) fn split_element(octets: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (length, rest) = match octets {
        [first, length, rest @ ..] if *first == tag && *length < 0x80 => (usize::from(*length), rest),
        [first, 0x81, length, rest @ ..] if *first == tag => (usize::from(*length), rest),
        [first, 0x82, high, low, rest @ ..] if *first == tag => {
            (usize::from(u16::from_be_bytes([*high, *low])), rest)
        }
        _ => return None,
    };
    rest.split_at_checked(length)
}

/// The first of several elements, whole.
///
/// # Errors
/// When there is none.
pub(crate) fn first_element(octets: &[u8]) -> der::Result<&[u8]> {
    SliceReader::new(octets)?.tlv_bytes()
}

/// The elements in the one `SEQUENCE` that the octets are, each whole.
///
/// # Errors
/// When it is none, or octets are left over.
pub(crate) fn elements_of(sequence: &[u8]) -> der::Result<Vec<&[u8]>> {
    let mut reader = SliceReader::new(sequence)?;
    let elements = reader.sequence(|list| {
        let mut out = Vec::new();
        while !list.is_finished() {
            out.push(list.tlv_bytes()?);
        }
        Ok::<_, der::Error>(out)
    })?;
    reader.finish()?;
    Ok(elements)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_written_in_the_fewest_octets() {
        for (length, header) in [
            (0, vec![0x30, 0]),
            (127, vec![0x30, 127]),
            (128, vec![0x30, 0x81, 128]),
            (255, vec![0x30, 0x81, 255]),
            (256, vec![0x30, 0x82, 1, 0]),
            (70_000, vec![0x30, 0x83, 1, 0x11, 0x70]),
        ] {
            let mut out = Vec::new();
            put_header(&mut out, SEQUENCE, length);
            assert_eq!(out, header, "length {length}");
        }
    }
}
