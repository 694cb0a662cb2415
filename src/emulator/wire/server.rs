//! The wire: accepts connections, reads requests, sends answers, and does to them what planted
//! faults say.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use http_body_util::BodyExt;
use hyper::StatusCode;
use hyper::body::{Body as HttpBody, Bytes, Frame, Incoming, SizeHint};
use hyper::ext::ReasonPhrase;
use hyper::header::{HeaderName, HeaderValue};
use hyper::service::service_fn;
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::Sleep;
use tokio_rustls::TlsAcceptor;

use super::connections::{Activity, Busy, Connections};
use super::control;
use super::fault::{self, Drop, Effect, Json};
use super::server_state::{LoggedRequest, Shared};
use super::write_timeout::WriteTimeout;
use crate::emulator::datacenter::lock;
use crate::emulator::http::head::Head;
use crate::emulator::http::head::{Request, Response, Twist};
use crate::emulator::http::reply::{Body, Refusal, Reply};
use crate::emulator::http::service::Service;
use crate::emulator::http::stream::{Lines, Socket};

/// How long a client may take for its headers, the first ones as those after a pause.
const HEADER_TIMEOUT: Duration = Duration::from_secs(15);
/// How long a client may take for its handshake or its body, and for reading some of an answer.
const READ_TIMEOUT: Duration = Duration::from_secs(60);
/// A body that is too long is read to here and thrown away, so that its sender sees the answer.
const DRAINED: usize = 1 << 30;
/// Connections at once; more have to wait while there is work on all of them.
pub(crate) const CONNECTIONS: usize = 1024;
/// So many connections that only wait are closed when file handles run out.
const CLOSED_AT_ONCE: usize = 64;
/// After so long it is looked again whether there is room.
const RETRY_PAUSE: Duration = Duration::from_millis(20);

/// Accepts connections, so many at once, until told to stop.
pub(crate) async fn serve(
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    service: Arc<dyn Service>,
    shared: Arc<Shared>,
    mut stop: watch::Receiver<bool>,
    most: usize,
) {
    let mut connections = Connections::new(most);
    loop {
        let room = connections.have_room();
        tokio::select! {
            () = stopped(&mut stop) => break,
            () = connections.ended() => {}
            () = tokio::time::sleep(RETRY_PAUSE), if !room => {}
            accepted = listener.accept(), if room => match accepted {
                Ok((stream, peer)) => {
                    let (tls, service, shared) = (tls.clone(), Arc::clone(&service), Arc::clone(&shared));
                    connections.add(|activity| connection(stream, tls, Caller { peer, service, shared, activity }));
                }
                // Out of file handles, most likely.
                Err(_) => {
                    // Many at once: those who have something to say may stand behind as many more that have not.
                    let closed = (0..CLOSED_AT_ONCE).take_while(|_| connections.close_one()).count();
                    tokio::time::sleep(if closed > 0 { Duration::from_millis(1) } else { RETRY_PAUSE }).await;
                }
            },
        }
    }
    connections.shutdown().await;
}

/// Ends when told to stop, or when nobody is left to tell.
pub(crate) async fn stopped(stop: &mut watch::Receiver<bool>) {
    let _ = stop.wait_for(|stop| *stop).await;
}

/// One end of a connection, and what it speaks to.
struct Caller {
    peer: SocketAddr,
    service: Arc<dyn Service>,
    shared: Arc<Shared>,
    activity: Arc<Activity>,
}

async fn connection(stream: TcpStream, tls: Option<TlsAcceptor>, caller: Caller) {
    let _ = stream.set_nodelay(true);
    match tls {
        None => http(stream, caller).await,
        Some(tls) => {
            if let Ok(Ok(stream)) = tokio::time::timeout(READ_TIMEOUT, tls.accept(stream)).await {
                http(stream, caller).await;
            }
        }
    }
}

/// What a connection leaves behind.
#[derive(Default)]
struct Leftover {
    /// It has become a WebSocket, and what for.
    raised: Mutex<Option<(OnUpgrade, Box<dyn Socket>)>>,
    /// Requests that take their time. As with the real server, they are carried out although nobody waits any more.
    late: Mutex<JoinSet<()>>,
}

