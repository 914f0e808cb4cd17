//! The program's locks: how they are taken, and what `seats` uses, in one place so that a model
//! checker can stand in for it.
//!
//! A thread that panics while it holds a lock leaves the lock poisoned. `locked` and its like go on
//! all the same: one fault must not take a page away from everybody until a restart. They are for
//! counts, tables and caches, whose changes have nothing in their midst that panics, so what they
//! guard stays valid. The lock of the published state is not taken here but by `Shared::state`: the
//! writer alone changes the state, and when the writer panics the process ends.

pub use std::sync::atomic::{AtomicU64, Ordering};
pub use std::sync::{Arc, Mutex};
use std::sync::{MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard, TryLockError};

/// Takes a lock, also after one of its holders panicked.
pub fn locked<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Takes a lock if nobody holds it.
pub fn try_locked<T>(lock: &Mutex<T>) -> Option<MutexGuard<'_, T>> {
    match lock.try_lock() {
        Ok(guard) => Some(guard),
        Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
        Err(TryLockError::WouldBlock) => None,
    }
}

/// Takes a lock for reading, also after one of its holders panicked.
pub fn read_locked<T>(lock: &RwLock<T>) -> RwLockReadGuard<'_, T> {
    lock.read().unwrap_or_else(PoisonError::into_inner)
}

/// Takes a lock for writing, also after one of its holders panicked.
pub fn write_locked<T>(lock: &RwLock<T>) -> RwLockWriteGuard<'_, T> {
    lock.write().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_whose_holder_panicked_is_taken_all_the_same() {
        let (mutex, lock) = (Mutex::new(7), RwLock::new(7));
        let dead = std::thread::scope(|scope| {
            let holder = scope.spawn(|| {
                let _held = (mutex.lock(), lock.write());
                panic!("a holder panics, as this test wants");
            });
            holder.join().is_err()
        });
        assert!(dead && mutex.is_poisoned() && lock.is_poisoned());
        assert_eq!(*locked(&mutex), 7);
        assert_eq!(try_locked(&mutex).map(|guard| *guard), Some(7));
        *write_locked(&lock) = 8;
        assert_eq!(*read_locked(&lock), 8);
    }
}
