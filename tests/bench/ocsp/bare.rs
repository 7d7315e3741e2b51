//! A bare server: hyper and nothing else. It collects the body of each request and replies with the same octets and the
//! same headers each time, or with a signature made for each. It is what a responder over hyper cannot be faster than.
//!
//!     bare OCTETS [p256 | rsa]     prints the address that it listens on
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, RSA_PKCS1_SHA256, RsaKeyPair,
};
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::header::{self, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use std::convert::Infallible;
use std::sync::Arc;
use tokio::net::TcpListener;

enum Key {
    None,
    P256(EcdsaKeyPair),
    Rsa(RsaKeyPair),
}

/// Octets that are signed for an answer.
const SIGNED: usize = 210;

struct Answers {
    octets: Bytes,
    key: Key,
    random: SystemRandom,
}

impl Answers {
    /// Returns an answer with a signature of its own, where there is a key.
    fn next(&self) -> Bytes {
        let mut signature = [0; 256];
        let tbs = self.octets.get(..SIGNED).unwrap_or_default();
        let length = match &self.key {
            Key::None => return self.octets.clone(),
            Key::P256(key) => {
                let made = key.sign(&self.random, tbs).expect("a signature");
                signature[..made.as_ref().len()].copy_from_slice(made.as_ref());
                made.as_ref().len()
            }
            Key::Rsa(key) => {
                key.sign(&RSA_PKCS1_SHA256, &self.random, tbs, &mut signature).expect("a signature");
                signature.len()
            }
        };
        let mut octets = self.octets.to_vec();
        let place = octets.len() - length;
        octets[place..].copy_from_slice(&signature[..length]);
        octets.into()
    }
}

async fn answer(request: Request<Incoming>, answers: Arc<Answers>) -> Result<Response<Full<Bytes>>, Infallible> {
    let _ = request.into_body().collect().await.map(|body| body.to_bytes());
    let mut reply = Response::new(Full::new(answers.next()));
    let headers = reply.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/ocsp-response"));
    headers.insert(header::ETAG, HeaderValue::from_static("\"0123456789abcdef0123456789abcdef\""));
    headers.insert(header::LAST_MODIFIED, HeaderValue::from_static("Sun, 06 Nov 1994 08:49:37 GMT"));
    headers.insert(header::EXPIRES, HeaderValue::from_static("Sun, 06 Nov 1994 08:49:37 GMT"));
    let fresh = HeaderValue::from_static("max-age=43000, public, no-transform, must-revalidate");
    headers.insert(header::CACHE_CONTROL, fresh);
    Ok(reply)
}

#[tokio::main]
async fn main() {
    let mut given = std::env::args().skip(1);
    let octets: usize = given.next().and_then(|text| text.parse().ok()).unwrap_or(823);
    let key = match given.next().as_deref() {
        Some("p256") => Key::P256(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).expect("a key")),
        Some("rsa") => Key::Rsa(RsaKeyPair::generate(KeySize::Rsa2048).expect("a key")),
        _ => Key::None,
    };
    // as a successful OCSPResponse begins
    let mut filled = vec![0x30, 0x82, 0x03, 0x33, 0x0a, 0x01, 0x00];
    filled.resize(octets, b'x');
    let answers = Arc::new(Answers { octets: filled.into(), key, random: SystemRandom::new() });
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("an address");
    println!("listening on http://{}", listener.local_addr().expect("an address"));
    while let Ok((stream, _)) = listener.accept().await {
        let _ = stream.set_nodelay(true);
        let answers = Arc::clone(&answers);
        tokio::spawn(async move {
            let service = service_fn(|request| answer(request, Arc::clone(&answers)));
            let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
    }
}
