//! What is measured is what was.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]
#![expect(
    clippy::disallowed_methods,
    reason = "an upstream that is slow by a known time is what is measured"
)]

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use proxyproof_benches::load::{Arrivals, Session, Target};

/// An upstream that answers each request when `wait` returns; one thread a connection.
struct Upstream {
    address: SocketAddr,
    over: Arc<AtomicBool>,
}

impl Upstream {
    fn start(wait: impl Fn() + Clone + Send + 'static, answer: &'static [u8]) -> Self {
        Self::in_turn(wait, Box::leak(Box::new([answer])))
    }

    /// Each connection gets one answer after the other, and begins anew after the last.
    fn in_turn(
        wait: impl Fn() + Clone + Send + 'static,
        answers: &'static [&'static [u8]],
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let over = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&over);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                if told.load(Ordering::Relaxed) {
                    return;
                }
                let wait = wait.clone();
                std::thread::spawn(move || serve(stream.unwrap(), &wait, answers));
            }
        });
        Self { address, over }
    }

    fn session(&self, connections: usize) -> Session {
        let target = Target::get(self.address, "api.example.org", "/", b"ok");
        Session::open(&target, connections).unwrap()
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        let _ = TcpStream::connect(self.address);
    }
}

fn serve(mut stream: TcpStream, wait: &impl Fn(), answers: &[&[u8]]) {
    stream.set_nodelay(true).unwrap();
    let (mut read, mut request) = ([0; 4096], Vec::new());
    let mut answers = answers.iter().cycle();
    loop {
        match stream.read(&mut read) {
            Ok(0) | Err(_) => return,
            Ok(length) => request.extend_from_slice(&read[..length]),
        }
        if request.ends_with(b"\r\n\r\n") {
            request.clear();
            wait();
            let answer = answers.next().unwrap();
            if stream.write_all(answer).is_err() {
                return;
            }
        }
    }
}

fn at(histogram: &Histogram<u64>, quantile: f64) -> Duration {
    Duration::from_nanos(histogram.value_at_quantile(quantile))
}

const OK: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

#[test]
fn a_known_delay_is_measured_as_that_delay() {
    const DELAY: Duration = Duration::from_millis(20);
    let upstream = Upstream::start(|| std::thread::sleep(DELAY), OK);
    let samples = upstream
        .session(4)
        .run(Arrivals::Closed, Duration::from_secs(1));
    assert_eq!(samples.errors.total(), 0);
    // Never less; and on a machine that does something else too, the median is not twice as much.
    assert!(
        samples.from_send.min() >= 19_990_000,
        "{}",
        samples.from_send.min()
    );
    let median = at(&samples.from_send, 0.5);
    assert!(median < DELAY * 2, "{median:?}");
}

#[test]
fn a_frozen_upstream_shows_in_an_open_loop_and_not_in_a_closed_one() {
    const FREEZE: Duration = Duration::from_millis(100);
    let frozen = || {
        let began = Instant::now();
        // Frozen for the first 100 ms of each second of the clock; at the end of it everybody goes on at once.
        move || {
            let second = began.elapsed().subsec_millis();
            if second < 100 {
                std::thread::sleep(FREEZE - Duration::from_millis(second.into()));
            }
        }
    };
    let upstream = Upstream::start(frozen(), OK);
    let open = upstream
        .session(4)
        .run(Arrivals::Constant(1000.0), Duration::from_secs(3));
    assert_eq!(open.errors.total(), 0);
    let waited = at(&open.from_intended, 0.99);
    assert!(waited > Duration::from_millis(80), "{waited:?}");
    // Only four requests a second wait for the thaw, however many users would have.
    let closed = upstream
        .session(4)
        .run(Arrivals::Closed, Duration::from_secs(3));
    let (median, p99) = (at(&closed.from_send, 0.5), at(&closed.from_send, 0.99));
    assert!(p99 < Duration::from_millis(80), "{median:?} {p99:?}");
}

