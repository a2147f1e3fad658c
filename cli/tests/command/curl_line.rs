//! What a printed `curl` line asks, asked by the probes' client: no curl has to be installed.

use std::net::{Ipv4Addr, SocketAddr};

use proxyproof_harness::{
    Protocol, Request,
    probe::{Client, Entrance, ProxyHeader, Trust},
};
use rustls::pki_types::{CertificateDer, pem::PemObject};

/// Asks; the failure is what `curl --fail` would call one.
pub(crate) fn ask(line: &str) -> Result<(), String> {
    let failed = |why: String| format!("{line}\n{why}");
    let curl = CurlLine::read(line);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime starts");
    let answer = runtime.block_on(async {
        let connection = curl.client().connect().await?;
        connection.send(&curl.request()).await
    });
    let answer = answer.map_err(|error| failed(error.to_string()))?;
    let whole = answer.ended.is_whole() && !answer.body.is_empty();
    if answer.status == 200 && whole {
        Ok(())
    } else {
        Err(failed(format!("{answer:?}")))
    }
}

/// One line, read.
struct CurlLine {
    protocol: Protocol,
    authority: Option<String>,
    address: SocketAddr,
    url: String,
    fields: Vec<String>,
    body: Option<String>,
}

impl CurlLine {
    fn read(line: &str) -> Self {
        let mut words = words(line).into_iter();
        assert_eq!(words.next().as_deref(), Some("curl"));
        let (mut url, mut resolved) = (None, None);
        let mut curl = Self {
            protocol: Protocol::H1,
            authority: None,
            address: (Ipv4Addr::UNSPECIFIED, 0).into(),
            url: String::new(),
            fields: Vec::new(),
            body: None,
        };
        while let Some(word) = words.next() {
            let mut value = || words.next().expect("an option's value");
            match &*word {
                "-sS" | "-N" => {}
                "--http2" => curl.protocol = Protocol::ChainH2,
                "--cacert" => curl.authority = Some(value()),
                "--resolve" => resolved = Some(value()),
                "-H" => curl.fields.push(value()),
                "-d" => curl.body = Some(value()),
                option if option.starts_with('-') => panic!("an option that is new here: {line}"),
                _ => url = Some(word),
            }
        }
        curl.url = url.expect("a URL");
        curl.address = curl.resolve(resolved.as_deref());
        curl
    }

    /// Host and port, and what comes behind them.
    fn parts(&self) -> (&str, &str) {
        let (_scheme, rest) = self.url.split_once("://").expect("a whole URL");
        let path = rest.find('/').expect("a path");
        rest.split_at(path)
    }

    fn resolve(&self, resolved: Option<&str>) -> SocketAddr {
        let (host, _path) = self.parts();
        let address = match resolved.and_then(|rule| rule.strip_prefix(host)) {
            Some(rule) => format!("{}:{}", &rule[1..], port(host)),
            None => host.replace("localhost", "127.0.0.1"),
        };
        address.parse().expect("an address of this machine")
    }

    fn client(&self) -> Client {
        let (host, _path) = self.parts();
        let trust = self.authority.as_ref().map(|file| {
            let certificate = CertificateDer::from_pem_file(file).expect("the authority's");
            Trust::authority(certificate).expect("an authority")
        });
        assert_eq!(trust.is_some(), self.url.starts_with("https:"));
        let entrance = Entrance {
            protocol: self.protocol,
            address: self.address,
            host: host
                .trim_end_matches(&format!(":{}", port(host)))
                .to_owned(),
            trust,
        };
        Client::new(entrance).header(ProxyHeader::None)
    }

    fn request(&self) -> Request {
        let (host, path) = self.parts();
        let method = if self.body.is_some() { "POST" } else { "GET" };
        let mut request = Request::new(method, path.to_owned(), host.to_owned()).untagged();
        for field in &self.fields {
            let (name, value) = field.split_once(": ").expect("a field");
            request = request.header(name.to_owned(), value.to_owned());
        }
        match &self.body {
            Some(body) => request
                .header("Content-Type", "application/x-www-form-urlencoded")
                .body(body.clone()),
            None => request,
        }
    }
}

fn port(host: &str) -> &str {
    host.rsplit_once(':').expect("every stage has its port").1
}

/// The words of a line as a shell takes them; some are in single quotes.
fn words(line: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    for (number, part) in line.split('\'').enumerate() {
        if number % 2 == 1 {
            words.last_mut().expect("there is one").push_str(part);
            continue;
        }
        let mut pieces = part.split(' ');
        let first = pieces.next().unwrap_or_default();
        words.last_mut().expect("there is one").push_str(first);
        words.extend(pieces.map(str::to_owned));
    }
    words.retain(|word| !word.is_empty());
    words
}
