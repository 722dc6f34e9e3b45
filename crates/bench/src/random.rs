//! Numbers that look random and are the same in every run (`xorshift64*`).

/// A sequence of numbers.
pub struct Random(u64);

impl Random {
    /// The sequence that belongs to `seed`.
    pub fn new(seed: u64) -> Random {
        // Zero would stay zero for ever.
        Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15).max(1))
    }

    /// The next number below `end`, which is at least 1.
    pub fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let mixed = self.0.wrapping_mul(0x2545_f491_4f6c_dd1d);
        // The upper half of the product is below `end`, and evenly so for all `end` used here.
        ((u128::from(mixed) * u128::from(end)) >> 64) as u64
    }

    /// Two different indexes into something of length `count`, which is at least 2.
    pub fn two_of(&mut self, count: usize) -> (usize, usize) {
        let first = self.below(count as u64) as usize;
        let other = self.below(count as u64 - 1) as usize;
        (first, if other < first { other } else { other + 1 })
    }
}

/// Sixteen bytes as random as those of a hash, different for every number.
pub fn fingerprint(number: u64) -> store::Fingerprint {
    let mut random = Random::new(number);
    let (high, low) = (random.below(u64::MAX), random.below(u64::MAX));
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&high.to_le_bytes());
    bytes[8..].copy_from_slice(&low.to_le_bytes());
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_are_different_and_every_pair_comes_up() {
        let mut random = Random::new(3);
        let mut seen = std::collections::BTreeSet::new();
        for _ in 0..1000 {
            let (one, other) = random.two_of(4);
            assert!(one < 4 && other < 4);
            assert_ne!(one, other);
            seen.insert((one, other));
        }
        assert_eq!(seen.len(), 12);
    }

    #[test]
    fn fingerprints_differ_from_the_first_bytes_on() {
        let mut fronts: Vec<[u8; 8]> = (0..10_000)
            .map(|number| {
                *fingerprint(number)
                    .first_chunk()
                    .expect("16 bytes have 8 in front")
            })
            .collect();
        fronts.sort_unstable();
        fronts.dedup();
        assert_eq!(fronts.len(), 10_000);
    }
}
