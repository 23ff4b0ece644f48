//! Who calls the admin API. What was presented is judged behind the port; here it is described.

use poem::{Request, RequestBody, Result};
use poem_openapi::registry::{MetaSecurityScheme, Registry};
use poem_openapi::{ApiExtractor, ApiExtractorType, ExtractParamOptions};

use crate::visit::Visit;

const TOKEN: &str = "admin_token";
const SESSION: &str = "admin_session";

/// A request to the admin API, with a token or in a session.
#[derive(Clone, Debug)]
pub struct AdminVisit(pub Visit);

impl<'a> ApiExtractor<'a> for AdminVisit {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::SecurityScheme];

    type ParamType = ();
    type ParamRawType = ();

    fn register(registry: &mut Registry) {
        let scheme = |ty, description| MetaSecurityScheme {
            ty,
            description: Some(description),
            name: None,
            key_in: None,
            scheme: None,
            bearer_format: None,
            flows: None,
            openid_connect_url: None,
        };
        let token = "Made by `gatehouse admin token create`.";
        let token = MetaSecurityScheme { scheme: Some("bearer"), ..scheme("http", token) };
        registry.create_security_scheme(TOKEN, token);
        let session = "Of a browser that is signed in at `/admin/`; what changes something also \
                       carries `X-Form-Token`. Over https the name begins with `__Secure-`.";
        let session = MetaSecurityScheme {
            name: Some("gatehouse_admin"),
            key_in: Some("cookie"),
            ..scheme("apiKey", session)
        };
        registry.create_security_scheme(SESSION, session);
    }

    fn security_schemes() -> Vec<&'static str> {
        vec![TOKEN, SESSION]
    }

    async fn from_request(
        request: &'a Request,
        body: &mut RequestBody,
        _: ExtractParamOptions<Self::ParamType>,
    ) -> Result<Self> {
        Ok(Self(<Visit as poem::FromRequest>::from_request(request, body).await?))
    }
}
