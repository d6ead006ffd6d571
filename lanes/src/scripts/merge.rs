//! How the inputs of a task come into one order.

use std::error::Error;

use goldenscript::Context;

use crate::merge::{Merge, Next};

/// What a script can say. All times are milliseconds of the wall clock.
#[derive(goldenscript::Command)]
enum Command {
    /// Everything that was in an input at an instant has been read: `drained trips 60`.
    Drained { input: String, at: i64 },
    /// Forgets what is held.
    Forget,
    /// Starts with these inputs, in this order.
    Inputs { names: Vec<String> },
    /// Records of an input that have been fetched, each with its timestamp: `push pings p1=10`.
    Push { input: String, records: Vec<(String, i64)> },
    /// Takes records in their order, as long as there is one that is certain.
    Take {
        #[arg(key)]
        now: i64,
    },
}

struct Runner {
    inputs: Vec<String>,
    merge: Merge<String>,
}

impl Runner {
    fn input(&self, name: &str) -> Result<usize, Box<dyn Error>> {
        let place = self.inputs.iter().position(|input| input == name);
        Ok(place.ok_or_else(|| format!("there is no input {name}"))?)
    }
}

impl goldenscript::Runner for Runner {
    type Command = Command;

    fn run(&mut self, command: &Command, _context: &Context) -> Result<String, Box<dyn Error>> {
        match command {
            Command::Inputs { names } => {
                self.inputs.clone_from(names);
                self.merge = Merge::new(names.len());
            }
            Command::Push { input, records } => {
                let input = self.input(input)?;
                for (record, timestamp_ms) in records {
                    self.merge.push(input, *timestamp_ms, record.clone());
                }
            }
            Command::Drained { input, at } => self.merge.drained(self.input(input)?, *at),
            Command::Forget => self.merge.clear(),
            Command::Take { now } => {
                let mut output = String::new();
                loop {
                    match self.merge.next(*now) {
                        Next::Take(record) => output += &format!("take {record}\n"),
                        Next::Wait(timestamp_ms) => {
                            let silent: Vec<_> =
                                self.merge.silent().map(|input| self.inputs[input].as_str()).collect();
                            let silent = silent.join(", ");
                            return Ok(output + &format!("wait for {silent} up to {timestamp_ms}\n"));
                        }
                        Next::Empty => return Ok(output + "nothing here\n"),
                    }
                }
            }
        }
        Ok(String::new())
    }
}

#[test]
fn merge() {
    super::run(Runner { inputs: Vec::new(), merge: Merge::new(0) }, "merge");
}