async fn http<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(stream: S, caller: Caller) {
    let behind = Leftover::default();
    let service = service_fn(|request| respond(request, &caller, &behind));
    // What ends a connection early is the client's affair, or a fault that was asked for.
    let _ = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIMEOUT)
        .auto_date_header(false)
        .title_case_headers(true)
        .serve_connection(TokioIo::new(WriteTimeout::new(stream, READ_TIMEOUT)), service)
        .with_upgrades()
        .await;
    // What is left is work too, though there may be nobody who waits for it.
    let _busy = caller.activity.begin();
    let mut late = std::mem::take(&mut *lock(&behind.late));
    while late.join_next().await.is_some() {}
    let raised = lock(&behind.raised).take();
    if let Some((upgrade, socket)) = raised
        && let Ok(stream) = upgrade.await
    {
        caller.shared.sockets.serve(TokioIo::new(stream), socket).await;
    }
}

/// An answer that is kept back, by closing the connection.
#[derive(Debug)]
struct Dropped;

impl std::fmt::Display for Dropped {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("dropped")
    }
}

impl std::error::Error for Dropped {}

async fn respond(
    mut request: hyper::Request<Incoming>,
    caller: &Caller,
    behind: &Leftover,
) -> Result<hyper::Response<WireBody>, Dropped> {
    let (busy, began) = (caller.activity.begin(), Instant::now());
    let Caller { peer, service, shared, .. } = caller;
    let upgrade = hyper::upgrade::on(&mut request);
    let (parts, body) = request.into_parts();
    let target = parts.uri.path_and_query().map_or("/", |target| target.as_str()).to_owned();
    let authority = parts.uri.authority().map(|authority| authority.as_str().to_owned());
    let head = Head { method: parts.method.as_str().to_owned(), target, headers: parts.headers };
    let (body, too_long) = tokio::time::timeout(READ_TIMEOUT, read(body, service.largest_body()))
        .await
        .map_err(|_| Dropped)?
        .ok_or(Dropped)?;
    let mut asked = Request { head, body, too_long, ip: peer.ip().to_string(), twist: Twist::default() };
    if asked.head.path() == "/--emulator" || asked.head.path().starts_with("/--emulator/") {
        let reply = control::answer(shared, &asked, peer.ip(), authority.as_deref());
        let answered = Response { reply, signed_by: None, mute: false, early: true, methods: Vec::new() };
        return Ok(response(service.as_ref(), &asked.head, answered, &Effect::default(), began, busy));
    }

    let effect = {
        let path = asked.head.path();
        let below = service.below_account(path);
        let (service, now) = (service.name(), shared.cloud.clock.now());
        let asked = fault::Asked { method: &asked.head.method, path, below, service, now };
        lock(&shared.faults).strike(asked).unwrap_or_default()
    };
    let seen = LoggedRequest {
        method: asked.head.method.clone(),
        path_and_query: asked.head.target.clone(),
        status: 0,
        signed_by: None,
        bytes: 0,
        faults: effect.by.clone(),
    };
    if effect.hang {
        shared.saw(seen);
        return std::future::pending().await;
    }
    let wait = shared.latency.saturating_add(effect.delay.unwrap_or_default());
    asked.twist = effect.twist.clone();
    let fate = if wait.is_zero() {
        carry_out(service.as_ref(), shared, asked, &effect, seen).await
    } else {
        let (tell, told) = tokio::sync::oneshot::channel();
        let (service, shared, effect) = (Arc::clone(service), Arc::clone(shared), effect.clone());
        lock(&behind.late).spawn(async move {
            tokio::time::sleep(wait).await;
            let _ = tell.send(carry_out(service.as_ref(), &shared, asked, &effect, seen).await);
        });
        told.await.map_err(|_| Dropped)?
    };
    let (asked, mut answered) = match fate {
        Ok(answered) => answered,
        Err(NoReply::Dropped) => return Err(Dropped),
        Err(NoReply::Mute) => return std::future::pending().await,
    };
    if let Body::Socket(socket) = &mut answered.reply.body
        && let Some(socket) = socket.take()
    {
        *lock(&behind.raised) = Some((upgrade, socket));
    }
    Ok(response(service.as_ref(), &asked.head, answered, &effect, began, busy))
}

/// How often it is looked whether an answer is there that comes later.
const LOOK: Duration = Duration::from_millis(50);

/// Why nothing is answered.
enum NoReply {
    /// The connection is closed in the place of an answer.
    Dropped,
    /// Nothing ever comes.
    Mute,
}

