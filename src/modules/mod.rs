//! Decoders in processes of their own: what is said to them, how it is checked what they say, and how
//! they are started, confined and ended. `docs/modules.md` is the protocol for those who write one.
//!
//! Nothing here decides who decodes what, or how many processes there are: that is
//! [`crate::actors::module`].

mod channel;
pub mod confinement;
pub mod description;
mod descriptors;
pub mod error;
pub mod helper;
pub mod message;
pub mod process;
pub mod shared_memory;
mod words;

pub use channel::{Channel, Received};
pub use confinement::Confinement;
pub use description::Description;
pub use error::ModuleError;
pub use message::{Hello, Numbered, Part, Reply, Request};
pub use process::{Process, Program};
pub use shared_memory::SharedMemory;
