//! Answers for browsers: a page, or a redirect, with cookies.

use poem::http::{HeaderValue, StatusCode, header};
use poem::{IntoResponse, Response};
use poem_openapi::ApiResponse;
use poem_openapi::registry::{MetaHeader, MetaMediaType, MetaResponse, MetaResponses, Registry};
use poem_openapi::types::Type;

use crate::admin::answer::Problem;

/// What a browser gets.
#[derive(Debug)]
pub struct PageResponse {
    status: StatusCode,
    body: Body,
    cookies: Vec<String>,
    retry_after_seconds: Option<u64>,
}

#[derive(Debug)]
enum Body {
    Html(String),
    /// Where to; made by code that can only write legal header values.
    Location(String),
    /// A file to be kept, as JSON.
    Download {
        file_name: &'static str,
        json: String,
    },
}

impl PageResponse {
    /// A page.
    pub const fn html(status: StatusCode, html: String) -> Self {
        Self { status, body: Body::Html(html), cookies: Vec::new(), retry_after_seconds: None }
    }

    /// A file to be kept. Its name is one that a header may hold.
    pub const fn download(file_name: &'static str, json: String) -> Self {
        Self {
            status: StatusCode::OK,
            body: Body::Download { file_name, json },
            cookies: Vec::new(),
            retry_after_seconds: None,
        }
    }

    /// A redirect that turns a POST into a GET (RFC 9700 §4.12).
    pub const fn see_other(location: String) -> Self {
        Self {
            status: StatusCode::SEE_OTHER,
            body: Body::Location(location),
            cookies: Vec::new(),
            retry_after_seconds: None,
        }
    }

    /// With a `Set-Cookie` header more.
    #[must_use]
    pub fn with_cookie(mut self, cookie: String) -> Self {
        self.cookies.push(cookie);
        self
    }

    /// With a `Retry-After` header.
    #[must_use]
    pub const fn with_retry_after(mut self, seconds: u64) -> Self {
        self.retry_after_seconds = Some(seconds);
        self
    }
}

impl IntoResponse for PageResponse {
    fn into_response(self) -> Response {
        let mut response = match self.body {
            Body::Html(html) => poem::web::Html(html).into_response(),
            Body::Download { file_name, json } => Response::builder()
                .content_type("application/json")
                .header(
                    header::CONTENT_DISPOSITION,
                    format!("attachment; filename=\"{file_name}\""),
                )
                .body(json),
            Body::Location(location) => match HeaderValue::try_from(location) {
                Ok(location) => Response::builder().header(header::LOCATION, location).finish(),
                // A 303 without Location would strand the browser in silence.
                Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
            },
        };
        if !response.status().is_server_error() {
            response.set_status(self.status);
        }
        let headers = response.headers_mut();
        for cookie in self.cookies.iter().filter_map(|cookie| HeaderValue::try_from(cookie).ok()) {
            headers.append(header::SET_COOKIE, cookie);
        }
        if let Some(seconds) = self.retry_after_seconds {
            headers.insert(header::RETRY_AFTER, seconds.into());
        }
        response
    }
}

impl ApiResponse for PageResponse {
    fn meta() -> MetaResponses {
        let page = |status, description| MetaResponse {
            description,
            status: Some(status),
            status_range: None,
            content: vec![MetaMediaType {
                content_type: "text/html; charset=utf-8",
                schema: String::schema_ref(),
            }],
            headers: Vec::new(),
        };
        let location = MetaHeader {
            name: "Location".to_owned(),
            description: Some("Where the browser goes next".to_owned()),
            required: true,
            deprecated: false,
            schema: String::schema_ref(),
        };
        let redirect = MetaResponse {
            description: "On to the next step of the sign-in",
            status: Some(303),
            status_range: None,
            content: Vec::new(),
            headers: vec![location],
        };
        MetaResponses {
            responses: vec![
                page(200, "A page for the person"),
                redirect,
                page(400, "The request cannot be trusted or understood; a page says why"),
                page(403, "The form did not come from our page in this browser"),
                MetaResponse {
                    content: vec![
                        MetaMediaType {
                            content_type: "text/html; charset=utf-8",
                            schema: String::schema_ref(),
                        },
                        MetaMediaType {
                            content_type: "application/problem+json",
                            schema: Problem::schema_ref(),
                        },
                    ],
                    ..page(404, "There is no such page, or nothing of that name to show or change")
                },
                page(429, "Too many requests"),
                page(500, "Something broke; the page carries a reference"),
                page(503, "Something is down; try later"),
            ],
        }
    }

    fn register(registry: &mut Registry) {
        Problem::register(registry);
    }
}

/// A file to be kept, or a page that says why there is none.
#[derive(Debug)]
pub struct ExportResponse(pub PageResponse);

impl IntoResponse for ExportResponse {
    fn into_response(self) -> Response {
        self.0.into_response()
    }
}

impl ApiResponse for ExportResponse {
    fn meta() -> MetaResponses {
        let mut meta = PageResponse::meta();
        for response in meta.responses.iter_mut().filter(|it| it.status == Some(200)) {
            response.description = "Everything that is kept of the person, as a file";
            response.content = vec![MetaMediaType {
                content_type: "application/json",
                schema: serde_json::Value::schema_ref(),
            }];
        }
        meta
    }

    fn register(_: &mut Registry) {}
}
