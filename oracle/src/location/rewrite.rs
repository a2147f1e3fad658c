use super::action::Action;
use super::place::Place;
use super::regex::Regex;
use super::template::Template;

/// The directives of NGINX's rewrite module in one server or location, in their order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Script {
    pub(crate) instructions: Vec<Instruction>,
}

/// One directive of the rewrite module.
#[derive(Clone, Debug)]
pub(crate) struct Instruction {
    pub(crate) place: Option<Place>,
    pub(crate) step: Step,
}

#[derive(Clone, Debug)]
pub(crate) enum Step {
    Rewrite(Box<Rewrite>),
    Return(Return),
    Set {
        name: String,
        value: Template,
    },
    Break,
    If(Box<If>),
    /// Something that changes the request in a way only running it tells (`set_by_lua`).
    Opaque {
        directive: String,
    },
}

#[derive(Clone, Debug)]
pub(crate) struct Rewrite {
    pub(crate) regex: Regex,
    /// Before a `?` of the replacement.
    pub(crate) path: Template,
    /// After it, if there is one.
    pub(crate) query: Option<Template>,
    /// Whether the request's own query is added: not if the replacement ends in `?`.
    pub(crate) own_query: OwnQuery,
    pub(crate) flag: Flag,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum OwnQuery {
    Added,
    Dropped,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Flag {
    /// None: the next directive is run on the new path.
    Continue,
    /// `last`: a location is looked for again.
    Last,
    /// `break`: the request stays in its location.
    Break,
    /// `redirect`, `permanent`, or a replacement with a scheme.
    Redirect(u16),
}

#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Return {
    pub(crate) status: u16,
    /// The body, or where a redirect leads.
    pub(crate) text: Option<Template>,
}

#[derive(Clone, Debug)]
pub(crate) struct If {
    pub(crate) condition: Condition,
    pub(crate) body: Script,
    /// What answers if the condition holds and no later one does; `None` if the block says nothing of it.
    pub(crate) action: Option<Action>,
}

#[derive(Clone, Debug)]
pub(crate) enum Condition {
    /// Not empty and not `0`.
    Truth { variable: String },
    /// `=` or, turned, `!=`.
    Equals {
        variable: String,
        text: Template,
        turned: Turned,
    },
    /// `~`, `~*` or, turned, `!~`, `!~*`.
    Matches {
        variable: String,
        regex: Regex,
        turned: Turned,
    },
    /// `-f`, `-d`, `-e`, `-x`: what the file system says.
    File,
}

/// Whether a condition is turned round by `!`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Turned {
    No,
    Yes,
}

impl Script {
    /// The `if` blocks directly in it: what answers in each, and its own script.
    pub(crate) fn conditional(&self) -> impl Iterator<Item = (Option<&Action>, &Self)> {
        self.instructions
            .iter()
            .filter_map(|instruction| match &instruction.step {
                Step::If(block) => Some((block.action.as_ref(), &block.body)),
                _ => None,
            })
    }

    /// What `set` gives to a variable (its name in lower case), in `if` blocks too, as written.
    pub(crate) fn values_of(&self, variable: &str) -> Vec<Vec<u8>> {
        let mut values = Vec::new();
        for instruction in &self.instructions {
            match &instruction.step {
                Step::Set { name, value } if name.eq_ignore_ascii_case(variable) => {
                    values.push(value.written());
                }
                Step::If(block) => values.extend(block.body.values_of(variable)),
                _ => {}
            }
        }
        values
    }

    /// Whether it runs without changing where a request goes: only `set`, or nothing.
    pub(crate) fn is_harmless(&self) -> bool {
        let harmless =
            |instruction: &Instruction| matches!(instruction.step, Step::Set { .. } | Step::Break);
        self.instructions.iter().all(harmless)
    }

    /// The instructions that may change where a request goes.
    pub(crate) fn conditions(&self) -> impl Iterator<Item = (&'static str, Place)> {
        let interfering = |instruction: &Instruction| {
            let what = match &instruction.step {
                Step::Set { .. } | Step::Break => return None,
                Step::Return(_) => return None,
                Step::Rewrite(_) => "`rewrite`",
                Step::If(_) => "`if`",
                Step::Opaque { .. } => "a script",
            };
            instruction.place.map(|place| (what, place))
        };
        self.instructions.iter().filter_map(interfering)
    }

    /// The `return` that every request meets, if the script has one before anything that may change it.
    pub(crate) fn unconditional_return(&self) -> Option<&Return> {
        self.instructions
            .iter()
            .find_map(|instruction| match &instruction.step {
                Step::Set { .. } => None,
                Step::Return(answer) => Some(Some(answer)),
                _ => Some(None),
            })?
    }
}
