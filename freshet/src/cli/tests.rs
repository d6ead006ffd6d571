//! The command line as a whole.

use super::*;

#[test]
fn the_commands_are_consistent() {
    with_negative_numbers(Cli::command()).debug_assert();
}

#[test]
fn what_is_wrong_with_a_negative_number_is_said_by_who_reads_it() {
    for (line, words) in [
        ("topics create t --partitions -1", "-1 is not in 1..=100000"),
        ("tail t --from -5", "`-5` is no place in a topic"),
        ("send t --acks -1", "invalid value '-1' for '--acks"),
        ("send t --partition -1 -m x", "-1 is not in 0.."),
    ] {
        let line = format!("freshet {line}");
        let error = Cli::read(line.split_ascii_whitespace()).unwrap_err().to_string();
        assert!(error.contains(words) && !error.contains("-- -"), "{error}");
    }
    assert!(Cli::read(["freshet", "groups", "reset", "g", "--topic", "t", "--to", "-3"]).is_ok());
}

/// What a command does is told at its variant: of its arguments `--help` shows options alone.
#[test]
fn help_says_what_a_command_does() {
    for (name, words) in
        [("replay", "card precision"), ("ledger", "waiting + lost"), ("compare", "same bill")]
    {
        let mut cli = Cli::command();
        let help = cli.find_subcommand_mut(name).unwrap().render_long_help().to_string();
        assert!(help.contains(words), "{help}");
    }
}

/// Every option of every command, given nothing or blanks: a variable that is not set.
#[test]
fn nothing_and_blanks_are_no_value() {
    let mut tried = 0;
    let mut commands: Vec<(Vec<String>, clap::Command)> = vec![(Vec::new(), Cli::command())];
    while let Some((path, command)) = commands.pop() {
        for sub in command.get_subcommands() {
            let path = path.iter().cloned().chain([sub.get_name().to_owned()]).collect();
            commands.push((path, sub.clone()));
        }
        for option in command.get_opts() {
            let name = option.get_long().map_or_else(
                || format!("-{}", option.get_short().expect("an option has a name")),
                |long| format!("--{long}="),
            );
            // Of a file, a blank is a name.
            let is_path = option.get_value_names().unwrap_or_default().iter().any(|shown| {
                shown.as_str() != "FILE|URL" && (shown.starts_with("FILE") || shown.starts_with("DIR"))
            });
            for value in ["", " "].into_iter().filter(|value| value.is_empty() || !is_path) {
                let words = ["freshet".to_owned()].into_iter().chain(path.clone());
                let parsed = Cli::read(words.chain([format!("{name}{value}")]));
                let error = parsed.err().map(|error| error.to_string()).unwrap_or_default();
                let about = name.trim_end_matches('=');
                assert!(error.contains(about), "{path:?} {name}'{value}' is taken: {error}");
                tried += 1;
            }
        }
    }
    assert!(tried > 100, "{tried}");
}

#[test]
fn every_command_that_is_told_a_cluster_is_told_how_to_get_into_it() {
    let mut told = Vec::new();
    let mut commands = vec![Cli::command()];
    while let Some(command) = commands.pop() {
        commands.extend(command.get_subcommands().cloned());
        let has = |id: &str| command.get_arguments().any(|arg| arg.get_id() == id);
        if has("bootstrap_servers") {
            assert!(has("client_config"), "{} lacks --client-config", command.get_name());
            told.push(command.get_name().to_owned());
        }
    }
    for name in ["demo", "produce", "consume", "batch", "dashboard", "tail", "topics", "describe", "latency"]
    {
        assert!(told.iter().any(|known| known == name), "{name} takes no --bootstrap-servers: {told:?}");
    }
}
