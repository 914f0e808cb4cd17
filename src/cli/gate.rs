//! `sumun gate`: what operators do at the gate of a running server.

use clap::Subcommand;

use super::{Output, told, work};
use crate::domain::entry::GateAct;
use crate::domain::line::Notice;
use crate::ops::control;
use crate::ops::folder::Folder;
use crate::ops::work::Work;

#[derive(Subcommand, Clone, Debug)]
pub enum GateCommand {
    /// Show the board, and how many people are in
    #[command(after_help = "Example:\n  sumun gate status")]
    Status,
    /// Call nobody; the line keeps its order, and everybody is told why
    #[command(
        after_help = "Example:\n  sumun gate pause --reason \"서버를 늘리고 있습니다\" \
                            --reason-en \"We are adding servers\""
    )]
    Pause {
        /// What people are told
        #[arg(long, value_name = "TEXT")]
        reason: String,
        /// The same in English
        #[arg(long, value_name = "TEXT")]
        reason_en: Option<String>,
        /// People in session can't book either until the gate resumes
        #[arg(long)]
        freeze: bool,
    },
    /// Call nobody until the server was started anew; people in session finish before that
    #[command(
        after_help = "Example:\n  sumun gate drain --reason \"서버를 다시 시작합니다\" \
                            --reason-en \"The server is restarted\""
    )]
    Drain {
        /// What people are told
        #[arg(long, value_name = "TEXT")]
        reason: String,
        /// The same in English
        #[arg(long, value_name = "TEXT")]
        reason_en: Option<String>,
    },
    /// Go on calling where it stopped
    #[command(after_help = "Example:\n  sumun gate resume")]
    Resume,
    /// Set how many people are let in each second
    #[command(after_help = "Example:\n  sumun gate rate 280")]
    Rate {
        #[arg(value_name = "PER_S", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
        admit_per_s: u32,
    },
    /// Set how many people may be in at the same time
    #[command(after_help = "Example:\n  sumun gate active 60000")]
    Active {
        #[arg(value_name = "MAX", value_parser = clap::value_parser!(u32).range(1..))]
        active_max: u32,
    },
    /// Show everybody a message; an empty one takes it away
    #[command(
        after_help = "Example:\n  sumun gate message \"대기 시간이 길어지고 있습니다\" \
                            --en \"Waits are getting longer\""
    )]
    Message {
        text: String,
        /// The same in English
        #[arg(long, value_name = "TEXT")]
        en: Option<String>,
    },
    /// Give the next draw a public value that nobody could know when its seed was committed to
    #[command(
        after_help = "Example:\n  sumun gate draw-value \"7 12 23 31 38 44\" --source \
                            \"Lotto 6/45, draw 972, 2021-07-17\""
    )]
    DrawValue {
        /// As it was published, to the letter
        value: String,
        /// Where everybody can look it up
        #[arg(long, value_name = "TEXT")]
        source: String,
        /// When the opening is whose draw it is for, if several are to come
        #[arg(long, value_name = "LOCAL-TIME")]
        opening: Option<String>,
    },
}

pub fn run(
    folder: &Folder,
    command: GateCommand,
    campaign: Option<String>,
) -> anyhow::Result<Output> {
    let act = match command {
        GateCommand::Status => {
            let server = control::connect(&folder.socket())?;
            let server = server.ok_or_else(|| anyhow::anyhow!("no server runs on this folder"))?;
            let asked = control::ask(server, Work::GateStatus { campaign }, None);
            return asked.map(told::answer);
        }
        GateCommand::Pause {
            reason,
            reason_en: None,
            freeze,
        } => GateAct::Pause {
            reason,
            freezes: freeze,
        },
        GateCommand::Pause {
            reason: text,
            reason_en: en,
            freeze,
        } => GateAct::PauseSaid {
            reason: Notice { text, en },
            freezes: freeze,
        },
        GateCommand::Drain {
            reason: text,
            reason_en: en,
        } => GateAct::Drain {
            reason: Notice { text, en },
        },
        GateCommand::Resume => GateAct::Resume,
        GateCommand::Rate { admit_per_s } => GateAct::Rate { admit_per_s },
        GateCommand::Active { active_max } => GateAct::Active { active_max },
        GateCommand::Message { text, en: None } => GateAct::Message { text },
        GateCommand::Message { text, en } => GateAct::MessageSaid {
            message: Notice { text, en },
        },
        GateCommand::DrawValue {
            value,
            source,
            opening,
        } => {
            let value = Work::DrawValue {
                campaign,
                opening,
                value,
                source,
            };
            return work(folder, value, None);
        }
    };
    work(folder, Work::Gate { campaign, act }, None)
}
