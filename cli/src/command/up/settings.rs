//! What clients have to be told.

use std::{collections::BTreeSet, fmt, path::Path};

use proxyproof_harness::{Deployment, Purpose, kind::StandIn, stage::MANAGEMENT_KEY};

use super::API_KEY;

/// Where a stage is reached, and with which keys.
pub(super) struct Settings<'a> {
    pub(super) candidate: &'a str,
    /// The site.
    pub(super) deployment: &'a Deployment,
    /// The name on loopback by which the candidate lets itself be asked.
    pub(super) name: Option<&'static str>,
    /// The port for TLS.
    pub(super) port: u16,
    /// The port without TLS.
    pub(super) plain: Option<u16>,
    pub(super) ca_file: &'a Path,
    pub(super) client: &'a str,
}

impl Settings<'_> {
    /// The API host.
    pub(super) fn host(&self) -> &str {
        &self.deployment.hosts.api
    }

    /// Whether CPA is behind the candidate: its mock answers as it does, and is what clients can be set up for.
    fn has_cpa(&self) -> bool {
        let mut upstreams = self.deployment.upstreams.values();
        upstreams.any(|upstream| upstream.kind.stand_in == StandIn::Cpa)
    }

    /// The origin through TLS.
    pub(super) fn base_url(&self) -> String {
        format!("https://{}:{}", self.local_name(), self.port)
    }

    /// The origin without TLS.
    pub(super) fn plain_url(&self) -> Option<String> {
        let port = self.plain?;
        Some(format!("http://{}:{port}", self.local_name()))
    }

    /// A name that is resolved to loopback anywhere.
    fn local_name(&self) -> &'static str {
        self.name.unwrap_or("127.0.0.1")
    }

    /// What clients put before a path, without TLS where that is offered.
    fn origin(&self) -> String {
        let (scheme, port) = match self.plain {
            Some(port) => ("http", port),
            None => ("https", self.port),
        };
        format!("{scheme}://{}:{port}", self.name.unwrap_or(self.host()))
    }

    /// What curl needs besides to get there.
    fn resolved(&self) -> String {
        match self.name {
            Some(_) => String::new(),
            None => format!(
                "--resolve {}:{}:127.0.0.1 ",
                self.host(),
                self.plain.unwrap_or(self.port)
            ),
        }
    }

    fn addresses(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            candidate,
            port,
            client,
            ..
        } = self;
        let host = self.host();
        let ca = self.ca_file.display();
        if self.name.is_some() {
            let base = self.base_url();
            writeln!(
                f,
                "{base}  through TLS, front, {candidate}; also https://localhost:{port} and, resolved to 127.0.0.1, https://{host}:{port}"
            )?;
            if let Some(plain) = self.plain_url() {
                writeln!(f, "{plain}  the same without TLS")?;
            }
        } else {
            writeln!(f, "https://{host}:{port}  through TLS, front, {candidate}")?;
            if let Some(plain) = self.plain {
                writeln!(f, "http://{host}:{plain}  the same without TLS")?;
            }
            writeln!(
                f,
                "{candidate} serves {host} only: put the line `127.0.0.1 {host}` into /etc/hosts, or start with --domain localhost"
            )?;
        }
        writeln!(f, "CA {ca}")?;
        if self.has_cpa() {
            write!(f, "api key {API_KEY} · management key {MANAGEMENT_KEY} · ")?;
        }
        writeln!(f, "clients appear as {client}")
    }

    fn variables(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let origin = self.origin();
        write!(
            f,
            "
  export OPENAI_BASE_URL={origin}/v1 OPENAI_API_KEY={API_KEY}
  export ANTHROPIC_BASE_URL={origin} ANTHROPIC_API_KEY={API_KEY}

  # ~/.codex/config.toml, with OPENAI_API_KEY as above
  model = \"gpt-5-codex\"
  model_provider = \"proxyproof\"
  [model_providers.proxyproof]
  name = \"proxyproof\"
  base_url = \"{origin}/v1\"
  env_key = \"OPENAI_API_KEY\"
  wire_api = \"responses\"
  supports_websockets = true

"
        )
    }

    /// The program, and what it needs to get to the origin and to trust it.
    fn curl(&self) -> String {
        // A deployment without TLS to trust is none: where there is no plain port, curl needs the authority, too.
        let trust = match self.plain {
            Some(_) => String::new(),
            None => format!("--cacert '{}' ", self.ca_file.display()),
        };
        format!("curl -sS {}{trust}", self.resolved())
    }

    /// The program, as it asks for a path by HTTP/2 through TLS under the API host's name.
    fn curl_http2(&self, path: &str) -> String {
        let (host, port, ca) = (self.host(), self.port, self.ca_file.display());
        format!(
            "curl -sS --http2 --cacert '{ca}' --resolve {host}:{port}:127.0.0.1 https://{host}:{port}{path}"
        )
    }

    fn cpa_curls(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (origin, curl) = (self.origin(), self.curl());
        let http2 = self.curl_http2("/v1/models");
        write!(
            f,
            "  # models, a chat, a stream, a message, the usage service; then HTTP/2 through TLS under the API host's name
  {curl}{origin}/v1/models -H 'Authorization: Bearer {API_KEY}'
  {curl}{origin}/v1/chat/completions -H 'Authorization: Bearer {API_KEY}' -d '{{\"model\":\"m-fast\",\"messages\":[{{\"role\":\"user\",\"content\":\"hi\"}}]}}'
  {curl}-N {origin}/v1/responses -H 'Authorization: Bearer {API_KEY}' -d '{{\"model\":\"gpt-5-codex\",\"input\":\"hi\",\"stream\":true}}'
  {curl}{origin}/v1/messages -H 'x-api-key: {API_KEY}' -d '{{\"model\":\"claude-mock\",\"max_tokens\":9,\"messages\":[{{\"role\":\"user\",\"content\":\"hi\"}}]}}'
  {curl}{origin}/v0/management/usage -H 'Authorization: Bearer {MANAGEMENT_KEY}'
  {http2} -H 'Authorization: Bearer {API_KEY}'

"
        )
    }

    /// Each request that the site serves, once. WebSockets are none of curl's.
    fn site_curls(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (origin, curl) = (self.origin(), self.curl());
        writeln!(
            f,
            "\n  # what the site serves, answered by stand-ins; last, HTTP/2 through TLS under the API host's name"
        )?;
        let mut told = BTreeSet::new();
        let purposes = Purpose::ALL
            .into_iter()
            .filter(|purpose| *purpose != Purpose::WebSocket);
        for endpoint in purposes.flat_map(|purpose| self.deployment.endpoints(purpose)) {
            if !told.insert((endpoint.method, endpoint.target.clone())) {
                continue;
            }
            let target = &endpoint.target;
            match endpoint.method {
                "GET" => writeln!(f, "  {curl}'{origin}{target}'")?,
                "POST" => writeln!(f, "  {curl}'{origin}{target}' -d '{{}}'")?,
                method => writeln!(f, "  {curl}-X {method} '{origin}{target}' -d '{{}}'")?,
            }
        }
        if let Some(plain) = self.deployment.endpoint(Purpose::Plain) {
            writeln!(f, "  {}", self.curl_http2(&plain.target))?;
        }
        writeln!(f)
    }
}

impl fmt::Display for Settings<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.addresses(f)?;
        if self.has_cpa() {
            self.variables(f)?;
            self.cpa_curls(f)
        } else {
            self.site_curls(f)
        }
    }
}
