//! The tree against RFC 6962, written down a second time as its section 2.1 defines it: by
//! recursion over the list of entries. And the forms in which it travels.

mod forms;

use std::collections::BTreeMap;
use std::convert::Infallible;

use proptest::prelude::*;

use super::edge::Edge;
use super::proof::{self, Nodes};
use super::range::Range;
use super::tile::{Tile, TileNodes, Tiles};
use super::*;
use crate::crypto::sha256;

/// The definitions of RFC 6962, 2.1, with its own names.
mod rfc6962 {
    use super::*;

    /// MTH(D[n]).
    pub fn mth(d: &[Vec<u8>]) -> Hash {
        match d {
            [] => Hash(sha256(b"")),
            [only] => Hash(sha256(&[b"\x00".as_slice(), only].concat())),
            _ => {
                let k = largest_power_of_two_below(d.len());
                let (left, right) = (mth(&d[..k]), mth(&d[k..]));
                Hash(sha256(&[b"\x01".as_slice(), &left.0, &right.0].concat()))
            }
        }
    }

    /// PATH(m, D[n]).
    pub fn path(m: usize, d: &[Vec<u8>]) -> Vec<Hash> {
        if d.len() == 1 {
            return Vec::new();
        }
        let k = largest_power_of_two_below(d.len());
        if m < k {
            [path(m, &d[..k]), vec![mth(&d[k..])]].concat()
        } else {
            [path(m - k, &d[k..]), vec![mth(&d[..k])]].concat()
        }
    }

    /// SUBPROOF(m, D[n], b); PROOF(m, D[n]) is SUBPROOF(m, D[n], true).
    pub fn subproof(m: usize, d: &[Vec<u8>], b: bool) -> Vec<Hash> {
        if m == d.len() {
            return if b { Vec::new() } else { vec![mth(d)] };
        }
        let k = largest_power_of_two_below(d.len());
        if m <= k {
            [subproof(m, &d[..k], b), vec![mth(&d[k..])]].concat()
        } else {
            [subproof(m - k, &d[k..], false), vec![mth(&d[..k])]].concat()
        }
    }

    fn largest_power_of_two_below(n: usize) -> usize {
        let mut k = 1;
        while k * 2 < n {
            k *= 2;
        }
        k
    }
}

fn entries(count: usize) -> Vec<Vec<u8>> {
    (0..count)
        .map(|at| format!("entry {at}").into_bytes())
        .collect()
}

/// Tiles in memory.
#[derive(Clone, Default)]
struct Memory(BTreeMap<String, Vec<u8>>);

impl Tiles for &Memory {
    type Fault = Infallible;

    fn tile(&mut self, tile: Tile) -> Result<Vec<u8>, Infallible> {
        let bytes = self
            .0
            .get(&tile.to_string())
            .unwrap_or_else(|| panic!("no {tile}"));
        assert_eq!(bytes.len(), tile.bytes(), "{tile}");
        Ok(bytes.clone())
    }
}

/// Every tile that a tree of these entries has, made one entry at a time.
fn tiles_of(entries: &[Vec<u8>]) -> (Memory, Edge) {
    let (mut memory, mut edge) = (Memory::default(), Edge::default());
    for entry in entries {
        edge.push(leaf(entry), &mut |tile, bytes| {
            memory.0.insert(tile.to_string(), bytes);
        });
    }
    for (tile, bytes) in edge.partial() {
        memory.0.insert(tile.to_string(), bytes.to_vec());
    }
    (memory, edge)
}

fn done<T>(made: Result<T, Infallible>) -> T {
    made.unwrap_or_else(|never| match never {})
}

/// Where shapes change: around powers of two, and around full tiles of both levels.
fn sizes() -> Vec<usize> {
    let around = |size: usize| size.saturating_sub(2)..=size + 2;
    let powers = (0..10).flat_map(|power| around(1 << power));
    let mut sizes: Vec<usize> = powers
        .chain(around(3 * 256))
        .chain(around(5 * 256 + 17))
        .collect();
    sizes.sort_unstable();
    sizes.dedup();
    sizes
}

