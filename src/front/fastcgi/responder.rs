//! One request's variables and body to its answer: the CGI side of the exchange that HTTP has too.

use std::time::Instant;

use crate::config::TrustedProxies;
use crate::front::exchange::{Answered, Asked, Front, body_too_large, seconds_of};
use crate::front::fastcgi::intake::{PARAMS_BYTES_MAX, Request};
use crate::front::fastcgi::params::Variables;
use crate::front::forwarded::Forwarded;
use crate::front::gallery;
use crate::front::manners::Manners;
use crate::front::request_name::Name;
use crate::model::{Fault, FaultKind, UriMap};
use crate::protocols;
use crate::protocols::wire::{Method, RawRequest, Response};

/// An answer, and whether its body stays here.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) response: Response,
    /// HEAD was asked: the headers speak of a body that is not sent.
    pub(super) is_head: bool,
}

/// What settings say of the reading of a request.
struct Reading<'a> {
    body_bytes_max: usize,
    trusted_proxies: &'a TrustedProxies,
    uri_map: &'a UriMap,
}

impl<'a> Reading<'a> {
    const fn of(body_bytes_max: usize, manners: &'a Manners) -> Self {
        Self {
            body_bytes_max,
            trusted_proxies: &manners.trusted_proxies,
            uri_map: &manners.settings.uri_map,
        }
    }
}

/// Answers a request as HTTP would.
pub(super) async fn answer(front: &Front, request: &Request) -> Answer {
    let started = Instant::now();
    let (variables, unread) = match variables(request) {
        Ok(variables) => (variables, None),
        Err(fault) => (Variables::default(), Some(fault)),
    };
    let manners = front.manners.load_full();
    let read = match unread {
        None => raw_request(&variables, request, &Reading::of(front.body_bytes_max, &manners)),
        Some(fault) => Err(fault),
    };
    let name = Name::of(variables.http_x_request_id, variables.http_traceparent, &front.traces);
    let place = front.requests.take_place();
    let answered = match (&place, read) {
        (None, _) => Answered::too_many(),
        (Some(_), Ok(raw)) => front.answer(&raw, &name).await,
        (Some(_), Err(fault)) => Answered::unread(&fault),
    };
    let asked = Asked {
        peer: variables.remote_addr.unwrap_or("unix"),
        method: variables.request_method.unwrap_or("-"),
        target: variables.request_uri.or(variables.query_string).unwrap_or("-"),
        started,
        name,
    };
    let is_head = variables.request_method == Some("HEAD");
    Answer { response: front.finish(asked, answered), is_head }
}

fn variables(request: &Request) -> Result<Variables<'_>, Fault> {
    let Some(params) = &request.params else {
        let text = format!("the request's variables are longer than {PARAMS_BYTES_MAX} bytes");
        return Err(Fault::new(FaultKind::UriTooLong, text));
    };
    Variables::read(params).map_err(|error| Fault::bad_request(error.to_string()))
}

/// What protocols need of a request.
fn raw_request<'a>(
    variables: &Variables<'a>,
    request: &'a Request,
    reading: &Reading<'_>,
) -> Result<RawRequest<'a>, Fault> {
    let Some(method) = variables.request_method.map(method_of) else {
        return Err(Fault::bad_request("the web server sent no REQUEST_METHOD"));
    };
    let body = match method {
        Method::Post => body_of(variables, request, reading.body_bytes_max)?,
        Method::Get | Method::Head | Method::Options | Method::Other => &[],
    };
    let (path, query) = address(variables, reading.uri_map);
    let scheme = if is_https(variables.https) { "https" } else { "http" };
    let host = variables.http_host.or(variables.server_name).unwrap_or("localhost");
    let public = forwarded(variables, reading.trusted_proxies).public(scheme, host);
    Ok(RawRequest {
        method,
        path,
        query,
        query_rules: query_rules((path, query), method, reading.uri_map),
        body,
        scheme: public.scheme,
        host: public.host,
        prefix: public.prefix,
        iiif_id: public.iiif_id,
        accept: variables.http_accept.unwrap_or_default(),
        if_none_match: variables.http_if_none_match,
        if_modified_since_s: variables.http_if_modified_since.and_then(seconds_of),
    })
}

