//! Records to requests: the state of one connection, apart from its socket. Streams are put together
//! within their limits; what only the protocol needs is answered here.

use crate::front::fastcgi::params::{PairError, Pairs, put_short_pair};
use crate::front::fastcgi::record::{Ending, Kind, Record, Sent, put, put_end, put_unknown_type};

/// A request's variables together, in bytes: eight times the longest address that is taken by default.
pub(super) const PARAMS_BYTES_MAX: usize = 64 << 10;

/// The role that we play.
const RESPONDER: u16 = 1;

/// The flag of a request behind which the connection stays open.
const KEEP_CONNECTION: u8 = 1;

/// What an intake may hold and tell.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    /// Longest body kept.
    pub(super) body_bytes_max: usize,
    /// Connections that are served at once, which web servers may ask for.
    pub(super) connections_max: usize,
}

/// A whole request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Request {
    pub(super) id: u16,
    pub(super) keeps_connection: bool,
    /// The PARAMS stream; nothing where it was above [`PARAMS_BYTES_MAX`].
    pub(super) params: Option<Vec<u8>>,
    /// The STDIN stream; nothing where it was above its limit.
    pub(super) body: Option<Vec<u8>>,
}

/// What a record made happen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Event {
    /// A request is whole; the next one is taken after [`Intake::answered`].
    Request(Request),
    /// The request being answered is not wanted any more.
    Aborted,
    /// The web server wants this answer.
    Send {
        /// Records.
        bytes: Vec<u8>,
        /// Whether the connection ends with them.
        closes: bool,
    },
}

/// Records that cannot be meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum IntakeError {
    /// `BEGIN_REQUEST` without its 8 bytes.
    #[error("a request begins with {0} bytes instead of 8")]
    ShortBegin(usize),
    /// `BEGIN_REQUEST` of the request that is there already.
    #[error("request {0} begins twice")]
    BegunTwice(u16),
    /// A stream goes on behind its end.
    #[error("a stream of request {0} goes on behind its end")]
    BehindEnd(u16),
    /// A record that belongs to no request's way in.
    #[error("request {id} has a record of type {kind}")]
    StrangeRecord {
        /// The request.
        id: u16,
        /// The record's type.
        kind: u8,
    },
    /// `GET_VALUES` that is not made of pairs.
    #[error(transparent)]
    Pair(#[from] PairError),
}

/// One connection's requests, one at a time.
#[derive(Debug)]
pub(super) struct Intake {
    bounds: Bounds,
    active: Option<Active>,
}

#[derive(Debug)]
enum Active {
    Reading(Reading),
    Answering(u16),
}

impl Active {
    const fn id(&self) -> u16 {
        match self {
            Self::Reading(reading) => reading.id,
            Self::Answering(id) => *id,
        }
    }
}

#[derive(Debug)]
struct Reading {
    id: u16,
    keeps_connection: bool,
    params: Stream,
    body: Stream,
}

/// A stream on its way in. Above its limit nothing more is kept, but its end is still found.
#[derive(Debug)]
struct Stream {
    bytes: Option<Vec<u8>>,
    bytes_max: usize,
    is_whole: bool,
}

impl Stream {
    const fn new(bytes_max: usize) -> Self {
        Self { bytes: Some(Vec::new()), bytes_max, is_whole: false }
    }

    /// Takes a record's content; `false` behind the end.
    fn take(&mut self, content: &[u8]) -> bool {
        if self.is_whole {
            return false;
        }
        self.is_whole = content.is_empty();
        self.bytes =
            self.bytes.take().filter(|bytes| bytes.len() + content.len() <= self.bytes_max);
        if let Some(bytes) = &mut self.bytes {
            bytes.extend(content);
        }
        true
    }
}

impl Intake {
    pub(super) const fn new(bounds: Bounds) -> Self {
        Self { bounds, active: None }
    }

    /// Whether no request is on its way.
    pub(super) const fn is_idle(&self) -> bool {
        self.active.is_none()
    }