/// Does what is asked for, and to its answer what the planted fault says.
async fn carry_out(
    service: &dyn Service,
    shared: &Shared,
    asked: Request,
    effect: &Effect,
    mut seen: LoggedRequest,
) -> Result<(Request, Response), NoReply> {
    if effect.drop == Some(Drop::Before) {
        shared.saw(seen);
        return Err(NoReply::Dropped);
    }
    let mut answered = match injected_reply(effect) {
        Some(reply) => Response { reply, signed_by: None, mute: false, early: effect.html, methods: Vec::new() },
        None => service.answer(&asked),
    };
    seen.signed_by.clone_from(&answered.signed_by);
    if answered.mute {
        shared.saw(seen);
        return Err(NoReply::Mute);
    }
    while let Body::Later(later) = &mut answered.reply.body {
        match later.now() {
            Some(reply) => answered.reply = reply,
            None => tokio::time::sleep(LOOK).await,
        }
    }
    seen.bytes = answered.reply.body.bytes().len();
    if effect.empty && answered.reply.status < 300 {
        answered.reply = Reply::empty(204);
    }
    if let (Some(json), Body::Json(bytes)) = (effect.json, &mut answered.reply.body) {
        corrupt_json(json, bytes);
    }
    if effect.drop == Some(Drop::After) {
        shared.saw(seen);
        return Err(NoReply::Dropped);
    }
    seen.status = answered.reply.status;
    shared.saw(seen);
    Ok((asked, answered))
}

/// Puts something else in the place of a body's JSON.
fn corrupt_json(json: Json, bytes: &mut Vec<u8>) {
    match json {
        Json::Cut => bytes.truncate(bytes.len() / 2),
        Json::Wrong if bytes.first() == Some(&b'[') => *bytes = br#"{"planted":"fault"}"#.to_vec(),
        Json::Wrong => *bytes = br#"["planted fault"]"#.to_vec(),
    }
}

/// The answer that a fault puts in the place of the real one.
fn injected_reply(effect: &Effect) -> Option<Reply> {
    if effect.html {
        let page = "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n\
                    <center><h1>502 Bad Gateway</h1></center>\r\n</body>\r\n</html>\r\n";
        let status = effect.status.unwrap_or(502);
        return Some(Reply { status, headers: Vec::new(), body: Body::Html(page.as_bytes().to_vec()), made: None });
    }
    let status = effect.status.or(if effect.big > 0 { Some(500) } else { None })?;
    let code = match (effect.code.as_deref(), status) {
        (Some(code), _) => code,
        (None, 401) => "InvalidCredentials",
        (None, 403) => "NotAuthorized",
        (None, 404) => "ResourceNotFound",
        (None, 409) => "InvalidArgument",
        (None, 429) => "TooManyRequestsError",
        (None, 503) => "ServiceUnavailableError",
        (None, _) => "InternalError",
    };
    let words =
        if effect.big > 0 { "x".repeat(effect.big) } else { effect.words.unwrap_or("planted fault").to_owned() };
    let mut refusal = Refusal::new(status, code, words);
    if let Some(seconds) = effect.retry_after {
        refusal = refusal.header("Retry-After", seconds.to_string());
    }
    Some(refusal.into_reply())
}

/// Reads a body as far as it is taken, and whether there was more. `None` if it broke off.
async fn read(mut body: Incoming, most: usize) -> Option<(Vec<u8>, bool)> {
    let mut bytes = Vec::new();
    let mut all = 0_usize;
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.ok()?.into_data() else { continue };
        all = all.saturating_add(data.len());
        if all <= most {
            bytes.extend_from_slice(&data);
        } else if all > DRAINED {
            break;
        }
    }
    Some((bytes, all > most))
}

