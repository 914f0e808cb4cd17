//! The door for operators while a server runs: a Unix socket in the data folder that only the
//! server's user and group can open.
//!
//! A request is one line of JSON, `{work, length}`, and then `length` bytes of a file. The answer
//! is one line, `{human, json, fault, length}`, and then `length` bytes (of a backup). Who asks is
//! the account that the kernel names, not what the request says.

use std::fs;
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, bail};
use serde::{Deserialize, Serialize};

use crate::cli::Answer;
use crate::ledger::command::Command;
use crate::operations::{self, Prepared, Work};
use crate::service::Service;

/// A request line names a kind of work and a campaign.
const LINE_BYTES_MAX: u64 = 64 * 1024;
/// A roster of 60 million people has about 5 GB.
const FILE_BYTES_MAX: u64 = 16 << 30;

#[derive(Serialize, Deserialize)]
struct Asked {
    work: Work,
    length: u64,
}

#[derive(Serialize, Deserialize)]
struct Answered {
    human: String,
    json: serde_json::Value,
    fault: bool,
    length: u64,
}

/// Listens on the socket; one thread serves one operator after the other.
pub fn serve(socket: &Path, service: Arc<Service>) -> anyhow::Result<()> {
    // Whoever holds the data file's lock may take over a socket that a killed server left.
    match fs::remove_file(socket) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            bail!("can't replace {}: {error}", socket.display())
        }
        _ => {}
    }
    let listener = UnixListener::bind(socket)
        .with_context(|| format!("can't listen on {}", socket.display()))?;
    fs::set_permissions(socket, fs::Permissions::from_mode(0o660))?;
    let folder = socket.parent().map(Path::to_path_buf).unwrap_or_default();
    let thread = std::thread::Builder::new().name("control".to_owned());
    thread.spawn(move || {
        for stream in listener.incoming().flatten() {
            if let Err(error) = attend(&stream, &service, &folder) {
                tracing::warn!(%error, "an operator's request failed");
            }
        }
    })?;
    Ok(())
}

fn attend(stream: &UnixStream, service: &Service, folder: &Path) -> anyhow::Result<()> {
    let operator = operator_of(stream)?;
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.by_ref().take(LINE_BYTES_MAX).read_line(&mut line)?;
    let asked: Asked = serde_json::from_str(&line).context("the request line can't be read")?;
    if asked.length > FILE_BYTES_MAX {
        return reply(
            stream,
            &Answer::fault("the file is too long", serde_json::Value::Null),
            None,
        );
    }
    tracing::info!(%operator, work = ?asked.work, "an operator's request");
    let file = reader.take(asked.length);
    if asked.work == Work::Backup {
        return send_backup(stream, service, folder);
    }
    if let Work::GateStatus { campaign } = &asked.work {
        return reply(stream, &gate_status(service, campaign.as_deref()), None);
    }
    let now = service.clock.now();
    let (shared, keys) = (&service.shared, &service.keys);
    let answer = match operations::prepare(&asked.work, file, shared, keys, folder, now)? {
        Prepared::Answer(answer) => answer,
        Prepared::Operation(operation) => {
            let (send, receive) = tokio::sync::oneshot::channel();
            let command = Command::Operate {
                operator,
                operation,
                reply: send,
            };
            service.writer.submit(command)?;
            let outcome = receive.blocking_recv();
            operations::answer(outcome.unwrap_or(crate::ledger::command::Outcome::Unknown))
        }
    };
    reply(stream, &answer, None)
}

fn reply(
    mut stream: &UnixStream,
    answer: &Answer,
    file: Option<(&Path, u64)>,
) -> anyhow::Result<()> {
    let Answer { human, json, fault } = answer;
    let length = file.map_or(0, |(_, length)| length);
    let answered = Answered {
        human: human.clone(),
        json: json.clone(),
        fault: *fault,
        length,
    };
    let mut line = serde_json::to_vec(&answered)?;
    line.push(b'\n');
    stream.write_all(&line)?;
    if let Some((path, _)) = file {
        io::copy(&mut fs::File::open(path)?, &mut stream)?;
    }
    Ok(())
}

