//! What clients have to be told.

use std::{fmt, path::Path};

use proxyproof_harness::stage::MANAGEMENT_KEY;

use super::API_KEY;

/// Where a stage is reached, and with which keys.
pub(super) struct Settings<'a> {
    pub(super) candidate: &'a str,
    pub(super) host: &'a str,
    pub(super) port: u16,
    /// The origin without TLS.
    pub(super) plain: Option<String>,
    pub(super) ca_file: &'a Path,
    pub(super) client: &'a str,
}

impl Settings<'_> {
    /// The origin through TLS.
    pub(super) fn base_url(&self) -> String {
        format!("https://127.0.0.1:{}", self.port)
    }
}

impl fmt::Display for Settings<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            candidate,
            host,
            port,
            client,
            ..
        } = self;
        let (base, ca) = (self.base_url(), self.ca_file.display());
        let plain = self.plain.as_deref().unwrap_or(&base);
        write!(
            f,
            "\
{base}  through TLS, front, {candidate}; also https://localhost:{port} and, resolved to 127.0.0.1, https://{host}:{port}
{plain}  the same without TLS
CA {ca}
api key {API_KEY} · management key {MANAGEMENT_KEY} · clients appear as {client}

  export OPENAI_BASE_URL={plain}/v1 OPENAI_API_KEY={API_KEY}
  export ANTHROPIC_BASE_URL={plain} ANTHROPIC_API_KEY={API_KEY}

  # ~/.codex/config.toml, with OPENAI_API_KEY as above
  model = \"gpt-5-codex\"
  model_provider = \"proxyproof\"
  [model_providers.proxyproof]
  name = \"proxyproof\"
  base_url = \"{plain}/v1\"
  env_key = \"OPENAI_API_KEY\"
  wire_api = \"responses\"

  # models, a chat, a stream, a message, the usage service; then HTTP/2 through TLS under the API host's name
  curl {plain}/v1/models -H 'Authorization: Bearer {API_KEY}'
  curl {plain}/v1/chat/completions -H 'Authorization: Bearer {API_KEY}' -d '{{\"model\":\"m-fast\",\"messages\":[{{\"role\":\"user\",\"content\":\"hi\"}}]}}'
  curl -N {plain}/v1/responses -H 'Authorization: Bearer {API_KEY}' -d '{{\"model\":\"gpt-5-codex\",\"input\":\"hi\",\"stream\":true}}'
  curl {plain}/v1/messages -H 'x-api-key: {API_KEY}' -d '{{\"model\":\"claude-mock\",\"max_tokens\":9,\"messages\":[{{\"role\":\"user\",\"content\":\"hi\"}}]}}'
  curl {plain}/v0/management/usage -H 'Authorization: Bearer {MANAGEMENT_KEY}'
  curl --http2 --cacert {ca} --resolve {host}:{port}:127.0.0.1 https://{host}:{port}/v1/models -H 'Authorization: Bearer {API_KEY}'

"
        )
    }
}
