use super::reader::{Reader, name, place};
use super::regex::{Regex, RegexCase};
use super::rewrite::{
    Condition, Flag, If, Instruction, OwnQuery, Return, Rewrite, Script, Step, Turned,
};
use super::site::SiteProblem;
use super::template::Template;
use crate::conf::Found;

/// Whether a directive belongs to the rewrite phase.
pub(super) fn is_script(name: &[u8]) -> bool {
    let known: [&[u8]; 5] = [b"rewrite", b"return", b"set", b"break", b"if"];
    known.contains(&name) || is_opaque(name)
}

/// Directives of other modules that run in the rewrite phase.
fn is_opaque(name: &[u8]) -> bool {
    let known: [&[u8]; 7] = [
        b"rewrite_by_lua",
        b"rewrite_by_lua_block",
        b"rewrite_by_lua_file",
        b"set_by_lua",
        b"set_by_lua_block",
        b"set_by_lua_file",
        b"server_rewrite_by_lua_block",
    ];
    known.contains(&name)
}

pub(super) fn read_instruction<'a>(
    reader: &mut Reader<'a>,
    found: Found<'a>,
) -> Result<Instruction, SiteProblem> {
    let directive = found.directive;
    let arguments: Vec<&[u8]> = directive
        .arguments()
        .iter()
        .map(|word| word.value())
        .collect();
    let wrong_number = || SiteProblem::Arguments {
        directive: name(found),
    };
    let step = match (directive.name(), arguments.as_slice()) {
        (b"rewrite", [pattern, replacement]) => {
            Step::Rewrite(Box::new(rewrite(pattern, replacement, None)?))
        }
        (b"rewrite", [pattern, replacement, flag]) => {
            Step::Rewrite(Box::new(rewrite(pattern, replacement, Some(flag))?))
        }
        (b"return", [one]) => Step::Return(return_one(one)?),
        (b"return", [status, text]) => Step::Return(Return {
            status: status_of(status)?,
            text: Some(Template::parse(text)),
        }),
        (b"set", [variable, value]) => Step::Set {
            name: String::from_utf8_lossy(variable)
                .trim_start_matches('$')
                .to_owned(),
            value: Template::parse(value),
        },
        (b"break", []) => Step::Break,
        (b"if", words) => Step::If(Box::new(read_if(reader, found, words)?)),
        (opaque, _) if is_opaque(opaque) => Step::Opaque {
            directive: name(found),
        },
        _ => return Err(wrong_number()),
    };
    Ok(Instruction {
        place: Some(place(found)),
        step,
    })
}

fn word(what: &'static str, word: &[u8], directive: &str) -> SiteProblem {
    SiteProblem::Word {
        what,
        word: String::from_utf8_lossy(word).into_owned(),
        directive: directive.to_owned(),
    }
}

fn status_of(text: &[u8]) -> Result<u16, SiteProblem> {
    let parsed = std::str::from_utf8(text)
        .ok()
        .and_then(|text| text.parse().ok());
    let status = parsed.filter(|status: &u16| *status <= 999);
    status.ok_or_else(|| word("status", text, "return"))
}

/// `return 404` or `return https://…`, which is a 302.
fn return_one(argument: &[u8]) -> Result<Return, SiteProblem> {
    let starts: [&[u8]; 3] = [b"http://", b"https://", b"$scheme"];
    if starts.iter().any(|start| argument.starts_with(start)) {
        return Ok(Return {
            status: 302,
            text: Some(Template::parse(argument)),
        });
    }
    Ok(Return {
        status: status_of(argument)?,
        text: None,
    })
}