/// What the board shows, and what it does not.
fn gate_status(service: &Service, campaign: Option<&str>) -> Answer {
    let (mut lines, mut all) = (Vec::new(), Vec::new());
    for (name, gate) in service.gates() {
        if campaign.is_some_and(|wanted| wanted != name) {
            continue;
        }
        let board = gate.board.load();
        let (view, active) = (&board.view, gate.sessions.active());
        let most = gate.admission.active_max();
        lines.push(format!(
            "{name}: {}, serving {}, {} waiting, {active} of {most} in, {} a second{}",
            view.state,
            view.serving,
            view.waiting,
            view.admit_per_s,
            view.message
                .as_ref()
                .map_or(String::new(), |text| format!(": {text}"))
        ));
        all.push(serde_json::json!({
            "campaign": name, "board": view, "active": active, "active_max": most,
        }));
    }
    let json = serde_json::json!({ "gates": all });
    match lines.is_empty() {
        true => Answer::fault("no such campaign is active", json),
        false => Answer::done(lines.join("\n"), json),
    }
}

/// Copies one consistent view of the data file beside it, sends it and removes it.
fn send_backup(stream: &UnixStream, service: &Service, folder: &Path) -> anyhow::Result<()> {
    let copy = Scratch(folder.join("backup.part"));
    let _ = fs::remove_file(&copy.0);
    service.store.read()?.copy_to(&copy.0)?;
    let length = fs::metadata(&copy.0)?.len();
    let answer = Answer::done("", serde_json::Value::Null);
    reply(stream, &answer, Some((&copy.0, length)))
}

/// A file that goes when its owner does.
struct Scratch(PathBuf);

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

/// The account at the other end, as the kernel knows it.
fn operator_of(stream: &UnixStream) -> anyhow::Result<String> {
    let peer = rustix::net::sockopt::socket_peercred(stream)?;
    Ok(account_name(peer.uid.as_raw()))
}

/// The name of a user id, or the id itself where the host has no name for it.
pub fn account_name(uid: u32) -> String {
    let accounts = fs::read_to_string("/etc/passwd").unwrap_or_default();
    let named = accounts.lines().find_map(|line| {
        let mut fields = line.split(':');
        let (name, id) = (fields.next()?, fields.nth(1)?);
        (id.parse() == Ok(uid)).then(|| name.to_owned())
    });
    named.unwrap_or_else(|| format!("uid {uid}"))
}

/// The server that runs on a data folder, if one does.
pub fn connect(socket: &Path) -> Option<UnixStream> {
    UnixStream::connect(socket).ok()
}

/// Asks the running server; `file` is sent along, and what it sends back goes to `into`.
pub fn ask(
    mut stream: UnixStream,
    work: Work,
    file: Option<&Path>,
    into: Option<&Path>,
) -> anyhow::Result<Answer> {
    let mut source = file.map(open_source).transpose()?;
    let length = match &source {
        Some(source) => source.metadata()?.len(),
        None => 0,
    };
    let mut line = serde_json::to_vec(&Asked { work, length })?;
    line.push(b'\n');
    stream.write_all(&line)?;
    if let Some(source) = &mut source {
        io::copy(&mut source.take(length), &mut stream)?;
    }
    let mut reader = BufReader::new(&stream);
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let answered: Answered = serde_json::from_str(&line)
        .context("the server closed the connection without an answer: look at its log")?;
    if let Some(into) = into {
        let mut file = fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(into)?;
        let copied = io::copy(&mut reader.take(answered.length), &mut file)?;
        file.sync_all()?;
        if copied != answered.length {
            bail!("the server sent only {copied} of {} bytes", answered.length);
        }
    }
    let Answered {
        human, json, fault, ..
    } = answered;
    Ok(Answer { human, json, fault })
}

/// Opens a file that an operator named.
pub fn open_source(path: &Path) -> anyhow::Result<fs::File> {
    fs::File::open(path).with_context(|| format!("can't open {}", path.display()))
}
