//! The web as one browser sees it: names over TLS, each led to a port of this machine, as a proxy
//! in front of a house does it.

use std::collections::HashMap;
use std::sync::Arc;

use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

pub struct Web {
    pub port: u16,
    served: JoinHandle<()>,
}

impl Web {
    /// A web with these names and the ports they lead to.
    pub async fn start(names: &[(&str, u16)]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
        let port = listener.local_addr().expect("it is bound").port();
        let acceptor = acceptor(names);
        let ports = names.iter().map(|(name, port)| ((*name).to_owned(), *port));
        let ports: Arc<HashMap<String, u16>> = Arc::new(ports.collect());
        let served = tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.expect("the listener stands");
                let (acceptor, ports) = (acceptor.clone(), Arc::clone(&ports));
                // A browser may hang up whenever it likes.
                tokio::spawn(async move { relay(stream, acceptor, &ports).await.ok() });
            }
        });
        Self { port, served }
    }
}

impl Drop for Web {
    fn drop(&mut self) {
        self.served.abort();
    }
}

async fn relay(
    stream: TcpStream,
    acceptor: TlsAcceptor,
    ports: &HashMap<String, u16>,
) -> std::io::Result<()> {
    let mut outside = acceptor.accept(stream).await?;
    let name = outside.get_ref().1.server_name().unwrap_or_default();
    let Some(port) = ports.get(name) else { return Ok(()) };
    let mut inside = TcpStream::connect(("127.0.0.1", *port)).await?;
    tokio::io::copy_bidirectional(&mut outside, &mut inside).await.map(drop)
}

/// A certificate that nobody vouches for; the browser is told to take it.
fn acceptor(names: &[(&str, u16)]) -> TlsAcceptor {
    let names: Vec<String> = names.iter().map(|(name, _)| (*name).to_owned()).collect();
    let made = rcgen::generate_simple_self_signed(names).expect("a certificate can be made");
    let key = PrivateKeyDer::Pkcs8(made.signing_key.serialize_der().into());
    let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("the provider knows them")
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .expect("the key belongs to the certificate");
    TlsAcceptor::from(Arc::new(config))
}
