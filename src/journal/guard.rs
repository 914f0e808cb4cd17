//! Damage that redb does not expect: it panics then, and whoever reads a file must not.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Once;

use super::data_file::StoreFault;

thread_local! {
    /// How many guards this thread is in: what panics in one is told as damage, and not printed.
    static GUARDS: Cell<u32> = const { Cell::new(0) };
}

/// One guard more, until it is dropped.
struct Guard;

impl Guard {
    fn enter() -> Self {
        static QUIET: Once = Once::new();
        QUIET.call_once(|| {
            let usual = std::panic::take_hook();
            std::panic::set_hook(Box::new(move |told| {
                if GUARDS.get() == 0 {
                    usual(told);
                }
            }));
        });
        GUARDS.set(GUARDS.get() + 1);
        Self
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        GUARDS.set(GUARDS.get() - 1);
    }
}

/// Does work with a data file that may be damaged in any way.
pub(super) fn guarded<T>(work: impl FnOnce() -> Result<T, StoreFault>) -> Result<T, StoreFault> {
    let guard = Guard::enter();
    let done = catch_unwind(AssertUnwindSafe(work));
    drop(guard);
    done.unwrap_or_else(|panic| {
        let said = panic.downcast_ref::<String>().map(String::as_str);
        let said = said.or(panic.downcast_ref::<&str>().copied());
        let said = said.unwrap_or("its pages contradict each other");
        let what = format!("{said}; restore a backup, and keep this file for the auditors");
        Err(StoreFault::Damaged(what))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_of_what_reads_is_damage_with_its_reason() {
        let told: Result<(), StoreFault> = guarded(|| panic!("range end 5736 out of range"));
        let told = told.unwrap_err().to_string();
        assert!(
            told.contains("damaged: range end 5736 out of range; restore"),
            "{told}"
        );
        let fine: Result<u8, StoreFault> = guarded(|| Ok(7));
        assert_eq!(fine.unwrap(), 7);
    }
}
