/// Why a change cannot be made.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum EditError {
    /// The scope, group or place is none of this site.
    #[error("there is no such {what} in the configuration")]
    NoSuch {
        /// `server`, `location`, …
        what: &'static str,
    },
    /// The files hold no `http` block, nor a `server` to put something before: a list of locations alone.
    #[error("the configuration has no place for `{what}`")]
    NoPlace {
        /// The directive.
        what: String,
    },
}
