//! The bounds of a connection, in one place. ARCHITECTURE has the whole table of bounds, with the
//! test that drives each to its end; what a setting decides is in `config`.

/// The request line and the headers: a browser sends 1 kB, with both of our cookies.
pub const HEAD_BYTES_MAX: usize = 8 * 1024;
/// The path and query of a request: our longest has a cursor and a search of 200 characters.
pub const TARGET_BYTES_MAX: usize = 2 * 1024;
/// Header lines of a request: a browser sends about 20.
pub const HEADERS_MAX: usize = 64;
/// A request body holds a few identifiers and a name, so this is many times what it needs.
pub const BODY_BYTES_MAX: usize = 4 * 1024;
/// A chunked body as it comes, with the lines around its chunks.
pub const CHUNKED_BYTES_MAX: usize = 2 * BODY_BYTES_MAX;
/// The line before a chunk: its size in hexadecimal, and no room for extensions.
pub const CHUNK_LINE_BYTES_MAX: usize = 32;
/// What one look at the network takes over from a connection, at the most: a whole request.
pub const READ_BYTES_MAX: usize = HEAD_BYTES_MAX + CHUNKED_BYTES_MAX;
/// A PROXY header: version 1 has at most 107 bytes, version 2 with its extensions rarely more.
pub const PROXY_BYTES_MAX: usize = 536;
/// What a client may send until its TLS handshake is done. A ClientHello with a post-quantum key
/// has 2 kB.
pub const HANDSHAKE_BYTES_MAX: u64 = 16 * 1024;
/// Plain text that a TLS connection encrypts ahead of what the network takes.
pub const TLS_BUFFER_BYTES_MAX: usize = 16 * 1024;
/// After this many requests a connection is closed, so that nothing that belongs to a connection is
/// held for ever.
pub const REQUESTS_MAX: u32 = 10_000;
/// A client that was refused may still send so much before the connection is cut.
pub const LINGER_BYTES_MAX: usize = 64 * 1024;
/// What the kernel keeps of answers that a client has not taken: half of what it accounts for.
pub const SEND_BUFFER_BYTES: usize = 32 * 1024;
/// What the kernel keeps of a request that was not read yet.
pub const RECEIVE_BUFFER_BYTES: usize = 16 * 1024;

/// The fixed memory of a connection without TLS: its task, its place in tables, its socket.
pub const PLAIN_BYTES: usize = 6 * 1024;
/// The fixed memory of a connection with TLS: the above, keys, and the records in both directions
/// (18 kB that came, `TLS_BUFFER_BYTES_MAX` that leave, and as much again for their copies).
pub const TLS_BYTES: usize = 56 * 1024;

/// A connection that sends nothing is given up after this.
pub const FIRST_BYTE_S: u32 = 10;
/// A TLS handshake takes three round trips.
pub const HANDSHAKE_S: u32 = 10;
/// A connection that is not used is kept this long while connections are to spare.
pub const IDLE_S: u32 = 75;
/// A client that was told goodbye has this long to say it back.
pub const LINGER_S: u32 = 2;
/// No deadline gets shorter than this, however scarce connections are.
pub const SCARCE_S: u32 = 2;
