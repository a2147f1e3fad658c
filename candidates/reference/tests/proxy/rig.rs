//! A proxy process, two upstreams that a test plays itself, and raw connections.

use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use bytes::BytesMut;
use rustix::process::{Pid, Signal, kill_process};
use socket2::SockRef;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt, Interest};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::time::timeout;

/// Names the configuration to the process that serves.
pub(crate) const CONFIGURATION: &str = "PROXYPROOF_REFERENCE_TEST";

/// What opens every client connection.
pub(crate) const CLIENT: &str = "PROXY TCP4 203.0.113.7 127.0.0.1 5555 443\r\n";

/// A running proxy and the sockets of its upstreams.
pub(crate) struct Proxy {
    child: Child,
    directory: TempDir,
    tables: String,
    pub(crate) h1: SocketAddr,
    pub(crate) h2: SocketAddr,
    pub(crate) cpa: TcpListener,
    pub(crate) usage: Option<TcpListener>,
}

impl Proxy {
    /// Starts a proxy with these lines before the tables of its configuration.
    pub(crate) async fn start(settings: &str) -> Self {
        let [cpa, usage] = [listener().await, listener().await];
        // Another process may take a port between its choice and its use.
        for _ in 0..5 {
            let [h1, h2] = [free_address().await, free_address().await];
            let tables = tables(h1, h2, &cpa, &usage);
            let directory = TempDir::new().unwrap();
            write_configuration(&directory, settings, &tables);
            let mut child = spawn(&directory);
            if is_listening(&mut child, h2).await && is_listening(&mut child, h1).await {
                return Self {
                    child,
                    directory,
                    tables,
                    h1,
                    h2,
                    cpa,
                    usage: Some(usage),
                };
            }
            child.kill().unwrap();
            child.wait().unwrap();
        }
        panic!("the proxy does not start");
    }

    /// A proxy without settings of its own.
    pub(crate) async fn plain() -> Self {
        Self::start("").await
    }

    /// A proxy with a defect.
    pub(crate) async fn with_defect(name: &str) -> Self {
        Self::start(&format!("defects = ['{name}']\n")).await
    }

    /// A client connection to the HTTP/1.1 listener, the PROXY header sent.
    pub(crate) async fn client(&self) -> Wire {
        let mut wire = Wire::connect(self.h1).await;
        wire.send(CLIENT).await;
        wire
    }

    /// The same, and the system keeps few of the bytes that wait to be sent.
    pub(crate) async fn client_with_small_buffers(&self) -> Wire {
        let socket = TcpSocket::new_v4().unwrap();
        shorten_segments(&SockRef::from(&socket));
        socket.set_send_buffer_size(16 << 10).unwrap();
        let mut wire = Wire::new(socket.connect(self.h1).await.unwrap());
        wire.send(CLIENT).await;
        wire
    }

    /// Has the system keep few of the bytes that wait for the gateway, on connections to come.
    pub(crate) fn shrink_upstream_buffers(&self) {
        let socket = SockRef::from(&self.cpa);
        shorten_segments(&socket);
        socket.set_recv_buffer_size(8 << 10).unwrap();
    }

    /// The next connection to the gateway.
    pub(crate) async fn cpa(&self) -> Wire {
        accept(&self.cpa).await
    }

    /// The next connection to the usage service.
    pub(crate) async fn usage(&self) -> Wire {
        accept(self.usage.as_ref().expect("it listens")).await
    }

    /// Has the usage service listen no more; gives the address back.
    pub(crate) fn take_usage_down(&mut self) -> SocketAddr {
        self.usage.take().unwrap().local_addr().unwrap()
    }

    /// Replaces the settings and the text of the tables, and sends SIGHUP.
    pub(crate) fn reload(&self, settings: &str, change: impl Fn(&str) -> String) {
        write_configuration(&self.directory, settings, &change(&self.tables));
        self.signal(Signal::HUP);
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// Waits until the process has ended by itself.
    pub(crate) async fn ended(&mut self) -> bool {
        eventually(async || self.child.try_wait().unwrap().is_some()).await
    }

    pub(crate) fn has_ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn spawn(directory: &TempDir) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "serve", "--nocapture"])
        .env(CONFIGURATION, directory.path().join("reference.toml"))
        .stdout(Stdio::null())
        .stderr(if std::env::var_os("REFERENCE_TALKS").is_some() {
            Stdio::inherit()
        } else {
            Stdio::null()
        })
        .spawn()
        .unwrap()
}

