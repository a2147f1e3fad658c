//! A real NGINX, where it is installed.

use proxyproof_harness::routes::{Trial, TrialResult};
use proxyproof_harness::stage::RunningStage;
use proxyproof_harness::{Candidate, HarnessError, Patience, Protocol, Stage};
use proxyproof_mocks::ProbeId;

use crate::trials::{get, run};

/// Why these tests are ignored, if they are; where everything has to be tested, they are not.
pub(crate) fn missing() -> Option<String> {
    let everything = std::env::var("CI").is_ok_and(|value| value == "true");
    let missing = candidate("nginx").installation().err();
    missing
        .filter(|_| !everything)
        .map(|error| error.to_string())
}

pub(crate) fn is_staged_with_both_configurations() {
    for (name, file) in [
        ("nginx", "published.conf"),
        ("nginx-corrected", "corrected.conf"),
    ] {
        run(async {
            let candidate = candidate(name).installed().expect("NGINX is installed");
            assert!(
                candidate
                    .version
                    .as_ref()
                    .is_some_and(|version| version.contains('.'))
            );
            let stage = Stage::of(&candidate).start().await;
            let stage = stage.unwrap_or_else(|error| panic!("{error} {error:?}"));
            for protocol in Protocol::ALL {
                assert!(stage.offers(protocol), "{protocol}");
            }
            passes_on(&stage, "/healthz", "cpa").await;
            passes_on(&stage, "/health", "usage").await;
            let hint = stage
                .hint("identity.forwarded_for_appended")
                .expect("a hint");
            assert_eq!(hint.file, file);
            stage.validate().await.expect("it is right");
            survives_a_reload(&stage).await;
            a_broken_file_is_told(&stage, file).await;
            stage.terminate().await.expect("it drains");
            stage.check_alive().expect("it was told to end");
            stage.stop().await.expect("it stops");
        });
    }
}

pub(crate) async fn passes_on(stage: &RunningStage, target: &'static str, upstream: &str) {
    let (address, probe) = (stage.listener(Protocol::H1), ProbeId::fresh());
    let asking = tokio::task::spawn_blocking(move || get(address, target, probe));
    let answer = asking.await.expect("no panic");
    let arrivals = stage.ledger().arrivals(probe);
    assert_eq!(arrivals.len(), 1, "{answer}");
    assert_eq!(&*arrivals[0].upstream, upstream);
    assert_eq!(
        arrivals[0].head.first("x-real-ip").as_deref(),
        Some("203.0.113.7")
    );
}

async fn survives_a_reload(stage: &RunningStage) {
    stage.reload().expect("it lives");
    let reloaded = Patience::RELOAD.eventually("the reload in the log", || {
        let log = stage.log_tail();
        let done = log.iter().any(|line| line.contains("reconfiguring"));
        std::future::ready(done.then_some(()).ok_or_else(|| log.join("\n")))
    });
    reloaded.await.unwrap_or_else(|ran_out| panic!("{ran_out}"));
    passes_on(stage, "/healthz", "cpa").await;
}

async fn a_broken_file_is_told(stage: &RunningStage, name: &str) {
    let configuration = stage.configuration();
    let files = configuration.files();
    let file = files
        .iter()
        .find(|file| file.name == name)
        .expect("its own");
    let broken = file
        .text
        .replace("proxy_buffering off;", "proxy_bufering off;");
    let line = file.text[..file.text.find("proxy_buffering off;").expect("it has one")]
        .matches('\n')
        .count()
        + 1;
    configuration.rewrite(name, &broken).expect("writable");
    let Err(HarnessError::Invalid { words, .. }) = stage.validate().await else {
        panic!("NGINX knows no `proxy_bufering`")
    };
    let said = format!("unknown directive \"proxy_bufering\" in {name}:{line}");
    assert!(words.iter().any(|line| line.ends_with(&said)), "{words:?}");
    configuration.rewrite(name, &file.text).expect("writable");
}

fn candidate(name: &str) -> Candidate {
    Candidate::named(name).expect("it is in the gallery")
}

pub(crate) fn agrees_with_the_oracle() {
    run(async {
        let generated = tried(Trial::of_generated_tables(&installed("nginx")).cases(4000)).await;
        assert_eq!(generated.tried.tables, 4);
        let given = tried(Trial::of(&installed("nginx")).cases(600)).await;
        let corrected = tried(Trial::of(&installed("nginx-corrected")).cases(600)).await;
        for result in [generated, given, corrected] {
            assert!(result.tried.requests > result.tried.pairs, "{result:?}");
            let texts: String = result
                .disagreements
                .iter()
                .map(|found| found.text())
                .collect();
            assert!(texts.is_empty(), "{texts}");
        }
    });
}

/// The candidate loads another upstream for one location than the oracle reads.
pub(crate) fn disagreements_are_found_and_shrunk() {
    run(async {
        let twist = |text: &str| {
            let own = "location = /setup { proxy_pass http://cpa_usage_backend; }";
            assert!(text.contains(own) || !text.contains("/setup"), "{text}");
            text.replace(own, "location = /setup { proxy_pass http://cpa_backend; }")
        };
        let trial = Trial::of(&installed("nginx")).cases(6000).twist(twist);
        let result = tried(trial).await;
        let found = result.disagreements.first().expect("it is found");
        assert!(found.shrunk);
        assert_eq!(found.target, "/setup");
        assert_eq!(
            found.configuration.matches("location ").count(),
            1,
            "{}",
            found.configuration
        );
        assert!(found.configuration.contains("location = /setup"));
        assert_eq!(found.said, "cpa_usage_backend gets /setup");
        assert_eq!(found.observed, "127.0.0.1:8317 gets /setup");
        assert!(found.curl.contains("--path-as-is"), "{}", found.curl);
        assert!(
            found.why[0].contains("it is exactly this path"),
            "{:?}",
            found.why
        );
    });
}

async fn tried(trial: Trial) -> TrialResult {
    let result = trial.seed(1).run(&mut |_| {}, std::future::pending()).await;
    let result = result.unwrap_or_else(|error| panic!("{error} {error:?}"));
    result.expect("it has a configuration in NGINX's language")
}

fn installed(name: &str) -> Candidate {
    candidate(name).installed().expect("NGINX is installed")
}