#[test]
fn another_answer_is_an_error_and_no_latency() {
    let upstream = Upstream::start(|| (), b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nno");
    let samples = upstream
        .session(2)
        .run(Arrivals::Constant(100.0), Duration::from_millis(300));
    assert_eq!((samples.completed(), samples.errors.wrong), (0, 30));
}

#[test]
fn a_right_answer_excuses_no_other() {
    let answers: &[&[u8]] = &[
        OK,
        OK,
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nno",
        b"HTTP/1.1 201 OK\r\nContent-Length: 2\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nVia: 1.1 another\r\nContent-Length: 2\r\n\r\nok",
    ];
    let samples = Upstream::in_turn(|| (), answers)
        .session(1)
        .run(Arrivals::Times(50), Duration::from_secs(10));
    assert_eq!((samples.completed(), samples.errors.wrong), (30, 20));
    assert_eq!(samples.errors.total(), 20);
}

#[test]
fn a_server_that_closes_costs_a_connection_a_request() {
    let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok";
    let upstream = Upstream::start(|| (), answer);
    let samples = upstream
        .session(1)
        .run(Arrivals::Constant(100.0), Duration::from_millis(300));
    assert_eq!((samples.completed(), samples.errors.total()), (30, 0));
    // The first was open already.
    assert_eq!(samples.connects, 29);
}

#[test]
fn what_is_not_answered_is_told() {
    let upstream = Upstream::start(|| std::thread::sleep(Duration::from_secs(60)), OK);
    let samples = upstream
        .session(2)
        .run(Arrivals::Constant(100.0), Duration::from_millis(300));
    assert_eq!((samples.completed(), samples.errors.unfinished), (0, 30));
}

#[test]
fn a_server_that_is_gone_holds_nobody_up() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let target = Target::get(
        listener.local_addr().unwrap(),
        "api.example.org",
        "/",
        b"ok",
    );
    let mut session = Session::open(&target, 1).unwrap();
    drop(listener);
    let began = Instant::now();
    let samples = session.run(Arrivals::Closed, Duration::from_millis(200));
    assert!(samples.errors.connect > 0, "{:?}", samples.errors);
    // Two seconds more is how long answers are waited for.
    assert!(began.elapsed() < Duration::from_secs(2));
}

/// TLS changes what is on the wire, and not what is measured: a front that passes bytes on to the gateway's mock.
#[test]
fn answers_over_tls_are_answers() {
    use proxyproof_benches::load::Tls;
    use proxyproof_mocks::certificate::Authority;
    use proxyproof_mocks::front::{Fallback, FallbackTable, Front};
    use proxyproof_mocks::upstream::cpa::Cpa;

    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap();
    let authority = Authority::generate();
    let leaf = authority.leaf(&["api.example.org"]).unwrap();
    let (front, _gateway) = runtime.block_on(async {
        let gateway = Cpa::new().start().await.unwrap();
        let table = FallbackTable::new(vec![Fallback {
            name: "api.example.org".to_owned(),
            alpn: String::new(),
            path: String::new(),
            dest: gateway.address().into(),
            xver: None,
        }]);
        (Front::new(table, leaf).start().await.unwrap(), gateway)
    });
    let mut target = Target::get(
        front.address(),
        "api.example.org",
        "/healthz",
        br#"{"status":"ok"}"#,
    );
    target.tls =
        Some(Tls::new(authority.certificate_der(), "api.example.org", "http/1.1").unwrap());
    let mut session = Session::open(&target, 4).unwrap();
    let samples = session.run(Arrivals::Times(500), Duration::from_secs(60));
    assert_eq!((samples.completed(), samples.errors.total()), (500, 0));
    // An authority that nobody trusts is an error, not an answer.
    let stranger = Authority::generate();
    target.tls = Some(Tls::new(stranger.certificate_der(), "api.example.org", "http/1.1").unwrap());
    assert!(Session::open(&target, 1).is_err());
}
