//! How many may go in: the turns of all lines together, and the places.

/// Turns that may be used at once.
const BURST_S: f64 = 1.0;
/// A called person's place is kept free for no longer than this.
const CALLED_S: f64 = 60.0 + 300.0;
/// And for no shorter than this.
pub const CALLED_S_MIN: f64 = 60.0;

#[derive(Clone, Debug)]
pub struct Turns {
    /// Turns that nobody has used and that are kept for nobody, at the most.
    turns: f64,
    /// Turns that were used since the beginning, and those used or kept at the last step.
    used: u64,
    spent: u64,
    rate: f64,
    /// The highest rate since the last step.
    rate_most: f64,
    /// What `active_max` was since when.
    most: Vec<(f64, u64)>,
    /// For how long people could go in so far: time stands still in a pause.
    pub open_s: f64,
    /// In since before the start.
    pub taken_over: u64,
    lines: u64,
    /// A line stands still while others go on: what was reserved in it stays so.
    is_long_reserved: bool,
}

impl Turns {
    pub fn new(rate: f64, most: u64) -> Self {
        Self {
            turns: 0.0,
            used: 0,
            spent: 0,
            rate,
            rate_most: rate,
            most: vec![(0.0, most)],
            open_s: 0.0,
            taken_over: 0,
            lines: 0,
            is_long_reserved: false,
        }
    }

    pub fn line_began(&mut self) {
        self.lines += 1;
        self.line_opens(BURST_S);
    }

    /// A line has the turns of so many seconds beside those of the others.
    pub fn line_opens(&mut self, seconds: f64) {
        self.turns += self.rate_most * seconds + 1.0;
    }

    pub fn stays_reserved(&mut self) {
        self.is_long_reserved = true;
    }

    /// Another rate is in force, or another number of places.
    pub fn follow(&mut self, rate: f64, most: u64) {
        self.rate = rate;
        self.rate_most = self.rate_most.max(rate);
        if self.most.last().is_none_or(|(_, known)| *known != most) {
            self.most.push((self.open_s, most));
        }
    }

    pub fn rate(&self) -> f64 {
        self.rate
    }

    /// Time passed while people may go in.
    pub fn open_for(&mut self, seconds: f64) {
        self.open_s += seconds;
    }

    /// Rule 6, after a step of the keeper, so many seconds after the one before and after it began:
    /// `kept` turns are kept for people who were called, and no more than a second's may be left.
    /// Each turn is used once: one that is given on was kept before, so it makes none.
    pub fn stepped(&mut self, passed_s: f64, kept: u64, took_s: f64) {
        let spent = self.used + kept;
        self.turns += passed_s * self.rate_most + self.spent as f64 - spent as f64;
        self.spent = spent;
        assert!(
            self.turns > -1e-3,
            "{} more turns are used or kept than there were",
            -self.turns
        );
        // Each line has one at least.
        let most = self.rate_most * (BURST_S + took_s) + self.lines as f64;
        self.turns = self.turns.min(most);
        self.rate_most = self.rate;
    }

    /// Nobody may go in: turns are not saved up.
    pub fn stood(&mut self, passed_s: f64, kept: u64) {
        self.stepped(passed_s, kept, 0.0);
        self.turns = 0.0;
    }

    pub fn used(&mut self) {
        self.used += 1;
    }

    /// Rule 7: so many are in now.
    pub fn check_places(&self, counted: u64) {
        // Whoever was called keeps the call for so long, in which pauses don't count.
        let since = self.open_s - CALLED_S;
        let last = self.most.iter().rposition(|(at, _)| *at <= since);
        let from = last.filter(|_| !self.is_long_reserved).unwrap_or(0);
        let most = self.most[from..].iter().map(|(_, most)| *most);
        let most = most.max().unwrap_or(0) + self.taken_over;
        assert!(
            counted <= most,
            "{counted} are in and {most} may be, {} of them since before the start; {:?} at {}",
            self.taken_over,
            self.most,
            self.open_s
        );
    }

    /// The process died: the first second's people may go in at once.
    pub fn crashed(&mut self, rate: f64, lines: usize) {
        self.rate = rate;
        self.rate_most = rate;
        self.lines = lines as u64;
        self.turns = (rate * BURST_S + 1.0) * lines as f64;
        self.spent = self.used;
        self.taken_over = 0;
    }
}
