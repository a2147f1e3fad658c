//! What each report says of one result, word for word.

use proxyproof_harness::candidate::manifest_schema;
use proxyproof_harness::deployment::deployment_schema;
use proxyproof_harness::{
    Blame, Code, Finding, Level, Verdict,
    finding::Exhibit,
    hint::{Hint, Place},
    report::{Detail, Terminal, read_json, schema, write_json, write_junit},
    suite::{CandidateName, Outcome, SCHEMA, StaleGap, SuiteResult, Summary, Tool},
};

const APPENDED: Code = Code::new(
    "identity.forwarded_for_appended",
    "a client can choose the address that CPA believes",
    "CPA takes the left-most entry: `allow-remote: false` is bypassed, and a ban is dodged by changing the value",
);
const WRONG_UPSTREAM: Code = Code::new(
    "routes.wrong_upstream",
    "a path goes to the wrong program",
    "the client gets another program's answer",
);

fn hint() -> Hint {
    Hint {
        file: "nginx.conf".to_owned(),
        place: Place::of(
            "proxy_set_header X-Forwarded-For",
            "server {\n    proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;\n}\n",
        ),
        within: false,
        because: "appends to what the client sent".to_owned(),
        change: "proxy_set_header X-Forwarded-For $proxy_protocol_addr;".to_owned(),
    }
}

fn forged() -> Finding {
    let mut finding = APPENDED
        .finding()
        .focus(&["X-Forwarded-For"])
        .expected("X-Forwarded-For: 203.0.113.7")
        .observed("X-Forwarded-For: 127.0.0.1, 203.0.113.7")
        .evidence(0, "client", "sends the head")
        .evidence(1204, "cpa", "has the head");
    finding.sent = Some(Exhibit {
        text: "GET /v0/management/config HTTP/1.1\nHost: api.example.org\nX-Forwarded-For: 127.0.0.1\n\n".to_owned(),
        place: "from 203.0.113.7 (PROXY v1)".to_owned(),
    });
    finding.arrived = vec![Exhibit {
        text: "GET /v0/management/config HTTP/1.1\nHost: api.example.org\nX-Forwarded-For: 127.0.0.1, 203.0.113.7\n\n"
            .to_owned(),
        place: "at cpa, connection #4, request 1".to_owned(),
    }];
    finding.hint = Some(hint());
    finding.rerun = "proxyproof run nginx -f identity/forged_forwarded_for@h1".to_owned();
    finding
}

fn row(target: &str) -> Finding {
    WRONG_UPSTREAM
        .finding()
        .subject(target)
        .expected("at usage")
        .observed("at cpa")
}

fn outcome(id: &str, level: Level, protocol: &str, verdict: Verdict) -> Outcome {
    Outcome {
        id: id.to_owned(),
        claim: "something holds".to_owned(),
        level,
        protocol: protocol.to_owned(),
        verdict,
        reason: None,
        duration_ms: 12,
        findings: Vec::new(),
        records: std::collections::BTreeMap::new(),
        unstable: std::collections::BTreeMap::new(),
    }
}

fn result() -> SuiteResult {
    let table = Outcome {
        findings: ["/health", "/status", "/setup", "/a", "/b", "/c", "/d", "/e"]
            .map(row)
            .to_vec(),
        ..outcome("routes/table", Level::Required, "h1", Verdict::Fail)
    };
    let identity = ["h1", "h2", "chain-h1", "chain-h2"].map(|protocol| Outcome {
        findings: vec![forged()],
        ..outcome(
            "identity/forged_forwarded_for",
            Level::Required,
            protocol,
            Verdict::Fail,
        )
    });
    let doubled = Outcome {
        findings: vec![forged()],
        ..outcome(
            "identity/doubled_forwarded_for",
            Level::Recommended,
            "h1",
            Verdict::Fail,
        )
    };
    let front = Outcome {
        findings: vec![row("/v1").blame(Blame::Front, "the front did not dial the candidate")],
        ..outcome(
            "front/alpn_split",
            Level::Required,
            "chain-h2",
            Verdict::Fail,
        )
    };
    let reasoned = |id, verdict, reason: &str| Outcome {
        reason: Some(reason.to_owned()),
        ..outcome(id, Level::Required, "h2", verdict)
    };
    let mut scenarios = vec![table];
    scenarios.extend(identity);
    scenarios.extend([
        doubled,
        front,
        outcome("streaming/clean_end", Level::Required, "h1", Verdict::Pass),
        reasoned(
            "streaming/comments",
            Verdict::Broken,
            "did not end within 20 s: waited for the next piece",
        ),
        reasoned(
            "websocket/extended_connect",
            Verdict::Skipped,
            "needs extended_connect",
        ),
        reasoned("websocket/pings", Verdict::Known, "no pings before 2.0"),
    ]);
    SuiteResult {
        schema: SCHEMA,
        tool: Tool {
            name: "proxyproof".to_owned(),
            version: "0.1.0".to_owned(),
        },
        candidate: CandidateName {
            name: "nginx".to_owned(),
            version: "1.22.1".to_owned(),
            launch: "process".to_owned(),
        },
        deployment: "cpa-two-hosts".to_owned(),
        site: Vec::new(),
        command: "proxyproof run nginx".to_owned(),
        summary: Summary::of(&scenarios),
        duration_ms: 2140,
        rounds: 1,
        interrupted: false,
        scenarios,
        stale_gaps: vec![StaleGap {
            pattern: "http/*".to_owned(),
            reason: "hyper refuses them".to_owned(),
        }],
    }
}

