//! A test of one's own proxy: it is a future in the test's process, and the stage stands around it.
//!
//! `cargo test --example own_proxy` runs it; `cargo test --workspace` does, too. The proxy here passes bytes on and
//! knows nothing of HTTP: enough to show what a test looks like, and what is found out about it.

fn main() {}

#[cfg(test)]
mod tests {
    use std::io;

    use proxyproof_harness::candidate::{Listeners, Upstreams};
    use proxyproof_harness::{Ask, Candidate, Protocol, Stage};
    use tokio::io::copy_bidirectional;
    use tokio::net::TcpStream;

    /// The proxy: every connection goes to the AI gateway.
    async fn serve(mut listeners: Listeners, upstreams: Upstreams) -> io::Result<()> {
        let listener = listeners.take(Protocol::H1).expect("the deployment has it");
        loop {
            let (mut client, _) = listener.accept().await?;
            let gateway = upstreams.address("cpa");
            tokio::spawn(async move {
                let mut upstream = TcpStream::connect(gateway).await?;
                copy_bidirectional(&mut client, &mut upstream).await
            });
        }
    }

    #[tokio::test]
    async fn a_request_arrives_as_it_was_sent() {
        let candidate = Candidate::in_process("my-proxy", serve);
        let stage = Stage::of(&candidate).start().await.expect("it serves");
        let ask = Ask::new(&stage, Protocol::H1);

        let seen = ask.exchange(ask.get("/healthz?a=b%2Fc")).await;
        let seen = seen.expect("it could be asked");
        assert_eq!(seen.answer.expect("an answer").status, 200);
        let [arrival] = &*seen.arrivals else {
            panic!("one arrival: {:?}", seen.arrivals)
        };
        assert_eq!(arrival.head.target(), "/healthz?a=b%2Fc");
        assert_eq!(arrival.upstream.as_ref(), "cpa");

        stage.stop().await.expect("it ends");
    }

    #[tokio::test]
    async fn one_that_gives_up_is_told_in_its_own_words() {
        let candidate = Candidate::in_process("quitter", |_, _| async {
            Err(io::Error::other("no disk left"))
        });
        let error = Stage::of(&candidate)
            .start()
            .await
            .expect_err("it serves nobody");
        assert_eq!(
            error.in_full(),
            "candidate `quitter` refused to start (its future failed)\n  | no disk left"
        );
    }
}
