//! DER elements as they are in the octets (X.690 §8, §10). This reader accepts more than the decoder in `x509`, so
//! that a fault can be reported instead of refused.

/// Identifier octet, contents, and the whole element including the length octets.
#[derive(Clone, Copy, Debug)]
pub(super) struct Element<'a> {
    pub(super) tag: u8,
    pub(super) contents: &'a [u8],
    pub(super) whole: &'a [u8],
}

impl<'a> Element<'a> {
    /// Returns the element when the octets are exactly one.
    pub(super) fn only(octets: &'a [u8]) -> Option<Self> {
        let mut elements = Elements(octets);
        elements.next().filter(|_| elements.is_empty())
    }

    /// Returns an iterator over the elements in the contents.
    pub(super) fn elements(&self) -> Elements<'a> {
        Elements(self.contents)
    }
}

/// Iterator over consecutive elements. It ends after the last element, or at the first one that cannot be read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Elements<'a>(pub(super) &'a [u8]);

impl<'a> Elements<'a> {
    /// Tells whether every octet was read.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the next element if it has this tag.
    pub(super) fn next_if(&mut self, tag: u8) -> Option<Element<'a>> {
        if self.0.first() == Some(&tag) { self.next() } else { None }
    }
}

impl<'a> Iterator for Elements<'a> {
    type Item = Element<'a>;

    fn next(&mut self) -> Option<Element<'a>> {
        let octets = self.0;
        let (&tag, rest) = octets.split_first()?;
        let (&first, mut rest) = rest.split_first()?;
        if tag & 0x1f == 0x1f {
            return None;
        }
        let mut length = usize::from(first);
        if first >= 0x80 {
            let count = usize::from(first & 0x7f);
            let (octets, after) = rest.split_at_checked(count).filter(|_| (1..=4).contains(&count))?;
            length = octets.iter().fold(0, |length, octet| length << 8 | usize::from(*octet));
            let shortest = if count == 1 { 0x80 } else { 1 << (8 * (count - 1)) };
            if length < shortest {
                return None;
            }
            rest = after;
        }
        let (contents, after) = rest.split_at_checked(length)?;
        let whole = octets.get(..octets.len() - after.len())?;
        self.0 = after;
        Some(Element { tag, contents, whole })
    }
}

/// Maximum depth of nested elements, which bounds the recursion; deeper ones count as malformed. Certificates and
/// CRLs need about ten levels.
const DEPTH: usize = 24;

/// Returns why the octets are not DER, or `None` when they are. The lengths, BOOLEANs, INTEGERs and BIT STRINGs are
/// checked.
pub(super) fn der_fault(octets: &[u8]) -> Option<&'static str> {
    fault(octets, DEPTH)
}

fn fault(octets: &[u8], depth: usize) -> Option<&'static str> {
    if depth == 0 {
        return Some("elements are nested too deep");
    }
    let mut elements = Elements(octets);
    for element in elements.by_ref() {
        let own = match (element.tag, element.contents) {
            (0x01, contents) => {
                (!matches!(contents, [0] | [0xff])).then_some("a BOOLEAN is neither 00 nor FF")
            }
            (0x02 | 0x0a, contents) => {
                (!is_minimal_integer(contents)).then_some("an INTEGER has octets that it does not need")
            }
            (0x03, [unused, .., last]) => (*unused > 7 || last & ((1_u8 << unused) - 1) != 0)
                .then_some("a BIT STRING has unused bits set"),
            (0x03, contents) => (contents != [0]).then_some("a BIT STRING has no count of unused bits"),
            (0x05, contents) => (!contents.is_empty()).then_some("a NULL has contents"),
            _ => None,
        };
        let inner = if element.tag & 0x20 != 0 { fault(element.contents, depth - 1) } else { None };
        if let Some(fault) = own.or(inner) {
            return Some(fault);
        }
    }
    (!elements.is_empty()).then_some("an element has a wrong length or an unknown tag form")
}

/// Tells whether the contents of an INTEGER are as short as DER requires.
pub(super) fn is_minimal_integer(contents: &[u8]) -> bool {
    !matches!(contents, [] | [0, 0..=0x7f, ..] | [0xff, 0x80..=0xff, ..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_are_read_one_after_the_other_and_end_where_octets_are_wrong() {
        let octets = [4, 1, 9, 0x30, 0x81, 0x80];
        let mut elements = Elements(&octets);
        assert_eq!(elements.next().unwrap().contents, [9]);
        assert!(elements.next().is_none() && !elements.is_empty());
        assert!(Elements(&[4, 0x81, 1, 9]).next().is_none(), "a length in more octets than needed");
        assert!(Elements(&[4, 0x80, 0, 0]).next().is_none(), "an indefinite length");
    }

    #[test]
    fn what_is_not_der_is_found_at_any_depth() {
        assert_eq!(der_fault(&[0x30, 3, 2, 1, 5]), None);
        for wrong in [
            &[0x30, 3, 1, 1, 1][..],
            &[0x30, 4, 2, 2, 0, 1],
            &[0x30, 4, 3, 2, 1, 1],
            &[0x30, 3, 2, 2, 1],
            &[3, 0],
            &[5, 1, 0],
        ] {
            assert!(der_fault(wrong).is_some(), "{wrong:?}");
        }
        let mut deep = Vec::new();
        for _ in 0..100 {
            deep = crate::x509::octets::tlv(0x30, &deep);
        }
        assert_eq!(der_fault(&deep), Some("elements are nested too deep"));
    }
}
