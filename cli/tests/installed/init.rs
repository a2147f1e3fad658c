//! `init`: what it writes runs.

use crate::invocation::Invocation;

pub(crate) fn a_folder_that_runs_by_itself() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let out = folder.path().join("my-site");
    let told = Invocation::new(&["init", "own/tree/nginx.conf", "--out"])
        .argument(&out)
        .told();
    assert!(told.starts_with("exit code: 0\n"), "{told}");
    let told = Invocation::new(&["run", "-f", "routes", "-f", "identity", "--deployment"])
        .argument(out.join("deployment.toml"))
        .argument(format!("{}/", out.display()))
        .told();
    assert!(told.starts_with("exit code: 0\n"), "{told}");
}
