//! Collections that grow and are copied without a pause.
//!
//! A hash table or vector that has become too small moves all it holds, while everybody waits for
//! the state: some 80 ms for each million of people. These grow a part at a time, so no single
//! change takes long.
//!
//! A clone shares all parts with its original. Whichever of the two is changed first copies the
//! part that it changes: a snapshot of 60 million people costs a few thousand counters.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::hash::{BuildHasher as _, Hash};
use std::ops::{Index, IndexMut};
use std::sync::Arc;

use crate::domain::state::KeyHash;

/// Parts of a table: of 60 million keys each has 60,000, which move in 3 ms and are copied in one.
const PARTS: usize = 1 << 10;
/// From this bit of a hash on, it names the part. A part uses the lowest and the highest seven.
const PART_BIT: u32 = 40;
/// Rows of one part: some 300 kB of bookings, which are copied in a twentieth of a millisecond.
const PART_ROWS: usize = 1 << 12;

/// A hash table for keys that are uniform already.
#[derive(Clone)]
pub struct Table<K: Eq + Hash, V> {
    /// None before the first key.
    parts: Vec<Arc<HashMap<K, V, KeyHash>>>,
    len: usize,
}

impl<K: Eq + Hash, V: PartialEq> PartialEq for Table<K, V> {
    /// A table that has become empty equals one that always was.
    fn eq(&self, other: &Self) -> bool {
        self.len == other.len && (self.len == 0 || self.parts == other.parts)
    }
}

impl<K: Eq + Hash + fmt::Debug, V: fmt::Debug> fmt::Debug for Table<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

impl<K: Eq + Hash, V> Default for Table<K, V> {
    fn default() -> Self {
        Self {
            parts: Vec::new(),
            len: 0,
        }
    }
}

impl<K: Eq + Hash + Clone, V: Clone> Table<K, V> {
    fn part_mut(&mut self, key: &K) -> &mut HashMap<K, V, KeyHash> {
        if self.parts.is_empty() {
            self.parts.resize_with(PARTS, Arc::default);
        }
        Arc::make_mut(&mut self.parts[Self::part(key)])
    }

    /// The value that the key had.
    pub fn insert(&mut self, key: K, value: V) -> Option<V> {
        let before = self.part_mut(&key).insert(key, value);
        self.len += usize::from(before.is_none());
        before
    }

    /// The value that the key had, which it has no more.
    pub fn remove(&mut self, key: &K) -> Option<V> {
        if !self.contains(key) {
            return None;
        }
        self.len -= 1;
        self.part_mut(key).remove(key)
    }

    /// The key's value, which is the default if it had none.
    pub fn of(&mut self, key: K) -> &mut V
    where
        V: Default,
    {
        self.len += usize::from(!self.contains(&key));
        self.part_mut(&key).entry(key).or_default()
    }
}

impl<K: Eq + Hash, V> Table<K, V> {
    fn part(key: &K) -> usize {
        (KeyHash::default().hash_one(key) >> PART_BIT) as usize % PARTS
    }

    pub fn get(&self, key: &K) -> Option<&V> {
        self.parts.get(Self::part(key))?.get(key)
    }

    /// A part of a table from its rows; none if a row is not of this part or comes twice.
    pub fn part_of(part: usize, rows: Vec<(K, V)>) -> Option<HashMap<K, V, KeyHash>> {
        let mut map = HashMap::with_capacity_and_hasher(rows.len(), KeyHash::default());
        for (key, value) in rows {
            if Self::part(&key) != part || map.insert(key, value).is_some() {
                return None;
            }
        }
        Some(map)
    }

    /// Puts a part into a table that has nothing in it yet.
    pub fn put_part(&mut self, part: usize, rows: HashMap<K, V, KeyHash>) {
        if self.parts.is_empty() {
            self.parts
                .resize_with(PARTS, || Arc::new(HashMap::default()));
        }
        self.len = self.len + rows.len() - self.parts[part].len();
        self.parts[part] = Arc::new(rows);
    }

    pub fn contains(&self, key: &K) -> bool {
        self.get(key).is_some()
    }

    pub fn len(&self) -> usize {
        self.len
    }

    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    pub fn iter(&self) -> impl Iterator<Item = (&K, &V)> + Clone {
        self.parts.iter().flat_map(|part| part.iter())
    }

    /// What each part holds; with no key there are none.
    pub fn parts(&self) -> impl ExactSizeIterator<Item = &HashMap<K, V, KeyHash>> {
        self.parts.iter().map(|part| &**part)
    }
}

impl<K: Eq + Hash, V> Index<&K> for Table<K, V> {
    type Output = V;