fn write_configuration(directory: &TempDir, settings: &str, tables: &str) {
    std::fs::write(
        directory.path().join("reference.toml"),
        format!("server_names = ['api.example.org']\nthreads = 1\n{settings}\n{tables}"),
    )
    .unwrap();
}

fn tables(h1: SocketAddr, h2: SocketAddr, cpa: &TcpListener, usage: &TcpListener) -> String {
    let [cpa, usage] = [cpa, usage].map(|listener| listener.local_addr().unwrap());
    let locations = LOCATIONS.map(|(notation, upstream)| {
        format!("[[location]]\nmatch = '{notation}'\nupstream = '{upstream}'\n")
    });
    format!(
        "[[listen]]\naddress = '{h1}'\nprotocol = 'h1'\nproxy_protocol = true\n\
         [[listen]]\naddress = '{h2}'\nprotocol = 'h2'\nproxy_protocol = true\n\
         [[upstream]]\nname = 'cpa'\naddress = '{cpa}'\npool = 32\n\
         [[upstream]]\nname = 'usage'\naddress = '{usage}'\npool = 8\n{}",
        locations.concat()
    )
}

const LOCATIONS: [(&str, &str); 13] = [
    ("= /v1/responses", "cpa"),
    ("= /health", "usage"),
    ("= /status", "usage"),
    ("= /setup", "usage"),
    ("^~ /usage-service/", "usage"),
    ("= /v0/management/usage-queue", "cpa"),
    ("= /v0/management/usage", "usage"),
    ("^~ /v0/management/usage/", "usage"),
    ("= /v0/management/model-prices", "usage"),
    ("^~ /v0/management/model-prices/", "usage"),
    ("^~ /v0/management/", "cpa"),
    ("= /management.html", "cpa"),
    ("/", "cpa"),
];

/// A send buffer has room for a number of segments at least, which on the loopback interface are 64 KiB long.
fn shorten_segments(socket: &SockRef<'_>) {
    socket.set_tcp_mss(536).unwrap();
}

async fn listener() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").await.unwrap()
}

pub(crate) async fn free_address() -> SocketAddr {
    listener().await.local_addr().unwrap()
}

async fn is_listening(child: &mut Child, address: SocketAddr) -> bool {
    let is_up = eventually(async || {
        TcpStream::connect(address).await.is_ok() || child.try_wait().unwrap().is_some()
    })
    .await;
    is_up && child.try_wait().unwrap().is_none()
}

async fn accept(listener: &TcpListener) -> Wire {
    let (stream, _) = within(listener.accept()).await.unwrap();
    Wire::new(stream)
}

/// Looks until it is so; false after ten seconds.
pub(crate) async fn eventually(mut look: impl AsyncFnMut() -> bool) -> bool {
    for _ in 0..1000 {
        if look().await {
            return true;
        }
        pause(10).await;
    }
    false
}

#[expect(
    clippy::disallowed_methods,
    reason = "paces looks, and stands for silence where a test is about silence"
)]
pub(crate) async fn pause(milliseconds: u64) {
    tokio::time::sleep(Duration::from_millis(milliseconds)).await;
}

/// Everything a test waits for comes within ten seconds or not at all.
pub(crate) async fn within<T>(future: impl Future<Output = T>) -> T {
    timeout(Duration::from_secs(10), future)
        .await
        .expect("it comes in time")
}

/// A connection, byte by byte.
pub(crate) struct Wire {
    stream: TcpStream,
    pub(crate) buffer: BytesMut,
}

impl Wire {
    fn new(stream: TcpStream) -> Self {
        stream.set_nodelay(true).unwrap();
        Self {
            stream,
            buffer: BytesMut::new(),
        }
    }

    pub(crate) async fn connect(address: SocketAddr) -> Self {
        Self::new(TcpStream::connect(address).await.unwrap())
    }