fn response(
    service: &dyn Service,
    head: &Head,
    answered: Response,
    effect: &Effect,
    began: Instant,
    busy: Busy,
) -> hyper::Response<WireBody> {
    let headers = service.headers(head, &answered, began.elapsed().as_millis());
    let mut lines = None;
    let (bytes, kind) = match answered.reply.body {
        Body::Lines(mut coming) => {
            // What is to be cut is cut among the first of them.
            let breaks = effect.cut.is_some() || effect.drop == Some(Drop::Amid);
            let first = if breaks { coming.now() } else { Vec::new() };
            lines = (!breaks).then_some(coming);
            (first, Kind::Chunked)
        }
        Body::Chunked => (Vec::new(), Kind::Chunked),
        Body::Empty | Body::Socket(_) | Body::Later(_) => (Vec::new(), Kind::Whole),
        Body::Json(bytes) | Body::Text(bytes) | Body::Html(bytes) => (bytes, Kind::Whole),
    };
    let mut body =
        WireBody { data: Some(Bytes::from(bytes)), kind, lines, pause: None, drip: effect.drip, _busy: busy };
    let cut = match effect.drop {
        Some(Drop::Amid) => body.data.as_ref().map(|data| data.len() / 2),
        _ => effect.cut,
    };
    if let Some(data) = &mut body.data
        && let Some(cut) = cut.filter(|cut| *cut < data.len())
    {
        let whole = data.len();
        data.truncate(cut);
        body.kind = Kind::Cut(whole);
    }
    // More than comes, or less than there is; then the connection is of no use any more.
    if let (Some(off), Some(data), Kind::Whole) = (effect.length, &mut body.data, body.kind) {
        let whole = i64::try_from(data.len()).unwrap_or(i64::MAX).saturating_add(off).max(0);
        let whole = usize::try_from(whole).unwrap_or(0);
        if off < 0 {
            data.truncate(whole);
        } else {
            body.kind = Kind::Cut(whole);
        }
    }
    let status = StatusCode::from_u16(answered.reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = hyper::Response::new(body);
    *response.status_mut() = status;
    if status == StatusCode::SWITCHING_PROTOCOLS {
        response.extensions_mut().insert(ReasonPhrase::from_static(b"The Watershed Moment"));
    }
    for (name, value) in headers {
        // A header that cannot be written, such as one that echoes odd bytes, is left out.
        if let (Ok(name), Ok(value)) =
            (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_bytes(value.as_bytes()))
        {
            response.headers_mut().append(name, value);
        }
    }
    if effect.close {
        response.headers_mut().insert(hyper::header::CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

/// A body on its way out.
#[derive(Debug)]
pub(crate) struct WireBody {
    data: Option<Bytes>,
    kind: Kind,
    /// What comes after, over time.
    lines: Option<Box<dyn Lines>>,
    /// What has been sent must be on its way before the connection is broken, or more is sent.
    pause: Option<Pin<Box<Sleep>>>,
    /// How many bytes go in a second, if not all at once.
    drip: Option<u64>,
    /// There is work on the connection until it is gone.
    _busy: Busy,
}

/// How often a body that comes slowly moves on.
const DRIP: Duration = Duration::from_millis(100);

#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    /// With a length.
    Whole,
    /// Without.
    Chunked,
    /// With a length that it will never reach.
    Cut(usize),
}

impl HttpBody for WireBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        if let Some(drip) = self.drip.filter(|_| self.data.as_ref().is_some_and(|data| !data.is_empty())) {
            let pause = self.pause.get_or_insert_with(|| Box::pin(tokio::time::sleep(DRIP)));
            ready!(pause.as_mut().poll(context));
            self.pause = None;
            let part = usize::try_from(drip / 10).unwrap_or(usize::MAX).max(1);
            let next = self.data.as_mut().map(|data| data.split_to(part.min(data.len())));
            return Poll::Ready(next.map(|data| Ok(Frame::data(data))));
        }
        if let Some(data) = self.data.take().filter(|data| !data.is_empty()) {
            return Poll::Ready(Some(Ok(Frame::data(data))));
        }
        if let Some(lines) = &mut self.lines {
            return lines.poll(context).map(|bytes| bytes.map(|bytes| Ok(Frame::data(bytes))));
        }
        if !matches!(self.kind, Kind::Cut(_)) {
            return Poll::Ready(None);
        }
        let pause = self.pause.get_or_insert_with(|| Box::pin(tokio::time::sleep(Duration::from_millis(50))));
        ready!(pause.as_mut().poll(context));
        Poll::Ready(Some(Err(io::Error::other("cut"))))
    }

    fn is_end_stream(&self) -> bool {
        self.kind == Kind::Whole && self.data.as_ref().is_none_or(Bytes::is_empty)
    }

    fn size_hint(&self) -> SizeHint {
        match self.kind {
            Kind::Whole => SizeHint::with_exact(self.data.as_ref().map_or(0, |data| data.len() as u64)),
            Kind::Chunked => SizeHint::new(),
            Kind::Cut(whole) => SizeHint::with_exact(whole as u64),
        }
    }
}
