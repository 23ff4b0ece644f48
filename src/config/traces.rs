//! Where the traces of requests go. One setting switches them on; the rest may also be said by the
//! variables that programs with OpenTelemetry have in common (`OTEL_…`), before which ours go.

use http::{HeaderName, HeaderValue};
use percent_encoding::percent_decode_str;
use url::Url;

use crate::config::enforcement::share_hundredths;
use crate::config::layers::{ConfigError, Given, Layers};
use crate::config::values;
use crate::loopback::is_loopback;
use crate::secret::Secret;

/// Where a collector on this machine takes traces.
const DEFAULT_URL: &str = "http://127.0.0.1:4318/v1/traces";

/// What is added to an address that is one of all signals.
const SIGNAL_PATH: &str = "v1/traces";

/// The one way of OTLP that is spoken here.
const PROTOCOL: &str = "http/protobuf";

/// Headers of the message itself.
const OWN_HEADERS: [&str; 4] = ["content-type", "content-length", "host", "transfer-encoding"];

/// Where traces go, and how many.
#[derive(Clone)]
pub struct TracesConfig {
    /// The collector, with its path. It may hold a key, so it is never shown whole.
    pub url: Url,
    /// What goes along.
    pub headers: Vec<(HeaderName, Secret)>,
    /// The share of requests that are traced, in hundredths of a percent.
    pub share_hundredths: u16,
    /// What the collector is told of this process: `service.name` and its like.
    pub resource: Vec<(String, String)>,
}

impl TracesConfig {
    /// What the collector may be called in the log and on the screen.
    pub fn host(&self) -> String {
        self.url.origin().ascii_serialization()
    }
}

/// Reads it; none where traces are off. What is wrong is found also when they are.
pub fn traces(layers: &Layers, given: &Given) -> Result<Option<TracesConfig>, ConfigError> {
    let is_on = layers.read("traces", "false", values::switch)?;
    let share_hundredths = layers.read("traces_share", "100%", share_hundredths)?;
    let own_url = layers.read_optional("traces_url", address)?;
    let own_headers = layers.read_optional("traces_headers", headers)?;
    if !is_on {
        return Ok(None);
    }
    let url = match own_url {
        Some(url) => url,
        None => common_url(given)?,
    };
    let headers = match own_headers {
        Some(headers) => headers,
        None => common_headers(given)?,
    };
    if url.scheme() == "http" && !is_loopback(&url) && !headers.is_empty() {
        let message = "its headers would travel in the clear; use https";
        return Err(layers.error("traces_url", message));
    }
    Ok(Some(TracesConfig { url, headers, share_hundredths, resource: resource(given)? }))
}

/// What is sent names nobody, so that it may travel in the clear in one's own network.
fn address(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|_| "it is not a URL".to_owned())?;
    if !["http", "https"].contains(&url.scheme()) || url.host_str().is_none_or(str::is_empty) {
        return Err("it is neither https://… nor http://…".into());
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("it must not carry a user name or password; see traces_headers".into());
    }
    Ok(url)
}

/// Reads `name=value,name=value`, the values percent-encoded where they must be (W3C Baggage).
fn headers(text: &str) -> Result<Vec<(HeaderName, Secret)>, String> {
    let header = |item: &str| {
        // A value may be a credential, so no message repeats it.
        let complain = || "it is not name=value,name=value".to_owned();
        let (name, value) = item.split_once('=').ok_or_else(complain)?;
        let name: HeaderName = name.trim().parse().map_err(|_| complain())?;
        if OWN_HEADERS.contains(&name.as_str()) {
            return Err(format!("{name} is set by Gatehouse itself"));
        }
        let value = percent_decode_str(value.trim()).decode_utf8().map_err(|_| complain())?;
        if HeaderValue::from_str(&value).is_err() {
            return Err(format!("the value of {name} cannot stand in a header"));
        }
        Ok((name, Secret::presented(value.into_owned())))
    };
    let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
    items.map(header).collect()
}

/// The first of these variables that says something, with its name.
fn common<'a>(given: &Given, names: &[&'a str]) -> Option<(&'a str, String)> {
    names.iter().find_map(|name| {
        let (_, value) = given.environment.iter().find(|(known, _)| known == name)?;
        let value = value.trim();
        (!value.is_empty()).then(|| (*name, value.to_owned()))
    })
}

fn common_url(given: &Given) -> Result<Url, ConfigError> {
    let protocol = ["OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL"];
    if let Some((name, protocol)) = common(given, &protocol)
        && protocol != PROTOCOL
    {
        let message = format!(
            "only {PROTOCOL} is spoken here; name the collector's address for that as traces_url \
             (its port is usually 4318)"
        );
        return Err(ConfigError::new(name, message));
    }
    let of_traces = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT";
    let Some((name, text)) = common(given, &[of_traces, "OTEL_EXPORTER_OTLP_ENDPOINT"]) else {
        return address(DEFAULT_URL).map_err(|message| ConfigError::new("traces_url", message));
    };
    let text = match name {
        name if name == of_traces => text,
        _ => format!("{}/{SIGNAL_PATH}", text.trim_end_matches('/')),
    };
    address(&text).map_err(|message| ConfigError::new(name, message))
}

fn common_headers(given: &Given) -> Result<Vec<(HeaderName, Secret)>, ConfigError> {
    let names = ["OTEL_EXPORTER_OTLP_TRACES_HEADERS", "OTEL_EXPORTER_OTLP_HEADERS"];
    match common(given, &names) {
        Some((name, text)) => headers(&text).map_err(|message| ConfigError::new(name, message)),
        None => Ok(Vec::new()),
    }
}

