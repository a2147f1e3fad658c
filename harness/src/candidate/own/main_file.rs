//! The file that people name: a configuration, a pipe, the output of `nginx -T`, a template of NGINX's image.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read as _};
use std::os::unix::fs::FileTypeExt as _;
use std::path::Path;
use std::sync::mpsc;
use std::time::Duration;

use proxyproof_oracle::conf::{Dump, SIZE_LIMIT, Substituted};

use super::included::IncludedFiles;
use super::source::Source;
use crate::document::Document;
use crate::error::HarnessError;

/// The main file of a configuration, and where its includes come from.
pub(super) struct MainFile {
    pub(super) main: Source,
    pub(super) files: IncludedFiles,
}

impl MainFile {
    /// Reads it; `-` is standard input.
    ///
    /// # Errors
    /// [`HarnessError::Unreadable`] also for a device, for more than 16 MiB and for a pipe that stays silent,
    /// [`HarnessError::Document`] at the first place that is no configuration.
    pub(super) fn read(path: &Path) -> Result<Self, HarnessError> {
        let origin = path.display().to_string();
        let bytes = bytes_of(path).map_err(|cause| HarnessError::Unreadable {
            file: origin.clone(),
            cause,
        })?;
        if let Some(dump) = Dump::parse(&bytes) {
            return Ok(Self {
                main: Source::new(dump.main().to_owned(), dump.main_text())?,
                files: IncludedFiles::Dump(Box::new(dump)),
            });
        }
        let is_template = path
            .extension()
            .is_some_and(|extension| extension == "template");
        let bytes = if is_template {
            substituted(&origin, &bytes)?
        } else {
            bytes
        };
        Ok(Self {
            main: Source::new(origin, &bytes)?,
            files: IncludedFiles::beside(path),
        })
    }
}

/// With the variables of the environment, as the image's entry point does it.
fn substituted(origin: &str, template: &[u8]) -> Result<Vec<u8>, HarnessError> {
    let values: BTreeMap<String, String> = std::env::vars().collect();
    let substituted = Substituted::of(template, &values);
    let Some((name, span)) = substituted.undefined.first() else {
        return Ok(substituted.text);
    };
    let document = Document::new(origin, String::from_utf8_lossy(template).into_owned());
    let span = span.start as usize..span.end as usize;
    let message = format!("`{name}` is not in the environment");
    let error = document.error(span, "here", message);
    Err(error
        .help(format!(
            "give it the value that the container has: `{name}=… proxyproof run …`"
        ))
        .into())
}

fn bytes_of(path: &Path) -> io::Result<Vec<u8>> {
    if path == Path::new("-") {
        return within_the_deadline(io::stdin());
    }
    let kind = std::fs::metadata(path)?.file_type();
    if kind.is_char_device() || kind.is_block_device() || kind.is_socket() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is no file"));
    }
    if kind.is_fifo() {
        return within_the_deadline(File::open(path)?);
    }
    limited(File::open(path)?)
}

/// A pipe may come from a program that never ends.
fn within_the_deadline(reader: impl io::Read + Send + 'static) -> io::Result<Vec<u8>> {
    let (told, heard) = mpsc::channel();
    // It ends with the program that writes, or with this one.
    std::thread::spawn(move || told.send(limited(reader)));
    heard.recv_timeout(DEADLINE).unwrap_or_else(|_| {
        let seconds = DEADLINE.as_secs();
        let message = format!("nothing ended it within {seconds} s");
        Err(io::Error::new(io::ErrorKind::TimedOut, message))
    })
}

fn limited(reader: impl io::Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    reader.take(SIZE_LIMIT as u64 + 1).read_to_end(&mut bytes)?;
    match bytes.len() > SIZE_LIMIT {
        true => {
            let message = format!("it has more than {} MiB", SIZE_LIMIT >> 20);
            Err(io::Error::new(io::ErrorKind::FileTooLarge, message))
        }
        false => Ok(bytes),
    }
}

/// `nginx -T` takes a fraction of a second.
const DEADLINE: Duration = Duration::from_secs(10);
