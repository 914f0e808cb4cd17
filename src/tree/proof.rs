//! Proofs that a tree has a leaf, and that a tree begins with another: made and checked.
//!
//! Made after RFC 6962, 2.1.1 and 2.1.2; checked after RFC 9162, 2.1.3.2 and 2.1.4.2.

use super::{empty, node};
use crate::domain::entry::Hash;

/// Where the hashes of a tree's whole subtrees come from.
pub trait Nodes {
    type Fault;

    /// The root of the leaves `index << level .. (index + 1) << level`, all of which are there.
    fn node(&mut self, level: u32, index: u64) -> Result<Hash, Self::Fault>;
}

/// The leaves `from..until` of a tree, which are one of its subtrees.
type Span = (u64, u64);

/// The largest power of two below `count`, which is at least 2.
fn split(count: u64) -> u64 {
    1 << (63 - (count - 1).leading_zeros())
}

/// The root of a subtree.
fn root_of<N: Nodes>(nodes: &mut N, (mut from, until): Span) -> Result<Hash, N::Fault> {
    let mut whole = Vec::new();
    while from < until {
        let level = 63 - (until - from).leading_zeros();
        whole.push(nodes.node(level, from >> level)?);
        from += 1 << level;
    }
    let joined = whole.into_iter().rev();
    Ok(joined
        .reduce(|right, left| node(&left, &right))
        .unwrap_or_else(empty))
}

/// The root of the first `size` leaves.
pub fn root<N: Nodes>(size: u64, nodes: &mut N) -> Result<Hash, N::Fault> {
    root_of(nodes, (0, size))
}

fn hashes<N: Nodes>(spans: &[Span], nodes: &mut N) -> Result<Vec<Hash>, N::Fault> {
    // From the leaf upwards.
    let upwards = spans.iter().rev();
    upwards.map(|span| root_of(nodes, *span)).collect()
}

/// Proves that the leaf `index` is in the tree of the first `size` leaves.
///
/// # Panics
/// When the tree has no such leaf.
pub fn inclusion<N: Nodes>(index: u64, size: u64, nodes: &mut N) -> Result<Vec<Hash>, N::Fault> {
    assert!(index < size, "a leaf is looked for where it is");
    let (mut from, mut until) = (0, size);
    let mut beside = Vec::new();
    while until - from > 1 {
        let middle = from + split(until - from);
        if index < middle {
            beside.push((middle, until));
            until = middle;
        } else {
            beside.push((from, middle));
            from = middle;
        }
    }
    hashes(&beside, nodes)
}

/// Proves that the tree of the first `new` leaves begins with the first `old`.
///
/// # Panics
/// When `old` is larger.
pub fn consistency<N: Nodes>(old: u64, new: u64, nodes: &mut N) -> Result<Vec<Hash>, N::Fault> {
    assert!(old <= new, "a tree only grows");
    let mut beside = Vec::new();
    // Every tree begins with the empty one: there is nothing to show.
    let (mut from, mut until) = (0, if old == 0 { 0 } else { new });
    while until != old {
        let middle = from + split(until - from);
        if old <= middle {
            beside.push((middle, until));
            until = middle;
        } else {
            beside.push((from, middle));
            from = middle;
        }
    }
    // The older tree's last subtree: the checker knows it only where it is that whole tree.
    if from > 0 {
        beside.push((from, until));
    }
    hashes(&beside, nodes)
}

/// The root that a proof of inclusion leads to; none if it has too few or too many hashes.
pub fn root_with(leaf: &Hash, index: u64, size: u64, proof: &[Hash]) -> Option<Hash> {
    if index >= size {
        return None;
    }
    let (mut at, mut last, mut hash) = (index, size - 1, *leaf);
    for beside in proof {
        if last == 0 {
            return None;
        }
        if at & 1 == 1 || at == last {
            hash = node(beside, &hash);
            // A node without a sibling is its own parent. `at` is not 0: `last` is not.
            let alone = at.trailing_zeros();
            (at, last) = (at >> alone, last >> alone);
        } else {
            hash = node(&hash, beside);
        }
        (at, last) = (at >> 1, last >> 1);
    }
    (last == 0).then_some(hash)
}

/// Whether a proof shows that the tree of this size and root has the leaf at this index.
pub fn is_included(leaf: &Hash, index: u64, size: u64, root: &Hash, proof: &[Hash]) -> bool {
    root_with(leaf, index, size, proof).as_ref() == Some(root)
}

/// Whether a proof shows that the newer tree begins with the older one. Each is a size and a root.
pub fn is_consistent(old: (u64, &Hash), new: (u64, &Hash), proof: &[Hash]) -> bool {
    let ((old, old_root), (new, new_root)) = (old, new);
    if old == 0 {
        return *old_root == empty() && proof.is_empty();
    }
    if old >= new {
        return old == new && old_root == new_root && proof.is_empty();
    }
    let (mut at, mut last) = (old - 1, new - 1);
    let whole = at.trailing_ones();
    (at, last) = (at >> whole, last >> whole);
    // Where the older tree is one whole subtree, its root is known and left out.
    let mut path = proof.iter();
    let first = if at == 0 { Some(old_root) } else { path.next() };
    let Some(first) = first else { return false };
    let (mut of_old, mut of_new) = (*first, *first);
    for beside in path {
        if last == 0 {
            return false;
        }
        if at & 1 == 1 || at == last {
            of_old = node(beside, &of_old);
            of_new = node(beside, &of_new);
            let alone = at.trailing_zeros();
            (at, last) = (at >> alone, last >> alone);
        } else {
            of_new = node(&of_new, beside);
        }
        (at, last) = (at >> 1, last >> 1);
    }
    last == 0 && of_old == *old_root && of_new == *new_root
}