#[test]
fn terminal() {
    insta::assert_snapshot!(
        Terminal {
            width: Some(100),
            ..Terminal::default()
        }
        .render(&result())
    );
}

#[test]
fn terminal_verbose() {
    insta::assert_snapshot!(
        Terminal {
            detail: Detail::Verbose,
            ..Terminal::default()
        }
        .render(&result())
    );
}

#[test]
fn terminal_quiet() {
    insta::assert_snapshot!(
        Terminal {
            detail: Detail::Quiet,
            ..Terminal::default()
        }
        .render(&result())
    );
}

#[test]
fn junit() {
    let mut xml = Vec::new();
    write_junit(&[result()], &mut xml).expect("a vector takes everything");
    insta::assert_snapshot!(String::from_utf8(xml).expect("XML is text"));
}

#[test]
fn json_reads_back() {
    let mut json = Vec::new();
    write_json(&[result()], &mut json).expect("a vector takes everything");
    let json = String::from_utf8(json).expect("JSON is text");
    assert_eq!(read_json(&json).expect("what we wrote"), result());
    let value: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    insta::assert_snapshot!(
        serde_json::to_string_pretty(&serde_json::json!({
            "summary": value["summary"], "tool": value["tool"], "candidate": value["candidate"], "second": value["scenarios"][1],
        }))
        .expect("JSON")
    );
}

/// `UPDATE=1 cargo test -p proxyproof-harness --test reports` writes the files anew.
#[test]
fn the_published_schemas_are_fresh() {
    for (name, schema) in [
        ("report.schema.json", schema()),
        ("candidate.schema.json", manifest_schema()),
        ("deployment.schema.json", deployment_schema()),
    ] {
        let file = format!("{}/../docs/{name}", env!("CARGO_MANIFEST_DIR"));
        if std::env::var_os("UPDATE").is_some() {
            std::fs::write(&file, &schema).expect("docs/ is there");
        }
        let published = std::fs::read_to_string(&file).unwrap_or_default();
        assert!(
            published == schema,
            "docs/{name} is stale: run this test with UPDATE=1"
        );
    }
}

/// What editors check a manifest with says the same as the command does.
#[test]
fn the_published_schema_takes_the_manifests_that_the_command_takes() {
    let schema = serde_json::from_str(&manifest_schema()).expect("the schema is JSON");
    let validator = jsonschema::validator_for(&schema).expect("the schema is a schema");
    let read = |text: &str| -> serde_json::Value { toml::from_str(text).expect("TOML") };
    let mut seen = 0;
    for folder in std::fs::read_dir("../candidates").expect("it is there") {
        let path = folder.expect("readable").path().join("candidate.toml");
        let Ok(text) = std::fs::read_to_string(&path) else {
            continue;
        };
        let manifest = read(&text);
        let told = validator.validate(&manifest);
        assert!(told.is_ok(), "{}: {told:?}", path.display());
        seen += 1;
    }
    assert!(seen >= 6, "{seen} manifests");
    for wrong in [
        "about = \"no name\"\nfeatures = []\n[launch]\nbinary = \"x\"\n",
        "name = \"x\"\nabout = \"\"\nfeatures = [\"http_onee\"]\n[launch]\nbinary = \"x\"\n",
        "name = \"x\"\nabout = \"\"\nfeatures = []\n[launch]\nbinary = 3\n",
        "name = \"x\"\nabout = \"\"\nfeatures = []\n[launch]\nbinary = \"x\"\nargs = []\n",
        "name = \"x\"\nabout = \"\"\nfeatures = []\n[launch]\nbinary = \"x\"\n[[hint]]\nchange = \"y\"\n",
    ] {
        assert!(!validator.is_valid(&read(wrong)), "{wrong}");
    }
}

