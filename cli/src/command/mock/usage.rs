//! Serves the usage service alone.

use proxyproof_mocks::upstream::usage::UsageService;
use serde_json::{Map, json};

use super::upstream::ServingUpstream;
use crate::{
    args::UsageArguments, error::CommandError, exit::Exit, foreground::serve, printer::Printer,
};

pub(super) fn usage(arguments: &UsageArguments, printer: &Printer) -> Result<Exit, CommandError> {
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

fn configured(arguments: &UsageArguments) -> UsageService {
    let mut service = UsageService::new().listen(arguments.door.listen);
    if let (Some(cpa), Some(key)) = (&arguments.cpa, &arguments.management_key) {
        service = service.cpa(cpa, key);
    }
    let origins = arguments.cors_origin.iter();
    origins.fold(service, UsageService::cors_origin)
}

fn told(arguments: &UsageArguments) -> String {
    match &arguments.cpa {
        Some(cpa) => format!("set up with {cpa}"),
        None => "not set up".to_owned(),
    }
}

fn keys(arguments: &UsageArguments) -> Map<String, serde_json::Value> {
    let mut keys = Map::new();
    keys.insert("cpa".to_owned(), json!(arguments.cpa));
    keys.insert("management_key".to_owned(), json!(arguments.management_key));
    keys
}
