//! HTTP/1 by the rules of Go's `net/http` server (1.26), and a client's view of answers; without I/O.

mod chunked;
mod clock;
mod content_type;
mod decimal;
mod field_lines;
mod head_scan;
mod rejection;
mod request_head;
mod request_line;
mod response;
mod response_decoder;
mod response_writer;
mod status;
mod target;

pub use chunked::{BadChunk, ChunkEvent, ChunkedDecoder, chunk};
pub use rejection::Rejection;
pub use response::{FieldOrder, Response};
pub use response_decoder::{
    AnswerDecoder, AnswerEnd, AnswerEvent, AnswerFraming, AnswerHead, AnswerPersistence, Asked,
    BadAnswer,
};
pub use status::status_text;

pub(crate) use clock::Clock;
pub(crate) use head_scan::HeadScan;
pub(crate) use request_head::{Expectation, Persistence, RequestHead, Version};
pub(crate) use response_writer::{ResponseWriter, push_field, push_status_line};
pub(crate) use target::{lossy, query_values};
