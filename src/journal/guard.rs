//! Damage that redb does not expect: it panics then, and whoever reads a file must not.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::data_file::StoreFault;

/// Does work with a data file that may be damaged in any way.
pub(super) fn guarded<T>(work: impl FnOnce() -> Result<T, StoreFault>) -> Result<T, StoreFault> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
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
