//! scratch
use proxyproof_mocks::upstream::cpa::{AllowRemote, Cpa};
#[tokio::main]
async fn main() {
    let mut cpa = Cpa::new();
    let mut args = std::env::args().skip(1);
    while let Some(a) = args.next() {
        cpa = match a.as_str() {
            "--allow-remote" => cpa.allow_remote(AllowRemote::Yes),
            "--no-management" => cpa.management_key(None),
            "--api-key" => cpa.api_key(args.next().unwrap()),
            "--keepalive" => cpa.keepalive_seconds(args.next().unwrap().parse().unwrap()),
            "--nonstream" => cpa.nonstream_keepalive(args.next().unwrap().parse().unwrap()),
            _ => panic!("{a}"),
        };
    }
    let running = cpa.start().await.unwrap();
    println!("{}", running.address().port());
    std::future::pending::<()>().await;
}
