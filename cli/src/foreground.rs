//! What serves in the foreground until somebody stops it.

use std::{cell::Cell, path::Path};

use serde_json::Value;

use crate::{
    error::CommandError, exit::Exit, printer::Printer, ready_file::ReadyFile, runtime,
    signals::Signals,
};

/// Something that answers.
pub(crate) trait Serving {
    /// What is said once it answers.
    fn introduction(&self) -> String;
    /// What the file for scripts says.
    fn ready(&self) -> Value;
    /// What is said next while it serves.
    async fn news(&mut self) -> Result<String, CommandError> {
        std::future::pending().await
    }
    /// What was served until now.
    fn served(&mut self) -> String;
}

/// Starts it, says where it is, and serves until the first signal.
pub(crate) fn serve<S: Serving>(
    start: impl Future<Output = Result<S, CommandError>>,
    ready: Option<&Path>,
    printer: &Printer,
) -> Result<Exit, CommandError> {
    let ready = ReadyFile::at(ready)?;
    let system = |action| move |cause| CommandError::System { action, cause };
    let runtime = runtime::of_one_thread()?;
    let stopped = Cell::new(None);
    runtime.block_on(async {
        let signals = Signals::listen().map_err(system("listen to signals"))?;
        let stop = signals.first(&stopped);
        tokio::pin!(stop);
        let mut serving = tokio::select! {
            started = start => started?,
            () = &mut stop => return Ok(()),
        };
        printer.result(&serving.introduction())?;
        ready.write(&serving.ready())?;
        loop {
            tokio::select! {
                () = &mut stop => break,
                news = serving.news() => printer.result(&news?)?,
            }
        }
        printer.result(&serving.served())
    })?;
    Ok(stopped.get().unwrap_or(Exit::PASS))
}

/// So many of them, in words.
pub(crate) fn count(number: u64, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {noun}{plural}")
}
