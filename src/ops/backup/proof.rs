//! Restoring a copy while it is written: a thread makes a scratch data file of the same frames.
//!
//! The scratch file is never synced, and is gone with the `Part`.

use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use super::BackupFault;
use super::restore::Part;
use crate::journal::copy::{CopyFault, Frame, Taker, Until};

/// Frames on their way to the thread: a frame has a quarter of a mebibyte, as a rule.
const FRAMES_MAX: usize = 16;

/// A scratch data file that is being made.
pub struct Proof {
    part: Part,
    /// None once the thread was asked to end.
    frames: Option<SyncSender<Frame>>,
    taking: Option<JoinHandle<Result<(), CopyFault>>>,
}

impl Proof {
    /// Begins a scratch file beside this one.
    pub fn beside(file: &Path) -> Result<Self, BackupFault> {
        let part = Part::beside(file)?;
        let taker = Taker::create(part.path(), Until::End)?;
        let (frames, taken) = sync_channel(FRAMES_MAX);
        let taking = std::thread::Builder::new()
            .name("proof".to_owned())
            .spawn(move || take_all(taker, &taken))
            .map_err(BackupFault::at(file))?;
        Ok(Self {
            part,
            frames: Some(frames),
            taking: Some(taking),
        })
    }

    /// Takes the next frame.
    ///
    /// # Errors
    /// What was wrong with this frame or with one before it.
    pub fn take(&mut self, frame: Frame) -> Result<(), BackupFault> {
        let sent = self.frames.as_ref().map(|frames| frames.send(frame));
        match sent {
            Some(Ok(())) => Ok(()),
            _ => self.end(),
        }
    }

    /// Waits until everything was taken; the file is there to be read.
    pub fn finish(mut self) -> Result<Part, BackupFault> {
        self.end()?;
        Ok(self.part)
    }

    fn end(&mut self) -> Result<(), BackupFault> {
        self.frames = None;
        match self.taking.take().map(JoinHandle::join) {
            Some(Ok(taken)) => Ok(taken?),
            Some(Err(panic)) => std::panic::resume_unwind(panic),
            None => Ok(()),
        }
    }
}

fn take_all(mut taker: Taker, frames: &Receiver<Frame>) -> Result<(), CopyFault> {
    for frame in frames {
        taker.take(frame)?;
    }
    taker.finish()?;
    Ok(())
}
