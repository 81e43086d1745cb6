//! One file or folder per subcommand.

pub mod inspect;
pub mod terrain;
