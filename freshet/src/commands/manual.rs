//! `freshet manual`: what the command line says of itself, for `man` and for shells.

use std::fs;

use anyhow::{Context as _, Result};
use clap::CommandFactory as _;
use clap_complete::Shell;

use crate::cli::{Cli, ManualArgs};

/// Where each shell looks below a system's `share`.
const SHELLS: [(Shell, &str); 3] = [
    (Shell::Bash, "bash-completion/completions"),
    (Shell::Fish, "fish/vendor_completions.d"),
    (Shell::Zsh, "zsh/site-functions"),
];

/// Writes all of it.
pub(crate) fn run(args: &ManualArgs) -> Result<()> {
    let folder = |below: &str| {
        let folder = args.folder.join(below);
        fs::create_dir_all(&folder).with_context(|| format!("could not make {}", folder.display()))?;
        anyhow::Ok(folder)
    };
    clap_mangen::generate_to(Cli::command(), folder("man/man1")?)?;
    for (shell, below) in SHELLS {
        clap_complete::generate_to(shell, &mut Cli::command(), "freshet", folder(below)?)?;
    }
    say!("manual pages, and completions for bash, fish and zsh, are below {}", args.folder.display());
    Ok(())
}
