//! What hyper is asked, with paths told apart by hand: it has no router.

use bytes::Bytes;
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full, Limited, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::header::{HeaderValue, CONTENT_TYPE};
use hyper::{Method, Request, Response, StatusCode};
use serde::{Deserialize, Serialize};
use std::convert::Infallible;
use std::sync::LazyLock;

const LARGEST_BODY: usize = 1 << 20;
const UPLOAD_BYTES_MAX: usize = 2 << 20;
const PATTERN_PERIOD: usize = 251;
const STREAM_CHUNKS: usize = 16;
const CHUNK_BYTES: usize = 1024;

const TEXT: &str = "text/plain";
const JSON: &str = "application/json";
const BINARY: &str = "application/octet-stream";

/// The bytes that every body is cut from: the load generator compares each.
static PATTERN: LazyLock<Bytes> = LazyLock::new(|| (0..LARGEST_BODY).map(|i| (i % PATTERN_PERIOD) as u8).collect());

#[derive(Serialize, Deserialize)]
struct Document {
    id: i64,
    name: String,
    count: i64,
    tags: Vec<String>,
    text: String,
}

#[derive(Serialize)]
struct Post<'a> {
    user: &'a str,
    post: &'a str,
}

type Body = BoxBody<Bytes, Infallible>;

pub async fn answer(request: Request<Incoming>) -> Result<Response<Body>, Infallible> {
    let path = request.uri().path();
    if request.method() == Method::GET {
        if let Some(name) = path.strip_prefix("/hello/") {
            return Ok(reply(TEXT, format!("Hello, {name}!")));
        }
        if let Some((user, post)) = path.strip_prefix("/users/").and_then(|rest| rest.split_once("/posts/")) {
            return Ok(json(&Post { user, post }));
        }
        if let Some(length) = path.strip_prefix("/bytes/").and_then(|length| length.parse().ok()) {
            return Ok(reply(BINARY, PATTERN.slice(..LARGEST_BODY.min(length))));
        }
        return Ok(match path {
            "/hello.txt" => reply(TEXT, Bytes::from_static(b"Hello, World!")),
            "/stream" => stream(),
            _ => failure(StatusCode::NOT_FOUND),
        });
    }
    if request.method() == Method::POST {
        return Ok(match path {
            "/json" => count(request).await,
            "/upload" => upload(request).await,
            _ => failure(StatusCode::NOT_FOUND),
        });
    }
    Ok(failure(StatusCode::NOT_FOUND))
}

async fn count(request: Request<Incoming>) -> Response<Body> {
    let Some(body) = whole(request).await else {
        return failure(StatusCode::PAYLOAD_TOO_LARGE);
    };
    let Ok(mut document) = serde_json::from_slice::<Document>(&body) else {
        return failure(StatusCode::BAD_REQUEST);
    };
    document.count += 1;
    json(&document)
}

async fn upload(request: Request<Incoming>) -> Response<Body> {
    match whole(request).await {
        Some(body) => reply(TEXT, body.len().to_string()),
        None => failure(StatusCode::PAYLOAD_TOO_LARGE),
    }
}

async fn whole(request: Request<Incoming>) -> Option<Bytes> {
    let body = Limited::new(request.into_body(), UPLOAD_BYTES_MAX).collect().await;
    body.ok().map(|collected| collected.to_bytes())
}

fn stream() -> Response<Body> {
    let pieces = (0..STREAM_CHUNKS).map(|k| Ok(Frame::data(PATTERN.slice(k * CHUNK_BYTES..(k + 1) * CHUNK_BYTES))));
    with_type(BINARY, BodyExt::boxed(StreamBody::new(tokio_stream::iter(pieces))))
}

fn json(value: &impl Serialize) -> Response<Body> {
    match serde_json::to_vec(value) {
        Ok(text) => reply(JSON, text),
        Err(_) => failure(StatusCode::INTERNAL_SERVER_ERROR),
    }
}

fn reply(content_type: &'static str, body: impl Into<Bytes>) -> Response<Body> {
    with_type(content_type, Full::new(body.into()).boxed())
}

fn with_type(content_type: &'static str, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

fn failure(status: StatusCode) -> Response<Body> {
    let mut response = reply(TEXT, status.as_str().to_owned());
    *response.status_mut() = status;
    response
}
