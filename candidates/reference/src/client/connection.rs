//! One client connection, from its first request to its end.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::Arc;
use std::task::Poll;

use bytes::BytesMut;
use futures_util::FutureExt as _;
use futures_util::future::Either;
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::time::{Instant, sleep_until};

use super::activity::{LOOK_EVERY, Overdue};
use super::{Activity, ClientStream, Transport};
use crate::config::{Listen, Protocol, Site};
use crate::defect::Defect;
use crate::forward::answer;
use crate::worker::Worker;

/// One client connection, as its requests see it.
pub(crate) struct Client {
    pub(crate) worker: Rc<Worker>,
    pub(crate) activity: Arc<Activity>,
    pub(crate) listen: Arc<Listen>,
    /// The client's address as text; none if the tunnel named nobody.
    pub(super) address: Option<Box<str>>,
}

impl Client {
    /// The client's address as text; none if the tunnel named nobody.
    pub(crate) fn address(&self) -> Option<&str> {
        self.address.as_deref()
    }
}

/// Serves a connection to its end; no `async fn`, which would keep room for the stream twice.
pub(super) fn serve<S: Transport>(
    client: Rc<Client>,
    socket: S,
    early: BytesMut,
    site: &Site,
) -> impl Future<Output = ()> {
    let activity = client.activity.clone();
    let stream = ClientStream::new(socket, early, activity, site.timeouts.linger);
    match client.activity.protocol() {
        Protocol::H1 => Either::Left(serve_http1(stream, client, site)),
        // Its state is larger by far, and would be room in the task of every connection.
        Protocol::H2 => Either::Right(serve_http2(stream, client, site).boxed_local()),
    }
}

async fn serve_http1<S: Transport>(stream: ClientStream<S>, client: Rc<Client>, site: &Site) {
    let activity = client.activity.clone();
    let service =
        service_fn(move |request: http::Request<Incoming>| answer(client.clone(), request));
    let mut builder = http1::Builder::new();
    // Small messages are cheaper copied together than gathered, and the buffer bounds what is held for a slow client.
    builder
        .writev(false)
        .max_buf_size(site.head.request_bytes.max(LEAST_BUFFER));
    if site.head.request_fields != HYPERS_FIELDS {
        builder.max_headers(site.head.request_fields);
    }
    let connection = builder
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    supervise(pin!(connection), &activity, site).await;
}

async fn serve_http2<S: Transport>(stream: ClientStream<S>, client: Rc<Client>, site: &Site) {
    let activity = client.activity.clone();
    let service =
        service_fn(move |request: http::Request<Incoming>| answer(client.clone(), request));
    let mut builder = http2::Builder::new(Local);
    builder
        .max_concurrent_streams(256)
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_send_buf_size(64 << 10)
        .max_header_list_size(u32::try_from(site.head.request_bytes).unwrap_or(u32::MAX));
    if !site.defects.has(Defect::HideExtendedConnect) {
        builder.enable_connect_protocol();
    }
    let connection = builder.serve_connection(TokioIo::new(stream), service);
    supervise(pin!(connection), &activity, site).await;
}

/// Drives a connection, and ends it when it is told to, falls idle or stalls.
async fn supervise<C: GracefulShutdown>(
    mut connection: Pin<&mut C>,
    activity: &Activity,
    site: &Site,
) {
    let mut timer = pin!(sleep_until(
        Instant::now() + site.timeouts.header.min(site.timeouts.idle)
    ));
    let mut is_told = false;
    let mut is_known = false;
    poll_fn(|cx| {
        if !is_known {
            activity.supervised_by(cx.waker());
            is_known = true;
        }
        if activity.is_cut() {
            return Poll::Ready(());
        }
        if activity.is_draining() && !is_told {
            connection.as_mut().graceful_shutdown();
            is_told = true;
        }
        if activity.must_look() && timer.deadline() > Instant::now() + LOOK_EVERY {
            timer.as_mut().reset(Instant::now() + LOOK_EVERY);
        }
        loop {
            if connection.as_mut().poll(cx).is_ready() {
                return Poll::Ready(());
            }
            if timer.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
            match activity.overdue(&site.timeouts) {
                Overdue::Stalled => return Poll::Ready(()),
                Overdue::Not(until) => timer.as_mut().reset(until),
                Overdue::Idle => {
                    connection.as_mut().graceful_shutdown();
                    timer
                        .as_mut()
                        .reset(Instant::now() + site.timeouts.linger.max(site.timeouts.header));
                }
            }
        }
    })
    .await;
}

/// A connection that can be asked to finish what is in flight.
trait GracefulShutdown: Future {
    fn graceful_shutdown(self: Pin<&mut Self>);
}

impl<I, S> GracefulShutdown for http1::UpgradeableConnection<I, S>
where
    Self: Future,
    S: hyper::service::HttpService<Incoming>,
    S::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    I: hyper::rt::Read + hyper::rt::Write + Unpin,
    S::ResBody: hyper::body::Body + 'static,
    <S::ResBody as hyper::body::Body>::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    fn graceful_shutdown(self: Pin<&mut Self>) {
        Self::graceful_shutdown(self);
    }
}

impl<I, S, E> GracefulShutdown for http2::Connection<I, S, E>
where
    Self: Future,
    S: hyper::service::HttpService<Incoming>,
    S::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    I: hyper::rt::Read + hyper::rt::Write + Unpin,
    S::ResBody: hyper::body::Body + 'static,
    <S::ResBody as hyper::body::Body>::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    E: hyper::rt::bounds::Http2ServerConnExec<S::Future, S::ResBody>,
{
    fn graceful_shutdown(self: Pin<&mut Self>) {
        Self::graceful_shutdown(self);
    }
}

/// Runs hyper's tasks on the worker's own thread.
#[derive(Clone, Copy, Debug)]
struct Local;

impl<F: Future<Output = ()> + 'static> hyper::rt::Executor<F> for Local {
    fn execute(&self, task: F) {
        tokio::task::spawn_local(task);
    }
}

/// hyper takes no smaller buffer.
const LEAST_BUFFER: usize = 8 << 10;

/// The number of fields for which hyper has room without an allocation.
const HYPERS_FIELDS: usize = 100;

/// Bytes that one stream may have on the way to an upstream that does not take them.
const STREAM_WINDOW: u32 = 256 << 10;

/// Bytes for all streams of a connection: enough that a few stalled uploads do not hold up the others.
const CONNECTION_WINDOW: u32 = 16 << 20;
