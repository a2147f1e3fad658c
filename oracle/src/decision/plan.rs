use std::collections::HashMap;

use crate::location::{Level, LocationId, Match, Modifier, Owner, StaticMatch, Table};

/// What the search in a table comes to once the exact and prefix locations are decided: expressions to ask in order,
/// and who owns the path if none matches.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(crate) struct Plan {
    /// Number of an expression, and the plan if it matches.
    pub(crate) tests: Vec<(usize, PlanId)>,
    /// Number of an owner.
    pub(crate) otherwise: OwnerId,
}

/// Number of a plan.
pub(crate) type PlanId = u32;

/// Number of an owner.
pub(crate) type OwnerId = u32;

/// Plans and owners of both tables, each kept once.
#[derive(Debug, Default)]
pub(crate) struct Plans {
    plans: Vec<Plan>,
    numbers: HashMap<Plan, PlanId>,
    owners: Vec<Owner>,
    owner_numbers: HashMap<Owner, OwnerId>,
}

/// Which paths a plan is for.
#[derive(Clone, Copy)]
pub(crate) enum Probe<'a> {
    /// This one.
    Exactly(&'a [u8]),
    /// Every longer one that begins so and with no longer name.
    Beyond(&'a [u8]),
}

/// What a level comes to: its tests, and what is found if none matches.
struct Partial {
    tests: Vec<(usize, PlanId)>,
    otherwise: Option<Match>,
    is_final: bool,
}

impl Plans {
    pub(crate) fn plan(&self, id: PlanId) -> &Plan {
        &self.plans[id as usize]
    }

    pub(crate) fn owner(&self, id: OwnerId) -> &Owner {
        &self.owners[id as usize]
    }

    /// Who owns a path for whose expressions `matches` speaks.
    pub(crate) fn decide(&self, mut id: PlanId, matches: &dyn Fn(usize) -> bool) -> OwnerId {
        loop {
            let plan = self.plan(id);
            match plan.tests.iter().find(|(regex, _)| matches(*regex)) {
                Some((_, inner)) => id = *inner,
                None => return plan.otherwise,
            }
        }
    }

    /// The plan of a table for these paths; `number` tells the number of a location's expression.
    pub(crate) fn of(
        &mut self,
        table: &Table,
        probe: Probe<'_>,
        number: &dyn Fn(LocationId) -> usize,
    ) -> PlanId {
        let partial = self.level(table, table.root(), probe, number);
        self.finish(table, partial, Match::Server)
    }

    fn finish(&mut self, table: &Table, partial: Partial, nothing: Match) -> PlanId {
        let owner = table.owner(partial.otherwise.unwrap_or(nothing));
        let otherwise = self.owner_number(owner);
        self.number(Plan {
            tests: partial.tests,
            otherwise,
        })
    }

    fn level(
        &mut self,
        table: &Table,
        level: &Level,
        probe: Probe<'_>,
        number: &dyn Fn(LocationId) -> usize,
    ) -> Partial {
        let found = match probe {
            Probe::Exactly(path) => level.statics.find(path),
            Probe::Beyond(prefix) => level.statics.find_beyond(prefix),
        };
        let ends = |found| Partial {
            tests: Vec::new(),
            otherwise: Some(found),
            is_final: true,
        };
        let mut partial = Partial {
            tests: Vec::new(),
            otherwise: None,
            is_final: false,
        };
        let mut asks = true;
        match found {
            StaticMatch::Exact(id) => return ends(Match::Location(id)),
            StaticMatch::Redirect(id) => return ends(Match::SlashRedirect(id)),
            StaticMatch::Prefix(id) => {
                let location = table.location(id);
                partial = self.level(table, &location.level, probe, number);
                if partial.is_final {
                    return partial;
                }
                partial.otherwise = partial.otherwise.or(Some(Match::Location(id)));
                asks = location.notation.modifier != Modifier::PrefixFinal;
            }
            StaticMatch::None => {}
        }
        if asks {
            for id in &level.regexes {
                let inner = self.level(table, &table.location(*id).level, probe, number);
                // Inside an expression a redirect is no redirect: the location answers itself.
                let inner = Partial {
                    otherwise: inner.otherwise.map(|found| match found {
                        Match::SlashRedirect(id) => Match::Location(id),
                        found => found,
                    }),
                    ..inner
                };
                let plan = self.finish(table, inner, Match::Location(*id));
                partial.tests.push((number(*id), plan));
            }
        }
        partial
    }

    fn number(&mut self, plan: Plan) -> PlanId {
        if let Some(known) = self.numbers.get(&plan) {
            return *known;
        }
        let id = PlanId::try_from(self.plans.len()).expect("fewer than four billion plans");
        self.plans.push(plan.clone());
        self.numbers.insert(plan, id);
        id
    }

    pub(crate) fn owner_number(&mut self, owner: Owner) -> OwnerId {
        if let Some(known) = self.owner_numbers.get(&owner) {
            return *known;
        }
        let id = OwnerId::try_from(self.owners.len()).expect("fewer than four billion owners");
        self.owners.push(owner.clone());
        self.owner_numbers.insert(owner, id);
        id
    }
}
