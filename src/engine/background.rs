//! A thread that works beside the writer until the writer ends: watched, stopped by its drop.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use super::watch::{Beat, Watch};

/// The thread. Dropped, it is told to stop and waited for.
pub(super) struct Background {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Background {
    /// Starts `work` under that name. It returns soon after the flag is set, beats at each of its
    /// rounds, and parks between them. `waits_for` names the thread whose long work it waits for.
    pub(super) fn start(
        name: &'static str,
        waits_for: Option<&'static str>,
        watch: Watch,
        work: impl FnOnce(&AtomicBool, &Beat) + Send + 'static,
    ) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let stopping = Arc::clone(&stop);
        let thread = std::thread::Builder::new().name(name.to_owned());
        let thread = thread.spawn(move || work(&stopping, &watch.enlist(name, waits_for)));
        let thread = thread.expect("the operating system starts one thread at start-up");
        Self {
            stop,
            thread: Some(thread),
        }
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            let _ = thread.join();
        }
    }
}