    /// The request was answered: the next may begin.
    pub(super) fn answered(&mut self) {
        self.active = None;
    }

    /// Takes the next record.
    pub(super) fn take(&mut self, record: &Record<'_>) -> Result<Option<Event>, IntakeError> {
        if record.request_id == 0 {
            return self.manage(record).map(Some);
        }
        if record.kind == Kind::BeginRequest {
            return self.begin(record);
        }
        match &mut self.active {
            Some(active) if active.id() == record.request_id => self.go_on(record),
            // The specification has records of requests that ended, or never were, ignored.
            Some(_) | None => Ok(None),
        }
    }

    /// A record that concerns the connection.
    fn manage(&self, record: &Record<'_>) -> Result<Event, IntakeError> {
        let mut bytes = Vec::new();
        if record.kind == Kind::GetValues {
            let values = self.values(record.content)?;
            put(&mut bytes, Sent::GetValuesResult, 0, &values);
        } else {
            put_unknown_type(&mut bytes, record.kind);
        }
        Ok(Event::Send { bytes, closes: false })
    }

    /// Those of the values asked for that we know. Each once: the answer must fit a record.
    fn values(&self, names: &[u8]) -> Result<Vec<u8>, PairError> {
        let asked = Pairs::of(names).collect::<Result<Vec<_>, _>>()?;
        let count = self.bounds.connections_max.to_string();
        // One request a connection, so there are as many of these as of those.
        let known =
            [("FCGI_MAX_CONNS", &*count), ("FCGI_MAX_REQS", &*count), ("FCGI_MPXS_CONNS", "0")];
        let mut values = Vec::new();
        for (name, value) in known {
            if asked.iter().any(|(asked, _)| *asked == name.as_bytes()) {
                put_short_pair(&mut values, name, value);
            }
        }
        Ok(values)
    }

    fn begin(&mut self, record: &Record<'_>) -> Result<Option<Event>, IntakeError> {
        let id = record.request_id;
        let Ok([role_high, role_low, flags, ..]) = <[u8; 8]>::try_from(record.content) else {
            return Err(IntakeError::ShortBegin(record.content.len()));
        };
        let keeps_connection = flags & KEEP_CONNECTION != 0;
        match &self.active {
            Some(active) if active.id() == id => return Err(IntakeError::BegunTwice(id)),
            Some(_) => return Ok(Some(end(id, Ending::CannotMultiplex, true))),
            None => {}
        }
        if u16::from_be_bytes([role_high, role_low]) != RESPONDER {
            return Ok(Some(end(id, Ending::UnknownRole, keeps_connection)));
        }
        let params = Stream::new(PARAMS_BYTES_MAX);
        let body = Stream::new(self.bounds.body_bytes_max);
        self.active = Some(Active::Reading(Reading { id, keeps_connection, params, body }));
        Ok(None)
    }

    /// A record of the request that is there.
    fn go_on(&mut self, record: &Record<'_>) -> Result<Option<Event>, IntakeError> {
        let id = record.request_id;
        let Some(Active::Reading(reading)) = &mut self.active else {
            // The rest of a body that nobody waits for may still come.
            return Ok((record.kind == Kind::AbortRequest).then_some(Event::Aborted));
        };
        let fits = match record.kind {
            Kind::Params => reading.params.take(record.content),
            Kind::Stdin => reading.body.take(record.content),
            Kind::Data => true,
            Kind::AbortRequest => {
                let event = end(id, Ending::Complete, reading.keeps_connection);
                self.active = None;
                return Ok(Some(event));
            }
            Kind::BeginRequest | Kind::GetValues | Kind::Other(_) => {
                return Err(IntakeError::StrangeRecord { id, kind: record.kind.number() });
            }
        };
        if !fits {
            return Err(IntakeError::BehindEnd(id));
        }
        if !(reading.params.is_whole && reading.body.is_whole) {
            return Ok(None);
        }
        let request = Request {
            id,
            keeps_connection: reading.keeps_connection,
            params: reading.params.bytes.take(),
            body: reading.body.bytes.take(),
        };
        self.active = Some(Active::Answering(id));
        Ok(Some(Event::Request(request)))
    }
}

