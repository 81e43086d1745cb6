//! `IipError`: IIP's numbered errors, as the line that its clients look for, with our sentence behind.

use crate::model::Fault;
use crate::protocols::iip::grammar::Token;
use crate::protocols::protocol::Protocol;
use crate::protocols::refusal::Refusal;

/// Characters of an error line at most, as iipsrv cuts it.
const LINE_CHARS_MAX: usize = 31;

/// A query that cannot be answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct IipError {
    code: &'static str,
    argument: String,
    /// The same for people, with its HTTP status.
    pub(crate) fault: Fault,
}

impl IipError {
    /// `1 3`: something was asked of an image before `FIF` named one.
    pub(crate) fn image_not_set(what: &str) -> Self {
        let fault = Fault::bad_request("no image was named: FIF=NAME must come first");
        Self { code: "1 3", argument: what.to_owned(), fault }
    }

    /// `2 1`: a request or command that makes no sense.
    pub(crate) fn malformed(text: &str, fault: Fault) -> Self {
        Self { code: "2 1", argument: text.to_owned(), fault }
    }

    /// `2 1` for one command.
    pub(crate) fn malformed_command(token: Token<'_>, fault: Fault) -> Self {
        Self::malformed(&format!("{}={}", token.name, token.value), fault)
    }

    /// `2 2`: a command that is not taken.
    pub(crate) fn unsupported_command(token: Token<'_>, fault: Fault) -> Self {
        Self { code: "2 2", argument: token.name.to_owned(), fault }
    }

    /// `3 2`: an object that is not known.
    pub(crate) fn unsupported_object(object: String, fault: Fault) -> Self {
        Self { code: "3 2", argument: object, fault }
    }

    /// `Error/LENGTH:CODE ARGUMENT` and CRLF; the length is that of code, blank and argument.
    fn line(&self) -> String {
        let length = self.code.len() + 1 + self.argument.len();
        let line = format!("Error/{length}:{} {}", self.code, self.argument);
        // Arguments are the client's own text: a body may bring line ends along.
        let visible = |c: char| if c.is_control() { '?' } else { c };
        let mut line: String = line.chars().take(LINE_CHARS_MAX).map(visible).collect();
        line.push_str("\r\n");
        line
    }
}

impl From<IipError> for Refusal {
    fn from(error: IipError) -> Self {
        let line = error.line();
        Self::with_error_line(Protocol::Iip, error.fault, line)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_those_that_clients_know() {
        let fault = || Fault::bad_request("-");
        let token = Token { name: "FOO", value: "BAR" };
        for (error, line) in [
            (IipError::unsupported_command(token, fault()), "Error/7:2 2 FOO\r\n"),
            (IipError::unsupported_object("foo".to_owned(), fault()), "Error/7:3 2 foo\r\n"),
            (IipError::image_not_set("max-size"), "Error/12:1 3 max-size\r\n"),
            (IipError::malformed("FIF=rgb.tif", fault()), "Error/15:2 1 FIF=rgb.tif\r\n"),
            (
                IipError::malformed(&"x\n".repeat(50), fault()),
                "Error/104:2 1 x?x?x?x?x?x?x?x?x\r\n",
            ),
        ] {
            assert_eq!(error.line(), line);
        }
    }
}
