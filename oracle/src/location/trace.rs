use super::matcher::Match;
use super::notation::Modifier;
use super::regex::MatchError;
use super::table::{Level, LocationId, Table};

/// Why a location won, and what it beat.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Trace {
    /// What the search ended with.
    pub winner: Match,
    /// The best location after each step, and why it was; the last one is the winner's.
    pub steps: Vec<(LocationId, Because)>,
    /// Locations that match the path too, and why they lost.
    pub beaten: Vec<(LocationId, Loss)>,
}

/// Why a location is the best so far.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Because {
    /// `=` and the whole path: the search ends.
    Exact,
    /// The longest matching prefix, `^~`: no regular expression of this level is asked.
    FinalPrefix,
    /// The longest matching prefix; regular expressions may still win.
    LongestPrefix,
    /// The first regular expression of its level that matches, in the order of the file.
    FirstRegex,
    /// The path lacks only the slash at the end of its name: a redirect.
    SlashMissing,
}

/// Why a location that matches does not win.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Loss {
    /// A longer prefix or an exact location matches.
    Shorter,
    /// A regular expression matches, and it is no `^~`.
    RegexMatched,
    /// It is a regular expression, and one before it matches.
    LaterRegex,
    /// It is a regular expression, and an exact location, a `^~` or a slash redirect ends the search before.
    NotAsked,
    /// A location inside it matches.
    NestedMatched,
}

impl Default for Trace {
    fn default() -> Self {
        Self {
            winner: Match::Server,
            steps: Vec::new(),
            beaten: Vec::new(),
        }
    }
}

impl Trace {
    /// Why the winner won; `None` if no location did.
    pub fn because(&self) -> Option<Because> {
        self.steps.last().map(|(_, because)| *because)
    }

    /// One line for each location that matters: the winner with its reason, then those it beat.
    pub fn lines(&self, table: &Table) -> Vec<String> {
        let notation = |id: LocationId| &table.location(id).notation;
        let winner = self.steps.last().map(|(id, because)| {
            let notation = notation(*id);
            format!(
                "`location {notation}` wins: {}",
                because.describe(notation.modifier)
            )
        });
        let beaten = self
            .beaten
            .iter()
            .map(|(id, loss)| format!("`location {}` loses: {}", notation(*id), loss.describe()));
        let none = || "no location matches".to_owned();
        std::iter::once(winner.unwrap_or_else(none))
            .chain(beaten)
            .collect()
    }

    /// Adds what the search did not have to look at: the other locations that match, level by level.
    pub(super) fn complete(&mut self, table: &Table, path: &[u8]) -> Result<(), MatchError> {
        for step in self.steps.clone() {
            self.complete_level(table, table.level_of(step.0), path, step)?;
        }
        Ok(())
    }

    fn complete_level(
        &mut self,
        table: &Table,
        level: &Level,
        path: &[u8],
        (best, because): (LocationId, Because),
    ) -> Result<(), MatchError> {
        if because == Because::FirstRegex {
            let later = level.regexes.iter().skip_while(|id| **id != best).skip(1);
            for id in later {
                self.lose_if_matching(table, *id, path, Loss::LaterRegex)?;
            }
            return Ok(());
        }
        for shorter in level.statics.prefixes(path).filter(|id| *id != best) {
            self.lose(shorter, Loss::Shorter);
        }
        if because != Because::LongestPrefix {
            for id in &level.regexes {
                self.lose_if_matching(table, *id, path, Loss::NotAsked)?;
            }
        }
        Ok(())
    }

    fn lose_if_matching(
        &mut self,
        table: &Table,
        id: LocationId,
        path: &[u8],
        loss: Loss,
    ) -> Result<(), MatchError> {
        if table.regex_matches(id, path)? {
            self.lose(id, loss);
        }
        Ok(())
    }

    fn lose(&mut self, id: LocationId, loss: Loss) {
        if self.beaten.iter().all(|(known, _)| *known != id) {
            self.beaten.push((id, loss));
        }
    }
}

impl Table {
    /// The level a location belongs to.
    fn level_of(&self, id: LocationId) -> &Level {
        self.location(id)
            .parent
            .map_or(&self.root, |parent| &self.location(parent).level)
    }
}

impl Because {
    /// One phrase for people.
    pub fn describe(self, modifier: Modifier) -> &'static str {
        match (self, modifier) {
            (Self::Exact, _) => "it is exactly this path",
            (Self::FinalPrefix, _) => "the longest prefix, and `^~` silences regular expressions",
            (Self::LongestPrefix, Modifier::Named) => "it was named",
            (Self::LongestPrefix, _) => "the longest prefix, and no regular expression matches",
            (Self::FirstRegex, _) => "the first regular expression that matches",
            (Self::SlashMissing, _) => "the path lacks only its final slash",
        }
    }
}

impl Loss {
    /// One phrase for people.
    pub fn describe(self) -> &'static str {
        match self {
            Self::Shorter => "shorter",
            Self::RegexMatched => "a regular expression matches",
            Self::LaterRegex => "a regular expression before it matches",
            Self::NotAsked => "regular expressions are not asked",
            Self::NestedMatched => "a location inside it matches",
        }
    }
}
