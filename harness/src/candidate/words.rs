//! What a candidate says: its output and its log.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

/// The files that a candidate's words go to.
#[derive(Clone, Debug)]
pub(crate) struct Words {
    files: Vec<PathBuf>,
}

impl Words {
    /// The file that gets standard output and standard error.
    pub(crate) const OUTPUT: &str = "candidate.output";
    /// The file that gets what the check of a configuration prints.
    pub(crate) const VALIDATION: &str = "validation.output";

    pub(crate) fn new(directory: &Path, log: Option<&str>) -> Self {
        let names = [Some(Self::OUTPUT), log];
        Self {
            files: names
                .into_iter()
                .flatten()
                .map(|name| directory.join(name))
                .collect(),
        }
    }

    /// What the check of a configuration printed.
    pub(crate) fn of_validation(directory: &Path) -> Self {
        Self {
            files: vec![directory.join(Self::VALIDATION)],
        }
    }

    /// The last lines of each file, without those that a file before has too.
    pub(crate) fn last(&self) -> Vec<String> {
        let mut words: Vec<String> = Vec::new();
        for file in &self.files {
            let text = tail(file).unwrap_or_default();
            let lines: Vec<&str> = text
                .lines()
                .filter(|line| !line.trim().is_empty())
                .collect();
            let recent = &lines[lines.len().saturating_sub(LINES)..];
            for line in recent {
                // NGINX writes what stops it to both, with a time before it in the log only.
                if !words.iter().any(|said| is_said(line, said)) {
                    words.push((*line).to_owned());
                }
            }
        }
        words
    }
}

/// Whether a line of a log repeats what was printed, apart from what stands before the first `[`.
fn is_said(line: &str, said: &str) -> bool {
    let message = |text: &str| {
        let from = text.find('[').unwrap_or(0);
        text[from..]
            .split_whitespace()
            .filter(|word| !is_process(word))
            .collect::<String>()
    };
    message(line) == message(said)
}

/// NGINX's `123#123:`.
fn is_process(word: &str) -> bool {
    word.ends_with(':') && word.contains('#')
}

fn tail(path: &Path) -> io::Result<String> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(BYTES)))?;
    let mut bytes = Vec::new();
    file.take(BYTES).read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// As many lines as a reader looks at.
const LINES: usize = 12;
/// Long lines included.
const BYTES: u64 = 16 << 10;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_log_does_not_repeat_what_was_printed() {
        let directory = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| std::fs::write(directory.path().join(name), text);
        write(Words::OUTPUT, "nginx: [emerg] unknown \"x\" variable\n").unwrap();
        write(
            "error.log",
            "2026/01/01 00:00:00 [emerg] 12#12: unknown \"x\" variable\n2026/01/01 00:00:00 [notice] 12#12: bye\n\n",
        )
        .unwrap();
        let words = Words::new(directory.path(), Some("error.log"));
        assert_eq!(
            words.last(),
            [
                "nginx: [emerg] unknown \"x\" variable",
                "2026/01/01 00:00:00 [notice] 12#12: bye"
            ]
        );
    }

    #[test]
    fn only_the_end_of_much_is_read() {
        let directory = tempfile::tempdir().unwrap();
        let lines: String = (0..10_000).map(|line| format!("line {line}\n")).collect();
        std::fs::write(directory.path().join(Words::OUTPUT), lines).unwrap();
        let last = Words::new(directory.path(), None).last();
        assert_eq!(last.len(), LINES);
        assert_eq!(last.last().unwrap(), "line 9999");
    }
}
