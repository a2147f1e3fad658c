//! What the compiler can't see about the list of scenarios.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use proxyproof_harness::Level;
use proxyproof_reference::Defect;
use proxyproof_scenarios::all;

#[test]
fn every_file_is_the_scenario_of_its_name() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = BTreeSet::new();
    for topic in fs::read_dir(source)
        .expect("src/ is there")
        .flatten()
        .filter(|entry| entry.path().is_dir())
    {
        for file in fs::read_dir(topic.path())
            .expect("a topic is a folder")
            .flatten()
        {
            let path = file.path();
            let stem = path
                .file_stem()
                .expect("a file has a name")
                .to_string_lossy()
                .into_owned();
            if path.extension().is_some_and(|extension| extension == "rs") && stem != "mod" {
                files.insert(format!("{}/{stem}", topic.file_name().to_string_lossy()));
            }
        }
    }
    let ids: BTreeSet<String> = all()
        .iter()
        .map(|scenario| scenario.id.to_owned())
        .collect();
    assert_eq!(files, ids, "files on the left, ids on the right");
    assert_eq!(ids.len(), all().len(), "an id is used twice");
}

#[test]
fn every_break_names_a_defect_and_a_code_of_the_scenario() {
    for scenario in all() {
        for broken in scenario.breaks {
            let known = broken.defect.parse::<Defect>();
            assert!(
                known.is_ok() || broken.is_known_gap(),
                "{}: {:?}",
                scenario.id,
                known.map(Defect::name)
            );
            let listed = scenario
                .findings
                .iter()
                .any(|code| code.name == broken.finding);
            assert!(
                listed || scenario.level == Level::Observed,
                "{}: {}",
                scenario.id,
                broken.finding
            );
        }
    }
}

#[test]
fn every_defect_breaks_a_scenario() {
    let all = all();
    let named: BTreeSet<&str> = all
        .iter()
        .flat_map(|scenario| scenario.breaks.iter().map(|broken| broken.defect))
        .collect();
    let defects = Defect::ALL.iter().map(|defect| defect.name());
    let idle: Vec<&str> = defects.filter(|name| !named.contains(name)).collect();
    assert_eq!(idle, [""; 0], "no scenario names them in its `breaks`");
}

#[test]
fn a_code_means_the_same_everywhere() {
    let mut codes = BTreeMap::new();
    for scenario in all() {
        for code in scenario.findings {
            let first = *codes.entry(code.name).or_insert(*code);
            assert_eq!(first, *code, "{}", scenario.id);
            assert!(
                code.name
                    .split_once('.')
                    .is_some_and(|(topic, what)| !topic.is_empty() && !what.is_empty())
            );
        }
    }
}

#[test]
fn sentences_read_like_sentences() {
    for scenario in all() {
        for text in [scenario.claim, scenario.why, scenario.asks] {
            assert!(
                !text.is_empty() && !text.ends_with('.'),
                "{}: {text}",
                scenario.id
            );
        }
        for code in scenario.findings {
            assert!(
                !code.message.ends_with('.') && !code.why.ends_with('.'),
                "{}",
                code.name
            );
        }
    }
}
