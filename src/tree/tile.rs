//! Tiles: the hashes of a tree in pieces of 256, as C2SP tlog-tiles lays them out.
//!
//! A tile of level 0 has the hashes of leaves; each hash of a higher level is the root of a full
//! tile below. What lies between is made from them. A partial tile, at the right edge of a tree,
//! has the first hashes of the full one that it becomes.

use std::fmt;

use super::node;
use super::proof::Nodes;
use crate::domain::entry::Hash;

/// Hashes of a full tile, and the levels of the tree that it spans.
pub const WIDTH: u64 = 256;
pub const HEIGHT: u32 = 8;
pub const HASH_BYTES: usize = 32;

/// One tile of a tree: which, and how many hashes it has.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Tile {
    pub level: u32,
    pub index: u64,
    /// 1 to 256.
    pub width: u64,
}

impl Tile {
    /// A full tile.
    pub fn full(level: u32, index: u64) -> Self {
        let width = WIDTH;
        Self {
            level,
            index,
            width,
        }
    }

    /// The tile of that place in a tree of this size; none if the tree has no hash there.
    pub fn in_tree(level: u32, index: u64, size: u64) -> Option<Self> {
        let there = size.checked_shr(HEIGHT * level).unwrap_or(0);
        let width = there.saturating_sub(index.checked_mul(WIDTH)?).min(WIDTH);
        (width > 0).then_some(Self {
            level,
            index,
            width,
        })
    }

    /// All tiles of a tree of this size, from the leaves upwards.
    pub fn all(size: u64) -> impl Iterator<Item = Self> {
        (0..u64::BITS / HEIGHT).flat_map(move |level| {
            let there = size >> (HEIGHT * level);
            let of_level = (0..there.div_ceil(WIDTH)).map(move |index| (level, index));
            of_level.filter_map(move |(level, index)| Self::in_tree(level, index, size))
        })
    }

    pub fn is_full(&self) -> bool {
        self.width == WIDTH
    }

    pub fn bytes(&self) -> usize {
        self.width as usize * HASH_BYTES
    }
}

/// Its path below the log's own: `tile/0/x001/x234/067`, `tile/1/000.p/17`.
impl fmt::Display for Tile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "tile/{}/", self.level)?;
        let mut groups = vec![self.index % 1_000];
        let mut rest = self.index / 1_000;
        while rest > 0 {
            groups.push(rest % 1_000);
            rest /= 1_000;
        }
        for group in groups[1..].iter().rev() {
            write!(f, "x{group:03}/")?;
        }
        write!(f, "{:03}", groups[0])?;
        if self.is_full() {
            Ok(())
        } else {
            write!(f, ".p/{}", self.width)
        }
    }
}

/// The root of a whole subtree whose 2ⁿ hashes lie one after the other.
///
/// # Panics
/// When their number is no power of two.
pub fn joined(hashes: &[u8]) -> Hash {
    let (hashes, rest) = hashes.as_chunks::<HASH_BYTES>();
    assert!(rest.is_empty() && hashes.len().is_power_of_two());
    let mut level: Vec<Hash> = hashes.iter().map(|hash| Hash(*hash)).collect();
    while level.len() > 1 {
        let (pairs, _) = level.as_chunks::<2>();
        level = pairs
            .iter()
            .map(|[left, right]| node(left, right))
            .collect();
    }
    level[0]
}

/// Where tiles come from: a folder, memory.
pub trait Tiles {
    type Fault;

    /// The bytes of a tile, as many as it says.
    fn tile(&mut self, tile: Tile) -> Result<Vec<u8>, Self::Fault>;
}

/// The hashes of a tree of some size, read out of tiles. Each tile is read once in a row.
pub struct TileNodes<T> {
    size: u64,
    tiles: T,
    kept: Vec<Option<(Tile, Vec<u8>)>>,
}

impl<T: Tiles> TileNodes<T> {
    pub fn new(size: u64, tiles: T) -> Self {
        let kept = vec![None; (u64::BITS / HEIGHT) as usize];
        Self { size, tiles, kept }
    }
}

impl<T: Tiles> Nodes for TileNodes<T> {
    type Fault = T::Fault;

    fn node(&mut self, level: u32, index: u64) -> Result<Hash, T::Fault> {
        let (tile_level, inside) = (level / HEIGHT, level % HEIGHT);
        let (first, count) = (index << inside, 1 << inside);
        let tile = Tile::in_tree(tile_level, first / WIDTH, self.size)
            .expect("only whole subtrees of the tree are asked for");
        let kept = &mut self.kept[tile_level as usize];
        let bytes = match kept {
            Some((known, bytes)) if *known == tile => bytes,
            other => &mut other.insert((tile, self.tiles.tile(tile)?)).1,
        };
        let from = (first % WIDTH) as usize * HASH_BYTES;
        Ok(joined(&bytes[from..from + count * HASH_BYTES]))
    }
}
