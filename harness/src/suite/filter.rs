//! Which scenarios somebody means.

use crate::{glob, level::Level, protocol::Protocol, scenario::Scenario};

/// One `-f` of the command line: an id, a topic, a glob or a part of an id, with `@protocol` behind it or not.
///
/// Without a wildcard the text means the scenario of exactly that id, else the topic of that name, else every scenario
/// whose id contains it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filter {
    text: String,
    pattern: String,
    protocol: Option<String>,
}

impl Filter {
    /// Reads a filter; every text is one.
    pub fn new(text: &str) -> Self {
        let (pattern, protocol) = match text.rsplit_once('@') {
            Some((pattern, protocol)) => (pattern, Some(protocol.to_owned())),
            None => (text, None),
        };
        Self {
            text: text.to_owned(),
            pattern: pattern.trim_end_matches('/').to_owned(),
            protocol,
        }
    }

    /// The text as it was given.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What is asked among `all`, in their order.
    pub(crate) fn select<'a>(
        &self,
        all: &'a [&'static Scenario],
    ) -> Vec<(&'a &'static Scenario, Protocol)> {
        let reading = self.reading(all);
        all.iter()
            .filter(|scenario| reading.covers(&self.pattern, scenario))
            .flat_map(|scenario| {
                scenario
                    .protocols
                    .iter()
                    .map(move |protocol| (scenario, *protocol))
            })
            .filter(|(_, protocol)| match &self.protocol {
                Some(pattern) => glob::matches(pattern, protocol.name()),
                None => true,
            })
            .collect()
    }

    fn reading(&self, all: &[&'static Scenario]) -> Reading {
        if glob::is_glob(&self.pattern) {
            Reading::Glob
        } else if all.iter().any(|scenario| scenario.id == self.pattern) {
            Reading::Id
        } else if all.iter().any(|scenario| scenario.topic() == self.pattern) {
            Reading::Topic
        } else {
            Reading::Part
        }
    }
}

/// How the text of a filter is taken, given the scenarios that there are.
#[derive(Clone, Copy)]
enum Reading {
    Glob,
    Id,
    Topic,
    Part,
}

impl Reading {
    fn covers(self, pattern: &str, scenario: &Scenario) -> bool {
        match self {
            Self::Glob => glob::matches(pattern, scenario.id),
            Self::Id => scenario.id == pattern,
            Self::Topic => scenario.topic() == pattern,
            Self::Part => scenario.id.contains(pattern),
        }
    }
}

/// Which of the scenarios are asked.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    /// What is asked is what any of these means; everything when there are none.
    pub filters: Vec<Filter>,
    /// Leaves out what matters less than this.
    pub level: Option<Level>,
}

impl Selection {
    pub(crate) fn admits(&self, scenario: &Scenario) -> bool {
        self.level.is_none_or(|least| scenario.level <= least)
    }
}
