use crate::conf::Span;

/// Where something is written: a file of a [`Tree`](crate::conf::Tree) and a stretch of it.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Place {
    /// Number of the file in the tree.
    pub file: usize,
    /// The stretch in that file.
    pub span: Span,
}
