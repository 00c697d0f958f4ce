//! What must not reach a file: secrets, credentials in URLs, and names of people and machines.

pub mod identity;
pub mod labels;
pub mod secret;
pub mod url;

pub use identity::Identities;
pub use labels::Labels;
pub use secret::{Redacted, env_value};
pub use url::DisplayUrl;

use sha2::{Digest as _, Sha256};

/// The digest that stands for a private value: the same value gives the same digest on every machine, so two
/// snapshots tell whether a name is the same. `domain` keeps equal texts of different facts apart.
///
/// A name that is guessed can be checked against it: it hides names from readers, not from a determined attacker.
/// `--anonymous` leaves private facts out.
pub fn private_digest(domain: &str, value: &str) -> String {
    let mut hash = Sha256::new();
    for part in ["driftlock private v1", domain, value] {
        hash.update(part.as_bytes());
        hash.update([0]);
    }
    let hash = hash.finalize();
    hash.iter().take(8).fold(String::from("private:"), |text, byte| text + &format!("{byte:02x}"))
}
