//! The SDKs of OpenAI and Anthropic, for Python.

use std::{path::Path, process::Command};

use libtest_mimic::Failed;

use crate::stage::{Stage, output_of};

/// Whole answers and streams, by one way of connecting.
pub(crate) fn ask(clients: &Path, candidate: &str, way: &str) -> Result<(), Failed> {
    let stage = Stage::of(candidate)?;
    let mut python = Command::new(clients.join("python/bin/python"));
    python.args(["-c", SCRIPT]).arg(stage.ready_file()).arg(way);
    let told = output_of(&mut python);
    let lines = stage.end()?;
    let told = told.map_err(|failed| format!("{}\n{lines}", failed.message().unwrap_or("")))?;
    if told.trim() == "9 answers" {
        Ok(())
    } else {
        Err(format!("told: {told}\n{lines}").into())
    }
}

const SCRIPT: &str = include_str!("sdk.py");
