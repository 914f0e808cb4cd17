//! Checkpoints, tiles and proofs verified by libraries that others wrote, without ours.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use data_encoding::BASE64;
use signed_note::{Note, StandardVerifier, VerifierList};
use tlog_tiles::{Hash, Tile, TileHashReader, TileReader, check_record, check_tree, prove_record};
use tlog_tiles::{HashReader as _, prove_tree, record_hash, stored_hash_index, tree_hash};

use super::super::world::{World, text};
use super::{Handed, booked, checkpoint_of, grow};

/// Reads tiles out of a folder of C2SP tlog-tiles.
struct Folder(PathBuf);

impl TileReader for Folder {
    fn height(&self) -> u8 {
        8
    }

    fn read_tiles(&self, tiles: &[Tile]) -> Result<Vec<Vec<u8>>, tlog_tiles::Error> {
        let read = |tile: &Tile| {
            // The library names tiles with their height, as Go's database does.
            let name = tile.path().replacen("tile/8/", "tile/", 1);
            fs::read(self.0.join(&name)).unwrap_or_else(|error| panic!("{name}: {error}"))
        };
        Ok(tiles.iter().map(read).collect())
    }

    fn save_tiles(&self, _: &[Tile], _: &[Vec<u8>]) {}
}

/// A checkpoint whose signature the library verified with this key: its size and root.
fn checked(note: &str, key: &str) -> (u64, Hash) {
    let note = Note::from_bytes(note.as_bytes()).unwrap();
    let verifier = StandardVerifier::new(key).unwrap();
    let known = VerifierList::new(vec![Box::new(verifier)]);
    let (verified, _) = note.verify(&known).unwrap();
    assert_eq!(verified.len(), 1);
    let checkpoint = tlog_tiles::Checkpoint::from_bytes(note.text()).unwrap();
    assert_eq!(checkpoint.extension(), "");
    assert!(key.starts_with(&format!("{}+", checkpoint.origin())));
    (checkpoint.size(), *checkpoint.hash())
}

/// The exact bytes of each entry of an export, by its number.
fn entries(handed: &Handed) -> BTreeMap<u64, Vec<u8>> {
    let export = fs::read_to_string(handed.at("entries.jsonl")).unwrap();
    let read = |line: &str| {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        let bytes = BASE64
            .decode(line["bytes"].as_str().unwrap().as_bytes())
            .unwrap();
        (line["seq"].as_u64().unwrap(), bytes)
    };
    export.lines().map(read).collect()
}

#[test]
fn independent_libraries_verify_checkpoint_tiles_inclusion_and_consistency() {
    let world = World::new(30);
    let server = world.serve();
    drop(booked(&server, 1));
    let older = checkpoint_of(&world, 10);
    (2..12).for_each(|at| drop(booked(&server, at)));
    grow(&world, 280);
    assert!(server.stop().success());
    let handed = Handed::of(&world);
    assert!(handed.size > 256, "{}", handed.size);
    let note = fs::read_to_string(handed.at("checkpoint")).unwrap();
    let (size, root) = checked(&note, &handed.key);
    assert_eq!(size, handed.size);
    let folder = Folder(handed.folder.path().to_path_buf());
    let reader = TileHashReader::new(size, root, &folder);
    assert_eq!(tree_hash(size, &reader).unwrap(), root);
    let entries = entries(&handed);
    assert_eq!(entries.len() as u64, size);
    for (seq, bytes) in &entries {
        let index = seq - 1;
        let leaf = record_hash(bytes);
        let stored = reader.read_hashes(&[stored_hash_index(0, index)]).unwrap();
        assert_eq!(stored, [leaf], "entry {seq}");
        let proof = prove_record(size, index, &reader).unwrap();
        check_record(&proof, size, root, index, leaf).unwrap();
    }
    // Consistency, by the library's proof and by ours.
    let (old, old_root) = checked(older["note"].as_str().unwrap(), &handed.key);
    let proof = prove_tree(size, old, &reader).unwrap();
    check_tree(&proof, size, root, old, old_root).unwrap();
    let ours = text(
        &world
            .run(&["audit", "checkpoint", "--since", &old.to_string()])
            .stdout,
    );
    let lines: Vec<&str> = ours.split("\n\n").next().unwrap().lines().collect();
    assert_eq!(lines[0], format!("old {old}"));
    let hashes = |lines: &[&str]| -> Vec<Hash> {
        lines
            .iter()
            .map(|line| Hash::parse_hash(line).unwrap())
            .collect()
    };
    assert_eq!(hashes(&lines[1..]), proof);
    // A proof of ours, read as its specification says and checked by the library alone.
    let made = world.ok(&["audit", "prove", "12"]);
    let proof = made["entries"][0]["proof"].as_str().unwrap();
    let (head, note) = proof.split_once("\n\n").unwrap();
    let lines: Vec<&str> = head.lines().collect();
    assert_eq!(lines[0], "c2sp.org/tlog-proof@v1");
    let bytes = BASE64
        .decode(lines[1].strip_prefix("extra ").unwrap().as_bytes())
        .unwrap();
    assert_eq!(lines[2], "index 11");
    assert_eq!(bytes, entries[&12]);
    let (size, root) = checked(note, made["public_key"].as_str().unwrap());
    check_record(&hashes(&lines[3..]), size, root, 11, record_hash(&bytes)).unwrap();
}
