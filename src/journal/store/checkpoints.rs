//! Writing checkpoints into the data file, a part at a time, and loading the newest.

use super::{Read, Store, StoreFault};
use crate::domain::entry::Hash;
use crate::domain::state::State;
use crate::journal::Log as _;
use crate::journal::checkpoint::{self, CheckpointFault, Mark};
use crate::journal::guard::guarded;
use crate::keys::verify_head;

/// Bytes of a checkpoint in one commit: the settler and operators wait for it some ten
/// milliseconds.
const CHECKPOINT_COMMIT_BYTES: usize = 2 << 20;

impl Store {
    pub(super) fn write_checkpoint(
        &self,
        state: &State,
        goes_on: &mut dyn FnMut() -> bool,
    ) -> Result<bool, StoreFault> {
        let Some(keys) = self.keys.get() else {
            return Ok(false);
        };
        // The data file never has a checkpoint of an entry that it has not.
        self.settle()?;
        let before = self.file.read()?.checkpoint()?;
        let generation = before.as_ref().map_or(0, |mark| mark.generation) + 1;
        self.remove_checkpoints_but(before.map_or(0, |mark| mark.generation))?;
        let mut digests = Vec::new();
        let (mut parts, mut bytes) = (Vec::new(), 0);
        let stopped = checkpoint::write(state, |part| {
            digests.push(Hash::of(&part));
            bytes += part.len();
            parts.push(part);
            if bytes < CHECKPOINT_COMMIT_BYTES {
                return Ok(());
            }
            let first = digests.len() - parts.len();
            self.put_parts(generation, first, &parts).map_err(Some)?;
            parts.clear();
            bytes = 0;
            if goes_on() { Ok(()) } else { Err(None) }
        });
        match stopped {
            Ok(()) => {}
            Err(None) => return Ok(false),
            Err(Some(fault)) => return Err(fault),
        }
        self.put_parts(generation, digests.len() - parts.len(), &parts)?;
        let mut mark = Mark::of(state, &digests, generation);
        mark.signature = keys.sign_at(mark.seq, &mark.message()).to_vec();
        self.beside(|write| write.put_checkpoint(&mark))?;
        self.remove_checkpoints_but(generation)?;
        Ok(true)
    }

    fn put_parts(
        &self,
        generation: u64,
        first: usize,
        parts: &[Vec<u8>],
    ) -> Result<(), StoreFault> {
        self.beside(|write| write.put_checkpoint_parts(generation, first as u32, parts))
    }

    fn remove_checkpoints_but(&self, generation: u64) -> Result<(), StoreFault> {
        while self.beside(|write| write.remove_other_checkpoints(generation))? {}
        Ok(())
    }
}

impl Read {
    /// The mark of the newest checkpoint, if there is one.
    pub fn checkpoint(&self) -> Result<Option<Mark>, StoreFault> {
        guarded(|| self.file.checkpoint())
    }

    /// Loads the checkpoint of this mark; the fault within says why it can't be used.
    pub fn load_checkpoint(
        &self,
        mark: &Mark,
        head_public_key: impl FnOnce(&State) -> Option<[u8; 32]>,
    ) -> Result<Result<State, CheckpointFault>, StoreFault> {
        if !mark.is_of_this_layout() {
            return Ok(Err(CheckpointFault::Layout));
        }
        if self.hash_at(mark.seq)? != Some(mark.head) {
            return Ok(Err(CheckpointFault::Entry(mark.seq)));
        }
        let mut reader = checkpoint::Reader::default();
        let mut fault = None;
        guarded(|| {
            self.file.checkpoint_parts(mark.generation, |parts| {
                fault = reader.take(parts).err();
                fault.is_none()
            })
        })?;
        if let Some(fault) = fault {
            return Ok(Err(fault));
        }
        let state = match reader.finish(mark) {
            Ok(state) => state,
            Err(fault) => return Ok(Err(fault)),
        };
        let signature = mark.signature.as_slice().try_into();
        let key = head_public_key(&state);
        let is_signed = key
            .zip(signature.ok())
            .is_some_and(|(key, signature)| verify_head(&key, &mark.message(), signature));
        Ok(if is_signed {
            Ok(state)
        } else {
            Err(CheckpointFault::Signature)
        })
    }
}
