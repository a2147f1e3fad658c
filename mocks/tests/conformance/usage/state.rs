//! The states that the recordings of the usage service start from.

use std::net::SocketAddr;
use std::time::Duration;

use libtest_mimic::Failed;
use proxyproof_mocks::RunningUpstream;
use proxyproof_mocks::upstream::cpa::Cpa;
use proxyproof_mocks::upstream::usage::{Backoff, UsageService};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::recording::{Addresses, Recording};

/// A usage service and the CPA beside it.
pub(crate) struct State {
    cpa: Option<RunningUpstream>,
    cpa_address: SocketAddr,
    usage: RunningUpstream,
}

impl State {
    /// Brings about the state that a recording names.
    pub(crate) async fn of(recording: &Recording) -> Result<Self, Failed> {
        match recording.given.as_str() {
            "" | "fresh, not configured" | "not configured" | "no panel file" => {
                Self::fresh(UsageService::new()).await
            }
            "allowed origins: https://app.example" => {
                Self::fresh(UsageService::new().cors_origin("https://app.example")).await
            }
            "set up with http://127.0.0.1:8317"
            | "fresh store, then set up with http://127.0.0.1:8317" => Self::configured().await,
            "after prices-put" => Self::with_prices().await,
            "after setup-self-loop-configured" => Self::looped().await,
            "set up; CPA is not listening" => Self::configured().await?.without_cpa().await,
            "set up; CPA is not listening; 5 events stored" => {
                Self::with_five_events().await?.without_cpa().await
            }
            "after import-same-again: the same body a second time" => {
                Self::with_import(recording.body()).await
            }
            two if two.starts_with("set up; one chat completion with m-fast") => {
                Self::with_two_events().await
            }
            other => Err(format!("no state called {other:?}").into()),
        }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.usage.address()
    }

    pub(crate) fn addresses(&self) -> Addresses {
        Addresses::default()
            .map("127.0.0.1:8317", self.cpa_address)
            .map("127.0.0.1:18317", self.usage.address())
    }

    async fn fresh(service: UsageService) -> Result<Self, Failed> {
        let cpa = Cpa::new().start().await?;
        let (first, longest) = (Duration::from_millis(20), Duration::from_millis(200));
        let service = service
            .poll_interval(Duration::from_millis(20))
            .backoff(Backoff { first, longest });
        Ok(Self {
            cpa_address: cpa.address(),
            cpa: Some(cpa),
            usage: service.start().await?,
        })
    }

    async fn configured() -> Result<Self, Failed> {
        let state = Self::fresh(UsageService::new()).await?;
        state.set_up(state.cpa_address).await?;
        state
            .until(|status| status["collector"]["collector"] == "running")
            .await?;
        Ok(state)
    }

    async fn with_prices() -> Result<Self, Failed> {
        let state = Self::configured().await?;
        let prices = r#"{"prices":{"m-fast":{"prompt":1.5,"completion":2,"cache":0.1}}}"#;
        state
            .usage("PUT", "/v0/management/model-prices", prices)
            .await?;
        Ok(state)
    }

    async fn looped() -> Result<Self, Failed> {
        let state = Self::configured().await?;
        state.set_up(state.usage.address()).await?;
        state
            .until(|status| status["collector"]["collector"] == "error")
            .await?;
        Ok(state)
    }

    async fn with_two_events() -> Result<Self, Failed> {
        let state = Self::configured().await?;
        let fields = "User-Agent: ua/1\r\nX-Forwarded-For: 203.0.113.7\r\n";
        for (model, fields, events) in [("m-fast", fields, 1), ("m-500", "", 2)] {
            let fields = format!("Authorization: Bearer test-key\r\n{fields}");
            let body = json!({"model": model, "messages": [{"role": "user", "content": "hi"}]})
                .to_string();
            ask(
                state.cpa_address,
                "POST /v1/chat/completions",
                &fields,
                &body,
            )
            .await?;
            state.until(|status| status["events"] == events).await?;
        }
        Ok(state)
    }

    async fn with_five_events() -> Result<Self, Failed> {
        let state = Self::with_two_events().await?;
        let lines = "{\"id\":\"1\"}\n{\"id\":\"2\"}\n{\"id\":\"3\"}\n";
        state
            .usage("POST", "/v0/management/usage/import", lines)
            .await?;
        Ok(state)
    }

    async fn with_import(body: &str) -> Result<Self, Failed> {
        let state = Self::with_two_events().await?;
        state
            .usage("POST", "/v0/management/usage/import", body)
            .await?;
        Ok(state)
    }

    async fn without_cpa(mut self) -> Result<Self, Failed> {
        if let Some(cpa) = self.cpa.take() {
            cpa.stop().await;
        }
        let refused = |status: &Value| {
            status["collector"]["lastError"]
                .to_string()
                .contains("connect: ")
        };
        self.until(refused).await?;
        Ok(self)
    }

    async fn set_up(&self, base: SocketAddr) -> Result<(), Failed> {
        let body = json!({"cpaBaseUrl": format!("http://{base}"), "managementKey": "mgmt-key"});
        let answer = self.usage("POST", "/setup", &body.to_string()).await?;
        if answer["ok"] == true {
            Ok(())
        } else {
            Err(format!("set-up: {answer}").into())
        }
    }

    async fn usage(&self, method: &str, path: &str, body: &str) -> Result<Value, Failed> {
        let key = "Authorization: Bearer mgmt-key\r\n";
        ask(self.usage.address(), &format!("{method} {path}"), key, body).await
    }

    /// Waits until `/status` is as wanted.
    async fn until(&self, wanted: impl Fn(&Value) -> bool) -> Result<(), Failed> {
        let mut last = Value::Null;
        let looking = async {
            loop {
                last = self.usage("GET", "/status", "").await?;
                if wanted(&last) {
                    return Ok(());
                }
            }
        };
        match timeout(PATIENCE, looking).await {
            Ok(result) => result,
            Err(_) => Err(format!("the state was not reached: {last}").into()),
        }
    }
}

/// One request on a connection of its own; the answer's body as JSON, null if it is none.
async fn ask(to: SocketAddr, line: &str, fields: &str, body: &str) -> Result<Value, Failed> {
    let length = body.len();
    let request = format!(
        "{line} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{fields}Content-Length: {length}\r\n\r\n{body}"
    );
    let mut stream = TcpStream::connect(to).await?;
    stream.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
    Ok(serde_json::from_str(body).unwrap_or_default())
}

/// Only a trial that fails waits for it.
const PATIENCE: Duration = Duration::from_secs(30);
