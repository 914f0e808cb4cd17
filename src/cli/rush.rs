//! Rehearsals: what an evening will be like.

use clap::Subcommand;

use super::Answer;
use crate::rush::simulate;

#[derive(Subcommand, Debug)]
pub enum RushCommand {
    /// Run millions of people through the gate on virtual time, without a server
    #[command(
        after_help = "Example:\n  sumun rush simulate --people 6000000 --pause 40-120\n\nExits 1 \
                      when somebody is lost, doubled or overtaken."
    )]
    Simulate(simulate::Options),
}

pub fn run(command: &RushCommand) -> anyhow::Result<Answer> {
    match command {
        RushCommand::Simulate(options) => simulate::run(options),
    }
}
