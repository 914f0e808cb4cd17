//! The end of the public listener: what was accepted is answered, what was not waits for the next
//! server.

use std::sync::atomic::Ordering;
use std::time::Duration;

use actix_server::ServerHandle;

use crate::clock::tick;
use crate::web::door::load::Load;

/// Requests in progress have this long when the server stops.
pub(super) const SHUTDOWN_S: u64 = 10;
/// So long after accepting was paused, every connection that was accepted is with its worker: each
/// of them is handed over within microseconds, and a busy worker takes them within milliseconds. In
/// this time clients that go on asking hear that their connection ends, with their next answer.
const HANDED_OVER: Duration = Duration::from_millis(100);
const LOOK: Duration = Duration::from_millis(10);

/// Stops the listener when every connection has had its answer, or after ten seconds.
///
/// A plain stop would drop the connections that were accepted and are on their way to a worker, and
/// look only once a second whether the last has gone. So accepting is paused first: who connects
/// from then on waits in the queue of the socket, and if the service manager keeps that, for the
/// next server.
pub(super) async fn leave(server: &ServerHandle, load: &Load) {
    server.pause().await;
    load.stop();
    tokio::time::sleep(HANDED_OVER).await;
    load.end_idle();
    let began = tick();
    while load.connections.load(Ordering::Relaxed) > 0
        && began.elapsed() < Duration::from_secs(SHUTDOWN_S)
    {
        tokio::time::sleep(LOOK).await;
    }
    server.stop(true).await;
}
