//! Parse, dispatch, exit code.
#![forbid(unsafe_code)]

use std::process::ExitCode;

use clap::Parser as _;
use mimalloc::MiMalloc;
use sumun::cli::{self, Sumun};
use sumun::domain::text::{for_terminal, json_for_terminal};
use sumun::ops::outcome::why;

#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    let sumun = Sumun::parse();
    let json = sumun.json;
    match cli::run(sumun) {
        Ok(answer) => match answer.print(json) {
            Ok(()) => ExitCode::from(u8::from(answer.fault)),
            Err(error) => {
                eprintln!("sumun: can't print the answer: {error}");
                ExitCode::FAILURE
            }
        },
        Err(error) => {
            let told = why(&error);
            if json {
                let object = serde_json::json!({ "error": told }).to_string();
                // What went wrong is told on standard error in any case.
                let _ = cli::print_line(&json_for_terminal(&object));
            }
            eprintln!("sumun: {}", for_terminal(&told));
            ExitCode::FAILURE
        }
    }
}
