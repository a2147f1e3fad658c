//! An AI gateway's reverse proxy on pingora, as an example of testing one's own proxy: `proxyproof run candidates/pingora --front tls`.
//!
//! It does what the deployment wants as far as pingora lets it; what it does not is in `candidate.toml`, in words.

mod configuration;
mod path;

use async_trait::async_trait;
use bytes::Bytes;
use http::Version;
use http::header::{CONTENT_LENGTH, HOST, UPGRADE};
use pingora::apps::HttpServerOptions;
use pingora::http::{RequestHeader, ResponseHeader};
use pingora::prelude::{
    Error, ErrorType, HttpPeer, ProxyHttp, Result, Server, Session, http_proxy_service,
};
use pingora::server::configuration::ServerConf;

use crate::configuration::{Configuration, Protocol};

struct Gateway {
    configuration: Configuration,
}

/// What is known of one request.
#[derive(Default)]
struct Exchange {
    /// The host it names, without port, in small letters.
    host: String,
    upstream: String,
    /// How much of its body has come.
    body: u64,
}

fn main() {
    let path = std::env::args().nth(1).expect("the path of a gateway.toml");
    let configuration = match Configuration::read(&path) {
        Ok(configuration) => configuration,
        Err(error) => {
            eprintln!("{path}: {error}");
            std::process::exit(2);
        }
    };
    let conf = ServerConf {
        threads: 1,
        // Nothing is handed over to another process, and SIGTERM does not wait for the clients.
        grace_period_seconds: Some(0),
        graceful_shutdown_timeout_seconds: Some(0),
        upstream_keepalive_pool_size: configuration.pool(),
        ..ServerConf::default()
    };
    let mut server = Server::new_with_opt_and_conf(None, conf);
    server.bootstrap();
    for listener in &configuration.listeners {
        let gateway = Gateway {
            configuration: configuration.clone(),
        };
        let mut service = http_proxy_service(&server.configuration, gateway);
        if listener.protocol == Protocol::H2
            && let Some(proxy) = service.app_logic_mut()
        {
            let mut options = HttpServerOptions::default();
            options.h2c = true;
            proxy.server_options = Some(options);
        }
        service.add_tcp(&listener.address);
        server.add_service(service);
    }
    server.run_forever();
}

#[async_trait]
impl ProxyHttp for Gateway {
    type CTX = Exchange;

    fn new_ctx(&self) -> Exchange {
        Exchange::default()
    }

    /// Answers what is not for the upstreams: foreign hosts, paths above the root, bodies that are too large.
    async fn request_filter(&self, session: &mut Session, exchange: &mut Exchange) -> Result<bool> {
        let head = session.req_header();
        let Some(host) = host(head) else {
            return refuse(session, 400).await;
        };
        if host != self.configuration.host {
            return refuse(session, 421).await;
        }
        let target = head.uri.path();
        let target = path::without_authority(target).unwrap_or(target);
        let Some(path) = path::compared(target) else {
            return refuse(session, 400).await;
        };
        let length = head.headers.get(CONTENT_LENGTH);
        let length = length.and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
        if length.is_some_and(|length| length > self.configuration.body_limit) {
            return refuse(session, 413).await;
        }
        exchange.host = host;
        exchange.upstream = self.configuration.upstream_of(&path).to_owned();
        Ok(false)
    }

    async fn request_body_filter(
        &self,
        _: &mut Session,
        part: &mut Option<Bytes>,
        _: bool,
        exchange: &mut Exchange,
    ) -> Result<()> {
        exchange.body += part.as_ref().map_or(0, |part| part.len() as u64);
        if exchange.body > self.configuration.body_limit {
            return Err(Error::explain(
                ErrorType::HTTPStatus(413),
                "the body is too large",
            ));
        }
        Ok(())
    }

    async fn upstream_peer(
        &self,
        _: &mut Session,
        exchange: &mut Exchange,
    ) -> Result<Box<HttpPeer>> {
        let address = self.configuration.address(&exchange.upstream);
        let mut peer = HttpPeer::new(address, false, String::new());
        peer.options.connection_timeout = Some(std::time::Duration::from_secs(5));
        peer.options.read_timeout = Some(self.configuration.read_timeout());
        Ok(Box::new(peer))
    }

    /// What the client says about itself is replaced, never appended to.
    async fn upstream_request_filter(
        &self,
        session: &mut Session,
        head: &mut RequestHeader,
        exchange: &mut Exchange,
    ) -> Result<()> {
        let client = session.client_addr().and_then(|address| address.as_inet());
        let client =
            client.map_or_else(|| "unknown".to_owned(), |address| address.ip().to_string());
        let element = match client.contains(':') {
            true => format!("for=\"[{client}]\";proto=https"),
            false => format!("for={client};proto=https"),
        };
        head.set_version(Version::HTTP_11);
        let target = String::from_utf8_lossy(head.raw_path()).into_owned();
        if let Some(target) = path::without_authority(&target) {
            head.set_raw_path(target.as_bytes())?;
        }
        head.insert_header(HOST, &exchange.host)?;
        head.insert_header("X-Real-IP", &client)?;
        head.insert_header("X-Forwarded-For", &client)?;
        head.insert_header("X-Forwarded-Proto", "https")?;
        head.insert_header("X-Forwarded-Host", &exchange.host)?;
        head.insert_header("X-Forwarded-Port", "443")?;
        head.insert_header("Forwarded", element)?;
        for name in ["Proxy", "Keep-Alive", "Proxy-Connection", "HTTP2-Settings"] {
            head.remove_header(name);
        }
        let upgrade = head.headers.get(UPGRADE);
        if upgrade.is_some_and(|to| !to.as_bytes().eq_ignore_ascii_case(b"websocket")) {
            head.remove_header(&UPGRADE);
        }
        Ok(())
    }

    /// A request that may have been processed is not sent again.
    fn error_while_proxy(
        &self,
        peer: &HttpPeer,
        session: &mut Session,
        error: Box<Error>,
        _: &mut Exchange,
        reused: bool,
    ) -> Box<Error> {
        let mut error = error.more_context(format!("Peer: {peer}"));
        let harmless = matches!(session.req_header().method.as_str(), "GET" | "HEAD");
        error
            .retry
            .decide_reuse(reused && harmless && !session.as_ref().retry_buffer_truncated());
        error
    }
}

/// The host that a request names; none where it names none, or several.
fn host(head: &RequestHeader) -> Option<String> {
    let named: Vec<_> = head.headers.get_all(HOST).iter().collect();
    let written = match (&*named, head.uri.authority()) {
        ([], Some(authority)) => authority.as_str(),
        ([one], None) => one.to_str().ok()?,
        ([one], Some(authority))
            if one
                .as_bytes()
                .eq_ignore_ascii_case(authority.as_str().as_bytes()) =>
        {
            authority.as_str()
        }
        _ => return None,
    };
    let name = written.split_once(':').map_or(written, |(name, _)| name);
    let name = name.strip_suffix('.').unwrap_or(name);
    (!name.is_empty()).then(|| name.to_ascii_lowercase())
}

async fn refuse(session: &mut Session, status: u16) -> Result<bool> {
    let mut head = ResponseHeader::build(status, None)?;
    head.insert_header(CONTENT_LENGTH, "0")?;
    session.set_keepalive(None);
    session.write_response_header(Box::new(head), true).await?;
    Ok(true)
}
