//! Serves CPA alone.

use proxyproof_mocks::upstream::cpa::{AllowRemote, Cpa, PassthroughHeaders};
use serde_json::{Map, json};

use super::upstream::ServingUpstream;
use crate::{
    args::CpaArguments, error::CommandError, exit::Exit, foreground::serve, printer::Printer,
};

pub(super) fn cpa(arguments: &CpaArguments, printer: &Printer) -> Result<Exit, CommandError> {
    let start = async {
        let started = configured(arguments).start().await;
        ServingUpstream::new(
            started,
            arguments.door.listen,
            told(arguments),
            keys(arguments),
        )
    };
    serve(start, arguments.door.ready.as_deref(), printer)
}

fn configured(arguments: &CpaArguments) -> Cpa {
    Cpa::new()
        .api_keys(arguments.api_key.iter().cloned())
        .management_key(arguments.management_key.as_deref())
        .allow_remote(if arguments.allow_remote {
            AllowRemote::Yes
        } else {
            AllowRemote::No
        })
        .keepalive_seconds(arguments.keepalive_seconds)
        .nonstream_keepalive(arguments.nonstream_keepalive)
        .passthrough_headers(if arguments.passthrough_headers {
            PassthroughHeaders::Yes
        } else {
            PassthroughHeaders::No
        })
        .listen(arguments.door.listen)
}

fn told(arguments: &CpaArguments) -> String {
    let keys = arguments.api_key.join(", ");
    let management = match (&arguments.management_key, arguments.allow_remote) {
        (None, _) => "management off".to_owned(),
        (Some(key), false) => format!("management key {key}, for local clients only"),
        (Some(key), true) => format!("management key {key}"),
    };
    format!("api key {keys} · {management}")
}

fn keys(arguments: &CpaArguments) -> Map<String, serde_json::Value> {
    let mut keys = Map::new();
    keys.insert("api_key".to_owned(), json!(arguments.api_key.first()));
    keys.insert("api_keys".to_owned(), json!(arguments.api_key));
    keys.insert("management_key".to_owned(), json!(arguments.management_key));
    keys
}
