//! The folders of the person who runs the program (XDG Base Directory Specification).

use std::path::PathBuf;

/// The folder `freshet` in the one that the environment variable names, or `below` the home
/// directory; none where the environment names no place. A relative path counts as none, as the
/// specification says.
pub(crate) fn folder(variable: &str, below: &str) -> Option<PathBuf> {
    let absolute = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let base = absolute(variable).or_else(|| Some(absolute("HOME")?.join(below)))?;
    Some(base.join("freshet"))
}
