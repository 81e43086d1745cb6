//! Messages: one JSON object each. What a process says is bounded before it is read, and its sentences
//! are made plain before anybody sees them.

use serde::{Deserialize, Serialize};

use crate::codecs::CodecError;
use crate::model::Rect;
use crate::modules::description::Description;
use crate::modules::error::ModuleError;

/// The version that is spoken here.
pub const PROTOCOL: u32 = 1;

/// Bytes of the longest message: the sizes of a hundred levels take 2 KB.
pub const MESSAGE_BYTES_MAX: usize = 64 << 10;

/// Characters of a process' sentence that are kept.
const SENTENCE_CHARS_MAX: usize = 200;

/// Marks, and suffixes, that a process may claim.
const CLAIMS_MAX: usize = 256;

/// A message and the number of the request that it is or answers; greetings have number 0.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Numbered<T> {
    /// Counts up from 1 within one process.
    pub number: u64,
    /// What is said.
    #[serde(flatten)]
    pub message: T,
}

/// What a process is asked. Each but `Close` has one answer, and none is sent before the last one is
/// answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "request", rename_all = "snake_case")]
pub enum Request {
    /// To open an image and describe it. Descriptors: the file, memory for its profile.
    Open {
        /// The number by which later requests name it.
        image: u64,
        /// What stands behind the last dot of its name, in lower case.
        suffix: String,
        /// Bytes of the memory.
        bytes: u64,
    },
    /// To decode a rectangle of a level. Descriptor: memory for the pixels.
    Decode {
        /// An image that is open.
        image: u64,
        /// Its level, 0 the largest.
        level: usize,
        /// The rectangle.
        #[serde(flatten)]
        part: Part,
        /// Bytes of the memory, all of which are to be written.
        bytes: u64,
    },
    /// To forget an image. Has no answer.
    Close {
        /// An image that is open.
        image: u64,
    },
    /// To decode an area of a JPEG 2000 codestream, in coordinates of its reference grid. Descriptors: the
    /// codestream, memory for the samples.
    Codestream {
        /// Bytes of the codestream.
        codestream_bytes: u64,
        /// The area.
        #[serde(flatten)]
        part: Part,
        /// Bytes of the memory.
        bytes: u64,
    },
}

/// A rectangle of pixels or samples.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// Column of the first.
    pub left: u32,
    /// Row of the first.
    pub top: u32,
    /// Columns.
    pub width: u32,
    /// Rows.
    pub height: u32,
}

impl From<Rect> for Part {
    fn from(rect: Rect) -> Self {
        let (left, top, width, height) = (rect.left(), rect.top(), rect.width(), rect.height());
        Self { left, top, width, height }
    }
}

impl Part {
    /// Samples in it.
    pub fn count(&self) -> u64 {
        u64::from(self.width) * u64::from(self.height)
    }
}

/// What a process answers, and says first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "reply", rename_all = "snake_case")]
pub enum Reply {
    /// Said once, before anything is asked.
    Hello(Hello),
    /// The image is open.
    Image(Description),
    /// The pixels are written.
    Pixels {
        /// How many bytes, which are those that were asked for.
        bytes: u64,
    },
    /// The samples are written, as 32-bit integers, one component behind the other.
    Planes {
        /// The components, in their order.
        planes: Vec<Part>,
    },
    /// There is no answer, and the process is well.
    Error {
        /// Whose fault it is.
        kind: ErrorKind,
        /// What is wrong, for people.
        text: String,
    },
}

/// Who a process is, and which files it takes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    /// [`PROTOCOL`].
    pub protocol: u32,
    /// Marks of its files, as [`crate::model::FileMark`] is written.
    #[serde(default)]
    pub magic: Vec<String>,
    /// Suffixes of its files, where marks do not tell them.
    #[serde(default)]
    pub suffixes: Vec<String>,
}

/// The causes of [`CodecError`] that a process can name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorKind {
    /// The file breaks its format's rules.
    Malformed,
    /// The file may be fine and is not read.
    Unsupported,
    /// The file cannot be read, or memory is short.
    Io,
}

/// A message's bytes.
///
/// # Errors
/// Where it is longer than [`MESSAGE_BYTES_MAX`].
pub fn to_bytes(message: &impl Serialize) -> std::io::Result<Vec<u8>> {
    let bytes = serde_json::to_vec(message)?;
    if bytes.len() <= MESSAGE_BYTES_MAX {
        return Ok(bytes);
    }
    Err(std::io::Error::other(format!("a message of {} bytes", bytes.len())))
}

/// What a process said to the request of a number.
///
/// # Errors
/// `Broke` where it is none of the answers that there are, or one to another request; `Refused` where it
/// is an error.
pub fn read_reply(bytes: &[u8], number: u64) -> Result<Reply, ModuleError> {
    let reply: Result<Numbered<Reply>, _> = serde_json::from_slice(bytes);
    let reply = reply.map_err(|error| ModuleError::broke(plain(&format!("no reply: {error}"))))?;
    if reply.number != number {
        let what = format!("an answer to request {}, not {number}", reply.number);
        return Err(ModuleError::Broke { what });
    }
    match reply.message {
        Reply::Error { kind, text } => Err(ModuleError::Refused(refusal(kind, &plain(&text)))),
        reply => Ok(reply),
    }
}

