use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use proxyproof_oracle::conf::Sources;
use proxyproof_oracle::location::NginxVersion;
use proxyproof_oracle::routes::Config;
use tempfile::TempDir;

/// The program, and its release.
#[derive(Clone)]
pub(crate) struct Installation {
    pub(crate) program: PathBuf,
    pub(crate) version: NginxVersion,
}

/// An NGINX that listens at Unix sockets of its own folder; dropped, it ends.
pub(crate) struct Running {
    child: Child,
    folder: TempDir,
    /// What the model reads of the configuration it runs.
    pub(crate) config: Config,
}

/// An answer, split.
#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) status: u16,
    head: String,
    pub(crate) body: String,
}

/// Why no law can be tried, as a reason.
pub(crate) fn installation() -> Result<Installation, String> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    folders.extend(["/usr/sbin".into(), "/usr/local/sbin".into()]);
    let program = folders
        .into_iter()
        .map(|folder| folder.join("nginx"))
        .find(|file| file.is_file());
    let program = program.ok_or("no nginx on the PATH")?;
    let said = Command::new(&program)
        .arg("-v")
        .output()
        .map_err(|error| error.to_string())?;
    let said = String::from_utf8_lossy(&said.stderr).into_owned();
    let version = said.trim().rsplit('/').next().unwrap_or_default();
    let version = version
        .split_whitespace()
        .next()
        .unwrap_or_default()
        .parse();
    let version = version.map_err(|error| format!("{error}"))?;
    Ok(Installation { program, version })
}

impl Running {
    /// Starts an NGINX with what stands in `http`; `SOCKETS` in it is the folder of its sockets, in which it must listen
    /// at `front`.
    pub(crate) fn start(http: &str) -> Self {
        let Installation { program, .. } = installation().expect("it is installed");
        let folder = tempfile::Builder::new()
            .prefix("pp")
            .tempdir()
            .expect("a folder");
        let at = folder.path().display().to_string();
        let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .map(|what| format!("{what}_temp_path {at}/{what};\n"))
            .concat();
        let text = format!(
            "daemon off; master_process off; pid {at}/pid; error_log stderr crit;\nevents {{ worker_connections 64; }}\n\
             http {{\naccess_log off;\n{temporary}{}\n}}\n",
            http.replace("SOCKETS", &at)
        );
        let file = folder.path().join("nginx.conf");
        std::fs::write(&file, &text).expect("written");
        let config = Config::read("nginx.conf", text.as_str(), &mut Sources::new());
        let config = config.unwrap_or_else(|errors| panic!("{errors}\n{text}"));
        let child = Command::new(program)
            .args(["-p", &at, "-e", "stderr", "-c"])
            .arg(&file)
            .stdin(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("it starts");
        let mut running = Self {
            child,
            folder,
            config,
        };
        running.wait(&text);
        running
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "bounded by STARTUP, and the oracle has no `Patience`"
    )]
    fn wait(&mut self, text: &str) {
        let began = Instant::now();
        while UnixStream::connect(self.folder.path().join("front")).is_err() {
            if let Some(status) = self.child.try_wait().expect("it can be asked") {
                let mut said = String::new();
                let stderr = self.child.stderr.as_mut().expect("it is piped");
                let _ = stderr.read_to_string(&mut said);
                panic!("nginx ended with {status}: {said}\n{text}");
            }
            assert!(began.elapsed() < STARTUP, "nginx does not listen");
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    /// The answer to a request with these fields, and a body.
    pub(crate) fn ask(&self, method: &str, target: &str, fields: &str, body: &str) -> Response {
        let mut stream = UnixStream::connect(self.folder.path().join("front")).expect("it listens");
        stream.set_read_timeout(Some(STARTUP)).expect("a socket");
        let length = body.len();
        let request = format!(
            "{method} {target} HTTP/1.1\r\nContent-Length: {length}\r\nConnection: close\r\n{fields}\r\n{body}"
        );
        // Refused before all of it is read, the rest may not be taken.
        let _ = stream.write_all(request.as_bytes());
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        Response::of(&String::from_utf8_lossy(&answer))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Response {
    fn of(text: &str) -> Self {
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((text, ""));
        let status = head
            .split(' ')
            .nth(1)
            .and_then(|status| status.parse().ok());
        Self {
            status: status.unwrap_or_else(|| panic!("no answer: {text}")),
            head: head.to_owned(),
            body: body.to_owned(),
        }
    }

    /// The values of a field, in their order.
    pub(crate) fn field(&self, name: &str) -> Vec<&str> {
        let fields = self
            .head
            .lines()
            .skip(1)
            .filter_map(|line| line.split_once(": "));
        fields
            .filter(|(field, _)| field.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
            .collect()
    }
}

const STARTUP: Duration = Duration::from_secs(20);
