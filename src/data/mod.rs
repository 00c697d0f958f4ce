//! The engine that digests data: files and directory trees of any size.
