//! Who may log in, and with what.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::File;
use std::io::{self, Read as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};
use subtle::{Choice, ConstantTimeEq as _};
use thiserror::Error;

/// More than this is no file of users.
const MAX_BYTES: u64 = 1 << 20;

/// Why there are no users. No variant holds anything of a line: it may be a password.
#[derive(Debug, Error)]
pub enum UsersError {
    /// The file can't be read.
    #[error("can't read the users in {}: {source}", file.display())]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// Others could let themselves in.
    #[error("others can write to {}, and so let themselves in: chmod 600 it", file.display())]
    Writable {
        /// The file.
        file: PathBuf,
    },
    /// A line is none of a user.
    #[error("line {line} of {} {what}: a user is a line name:password", file.display())]
    Line {
        /// The file.
        file: PathBuf,
        /// Which line, from 1.
        line: usize,
        /// What is wrong with it.
        what: &'static str,
    },
    /// It has no user.
    #[error("there is no user in {}: a user is a line name:password", file.display())]
    NoUser {
        /// The file.
        file: PathBuf,
    },
}

/// The users of a broker and their passwords.
pub struct Users {
    /// Digests are of equal length, whatever the passwords.
    digests: BTreeMap<String, [u8; 32]>,
}

impl Users {
    /// Reads a file with a `name:password` a line; `#` begins a line that is a comment.
    pub fn read(file: &Path) -> Result<Self, UsersError> {
        let unreadable = |source| UsersError::Unreadable { file: file.to_owned(), source };
        let mut open = File::open(file).map_err(unreadable)?;
        let mode = open.metadata().map_err(unreadable)?.permissions().mode();
        if mode & 0o022 != 0 {
            return Err(UsersError::Writable { file: file.to_owned() });
        }
        if mode & 0o044 != 0 {
            tracing::warn!("others can read the passwords in {}: chmod 600 it", file.display());
        }
        let mut text = String::new();
        open.by_ref().take(MAX_BYTES).read_to_string(&mut text).map_err(unreadable)?;
        Self::parse(&text, file)
    }

    fn parse(text: &str, file: &Path) -> Result<Self, UsersError> {
        let mut digests = BTreeMap::new();
        for (at, line) in text.lines().enumerate() {
            if line.trim().is_empty() || line.trim_start().starts_with('#') {
                continue;
            }
            let wrong = |what| UsersError::Line { file: file.to_owned(), line: at + 1, what };
            let (name, password) = line.split_once(':').ok_or_else(|| wrong("has no colon"))?;
            if name.trim().is_empty() || password.is_empty() {
                return Err(wrong("lacks the name or the password"));
            }
            if digests.insert(name.to_owned(), Sha256::digest(password).into()).is_some() {
                return Err(wrong("has the name of a user above it"));
            }
        }
        if digests.is_empty() {
            return Err(UsersError::NoUser { file: file.to_owned() });
        }
        Ok(Self { digests })
    }

    /// Whether this is a user's name and password. It takes as long whichever of them is wrong.
    pub(crate) fn has(&self, name: &str, password: &str) -> bool {
        let digest = self.digests.get(name);
        let given: [u8; 32] = Sha256::digest(password).into();
        let same = given.ct_eq(digest.unwrap_or(&[0; 32]));
        bool::from(same & Choice::from(u8::from(digest.is_some())))
    }
}

/// Without any password.
impl fmt::Debug for Users {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.digests.keys()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Users, UsersError> {
        Users::parse(text, Path::new("users"))
    }

    #[test]
    fn a_user_has_its_own_password_and_no_other() {
        let users = parse("# who may come\n\nada:se:cret \n bob:b2\r\n").unwrap();
        for (name, password, may) in [
            ("ada", "se:cret ", true),
            ("ada", "se:cret", false),
            ("ada", "b2", false),
            (" bob", "b2", true),
            ("eve", "b2", false),
            ("eve", "", false),
            ("", "", false),
        ] {
            assert_eq!(users.has(name, password), may, "{name:?} {password:?}");
        }
        assert_eq!(format!("{users:?}"), r#"{" bob", "ada"}"#, "no password");
    }

    #[test]
    fn what_is_wrong_with_a_line_is_said_and_not_the_line() {
        for (text, reason) in [
            ("ada:a\nhunter2\n", "line 2 of users has no colon"),
            (":hunter2", "line 1 of users lacks"),
            ("hunter2:", "line 1 of users lacks"),
            ("hunter2:a\nhunter2:b", "line 2 of users has the name"),
            ("# hunter2\n", "no user in users"),
        ] {
            let error = parse(text).unwrap_err().to_string();
            assert!(error.contains(reason) && !error.contains("hunter2"), "{error}");
        }
    }

    #[test]
    fn a_file_that_others_can_write_to_is_refused() {
        let folder = tempfile::TempDir::new().unwrap();
        let file = folder.path().join("users");
        std::fs::write(&file, "ada:secret\n").unwrap();
        for (mode, refused) in [(0o600, false), (0o644, false), (0o620, true), (0o602, true)] {
            std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).unwrap();
            assert_eq!(matches!(Users::read(&file), Err(UsersError::Writable { .. })), refused, "{mode:o}");
        }
        assert!(matches!(Users::read(folder.path()), Err(UsersError::Unreadable { .. })));
    }
}
