use std::collections::{HashMap, HashSet};

use super::alphabet::Alphabet;
use super::comparison::{Comparison, Difference, Proof};
use super::expressions::Expressions;
use super::normal::Normal;
use super::plan::{OwnerId, PlanId, Plans, Probe};
use super::trie::Trie;
use crate::location::{MergeSlashes, Owner, Table};

/// More states than this are not followed.
const STATE_LIMIT: usize = 4_000_000;

/// Of expressions that are not regular, at most so many are tried both ways at once.
const FREE_EXPRESSIONS: usize = 6;

/// The texts of expressions that are not regular are tried after at most so many names.
const TEXT_STEMS: usize = 200;

/// Examples kept of one difference.
const EXAMPLES: usize = 20;

/// Compares who gets a path in two tables, for every path that normalisation can give.
///
/// `agree` says whether two owners are as good as one. Exact and prefix locations and the regular subset of expressions
/// become automata, whose product is searched breadth first, so the path of each difference is the shortest there is. An
/// expression beyond that is taken to match or not, both: what does not depend on it is proved, the rest is tried with
/// PCRE2. If only one of the tables merges slashes, paths with `//` are left out: the two do not see the same path then.
pub fn compare(left: &Table, right: &Table, agree: &dyn Fn(&Owner, &Owner) -> bool) -> Comparison {
    let mut expressions = Expressions::default();
    let numbers = [expressions.add(left), expressions.add(right)];
    let mut points: Vec<&[u8]> = left.points().chain(right.points()).collect();
    points.sort_unstable();
    points.dedup();
    let mut search = Search {
        tables: [left, right],
        agree,
        merge_slashes: match (left.merge_slashes(), right.merge_slashes()) {
            (MergeSlashes::Off, MergeSlashes::Off) => MergeSlashes::Off,
            _ => MergeSlashes::On,
        },
        trie: Trie::of(&points),
        alphabet: Alphabet::of(
            expressions.automata.iter().map(|(_, automaton)| automaton),
            &expressions.irregular_bytes(),
        ),
        expressions,
        plans: Plans::default(),
        exactly: Vec::new(),
        beyond: Vec::new(),
        states: Vec::new(),
        known: HashSet::new(),
        vectors: Vectors::default(),
        agreements: HashMap::new(),
        found: HashMap::new(),
        order: Vec::new(),
        tried: 0,
        undecided: false,
    };
    search.plan(&points, &numbers);
    let is_complete = search.run();
    search.try_texts(&points);

    search.result(is_complete)
}

/// The plans of both tables.
type Pair = [PlanId; 2];

/// Where a path is: at a node of the trie, or beyond all of its names.
#[derive(Clone, Copy)]
enum Place {
    Node { node: u32, region: usize },
    Beyond { region: usize },
}

#[derive(Clone, Copy)]
struct State {
    place: Place,
    normal: Normal,
    vector: u32,
    parent: u32,
    byte: u8,
}

/// Rows of automaton states, each kept once.
#[derive(Default)]
struct Vectors {
    rows: Vec<Box<[u32]>>,
    numbers: HashMap<Box<[u32]>, u32>,
}

impl Vectors {
    fn number(&mut self, row: Box<[u32]>) -> u32 {
        if let Some(known) = self.numbers.get(&row) {
            return *known;
        }
        let number = u32::try_from(self.rows.len()).expect("fewer than four billion rows");
        self.rows.push(row.clone());
        self.numbers.insert(row, number);
        number
    }
}

/// A difference under construction.
struct Finding {
    paths: Vec<Vec<u8>>,
    places: HashSet<(bool, usize)>,
}

struct Search<'a> {
    tables: [&'a Table; 2],
    agree: &'a dyn Fn(&Owner, &Owner) -> bool,
    merge_slashes: MergeSlashes,
    trie: Trie,
    alphabet: Alphabet,
    expressions: Expressions,
    plans: Plans,
    /// For each name, the plans for exactly this path.
    exactly: Vec<Pair>,
    /// For each name, the plans for longer paths; the last is for paths without any name.
    beyond: Vec<Pair>,
    states: Vec<State>,
    known: HashSet<(Pair, Normal, u32)>,
    vectors: Vectors,
    agreements: HashMap<[OwnerId; 2], bool>,
    found: HashMap<[OwnerId; 2], Finding>,
    order: Vec<[OwnerId; 2]>,
    tried: usize,
    undecided: bool,
}

