//! What every command says, word for word, with the exit code that scripts rely on.

mod attach;
mod bad_peers;
mod bench;
mod certs;
mod container;
mod curl_line;
mod explain;
mod failing;
mod help;
mod init;
mod invocation;
mod listing;
mod load;
mod matrix;
mod mock;
mod own;
mod printed_curls;
mod routes;
mod run;
mod stopping;
mod up;
