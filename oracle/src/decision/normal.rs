use crate::location::MergeSlashes;

/// An automaton of the paths that normalisation can give: they begin with `/`, have no dot segments, no NUL, and, if
/// slashes are merged, no `//`.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) enum Normal {
    /// Nothing read yet.
    Start,
    /// After a slash.
    Slash,
    /// After `/.`: a path may not end so.
    Dot,
    /// After `/..`: likewise.
    DotDot,
    /// Inside a segment.
    Usual,
}

impl Normal {
    /// The state after one more byte; `None` if no path continues so.
    pub(crate) fn step(self, byte: u8, merge_slashes: MergeSlashes) -> Option<Self> {
        match (self, byte) {
            (_, 0) | (Self::Dot | Self::DotDot, b'/') => None,
            (Self::Start, b'/') | (Self::Usual, b'/') => Some(Self::Slash),
            (Self::Start, _) => None,
            (Self::Slash, b'/') => (merge_slashes == MergeSlashes::Off).then_some(Self::Slash),
            (Self::Slash, b'.') => Some(Self::Dot),
            (Self::Dot, b'.') => Some(Self::DotDot),
            _ => Some(Self::Usual),
        }
    }

    /// Whether a path may end here.
    pub(crate) fn accepts(self) -> bool {
        matches!(self, Self::Slash | Self::Usual)
    }
}
