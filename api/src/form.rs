//! Request bodies of OAuth endpoints.
//!
//! The framework's own form takes the last of two unknown repeated fields and keeps empty ones;
//! OAuth 2.1 §3.2 wants otherwise ([`fields`]). Its JSON reads a body of any size.

use poem::http::StatusCode;
use poem::{Request, RequestBody, Result};
use poem_openapi::payload::{ParsePayload, Payload};
use poem_openapi::registry::{MetaMediaType, MetaRequest, MetaSchemaRef, Registry};
use poem_openapi::types::Type;
use poem_openapi::{ApiExtractor, ApiExtractorType, ExtractParamOptions};
use serde::de::DeserializeOwned;

use crate::fields;
use crate::register::ClientMetadata;

/// The largest OAuth body, in bytes.
pub const BODY_BYTES_MAX: usize = 64 * 1024;

/// Why a body was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyFault {
    /// The content type is not that of a form.
    NotForm,
    /// The content type is not that of JSON.
    NotJson,
    /// Larger than [`BODY_BYTES_MAX`].
    TooLarge,
    /// Not readable as what the content type says.
    Unreadable,
    /// A field came twice.
    Repeated,
}

impl BodyFault {
    /// What made the framework turn to a `bad_request_handler`.
    pub fn of(error: &poem::Error) -> Self {
        error.downcast_ref().copied().unwrap_or(Self::Unreadable)
    }

    /// The sentence for `error_description`.
    pub const fn description(self) -> &'static str {
        match self {
            Self::NotForm => "The content type must be application/x-www-form-urlencoded.",
            Self::NotJson => "The content type must be application/json.",
            Self::TooLarge => "The body is too large.",
            Self::Unreadable => "The body cannot be read.",
            Self::Repeated => "A parameter came more than once.",
        }
    }
}

impl std::fmt::Display for BodyFault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.description())
    }
}

impl std::error::Error for BodyFault {}

impl poem::error::ResponseError for BodyFault {
    fn status(&self) -> StatusCode {
        match self {
            Self::NotForm | Self::NotJson => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Unreadable | Self::Repeated => StatusCode::BAD_REQUEST,
        }
    }
}

/// A URL-encoded form without repetitions (RFC 6749 appendix B).
#[derive(Clone, Debug)]
pub struct OAuthForm<T>(pub T);

impl<T: Type> Payload for OAuthForm<T> {
    const CONTENT_TYPE: &'static str = "application/x-www-form-urlencoded";

    fn schema_ref() -> MetaSchemaRef {
        T::schema_ref()
    }

    fn register(registry: &mut Registry) {
        T::register(registry);
    }
}

impl<T: DeserializeOwned + Send> ParsePayload for OAuthForm<T> {
    const IS_REQUIRED: bool = true;

    async fn from_request(_: &Request, body: &mut RequestBody) -> Result<Self> {
        let bytes = read(body).await?;
        let fields = fields::once(&bytes).ok_or(BodyFault::Repeated)?;
        let form = serde_json::from_value(fields.into()).map_err(|_| BodyFault::Unreadable)?;
        Ok(Self(form))
    }
}

/// A JSON object of a registration request, types not yet judged.
#[derive(Clone, Debug)]
pub struct RegistrationBody(pub serde_json::Value);

impl Payload for RegistrationBody {
    const CONTENT_TYPE: &'static str = "application/json";

    fn schema_ref() -> MetaSchemaRef {
        ClientMetadata::schema_ref()
    }

    fn register(registry: &mut Registry) {
        ClientMetadata::register(registry);
    }
}

impl ParsePayload for RegistrationBody {
    const IS_REQUIRED: bool = true;

    async fn from_request(_: &Request, body: &mut RequestBody) -> Result<Self> {
        let bytes = read(body).await?;
        Ok(Self(serde_json::from_slice(&bytes).map_err(|_| BodyFault::Unreadable)?))
    }
}

async fn read(body: &mut RequestBody) -> Result<bytes::Bytes, BodyFault> {
    let body = body.take().map_err(|_| BodyFault::Unreadable)?;
    body.into_bytes_limit(BODY_BYTES_MAX).await.map_err(|error| match error {
        poem::error::ReadBodyError::PayloadTooLarge => BodyFault::TooLarge,
        _ => BodyFault::Unreadable,
    })
}

macro_rules! request_object {
    ($ty:ty, $not_it:expr, $($bounds:tt)*) => {
        impl<'a, $($bounds)*> ApiExtractor<'a> for $ty {
            const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::RequestObject];

            type ParamType = ();
            type ParamRawType = ();

            fn register(registry: &mut Registry) {
                <Self as Payload>::register(registry);
            }

            fn request_meta() -> Option<MetaRequest> {
                Some(MetaRequest {
                    description: None,
                    content: vec![MetaMediaType {
                        content_type: <Self as Payload>::CONTENT_TYPE,
                        schema: <Self as Payload>::schema_ref(),
                    }],
                    required: true,
                })
            }

            async fn from_request(
                request: &'a Request,
                body: &mut RequestBody,
                _: ExtractParamOptions<Self::ParamType>,
            ) -> Result<Self> {
                // Parameters such as a charset do not change what it is.
                let essence = request.content_type().unwrap_or_default().split(';').next();
                let essence = essence.unwrap_or_default().trim();
                if !essence.eq_ignore_ascii_case(<Self as Payload>::CONTENT_TYPE) {
                    return Err($not_it.into());
                }
                <Self as ParsePayload>::from_request(request, body).await
            }
        }
    };
}

request_object!(OAuthForm<T>, BodyFault::NotForm, T: Type + DeserializeOwned + Send);
request_object!(RegistrationBody, BodyFault::NotJson,);

/// A JSON object whose faults the endpoint answers itself.
#[derive(Debug)]
pub struct JsonOrFault<T>(pub Option<T>);

impl<'a, T: Type + DeserializeOwned + Send> ApiExtractor<'a> for JsonOrFault<T> {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::RequestObject];

    type ParamType = ();
    type ParamRawType = ();

    fn register(registry: &mut Registry) {
        T::register(registry);
    }

    fn request_meta() -> Option<MetaRequest> {
        Some(MetaRequest {
            description: None,
            content: vec![MetaMediaType {
                content_type: "application/json",
                schema: T::schema_ref(),
            }],
            required: true,
        })
    }

    async fn from_request(
        _: &'a Request,
        body: &mut RequestBody,
        _: ExtractParamOptions<Self::ParamType>,
    ) -> Result<Self> {
        let bytes = read(body).await.ok();
        Ok(Self(bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok())))
    }
}

/// A form whose faults the endpoint answers itself, because its answers are pages.
#[derive(Debug)]
pub struct FormOrFault<T>(pub Option<T>);

impl<'a, T: Type + DeserializeOwned + Send> ApiExtractor<'a> for FormOrFault<T> {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::RequestObject];

    type ParamType = ();
    type ParamRawType = ();

    fn register(registry: &mut Registry) {
        <OAuthForm<T> as ApiExtractor<'a>>::register(registry);
    }

    fn request_meta() -> Option<MetaRequest> {
        <OAuthForm<T> as ApiExtractor<'a>>::request_meta()
    }

    async fn from_request(
        request: &'a Request,
        body: &mut RequestBody,
        options: ExtractParamOptions<Self::ParamType>,
    ) -> Result<Self> {
        let form = <OAuthForm<T> as ApiExtractor<'a>>::from_request(request, body, options).await;
        Ok(Self(form.ok().map(|form| form.0)))
    }
}
