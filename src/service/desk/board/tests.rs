//! What the board shows of a small evening, and who is shown it.
