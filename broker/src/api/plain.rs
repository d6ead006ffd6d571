//! SASL/PLAIN: a name and a password in one token.

use crate::users::Users;

/// Checks a token: who to act as, name and password, with a zero between each. The messages are
/// Kafka's.
pub(super) fn check(token: &[u8], users: &Users) -> Result<(), String> {
    let token = String::from_utf8_lossy(token);
    let parts: Vec<&str> = token.split('\0').collect();
    let [act_as, name, password] = parts[..] else {
        return Err(format!("Invalid SASL/PLAIN response: expected 3 tokens, got {}", parts.len()));
    };
    let failed = |why: &str| Err(format!("Authentication failed: {why}"));
    if name.is_empty() {
        return failed("username not specified");
    }
    if password.is_empty() {
        return failed("password not specified");
    }
    if !users.has(name, password) {
        return failed("Invalid username or password");
    }
    if !act_as.is_empty() && act_as != name {
        return failed("Client requested an authorization id that is different from username");
    }
    Ok(())
}
