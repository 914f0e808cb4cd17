//! What people and their pages can do: the one place where gate, identity, rules, seats and writer
//! meet. Knows nothing of HTTP; the API and the pages are both thin coats over it.

pub mod activation;
pub mod booking;
pub mod browsing;
pub mod copied;
pub mod desk;
pub mod entrance;
pub mod health;
pub mod keeper;
pub mod proof;
pub mod room;
mod route;

use std::sync::atomic::{AtomicU32, AtomicU64};
use std::sync::{Arc, RwLock};

use crate::availability::Near;
use crate::clock::{Clock, Entropy};
use crate::domain::agency::AgencyVersion;
use crate::domain::booking::decide::Request;
use crate::domain::booking::refusal::refused_for;
use crate::domain::campaign::eligibility::{Decision, Subject};
use crate::domain::entry::RefusedFor;
use crate::domain::ids::{BookingNumber, CampaignId, CampaignIndex, PersonKey, SlotIndex};
use crate::domain::line::Notice;
use crate::domain::state::CampaignState;
use crate::domain::time::Stamp;
use crate::engine::command::{Command, Outcome, SubjectSeen};
use crate::engine::in_flight::{Flight, InFlight};
use crate::engine::shared::{Offer, Shared};
use crate::engine::writer::{NotTaken, WriterHandle};
use crate::events::Events;
use crate::gate::ended::EndedDevices;
use crate::gate::step::show as show_board;
use crate::gate::{Gate, Place};
use crate::identity::attempts::Attempts;
use crate::journal::store::Store;
use crate::keys::Keys;
use crate::seats::Claim;
use crate::service::copied::Copied;
use crate::service::room::{Level, Room};
use crate::sync::{read_locked, write_locked};
use crate::tls::Endpoints;

/// When to ask again if the writer's queue is full: within this time the writer empties it many
/// times.
const OVERLOADED_RETRY_S: u32 = 3;
/// Somebody has to make room on the disk.
const NO_ROOM_RETRY_S: u32 = 60;

/// The running system.
pub struct Service {
    pub shared: Arc<Shared>,
    pub store: Arc<Store>,
    pub writer: WriterHandle,
    pub keys: Arc<Keys>,
    pub clock: Clock,
    pub attempts: Attempts,
    /// What the people behind the desk have in memory.
    pub desk: desk::Desk,
    /// What security people need to see.
    pub events: Arc<Events>,
    /// How far copies of the journal are.
    pub copied: Copied,
    /// How much room the disk has.
    pub room: Room,
    /// Devices that were left: their tokens are not good any more.
    pub ended: EndedDevices,
    /// The number of the device that enters next.
    next_device: AtomicU32,
    /// How long a request waits for a worker, while a queue of them stands; for the gate's brake.
    pub worker_lag_us: Arc<AtomicU64>,
    /// The certificates in use.
    pub endpoints: Endpoints,
    gates: RwLock<Vec<Arc<Gate>>>,
    /// Steps the gates at once.
    pub keeper: keeper::Bell,
    in_flight: InFlight,
}

/// A campaign as one request sees it, unchanged while the request lasts.
#[derive(Clone)]
pub struct Here {
    pub offer: Arc<Offer>,
    pub gate: Arc<Gate>,
    pub index: CampaignIndex,
    pub now: Stamp,
}

impl Here {
    /// The agency's words and looks; none before its first file.
    pub fn agency(&self) -> Option<Arc<AgencyVersion>> {
        self.offer.agency.clone()
    }
}

/// Why a call changed nothing. Each has a problem code of its own in HTTP.
#[derive(Clone, PartialEq, Debug)]
pub enum Refused {
    IdentityNotFound,
    /// The credentials were looked at and are wrong, as too many before them were. Right ones would
    /// have passed.
    WrongAgain {
        retry_after_s: u32,
    },
    /// The person has caused as many changes in an hour as one may.
    TooManyChanges {
        retry_after_s: u32,
    },
    Rules(Box<Decision>),
    NotOnRoster,
    PlaceInvalid,
    /// The opening of the place is over; with the position of the one that is open now for the
    /// person, or comes next.
    PlaceEnded(Option<u16>),
    SessionInvalid,
    SessionExpired,
    NotAdmitted(Place),
    /// The message is the operators' reason for the pause.
    Paused {
        message: Notice,
        retry_after_s: u32,
    },
    SlotFull {
        slot: SlotIndex,
        alternatives: Arc<Near>,
    },
    /// The slot has begun.
    SlotPast,
    AlreadyBooked(BookingNumber),
    HoldExpired,
    HoldExtended,
    NoBooking,
    NotFound,
    ChangeDeadlinePassed(Stamp),
    IdempotencyConflict,
    Overloaded {
        retry_after_s: u32,
    },
    OutcomeUnknown,
}

pub type Answered<T> = Result<T, Refused>;

impl Service {
    pub fn new(
        shared: Arc<Shared>,
        store: Arc<Store>,
        writer: WriterHandle,
        keys: Arc<Keys>,
        clock: Clock,
    ) -> Self {
        let attempts = Attempts::default();
        Self {
            shared,
            store,
            writer,
            keys,
            clock,
            attempts,
            desk: desk::Desk::default(),
            events: Arc::default(),
            copied: Copied::default(),
            room: Room::default(),
            ended: EndedDevices::new(),
            // Device numbers are unique within a process. Each process begins at a random number,
            // so that it hardly ever repeats those of the one before.
            next_device: AtomicU32::new(u32::from_be_bytes(Entropy::system().bytes())),
            worker_lag_us: Arc::default(),
            endpoints: Endpoints::default(),
            gates: RwLock::default(),
            keeper: keeper::Bell::default(),
            in_flight: InFlight::default(),
        }
    }