    pub(crate) async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        within(self.stream.write_all(bytes.as_ref())).await.unwrap();
    }

    /// Sends what the other end may have hung up on.
    pub(crate) async fn try_send(&mut self, bytes: impl AsRef<[u8]>) -> bool {
        within(self.stream.write_all(bytes.as_ref())).await.is_ok()
    }

    /// Reads up to and with this text.
    pub(crate) async fn until(&mut self, end: &str) -> String {
        loop {
            let text = String::from_utf8_lossy(&self.buffer).into_owned();
            if let Some(at) = text.find(end) {
                let taken = self.buffer.split_to(at + end.len());
                return String::from_utf8_lossy(&taken).into_owned();
            }
            assert!(
                self.fill().await,
                "the connection ended; before `{end}` came {text:?}"
            );
        }
    }

    /// Reads a head.
    pub(crate) async fn head(&mut self) -> String {
        self.until("\r\n\r\n").await
    }

    /// Reads this many bytes.
    pub(crate) async fn take(&mut self, length: usize) -> Vec<u8> {
        while self.buffer.len() < length {
            assert!(
                self.fill().await,
                "the connection ended after {:?}",
                self.buffer
            );
        }
        self.buffer.split_to(length).to_vec()
    }

    /// Reads this many bytes and keeps none.
    pub(crate) async fn skip(&mut self, length: usize) {
        let mut left = length;
        while left > 0 {
            if self.buffer.is_empty() {
                assert!(self.fill().await, "the connection ended {left} bytes early");
            }
            let taken = left.min(self.buffer.len());
            left -= taken;
            let _ = self.buffer.split_to(taken);
        }
    }

    /// Writes until the other end takes no more for a while, or this many bytes are written.
    pub(crate) async fn write_until_blocked(&mut self, limit: usize) -> usize {
        let piece = vec![b'x'; 64 << 10];
        let mut written = 0;
        while written < limit {
            let length = piece.len().min(limit - written);
            match timeout(
                Duration::from_millis(300),
                self.stream.write(&piece[..length]),
            )
            .await
            {
                Ok(count) => written += count.unwrap(),
                Err(_) => return written,
            }
        }
        written
    }

    /// Whether the other end has left or leaves in this time, as told without reading what it sent.
    pub(crate) async fn is_left_within(&self, milliseconds: u64) -> bool {
        timeout(Duration::from_millis(milliseconds), async {
            while !(self.stream.ready(Interest::READABLE).await.unwrap()).is_read_closed() {
                pause(10).await;
            }
        })
        .await
        .is_ok()
    }

    /// Reads to the end of the connection, orderly or not.
    pub(crate) async fn rest(&mut self) -> String {
        while self.fill().await {}
        String::from_utf8_lossy(&self.buffer.split()).into_owned()
    }

    /// Whether the other end reset the connection, after all bytes were read.
    pub(crate) async fn is_reset(&mut self) -> bool {
        loop {
            match within(self.stream.read_buf(&mut self.buffer)).await {
                Ok(0) => return false,
                Ok(_) => (),
                Err(_) => return true,
            }
        }
    }

    /// Whether nothing comes for a while; for claims about what is not sent.
    pub(crate) async fn is_silent(&mut self, milliseconds: u64) -> bool {
        self.buffer.is_empty()
            && timeout(
                Duration::from_millis(milliseconds),
                self.stream.read_buf(&mut self.buffer),
            )
            .await
            .is_err()
    }

    pub(crate) async fn half_close(&mut self) {
        self.stream.shutdown().await.unwrap();
    }

    /// Ends the connection with a reset.
    pub(crate) fn reset(self) {
        SockRef::from(&self.stream)
            .set_linger(Some(Duration::ZERO))
            .unwrap();
    }

    async fn fill(&mut self) -> bool {
        within(self.stream.read_buf(&mut self.buffer))
            .await
            .is_ok_and(|read| read > 0)
    }
}

/// The lines of a head that begin with this name, whatever its case.
pub(crate) fn values<'a>(head: &'a str, name: &str) -> Vec<&'a str> {
    let fields = head
        .lines()
        .skip(1)
        .filter_map(|line| line.split_once(": "));
    fields
        .filter(|(field, _)| field.eq_ignore_ascii_case(name))
        .map(|(_, value)| value)
        .collect()
}

pub(crate) const GET: &str = "GET /v1/models HTTP/1.1\r\nHost: api.example.org\r\n\r\n";

pub(crate) const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
