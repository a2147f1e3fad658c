//! The private directory of a stage.

use std::fs::DirBuilder;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use proxyproof_mocks::ProbeId;

use super::{Guard, Keep};

/// A directory that only this user may enter; removed when dropped, unless it is kept.
#[derive(Debug)]
pub(crate) struct PrivateDirectory {
    path: PathBuf,
    keep: Keep,
    guard: Guard,
}

impl PrivateDirectory {
    pub(crate) fn create(keep: Keep, guard: &Guard) -> io::Result<Self> {
        // Processes may be told the path in another folder: it has to be absolute and without links.
        let folder = std::env::temp_dir().canonicalize()?;
        let path = folder.join(format!("proxyproof-{}", ProbeId::fresh()));
        // Before it is there: whoever is killed in between leaves nothing.
        if keep == Keep::Nothing {
            guard.watch_directory(&path);
        }
        let created = DirBuilder::new().mode(0o700).create(&path);
        created.inspect_err(|_not_ours| guard.forget_directory(&path))?;
        Ok(Self {
            path,
            keep,
            guard: guard.clone(),
        })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for PrivateDirectory {
    fn drop(&mut self) {
        if self.keep == Keep::Nothing && std::fs::remove_dir_all(&self.path).is_ok() {
            self.guard.forget_directory(&self.path);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn nobody_else_may_enter_and_it_is_removed() {
        let guard = Guard::start().unwrap();
        let directory = PrivateDirectory::create(Keep::Nothing, &guard).unwrap();
        let path = directory.path().to_owned();
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
        std::fs::write(path.join("file"), "x").unwrap();
        drop(directory);
        assert!(!path.exists());
    }

    #[test]
    fn it_can_be_kept() {
        let guard = Guard::start().unwrap();
        let directory = PrivateDirectory::create(Keep::Directory, &guard).unwrap();
        let path = directory.path().to_owned();
        drop(directory);
        drop(guard);
        assert!(path.exists());
        std::fs::remove_dir_all(path).unwrap();
    }
}
