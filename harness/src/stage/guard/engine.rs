//! The container engine, as far as a guard asks it: HTTP/1.1 on its socket, without a runtime.

use std::ffi::OsString;
use std::io::{self, Write};
use std::os::unix::ffi::OsStringExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::patience::Patience;

/// Where the engine listens on this machine; none where `DOCKER_HOST` names one that is reached in another way.
pub(super) fn socket() -> Option<PathBuf> {
    socket_of(std::env::var_os("DOCKER_HOST").unwrap_or_default())
}

fn socket_of(host: OsString) -> Option<PathBuf> {
    if host.is_empty() {
        return Some(PathBuf::from(DEFAULT_SOCKET));
    }
    let host = host.into_vec();
    let path = host.strip_prefix(b"unix://")?;
    Some(OsString::from_vec(path.to_vec()).into())
}

/// Removes a container, running or not, with the volumes that its image asked for.
pub(super) fn remove(socket: &Path, name: &str) -> io::Result<()> {
    let mut stream = UnixStream::connect(socket)?;
    stream.set_read_timeout(Some(REMOVAL.scaled()))?;
    stream.set_write_timeout(Some(REMOVAL.scaled()))?;
    let request = format!(
        "DELETE /containers/{name}?force=true&v=true HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes())?;
    // It answers when the container is gone. Whatever it says, there is nobody to tell it to.
    io::copy(&mut stream, &mut io::sink())?;
    Ok(())
}

/// Where engines listen unless they are told otherwise.
const DEFAULT_SOCKET: &str = "/var/run/docker.sock";
/// An engine gives the processes of a container ten seconds to be gone.
const REMOVAL: Patience = Patience::new("removal", Duration::from_secs(30));

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader};
    use std::os::unix::net::UnixListener;

    use super::*;

    #[test]
    fn a_socket_of_this_machine_is_asked_and_no_other() {
        let socket = |host: &str| socket_of(host.into());
        assert_eq!(socket(""), Some(PathBuf::from(DEFAULT_SOCKET)));
        assert_eq!(
            socket("unix:///run/user/7/podman.sock"),
            Some(PathBuf::from("/run/user/7/podman.sock"))
        );
        assert_eq!(socket("tcp://127.0.0.1:2375"), None);
    }

    #[test]
    fn a_container_is_removed_with_its_volumes() {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("engine.sock");
        let listener = UnixListener::bind(&socket).unwrap();
        let engine = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let lines = BufReader::new(stream.try_clone().unwrap()).lines();
            let lines = lines.map(Result::unwrap);
            let head: Vec<String> = lines.take_while(|line| !line.is_empty()).collect();
            stream
                .write_all(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")
                .unwrap();
            head
        });
        remove(&socket, "proxyproof-1").unwrap();
        let head = engine.join().unwrap();
        assert_eq!(
            head[0],
            "DELETE /containers/proxyproof-1?force=true&v=true HTTP/1.1"
        );
        assert!(head.contains(&"Host: localhost".to_owned()), "{head:?}");
    }
}