/// The end of a request that gets no answer.
fn end(id: u16, ending: Ending, keeps_connection: bool) -> Event {
    let mut bytes = Vec::new();
    put_end(&mut bytes, id, ending);
    Event::Send { bytes, closes: !keeps_connection }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::front::fastcgi::record::parse;

    const BOUNDS: Bounds = Bounds { body_bytes_max: 100, connections_max: 7 };

    fn record(kind: Kind, request_id: u16, content: &[u8]) -> Record<'_> {
        Record { kind, request_id, content }
    }

    const BEGIN: &[u8] = &[0, 1, 1, 0, 0, 0, 0, 0];

    type Sample<'a> = (Kind, u16, &'a [u8]);

    /// Feeds records until one makes something happen.
    fn feed(intake: &mut Intake, records: &[Sample<'_>]) -> Result<Vec<Event>, IntakeError> {
        let mut events = Vec::new();
        for (kind, id, content) in records {
            events.extend(intake.take(&record(*kind, *id, content))?);
        }
        Ok(events)
    }

    /// Type, request and content of a record that we sent.
    fn sent(event: &Event) -> (u8, u16, Vec<u8>, bool) {
        let Event::Send { bytes, closes } = event else { panic!("{event:?}") };
        let (record, taken_bytes) = parse(bytes).unwrap().unwrap();
        assert_eq!(taken_bytes, bytes.len());
        (record.kind.number(), record.request_id, record.content.to_vec(), *closes)
    }

    #[test]
    fn streams_are_put_together_wherever_they_were_cut() {
        let mut intake = Intake::new(BOUNDS);
        let events = feed(
            &mut intake,
            &[
                (Kind::BeginRequest, 9, BEGIN),
                (Kind::Params, 9, b"\x01\x03ab"),
                (Kind::Stdin, 9, b"bo"),
                (Kind::Params, 9, b"cd"),
                (Kind::Data, 9, b"for filters"),
                (Kind::Stdin, 8, b"of a request that never was"),
                (Kind::Params, 9, b""),
                (Kind::Stdin, 9, b"dy"),
                (Kind::Stdin, 9, b""),
            ],
        );
        let expected = Request {
            id: 9,
            keeps_connection: true,
            params: Some(b"\x01\x03abcd".to_vec()),
            body: Some(b"body".to_vec()),
        };
        assert_eq!(events.unwrap(), [Event::Request(expected)]);
    }

    #[test]
    fn above_a_limit_nothing_is_kept_but_the_end_is_found() {
        let mut intake = Intake::new(BOUNDS);
        let many = vec![b'x'; 60_000];
        let events = feed(
            &mut intake,
            &[
                (Kind::BeginRequest, 1, BEGIN),
                (Kind::Params, 1, &many),
                (Kind::Params, 1, &many),
                (Kind::Params, 1, b""),
                (Kind::Stdin, 1, &many),
                (Kind::Stdin, 1, b"x"),
                (Kind::Stdin, 1, b""),
            ],
        );
        let expected = Request { id: 1, keeps_connection: true, params: None, body: None };
        assert_eq!(events.unwrap(), [Event::Request(expected)]);
    }

    #[test]
    fn a_second_request_is_told_that_there_is_one_and_the_first_goes_on() {
        let mut intake = Intake::new(BOUNDS);
        let events = feed(
            &mut intake,
            &[
                (Kind::BeginRequest, 1, BEGIN),
                (Kind::BeginRequest, 2, BEGIN),
                (Kind::Params, 2, b"ignored"),
                (Kind::Params, 1, b""),
                (Kind::Stdin, 1, b""),
                (Kind::BeginRequest, 3, BEGIN),
                (Kind::AbortRequest, 1, b""),
            ],
        );
        let events = events.unwrap();
        assert_eq!(events.len(), 4);
        assert_eq!(sent(&events[0]), (3, 2, vec![0, 0, 0, 0, 1, 0, 0, 0], false));
        assert!(matches!(&events[1], Event::Request(request) if request.id == 1));
        assert_eq!(sent(&events[2]).1, 3);
        assert_eq!(events[3], Event::Aborted);
        assert!(!intake.is_idle());
        intake.answered();
        assert!(intake.is_idle());
    }

    #[test]
    fn other_roles_are_refused_and_an_abort_ends_what_was_not_whole() {
        let mut intake = Intake::new(BOUNDS);
        let filter = [0, 3, 0, 0, 0, 0, 0, 0];
        let events = feed(&mut intake, &[(Kind::BeginRequest, 1, &filter)]).unwrap();
        assert_eq!(sent(&events[0]), (3, 1, vec![0, 0, 0, 0, 3, 0, 0, 0], true));
        let abort: [Sample<'_>; 2] = [(Kind::BeginRequest, 1, BEGIN), (Kind::AbortRequest, 1, b"")];
        let events = feed(&mut intake, &abort).unwrap();
        assert_eq!(sent(&events[0]), (3, 1, vec![0; 8], false));
        assert!(intake.is_idle());
    }

    #[test]
    fn management_is_answered_with_what_is_known() {
        let mut intake = Intake::new(BOUNDS);
        let mut names = Vec::new();
        for name in ["FCGI_MPXS_CONNS", "FCGI_MAX_REQS", "FCGI_COLOUR", "FCGI_MPXS_CONNS"] {
            put_short_pair(&mut names, name, "");
        }
        let events =
            feed(&mut intake, &[(Kind::GetValues, 0, &names), (Kind::Other(77), 0, b"x")]).unwrap();
        let (kind, id, content, closes) = sent(&events[0]);
        assert_eq!((kind, id, closes), (10, 0, false));
        let values: Vec<_> = Pairs::of(&content).map(Result::unwrap).collect();
        assert_eq!(values, [(&b"FCGI_MAX_REQS"[..], &b"7"[..]), (b"FCGI_MPXS_CONNS", b"0")]);
        assert_eq!(sent(&events[1]), (11, 0, vec![77, 0, 0, 0, 0, 0, 0, 0], false));
    }

    #[test]
    fn what_cannot_be_meant_ends_the_connection() {
        let begun = (Kind::BeginRequest, 1, BEGIN);
        let cases: [(&[Sample<'_>], IntakeError); 5] = [
            (&[(Kind::BeginRequest, 1, b"short")], IntakeError::ShortBegin(5)),
            (&[begun, begun], IntakeError::BegunTwice(1)),
            (&[begun, (Kind::Params, 1, b""), (Kind::Params, 1, b"")], IntakeError::BehindEnd(1)),
            (&[begun, (Kind::Other(6), 1, b"")], IntakeError::StrangeRecord { id: 1, kind: 6 }),
            (&[(Kind::GetValues, 0, b"\x7F\x00")], IntakeError::Pair(PairError)),
        ];
        for (records, expected) in cases {
            assert_eq!(feed(&mut Intake::new(BOUNDS), records), Err(expected));
        }
    }

    proptest! {
        #[test]
        fn whatever_records_come_nothing_panics_and_limits_hold(
            records in prop::collection::vec(
                (0..13_u8, 0..3_u16, prop::collection::vec(any::<u8>(), 0..80)), 0..40),
        ) {
            let mut intake = Intake::new(BOUNDS);
            for (kind, id, content) in &records {
                let mut bytes = vec![1, *kind, 0, u8::try_from(*id).unwrap(), 0];
                bytes.push(u8::try_from(content.len()).unwrap());
                bytes.extend([0, 0]);
                bytes.extend(content);
                let (record, _) = parse(&bytes).unwrap().unwrap();
                match intake.take(&record) {
                    Ok(Some(Event::Request(request))) => {
                        prop_assert!(request.body.is_none_or(|body| body.len() <= 100));
                        intake.answered();
                    }
                    Ok(_) => {}
                    Err(_) => break,
                }
            }
        }
    }
}
