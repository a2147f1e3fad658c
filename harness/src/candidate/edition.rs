//! What holds of some versions of a proxy only.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use super::{Feature, KnownGap};

/// A version as far as it is numbers with dots between: `2.6.12` of `2.6.12-1+deb12u3`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version(Vec<u64>);

/// What versions since one, or before one, have besides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edition {
    /// The first version it holds for.
    pub since: Option<Version>,
    /// The first version it holds for no more.
    pub before: Option<Version>,
    /// What they can do.
    pub features: Vec<Feature>,
    /// What is known of them.
    pub known: Vec<KnownGap>,
}

impl Edition {
    /// Whether it holds for this version; one that nobody knows counts as newer than all.
    #[must_use]
    pub fn holds_for(&self, version: Option<&Version>) -> bool {
        let since = |first: &Version| version.is_none_or(|version| version >= first);
        let before = |first: &Version| version.is_some_and(|version| version < first);
        self.since.as_ref().is_none_or(since) && self.before.as_ref().is_none_or(before)
    }
}

/// The text has no number to begin with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a version")]
pub struct NoVersion;

impl FromStr for Version {
    type Err = NoVersion;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let end = text.find(|letter: char| !letter.is_ascii_digit() && letter != '.');
        let numbers = text[..end.unwrap_or(text.len())].split('.');
        let numbers: Result<Vec<u64>, _> = numbers
            .filter(|digits| !digits.is_empty())
            .map(str::parse)
            .collect();
        match numbers {
            Ok(numbers) if !numbers.is_empty() => Ok(Self(numbers)),
            _ => Err(NoVersion),
        }
    }
}

impl Ord for Version {
    /// Number by number; a number that is not there is 0.
    fn cmp(&self, other: &Self) -> Ordering {
        let longest = self.0.len().max(other.0.len());
        let at = |version: &Self, place| version.0.get(place).copied().unwrap_or(0);
        (0..longest)
            .map(|place| at(self, place).cmp(&at(other, place)))
            .find(|order| order.is_ne())
            .unwrap_or(Ordering::Equal)
    }
}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for Version {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let numbers: Vec<String> = self.0.iter().map(u64::to_string).collect();
        formatter.write_str(&numbers.join("."))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(text: &str) -> Version {
        text.parse().unwrap()
    }

    #[test]
    fn versions_are_compared_by_number() {
        assert!(version("2.6.12-1+deb12u3") < version("2.7"));
        assert!(version("2.11.7") > version("2.7"));
        assert_eq!(version("2.7").cmp(&version("2.7.0")), Ordering::Equal);
        assert_eq!(version("1.22.1~x").to_string(), "1.22.1");
        assert_eq!("stable-alpine".parse::<Version>(), Err(NoVersion));
        assert_eq!("".parse::<Version>(), Err(NoVersion));
    }

    #[test]
    fn an_edition_holds_from_one_version_to_another() {
        let edition = Edition {
            since: Some(version("2.6")),
            before: Some(version("2.8")),
            features: Vec::new(),
            known: Vec::new(),
        };
        for (text, holds) in [
            ("2.5.9", false),
            ("2.6", true),
            ("2.7.9", true),
            ("2.8.0", false),
        ] {
            assert_eq!(edition.holds_for(Some(&version(text))), holds, "{text}");
        }
        assert!(!edition.holds_for(None));
    }
}