impl Search<'_> {
    fn plan(&mut self, points: &[&[u8]], numbers: &[Vec<usize>; 2]) {
        let tables = self.tables;
        let mut both = |probe| {
            [0, 1].map(|side: usize| {
                self.plans
                    .of(tables[side], probe, &|id| numbers[side][id.index()])
            })
        };
        self.exactly = points
            .iter()
            .map(|point| both(Probe::Exactly(point)))
            .collect();
        self.beyond = points
            .iter()
            .map(|point| both(Probe::Beyond(point)))
            .collect();
        self.beyond.push(both(Probe::Beyond(b"")));
    }

    /// Searches breadth first; whether it came to its end.
    fn run(&mut self) -> bool {
        let start = self
            .vectors
            .number(vec![0; self.expressions.automata.len()].into());
        self.states.push(State {
            place: Place::Node {
                node: 0,
                region: self.beyond.len() - 1,
            },
            normal: Normal::Start,
            vector: start,
            parent: 0,
            byte: 0,
        });
        let mut at = 0;
        while at < self.states.len() {
            if self.states.len() > STATE_LIMIT {
                return false;
            }
            self.expand(at);
            at += 1;
        }
        true
    }

    fn expand(&mut self, at: usize) {
        let state = self.states[at];
        let mut taken = [false; 256];
        let region = match state.place {
            Place::Beyond { region } => region,
            Place::Node { node, region } => {
                let region = self.trie.point(node).unwrap_or(region);
                let children: Vec<_> = self.trie.children(node).collect();
                for (byte, child) in children {
                    taken[usize::from(byte)] = true;
                    let place = Place::Node {
                        node: child,
                        region,
                    };
                    self.go(at, byte, place);
                }
                region
            }
        };
        for class in 0..self.alphabet.classes.len() {
            let free = self.alphabet.classes[class]
                .iter()
                .find(|byte| !taken[usize::from(**byte)]);
            if let Some(byte) = free.copied() {
                self.go(at, byte, Place::Beyond { region });
            }
        }
    }

    fn go(&mut self, from: usize, byte: u8, place: Place) {
        let before = self.states[from];
        let Some(normal) = before.normal.step(byte, self.merge_slashes) else {
            return;
        };
        let state = State {
            place,
            normal,
            vector: self.step(before.vector, byte),
            parent: u32::try_from(from).expect("below the limit of states"),
            byte,
        };
        let is_new = match place {
            Place::Node { .. } => true,
            Place::Beyond { region } => {
                self.known
                    .insert((self.beyond[region], normal, state.vector))
            }
        };
        if normal.accepts() {
            self.judge(state);
        }
        if is_new {
            self.states.push(state);
        }
    }

    fn step(&mut self, vector: u32, byte: u8) -> u32 {
        if self.expressions.automata.is_empty() {
            return vector;
        }
        let automata = self.expressions.automata.iter();
        let row = &self.vectors.rows[vector as usize];
        let next = automata
            .zip(row)
            .map(|((_, automaton), state)| automaton.step(*state, byte))
            .collect();
        self.vectors.number(next)
    }

    fn judge(&mut self, state: State) {
        let (pair, key) = match state.place {
            Place::Beyond { region } => (self.beyond[region], (false, region)),
            Place::Node { node, region } => match self.trie.point(node) {
                Some(point) => (self.exactly[point], (true, point)),
                None => (self.beyond[region], (false, region)),
            },
        };
        let free = self.expressions.irregular.len().min(FREE_EXPRESSIONS);
        for guess in 0..1_usize << free {
            let owners = pair.map(|plan| self.decide(plan, state.vector, guess));
            if self.agrees(owners) {
                continue;
            }
            if free > 0 {
                return self.try_out(state, key);
            }
            self.note(owners, state, key);
            return;
        }
        if self.expressions.irregular.len() > FREE_EXPRESSIONS {
            self.undecided = true;
        }
    }

    fn decide(&self, plan: PlanId, vector: u32, guess: usize) -> OwnerId {
        let Expressions {
            automata,
            irregular,
            ..
        } = &self.expressions;
        let row = &self.vectors.rows[vector as usize];
        self.plans.decide(plan, &|number| {
            if let Ok(at) = automata.binary_search_by_key(&number, |(number, _)| *number) {
                return automata[at].1.accepts(row[at]);
            }
            let free = irregular.iter().position(|(own, ..)| *own == number);
            free.is_some_and(|bit| bit < FREE_EXPRESSIONS && guess >> bit & 1 == 1)
        })
    }

    fn agrees(&mut self, owners: [OwnerId; 2]) -> bool {
        let [left, right] = owners.map(|owner| self.plans.owner(owner));
        if let Some(known) = self.agreements.get(&owners) {
            return *known;
        }
        let agrees = (self.agree)(left, right);
        self.agreements.insert(owners, agrees);
        agrees
    }

    /// It depends on expressions that are not regular: PCRE2 says what they do with this path.
    fn try_out(&mut self, state: State, key: (bool, usize)) {
        self.undecided = true;
        self.try_path(self.path(state), key);
    }

    /// Paths with the literal texts of those expressions in them, after the names of the tables.
    fn try_texts(&mut self, points: &[&[u8]]) {
        if !self.undecided {
            return;
        }
        let stems: Vec<&[u8]> = points
            .iter()
            .copied()
            .chain([&b"/"[..]])
            .take(TEXT_STEMS)
            .collect();
        for text in self.expressions.irregular_texts() {
            for stem in &stems {
                for joint in [&b""[..], b"/"] {
                    let path = [stem, joint, &text].concat();
                    let end = path.iter().try_fold(Normal::Start, |state, byte| {
                        state.step(*byte, self.merge_slashes)
                    });
                    if end.is_some_and(Normal::accepts) {
                        self.try_path(path, (false, usize::MAX));
                    }
                }
            }
        }
    }

    fn try_path(&mut self, path: Vec<u8>, key: (bool, usize)) {
        self.tried += 1;
        let found = self.tables.map(|table| table.find(&path).ok());
        let [Some(left), Some(right)] = found else {
            return;
        };
        let owners = [self.tables[0].owner(left), self.tables[1].owner(right)];
        let owners = owners.map(|owner| self.plans.owner_number(owner));
        if !self.agrees(owners) {
            self.note_path(owners, path, key);
        }
    }

    fn note(&mut self, owners: [OwnerId; 2], state: State, key: (bool, usize)) {
        if self
            .found
            .get(&owners)
            .is_some_and(|finding| finding.places.contains(&key))
        {
            return;
        }
        self.note_path(owners, self.path(state), key);
    }

    fn note_path(&mut self, owners: [OwnerId; 2], path: Vec<u8>, key: (bool, usize)) {
        if !self.found.contains_key(&owners) {
            self.order.push(owners);
        }

        let finding = self.found.entry(owners).or_insert_with(|| Finding {
            paths: Vec::new(),
            places: HashSet::new(),
        });
        finding.places.insert(key);
        if finding.paths.len() <= EXAMPLES && !finding.paths.contains(&path) {
            finding.paths.push(path);
        }
    }

    fn path(&self, mut state: State) -> Vec<u8> {
        let mut tail = Vec::new();
        loop {
            match state.place {
                Place::Node { node, .. } => {
                    let mut path = self.trie.text(node);
                    path.extend(tail.iter().rev());
                    return path;
                }
                Place::Beyond { .. } => {
                    tail.push(state.byte);
                    state = self.states[state.parent as usize];
                }
            }
        }
    }

    fn result(mut self, is_complete: bool) -> Comparison {
        let order = std::mem::take(&mut self.order);
        let differences = order
            .into_iter()
            .filter_map(|owners| self.difference(owners))
            .collect();
        let classes = self.states.len();
        let irregular = self
            .expressions
            .irregular
            .into_iter()
            .map(|(_, pattern, reason)| (pattern, reason));
        let proof = match (is_complete, self.undecided) {
            (false, _) => Proof::TooLarge { classes },
            (true, true) => Proof::Sampled {
                irregular: irregular.collect(),
                paths: self.tried,
            },
            (true, false) => Proof::Complete,
        };
        Comparison {
            differences,
            classes,
            proof,
        }
    }

    fn difference(&mut self, owners: [OwnerId; 2]) -> Option<Difference> {
        let finding = self.found.remove(&owners)?;
        let mut paths = finding.paths;
        paths.sort_by_key(Vec::len);
        let mut paths = paths.into_iter();

        let path = paths.next()?;
        let [left, right] = owners.map(|owner| self.plans.owner(owner).clone());
        Some(Difference {
            left_match: self.tables[0].find(&path).ok()?,
            right_match: self.tables[1].find(&path).ok()?,
            left,
            right,
            path,
            also: paths.collect(),
            classes: finding.places.len(),
        })
    }
}
