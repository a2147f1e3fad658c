use super::index::StaticMatch;
use super::notation::Modifier;
use super::regex::MatchError;
use super::table::{Level, LocationId, Table};
use super::trace::{Because, Loss, Trace};

/// What the search for a location ends with.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Match {
    /// This location takes the request.
    Location(LocationId),
    /// A 301 to the name of this location: the path lacks only its final slash.
    SlashRedirect(LocationId),
    /// None: what the server itself says holds.
    Server,
}

/// What a level found, in NGINX's words `NGX_OK`, `NGX_DONE`, `NGX_AGAIN` and `NGX_DECLINED`.
#[derive(Clone, Copy)]
enum Found {
    Final(LocationId),
    Redirect(LocationId),
    Prefix(LocationId),
    Nothing,
}

impl Table {
    /// The location of a normalised path: `ngx_http_core_find_location` (nginx 1.22.1 and 1.31.3 agree).
    ///
    /// # Errors
    ///
    /// When a regular expression gives up, which NGINX answers with 500.
    pub fn find(&self, path: &[u8]) -> Result<Match, MatchError> {
        self.search(path, &mut Unheard)
    }

    /// The same with the reasons.
    ///
    /// # Errors
    ///
    /// As for [`Self::find`].
    pub fn trace(&self, path: &[u8]) -> Result<Trace, MatchError> {
        let mut trace = Trace::default();
        trace.winner = self.search(path, &mut trace)?;
        trace.complete(self, path)?;
        Ok(trace)
    }

    fn search(&self, path: &[u8], witness: &mut dyn Witness) -> Result<Match, MatchError> {
        Ok(match self.search_level(&self.root, path, witness)? {
            Found::Final(id) | Found::Prefix(id) => Match::Location(id),
            Found::Redirect(id) => Match::SlashRedirect(id),
            Found::Nothing => Match::Server,
        })
    }

    fn search_level(
        &self,
        level: &Level,
        path: &[u8],
        witness: &mut dyn Witness,
    ) -> Result<Found, MatchError> {
        let mut found = Found::Nothing;
        let mut asks_regexes = true;
        match level.statics.find(path) {
            StaticMatch::Exact(id) => {
                witness.wins(id, Because::Exact);
                return Ok(Found::Final(id));
            }
            StaticMatch::Redirect(id) => {
                witness.wins(id, Because::SlashMissing);
                return Ok(Found::Redirect(id));
            }
            StaticMatch::Prefix(id) => {
                let location = self.location(id);
                asks_regexes = location.notation.modifier != Modifier::PrefixFinal;
                witness.wins(
                    id,
                    if asks_regexes {
                        Because::LongestPrefix
                    } else {
                        Because::FinalPrefix
                    },
                );
                found = match self.search_level(&location.level, path, witness)? {
                    Found::Nothing => Found::Prefix(id),
                    Found::Prefix(inner) => Found::Prefix(inner),
                    decided => return Ok(decided),
                };
            }
            StaticMatch::None => {}
        }
        if asks_regexes {
            for id in &level.regexes {
                if self.regex_matches(*id, path)? {
                    return self.enter_regex(*id, path, witness);
                }
            }
        }
        Ok(found)
    }

    fn enter_regex(
        &self,
        id: LocationId,
        path: &[u8],
        witness: &mut dyn Witness,
    ) -> Result<Found, MatchError> {
        witness.wins(id, Because::FirstRegex);
        Ok(
            match self.search_level(&self.location(id).level, path, witness)? {
                Found::Nothing => Found::Final(id),
                Found::Prefix(inner) | Found::Final(inner) => Found::Final(inner),
                // Its caller turns even "redirect" into "found": the nested location answers itself.
                Found::Redirect(inner) => Found::Final(inner),
            },
        )
    }

    pub(super) fn regex_matches(&self, id: LocationId, path: &[u8]) -> Result<bool, MatchError> {
        let regex = self.location(id).regex.as_ref();
        regex.map_or(Ok(false), |regex| regex.is_match(path))
    }
}

/// Who is told what happens during a search.
pub(super) trait Witness {
    /// This location is the best so far; it beats the one before.
    fn wins(&mut self, id: LocationId, because: Because);
}

struct Unheard;

impl Witness for Unheard {
    fn wins(&mut self, _: LocationId, _: Because) {}
}

impl Witness for Trace {
    fn wins(&mut self, id: LocationId, because: Because) {
        if let Some((before, _)) = self.steps.last() {
            let loss = match because {
                Because::FirstRegex => Loss::RegexMatched,
                _ => Loss::NestedMatched,
            };
            self.beaten.push((*before, loss));
        }
        self.steps.push((id, because));
    }
}
