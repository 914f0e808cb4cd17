//! Parse, dispatch, exit code.
#![forbid(unsafe_code)]

use std::process::ExitCode;

use clap::Parser as _;
use mimalloc::MiMalloc;
use sumun::cli::{self, Sumun};

#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    let sumun = Sumun::parse();
    let json = sumun.json;
    match cli::run(sumun) {
        Ok(answer) => {
            answer.print(json);
            ExitCode::from(u8::from(answer.fault))
        }
        Err(error) => {
            if json {
                println!("{}", serde_json::json!({ "error": format!("{error:#}") }));
            }
            eprintln!("sumun: {error:#}");
            ExitCode::FAILURE
        }
    }
}
