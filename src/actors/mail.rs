//! `Mail`: a message that counts as waiting until its actor takes it up, since mailboxes do not tell how
//! full they are.

use actix::Message;

use crate::metrics::{self, Posted};

/// A message on its way.
#[derive(Debug)]
pub struct Mail<M> {
    message: M,
    posted: Posted,
}

impl<M> Mail<M> {
    /// A message to an actor of this name.
    pub(super) fn to(actor: &'static str, message: M) -> Self {
        Self { message, posted: metrics::posted(actor) }
    }

    /// The message, which waits no more.
    pub(super) fn take_up(self) -> M {
        drop(self.posted);
        self.message
    }
}

impl<M: Message> Message for Mail<M> {
    type Result = M::Result;
}
