use std::collections::BTreeMap;

use super::compare::compare;
use super::comparison::Proof;
use crate::location::{LocationId, Owner, Table};

/// Which locations of a table win for some path.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Reach {
    /// The shortest path each location wins for; one that is not here wins for none, if `proof` is complete.
    pub examples: BTreeMap<LocationId, Vec<u8>>,
    /// How far this is a proof.
    pub proof: Proof,
}

/// Finds a path for every location, or that there is none.
pub fn reach(table: &Table) -> Reach {
    let numbered = table.numbered();
    let comparison = compare(&numbered, &Table::default(), &|_, _| false);
    let mut examples: BTreeMap<LocationId, Vec<u8>> = BTreeMap::new();
    for difference in comparison.differences {
        if let Some(id) = number(&difference.left) {
            let known = examples
                .entry(id)
                .or_insert_with(|| difference.path.clone());
            if difference.path.len() < known.len() {
                *known = difference.path;
            }
        }
    }
    Reach {
        examples,
        proof: comparison.proof,
    }
}

fn number(owner: &Owner) -> Option<LocationId> {
    match owner {
        Owner::Upstream { name, .. } | Owner::Handler(name) => {
            name.trim().parse().ok().map(LocationId::new)
        }
        Owner::SlashRedirect { owner, .. } => number(owner),
        _ => None,
    }
}