/// The same of a deployment: those that come along, and the smallest one of the documentation.
#[test]
fn the_published_schema_takes_the_deployments_that_the_command_takes() {
    let schema = serde_json::from_str(&deployment_schema()).expect("the schema is JSON");
    let validator = jsonschema::validator_for(&schema).expect("the schema is a schema");
    let read = |text: &str| -> serde_json::Value { toml::from_str(text).expect("TOML") };
    let mut texts = Vec::new();
    for file in std::fs::read_dir("../scenarios/deployments").expect("it is there") {
        texts.push(std::fs::read_to_string(file.expect("readable").path()).expect("text"));
    }
    assert!(texts.len() >= 6, "{} deployments", texts.len());
    let documented = std::fs::read_to_string("../docs/deployments.md").expect("it is there");
    let smallest = documented.split("```toml\n").nth(1).expect("an example");
    let smallest = smallest.split("```").next().expect("its text");
    texts.push(smallest.to_owned());
    let streams = format!(
        "{smallest}\n[upstream.ollama]\naddress = \"127.0.0.1:1\"\n\
         endpoints.stream = [\"POST /a\", {{ request = \"POST /b\", media = \"application/x-ndjson\" }}]\n"
    );
    texts.push(streams.clone());
    for text in &texts {
        let site = read(text);
        let told = validator.validate(&site);
        assert!(told.is_ok(), "{told:?}\n{text}");
    }
    for (right, wrong) in [
        ("name = ", "nmae = "),
        ("front = \"none\"", "front = \"nothing\""),
        ("tls = true", "tls = 1"),
        ("upstream = \"litellm\"", "upstream = 3"),
        ("endpoints.stream", "endpoints.strem"),
        ("media = ", "type = "),
    ] {
        assert!(streams.contains(right), "{right}");
        let wrong = streams.replace(right, wrong);
        assert!(!validator.is_valid(&read(&wrong)), "{wrong}");
    }
}

/// A report that was written is what its schema says.
#[test]
fn a_report_is_what_its_schema_says() {
    let schema = serde_json::from_str(&schema()).expect("the schema is JSON");
    let validator = jsonschema::validator_for(&schema).expect("the schema is a schema");
    let mut json = Vec::new();
    write_json(&[result()], &mut json).expect("a vector takes everything");
    let mut report: serde_json::Value = serde_json::from_slice(&json).expect("JSON");
    let told = validator.validate(&report);
    assert!(told.is_ok(), "{told:?}");
    report["scenarios"][0]["verdict"] = "perhaps".into();
    assert!(!validator.is_valid(&report));
    let mut json = Vec::new();
    write_json(&two_sites(), &mut json).expect("a vector takes everything");
    let mut report: serde_json::Value = serde_json::from_slice(&json).expect("JSON");
    let told = validator.validate(&report);
    assert!(told.is_ok(), "{told:?}");
    let failed = |report: &serde_json::Value| report["summary"]["required_failed"].as_u64();
    let (one, other) = (&report["sites"][0], &report["sites"][1]);
    assert_eq!(
        failed(&report),
        failed(one)
            .zip(failed(other))
            .map(|(one, other)| one + other)
    );
    assert_ne!(failed(one), Some(0));
    report["sites"][1]["scenarios"][0]["verdict"] = "perhaps".into();
    assert!(!validator.is_valid(&report));
}

/// Two sites of one file.
fn two_sites() -> [SuiteResult; 2] {
    let other = SuiteResult {
        deployment: "chat.example.net".to_owned(),
        ..result()
    };
    [result(), other]
}

#[test]
fn several_sites_are_told_apart() {
    let closing = Terminal::default().sites(&two_sites());
    let mut xml = Vec::new();
    write_junit(&two_sites(), &mut xml).expect("a vector takes everything");
    let xml = String::from_utf8(xml).expect("XML is text");
    let suites = xml.lines().filter(|line| line.contains("<testsuite "));
    let suites: Vec<&str> = suites.map(str::trim).collect();
    insta::assert_snapshot!(format!("{closing}\n{}\n", suites.join("\n")));
    assert_eq!(Terminal::default().sites(&[result()]), "");
}
