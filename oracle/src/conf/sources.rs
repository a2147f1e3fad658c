use std::collections::BTreeMap;

use super::include::{LoadError, Loader};

/// Files held in memory, by name.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    files: BTreeMap<String, Vec<u8>>,
    folder: Option<String>,
}

impl Sources {
    /// No file: every `include` without wildcards is an error.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a file.
    pub fn file(mut self, name: impl Into<String>, text: impl Into<Vec<u8>>) -> Self {
        self.files.insert(name.into(), text.into());
        self
    }

    /// The folder of the main file, which relative patterns are looked for in, whichever file they are in.
    pub fn in_folder(mut self, folder: impl Into<String>) -> Self {
        self.folder = Some(folder.into());
        self
    }

    /// The text of a file.
    pub fn text(&self, name: &str) -> Option<&[u8]> {
        self.files.get(name).map(Vec::as_slice)
    }

    /// The names of the files, sorted.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.files.keys().map(String::as_str)
    }
}

impl Loader for Sources {
    fn load(&mut self, pattern: &str) -> Result<Vec<(String, Vec<u8>)>, LoadError> {
        let pattern = match &self.folder {
            Some(folder) if !pattern.starts_with('/') => {
                format!("{}/{pattern}", folder.trim_end_matches('/'))
            }
            _ => pattern.to_owned(),
        };
        if !is_glob(&pattern) {
            let text = self.files.get(&pattern).ok_or(LoadError::Missing)?;
            return Ok(vec![(pattern, text.clone())]);
        }
        let files = self.files.iter();
        let found = files.filter(|(name, _)| is_glob_match(pattern.as_bytes(), name.as_bytes()));
        Ok(found
            .map(|(name, text)| (name.clone(), text.clone()))
            .collect())
    }
}

/// Whether an include's argument may match any number of files, as NGINX decides it.
pub fn is_glob(pattern: &str) -> bool {
    pattern.contains(['*', '?', '['])
}

/// Whether a pattern of an `include` matches a name, as `glob` of POSIX compares them: no wildcard matches a `/`, nor
/// a dot at the beginning of a name.
pub fn is_glob_match(pattern: &[u8], name: &[u8]) -> bool {
    matches(pattern, name, Begin::Yes)
}

/// Whether a part of a path begins here.
#[derive(Clone, Copy, PartialEq)]
enum Begin {
    Yes,
    No,
}

fn matches(pattern: &[u8], name: &[u8], begin: Begin) -> bool {
    let hidden = begin == Begin::Yes && name.first() == Some(&b'.');
    match (pattern, name) {
        ([], []) => true,
        ([b'*' | b'?' | b'[', ..], _) if hidden => false,
        ([b'*', rest @ ..], _) => {
            let longest = name
                .iter()
                .position(|byte| *byte == b'/')
                .unwrap_or(name.len());
            (0..=longest).any(|taken| {
                let begin = if taken == 0 { begin } else { Begin::No };
                matches(rest, &name[taken..], begin)
            })
        }
        ([b'?', pattern @ ..], [byte, name @ ..]) => {
            *byte != b'/' && matches(pattern, name, Begin::No)
        }
        ([b'[', class @ ..], [byte, name @ ..]) if class_end(class).is_some() => {
            let (class, pattern) = class.split_at(class_end(class).unwrap_or(0));
            *byte != b'/' && is_in_class(class, *byte) && matches(&pattern[1..], name, Begin::No)
        }
        ([b'\\', first, pattern @ ..], [byte, name @ ..])
        | ([first, pattern @ ..], [byte, name @ ..]) => {
            let begin = if *byte == b'/' { Begin::Yes } else { Begin::No };
            first == byte && matches(pattern, name, begin)
        }
        _ => false,
    }
}

/// The offset of the `]` that ends a class; one that stands first belongs to it.
fn class_end(class: &[u8]) -> Option<usize> {
    let first = 1 + usize::from(matches!(class.first(), Some(b'!' | b'^')));
    let rest = class.get(first..)?;
    Some(first + rest.iter().position(|byte| *byte == b']')?)
}

fn is_in_class(class: &[u8], byte: u8) -> bool {
    let (class, wanted) = match class {
        [b'!' | b'^', rest @ ..] => (rest, false),
        class => (class, true),
    };
    let mut rest = class;
    let mut found = false;
    while let [first, tail @ ..] = rest {
        rest = tail;
        match tail {
            [b'-', last, after @ ..] => {
                found |= (*first..=*last).contains(&byte);
                rest = after;
            }
            _ => found |= *first == byte,
        }
    }
    found == wanted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_as_the_c_library_does() {
        for (pattern, name) in [
            ("conf.d/*.conf", "conf.d/a.conf"),
            ("*", "a"),
            ("a?c", "abc"),
            ("[a-c]x[!0-9]", "bxy"),
            ("[]]", "]"),
            ("conf.d/.*", "conf.d/.hidden"),
            ("a\\*b", "a*b"),
            ("sites-*/[0-9]*", "sites-enabled/00-default"),
        ] {
            assert!(
                is_glob_match(pattern.as_bytes(), name.as_bytes()),
                "{pattern} {name}"
            );
        }
        for (pattern, name) in [
            ("conf.d/*.conf", "conf.d/.hidden.conf"),
            ("*", ".a"),
            ("?a", ".a"),
            ("[.]a", ".a"),
            ("*", "a/b"),
            ("a?b", "a/b"),
            ("*/x", ".git/x"),
            ("[!a]", "a"),
        ] {
            assert!(
                !is_glob_match(pattern.as_bytes(), name.as_bytes()),
                "{pattern} {name}"
            );
        }
    }

    #[test]
    fn relative_patterns_are_looked_for_in_the_folder_of_the_main_file() {
        let mut files = Sources::new()
            .in_folder("/etc/nginx")
            .file("/etc/nginx/conf.d/a.conf", "a;")
            .file("/etc/nginx/conf.d/.a.conf.swp", "b;")
            .file("/etc/nginx/mime.types", "");
        let mut names = |pattern: &str| {
            let found = files.load(pattern).map_err(|error| error.to_string())?;
            Ok::<_, String>(found.into_iter().map(|(name, _)| name).collect::<Vec<_>>())
        };
        assert_eq!(names("conf.d/*").unwrap(), ["/etc/nginx/conf.d/a.conf"]);
        assert_eq!(
            names("/etc/nginx/mime.types").unwrap(),
            ["/etc/nginx/mime.types"]
        );
        assert_eq!(names("sites/*.conf").unwrap(), [""; 0]);
        assert!(names("a.conf").is_err());
    }
}
