//! The admin listener: metrics and health, on an address of its own so that a probe never queues behind
//! image work. Answered from memory.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use actix_web::{HttpResponse, web};

use crate::actors::Service;
use crate::front::request_count::RequestCount;
use crate::front::troubles::Troubles;
use crate::metrics::{self, Exporter};
use crate::telemetry::AccessLog;

/// What the admin listener tells of.
#[derive(Clone, Debug)]
pub struct Admin {
    /// The cast, for its gauges.
    pub service: Service,
    /// Requests of the public listener.
    pub requests: RequestCount,
    /// Images that fail.
    pub troubles: Troubles,
    /// Access lines, for those that were lost.
    pub access: Option<AccessLog>,
    /// The metrics.
    pub exporter: Exporter,
    /// Set once the server drains: it lives, but wants no new work.
    pub draining: Arc<AtomicBool>,
}

/// Routes the admin paths of an application.
pub fn configure(admin: &Admin) -> impl FnOnce(&mut web::ServiceConfig) + use<> {
    let data = web::Data::new(admin.clone());
    move |app| {
        app.app_data(data)
            .route("/metrics", web::get().to(scrape))
            .route("/health/live", web::get().to(live))
            .route("/health/ready", web::get().to(ready))
            .default_service(web::route().to(nothing));
    }
}

async fn scrape(admin: web::Data<Admin>) -> HttpResponse {
    admin.service.observe();
    let requests = u64::try_from(admin.requests.count()).unwrap_or(u64::MAX);
    metrics::level("tessera_requests_in_flight", requests);
    let troubles = admin.troubles.recent(Instant::now()).len();
    metrics::level("tessera_images_in_trouble", u64::try_from(troubles).unwrap_or(u64::MAX));
    metrics::log_lines_dropped(admin.access.as_ref().map_or(0, AccessLog::dropped));
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

async fn nothing() -> HttpResponse {
    HttpResponse::NotFound()
        .content_type("text/plain")
        .body("there are /metrics, /health/live and /health/ready here\n")
}
