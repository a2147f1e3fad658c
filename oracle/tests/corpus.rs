//! Configurations of many styles: what the parser makes of them, and what it says about broken ones.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use proxyproof_oracle::conf::{
    Body, Directive, Document, LoadError, Loader, Quotes, Tree, TreeError, Word, is_glob,
};
use proxyproof_oracle::location::Site;

/// Every file below a folder, sorted.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => files.extend(self::files(&path)),
            false => files.push(path),
        }
    }
    files.sort();
    files
}

fn corpus() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus")
}

fn name(file: &Path) -> String {
    let name = file
        .strip_prefix(corpus())
        .unwrap()
        .to_string_lossy()
        .into_owned();
    name.replace('/', "__")
}

fn is_broken(file: &Path) -> bool {
    file.starts_with(corpus().join("broken"))
}

/// One line a directive: line number, indentation, words with their quotes; `{n}` for a raw block of n bytes.
fn compact(document: &Document) -> String {
    fn descend(document: &Document, directives: &[Directive], depth: usize, text: &mut String) {
        for directive in directives {
            let line = document.line(directive.span().start);
            let words: Vec<String> = directive.words.iter().map(word).collect();
            write!(text, "{line:>3} {}{}", "  ".repeat(depth), words.join(" ")).unwrap();
            match &directive.body {
                Body::Simple(_) => text.push_str(";\n"),
                Body::Raw(raw) => writeln!(text, " {{{}}}", raw.inside.len()).unwrap(),
                Body::Block(block) => {
                    text.push_str(" {\n");
                    descend(document, &block.directives, depth + 1, text);
                }
            }
        }
    }
    let mut text = String::new();
    descend(document, document.directives(), 0, &mut text);
    text
}

fn word(word: &Word) -> String {
    let value: String = word
        .value()
        .escape_ascii()
        .to_string()
        .chars()
        .take(80)
        .collect();
    match word.quotes {
        Quotes::Bare => value,
        Quotes::Single => format!("'{value}'"),
        Quotes::Double => format!("\"{value}\""),
    }
}

#[test]
fn every_configuration_is_read_and_printed_again() {
    let mut read = 0;
    for file in files(&corpus()).into_iter().filter(|file| !is_broken(file)) {
        let text = fs::read(&file).unwrap();
        let document = Document::parse(text.clone())
            .unwrap_or_else(|errors| panic!("{}: {errors:?}", file.display()));
        assert_eq!(document.print(), text, "{}", file.display());
        insta::assert_snapshot!(name(&file), compact(&document));
        read += 1;
    }
    assert!(read >= 40, "{read} configurations");
}

#[test]
fn every_broken_configuration_is_explained() {
    for file in files(&corpus()).into_iter().filter(|file| is_broken(file)) {
        let text = fs::read(&file).unwrap();
        let (document, errors) = Document::recover(text.clone());
        assert_eq!(document.print(), text, "{}", file.display());
        let errors =
            errors.unwrap_or_else(|| panic!("{} is read without an error", file.display()));
        let shown: Vec<String> = errors
            .errors
            .iter()
            .map(|error| error.render("nginx.conf", &document).to_string())
            .collect();
        insta::assert_snapshot!(name(&file), format!("{}\n{errors}", shown.join("\n\n")));
    }
}

#[test]
fn a_correction_leaves_fewer_errors() {
    let count = |text: Vec<u8>| {
        Document::recover(text)
            .1
            .map_or(0, |errors| errors.errors.len() + errors.omitted)
    };
    for file in files(&corpus()).into_iter().filter(|file| is_broken(file)) {
        let text = fs::read(&file).unwrap();
        let (_, Some(errors)) = Document::recover(text.clone()) else {
            continue;
        };
        for error in &errors.errors {
            if let Some((span, replacement)) = &error.correction {
                let mut corrected = text.clone();
                corrected.splice(span.range(), replacement.bytes());
                assert!(
                    count(corrected) < count(text.clone()),
                    "{}: {error:?}",
                    file.display()
                );
            }
        }
    }
}

/// Reads files below a folder, as the command does it.
struct Folder(PathBuf);

impl Loader for Folder {
    fn load(&mut self, pattern: &str) -> Result<Vec<(String, Vec<u8>)>, LoadError> {
        let own = |path: &Path| {
            path.strip_prefix(&self.0)
                .unwrap()
                .to_string_lossy()
                .into_owned()
        };
        let read = |path: PathBuf| (own(&path), fs::read(&path).unwrap());
        if !is_glob(pattern) {
            let path = self.0.join(pattern);
            return path
                .is_file()
                .then(|| vec![read(path)])
                .ok_or(LoadError::Missing);
        }
        let (folder, last) = pattern.rsplit_once('/').unwrap();
        let suffix = last.trim_start_matches('*');
        let folder = self.0.join(folder);
        // A pattern that matches nothing is no error, and git keeps no empty folder such as Debian's conf.d.
        if !folder.is_dir() {
            return Ok(Vec::new());
        }
        let found = files(&folder)
            .into_iter()
            .filter(|path| path.to_string_lossy().ends_with(suffix));
        Ok(found.map(read).collect())
    }
}

#[test]
fn the_tree_of_debian_is_read_with_its_includes() {
    let folder = corpus().join("debian");
    let main = fs::read(folder.join("nginx.conf")).unwrap();
    let tree = Tree::load("nginx.conf", main, &mut Folder(folder)).unwrap();
    assert_eq!(tree.len(), 6);
    let site = Site::read(&tree).unwrap();
    let locations: Vec<String> = site.servers[0]
        .table
        .locations()
        .map(|(_, location)| location.notation.to_string())
        .collect();
    assert_eq!(locations, ["/", r#"~ "\\.php$""#, r#"~ "/\\.ht""#]);
    let found = tree.find(&"fastcgi_param HTTPS".parse().unwrap());
    assert_eq!(tree.place(found[0]), "fastcgi_params:2");
}

#[test]
fn what_is_wrong_with_routes_is_said_all_at_once() {
    let text = "server {\n  listen 80 server_name;\n  location ! /a { }\n  location /b { proxy_pass 127.0.0.1:1; }\n  \
                location /b { }\n  location ~ ( { }\n  location /c { location /d { } }\n  location ~ x { proxy_pass http://a/; }\n  \
                location = /e { proxy_pass http://a; proxy_pass http://b; }\n  if $x { }\n  rewrite a b now;\n  return twice;\n}\n";
    let tree = Tree::of("x", Document::parse(text.as_bytes()).unwrap());
    let errors = Site::read(&tree).unwrap_err();
    let lines: Vec<String> = errors
        .iter()
        .map(|error| {
            let line = tree.document(0).line(error.place.span.start);
            let help = error
                .problem
                .help()
                .map(|help| format!("\n     help: {help}"))
                .unwrap_or_default();
            format!("{line:>3}: {error}{help}")
        })
        .collect();
    insta::assert_snapshot!(lines.join("\n"));
}

#[test]
fn a_tree_names_the_files_of_its_errors() {
    let mut sources = proxyproof_oracle::conf::Sources::new().file("b.conf", "listen 80 }");
    let errors = Tree::load(
        "a.conf",
        "http { include b.conf; ; include c.conf; }",
        &mut sources,
    )
    .unwrap_err();
    let shown: Vec<String> = errors.iter().map(TreeError::to_string).collect();
    assert_eq!(
        shown,
        [
            "a.conf: 1 syntax error in the configuration",
            "b.conf: 2 syntax errors in the configuration",
            "a.conf:1:26: cannot include `c.conf`: no such file",
        ]
    );
}
