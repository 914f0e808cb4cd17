//! Bounds of a connection, driven to their end over sockets in memory.
