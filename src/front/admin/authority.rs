//! Who may administer: whoever has the token; without one, whoever is on this machine, if nobody else can
//! reach the listener.

use std::hint::black_box;

use actix_web::{HttpRequest, HttpResponse};

use crate::config::{Bind, ServerConfig};

/// What is asked of those who administer.
#[derive(Clone)]
pub enum Authority {
    /// This token.
    Token(String),
    /// Nothing: the listener is of this machine alone.
    Local,
    /// What nobody has: the listener is open to others, and no token is set.
    Nobody,
}

impl std::fmt::Debug for Authority {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Token(_) => "Token",
            Self::Local => "Local",
            Self::Nobody => "Nobody",
        })
    }
}

impl Authority {
    /// That of a configuration.
    pub fn of(config: &ServerConfig) -> Self {
        if !config.admin_token.is_empty() {
            return Self::Token(config.admin_token.clone());
        }
        match &config.admin {
            Bind::Tcp(address) if !address.ip().is_loopback() => Self::Nobody,
            Bind::Tcp(_) | Bind::Unix(_) | Bind::Inherited | Bind::None => Self::Local,
        }
    }

    /// The answer to a request of one who may not: 401 without the right token, 403 where there is none
    /// to have.
    pub(super) fn refusal(&self, request: &HttpRequest) -> Option<HttpResponse> {
        match self {
            Self::Local => None,
            Self::Nobody => Some(HttpResponse::Forbidden().content_type("text/plain").body(
                "server.admin is open to other machines: set server.admin_token to administer\n",
            )),
            Self::Token(token) => {
                let header = request.headers().get("Authorization");
                let given = header.and_then(|value| value.as_bytes().strip_prefix(b"Bearer "));
                if given.is_some_and(|given| is_same(given, token.as_bytes())) {
                    return None;
                }
                Some(HttpResponse::Unauthorized()
                    .insert_header(("WWW-Authenticate", "Bearer"))
                    .content_type("text/plain")
                    .body(
                        "this needs `Authorization: Bearer` with the token of server.admin_token\n",
                    ))
            }
        }
    }
}

/// Compares in a time that tells nothing but the length: a guess that begins rightly takes no longer.
fn is_same(given: &[u8], token: &[u8]) -> bool {
    let differences = given.iter().zip(token).fold(0, |sum, (a, b)| black_box(sum | (a ^ b)));
    given.len() == token.len() && differences == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_the_whole_token() {
        assert!(is_same(b"secret", b"secret"));
        for wrong in [&b""[..], b"secre", b"secrets", b"Secret", b"secreT"] {
            assert!(!is_same(wrong, b"secret"), "{wrong:?}");
        }
    }
}