/// What the web server's client says of public addresses, where that client is a proxy that is trusted.
fn forwarded<'a>(variables: &Variables<'a>, trusted: &TrustedProxies) -> Forwarded<'a> {
    let client = variables.remote_addr.and_then(|address| address.parse().ok());
    if client.is_none_or(|client| !trusted.hold(Some(client))) {
        return Forwarded::default();
    }
    Forwarded {
        standard: variables.http_forwarded,
        proto: variables.http_x_forwarded_proto,
        host: variables.http_x_forwarded_host,
        prefix: variables.http_x_forwarded_prefix,
        iiif_id: variables.http_x_iiif_id,
    }
}

fn method_of(method: &str) -> Method {
    match method {
        "GET" => Method::Get,
        "HEAD" => Method::Head,
        "POST" => Method::Post,
        "OPTIONS" => Method::Options,
        _ => Method::Other,
    }
}

/// The body, which must be as long as it was said to be: half a body is another request.
fn body_of<'a>(
    variables: &Variables<'_>,
    request: &'a Request,
    bytes_max: usize,
) -> Result<&'a [u8], Fault> {
    let body = request.body.as_deref().ok_or_else(|| body_too_large(bytes_max))?;
    match variables.content_length.map(str::parse::<usize>) {
        None => Ok(body),
        // What Java says where it does not know.
        Some(Err(_)) if variables.content_length == Some("-1") => Ok(body),
        Some(Ok(said)) if said == body.len() => Ok(body),
        Some(_) => Err(Fault::bad_request("the body is not as long as CONTENT_LENGTH says")),
    }
}

/// Path and query. Where a web server rewrote the address, its query is not the one in `REQUEST_URI`,
/// and the path that belongs to it is the script's; but a path that the settings map is meant as it is.
fn address<'a>(variables: &Variables<'a>, map: &UriMap) -> (&'a str, &'a str) {
    let script = variables.script_name.or(variables.path_info).unwrap_or("/");
    let Some(uri) = variables.request_uri else {
        return (script, variables.query_string.unwrap_or_default());
    };
    let (path, query) = uri.split_once('?').unwrap_or((uri, ""));
    match variables.query_string {
        Some(rewritten) if rewritten != query && map.find(path).is_none() => (script, rewritten),
        _ => (path, query),
    }
}

/// Whether the query is the request although the path is not one of ours: iipsrv answers under
/// whatever name its script has. A query that no image is named in (a cache buster) leaves the path to
/// speak, where it can.
fn query_rules((path, query): (&str, &str), method: Method, map: &UriMap) -> bool {
    if map.find(path).is_some() {
        return false;
    }
    if protocols::names_an_image(query) {
        return true;
    }
    let is_ours = protocols::is_mounted(path, map) || gallery::is_page(path);
    !is_ours && (!query.is_empty() || method == Method::Post)
}

