use super::normalise::MergeSlashes;
use super::reader::{name, place};
use super::settings::{GATES, Settings};
use crate::conf::Found;
use crate::directive;

/// What a block gives to those inside it.
#[derive(Clone, Default)]
pub(super) struct Inherited {
    pub(super) settings: Settings,
    pub(super) merge_slashes: MergeSlashes,
    /// `http2 on`.
    pub(super) http2: bool,
}

impl Inherited {
    pub(super) fn with(mut self, directives: &[Found<'_>]) -> Self {
        let says = |name: &str| directives.iter().any(|found| found.directive.is(name));
        if says("error_page") {
            self.settings.error_pages.clear();
        }
        if says("allow") || says("deny") {
            self.settings.gates.remove("allow");
            self.settings.gates.remove("deny");
        }
        let mut line = None;
        for found in directives {
            let directive = found.directive;
            match directive.name() {
                b"merge_slashes" => {
                    self.merge_slashes = match directive.argument(0) {
                        Some(b"off") => MergeSlashes::Off,
                        _ => MergeSlashes::On,
                    };
                }
                b"http2" => self.http2 = directive.argument(0) == Some(b"on"),
                b"large_client_header_buffers" => {
                    line = line.max(directive.argument(1).and_then(length))
                }
                b"client_header_buffer_size" => {
                    line = line.max(directive.argument(0).and_then(length))
                }
                b"error_page" => self.error_page(*found),
                gate if GATES.iter().any(|known| known.as_bytes() == gate) => self.gate(*found),
                _ => {}
            }
        }
        self.settings.line_limit = line.unwrap_or(self.settings.line_limit);
        self
    }

    fn error_page(&mut self, found: Found<'_>) {
        let codes = found
            .directive
            .arguments()
            .iter()
            .filter_map(|word| word.text().parse::<u16>().ok());
        self.settings
            .error_pages
            .extend(codes.map(|code| (code, place(found))));
    }

    fn gate(&mut self, found: Found<'_>) {
        let gate = name(found);
        match found.directive.argument(0) {
            Some(b"off") => self.settings.gates.remove(&gate),
            _ => self.settings.gates.insert(gate, place(found)),
        };
    }
}

fn length(text: &[u8]) -> Option<usize> {
    usize::try_from(directive::bytes(text)?).ok()
}

pub(super) fn changes_settings(directives: &[Found<'_>]) -> bool {
    let mut names = directives.iter().map(|found| found.directive.name());
    names.any(|name| name == b"error_page" || GATES.iter().any(|gate| gate.as_bytes() == name))
}
