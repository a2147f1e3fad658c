//! An upgraded connection passed through: after a 101 bytes go both ways until CPA ends.

use bytes::BytesMut;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::upstream::socket::{Filled, Socket};

/// Relays between client and CPA, `ahead` first to the client, until CPA's end is over.
pub(super) async fn tunnel(client: &Socket, cpa: TcpStream, ahead: BytesMut) {
    let (mut cpa_read, mut cpa_write) = cpa.into_split();
    let up = async {
        loop {
            let bytes = client.with_buffer(BytesMut::split);
            if cpa_write.write_all(&bytes).await.is_err() {
                return;
            }
            if client.fill().await != Filled::Bytes {
                // The client's end is passed on; CPA may still have something to say.
                let _ = cpa_write.shutdown().await;
                return;
            }
        }
    };
    let down = async {
        let mut bytes = ahead;
        while client.write_all(&bytes).await.is_ok() {
            bytes.clear();
            if !matches!(cpa_read.read_buf(&mut bytes).await, Ok(1..)) {
                return;
            }
        }
    };
    let (mut up, mut down) = (std::pin::pin!(up), std::pin::pin!(down));
    tokio::select! {
        () = &mut down => {}
        () = &mut up => down.await,
    }
}
