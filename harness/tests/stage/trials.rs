//! Candidates that behave, refuse, hang and die.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use proxyproof_harness::stage::Relays;
use proxyproof_harness::{Blame, HarnessError, Patience, Protocol, RunningStage, Stage};
use proxyproof_mocks::{PROBE_HEADER, ProbeId};

use crate::candidates;

/// Runs a future to its end.
pub(crate) fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime")
        .block_on(future)
}

/// A stage around the relay.
pub(crate) fn stage(behaviour: &str) -> Stage {
    Stage::of(&candidates::relay(behaviour)).deployment(&candidates::deployment())
}

/// Sends a GET with a PROXY header to an address; what was answered, if anything.
pub(crate) fn get(address: SocketAddr, target: &str, probe: ProbeId) -> String {
    let mut stream = TcpStream::connect(address).expect("it listens");
    let request = format!(
        "PROXY TCP4 203.0.113.7 127.0.0.1 5555 443\r\nGET {target} HTTP/1.1\r\nHost: api.example.org\r\n\
         {PROBE_HEADER}: {probe}\r\nConnection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).expect("it reads");
    let mut answer = String::new();
    let _ = stream.read_to_string(&mut answer);
    answer
}

async fn asked(stage: &RunningStage) {
    let (address, probe) = (stage.listener(Protocol::H1), ProbeId::fresh());
    let asking = tokio::task::spawn_blocking(move || get(address, "/healthz", probe));
    let answer = asking.await.expect("no panic");
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    let arrivals = stage.ledger().arrivals(probe);
    assert_eq!(arrivals.len(), 1);
    assert_eq!(&*arrivals[0].upstream, "cpa");
}

fn refusal(behaviour: &str) -> HarnessError {
    let patience = Patience::new("startup", Duration::from_millis(300));
    run(stage(behaviour).patience(patience).start()).expect_err("it does not start")
}

pub(crate) fn a_request_arrives_through_the_candidate() {
    run(async {
        let stage = stage("serve").start().await.expect("it serves");
        assert!(stage.offers(Protocol::H1) && stage.offers(Protocol::ChainH1));
        assert!(!stage.offers(Protocol::H2) && !stage.offers(Protocol::ChainH2));
        asked(&stage).await;
        stage.check_alive().expect("it lives");
        stage.stop().await.expect("it stops");
    });
}

pub(crate) fn a_relay_can_stand_between() {
    run(async {
        let stage = stage("serve").relays(Relays::Between).start().await;
        let stage = stage.expect("it serves");
        asked(&stage).await;
        let relay = stage.relays("cpa").expect("a relay stands before CPA");
        assert_ne!(relay.servers()[0].address(), stage.cpa().address());
        relay.refuse().await;
        let (address, probe) = (stage.listener(Protocol::H1), ProbeId::fresh());
        let asking = tokio::task::spawn_blocking(move || get(address, "/healthz", probe));
        assert_eq!(asking.await.expect("no panic"), "");
        assert!(stage.ledger().arrivals(probe).is_empty());
    });
}

pub(crate) fn a_refusal_is_told_in_the_candidates_words() {
    let error = refusal("refuse");
    let HarnessError::Refused { ending, words, .. } = &error else {
        panic!("{error:?}")
    };
    assert_eq!(ending, "exit code 7");
    // The private copy is the user's file to the user.
    let [line] = &words[..] else {
        panic!("{words:?}")
    };
    assert!(
        line.ends_with("/relay.conf: line 1: I would rather not"),
        "{line}"
    );
    assert!(!line.contains("proxyproof-"), "{line}");
    assert_eq!(error.blame(), Blame::Candidate);
    assert_eq!(
        error.to_string(),
        "candidate `relay` refused to start (exit code 7)"
    );
}

pub(crate) fn a_candidate_that_hangs_is_given_up() {
    let error = refusal("hang");
    let HarnessError::NotReady { ran_out, .. } = &error else {
        panic!("{error:?}")
    };
    assert_eq!(
        ran_out.awaited,
        "a request through the h1 listener to arrive"
    );
    let seen = ran_out.last_seen.as_deref().unwrap_or_default();
    assert!(seen.starts_with("connect: "), "{seen}");
}

pub(crate) fn another_program_on_the_port_is_not_the_candidate() {
    let error = refusal("impostor");
    let HarnessError::NotReady { ran_out, .. } = &error else {
        panic!("{error:?}")
    };
    assert_eq!(
        ran_out.last_seen.as_deref(),
        Some("answered `HTTP/1.1 200 OK`, and nothing arrived")
    );
}

pub(crate) fn a_candidate_that_dies_is_noticed() {
    run(async {
        let stage = stage("serve").start().await.expect("it serves");
        let address = stage.listener(Protocol::H1);
        let asking = tokio::task::spawn_blocking(move || get(address, "/die", ProbeId::fresh()));
        asking.await.expect("no panic");
        stage.ended().await;
        let died = stage.check_alive().expect_err("it is dead");
        assert_eq!(died.to_string(), "candidate `relay` died (exit code 7)");
        let HarnessError::Died { words, .. } = died else {
            panic!("{died:?}")
        };
        assert_eq!(words, ["that was too much"]);
        assert!(matches!(stage.stop().await, Err(HarnessError::Died { .. })));
    });
}

pub(crate) fn a_taken_port_is_chosen_again() {
    run(async {
        let stage = stage("taken once").start().await.expect("the second time");
        asked(&stage).await;
    });
}

pub(crate) fn a_port_that_is_always_taken_is_told() {
    let error = refusal("taken");
    let HarnessError::Refused { words, .. } = &error else {
        panic!("{error:?}")
    };
    assert_eq!(words, &["bind: Address already in use (os error 98)"]);
}

pub(crate) fn a_wrong_template_is_told_at_its_place() {
    let folder = candidates::folder("serve\n{{ listeners[0].adress }}\n");
    let manifest = folder.path().join("candidate.toml");
    let text = std::fs::read_to_string(&manifest).expect("it was written");
    std::fs::write(manifest, format!("{text}role = \"template\"\n")).expect("writable");
    let stage = Stage::of(&candidates::named(folder.path()));
    let error = run(stage.deployment(&candidates::deployment()).start()).expect_err("it is wrong");
    let HarnessError::Document(error) = error else {
        panic!("{error:?}")
    };
    assert!(error.file.ends_with("/relay.conf"));
    assert_eq!(error.position().map(|(line, _)| line), Some(2));
}
