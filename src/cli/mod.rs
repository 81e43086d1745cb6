//! One file or folder per subcommand.

pub mod terrain;