    fn index(&self, key: &K) -> &V {
        self.get(key)
            .expect("the caller knows that the key is there")
    }
}

/// Rows that are only ever added.
#[derive(Clone, PartialEq, Debug)]
pub struct Rows<T> {
    /// All but the last are full.
    parts: Vec<Arc<Vec<T>>>,
}

impl<T> Default for Rows<T> {
    fn default() -> Self {
        Self { parts: Vec::new() }
    }
}

impl<T: Clone> Rows<T> {
    pub fn push(&mut self, row: T) {
        match self.parts.last_mut() {
            Some(last) if last.len() < PART_ROWS => whole(last).push(row),
            _ => {
                // The first grows as others do: most campaigns of a test have few bookings.
                let room = if self.parts.is_empty() { 0 } else { PART_ROWS };
                let mut part = Vec::with_capacity(room);
                part.push(row);
                self.parts.push(Arc::new(part));
            }
        }
    }

    /// Adds a part behind parts that are full; false, and nothing is added, if they are not.
    pub fn put_part(&mut self, rows: Vec<T>) -> bool {
        let is_full = self.parts.last().is_none_or(|last| last.len() == PART_ROWS);
        let fits = is_full && rows.len() <= PART_ROWS && !rows.is_empty();
        if fits {
            let mut part = rows;
            // The last part grows on in the room that it has.
            part.reserve_exact(PART_ROWS - part.len());
            self.parts.push(Arc::new(part));
        }
        fits
    }

    /// Adds rows until there are so many.
    pub fn fill_up(&mut self, len: usize, row: T) {
        while self.len() < len {
            self.push(row.clone());
        }
    }
}

/// A part to be changed. A copy keeps the room that its original has, or it would move again.
fn whole<T: Clone>(part: &mut Arc<Vec<T>>) -> &mut Vec<T> {
    // Nobody makes weak pointers to parts, so the count tells whether somebody else has it.
    if Arc::strong_count(part) > 1 {
        let mut copy = Vec::with_capacity(part.capacity());
        copy.extend_from_slice(part);
        *part = Arc::new(copy);
    }
    Arc::make_mut(part)
}

impl<T> Rows<T> {
    pub fn get(&self, at: usize) -> Option<&T> {
        self.parts.get(at / PART_ROWS)?.get(at % PART_ROWS)
    }

    pub fn len(&self) -> usize {
        let last = self.parts.last().map_or(0, |part| part.len());
        self.parts.len().saturating_sub(1) * PART_ROWS + last
    }

    pub fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.parts.iter().flat_map(|part| part.iter())
    }

    /// The rows part by part, each but the last of equal length.
    pub fn parts(&self) -> impl ExactSizeIterator<Item = &[T]> {
        self.parts.iter().map(|part| part.as_slice())
    }
}

impl<T> Index<usize> for Rows<T> {
    type Output = T;

    fn index(&self, at: usize) -> &T {
        &self.parts[at / PART_ROWS][at % PART_ROWS]
    }
}

impl<T: Clone> IndexMut<usize> for Rows<T> {
    fn index_mut(&mut self, at: usize) -> &mut T {
        &mut whole(&mut self.parts[at / PART_ROWS])[at % PART_ROWS]
    }
}

/// Rows that are added at one end and taken at the other.
#[derive(Clone, Debug)]
pub struct Queue<T> {
    /// All but the last are full.
    parts: VecDeque<Arc<Vec<T>>>,
    /// Rows of the first part that are taken.
    taken: usize,
}

impl<T> Default for Queue<T> {
    fn default() -> Self {
        let parts = VecDeque::new();
        Self { parts, taken: 0 }
    }
}

impl<T: PartialEq> PartialEq for Queue<T> {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl<T: Clone> Queue<T> {
    pub fn push(&mut self, row: T) {
        match self.parts.back_mut() {
            Some(last) if last.len() < PART_ROWS => whole(last).push(row),
            last => {
                // The first grows as others do: most campaigns of a test have few rows.
                let room = if last.is_some() { PART_ROWS } else { 0 };
                let mut part = Vec::with_capacity(room);
                part.push(row);
                self.parts.push_back(Arc::new(part));
            }
        }
    }

    /// Adds a part of rows behind the others.
    pub fn extend(&mut self, rows: Vec<T>) {
        rows.into_iter().for_each(|row| self.push(row));
    }

    pub fn pop(&mut self) -> Option<T> {
        let row = self.first()?.clone();
        self.taken += 1;
        if self.taken == self.parts.front().map_or(0, |part| part.len()) {
            self.parts.pop_front();
            self.taken = 0;
        }
        Some(row)
    }
}

impl<T> Queue<T> {
    pub fn first(&self) -> Option<&T> {
        self.parts.front()?.get(self.taken)
    }

