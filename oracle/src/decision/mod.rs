//! Comparing two route tables for all paths: a proof that they agree, or the shortest path that shows each difference.

mod alphabet;
mod automaton;
mod compare;
mod comparison;
mod expressions;
mod normal;
mod plan;
mod reach;
mod syntax;
mod trie;

pub use compare::compare;
pub use comparison::{Comparison, Difference, Proof, target_of};
pub use reach::{Reach, reach};
pub use syntax::Irregular;
