//! `Manners`: how fronts speak, as the configuration says; replaced as a whole when it is read anew.

use std::borrow::Cow;
use std::sync::Arc;

use arc_swap::ArcSwap;

use crate::config::TrustedProxies;
use crate::protocols::Settings;

/// The manners in force, shared by all fronts.
pub type LiveManners = Arc<ArcSwap<Manners>>;

/// What every answer depends on beside the image.
#[derive(Clone, Debug)]
pub struct Manners {
    /// How protocols speak.
    pub settings: Settings,
    /// `Access-Control-Allow-Origin`; empty: no CORS headers.
    pub cors: Cow<'static, str>,
    /// Whose word on public addresses is believed.
    pub trusted_proxies: TrustedProxies,
}
