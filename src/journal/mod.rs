//! The journal as it lies on the disk, and how a state is made of it.

pub mod block;
pub mod checkpoint;
mod data_file;
pub mod recovery;
pub mod storage;
pub mod store;
pub mod tail;

/// Where a journal is kept.
pub trait Log: Send + Sync {
    /// Makes a block durable: it is when this returns. After an error the outcome is unknown.
    fn append(&self, block: block::Block) -> Result<(), store::StoreFault>;

    /// Hands each block from the one that holds `from` to `look`, in order, until it says stop.
    fn read(
        &self,
        from: crate::domain::ids::Seq,
        look: &mut dyn FnMut(crate::domain::ids::Seq, &[u8]) -> bool,
    ) -> Result<(), store::StoreFault>;

    /// Moves what is appended to where it stays for good.
    fn settle(&self) -> Result<(), store::StoreFault>;
}
