//! `sumun certs`: what certificate the server has, a new one of the folder's own authority, and
//! requests for the agency's.

use std::path::PathBuf;

use clap::Subcommand;
use serde_json::{Value, json};

use super::Output;
use crate::clock::wall;
use crate::ops::certificates::{self, files};
use crate::ops::folder::Folder;
use crate::tls::authority::Name;
use crate::tls::described::date;
use crate::tls::{Described, Pair, read_chain};

#[derive(Subcommand, Clone, Debug)]
pub enum CertsCommand {
    /// Make a certificate signing request (PKCS #10) for the agency's own authority
    #[command(after_help = "\
Example:
  sumun certs request --name book.example.go.kr --out book.csr

The request is for the server's present key: when the authority has answered, put its certificate
and those that signed it into certs/server.pem, under another name first and then with mv, and say
systemctl reload sumun. The key stays as it is.

With --new-key it is for a new key, certs/server.key.new. Then put the answer beside it as
server.pem.new, and before the reload:
  mv certs/server.key.new certs/server.key; mv certs/server.pem.new certs/server.pem")]
    Request {
        /// A host name or address that the certificate is to be for
        #[arg(long = "name", value_name = "DNS", required = true)]
        names: Vec<String>,
        /// Where to write it; it is printed if not given
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
        /// For a new key beside the present one
        #[arg(long)]
        new_key: bool,
    },
    /// Issue a new server certificate from this folder's own authority
    #[command(after_help = "\
Example:
  sumun certs renew && systemctl reload sumun

With other names than before; those of this host itself are always among them:
  sumun certs renew --name book.example.go.kr --name 10.1.2.3

Clients that trust certs/authority.pem go on without a question.")]
    Renew {
        /// A host name or address instead of the present ones
        #[arg(long = "name", value_name = "DNS")]
        names: Vec<String>,
        /// Make a new key too, as after somebody may have read the present one
        #[arg(long)]
        new_key: bool,
    },
    /// Show the server's certificate: names, issuer, dates, and what is wrong with it
    #[command(after_help = "Example:\n  sumun certs show")]
    Show,
}

/// Names as they are given to a command.
pub fn names(texts: &[String]) -> anyhow::Result<Vec<Name>> {
    let parsed: Result<Vec<_>, _> = texts.iter().map(|text| Name::parse(text)).collect();
    Ok(parsed?)
}

pub fn run(folder: &Folder, command: &CertsCommand) -> anyhow::Result<Output> {
    let config = folder.config(None)?;
    let files = files(folder, &config);
    match command {
        CertsCommand::Request {
            names: texts,
            out,
            new_key,
        } => {
            let request = certificates::request(&files, names(texts)?, *new_key)?;
            let mut human = request.pem.trim_end().to_owned();
            if let Some(path) = out {
                certificates::write_request(path, &request)?;
                human = format!(
                    "{} is a request for the key {}: give it to the authority, and see \
                     `sumun certs request --help` for what to do with its answer",
                    path.display(),
                    request.key.display()
                );
            }
            let names: Vec<_> = request.names.iter().map(Name::as_str).collect();
            let json = json!({
                "request": request.pem, "file": out, "key": request.key, "names": names
            });
            Ok(Output::done(human, json))
        }
        CertsCommand::Renew {
            names: texts,
            new_key,
        } => {
            let made = certificates::renew(folder, &files, &names(texts)?, *new_key)?;
            let human = format!(
                "{} is new, for {}, until {}\nnext: systemctl reload sumun (or SIGHUP)",
                files.certificate.display(),
                made.names.join(", "),
                date(made.until_s)
            );
            let mut json = described(&made);
            json["certificate"] = json!(files.certificate);
            json["key"] = json!(files.key);
            Ok(Output::done(human, json))
        }
        CertsCommand::Show => {
            let chain = read_chain(&files.certificate)?;
            let all: Vec<_> = chain.iter().filter_map(Described::of).collect();
            let (fault, warnings) = match Pair::read(&files, wall()) {
                Ok(pair) => (None, pair.warnings(wall())),
                Err(fault) => (Some(fault.to_string()), Vec::new()),
            };
            let warnings: Vec<_> = warnings.iter().map(ToString::to_string).collect();
            let mut lines: Vec<_> = all.iter().map(shown).collect();
            lines.extend(warnings.iter().map(|warning| format!("look: {warning}")));
            lines.extend(fault.iter().map(|fault| format!("FIX: {fault}")));
            let json = json!({
                "certificate": files.certificate,
                "key": files.key,
                "chain": all.iter().map(described).collect::<Vec<_>>(),
                "warnings": warnings,
                "fault": fault,
            });
            Ok(Output {
                human: lines.join("\n"),
                json,
                fault: fault.is_some(),
            })
        }
    }
}

fn shown(certificate: &Described) -> String {
    let names = if certificate.names.is_empty() {
        "no host".to_owned()
    } else {
        certificate.names.join(", ")
    };
    format!(
        "{}\n  for {names}\n  {} key, signed by {}\n  from {} until {}, {} days left\n  SHA-256 {}",
        certificate.subject,
        certificate.key,
        if certificate.is_self_signed {
            "itself"
        } else {
            &certificate.issuer
        },
        date(certificate.from_s),
        date(certificate.until_s),
        certificate.days_left(wall()),
        certificate.sha256
    )
}

fn described(certificate: &Described) -> Value {
    json!({
        "subject": certificate.subject,
        "issuer": certificate.issuer,
        "self_signed": certificate.is_self_signed,
        "names": certificate.names,
        "key_kind": certificate.key,
        "from": date(certificate.from_s),
        "until": date(certificate.until_s),
        "days_left": certificate.days_left(wall()),
        "sha256": certificate.sha256,
    })
}
