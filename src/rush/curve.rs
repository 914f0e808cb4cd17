//! When people come.
//!
//! A share `early` comes before the opening, more of them the nearer it is: the time before the
//! opening is exponential with mean `lead` / 3, cut off at `lead`. The others come from the opening
//! on with an intensity that decays as exp(-t / `decay`), cut off at `length`:
//! F(t) = (1 - exp(-t / decay)) / (1 - exp(-length / decay)).

use super::random::Random;

/// The arrival curve; all times in seconds, zero is the opening.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Curve {
    /// The part of people who come before the opening.
    pub early: f64,
    /// How long before the opening the first of them come.
    pub lead_s: f64,
    pub decay_s: f64,
    /// The last come this long after the opening.
    pub length_s: f64,
}

impl Curve {
    /// When somebody comes, by a part of 0..=1 of the curve's area: early people first.
    pub fn at(&self, part: f64) -> f64 {
        let early = if self.lead_s > 0.0 { self.early } else { 0.0 };
        if part < early {
            // The part of the early who are still to come.
            -truncated(1.0 - part / early, self.lead_s / 3.0, self.lead_s)
        } else {
            truncated(
                (part - early) / (1.0 - early).max(f64::MIN_POSITIVE),
                self.decay_s,
                self.length_s,
            )
        }
    }

    pub fn arrival(&self, random: &mut Random) -> f64 {
        self.at(random.share())
    }

    /// When a person comes.
    pub fn arrival_of(&self, seed: u64, person: u32) -> f64 {
        self.arrival(&mut Random::of(seed, person, 1))
    }

    /// The most people a second, of `people`: at the opening itself.
    pub fn peak_per_s(&self, people: usize) -> f64 {
        let rate = |share: f64, mean: f64, most: f64| {
            share / (mean * (1.0 - (-most / mean).exp())).max(f64::MIN_POSITIVE)
        };
        let after = rate(1.0 - self.early, self.decay_s, self.length_s);
        let before = if self.lead_s > 0.0 {
            rate(self.early, self.lead_s / 3.0, self.lead_s)
        } else {
            0.0
        };
        people as f64 * after.max(before)
    }
}

/// The quantile of an exponential distribution cut off at `most`.
fn truncated(part: f64, mean: f64, most: f64) -> f64 {
    let whole = 1.0 - (-most / mean).exp();
    (-mean * (1.0 - part.clamp(0.0, 1.0) * whole).ln()).clamp(0.0, most)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CURVE: Curve = Curve {
        early: 0.3,
        lead_s: 120.0,
        decay_s: 60.0,
        length_s: 600.0,
    };

    fn arrivals() -> Vec<f64> {
        let mut random = Random::new(7);
        (0..100_000).map(|_| CURVE.arrival(&mut random)).collect()
    }

    fn part(arrivals: &[f64], from: f64, to: f64) -> f64 {
        let within = arrivals.iter().filter(|at| (from..to).contains(*at));
        within.count() as f64 / arrivals.len() as f64
    }

    #[test]
    fn the_early_come_before_and_more_of_them_the_nearer_it_is() {
        let all = arrivals();
        assert!((part(&all, -120.0, 0.0) - 0.3).abs() < 0.01);
        assert!(part(&all, -20.0, 0.0) > 3.0 * part(&all, -120.0, -100.0));
        assert!(all.iter().all(|at| (-120.0..=600.0).contains(at)));
    }

    #[test]
    fn the_others_follow_the_formula() {
        let all = arrivals();
        for until in [10.0, 60.0, 180.0, 600.0_f64] {
            let wanted = 0.7 * (1.0 - (-until / 60.0).exp()) / (1.0 - (-10.0_f64).exp());
            let came = part(&all, 0.0, until);
            assert!((came - wanted).abs() < 0.01, "{until}: {came} {wanted}");
        }
        // The first second has as many as the peak says.
        let peak = CURVE.peak_per_s(all.len());
        let first = part(&all, 0.0, 2.0) * all.len() as f64 / 2.0;
        assert!((first / peak - 1.0).abs() < 0.1, "{first} {peak}");
    }

    #[test]
    fn without_a_lobby_everybody_comes_after() {
        let late = Curve {
            lead_s: 0.0,
            ..CURVE
        };
        let mut random = Random::new(7);
        assert!((0..10_000).all(|_| late.arrival(&mut random) >= 0.0));
        assert_eq!(late.at(0.0), 0.0);
        assert!((late.at(1.0) - 600.0).abs() < 1e-6);
    }
}
