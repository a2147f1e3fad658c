//! What this proxy reads out of a path, for comparison with other readings of the same rules.

use crate::defect::Defects;
use crate::location::Owner;
use crate::path::normalise;
use crate::router::{Fit, Router};

/// Who gets a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading {
    /// The path has no meaning: a 400.
    Refused,
    /// No location matches.
    Unowned,
    /// The upstream of this number.
    Owned(usize),
    /// The upstream of this number, though the location's final slash is missing.
    Slashless(usize),
}

/// Routes the path of a target (no query) by locations in NGINX's notation, each with the number of its upstream.
///
/// # Errors
/// What is wrong with a location.
pub fn read<'a>(
    locations: impl IntoIterator<Item = (&'a str, usize)>,
    path: &[u8],
) -> Result<Reading, String> {
    let mut router = Router::default();
    for (notation, upstream) in locations {
        let owner = Owner {
            upstream,
            answer: None,
            replace: None,
        };
        router.add(notation, owner)?;
    }
    let none = Defects::default();
    let Ok(path) = normalise(path, none) else {
        return Ok(Reading::Refused);
    };
    let route = router.ready().route(&path, none);
    Ok(route.map_or(Reading::Unowned, |route| match route.fit {
        Fit::Whole => Reading::Owned(route.upstream),
        Fit::Slashless => Reading::Slashless(route.upstream),
    }))
}