/// What stands in `OTEL_RESOURCE_ATTRIBUTES` and `OTEL_SERVICE_NAME`, the second before the first.
fn resource(given: &Given) -> Result<Vec<(String, String)>, ConfigError> {
    let of_all = "OTEL_RESOURCE_ATTRIBUTES";
    let text = common(given, &[of_all]).map_or_else(String::new, |(_, text)| text);
    let attribute = |item: &str| {
        let complain = || ConfigError::new(of_all, format!("{item:?} is not k=v"));
        let (name, value) = item.split_once('=').ok_or_else(complain)?;
        let value = percent_decode_str(value.trim()).decode_utf8().map_err(|_| complain())?;
        Ok((name.trim().to_owned(), value.into_owned()))
    };
    let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
    let mut told = items.map(attribute).collect::<Result<Vec<_>, _>>()?;
    let is_named = |told: &[(String, String)], name: &str| told.iter().any(|(it, _)| it == name);
    if let Some((_, name)) = common(given, &["OTEL_SERVICE_NAME"]) {
        told.retain(|(it, _)| it != "service.name");
        told.push(("service.name".into(), name));
    }
    for (name, value) in
        [("service.name", "gatehouse"), ("service.version", env!("CARGO_PKG_VERSION"))]
    {
        if !is_named(&told, name) {
            told.push((name.into(), value.into()));
        }
    }
    Ok(told)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn read(settings: &[(&str, &str)], variables: &[(&str, &str)]) -> Result<TracesConfig, String> {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let on = [("traces", "true")];
        let flags: BTreeMap<_, _> = on.iter().chain(settings).map(owned).collect();
        let environment = variables.iter().map(owned).collect();
        let given = Given { flags, environment, ..Given::default() };
        let layers = Layers::merge(&given).map_err(|error| error.to_string())?;
        let read = traces(&layers, &given).map_err(|error| error.to_string())?;
        read.ok_or_else(|| "off".to_owned())
    }

    #[test]
    fn the_address_is_ours_or_the_common_one() {
        let all = ("OTEL_EXPORTER_OTLP_ENDPOINT", "https://otel.example.com/");
        let one = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "https://t.example.com/in");
        let ours = ("traces_url", "http://collector:4318/v1/traces");
        for (settings, variables, url) in [
            (&[][..], &[][..], DEFAULT_URL),
            (&[], &[all], "https://otel.example.com/v1/traces"),
            (&[], &[all, one], one.1),
            (&[ours], &[all, one], ours.1),
            (&[], &[("OTEL_EXPORTER_OTLP_ENDPOINT", " ")], DEFAULT_URL),
        ] {
            assert_eq!(read(settings, variables).unwrap().url.as_str(), url);
        }
    }

    #[test]
    fn headers_are_read_and_never_repeated() {
        let common = ("OTEL_EXPORTER_OTLP_HEADERS", "x-key=a%20b, authorization=Basic%20c==");
        let read_ok = read(&[], &[common]).unwrap();
        let headers: Vec<_> =
            read_ok.headers.iter().map(|(n, v)| (n.as_str(), v.expose())).collect();
        assert_eq!(headers, [("x-key", "a b"), ("authorization", "Basic c==")]);
        let ours = read(&[("traces_headers", "x-key=ours")], &[common]).unwrap();
        assert_eq!(ours.headers[0].1.expose(), "ours");
        for bad in ["hush", "hush key=1", "a=%0Ahush", "content-type=hush", "a=%ffhush"] {
            let error = read(&[("traces_headers", bad)], &[]).err().unwrap();
            assert!(error.starts_with("traces_headers: ") && !error.contains("hush"), "{error}");
        }
    }

    #[test]
    fn what_cannot_be_meant_stops_the_start() {
        let grpc = ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc");
        let key = ("traces_headers", "x-key=1");
        for (settings, variables, name) in [
            (&[][..], &[grpc][..], "OTEL_EXPORTER_OTLP_PROTOCOL"),
            (&[], &[("OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4317")], "OTEL_EXPORTER_OTLP_ENDP"),
            (&[("traces_url", "https://u:p@c.example/")], &[], "traces_url"),
            (&[("traces_url", "http://collector:4318/v1/traces"), key], &[], "traces_url"),
            (&[("traces_share", "101%")], &[], "traces_share"),
            (&[], &[("OTEL_RESOURCE_ATTRIBUTES", "team")], "OTEL_RESOURCE_ATTRIBUTES"),
        ] {
            let error = read(settings, variables).err().unwrap();
            assert!(error.starts_with(name), "{error}");
        }
        // Who names an address needs no common variable, and may speak gRPC elsewhere.
        assert!(read(&[("traces_url", "https://c.example/")], &[grpc]).is_ok());
        assert_eq!(read(&[("traces", "false")], &[grpc]).err().as_deref(), Some("off"));
    }

    #[test]
    fn the_service_is_called_as_the_variables_say() {
        let attributes = ("OTEL_RESOURCE_ATTRIBUTES", "service.name=a,k8s.pod.name=p%201");
        let name = ("OTEL_SERVICE_NAME", "b");
        let told = |variables: &[(&str, &str)]| {
            let told: BTreeMap<_, _> = read(&[], variables).unwrap().resource.into_iter().collect();
            (told["service.name"].clone(), told.get("k8s.pod.name").cloned())
        };
        assert_eq!(told(&[]), ("gatehouse".to_owned(), None));
        assert_eq!(told(&[attributes]), ("a".to_owned(), Some("p 1".to_owned())));
        assert_eq!(told(&[attributes, name]).0, "b");
    }
}
