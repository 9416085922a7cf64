//! One POST over plain HTTP: the receiver is on this machine.

use bytes::Bytes;
use http::{Request, Uri};
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

/// What is kept of an answer.
const BODY_LIMIT_BYTES: usize = 64 * 1024;

/// An answer.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: String,
}

impl Answer {
    pub(super) fn is_ok(&self) -> bool {
        (200..300).contains(&self.status)
    }
}

/// # Errors
/// In the words of GitHub's delivery log.
pub(super) async fn post(url: &str, headers: &[(String, String)], body: Bytes) -> Result<Answer, String> {
    let uri: Uri = url.parse().map_err(|_| "invalid URL".to_owned())?;
    let authority = uri.authority().filter(|_| uri.scheme_str() == Some("http")).ok_or("invalid URL")?;
    let port = authority.port_u16().unwrap_or(80);
    let stream = TcpStream::connect((authority.host(), port)).await.map_err(|_| "failed to connect to host")?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(|e| e.to_string())?;
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    let mut request = Request::post(path).header("host", authority.as_str());
    for (name, value) in headers {
        request = request.header(name, value);
    }
    let request = request.body(Full::new(body)).map_err(|e| e.to_string())?;
    // The connection is driven here and not in a task of its own, so that it ends with this delivery.
    let exchange = async {
        let response = sender.send_request(request).await.map_err(|e| e.to_string())?;
        let (parts, body) = response.into_parts();
        let body = Limited::new(body, BODY_LIMIT_BYTES).collect().await.map(|body| body.to_bytes()).unwrap_or_default();
        Ok::<_, String>((parts, body))
    };
    tokio::pin!(exchange, connection);
    let (parts, body) = tokio::select! {
        done = &mut exchange => done?,
        ended = &mut connection => match ended {
            // What the connection has already read still belongs to the answer.
            Ok(()) => exchange.await?,
            Err(error) => return Err(error.to_string()),
        },
    };
    let headers = parts.headers.iter();
    let headers = headers.map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into()));
    Ok(Answer {
        status: parts.status.as_u16(),
        headers: headers.collect(),
        body: String::from_utf8_lossy(&body).into_owned(),
    })
}
