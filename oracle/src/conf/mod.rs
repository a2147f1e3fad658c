//! NGINX's configuration language: a lossless parser with positions, errors with recovery, edits by span.

mod ast;
mod edit;
mod error;
mod include;
mod lexer;
mod locate;
mod lua;
mod parser;
mod quote;
mod span;

pub use ast::{Block, Body, Directive, Document, Leaf, LeafKind, RawBlock, Word};
pub use edit::Edits;
pub use error::{Problem, SyntaxError, SyntaxErrors};
pub use include::{Found, IncludeError, LoadError, Loader, Sources, Tree, TreeError, is_glob};
pub use lexer::Quotes;
pub use locate::{DirectivePath, DirectivePathError, LetterCase};
pub use parser::{NESTING_LIMIT, WORD_LIMIT};
pub use quote::quoted;
pub use span::{LineIndex, Position, Span};
