//! A folder of tiles and a checkpoint, laid out after C2SP tlog-tiles: read, written and checked.
//!
//! What a folder holds is believed only where hashes lead from it to a checkpoint's root. A tile of
//! the wrong length is a fault; a partial tile may also be read out of the wider one that replaced
//! it.

use std::fs;
use std::io::{self, ErrorKind, Read as _};
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use crate::domain::entry::Hash;
use crate::tree::proof::{self, Nodes as _};
use crate::tree::tile::{HEIGHT, Tile, TileNodes, Tiles, WIDTH, joined};

/// The name of the signed head in the folder.
pub const CHECKPOINT: &str = "checkpoint";
/// Longer than any note that is written.
const CHECKPOINT_BYTES_MAX: u64 = 256 << 10;

/// What is wrong with a folder of tiles.
#[derive(Debug, thiserror::Error)]
pub enum TileFault {
    #[error("{0} is not there")]
    Missing(String),
    #[error("{tile} has {found} bytes, {wanted} belong there")]
    Length {
        tile: String,
        found: u64,
        wanted: u64,
    },
    #[error("{tile} can't be read: {error}")]
    File {
        tile: String,
        #[source]
        error: io::Error,
    },
    #[error("{0} was changed: its hashes do not lead to the hash above it")]
    Changed(String),
    #[error("the tiles do not lead to the root of the checkpoint: one of them was changed")]
    Root,
}

/// A folder with `checkpoint` and `tile/`.
#[derive(Clone, Debug)]
pub struct TileFolder(PathBuf);

impl TileFolder {
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    /// The bytes of a tile: of its own file, or the first of a wider one's.
    pub fn read(&self, tile: Tile) -> Result<Vec<u8>, TileFault> {
        let missing = match self.read_from(&tile.to_string(), tile, true) {
            Err(fault @ TileFault::Missing(_)) if !tile.is_full() => fault,
            done => return done,
        };
        let full = Tile::full(tile.level, tile.index).to_string();
        match self.read_from(&full, tile, false) {
            Err(TileFault::Missing(_)) => {}
            done => return done,
        }
        for width in tile.width + 1..WIDTH {
            let wider = Tile { width, ..tile }.to_string();
            match self.read_from(&wider, tile, false) {
                Err(TileFault::Missing(_)) => {}
                done => return done,
            }
        }
        Err(missing)
    }

    fn read_from(&self, name: &str, tile: Tile, exact: bool) -> Result<Vec<u8>, TileFault> {
        let named = |error: io::Error| match error.kind() {
            ErrorKind::NotFound | ErrorKind::NotADirectory => TileFault::Missing(name.to_owned()),
            _ => TileFault::File {
                tile: name.to_owned(),
                error,
            },
        };
        let wanted = tile.bytes() as u64;
        let file = fs::File::open(self.0.join(name)).map_err(named)?;
        let found = file.metadata().map_err(named)?.len();
        if found < wanted || exact && found > wanted {
            return Err(TileFault::Length {
                tile: name.to_owned(),
                found,
                wanted,
            });
        }
        let mut bytes = Vec::with_capacity(tile.bytes());
        file.take(wanted).read_to_end(&mut bytes).map_err(named)?;
        Ok(bytes)
    }

    /// Writes a tile in one step. A full one takes the place of its partial ones.
    pub fn write(&self, tile: Tile, bytes: &[u8]) -> io::Result<()> {
        let path = self.0.join(tile.to_string());
        match replace(&path, bytes) {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                let folder = path.parent().unwrap_or(&self.0);
                fs::create_dir_all(folder)?;
                replace(&path, bytes)?;
            }
            written => written?,
        }
        if tile.is_full() {
            match fs::remove_dir_all(path.with_extension("p")) {
                Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }

    /// The text of the signed head; none if there is none.
    pub fn checkpoint(&self) -> io::Result<Option<String>> {
        let file = match fs::File::open(self.0.join(CHECKPOINT)) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let mut text = String::new();
        file.take(CHECKPOINT_BYTES_MAX).read_to_string(&mut text)?;
        Ok(Some(text))
    }

    pub fn put_checkpoint(&self, note: &str) -> io::Result<()> {
        replace(&self.0.join(CHECKPOINT), note.as_bytes())
    }

    /// The hashes of a tree of this size.
    pub fn nodes(&self, size: u64) -> TileNodes<&Self> {
        TileNodes::new(size, self)
    }

    /// Checks every tile of a tree: each full one against the hash above it, the rest against the
    /// root. On all cores.
    pub fn check(&self, size: u64, root: &Hash) -> Result<(), TileFault> {
        for level in 0..u64::BITS / HEIGHT {
            let full = size.checked_shr(HEIGHT * (level + 1)).unwrap_or(0);
            let groups = full.div_ceil(WIDTH);
            let check = |group: u64| self.check_below(level, group, size);
            (0..groups).into_par_iter().try_for_each(check)?;
        }
        if proof::root(size, &mut self.nodes(size))? == *root {
            Ok(())
        } else {
            Err(TileFault::Root)
        }
    }

    /// Checks the full tiles whose hashes one tile of the level above has.
    fn check_below(&self, level: u32, group: u64, size: u64) -> Result<(), TileFault> {
        let Some(above) = Tile::in_tree(level + 1, group, size) else {
            return Ok(());
        };
        let bytes = self.read(above)?;
        let (hashes, _) = bytes.as_chunks::<32>();
        for (at, hash) in hashes.iter().enumerate() {
            let tile = Tile::full(level, group * WIDTH + at as u64);
            if joined(&self.read(tile)?).0 != *hash {
                return Err(TileFault::Changed(tile.to_string()));
            }
        }
        Ok(())
    }

    /// Checks one full tile against the hash above it.
    pub fn check_one(&self, tile: Tile, size: u64) -> Result<(), TileFault> {
        let above = self
            .nodes(size)
            .node(HEIGHT * (tile.level + 1), tile.index)?;
        if joined(&self.read(tile)?) == above {
            Ok(())
        } else {
            Err(TileFault::Changed(tile.to_string()))
        }
    }
}

impl Tiles for &TileFolder {
    type Fault = TileFault;

    fn tile(&mut self, tile: Tile) -> Result<Vec<u8>, TileFault> {
        self.read(tile)
    }
}

/// Writes a file in one step: whoever reads meanwhile has the old one or the new one. Nothing is
/// synced: what is written here can be made again from the journal.
pub fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let part = path.with_added_extension("part");
    fs::write(&part, bytes)?;
    fs::rename(&part, path)
}