#[test]
fn roots_are_those_of_the_rfc_for_every_size_around_powers_of_two_and_tiles() {
    for size in sizes() {
        let entries = entries(size);
        let root = rfc6962::mth(&entries);
        let mut range = Range::at(0);
        entries.iter().for_each(|entry| range.push(leaf(entry)));
        assert_eq!(range.root(), Some(root), "a range of {size}");
        let (memory, edge) = tiles_of(&entries);
        assert_eq!(edge.root(), root, "an edge of {size}");
        let mut nodes = TileNodes::new(size as u64, &memory);
        assert_eq!(
            done(proof::root(size as u64, &mut nodes)),
            root,
            "tiles of {size}"
        );
        let known: Vec<String> = Tile::all(size as u64)
            .map(|tile| tile.to_string())
            .collect();
        let mut made: Vec<String> = memory.0.keys().cloned().collect();
        let mut wanted = known.clone();
        made.sort();
        wanted.sort();
        assert_eq!(made, wanted, "the tiles of {size}");
        assert_eq!(done(Edge::of(size as u64, &mut &memory)), edge);
    }
}

/// RFC 6962 gives the root of nothing; the others are test data of the first logs of certificates.
#[test]
fn roots_of_known_data_are_known() {
    let known = [
        (
            0,
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        ),
        (
            1,
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        ),
        (
            2,
            "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        ),
        (
            8,
            "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
        ),
    ];
    let data = [
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    ];
    let data = data.map(|hex| data_encoding::HEXLOWER.decode(hex.as_bytes()).unwrap());
    for (size, root) in known {
        let mut range = Range::at(0);
        data[..size]
            .iter()
            .for_each(|entry| range.push(leaf(entry)));
        assert_eq!(range.root().unwrap().to_string(), root);
    }
}

#[test]
fn every_proof_of_inclusion_is_the_one_of_the_rfc_and_fits_nothing_else() {
    for size in sizes().into_iter().filter(|size| (1..=260).contains(size)) {
        let entries = entries(size);
        let (memory, edge) = tiles_of(&entries);
        let root = edge.root();
        let mut nodes = TileNodes::new(size as u64, &memory);
        for index in (0..size).filter(|index| size < 70 || index % 13 < 2 || size - index < 3) {
            let made = done(proof::inclusion(index as u64, size as u64, &mut nodes));
            assert_eq!(made, rfc6962::path(index, &entries), "{index} of {size}");
            let of = |entry: &[u8], index: usize, size: usize, root: &Hash, proof: &[Hash]| {
                proof::is_included(&leaf(entry), index as u64, size as u64, root, proof)
            };
            let entry = &entries[index];
            assert!(of(entry, index, size, &root, &made));
            assert!(!of(b"another", index, size, &root, &made));
            assert!(!of(entry, index, size, &leaf(b""), &made));
            assert!(!of(entry, index ^ 1, size, &root, &made) || size == 1);
            assert!(!of(entry, index + size, size, &root, &made));
            let longer = [made.clone(), vec![Hash([7; 32])]].concat();
            assert!(!of(entry, index, size, &root, &longer));
            if let Some((_, shorter)) = made.split_last() {
                assert!(!of(entry, index, size, &root, shorter));
                let mut changed = made.clone();
                changed[index % made.len()].0[index % 32] ^= 1;
                assert!(!of(entry, index, size, &root, &changed));
            }
        }
    }
}

#[test]
fn every_proof_of_consistency_is_the_one_of_the_rfc_and_fits_no_other_tree() {
    for new in sizes().into_iter().filter(|size| *size <= 520) {
        let all = entries(new);
        let (memory, edge) = tiles_of(&all);
        let new_root = edge.root();
        let mut nodes = TileNodes::new(new as u64, &memory);
        let near = |old: &usize| new < 40 || old % 31 < 2 || new - old < 3;
        for old in (0..=new).filter(near) {
            let made = done(proof::consistency(old as u64, new as u64, &mut nodes));
            if old > 0 {
                assert_eq!(made, rfc6962::subproof(old, &all, true), "{old} to {new}");
            }
            let old_root = rfc6962::mth(&all[..old]);
            let fits = |old: usize, old_root: &Hash, new_root: &Hash, proof: &[Hash]| {
                proof::is_consistent((old as u64, old_root), (new as u64, new_root), proof)
            };
            assert!(fits(old, &old_root, &new_root, &made), "{old} to {new}");
            assert!(
                !fits(old, &leaf(b"other"), &new_root, &made),
                "{old} to {new}"
            );
            assert!(!fits(old, &old_root, &leaf(b"other"), &made) || old == 0);
            assert!(
                !fits(old + 1, &old_root, &new_root, &made) || old == 0,
                "{old} to {new}"
            );
            let longer = [made.clone(), vec![Hash([7; 32])]].concat();
            assert!(!fits(old, &old_root, &new_root, &longer), "{old} to {new}");
            if let Some((_, shorter)) = made.split_last() {
                assert!(!fits(old, &old_root, &new_root, shorter), "{old} to {new}");
                let mut changed = made.clone();
                changed[old % made.len()].0[old % 32] ^= 1;
                assert!(!fits(old, &old_root, &new_root, &changed), "{old} to {new}");
            }
        }
    }
}

#[test]
fn the_paths_of_tiles_are_those_of_the_specification() {
    assert_eq!(Tile::full(0, 1_234_067).to_string(), "tile/0/x001/x234/067");
    assert_eq!(Tile::full(1, 0).to_string(), "tile/1/000");
    assert_eq!(Tile::full(0, 1_000).to_string(), "tile/0/x001/000");
    assert_eq!(
        Tile::in_tree(0, 0, 1).unwrap().to_string(),
        "tile/0/000.p/1"
    );
    // Its example: a tree of 70,000 has 273 full tiles and one of 112, one and one of 17, and one.
    let all: Vec<Tile> = Tile::all(70_000).collect();
    let of = |level: u32| all.iter().filter(move |tile| tile.level == level);
    assert_eq!(of(0).filter(|tile| tile.is_full()).count(), 273);
    let partial: Vec<String> = all
        .iter()
        .filter(|tile| !tile.is_full())
        .map(Tile::to_string)
        .collect();
    assert_eq!(
        partial,
        ["tile/0/273.p/112", "tile/1/001.p/17", "tile/2/000.p/1"]
    );
    assert_eq!(all.len(), 273 + 1 + 1 + 1 + 1);
    assert_eq!(Tile::in_tree(0, 274, 70_000), None);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Ranges of any lengths, joined, are the range of all; so is a tree that grew in any steps.
    #[test]
    fn growth_in_any_steps_leads_to_the_same_tree(
        steps in proptest::collection::vec(0..300_usize, 1..12),
    ) {
        let all = entries(steps.iter().sum());
        let mut joined = Range::at(0);
        let (mut edge, mut at) = (Edge::default(), 0);
        for step in &steps {
            let mut next = Range::at(at as u64);
            for entry in &all[at..at + step] {
                next.push(leaf(entry));
                edge.push(leaf(entry), &mut |_, _| {});
            }
            joined.append(&next);
            at += step;
            let root = rfc6962::mth(&all[..at]);
            prop_assert_eq!(joined.root(), Some(root));
            prop_assert_eq!(edge.root(), root);
        }
        let mut at_once = Range::at(0);
        all.iter().for_each(|entry| at_once.push(leaf(entry)));
        prop_assert_eq!(joined, at_once);
    }

    /// Tiles of a tree hold every older tree, and prove that they continue it.
    #[test]
    fn tiles_hold_every_older_tree(new in 1..2_000_usize, part in 0.0..1.0_f64) {
        let old = (new as f64 * part) as usize;
        let all = entries(new);
        let (memory, edge) = tiles_of(&all);
        let mut nodes = TileNodes::new(new as u64, &memory);
        let old_root = done(proof::root(old as u64, &mut nodes));
        prop_assert_eq!(old_root, rfc6962::mth(&all[..old]));
        let made = done(proof::consistency(old as u64, new as u64, &mut nodes));
        let new = (new as u64, &edge.root());
        prop_assert!(proof::is_consistent((old as u64, &old_root), new, &made));
    }

    /// A range that does not begin with the first leaf has no root, and joins only where it meets.
    #[test]
    fn a_range_from_the_middle_has_no_root(begin in 1..u64::MAX / 2, count in 0..40_usize) {
        let mut range = Range::at(begin);
        entries(count).iter().for_each(|entry| range.push(leaf(entry)));
        prop_assert_eq!(range.root(), None);
        prop_assert_eq!(range.end(), begin + count as u64);
    }
}

/// A tree whose nodes are made from their place alone: as large as one likes.
struct Made;

impl Nodes for Made {
    type Fault = Infallible;

    fn node(&mut self, level: u32, index: u64) -> Result<Hash, Infallible> {
        Ok(leaf(format!("{level} {index}").as_bytes()))
    }
}

#[test]
fn a_proof_of_the_largest_tree_ends() {
    let made = done(proof::inclusion(u64::MAX / 3, u64::MAX, &mut Made));
    assert!(made.len() <= 64);
    assert!(proof::root_with(&leaf(b""), u64::MAX / 3, u64::MAX, &made).is_some());
    assert!(!proof::is_consistent(
        (1, &leaf(b"")),
        (u64::MAX, &leaf(b"")),
        &made
    ));
}
