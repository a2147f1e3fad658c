use super::answer::{Answer, NotModelled};
use super::place::Place;
use super::request::Files;
use super::run::Run;
use super::table::LocationId;
use super::template::Template;

/// A `try_files`.
#[derive(Clone, Debug)]
pub(crate) struct TryFiles {
    /// What holds if no file is there: `=404`, `@name` or a path.
    pub(crate) last: Template,
    pub(crate) place: Place,
}

/// What a `try_files` comes to.
pub(super) enum Tried {
    Answer(Answer),
    /// The request goes on in this location.
    Named(LocationId),
    /// A location is looked for again.
    Redirected,
}

impl Run<'_> {
    /// `ngx_http_core_try_files_phase`, where no file is there.
    pub(super) fn try_files(&mut self, try_files: &TryFiles) -> Result<Tried, NotModelled> {
        let place = Some(try_files.place);
        if self.request.files == Files::Unknown {
            return Err(NotModelled::new("`try_files` asks the file system", place));
        }
        let last = self.expand(&try_files.last, place)?;
        if let Some(status) = last.strip_prefix(b"=") {
            let status = std::str::from_utf8(status)
                .ok()
                .and_then(|status| status.parse().ok());
            let unknown = || NotModelled::new("a `try_files` that ends in no status", place);
            return Ok(Tried::Answer(Answer::Returned {
                status: status.ok_or_else(unknown)?,
            }));
        }
        if last.starts_with(b"@") {
            let named = self.server.table.named(&last);
            // NGINX answers 500 where there is no such location.
            return Ok(named.map_or(
                Tried::Answer(Answer::Returned { status: 500 }),
                Tried::Named,
            ));
        }
        let (path, query) = match last.iter().position(|byte| *byte == b'?') {
            Some(at) => (&last[..at], Some(last[at + 1..].to_vec())),
            None => (last.as_slice(), None),
        };
        self.redirect_internally(path.to_vec(), query);
        Ok(Tried::Redirected)
    }
}
