//! `Channel`: one end of a socket pair that carries whole messages, and descriptors beside them.

use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, ReturnFlags,
    SendAncillaryBuffer, SendAncillaryMessage, SendFlags, SocketFlags, SocketType, recvmsg,
    sendmsg, socketpair,
};

use crate::modules::message::MESSAGE_BYTES_MAX;

/// Descriptors beside one message.
const DESCRIPTORS_MAX: usize = 2;

/// One end. A message is sent and received whole or not at all (`SOCK_SEQPACKET`).
#[derive(Debug)]
pub struct Channel {
    socket: OwnedFd,
    buffer: Vec<u8>,
}

/// A message that came.
#[derive(Debug, PartialEq, Eq)]
pub enum Received<'a> {
    /// A whole one.
    Message(&'a [u8]),
    /// One that is longer than any may be, or had descriptors where none are taken.
    Unfit,
    /// None will come any more.
    End,
}

impl Channel {
    /// The two ends: ours, and the one that a child is given.
    ///
    /// # Errors
    /// Where descriptors are short.
    pub fn pair() -> io::Result<(Self, OwnedFd)> {
        let flags = SocketFlags::CLOEXEC;
        let (ours, theirs) = socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, flags, None)?;
        Ok((Self::of(ours), theirs))
    }

    /// The end that this process was given as descriptor 0.
    ///
    /// # Errors
    /// Where it is not open.
    pub fn inherited() -> io::Result<Self> {
        Ok(Self::of(io::stdin().as_fd().try_clone_to_owned()?))
    }

    fn of(socket: OwnedFd) -> Self {
        Self { socket, buffer: vec![0; MESSAGE_BYTES_MAX] }
    }

    /// Sends one message; never waits for the other end.
    ///
    /// # Errors
    /// Where the other end is closed, or takes nothing more.
    pub fn send(&self, message: &[u8], descriptors: &[BorrowedFd<'_>]) -> io::Result<()> {
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(DESCRIPTORS_MAX))];
        let mut beside = SendAncillaryBuffer::new(&mut space);
        if !descriptors.is_empty() && !beside.push(SendAncillaryMessage::ScmRights(descriptors)) {
            return Err(io::Error::other("more descriptors than a message takes"));
        }
        let flags = SendFlags::NOSIGNAL | SendFlags::DONTWAIT;
        let sent = sendmsg(&self.socket, &[IoSlice::new(message)], &mut beside, flags)?;
        if sent == message.len() { Ok(()) } else { Err(io::ErrorKind::WriteZero.into()) }
    }

    /// Takes the next message, and waits for it where none is there. Descriptors are not taken: the
    /// kernel closes them.
    ///
    /// # Errors
    /// Where the other end was lost.
    pub fn receive(&mut self) -> io::Result<Received<'_>> {
        let (received, _) = self.receive_with(&mut [])?;
        Ok(received)
    }

    /// The same, with the descriptors beside it.
    ///
    /// # Errors
    /// Where the other end was lost.
    pub fn receive_all(&mut self) -> io::Result<(Received<'_>, Vec<OwnedFd>)> {
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(DESCRIPTORS_MAX))];
        self.receive_with(&mut space)
    }

    fn receive_with(
        &mut self,
        space: &mut [MaybeUninit<u8>],
    ) -> io::Result<(Received<'_>, Vec<OwnedFd>)> {
        let mut beside = RecvAncillaryBuffer::new(space);
        let mut parts = [IoSliceMut::new(&mut self.buffer)];
        let message = recvmsg(&self.socket, &mut parts, &mut beside, RecvFlags::CMSG_CLOEXEC)?;
        let mut descriptors = Vec::new();
        for with in beside.drain() {
            if let RecvAncillaryMessage::ScmRights(rights) = with {
                descriptors.extend(rights);
            }
        }
        let unfit = ReturnFlags::TRUNC | ReturnFlags::CTRUNC;
        let received = match self.buffer.get(..message.bytes) {
            _ if message.flags.intersects(unfit) => Received::Unfit,
            None | Some([]) => Received::End,
            Some(bytes) => Received::Message(bytes),
        };
        Ok((received, descriptors))
    }
}

impl AsFd for Channel {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::io::Read as _;

    use super::*;

    fn ends() -> (Channel, Channel) {
        let (ours, theirs) = Channel::pair().unwrap();
        (ours, Channel::of(theirs))
    }

    #[test]
    fn messages_come_whole_and_one_at_a_time() {
        let (ours, mut theirs) = ends();
        ours.send(b"one", &[]).unwrap();
        ours.send(b"two, longer", &[]).unwrap();
        assert_eq!(theirs.receive().unwrap(), Received::Message(b"one"));
        assert_eq!(theirs.receive().unwrap(), Received::Message(b"two, longer"));
        drop(ours);
        assert_eq!(theirs.receive().unwrap(), Received::End);
    }

    #[test]
    fn descriptors_are_taken_only_where_they_are_waited_for() {
        let (ours, mut theirs) = ends();
        let mut file = tempfile::tempfile().unwrap();
        io::Write::write_all(&mut file, b"pixels").unwrap();
        ours.send(b"with", &[file.as_fd()]).unwrap();
        let (received, mut descriptors) = theirs.receive_all().unwrap();
        assert_eq!(received, Received::Message(b"with"));
        let mut text = String::new();
        io::Seek::rewind(&mut file).unwrap();
        File::from(descriptors.remove(0)).read_to_string(&mut text).unwrap();
        assert_eq!(text, "pixels");

        theirs.send(b"smuggled", &[file.as_fd()]).unwrap();
        let mut ours = ours;
        assert_eq!(ours.receive().unwrap(), Received::Unfit);
    }

    #[test]
    fn what_is_too_long_is_unfit_and_what_nobody_takes_is_an_error() {
        let (mut ours, theirs) = ends();
        theirs.send(&vec![b'x'; MESSAGE_BYTES_MAX + 1], &[]).unwrap();
        assert_eq!(ours.receive().unwrap(), Received::Unfit);
        let long = vec![0; 60_000];
        let flood = std::iter::repeat_with(|| ours.send(&long, &[])).take(1000);
        assert!(flood.into_iter().any(|sent| sent.is_err()), "it takes without end");
        drop(theirs);
        ours.send(b"x", &[]).unwrap_err();
    }
}
