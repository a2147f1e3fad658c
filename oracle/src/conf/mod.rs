//! NGINX's configuration language: a lossless parser with positions, errors with recovery, edits by span.

mod ast;
mod dump;
mod edit;
mod envsubst;
mod error;
mod include;
mod lexer;
mod locate;
mod lua;
mod parser;
mod quote;
mod sources;
mod span;

pub use ast::{Block, Body, Directive, Document, Leaf, LeafKind, RawBlock, Word};
pub use dump::Dump;
pub use edit::Edits;
pub use envsubst::Substituted;
pub use error::{Problem, SyntaxError, SyntaxErrors};
pub use include::{
    DEPTH_LIMIT, FILE_LIMIT, Found, IncludeError, LoadError, Loader, SIZE_LIMIT, Tree, TreeError,
};
pub use lexer::Quotes;
pub use locate::{DirectivePath, DirectivePathError, LetterCase};
pub use parser::{NESTING_LIMIT, WORD_LIMIT};
pub use quote::quoted;
pub use sources::{Sources, is_glob, is_glob_match};
pub use span::{LineIndex, Position, Span};