/// `HTTPS` is set to anything but `off` on an encrypted connection.
fn is_https(https: Option<&str>) -> bool {
    https.is_some_and(|https| !https.eq_ignore_ascii_case("off"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw<'a>(variables: &Variables<'a>, request: &'a Request) -> Result<RawRequest<'a>, Fault> {
        mapped(variables, request, &UriMap::default())
    }

    fn mapped<'a>(
        variables: &Variables<'a>,
        request: &'a Request,
        uri_map: &UriMap,
    ) -> Result<RawRequest<'a>, Fault> {
        let trusted_proxies = &TrustedProxies::default();
        raw_request(variables, request, &Reading { body_bytes_max: 100, trusted_proxies, uri_map })
    }

    fn request(body: Option<&[u8]>) -> Request {
        let body = body.map(<[u8]>::to_vec);
        Request { id: 1, keeps_connection: true, params: Some(Vec::new()), body }
    }

    fn get(request_uri: &str) -> Variables<'_> {
        Variables {
            request_method: Some("GET"),
            request_uri: Some(request_uri),
            query_string: request_uri.split_once('?').map(|(_, query)| query),
            script_name: Some("/fcgi/anything"),
            ..Variables::default()
        }
    }

    #[test]
    fn a_mapped_path_is_meant_whatever_query_and_script_say() {
        let map = UriMap::parse("pictures=>IIIF").unwrap();
        let request = request(Some(b""));
        for (uri, query) in [
            ("/pictures/a.tif/info.json", None),
            ("/pictures/a.tif/info.json?FIF=b.tif", Some("FIF=b.tif")),
            ("/pictures/a.tif/info.json", Some("FIF=rewritten")),
        ] {
            let variables = Variables { query_string: query, ..get(uri) };
            let raw = mapped(&variables, &request, &map).unwrap();
            assert_eq!((raw.path, raw.query_rules), ("/pictures/a.tif/info.json", false), "{uri}");
        }
        let other = mapped(&get("/fcgi?FIF=a.tif"), &request, &map).unwrap();
        assert!(other.query_rules);
    }

    #[test]
    fn the_query_is_the_request_whatever_the_scripts_name() {
        let request = request(Some(b""));
        for (uri, query_rules) in [
            ("/cgi-bin/pictures?FIF=a.tif&OBJ=IIP", true),
            ("/any?iiif=a.tif/info.json", true),
            ("/any?WID=200&FIF=a.tif", true),
            ("/any?nonsense", true),
            ("/iiif/3/a.tif/info.json?FIF=b.tif", true),
            ("/iiif/3/a.tif/info.json?v=7", false),
            ("/gallery.json?folder=b", false),
            ("/view/a.tif?x=1", false),
            ("/", false),
            ("/any", false),
        ] {
            let raw = raw(&get(uri), &request).unwrap();
            assert_eq!(raw.query_rules, query_rules, "{uri}");
            assert_eq!(raw.path, uri.split('?').next().unwrap());
        }
    }

    #[test]
    fn a_rewritten_address_is_known_by_its_script() {
        let variables = Variables {
            query_string: Some("IIIF=a.tif/info.json"),
            ..get("/pictures/a.tif/info.json")
        };
        let request = request(Some(b""));
        let raw = raw(&variables, &request).unwrap();
        assert_eq!((raw.path, raw.query), ("/fcgi/anything", "IIIF=a.tif/info.json"));
    }

    #[test]
    fn a_request_without_a_method_is_an_error_and_no_crash() {
        let variables = Variables { request_method: None, ..get("/iip?FIF=a.tif") };
        let fault = raw(&variables, &request(Some(b""))).unwrap_err();
        assert_eq!(fault.kind, FaultKind::BadRequest);
        assert!(fault.text.contains("REQUEST_METHOD"));
    }

    #[test]
    fn https_is_anything_but_off() {
        let cases = [(None, false), (Some("on"), true), (Some("1"), true), (Some("OFF"), false)];
        for (https, expected) in cases {
            assert_eq!(is_https(https), expected, "{https:?}");
        }
    }

    #[test]
    fn a_body_is_as_long_as_it_was_said_to_be() {
        for (said, body, kind) in [
            (None, Some(&b"FIF=a"[..]), None),
            (Some("5"), Some(b"FIF=a"), None),
            (Some("4"), Some(b"FIF=a"), Some(FaultKind::BadRequest)),
            (Some("99999999999999999999"), Some(b"FIF=a"), Some(FaultKind::BadRequest)),
            (Some("-1"), Some(b"FIF=a"), None),
            (Some("5"), None, Some(FaultKind::TooLarge)),
        ] {
            let variables =
                Variables { request_method: Some("POST"), content_length: said, ..get("/iip") };
            let request = request(body);
            let fault = raw(&variables, &request).err().map(|fault| fault.kind);
            assert_eq!(fault, kind, "{said:?}");
        }
    }
}
