//! The identity provider, as the configuration names it.

use std::sync::Arc;

use crate::cli::house::HouseError;
use crate::clock::Clock;
use crate::config::{Config, UpstreamConfig};
use crate::flow::Fault;
use crate::flow::logout::LOGOUT_PATH;
use crate::http::dev_provider::DevRoutes;
use crate::metrics::Metrics;
use crate::page::brand::Brand;
use crate::secret::{Entropy, Secret};
use crate::upstream::dev::{self, DevProvider, Returns};
use crate::upstream::outbound::Outbound;
use crate::upstream::{Registration, Upstream};

/// The path of the one redirect URI registered at the provider.
const CALLBACK_PATH: &str = "/mcp/callback";

/// How the provider is reached.
pub fn outbound(config: &Config, metrics: &Metrics) -> Result<Outbound, HouseError> {
    let issuer = match &config.upstream {
        UpstreamConfig::Provider(provider) => provider.issuer.clone(),
        UpstreamConfig::Dev | UpstreamConfig::None => config.public_url.clone(),
    };
    Outbound::to(&issuer, metrics.provider.clone()).map_err(HouseError::Outbound)
}

/// The provider, if there is one; and its pages, if it is the built-in one.
pub fn upstream_of(
    config: &Config,
    outbound: Outbound,
    brand: &Arc<Brand>,
    clock: &Arc<dyn Clock>,
    entropy: &Arc<dyn Entropy>,
) -> Result<(Option<Upstream>, Option<DevRoutes>), Fault> {
    let callback = config.url(CALLBACK_PATH);
    let logged_out = config.page_url(LOGOUT_PATH);
    let registration =
        |issuer: String, client_id: String, client_secret: Option<String>| Registration {
            issuer,
            client_id,
            client_secret: client_secret.map(Secret::presented),
            scope: config.upstream_scope.clone(),
            extra: config.upstream_params.clone(),
            redirect_uri: callback.clone(),
            post_logout_redirect_uri: logged_out.clone(),
        };
    match &config.upstream {
        UpstreamConfig::None => Ok((None, None)),
        UpstreamConfig::Provider(provider) => {
            let registration = registration(
                provider.issuer.clone(),
                provider.client_id.clone(),
                provider.client_secret.clone(),
            );
            Ok((Some(Upstream::new(registration, outbound, Arc::clone(clock))), None))
        }
        UpstreamConfig::Dev => {
            let registration = registration(config.url(dev::PATH), dev::CLIENT_ID.into(), None);
            let provider = DevProvider::new(
                &config.public_url,
                Returns { callback: callback.clone(), logged_out: logged_out.clone() },
                Arc::clone(clock),
                Arc::clone(entropy),
            )?;
            let routes =
                DevRoutes::new(Arc::new(provider), config.docs_product.clone(), Arc::clone(brand));
            Ok((Some(Upstream::new(registration, outbound, Arc::clone(clock))), Some(routes)))
        }
    }
}
