//! The one call that the server itself makes, and only with sign-in at the agency's provider
//! switched on: to the hosts of the settings, over TLS that trusts one authority.
//!
//! A call has a bound of time and of bytes, follows no redirect, takes no proxy from the
//! environment and keeps no cookie. It blocks: its caller is on a thread that may.

use std::time::Duration;

use serde_json::Value;
use ureq::tls::TlsConfig;
use ureq::{Agent, Body, http};

/// The answer of a provider with some dozens of keys has 60 kB.
pub const ANSWER_BYTES_MAX: u64 = 256 << 10;
/// Until a connection stands.
const CONNECT_MAX: Duration = Duration::from_secs(4);
/// A whole call, names and TLS included: somebody waits for it.
const CALL_MAX: Duration = Duration::from_secs(8);

/// Why a call came to nothing. Its text is logged, and shown to nobody.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum CallFault {
    #[error("{address}: {why}")]
    Failed { address: String, why: String },
    #[error("{address}: answers with status {status}{code}")]
    Status {
        address: String,
        status: u16,
        /// The error that it names, if it names one in plain letters.
        code: String,
    },
    #[error("{address}: does not answer with a JSON object")]
    NoObject { address: String },
}

/// Calls of one provider.
pub struct Outside(Agent);

impl Outside {
    pub fn new(tls: TlsConfig) -> Self {
        let config = Agent::config_builder()
            .https_only(true)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .http_status_as_error(false)
            .proxy(None)
            .user_agent("sumun")
            .timeout_connect(Some(CONNECT_MAX))
            .timeout_global(Some(CALL_MAX))
            // Calls are rare: a connection that is kept is one more that can be stale.
            .max_idle_connections(0)
            .tls_config(tls);
        Self(config.build().new_agent())
    }

    /// What is at this address.
    pub fn get(&self, address: &str) -> Result<Value, CallFault> {
        let called = self.0.get(address).header("accept", "application/json");
        answered(address, called.call())
    }

    /// What comes of sending a form there, with what shows who sends it.
    pub fn post(
        &self,
        address: &str,
        authorization: Option<&str>,
        form: &str,
    ) -> Result<Value, CallFault> {
        let mut called = self
            .0
            .post(address)
            .header("accept", "application/json")
            .header("content-type", "application/x-www-form-urlencoded");
        if let Some(authorization) = authorization {
            called = called.header("authorization", authorization);
        }
        answered(address, called.send(form))
    }
}

fn answered(
    address: &str,
    answer: Result<http::Response<Body>, ureq::Error>,
) -> Result<Value, CallFault> {
    let failed = |error: ureq::Error| CallFault::Failed {
        address: address.to_owned(),
        why: error.to_string(),
    };
    let mut answer = answer.map_err(failed)?;
    let status = answer.status().as_u16();
    let body = answer.body_mut().with_config().limit(ANSWER_BYTES_MAX);
    let body = body.read_to_vec().map_err(failed)?;
    let value = serde_json::from_slice::<Value>(&body).ok();
    if status != 200 {
        return Err(CallFault::Status {
            address: address.to_owned(),
            status,
            code: value.as_ref().map_or_else(String::new, code_of),
        });
    }
    let object = value.filter(Value::is_object);
    object.ok_or_else(|| CallFault::NoObject {
        address: address.to_owned(),
    })
}

/// The error that an answer names (RFC 6749, 5.2), for the log.
fn code_of(answer: &Value) -> String {
    let code = answer["error"].as_str().unwrap_or_default();
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte == b'_';
    if code.is_empty() || code.len() > 60 || !code.bytes().all(is_plain) {
        return String::new();
    }
    format!(" and {code}")
}
