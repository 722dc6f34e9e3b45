//! Reproducible randomness for tests: the seed is printed and can be given again.

/// SplitMix64.
pub struct Random(u64);

impl Random {
    /// The seed in this environment variable, or else this one; printed either way.
    pub fn seeded(variable: &str, default: u64) -> Random {
        let given = std::env::var(variable).ok();
        let seed = given.map_or(default, |text| text.parse().expect("a seed is a number"));
        println!("{variable}={seed}");
        Random(seed)
    }

    pub fn new(seed: u64) -> Random {
        Random(seed)
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number below `limit`.
    pub fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit as u64) as usize
    }

    pub fn pick<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[self.below(items.len())]
    }
}
