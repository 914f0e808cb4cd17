//! The leaves from one index to another, as the roots of the largest whole subtrees in them.
//!
//! A range grows by a leaf or by the range that follows it, so that parts of a journal can be
//! hashed on several cores and joined. It holds at most two hashes a level: 128 for any length.

use super::{empty, node};
use crate::domain::entry::Hash;

/// The leaves `begin..end` of a tree.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Range {
    begin: u64,
    end: u64,
    /// From left to right, each the root of `1 << level` leaves at a multiple of that.
    nodes: Vec<(u32, Hash)>,
}

impl Range {
    /// No leaves yet, before the leaf `begin`.
    pub fn at(begin: u64) -> Self {
        let (end, nodes) = (begin, Vec::new());
        Self { begin, end, nodes }
    }

    /// The index of the next leaf.
    pub fn end(&self) -> u64 {
        self.end
    }

    /// Adds the hash of the next leaf.
    pub fn push(&mut self, leaf: Hash) {
        self.push_node(0, leaf);
    }

    /// Adds the leaves of a range that begins where this one ends.
    ///
    /// # Panics
    /// When it begins elsewhere.
    pub fn append(&mut self, next: &Self) {
        assert_eq!(self.end, next.begin, "ranges are joined where they meet");
        for (level, hash) in &next.nodes {
            self.push_node(*level, *hash);
        }
    }

    /// Adds a whole subtree, whose place begins at `end`.
    fn push_node(&mut self, mut level: u32, mut hash: Hash) {
        // Leaves of a file that says anything may come; what they lead to is compared.
        self.end = self.end.wrapping_add(1 << level);
        // The right child of a node whose left child is here too.
        while (self.end >> level) & 1 == 0
            && let Some((_, left)) = self.nodes.pop_if(|(below, _)| *below == level)
        {
            hash = node(&left, &hash);
            level += 1;
        }
        self.nodes.push((level, hash));
    }

    /// The root of a tree of these leaves; none unless they begin with the first.
    pub fn root(&self) -> Option<Hash> {
        if self.begin != 0 {
            return None;
        }
        let hashes = self.nodes.iter().rev().map(|(_, hash)| *hash);
        Some(
            hashes
                .reduce(|right, left| node(&left, &right))
                .unwrap_or_else(empty),
        )
    }
}
