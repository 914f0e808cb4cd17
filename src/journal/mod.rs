//! The journal as it lies on the disk, and how a state is made of it.

pub mod block;
pub mod checkpoint;
pub mod copy;
mod data_file;
mod guard;
pub mod pipeline;
pub mod recovery;
pub mod storage;
pub mod store;
pub mod tail;
pub mod vault;

use block::Block;
use store::StoreFault;

use crate::domain::ids::Seq;
use crate::domain::state::State;

/// Where a journal is kept.
pub trait Log: Send + Sync {
    /// Makes a block durable: it is when this returns. After an error the outcome is unknown.
    fn append(&self, block: Block) -> Result<(), StoreFault>;

    /// Hands each block from the one that holds `from` to `look`, in order, until it says stop.
    fn read(&self, from: Seq, look: &mut dyn FnMut(Seq, &[u8]) -> bool) -> Result<(), StoreFault>;

    /// Keeps a state of this journal, so that a start need not read what is before it; beside
    /// everything else, a part at a time. False if `goes_on` said no.
    fn checkpoint(
        &self,
        state: &State,
        goes_on: &mut dyn FnMut() -> bool,
    ) -> Result<bool, StoreFault>;

    /// Moves what is appended to where it stays for good.
    fn settle(&self) -> Result<(), StoreFault>;
}
