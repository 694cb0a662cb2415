//! Sends a request whose target a URL cannot hold: `.` and `..` as steps of a path, also percent-encoded, which every
//! reader of URLs resolves. It has a connection of its own, with the same TLS and the same time-outs.

use std::net::ToSocketAddrs;
use std::sync::Arc;

use http_body_util::Full;
use hyper::body::Bytes;
use hyper_util::rt::TokioIo;
use reqwest::ResponseBuilderExt;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

use super::words::Place;
use super::{Outgoing, Transport, Trouble};
use crate::error::{Error, Result};
use crate::thread;

type Failed = Box<dyn std::error::Error + Send + Sync>;

impl Transport {
    /// Sends it with this target, as it is, and reads the head of the answer.
    pub(super) async fn send_verbatim(
        &self,
        out: Outgoing<'_>,
        target: &str,
        place: &Place,
    ) -> Result<reqwest::Response, (Trouble, Error)> {
        if let Some(proxy) = self.proxy() {
            let words = format!("the path {target} cannot be sent through a proxy as it is");
            let hint = format!("if {place} can be reached without it: {}", proxy.without());
            return Err((Trouble::Hopeless, Error::usage(words).hint(hint)));
        }
        let Ok(request) = request(&out, target) else {
            return Err((Trouble::NotSent, Error::usage(format!("the path {target} cannot be sent"))));
        };
        let (connect, answer) = (self.settings.connect_timeout, self.settings.request_timeout);
        let stream = match tokio::time::timeout(connect, connected(&out.url, Arc::clone(&self.tls))).await {
            Ok(Ok(stream)) => stream,
            Ok(Err(error)) => return Err(self.broken(Trouble::NotSent, Some(error), place)),
            Err(_) => return Err(self.broken(Trouble::NotSent, None, place)),
        };
        match tokio::time::timeout(answer, exchanged(stream, request, out.url)).await {
            Ok(Ok(answer)) => self.unless_client_wanted(answer, place),
            Ok(Err(error)) => Err(self.broken(Trouble::BrokeOff, Some(error), place)),
            Err(_) => Err(self.broken(Trouble::TimedOut, None, place)),
        }
    }
}

fn request(out: &Outgoing<'_>, target: &str) -> Result<hyper::Request<Full<Bytes>>, Failed> {
    let body = out.body.map(Bytes::copy_from_slice).unwrap_or_default();
    let mut request = hyper::Request::builder().method(out.method.clone()).uri(target).body(Full::new(body))?;
    *request.headers_mut() = out.headers.clone();
    let port = out.url.port().map(|port| format!(":{port}")).unwrap_or_default();
    let host = format!("{}{port}", out.url.host_str().unwrap_or_default());
    request.headers_mut().insert(hyper::header::HOST, host.parse()?);
    Ok(request)
}

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

async fn connected(url: &url::Url, tls: Arc<rustls::ClientConfig>) -> Result<Box<dyn Stream>, Failed> {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    let port = url.port_or_known_default().unwrap_or(443);
    let tcp = {
        let host = host.to_owned();
        let found = thread::beside(move || (host.as_str(), port).to_socket_addrs()).await??;
        TcpStream::connect(&*found.collect::<Vec<_>>()).await?
    };
    if url.scheme() != "https" {
        return Ok(Box::new(tcp));
    }
    let name = ServerName::try_from(host.to_owned())?;
    Ok(Box::new(tokio_rustls::TlsConnector::from(tls).connect(name, tcp).await?))
}

async fn exchanged(
    stream: Box<dyn Stream>,
    request: hyper::Request<Full<Bytes>>,
    url: url::Url,
) -> Result<reqwest::Response, Failed> {
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    // It ends with the body of the answer.
    tokio::spawn(connection);
    let (head, body) = sender.send_request(request).await?.into_parts();
    let mut answer = hyper::Response::builder().url(url).status(head.status).body(reqwest::Body::wrap(body))?;
    *answer.headers_mut() = head.headers;
    Ok(answer.into())
}
