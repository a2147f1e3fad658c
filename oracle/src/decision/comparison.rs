use super::syntax::Irregular;
use crate::location::{Match, Owner};

/// What comparing two tables came to.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Comparison {
    /// One for each pair of owners that differ somewhere, the one with the shortest path first.
    pub differences: Vec<Difference>,
    /// How many classes of paths were looked at: paths of one class are treated alike by both tables.
    pub classes: usize,
    /// Whether what is not among the differences is proved to be equal.
    pub proof: Proof,
}

/// Paths that the two tables give to different owners.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Difference {
    /// The owner in the first table.
    pub left: Owner,
    /// The owner in the second table.
    pub right: Owner,
    /// The shortest path that shows it, normalised.
    pub path: Vec<u8>,
    /// What the first table finds for it.
    pub left_match: Match,
    /// What the second table finds for it.
    pub right_match: Match,
    /// Shortest paths of other classes with the same two owners; at most twenty.
    pub also: Vec<Vec<u8>>,
    /// How many classes there are with these owners, this one included.
    pub classes: usize,
}

/// How far a comparison is a proof.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Proof {
    /// Every path was decided.
    Complete,
    /// For some classes only examples were tried, since they depend on expressions that are not regular.
    Sampled {
        /// The expressions, and what is not regular in them.
        irregular: Vec<(String, Irregular)>,
        /// How many paths were tried.
        paths: usize,
    },
    /// There were more classes than are followed.
    TooLarge {
        /// How many were.
        classes: usize,
    },
}

impl Comparison {
    /// Whether the tables are proved to give every path to owners that agree.
    pub fn is_equality(&self) -> bool {
        self.differences.is_empty() && self.proof == Proof::Complete
    }
}

/// The path as a client can send it: what cannot stand in a request target, or would be read otherwise, is escaped.
pub fn target_of(path: &[u8]) -> Vec<u8> {
    let mut target = Vec::with_capacity(path.len());
    for byte in path {
        match byte {
            0x21..=0x7e if !b"%?#".contains(byte) => target.push(*byte),
            _ => target.extend(format!("%{byte:02X}").into_bytes()),
        }
    }
    target
}
