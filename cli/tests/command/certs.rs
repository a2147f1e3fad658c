//! `certs`.

use std::os::unix::fs::PermissionsExt;

use crate::invocation::{Invocation, assert_told};

#[test]
fn writes_three_files_and_overwrites_none() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let out = folder.path().join("tls");
    assert_told!(Invocation::new(&["certs", "--out"]).argument(&out));
    let key = out.join("key.pem");
    let before = std::fs::read(&key).expect("it was written");
    let mode = key.metadata().expect("it is there").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert_told!(Invocation::new(&["certs", "--out"]).argument(&out));
    assert_eq!(std::fs::read(&key).expect("it is there"), before);
}

#[test]
fn a_folder_that_cannot_be() {
    let file = tempfile::NamedTempFile::new().expect("a temporary file");
    assert_told!(Invocation::new(&["certs", "--out"]).argument(file.path()));
}
