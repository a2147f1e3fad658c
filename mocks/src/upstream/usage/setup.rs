//! The set-up: which CPA, with which key.

use std::time::Duration;

use serde_json::Value;

use super::base_url::BaseUrl;
use super::client::get;
use super::configuration::PopSide;
use super::go_value::Fields;

/// A set-up in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Setup {
    pub(super) base_url: BaseUrl,
    pub(super) management_key: String,
    pub(super) queue: String,
    pub(super) pop_side: PopSide,
}

impl Setup {
    /// Reads the body of `POST /setup`; `None` if it lacks the URL or the key.
    ///
    /// # Errors
    /// With the text of Go's decoder.
    pub(super) fn read(
        body: &Value,
        queue: &str,
        pop_side: PopSide,
    ) -> Result<Option<Self>, String> {
        let fields = Fields::top(body, "httpapi", "setupRequest")?;
        let (url, key) = (fields.text("cpaBaseUrl")?, fields.text("managementKey")?);
        let (asked_queue, side) = (fields.text("queue")?, fields.text("popSide")?);
        let key = key.trim();
        let Some(base_url) = BaseUrl::normalized(&url).filter(|_| !key.is_empty()) else {
            return Ok(None);
        };
        let queue = if asked_queue.is_empty() {
            queue.to_owned()
        } else {
            asked_queue
        };
        let pop_side = if side.is_empty() {
            pop_side
        } else {
            PopSide::named(&side)
        };
        Ok(Some(Self {
            base_url,
            management_key: key.to_owned(),
            queue,
            pop_side,
        }))
    }

    /// Asks CPA's management API whether it takes the key.
    ///
    /// # Errors
    /// With the service's reason.
    pub(super) async fn validate(&self) -> Result<(), String> {
        let bearer = format!("Bearer {}", self.management_key);
        let path = format!("{}/v0/management/config", self.base_url.path());
        let answer = get(
            &self.base_url,
            &path,
            &[("Authorization", &bearer)],
            VALIDATION_TIMEOUT,
        )
        .await?;
        if (200..300).contains(&answer.status) {
            return Ok(());
        }
        Err(format!(
            "management API validation failed: {}",
            answer.status_line
        ))
    }
}

const VALIDATION_TIMEOUT: Duration = Duration::from_secs(15);
