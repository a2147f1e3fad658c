//! Codex, over a WebSocket and over server-sent events.

use std::{fs, path::Path, process::Command};

use libtest_mimic::Failed;

use crate::stage::{Stage, output_of};

/// A way that Codex takes, and what must be told of it.
#[derive(Clone, Copy)]
pub(crate) struct Transport {
    pub(crate) name: &'static str,
    websockets: bool,
    /// What the line of the request says.
    line: &'static str,
    /// What no line may say.
    never: &'static str,
}

pub(crate) const TRANSPORTS: [Transport; 2] = [
    Transport {
        name: "websocket",
        websockets: true,
        line: "101  ws  in 2 out 13",
        never: "POST",
    },
    Transport {
        name: "sse",
        websockets: false,
        line: "200  sse  11 events",
        never: " 101 ",
    },
];

pub(crate) fn ask(clients: &Path, candidate: &str, transport: &Transport) -> Result<(), Failed> {
    let stage = Stage::of(candidate)?;
    let ready = stage.ready()?;
    let plain = ready["plain_url"].as_str().ok_or("no plain URL")?;
    let home = tempfile::tempdir()?;
    fs::write(
        home.path().join("config.toml"),
        configuration(plain, transport),
    )?;
    let work = tempfile::tempdir()?;
    let mut codex = Command::new(clients.join("node/node_modules/.bin/codex"));
    codex
        .args(["exec", "--skip-git-repo-check", "say hello"])
        .current_dir(work.path())
        .env("CODEX_HOME", home.path())
        .env("OPENAI_API_KEY", ready["api_key"].as_str().ok_or("no key")?);
    let told = output_of(&mut codex);
    // It leaves without a Close frame; the front passes that on after the second it gives the other side.
    let lines = stage.end_after(transport.line)?;
    let told = told.map_err(|failed| format!("{}\n{lines}", failed.message().unwrap_or("")))?;
    let right = lines.contains(transport.line) && !lines.contains(transport.never);
    if told.contains("Hello world.") && right {
        Ok(())
    } else {
        Err(format!("told: {told}\n{lines}").into())
    }
}

fn configuration(plain: &str, transport: &Transport) -> String {
    format!(
        "model = \"gpt-5-codex\"\n\
         model_provider = \"proxyproof\"\n\
         check_for_update_on_startup = false\n\
         [analytics]\n\
         enabled = false\n\
         [model_providers.proxyproof]\n\
         name = \"proxyproof\"\n\
         base_url = \"{plain}/v1\"\n\
         env_key = \"OPENAI_API_KEY\"\n\
         wire_api = \"responses\"\n\
         supports_websockets = {}\n",
        transport.websockets
    )
}
