//! How the admin API answers: JSON, or comma-separated values where rows are listed, and problems
//! as RFC 9457 writes them.

use poem::http::{HeaderValue, StatusCode, header};
use poem::{IntoResponse, Response};
use poem_openapi::registry::{MetaHeader, MetaMediaType, MetaResponse, MetaResponses, Registry};
use poem_openapi::types::{ParseFromJSON, ToJSON, Type};
use poem_openapi::{ApiResponse, Object};

use crate::admin::csv;

const JSON: &str = "application/json; charset=utf-8";
const PROBLEM: &str = "application/problem+json";
const CSV: &str = "text/csv; charset=utf-8; header=present";

/// Why a request was not acted on (RFC 9457).
#[derive(Clone, Debug, PartialEq, Eq, Object)]
pub struct Problem {
    /// One word for programs: `unauthorized`, `invalid_token`, `insufficient_scope`, `forbidden`,
    /// `invalid_parameter`, `not_found`, `unavailable`, `server_error` and others like them.
    pub code: String,
    /// The status, once more.
    pub status: u16,
    /// In a sentence.
    pub title: String,
    /// The parameter that it is about.
    #[oai(skip_serializing_if_is_none)]
    pub parameter: Option<String>,
}

impl Problem {
    /// A problem with this status.
    pub fn new(status: StatusCode, code: &str, title: &str) -> Self {
        let (code, title) = (code.to_owned(), title.to_owned());
        Self { code, status: status.as_u16(), title, parameter: None }
    }

    /// Of one parameter.
    #[must_use]
    pub fn of_parameter(mut self, name: &str) -> Self {
        self.parameter = Some(name.to_owned());
        self
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::BAD_REQUEST);
        let mut response = body(PROBLEM, self.to_json_string());
        response.set_status(status);
        let headers = response.headers_mut();
        if status == StatusCode::UNAUTHORIZED {
            let challenge = match self.code.as_str() {
                "invalid_token" => "Bearer realm=\"admin\", error=\"invalid_token\"",
                _ => "Bearer realm=\"admin\"",
            };
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
        }
        if status == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static("5"));
        }
        response
    }
}

/// Rows of a list, and what the next ones are asked for by.
#[derive(Clone, Debug, Object)]
pub struct Rows<T: ParseFromJSON + ToJSON + Type> {
    /// The rows.
    pub items: Vec<T>,
    /// What `after` must be for the next ones; absent when there are none.
    #[oai(skip_serializing_if_is_none)]
    pub next: Option<String>,
}

/// Something that may stand in a list.
pub trait Row: ParseFromJSON + ToJSON + Type {
    /// What a list of them is called.
    const NAME: &'static str;
    /// Its columns, which are fields of it, in the order they are written.
    const COLUMNS: &'static [&'static str];
}

/// In which form a list is wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Form {
    /// As JSON.
    #[default]
    Json,
    /// As comma-separated values.
    Csv,
}

/// One thing, or why not.
pub enum Answer<T> {
    /// The thing.
    Found(T),
    /// Why not.
    Problem(Problem),
}

/// A list, or why not.
pub enum List<T: Row> {
    /// The list.
    Found(Rows<T>, Form),
    /// Why not.
    Problem(Problem),
}

impl<T: ToJSON> IntoResponse for Answer<T>
where
    T: Send,
{
    fn into_response(self) -> Response {
        match self {
            Self::Found(found) => body(JSON, found.to_json_string()),
            Self::Problem(problem) => problem.into_response(),
        }
    }
}

impl<T: Row + Send> IntoResponse for List<T> {
    fn into_response(self) -> Response {
        match self {
            Self::Found(rows, Form::Json) => body(JSON, rows.to_json_string()),
            Self::Found(rows, Form::Csv) => {
                let items = rows.items.iter().filter_map(ToJSON::to_json);
                let mut response = body(CSV, csv::text(T::COLUMNS, items));
                let headers = response.headers_mut();
                let disposition = format!("attachment; filename=\"{}.csv\"", T::NAME);
                if let Ok(value) = HeaderValue::try_from(disposition) {
                    headers.insert(header::CONTENT_DISPOSITION, value);
                }
                // What the JSON says in `next`.
                if let Some(Ok(next)) = rows.next.map(HeaderValue::try_from) {
                    headers.insert("x-next-after", next);
                }
                response
            }
            Self::Problem(problem) => problem.into_response(),
        }
    }
}

fn body(content_type: &'static str, text: String) -> Response {
    Response::builder().header(header::CONTENT_TYPE, content_type).body(text)
}

impl<T: ToJSON> ApiResponse for Answer<T> {
    fn meta() -> MetaResponses {
        meta(vec![media("application/json", T::schema_ref())], Vec::new())
    }

    fn register(registry: &mut Registry) {
        T::register(registry);
        Problem::register(registry);
    }
}

impl<T: Row> ApiResponse for List<T> {
    fn meta() -> MetaResponses {
        let next = MetaHeader {
            name: "X-Next-After".to_owned(),
            description: Some("With CSV: what `after` must be for the next rows".to_owned()),
            required: false,
            deprecated: false,
            schema: String::schema_ref(),
        };
        let content = vec![
            media("application/json", Rows::<T>::schema_ref()),
            media("text/csv", String::schema_ref()),
        ];
        meta(content, vec![next])
    }

    fn register(registry: &mut Registry) {
        Rows::<T>::register(registry);
        Problem::register(registry);
    }
}

fn media(
    content_type: &'static str,
    schema: poem_openapi::registry::MetaSchemaRef,
) -> MetaMediaType {
    MetaMediaType { content_type, schema }
}

fn meta(found: Vec<MetaMediaType>, headers: Vec<MetaHeader>) -> MetaResponses {
    let response = |status, description, content, headers| MetaResponse {
        description,
        status: Some(status),
        status_range: None,
        content,
        headers,
    };
    let problem = |status, description| {
        response(status, description, vec![media(PROBLEM, Problem::schema_ref())], Vec::new())
    };
    MetaResponses {
        responses: vec![
            response(200, "What was asked for", found, headers),
            problem(400, "A parameter or the body cannot be read; the parameter is named"),
            problem(401, "Neither a valid token nor a session came"),
            problem(403, "The token may not do this, or the person is no administrator"),
            problem(404, "There is no such thing"),
            problem(500, "Something broke"),
            problem(503, "Something is down; try later"),
        ],
    }
}