fn rewrite(
    pattern: &[u8],
    replacement: &[u8],
    flag: Option<&[u8]>,
) -> Result<Rewrite, SiteProblem> {
    let regex = Regex::new(pattern, RegexCase::Exact)?;
    let (replacement, own_query) = match replacement.strip_suffix(b"?") {
        Some(stripped) => (stripped, OwnQuery::Dropped),
        None => (replacement, OwnQuery::Added),
    };
    let starts: [&[u8]; 3] = [b"http://", b"https://", b"$scheme"];
    let has_scheme = starts.iter().any(|start| replacement.starts_with(start));
    let flag = match flag {
        None | Some(b"last" | b"break") if has_scheme => Flag::Redirect(302),
        None => Flag::Continue,
        Some(b"last") => Flag::Last,
        Some(b"break") => Flag::Break,
        Some(b"redirect") => Flag::Redirect(302),
        Some(b"permanent") => Flag::Redirect(301),
        Some(other) => return Err(word("flag", other, "rewrite")),
    };
    let question = replacement.iter().position(|byte| *byte == b'?');
    let split = question.filter(|_| !matches!(flag, Flag::Redirect(_)));
    let (path, query) = match split {
        Some(at) => (
            &replacement[..at],
            Some(Template::parse(&replacement[at + 1..])),
        ),
        None => (replacement, None),
    };
    Ok(Rewrite {
        regex,
        path: Template::parse(path),
        query,
        own_query,
        flag,
    })
}

fn read_if<'a>(
    reader: &mut Reader<'a>,
    found: Found<'a>,
    words: &[&[u8]],
) -> Result<If, SiteProblem> {
    let condition = condition(&unwrapped(words)?)?;
    let children = reader.children(found);
    let mut body = Script::default();
    let mut action = None;
    reader.body(&children, &mut body);
    for child in children {
        action = reader.action(child).or(action);
    }
    Ok(If {
        condition,
        body,
        action,
    })
}

/// The words of `(…)` without the parentheses.
fn unwrapped<'a>(words: &[&'a [u8]]) -> Result<Vec<&'a [u8]>, SiteProblem> {
    let mut words = words.to_vec();
    let bad = |words: &[&[u8]]| word("condition", &words.join(&b' '), "if");
    let first = words.first().and_then(|first| first.strip_prefix(b"("));
    let first = first.ok_or_else(|| bad(&words))?;
    words[0] = first;
    let last = words.last().and_then(|last| last.strip_suffix(b")"));
    let last = last.ok_or_else(|| bad(&words))?;
    *words.last_mut().expect("there is a first") = last;
    words.retain(|word| !word.is_empty());
    Ok(words)
}

fn condition(words: &[&[u8]]) -> Result<Condition, SiteProblem> {
    let bad = || word("condition", &words.join(&b' '), "if");
    let variable = |word: &[u8]| {
        let name = word.strip_prefix(b"$").ok_or_else(bad)?;
        Ok::<_, SiteProblem>(String::from_utf8_lossy(name).into_owned())
    };
    let turned = |operator: &[u8]| match operator.first() {
        Some(b'!') => Turned::Yes,
        _ => Turned::No,
    };
    match words {
        [name] => Ok(Condition::Truth {
            variable: variable(name)?,
        }),
        [name, operator @ (b"=" | b"!=")] => Ok(Condition::Equals {
            variable: variable(name)?,
            text: Template::default(),
            turned: turned(operator),
        }),
        [name, operator @ (b"=" | b"!="), text] => Ok(Condition::Equals {
            variable: variable(name)?,
            text: Template::parse(text),
            turned: turned(operator),
        }),
        [name, operator @ (b"~" | b"~*" | b"!~" | b"!~*"), pattern] => {
            let letter_case = match operator.last() {
                Some(b'*') => RegexCase::Ignored,
                _ => RegexCase::Exact,
            };
            Ok(Condition::Matches {
                variable: variable(name)?,
                regex: Regex::new(pattern, letter_case)?,
                turned: turned(operator),
            })
        }
        [
            b"-f" | b"!-f" | b"-d" | b"!-d" | b"-e" | b"!-e" | b"-x" | b"!-x",
            _,
        ] => Ok(Condition::File),
        _ => Err(bad()),
    }
}
