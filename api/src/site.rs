//! The front door for people, and this document itself.

use std::sync::{Arc, LazyLock};

use poem::{IntoResponse, Response};
use poem_openapi::payload::{Html, Payload};
use poem_openapi::registry::{MetaSchema, MetaSchemaRef};
use poem_openapi::{ApiResponse, OpenApi};

use crate::Port;

/// The document is made from types, so once is enough.
static YAML: LazyLock<String> = LazyLock::new(crate::document_yaml);
static JSON: LazyLock<String> = LazyLock::new(crate::document_json);

const CACHE_CONTROL: &str = "public, max-age=300";

/// A page.
#[derive(ApiResponse)]
pub enum FrontDoorResponse {
    /// What this server is and how to connect a client to it.
    #[oai(status = 200)]
    Page(Html<String>),
}

/// The document as a page.
#[derive(ApiResponse)]
pub enum ReferenceResponse {
    /// Every endpoint and every type.
    #[oai(status = 200)]
    Page(Html<String>),
}

/// An object that was written before.
pub struct Written(String);

impl Payload for Written {
    const CONTENT_TYPE: &'static str = "application/json";

    fn schema_ref() -> MetaSchemaRef {
        MetaSchemaRef::Inline(Box::new(MetaSchema::new("object")))
    }
}

impl IntoResponse for Written {
    fn into_response(self) -> Response {
        Response::builder().content_type(Self::CONTENT_TYPE).body(self.0)
    }
}

/// The document as YAML.
#[derive(ApiResponse)]
pub enum YamlResponse {
    /// OpenAPI 3.0.
    #[oai(status = 200, content_type = "application/yaml")]
    Document(
        Written,
        /// Short and public.
        #[oai(header = "Cache-Control")]
        String,
    ),
}

/// The document as JSON.
#[derive(ApiResponse)]
pub enum JsonResponse {
    /// OpenAPI 3.0.
    #[oai(status = 200)]
    Document(
        Written,
        /// Short and public.
        #[oai(header = "Cache-Control")]
        String,
    ),
}

/// The group `site`.
pub struct SiteApi<P>(pub Arc<P>);

#[OpenApi]
#[allow(clippy::unused_async, reason = "an endpoint is async whether it waits or not")]
impl<P: Port> SiteApi<P> {
    /// Show the front door.
    ///
    /// A page for people.
    #[oai(path = "/", method = "get", operation_id = "front_door")]
    async fn front_door(&self) -> FrontDoorResponse {
        FrontDoorResponse::Page(Html(self.0.front_door()))
    }

    /// Fetch this document as YAML.
    #[oai(path = "/openapi.yaml", method = "get", operation_id = "openapi_yaml")]
    async fn openapi_yaml(&self) -> YamlResponse {
        YamlResponse::Document(Written(YAML.clone()), CACHE_CONTROL.to_owned())
    }

    /// Fetch this document as JSON.
    #[oai(path = "/openapi.json", method = "get", operation_id = "openapi_json")]
    async fn openapi_json(&self) -> JsonResponse {
        JsonResponse::Document(Written(JSON.clone()), CACHE_CONTROL.to_owned())
    }

    /// Browse this document.
    ///
    /// A page for people, without scripts.
    #[oai(path = "/reference", method = "get", operation_id = "reference")]
    async fn reference(&self) -> ReferenceResponse {
        ReferenceResponse::Page(Html(self.0.reference()))
    }
}
