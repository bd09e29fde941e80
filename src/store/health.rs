//! What can be wrong with a store itself.

/// One thing that is wrong, for `doctor`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// A short word for it, the same for the same trouble: `store_refuses_writes`, `store_evicts`,
    /// `store_nearly_full`, `store_read_only`, `store_damaged`.
    pub cause: &'static str,
    /// What is so, with its figures.
    pub problem: String,
    /// What helps.
    pub advice: String,
}
