//! The parser on single cases: what NGINX 1.22.1 reads, and what it refuses.

use proxyproof_oracle::conf::{
    DEPTH_LIMIT, DirectivePath, Document, Edits, FILE_LIMIT, IncludeError, Problem, SIZE_LIMIT,
    Sources, Tree, TreeError, quoted,
};

const PUBLISHED: &str = include_str!("corpus/published.conf");

#[test]
fn published_configuration_prints_as_it_was_read() {
    let file = Document::parse(PUBLISHED.as_bytes()).unwrap();
    assert_eq!(file.print(), PUBLISHED.as_bytes());
    assert_eq!(file.directives().len(), 4);
}

#[test]
fn a_directive_is_found_by_its_words() {
    let file = Document::parse(PUBLISHED.as_bytes()).unwrap();
    let line = |path: &str| {
        let path: DirectivePath = path.parse().unwrap();
        let found = file.find(&path);
        found
            .iter()
            .map(|directive| file.line(directive.head().start))
            .collect::<Vec<_>>()
    };
    assert_eq!(line("proxy_set_header X-Forwarded-For"), [35]);
    assert_eq!(line("server > proxy_set_header x-forwarded-for"), [35]);
    assert_eq!(line("server > location / > proxy_pass"), [59]);
    assert_eq!(
        line("location = /v1/responses > proxy_request_buffering off"),
        [43]
    );
    assert!(line("map > proxy_pass").is_empty());
    assert!("server > > x".parse::<DirectivePath>().is_err());
}

#[test]
fn edits_leave_everything_else_alone() {
    let file = Document::parse(PUBLISHED.as_bytes()).unwrap();
    let path: DirectivePath = "upstream > server".parse().unwrap();
    let mut edits = Edits::new(&file);
    for (directive, port) in file
        .find(&path)
        .iter()
        .zip(["127.0.0.1:4000", "127.0.0.1:4001"])
    {
        edits.set(&directive.words[1], port.as_bytes());
    }
    let expected = PUBLISHED
        .replace("127.0.0.1:8317", "127.0.0.1:4000")
        .replace("127.0.0.1:18317", "127.0.0.1:4001");
    assert_eq!(String::from_utf8(edits.apply()).unwrap(), expected);
}

#[test]
fn words_mean_what_nginx_makes_of_them() {
    let file = Document::parse(*br#"a "b c" 'd"e' f\;g "\t\q\"" ${x}y $a{b};"#).unwrap_err();
    assert_eq!(file.errors.len(), 1, "`$a{{` opens a block: {file:?}");
    let file = Document::parse(*br#"a "b c" 'd"e' f\;g "\t\q\"" ${x}y a#b {c;}"#).unwrap();
    let words: Vec<_> = file.directives()[0]
        .words
        .iter()
        .map(|word| word.text().into_owned())
        .collect();
    assert_eq!(
        words,
        ["a", "b c", "d\"e", "f\\;g", "\t\\q\"", "${x}y", "a#b"]
    );
}

#[test]
fn all_errors_of_a_file_come_at_once() {
    let text = "events { }\nhttp {\n    ;\n    server { listen 80 }\n    add_header X \"a;\n    gzip on;\n}\n}\n";
    let errors = Document::parse(text.as_bytes()).unwrap_err();
    let problems: Vec<_> = errors
        .errors
        .into_iter()
        .map(|error| error.problem)
        .collect();
    assert_eq!(
        problems,
        [
            Problem::EmptyStatement,
            Problem::MissingSemicolon {
                name: "listen".into()
            },
            Problem::UnclosedQuote { quote: '"' },
            Problem::StrayBrace,
        ]
    );
}

#[test]
fn quoting_is_undone_by_reading() {
    for value in [
        &b""[..],
        b"a",
        b"a b",
        b"\\",
        b"\"",
        b"'",
        b"{",
        b"a;b",
        b"#",
        b"}",
        b"$x{",
        b"\xff\n\t",
    ] {
        let mut text = b"x ".to_vec();
        text.extend(quoted(value));
        text.push(b';');
        let file = Document::parse(text).unwrap();
        assert_eq!(file.directives()[0].argument(0), Some(value));
    }
}

#[test]
fn includes_are_read_through_the_loader() {
    let mut sources = Sources::new()
        .file("conf.d/b.conf", "server { listen 2; }")
        .file("conf.d/a.conf", "server { listen 1; include snippet; }")
        .file("snippet", "location / { }");
    let main = "http { include conf.d/*.conf; include none/*; }";
    let tree = Tree::load("nginx.conf", main, &mut sources).unwrap();
    let path: DirectivePath = "http > server > location /".parse().unwrap();
    let places: Vec<_> = tree
        .find(&path)
        .into_iter()
        .map(|found| tree.place(found))
        .collect();
    assert_eq!(places, ["snippet:1"]);
    assert_eq!(tree.find(&"server".parse().unwrap()).len(), 2);
}

#[test]
fn missing_includes_and_loops_are_named() {
    let mut sources = Sources::new()
        .file("a", "include b;")
        .file("b", "\n  include a; include c;");
    let errors = Tree::load("a", "include b;", &mut sources).unwrap_err();
    let texts: Vec<_> = errors.iter().map(TreeError::to_string).collect();
    assert_eq!(
        texts,
        [
            "b:2:3: include loop: a includes b includes a",
            "b:2:14: cannot include `c`: no such file",
        ]
    );
}

#[test]
fn what_is_wrong_in_an_included_file_is_told_at_its_line() {
    let mut sources = Sources::new().file("conf.d/a.conf", "# first\nserver {\n    listen 80\n}\n");
    let errors =
        Tree::load("nginx.conf", "http {\n  include conf.d/*;\n}", &mut sources).unwrap_err();
    let [
        TreeError::Syntax {
            file,
            document,
            errors,
        },
    ] = &errors[..]
    else {
        panic!("{errors:?}");
    };
    assert_eq!(file, "conf.d/a.conf");
    assert_eq!(document.line(errors.errors[0].span.start), 3);
}

#[test]
fn includes_are_bounded() {
    let problem = |mut sources: Sources, main: &str| {
        let errors = Tree::load("nginx.conf", main, &mut sources).unwrap_err();
        match errors.into_iter().next() {
            Some(TreeError::Include { problem, .. }) => problem,
            other => panic!("{other:?}"),
        }
    };
    let many = (0..FILE_LIMIT + 1).fold(Sources::new(), |sources, number| {
        sources.file(format!("d/{number}"), "")
    });
    assert_eq!(problem(many, "include d/*;"), IncludeError::TooMany);
    let deep = (0..DEPTH_LIMIT + 1).fold(Sources::new(), |sources, number| {
        sources.file(number.to_string(), format!("include {};", number + 1))
    });
    assert_eq!(problem(deep, "include 0;"), IncludeError::TooDeep);
    let large = Sources::new().file("a", vec![b' '; SIZE_LIMIT + 1]);
    assert_eq!(problem(large, "include a;"), IncludeError::TooLarge);
}

/// Seen with `return 200 …` on NGINX 1.22.1.
#[test]
fn escapes_are_those_nginx_was_seen_to_replace() {
    let file = Document::parse(*br#"a "a\tb\nc\rd\q\\e\'f\"g\.h" a\ b\{c\}d\te;"#).unwrap();
    let words = file.directives()[0].arguments();
    assert_eq!(words[0].value(), b"a\tb\nc\rd\\q\\e'f\"g\\.h");
    assert_eq!(words[1].value(), b"a\\ b\\{c\\}d\te");
}