    pub fn iter(&self) -> impl Iterator<Item = &T> {
        let rows = self.parts.iter().flat_map(|part| part.iter());
        rows.skip(self.taken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A uniform key of a number: its first bytes of SHA-256.
    fn key(number: u64) -> [u8; 16] {
        let digest = crate::crypto::sha256(&number.to_be_bytes());
        *digest.first_chunk().expect("32 bytes")
    }

    #[test]
    fn a_table_knows_what_was_put_into_it_and_counts_each_key_once() {
        let mut table = Table::default();
        assert!(table.is_empty() && table.get(&key(1)).is_none());
        for number in 0..5_000 {
            assert_eq!(table.insert(key(number), number), None);
            assert_eq!(table.insert(key(number), number + 1), Some(number));
            *table.of(key(number)) += 1;
        }
        *table.of(key(5_000)) += 7;
        assert_eq!(table.len(), 5_001);
        assert_eq!(table.iter().count(), 5_001);
        for number in 0..5_000 {
            assert_eq!(table[&key(number)], number + 2);
        }
        assert_eq!(table[&key(5_000)], 7);
        assert!(!table.contains(&key(5_001)));
        let mut other = table.clone();
        assert_eq!(other, table);
        other.insert(key(9), 0);
        assert_ne!(other, table);
        assert_eq!(
            (table.remove(&key(5)), table.remove(&key(5))),
            (Some(7), None)
        );
        assert_eq!((table.len(), table.get(&key(5))), (5_000, None));
    }

    #[test]
    fn a_queue_gives_its_rows_in_order_over_parts() {
        let (mut queue, mut same) = (Queue::default(), Queue::default());
        assert_eq!((queue.first().copied(), queue.pop()), (None, None));
        let all = PART_ROWS * 2 + 3;
        (0..all).for_each(|row| queue.push(row));
        for row in 0..all - 3 {
            assert_eq!(
                (queue.first().copied(), queue.pop()),
                (Some(row), Some(row))
            );
        }
        // Equal by what it holds, whatever parts that lies in.
        (all - 3..all).for_each(|row| same.push(row));
        assert_eq!(queue, same);
        same.push(7);
        assert_ne!(queue, same);
        assert!(queue.iter().copied().eq(all - 3..all));
    }

    /// While the table of the places moved all of 458,752 people, everybody waited for 40 ms.
    #[test]
    fn no_part_of_a_table_has_much_more_than_its_share() {
        let mut table = Table::default();
        for number in 0..200_000_u64 {
            table.insert(key(number), ());
        }
        let share = 200_000 / PARTS;
        let most = table.parts().map(HashMap::len).max();
        assert!(most < Some(share * 2), "{most:?} of {share}");
    }

    #[test]
    fn rows_keep_their_order_over_parts_and_stay_where_they_are() {
        let mut rows = Rows::default();
        let all = PART_ROWS * 2 + 3;
        for row in 0..all {
            assert_eq!(rows.len(), row);
            rows.push(row);
        }
        rows[PART_ROWS] += 1;
        assert_eq!(rows[PART_ROWS], PART_ROWS + 1);
        assert_eq!(rows.get(all - 1), Some(&(all - 1)));
        assert_eq!((rows.get(all), rows.len()), (None, all));
        assert!(
            rows.iter()
                .enumerate()
                .all(|(at, row)| at == *row || at == PART_ROWS)
        );
        // A part that is full never moves.
        assert!(
            rows.parts[1..]
                .iter()
                .all(|part| part.capacity() == PART_ROWS)
        );
    }

    #[test]
    fn a_clone_keeps_what_it_was_whatever_happens_to_its_original() {
        let (mut table, mut rows) = (Table::default(), Rows::default());
        let all = PART_ROWS + 9;
        for number in 0..all {
            table.insert(key(number as u64), number);
            rows.push(number);
        }
        let (table_then, rows_then) = (table.clone(), rows.clone());
        for number in 0..all {
            table.insert(key(number as u64), 0);
            rows[number] = 0;
        }
        assert_eq!(table.remove(&key(1)), Some(0));
        assert_eq!(table.remove(&key(1)), None);
        rows.push(7);
        assert_eq!((table.len(), rows.len()), (all - 1, all + 1));
        assert_eq!((table_then.len(), rows_then.len()), (all, all));
        for number in 0..all {
            assert_eq!(table_then[&key(number as u64)], number);
            assert_eq!(rows_then[number], number);
        }
        assert_eq!(rows.parts[1].capacity(), PART_ROWS);
    }
}
