//! What commands ask of a running server: a page by its path, with the token of administration.

use std::time::Duration;

use crate::http_client::{Answer, ClientError as AskingError, Question};

/// How long the server may take over one answer.
const PATIENCE: Duration = Duration::from_mins(1);

/// Largest answer taken, in bytes.
const ANSWER_BYTES_MAX: u64 = 256 << 20;

/// Why there is no answer that can be used.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// Nobody answers.
    #[error(transparent)]
    Asking(#[from] AskingError),
    /// The server refused.
    #[error("the server answered {status} to {path}: {text}")]
    Status {
        /// Its status.
        status: u16,
        /// What was asked for.
        path: String,
        /// What it said.
        text: String,
    },
    /// It is no JSON.
    #[error("the server's answer is no JSON")]
    Json {
        /// Why.
        source: serde_json::Error,
    },
}

/// The body of a 200 to `GET path`, with the token if it is not empty.
pub(super) fn get(address: &str, path: &str, token: &str) -> Result<Vec<u8>, ClientError> {
    let answer = ask(address, path, token)?;
    if answer.status == 200 {
        return Ok(answer.body);
    }
    let text = String::from_utf8_lossy(&answer.body).trim().to_owned();
    Err(ClientError::Status { status: answer.status, path: path.to_owned(), text })
}

/// The answer to `GET path`, whatever it is.
pub(super) fn ask(address: &str, path: &str, token: &str) -> Result<Answer, ClientError> {
    let bearer = format!("Bearer {token}");
    let authorization = [("Authorization", bearer.as_str())];
    let question = Question {
        method: "GET",
        address,
        path,
        headers: if token.is_empty() { &[] } else { &authorization },
        body: b"",
        patience: PATIENCE,
        answer_bytes_max: ANSWER_BYTES_MAX,
    };
    Ok(question.ask()?)
}
