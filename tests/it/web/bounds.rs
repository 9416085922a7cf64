//! Every resource of a request has its bound: size, memory, time, connections; and a stop cuts nobody off.

use std::time::Duration;

use portcullis::web::{RequestLimits, ServeLimits};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::{answer, head, site, site_with};
use crate::databases;
use crate::store::delivery;

#[tokio::test]
async fn a_body_may_be_25_mebibytes_and_not_a_byte_more() {
    let database = databases::sqlite();
    let site = site(&database).await;
    let mut body = vec![b'x'; 25 << 20];
    assert_eq!(site.deliver("largest", "push", &body).await.status, 202);
    let stored = site.store.delivery(&delivery("largest")).await.unwrap().unwrap();
    assert_eq!(stored.body.as_deref(), Some(body.as_slice()));
    body.push(b'x');
    let refused = site.deliver("larger", "push", &body).await;
    // The connection may be cut while we still send; then there is no answer to read.
    assert!(refused.status == 413 || refused.status == 0, "{}", refused.head);
    assert!(!site.is_stored("larger").await);
}

#[tokio::test]
async fn a_body_is_too_large_whether_it_says_so_or_not() {
    let database = databases::sqlite();
    let limits = RequestLimits { body_bytes: 1000, ..RequestLimits::default() };
    let site = site_with(&database, limits, ServeLimits::default()).await;
    let body = vec![b'x'; 1001];
    let refused = site.deliver("announced", "push", &body).await;
    assert_eq!((refused.status, refused.body.as_str()), (413, "the body is larger than the limit of 1000 bytes\n"));

    let mut stream = site.connect().await;
    let head = head("chunked", "push", &body);
    stream
        .write_all(format!("{head}Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n").as_bytes())
        .await
        .unwrap();
    for chunk in body.chunks(100) {
        let _ = stream.write_all(format!("{:x}\r\n", chunk.len()).as_bytes()).await;
        let _ = stream.write_all(chunk).await;
        let _ = stream.write_all(b"\r\n").await;
    }
    assert_eq!(answer(&mut stream).await.status, 413);

    let mut stream = site.connect().await;
    let head = self::head("small-chunks", "push", b"{}");
    let chunked =
        format!("{head}Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{{\r\n1\r\n}}\r\n0\r\n\r\n");
    stream.write_all(chunked.as_bytes()).await.unwrap();
    assert_eq!(answer(&mut stream).await.status, 202);
    assert!(!site.is_stored("announced").await && !site.is_stored("chunked").await);
}

#[tokio::test]
async fn whoever_is_slow_is_not_waited_for() {
    let database = databases::sqlite();
    let quick = Duration::from_millis(200);
    let limits = RequestLimits { body_timeout: quick, ..RequestLimits::default() };
    let serve_limits = ServeLimits { head_timeout: quick, ..ServeLimits::default() };
    let site = site_with(&database, limits, serve_limits).await;

    let mut slow_body = site.connect().await;
    let head = head("d", "push", b"{}");
    slow_body.write_all(format!("{head}Content-Length: 2\r\n\r\n{{").as_bytes()).await.unwrap();
    assert_eq!(answer(&mut slow_body).await.status, 408);

    let mut slow_head = site.connect().await;
    slow_head.write_all(b"POST /webhooks/github HTTP/1.1\r\nHost:").await.unwrap();
    assert_ne!(answer(&mut slow_head).await.status, 202, "closed without having been heard");

    let mut idle = site.connect().await;
    idle.write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    assert_eq!(answer(&mut idle).await.status, 200, "answered, then closed for being idle");

    let mut broken = site.connect().await;
    broken.write_all(format!("{head}Content-Length: 2\r\n\r\n{{").as_bytes()).await.unwrap();
    broken.shutdown().await.unwrap();
    assert_ne!(answer(&mut broken).await.status, 202);
    assert!(!site.is_stored("d").await);
}

#[tokio::test]
async fn the_memory_of_all_bodies_is_bounded() {
    let database = databases::sqlite();
    let limits = RequestLimits { bodies_in_flight_bytes: 100 << 10, ..RequestLimits::default() };
    let site = site_with(&database, limits, ServeLimits::default()).await;
    let body = vec![b'x'; 40 << 10];
    let mut holds = site.connect().await;
    let head = format!("{}Connection: close\r\nContent-Length: {}\r\n\r\n", head("first", "push", &body), body.len());
    holds.write_all(head.as_bytes()).await.unwrap();
    holds.write_all(&body[1..]).await.unwrap();
    // What is held is counted as it arrives, which may take the server a moment.
    let mut refused = site.deliver("second-0", "push", &body).await;
    for number in 1..200 {
        if refused.status != 202 {
            break;
        }
        refused = site.deliver(&format!("second-{number}"), "push", &body).await;
    }
    assert_eq!((refused.status, refused.header("retry-after")), (503, Some("30")));
    assert_eq!(site.deliver("small", "push", b"{}").await.status, 202, "there is room for a small one");
    holds.write_all(b"x").await.unwrap();
    assert_eq!(answer(&mut holds).await.status, 202);
    assert_eq!(site.deliver("third", "push", &body).await.status, 202, "and for all when it is done");
}

#[tokio::test]
async fn so_many_connections_and_no_more() {
    let database = databases::sqlite();
    let serve_limits = ServeLimits { connections: 2, ..ServeLimits::default() };
    let site = site_with(&database, RequestLimits::default(), serve_limits).await;
    let (first, second) = (site.connect().await, site.connect().await);
    let third = site.get("/healthz");
    tokio::pin!(third);
    let early = tokio::time::timeout(Duration::from_millis(100), &mut third).await;
    assert!(early.is_err(), "two are at work");
    drop(first);
    assert_eq!(third.await.status, 200);
    drop(second);
}

#[tokio::test]
async fn a_stop_lets_requests_end_and_takes_no_new_ones() {
    let database = databases::sqlite();
    let site = site(&database).await;
    let mut at_work = site.connect().await;
    let head = format!("{}Content-Length: 2\r\n\r\n{{", head("d", "push", b"{}"));
    at_work.write_all(head.as_bytes()).await.unwrap();
    let mut idle = site.connect().await;
    idle.write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    let mut first = [0; 12];
    idle.read_exact(&mut first).await.unwrap();
    assert_eq!(&first, b"HTTP/1.1 200");

    site.stopping.cancel();
    assert_eq!(answer(&mut idle).await.status, 0, "an idle connection is closed");
    while TcpStream::connect(site.address).await.is_ok() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert!(!site.serving.is_finished());
    at_work.write_all(b"}").await.unwrap();
    assert_eq!(answer(&mut at_work).await.status, 202);
    site.serving.await.unwrap();
    assert!(site.store.delivery(&delivery("d")).await.unwrap().is_some());
}
