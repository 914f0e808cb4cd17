//! The right edge of a growing tree: what it takes to go on, and the tiles that become full.
//!
//! It holds the hashes of the partial tile of each level, at most 255 of 32 bytes on eight levels.
//! From the edge alone the root of the whole tree is made.

use super::proof::{self, Nodes};
use super::tile::{HASH_BYTES, HEIGHT, Tile, Tiles, WIDTH, joined};
use crate::domain::entry::Hash;

/// The edge of a tree of `size` leaves.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Edge {
    size: u64,
    /// By level: the bytes of the tile that is not full.
    partial: Vec<Vec<u8>>,
}

impl Edge {
    /// The edge of a tree that lies in tiles.
    pub fn of<T: Tiles>(size: u64, tiles: &mut T) -> Result<Self, T::Fault> {
        let mut partial = Vec::new();
        for level in 0..u64::BITS / HEIGHT {
            let there = size >> (HEIGHT * level);
            if there == 0 {
                break;
            }
            let tile = Tile::in_tree(level, there / WIDTH, size);
            partial.push(tile.map_or(Ok(Vec::new()), |tile| tiles.tile(tile))?);
        }
        Ok(Self { size, partial })
    }

    pub fn size(&self) -> u64 {
        self.size
    }

    /// Adds the hash of the next leaf; hands over each tile that is full now.
    pub fn push(&mut self, leaf: Hash, full: &mut impl FnMut(Tile, Vec<u8>)) {
        self.size += 1;
        let (mut level, mut hash) = (0, leaf);
        loop {
            if self.partial.len() == level {
                self.partial.push(Vec::new());
            }
            let tile = &mut self.partial[level];
            tile.extend_from_slice(&hash.0);
            if tile.len() < WIDTH as usize * HASH_BYTES {
                return;
            }
            hash = joined(tile);
            let index = (self.size >> (HEIGHT * (level as u32 + 1))) - 1;
            full(Tile::full(level as u32, index), std::mem::take(tile));
            level += 1;
        }
    }

    /// The partial tiles, from the leaves upwards.
    pub fn partial(&self) -> impl Iterator<Item = (Tile, &[u8])> {
        let tiles = self.partial.iter().enumerate();
        let there = tiles.filter(|(_, bytes)| !bytes.is_empty());
        there.map(|(level, bytes)| {
            let level = level as u32;
            let index = self.size >> (HEIGHT * (level + 1));
            let tile = Tile::in_tree(level, index, self.size);
            (
                tile.expect("a tile with hashes is in the tree"),
                bytes.as_slice(),
            )
        })
    }

    /// The root of the tree.
    pub fn root(&self) -> Hash {
        let root = proof::root(self.size, &mut EdgeNodes(self));
        root.unwrap_or_else(|never: std::convert::Infallible| match never {})
    }
}

/// The largest whole subtrees of a tree, all of which lie in its edge.
struct EdgeNodes<'a>(&'a Edge);

impl Nodes for EdgeNodes<'_> {
    type Fault = std::convert::Infallible;

    fn node(&mut self, level: u32, index: u64) -> Result<Hash, Self::Fault> {
        let inside = level % HEIGHT;
        let from = ((index << inside) % WIDTH) as usize * HASH_BYTES;
        let tile = &self.0.partial[(level / HEIGHT) as usize];
        Ok(joined(&tile[from..from + (HASH_BYTES << inside)]))
    }
}
