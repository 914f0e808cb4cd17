//! A small generator of numbers that look random and are not: for the demo alone, never a secret.

/// SplitMix64 (Steele, Lea and Flood, "Fast Splittable Pseudorandom Number Generators", 2014).
pub(super) struct Random(u64);

impl Random {
    /// A stream of its own for each seed and index.
    pub(super) fn new(seed: u64, index: u64) -> Self {
        Self(mix(seed ^ mix(index)))
    }

    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mix(self.0)
    }

    /// A number below `bound`, by multiplication: its bias is under `bound` / 2⁶⁴.
    pub(super) fn below(&mut self, bound: u64) -> u64 {
        ((u128::from(self.next()) * u128::from(bound)) >> 64) as u64
    }

    /// One of `items`, which are not none.
    pub(super) fn pick<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[self.below(items.len() as u64) as usize]
    }
}

fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// A permutation of the numbers below 2⁴⁴: shifts and odd factors can all be undone.
pub(super) fn scatter44(seed: u64, index: u64) -> u64 {
    const MASK: u64 = (1 << 44) - 1;
    let mut z = index.wrapping_add(mix(seed)) & MASK;
    for factor in [0xbf58_476d_1ce4_e5b9_u64, 0x94d0_49bb_1331_11eb] {
        z ^= z >> 22;
        z = z.wrapping_mul(factor) & MASK;
    }
    z ^ (z >> 22)
}

/// Items that are chosen as often as their weights say.
pub(super) struct Weighted<T> {
    items: Vec<T>,
    /// The sum of the weights up to and with each item.
    sums: Vec<u64>,
}

impl<T> Weighted<T> {
    /// # Panics
    /// When all weights together are zero: the tables of `data/` and the month weights are not.
    pub(super) fn new(weighted: impl IntoIterator<Item = (T, u64)>) -> Self {
        let mut sum = 0;
        let (items, sums): (Vec<_>, Vec<_>) = weighted
            .into_iter()
            .map(|(item, weight)| {
                sum += weight;
                (item, sum)
            })
            .unzip();
        assert!(sum > 0, "something can be chosen");
        Self { items, sums }
    }

    pub(super) fn pick(&self, random: &mut Random) -> &T {
        let all = self.sums[self.sums.len() - 1];
        let at = random.below(all);
        &self.items[self.sums.partition_point(|sum| *sum <= at)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn scattered_numbers_do_not_meet() {
        let scattered: HashSet<_> = (0..100_000).map(|at| scatter44(3, at)).collect();
        assert_eq!(scattered.len(), 100_000);
        assert!(scattered.iter().all(|number| *number < 1 << 44));
    }

    #[test]
    fn weights_are_kept() {
        let weighted = Weighted::new([('a', 1), ('b', 0), ('c', 3)]);
        let mut random = Random::new(1, 1);
        let picked: Vec<_> = (0..10_000).map(|_| *weighted.pick(&mut random)).collect();
        let count = |wanted| picked.iter().filter(|c| **c == wanted).count();
        assert_eq!(count('b'), 0);
        assert!((2300..2700).contains(&count('a')), "{}", count('a'));
    }
}
