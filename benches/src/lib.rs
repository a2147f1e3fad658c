//! How fast: load generation and comparison.