fn refusal(kind: ErrorKind, text: &str) -> CodecError {
    match kind {
        ErrorKind::Malformed => CodecError::malformed("image", text),
        ErrorKind::Unsupported => CodecError::unsupported("image", text),
        ErrorKind::Io => CodecError::Io(std::io::Error::other(text.to_owned())),
    }
}

impl Hello {
    /// Refuses one of another version, or that claims without end.
    ///
    /// # Errors
    /// `Broke`.
    pub fn check(self) -> Result<Self, ModuleError> {
        if self.protocol != PROTOCOL {
            let what = format!("it speaks version {}, not {PROTOCOL}", self.protocol);
            return Err(ModuleError::Broke { what });
        }
        if CLAIMS_MAX < self.magic.len().max(self.suffixes.len()) {
            return Err(ModuleError::broke("it claims more kinds of files than there are"));
        }
        Ok(self)
    }
}

/// A process' sentence as others may see it: one line of bounded length, without paths.
pub fn plain(text: &str) -> String {
    let words = text.split(|c: char| c.is_whitespace() || c.is_control());
    let words = words.filter(|word| !word.is_empty());
    let words: Vec<&str> =
        words.map(|word| if word.contains(['/', '\\']) { "..." } else { word }).collect();
    words.join(" ").chars().take(SENTENCE_CHARS_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_json_that_other_languages_write_by_hand() {
        let part = Part { left: 1, top: 2, width: 3, height: 4 };
        let message = Request::Decode { image: 7, level: 0, part, bytes: 36 };
        let asked = Numbered { number: 3, message };
        let written = r#"{"number":3,"request":"decode","image":7,"level":0,"left":1,"top":2,"width":3,"height":4,"bytes":36}"#;
        assert_eq!(String::from_utf8(to_bytes(&asked).unwrap()).unwrap(), written);
        assert_eq!(serde_json::from_str::<Numbered<Request>>(written).unwrap(), asked);
        let hello = read_reply(
            br#"{"number":0,"reply":"hello","protocol":1,"suffixes":["pcx"],"more":1}"#,
            0,
        );
        let expected = Hello { protocol: 1, magic: Vec::new(), suffixes: vec!["pcx".to_owned()] };
        assert_eq!(hello.unwrap(), Reply::Hello(expected.clone()));
        expected.check().unwrap();
        let pixels = read_reply(br#"{"number":2,"reply":"pixels","bytes":5}"#, 2);
        assert_eq!(pixels.unwrap(), Reply::Pixels { bytes: 5 });
    }

    #[test]
    fn junk_is_a_broken_protocol_and_never_more() {
        let deep = "[".repeat(60_000);
        for junk in [
            &b""[..],
            b"\0\xff",
            b"{}",
            b"[]",
            b"null",
            b"{\"number\":1,\"reply\":\"nonsense\"}",
            b"{\"number\":1,\"reply\":\"hello\"}",
            b"{\"number\":2,\"reply\":\"pixels\",\"bytes\":5}",
            b"{\"reply\":\"pixels\",\"bytes\":5}",
            b"{\"number\":1,\"reply\":\"hello\",\"protocol\":-1}",
            b"{\"number\":1,\"reply\":\"planes\",\"planes\":[{\"left\":4294967296}]}",
            b"{\"number\":1,\"reply\":\"error\",\"kind\":\"other\",\"text\":\"\"}",
            b"{\"number\":1,\"reply\":\"pixels\"}",
            b"{\"number\":1,\"reply\":\"pixels\",\"bytes\":1}{}",
            deep.as_bytes(),
        ] {
            let error = read_reply(junk, 1).unwrap_err();
            assert!(matches!(error, ModuleError::Broke { .. }), "{junk:?}: {error}");
        }
    }

    #[test]
    fn greetings_of_other_versions_and_without_end_are_refused() {
        let other = Hello { protocol: 2, ..Hello::default() };
        assert_eq!(
            other.check().unwrap_err().to_string(),
            "it broke the protocol: it speaks version 2, not 1"
        );
        let many = Hello { protocol: 1, magic: vec!["00".to_owned(); 257], suffixes: Vec::new() };
        many.check().unwrap_err();
    }

    #[test]
    fn sentences_are_one_short_line_without_paths() {
        assert_eq!(plain("no\nsuch \u{1b}[31m /etc/passwd: file\t!"), "no such [31m ... file !");
        assert_eq!(plain(&"word ".repeat(100)).len(), 200);
        let error = read_reply(
            br#"{"number":1,"reply":"error","kind":"malformed","text":"in /a/b\n row 3"}"#,
            1,
        );
        assert_eq!(error.unwrap_err().to_string(), "malformed image: in ... row 3");
    }
}
