//! The admin listener: metrics, health and administration, on an address of its own so that a probe never
//! queues behind image work. Answered from memory, but for what is explained.

mod authority;
mod explain;
mod state;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::Notify;

use crate::actors::Service;
use crate::actors::purge::Purge;
use crate::config::LiveOrigins;
use crate::front::manners::LiveManners;
use crate::front::rankings::Rankings;
use crate::front::request_count::RequestCount;
use crate::front::troubles::Troubles;
use crate::metrics::{self, Exporter};
use crate::telemetry::traces::Traces;
use crate::telemetry::{AccessLog, Sink};

pub use authority::Authority;

/// What the admin listener tells of.
#[derive(Clone, Debug)]
pub struct Admin {
    /// The cast, for its gauges.
    pub service: Service,
    /// Requests of the public listener.
    pub requests: RequestCount,
    /// Images that fail.
    pub troubles: Troubles,
    /// Images that are asked for most.
    pub rankings: Rankings,
    /// Where the log goes, for the lines that were lost.
    pub sink: Sink,
    /// Access lines, for those that were lost before that.
    pub access: Option<AccessLog>,
    /// Traces, for those that were lost.
    pub traces: Traces,
    /// The metrics.
    pub exporter: Exporter,
    /// The settings.
    pub origins: LiveOrigins,
    /// How addresses are read.
    pub manners: LiveManners,
    /// Who may administer.
    pub authority: Authority,
    /// Set once the server drains: it lives, but wants no new work.
    pub draining: Arc<AtomicBool>,
    /// Told when it is to drain.
    pub drain: Arc<Notify>,
}

/// Routes the admin paths of an application.
pub fn configure(admin: &Admin) -> impl FnOnce(&mut web::ServiceConfig) + use<> {
    let data = web::Data::new(admin.clone());
    move |app| {
        app.app_data(data)
            .route("/metrics", web::get().to(scrape))
            .route("/health/live", web::get().to(live))
            .route("/health/ready", web::get().to(ready))
            .route("/config", web::get().to(config))
            .route("/images", web::get().to(images))
            .route("/shards", web::get().to(shards))
            .route("/explain", web::get().to(explain))
            .route("/cache", web::delete().to(purge))
            .route("/drain", web::put().to(drain))
            .default_service(web::route().to(nothing));
    }
}

async fn scrape(admin: web::Data<Admin>) -> HttpResponse {
    admin.service.observe();
    let requests = u64::try_from(admin.requests.count()).unwrap_or(u64::MAX);
    metrics::level("tessera_requests_in_flight", requests);
    let troubles = admin.troubles.recent(Instant::now()).len();
    metrics::level("tessera_images_in_trouble", u64::try_from(troubles).unwrap_or(u64::MAX));
    let unwritten = admin.access.as_ref().map_or(0, AccessLog::dropped);
    metrics::log_lines_dropped(unwritten.saturating_add(admin.sink.lost()));
    let traces = admin.traces.counts();
    metrics::traces(traces.sent, traces.lost);
    let content_type = "text/plain; version=0.0.4; charset=utf-8";
    HttpResponse::Ok().content_type(content_type).body(admin.exporter.render())
}

async fn live() -> HttpResponse {
    HttpResponse::Ok().content_type("text/plain").body("live\n")
}

async fn ready(admin: web::Data<Admin>) -> HttpResponse {
    if admin.draining.load(Ordering::Relaxed) {
        return HttpResponse::ServiceUnavailable().content_type("text/plain").body("draining\n");
    }
    HttpResponse::Ok().content_type("text/plain").body("ready\n")
}

/// The settings in force.
async fn config(admin: web::Data<Admin>, request: HttpRequest) -> HttpResponse {
    told(&admin, &request, || state::settings(&admin.origins.load()))
}

async fn images(admin: web::Data<Admin>, request: HttpRequest) -> HttpResponse {
    told(&admin, &request, || state::images(&admin))
}

async fn shards(admin: web::Data<Admin>, request: HttpRequest) -> HttpResponse {
    told(&admin, &request, || state::shards(&admin))
}

/// What is to be forgotten: one of these.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct PurgeQuery {
    image: Option<String>,
    prefix: Option<String>,
    all: Option<String>,
}

impl PurgeQuery {
    fn purge(self) -> Option<Purge> {
        match (self.image, self.prefix, self.all) {
            (Some(image), None, None) => Some(Purge::Image(image)),
            (None, Some(prefix), None) => Some(Purge::Prefix(prefix)),
            (None, None, Some(_)) => Some(Purge::All),
            _ => None,
        }
    }
}

async fn purge(
    admin: web::Data<Admin>,
    request: HttpRequest,
    query: Result<web::Query<PurgeQuery>, actix_web::Error>,
) -> HttpResponse {
    if let Some(refused) = admin.authority.refusal(&request) {
        return refused;
    }
    let Some(purge) = query.ok().and_then(|query| query.into_inner().purge()) else {
        return HttpResponse::BadRequest()
            .content_type("text/plain")
            .body("one of ?image=NAME, ?prefix=NAMES and ?all is needed\n");
    };
    let purged = admin.service.purge(&purge).await;
    tracing::info!(?purge, ?purged, "caches purged");
    json_response(&json!({
        "answers": purged.answers,
        "tiles": purged.tiles,
        "images": purged.images,
        "memcached": purged.reach.label(),
    }))
}

async fn drain(admin: web::Data<Admin>, request: HttpRequest) -> HttpResponse {
    if let Some(refused) = admin.authority.refusal(&request) {
        return refused;
    }
    admin.drain.notify_one();
    HttpResponse::Accepted().content_type("text/plain").body("draining\n")
}

/// Which address is to be explained.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ExplainQuery {
    url: String,
    run: Option<String>,
}

async fn explain(
    admin: web::Data<Admin>,
    request: HttpRequest,
    query: Result<web::Query<ExplainQuery>, actix_web::Error>,
) -> HttpResponse {
    if let Some(refused) = admin.authority.refusal(&request) {
        return refused;
    }
    let Ok(query) = query else {
        return HttpResponse::BadRequest()
            .content_type("text/plain")
            .body("?url= is needed, a path with its query as clients send it, percent-encoded; &run answers it too\n");
    };
    let manners = admin.manners.load_full();
    match explain::explain(&admin.service, &manners, &query.url, query.run.is_some()).await {
        Ok(told) => json_response(&told),
        Err(fault) => {
            let status = actix_web::http::StatusCode::from_u16(fault.kind.status());
            HttpResponse::build(status.unwrap_or_default())
                .content_type("text/plain; charset=utf-8")
                .body(format!("{}\n", fault.text))
        }
    }
}

/// An answer in JSON for those who may have it.
fn told(admin: &Admin, request: &HttpRequest, tell: impl FnOnce() -> Value) -> HttpResponse {
    admin.authority.refusal(request).unwrap_or_else(|| json_response(&tell()))
}

fn json_response(value: &Value) -> HttpResponse {
    HttpResponse::Ok()
        .content_type("application/json")
        .insert_header(("Cache-Control", "no-store"))
        .body(format!("{value:#}\n"))
}

async fn nothing() -> HttpResponse {
    HttpResponse::NotFound().content_type("text/plain").body(
        "there are /metrics, /health/live, /health/ready, /config, /images, /shards, /explain, \
         DELETE /cache and PUT /drain here\n",
    )
}
