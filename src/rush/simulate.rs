//! Millions of people at the real gate, on virtual time and without sockets.
