//! `run`: watches the user's command through `/proc` and writes what it really loaded into the snapshot.