    /// The campaign of that name, now.
    pub fn campaign(&self, id: &str) -> Answered<Here> {
        let offers = self.shared.offers();
        let at = offers
            .iter()
            .position(|offer| offer.catalog.campaign.id.as_str() == id);
        let offer = Arc::clone(&offers[at.ok_or(Refused::NotFound)?]);
        let index = offer.catalog.index;
        Ok(Here {
            gate: self.gate(&offer),
            offer,
            index,
            now: self.clock.now(),
        })
    }

    /// Every campaign's gate, with the campaign's name.
    pub fn gates(&self) -> Vec<(String, Arc<Gate>)> {
        let offers = self.shared.offers();
        let named = |offer: &Arc<Offer>| (offer.catalog.campaign.id.to_string(), self.gate(offer));
        offers.iter().map(named).collect()
    }

    fn gate(&self, offer: &Offer) -> Arc<Gate> {
        let at = offer.catalog.index.at();
        let known = read_locked(&self.gates);
        if let Some(gate) = known.get(at) {
            return Arc::clone(gate);
        }
        drop(known);
        let state = self.shared.state();
        let mut gates = write_locked(&self.gates);
        for campaign in &state.campaigns[gates.len().min(state.campaigns.len())..] {
            let rules = &campaign.catalog.campaign.gate;
            let gate = Gate::new(rules, &campaign.gate, &campaign.lines, self.clock.now());
            gate.stand_still_until(self.clock.stands_still_until());
            let now = self.clock.now();
            let CampaignState {
                gate: settings,
                lines,
                ..
            } = campaign;
            show_board(&gate, &campaign.catalog.campaign, settings, lines, now);
            gates.push(Arc::new(gate));
        }
        Arc::clone(&gates[at])
    }

    /// Puts an operator's settings of a gate into force now, not at the next step of its keeper.
    pub fn follow_settings(&self, id: &CampaignId) {
        let offers = self.shared.offers();
        let is_it = |offer: &&Arc<Offer>| offer.catalog.campaign.id == *id;
        let Some(offer) = offers.iter().find(is_it) else {
            return;
        };
        let gate = self.gate(offer);
        let state = self.shared.state();
        if let Some(campaign) = state.campaign(offer.catalog.index) {
            let rules = &offer.catalog.campaign.gate;
            let (settings, lines, now) = (&campaign.gate, &campaign.lines, self.clock.now());
            gate.follow(rules, settings, lines, now);
            // Published at once, so that an operator who looks after the act sees its effect. The
            // keeper would publish a board up to a second later.
            show_board(&gate, &offer.catalog.campaign, settings, lines, now);
        }
    }

    /// The right to have a command of this person in flight, before any seat is claimed for it.
    async fn take_off(&self, person: PersonKey) -> Answered<Flight> {
        let flight = self.in_flight.take_off(person).await;
        flight.ok_or(Refused::Overloaded {
            retry_after_s: OVERLOADED_RETRY_S,
        })
    }

    /// Hands a request to the writer and waits for what comes of it.
    async fn ask(
        &self,
        here: &Here,
        request: Request,
        claim: Option<Claim>,
        subject: Option<Subject>,
        flight: Flight,
    ) -> Answered<Outcome> {
        if self.room.level() == Level::TooLittle {
            return Err(Refused::Overloaded {
                retry_after_s: NO_ROOM_RETRY_S,
            });
        }
        let campaign = here.index;
        let seen = subject.map(|subject| SubjectSeen {
            offer: Arc::clone(&here.offer),
            subject,
        });
        let (reply, answer) = tokio::sync::oneshot::channel();
        self.writer
            .submit(Command::Ask {
                campaign,
                request,
                claim,
                seen,
                flight: Some(flight),
                reply,
            })
            .map_err(not_taken)?;
        // The writer drops the channel only when it stops. Then it is not known whether the command
        // was done.
        answer.await.map_err(|_| Refused::OutcomeUnknown)
    }

    /// Journals a refusal by the rules, once a person. Under load the entry may be dropped; it is
    /// then made when the person asks again.
    fn note_refusal(&self, here: &Here, person: PersonKey, decision: &Decision) {
        let Some(reason) = refused_for(decision.answer) else {
            return;
        };
        let rules = here.offer.catalog.version();
        if self.knows_refusal(here, &person, rules, reason) {
            return;
        }
        let command = Command::NoteRefusal {
            campaign: here.index,
            person,
            rules,
            reason,
        };
        let _ = self.writer.submit_if_idle(command);
    }

    fn knows_refusal(&self, here: &Here, person: &PersonKey, rules: u32, why: RefusedFor) -> bool {
        let state = self.shared.state();
        let campaign = state.campaign(here.index);
        campaign.is_some_and(|campaign| campaign.knows_refusal(person, rules, why))
    }
}

/// The refusal of a person who has caused as many changes as one may in an hour.
fn too_many_changes(until: Stamp, now: Stamp) -> Refused {
    let left_s = (until.0 - now.0 + Stamp::SECOND - 1) / Stamp::SECOND;
    Refused::TooManyChanges {
        retry_after_s: u32::try_from(left_s.max(1)).unwrap_or(u32::MAX),
    }
}

fn not_taken(reason: NotTaken) -> Refused {
    match reason {
        NotTaken::Full => Refused::Overloaded {
            retry_after_s: OVERLOADED_RETRY_S,
        },
        NotTaken::Stopped => Refused::OutcomeUnknown,
    }
}
