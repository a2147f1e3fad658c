//! What is asked: one claim a file.
