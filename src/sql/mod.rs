//! SQL as text: identifiers and literals, statements of objects, and whether an archive's
//! statements are such. Knows no server.

pub mod copy_out;
pub mod ident;
pub mod lexer;
pub mod rename;
pub mod render;
pub mod statement;
