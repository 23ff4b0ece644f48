//! Who knocks: the parts of a request that every endpoint may need.

use std::net::{IpAddr, Ipv4Addr};

use poem::http::{HeaderMap, header};
use poem::{FromRequest, Request, RequestBody, Result};

/// The address a request came from, after trusted proxies; set by the door.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientAddress(pub IpAddr);

/// Whether the connection came from a proxy whose word on the host name is believed; set by the
/// door.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ThroughTrustedProxy(pub bool);

/// The parts of a request beside its body.
#[derive(Clone, Debug)]
pub struct Visit {
    /// Where it came from.
    pub address: IpAddr,
    /// Its headers.
    pub headers: HeaderMap,
    /// The query as it stands in the request line.
    pub query: String,
}

impl Visit {
    /// A header that is plain text and came once.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut values = self.headers.get_all(name).iter();
        match (values.next(), values.next()) {
            (Some(value), None) => value.to_str().ok(),
            _ => None,
        }
    }

    /// The value of a cookie; of several with one name, none (RFC 6265 gives them no order).
    pub fn cookie(&self, name: &str) -> Option<&str> {
        let mut found = self
            .headers
            .get_all(header::COOKIE)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|line| line.split(';'))
            .filter_map(|pair| pair.trim().split_once('='))
            .filter(|(key, _)| *key == name)
            .map(|(_, value)| value);
        match (found.next(), found.next()) {
            (Some(value), None) => Some(value),
            _ => None,
        }
    }

    /// The decoded pairs of the query, in order, repeated ones included.
    pub fn query_pairs(&self) -> Vec<(String, String)> {
        url::form_urlencoded::parse(self.query.as_bytes()).into_owned().collect()
    }
}

impl<'a> FromRequest<'a> for Visit {
    async fn from_request(request: &'a Request, _: &mut RequestBody) -> Result<Self> {
        let address = request.extensions().get::<ClientAddress>();
        Ok(Self {
            address: address.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |address| address.0),
            headers: request.headers().clone(),
            query: request.uri().query().unwrap_or_default().to_owned(),
        })
    }
}
