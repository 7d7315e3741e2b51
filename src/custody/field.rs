//! Multiplication in GF(2^m), as the program on the printed page does it too.

/// A field of characteristic 2.
pub(super) struct Field {
    /// m.
    bits: u32,
    /// The irreducible polynomial, with its leading term.
    polynomial: u16,
}

/// GF(32) with x^5 + x^2 + 1: symbols of a line.
pub(super) const SYMBOLS: Field = Field { bits: 5, polynomial: 0x25 };

impl Field {
    /// Returns the product of two elements.
    pub(super) fn product(&self, left: u8, right: u8) -> u8 {
        let (mut product, mut left, mut right) = (0_u16, u16::from(left), right);
        while right != 0 {
            if right & 1 != 0 {
                product ^= left;
            }
            right >>= 1;
            left <<= 1;
            if left >> self.bits != 0 {
                left ^= self.polynomial;
            }
        }
        u8::try_from(product).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn two_generates_every_element_but_zero() {
        let powers = std::iter::successors(Some(1), |last| Some(SYMBOLS.product(*last, 2)));
        assert_eq!(powers.take(31).collect::<HashSet<u8>>().len(), 31);
        for a in 0..32 {
            assert_eq!((SYMBOLS.product(a, 1), SYMBOLS.product(a, 0)), (a, 0));
            for b in 0..32 {
                assert_eq!(SYMBOLS.product(a, b), SYMBOLS.product(b, a));
            }
        }
    }
}
