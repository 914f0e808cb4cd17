//! Sites, their slots, and what the agency did to give people other seats.

use actix_web::{HttpRequest, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{bad_field, ok};
use crate::domain::booking::relocation::{Cause, Unanswered};
use crate::domain::booking::site::SiteRow;
use crate::domain::ids::{RelocationIndex, SlotIndex};
use crate::domain::time::Zone;
use crate::service::desk::DeskRefused;
use crate::service::desk::effect::seats::slot_told;
use crate::service::desk::hours::{self, Hours};
use crate::service::desk::relocation::{Called, Progress};
use crate::service::desk::sites::{Changed, Counted, DaySeen, SiteListed, SlotSeen, Wanted};
use crate::web::desk::staff::{
    Allowed, Answered, Callers, Closers, Planners, Proposers, Routes, SiteReaders, Staff,
};
use crate::web::desk::wanted::{self, CountsByPool, RangeRequest, SeatsByPool};
use crate::web::problem::{Problem, ProblemView};
use crate::web::read;

pub fn routes(routes: &mut Routes<'_>) {
    routes.api::<SiteReaders, _, _, _>(sites, __path_sites);
    routes.api::<SiteReaders, _, _, _>(site, __path_site);
    routes.api::<Proposers, _, _, _>(change, __path_change);
    routes.api::<Closers, _, _, _>(stop, __path_stop);
    routes.api::<Proposers, _, _, _>(pattern, __path_pattern);
    routes.api::<SiteReaders, _, _, _>(relocations, __path_relocations);
    routes.api::<Callers, _, _, _>(to_call, __path_to_call);
    routes.api::<Callers, _, _, _>(names, __path_names);
    routes.api::<Planners, _, _, _>(again, __path_again);
}

/// A site, and what people can book there for themselves.
#[derive(Serialize, ToSchema)]
pub struct SiteView {
    pub site: String,
    pub name_ko: String,
    pub name_en: String,
    pub region: String,
    pub address: String,
    pub phone: String,
    /// Seats for the public from now on.
    pub seats: u32,
    /// Those of them that are free.
    pub free: u32,
}

impl SiteView {
    fn of(row: &SiteRow, seats: u32, free: u32) -> Self {
        Self {
            site: row.site.clone(),
            name_ko: row.name_ko.clone(),
            name_en: row.name_en.clone(),
            region: row.region.clone(),
            address: row.address.clone(),
            phone: row.phone.clone(),
            seats,
            free,
        }
    }
}

/// A page of sites.
#[derive(Serialize, ToSchema)]
pub struct SitesView {
    pub sites: Vec<SiteView>,
    /// All sites that match.
    pub count: u64,
    /// Their seats for the public from now on.
    pub seats: u32,
    pub free: u32,
}

/// Lists the sites of a campaign that the account is for, a hundred at a time.
#[utoipa::path(
    get,
    path = "/api/desk/v1/campaigns/{campaign}/sites",
    tag = "seats",
    params(
        ("campaign" = String, Path, description = "The campaign's id."),
        ("query" = Option<String>, Query, description = "Part of a name or address, or an id."),
        ("province" = Option<String>, Query, description = "The first part of a region's code."),
        ("page" = Option<u32>, Query, description = "From 0.", maximum = 10_000)
    ),
    responses(
        (status = 200, body = SitesView, description = "The sites."),
        (status = "4XX", body = ProblemView, content_type = "application/problem+json",
            description = "`not_found`, `invalid_request`, `signed_out`, `set_up_first`, \
                           `not_yours`.")
    ),
    security(("desk" = []), ("bearer" = []))
)]
async fn sites(
    staff: Staff<SiteReaders>,
    (request, campaign): (HttpRequest, web::Path<String>),
) -> Answered {
    let mut query = read::query(&request, &["query", "province", "page"])?;
    let page = match query.remove("page") {
        None => 0,
        Some(text) => number(&text)
            .filter(|page| *page <= 10_000)
            .ok_or_else(|| bad_field(&staff, "page", "must be a number to 10000"))?,
    };
    let wanted = Wanted {
        query: query.remove("query").unwrap_or_default(),
        province: query.remove("province").unwrap_or_default(),
        page: page as usize,
    };
    let found = staff.service.desk_sites(&staff.account, &campaign, &wanted);
    let found = found.map_err(|refused| staff.problem(refused))?;
    let view = |site: &SiteListed| SiteView::of(&site.row, site.offered.seats, site.offered.free);
    Ok(ok(&SitesView {
        sites: found.sites.iter().map(view).collect(),
        count: found.count,
        seats: found.offered.seats,
        free: found.offered.free,
    }))
}

fn number(text: &str) -> Option<u32> {
    let is_digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    is_digits.then(|| text.parse().ok()).flatten()
}

/// Seats of a slot or a day.
#[derive(Serialize, ToSchema)]
pub struct CountedView {
    pub capacity: CountsByPool,
    pub booked: CountsByPool,
    pub held: CountsByPool,
}

impl CountedView {
    fn of(counted: &Counted) -> Self {
        Self {
            capacity: CountsByPool::of(&counted.capacity),
            booked: CountsByPool::of(&counted.booked),
            held: CountsByPool::of(&counted.held),
        }
    }
}

/// A day of a site.
#[derive(Serialize, ToSchema)]
pub struct DayView {
    #[schema(format = Date)]
    pub date: String,
    pub slots: u32,
    /// Those of them that are closed.
    pub closed: u32,
    pub seats: CountedView,
}

/// A slot of a site.
#[derive(Serialize, ToSchema)]
pub struct SlotView {
    /// Its number in the campaign.
    pub slot: u32,
    pub vaccine: String,
    #[schema(format = DateTime)]
    pub start: String,
    #[schema(format = DateTime)]
    pub end: String,
    pub seats: CountedView,
    /// Why it takes nobody new, as the people concerned are told.
    pub closed: Option<String>,
    /// Whether it has begun.
    pub past: bool,
}

/// A site as it is.
#[derive(Serialize, ToSchema)]
pub struct SiteWhole {
    pub site: SiteView,
    /// From today on.
    pub days: Vec<DayView>,
    /// Of the day that was asked for.
    pub slots: Vec<SlotView>,
}

/// Shows a site: its days from today on, and the slots of one of them.
#[utoipa::path(
    get,
    path = "/api/desk/v1/campaigns/{campaign}/sites/{site}",
    tag = "seats",
    params(
        ("campaign" = String, Path, description = "The campaign's id."),
        ("site" = String, Path, description = "The site's id."),
        ("date" = Option<String>, Query, description = "Whose slots are shown: 2021-08-02.")
    ),
    responses(
        (status = 200, body = SiteWhole, description = "The site."),
        (status = "4XX", body = ProblemView, content_type = "application/problem+json",
            description = "`not_found`, `invalid_request`, `signed_out`, `set_up_first`, \
                           `not_yours`.")
    ),
    security(("desk" = []), ("bearer" = []))
)]
async fn site(
    staff: Staff<SiteReaders>,
    (request, path): (HttpRequest, web::Path<(String, String)>),
) -> Answered {
    let (campaign, site) = path.into_inner();
    let mut query = read::query(&request, &["date"])?;
    let date = match query.remove("date") {
        None => None,
        Some(text) => {
            Some(wanted::day("date", &text).map_err(|(name, why)| bad_field(&staff, name, why))?)
        }
    };
    let seen = staff
        .service
        .desk_site(&staff.account, &campaign, &site, date);
    let seen = seen.map_err(|refused| staff.problem(refused))?;
    let zone = super::proposals::zone_of(&staff, &campaign)?;
    let free = |pools: &Counted| pools.capacity[0].saturating_sub(pools.booked[0] + pools.held[0]);
    let sum = |of: fn(&Counted) -> u32| seen.days.iter().map(|day| of(&day.counted)).sum();
    let (seats, free): (u32, u32) = (
        sum(|counted| counted.capacity[0]),
        seen.days.iter().map(|day| free(&day.counted)).sum(),
    );
    Ok(ok(&SiteWhole {
        site: SiteView::of(&seen.row, seats, free),
        days: seen.days.iter().map(day_view).collect(),
        slots: seen
            .slots
            .iter()
            .map(|slot| slot_view(slot, &zone))
            .collect(),
    }))
}

fn day_view(day: &DaySeen) -> DayView {
    DayView {
        date: day.date.to_string(),
        slots: day.slots,
        closed: day.closed,
        seats: CountedView::of(&day.counted),
    }
}

fn slot_view(slot: &SlotSeen, zone: &Zone) -> SlotView {
    SlotView {
        slot: slot.index.0,
        vaccine: slot.vaccine.clone(),
        start: zone.rfc3339(slot.start),
        end: zone.rfc3339(slot.end),
        seats: CountedView::of(&slot.counted),
        closed: slot.closed.as_ref().map(|(_, by)| by.reason.text.clone()),
        past: slot.is_past,
    }
}

/// What a slot is to be.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SlotRequest {
    pub capacity: SeatsByPool,
    /// Its end: `09:30`.
    pub end: String,
    /// Why; on record for ever.
    #[schema(max_length = 500)]
    pub reason: String,
}

/// What came of changing a slot.
#[derive(Serialize, ToSchema)]
pub struct SlotChanged {
    /// In words, if it is done.
    pub done: Option<String>,
    /// The number of the proposal, if seats are taken away: another account approves it.
    pub proposal: Option<u32>,
}

/// Gives a slot another capacity or end. More seats are there at once; fewer are proposed.
#[utoipa::path(
    post,
    path = "/api/desk/v1/campaigns/{campaign}/slots/{slot}",
    tag = "seats",
    params(
        ("campaign" = String, Path, description = "The campaign's id."),
        ("slot" = u32, Path, description = "The slot's number.")
    ),
    request_body = SlotRequest,
    responses(
        (status = 200, body = SlotChanged, description = "Changed, or proposed."),
        (status = "4XX", body = ProblemView, content_type = "application/problem+json",
            description = "`faults_found`, `not_possible`, `not_found`, `invalid_request`, \
                           `signed_out`, `set_up_first`, `not_yours`, `foreign_request`."),
        (status = "5XX", body = ProblemView, content_type = "application/problem+json",
            description = "`overloaded`, `outcome_unknown`.")
    ),
    security(("desk" = []), ("bearer" = []))
)]
async fn change(
    staff: Staff<Proposers>,
    (request, path, body): (HttpRequest, web::Path<(String, String)>, read::Bytes),
) -> Answered {
    let (campaign, slot) = path.into_inner();
    let slot = number(&slot).map(SlotIndex);
    let slot = slot.ok_or_else(|| staff.problem(DeskRefused::NotFound))?;
    let asked: SlotRequest = read::json(&request, body)?;
    let field = |(name, why): wanted::Fault| bad_field(&staff, name, why);
    let capacity = asked.capacity.seats().map_err(field)?;
    let end = wanted::time("end", &asked.end).map_err(field)?;
    let (service, account) = (&staff.service, &staff.account);
    let changed = service.change_slot(account, &campaign, slot, (capacity, end), &asked.reason);
    let changed = changed.await.map_err(|refused| staff.problem(refused))?;
    Ok(ok(&match changed {
        Changed::Done(done) => SlotChanged {
            done: Some(done),
            proposal: None,
        },
        Changed::Proposed(proposal) => SlotChanged {
            done: None,
            proposal: Some(proposal),
        },
    }))
}

/// Which slots take nobody new from now on.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct StopRequest {
    pub range: RangeRequest,
    /// Told to the people concerned.
    #[schema(max_length = 500)]
    pub reason: String,
    #[serde(default)]
    #[schema(max_length = 500)]
    pub reason_en: Option<String>,
}

/// What was done.
#[derive(Serialize, ToSchema)]
pub struct DoneView {
    /// In words.
    pub done: String,
}

/// Closes slots to everybody new, at once and by one account. Whoever is booked stays booked: what
/// becomes of them is a proposal.
#[utoipa::path(
    post,
    path = "/api/desk/v1/campaigns/{campaign}/stop",
    tag = "seats",
    params(("campaign" = String, Path, description = "The campaign's id.")),
    request_body = StopRequest,
    responses(
        (status = 200, body = DoneView, description = "Closed."),
        (status = "4XX", body = ProblemView, content_type = "application/problem+json",
            description = "`faults_found`, `not_possible`, `not_found`, `invalid_request`, \
                           `signed_out`, `set_up_first`, `not_yours`, `foreign_request`."),
        (status = "5XX", body = ProblemView, content_type = "application/problem+json",
            description = "`overloaded`, `outcome_unknown`.")
    ),
    security(("desk" = []), ("bearer" = []))
)]
async fn stop(
    staff: Staff<Closers>,
    (request, campaign, body): (HttpRequest, web::Path<String>, read::Bytes),
) -> Answered {
    let asked: StopRequest = read::json(&request, body)?;
    let range = asked.range.range();
    let range = range.map_err(|(name, why)| bad_field(&staff, name, why))?;
    let reason = wanted::notice(&asked.reason, asked.reason_en.as_deref());
    let (service, account) = (&staff.service, &staff.account);
    let done = service.stop_slots(account, &campaign, range, reason).await;
    let done = done.map_err(|refused| staff.problem(refused))?;
    Ok(ok(&DoneView { done }))
}

/// Opening hours.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct HoursRequest {
    /// Which sites, and from which day until which; with a vaccine.
    pub range: RangeRequest,
    /// Days of the week, 1 for Monday to 7.
    #[schema(max_items = 7)]
    pub weekdays: Vec<u8>,
    /// Days on which nobody is open: 2021-08-16.
    #[serde(default)]
    #[schema(max_items = 366)]
    pub except: Vec<String>,
    /// From and until: `["09:00", "12:00"]`.
    #[schema(max_items = 24)]
    pub spans: Vec<[String; 2]>,
    /// Minutes from one start to the next.
    #[schema(minimum = 5, maximum = 1_440)]
    pub every_min: u16,
    pub capacity: SeatsByPool,
}

impl HoursRequest {
    pub fn hours(&self) -> Result<Hours, wanted::Fault> {
        let mut weekdays = [false; 7];
        for day in &self.weekdays {
            let at = usize::from(*day).checked_sub(1);
            let day = at.and_then(|at| weekdays.get_mut(at));
            *day.ok_or_else(|| ("weekdays", "must be 1 to 7".to_owned()))? = true;
        }
        let spans = self
            .spans
            .iter()
            .map(|[from, until]| Ok((wanted::time("spans", from)?, wanted::time("spans", until)?)));
        let except = self.except.iter().map(|day| wanted::day("except", day));
        Ok(Hours {
            range: self.range.range()?,
            weekdays,
            except: except.collect::<Result<_, _>>()?,
            spans: spans.collect::<Result<_, _>>()?,
            every_min: self.every_min,
            capacity: self.capacity.seats()?,
        })
    }
}

/// A file of slots.
#[derive(Serialize, ToSchema)]
pub struct SlotsText {
    /// As CSV, to be proposed.
    pub text: String,
}

/// Makes a file of slots from opening hours: to be proposed like any other.
#[utoipa::path(
    post,
    path = "/api/desk/v1/campaigns/{campaign}/hours",
    tag = "seats",
    params(("campaign" = String, Path, description = "The campaign's id.")),
    request_body = HoursRequest,
    responses(
        (status = 200, body = SlotsText, description = "The file."),
        (status = "4XX", body = ProblemView, content_type = "application/problem+json",
            description = "`faults_found`, `not_found`, `invalid_request`, `signed_out`, \
                           `set_up_first`, `not_yours`, `foreign_request`.")
    ),
    security(("desk" = []), ("bearer" = []))
)]
async fn pattern(
    staff: Staff<Proposers>,
    (request, campaign, body): (HttpRequest, web::Path<String>, read::Bytes),
) -> Answered {
    let asked: HoursRequest = read::json(&request, body)?;
    let hours = asked.hours();
    let hours = hours.map_err(|(name, why)| bad_field(&staff, name, why))?;
    let here = staff.service.campaign(&campaign);
    let here = here.map_err(|_| staff.problem(DeskRefused::NotFound))?;
    let text = hours::text(&here.offer.catalog, &hours);
    let text = text.map_err(|faults| staff.problem(DeskRefused::Faults(faults)))?;
    Ok(ok(&SlotsText { text }))
}

/// An act of the agency that gives people other seats, and how far it has come.
#[derive(Serialize, ToSchema)]
pub struct RelocationView {
    /// From 1.
    pub number: u32,
    /// `closure` or `interval`.
    pub cause: &'static str,
    #[schema(format = DateTime)]
    pub begun_at: String,
    pub reason: String,
    pub reason_en: Option<String>,
    /// Until when people can answer.
    #[schema(format = DateTime)]
    pub until: String,
    /// `moved` or `telephoned`: what becomes of those who do not answer.
    pub unanswered: &'static str,
    /// Slots that it keeps closed.
    pub slots: u64,
    /// Bookings that it has moved, and whose people have changed nothing since.
    pub moved: u64,
    /// People with an offer that they have not answered.
    pub offered: u64,
    /// People without other seats.
    pub left: u64,
}

impl RelocationView {
    pub fn of(progress: &Progress, zone: &Zone) -> Self {
        let known = &progress.known;
        Self {
            number: u32::from(progress.relocation.0) + 1,
            cause: match known.cause {
                Cause::Closure { .. } => "closure",
                Cause::Interval { .. } => "interval",
                Cause::Retimed { .. } => "retime",
            },
            begun_at: zone.rfc3339(known.begun_at),
            reason: known.reason.text.clone(),
            reason_en: known.reason.en.clone(),
            until: zone.rfc3339(known.until),
            unanswered: match known.unanswered {
                Unanswered::Moved => "moved",
                Unanswered::Telephoned => "telephoned",
            },
            slots: progress.slots,
            moved: progress.moved,
            offered: progress.offered,
            left: progress.left,
        }
    }
}

#[derive(Serialize, ToSchema)]
pub struct Relocations {
    pub relocations: Vec<RelocationView>,
}

/// Lists what the agency did to give people other seats, the newest first.
#[utoipa::path(
    get,
    path = "/api/desk/v1/campaigns/{campaign}/relocations",
    tag = "seats",
    params(("campaign" = String, Path, description = "The campaign's id.")),
    responses(
        (status = 200, body = Relocations, description = "The last hundred."),
        (status = "4XX", body = ProblemView, content_type = "application/problem+json",
            description = "`not_found`, `signed_out`, `set_up_first`, `not_yours`.")
    ),
    security(("desk" = []), ("bearer" = []))
)]
async fn relocations(staff: Staff<SiteReaders>, campaign: web::Path<String>) -> Answered {
    let zone = super::proposals::zone_of(&staff, &campaign)?;
    let all = staff.service.relocations(&staff.account, &campaign);
    let all = all.map_err(|refused| staff.problem(refused))?;
    Ok(ok(&Relocations {
        relocations: all
            .iter()
            .map(|one| RelocationView::of(one, &zone))
            .collect(),
    }))
}

/// Somebody whom the agency has to call.
#[derive(Serialize, ToSchema)]
pub struct CalledView {
    pub number: String,
    /// The closed slot: site, date and time.
    pub slot: String,
    /// What they were offered; none if nothing.
    pub offered: Option<String>,
    /// None where names were not asked for, or it was erased.
    pub name: Option<String>,
    pub phone: Option<String>,
}

#[derive(Serialize, ToSchema)]
pub struct CallList {
    /// At most 500.
    pub people: Vec<CalledView>,
}

/// The people of a telephone list.
fn call_list<A: Allowed>(
    staff: &Staff<A>,
    campaign: &str,
    all: &[Called],
) -> Result<CallList, Problem> {
    let here = staff.service.campaign(campaign);
    let here = here.map_err(|_| staff.problem(DeskRefused::NotFound))?;
    let catalog = &here.offer.catalog;
    let view = |one: &Called| CalledView {
        number: one.number.to_string(),
        slot: slot_told(catalog, one.slot),
        offered: one.offer.map(|slot| slot_told(catalog, slot)),
        name: one.contact.as_ref().map(|contact| contact.name.clone()),
        phone: one.contact.as_ref().map(|contact| contact.phone.clone()),
    };
    Ok(CallList {
        people: all.iter().map(view).collect(),
    })
}

fn relocation<A: Allowed>(staff: &Staff<A>, text: &str) -> Result<RelocationIndex, Problem> {
    let at = number(text).and_then(|number| number.checked_sub(1));
    let at = at.and_then(|at| u16::try_from(at).ok());
    let at = at.ok_or_else(|| staff.problem(DeskRefused::NotFound))?;
    Ok(RelocationIndex(at))
}

/// Lists the bookings in closed slots whose people have to be called, without names.
#[utoipa::path(
    get,
    path = "/api/desk/v1/campaigns/{campaign}/relocations/{number}/people",
    tag = "seats",
    params(
        ("campaign" = String, Path, description = "The campaign's id."),
        ("number" = u32, Path, description = "The relocation's number.")
    ),
    responses(
        (status = 200, body = CallList, description = "The bookings."),
        (status = "4XX", body = ProblemView, content_type = "application/problem+json",
            description = "`not_found`, `signed_out`, `set_up_first`, `not_yours`.")
    ),
    security(("desk" = []), ("bearer" = []))
)]
async fn to_call(staff: Staff<Callers>, path: web::Path<(String, String)>) -> Answered {
    let (campaign, number) = path.into_inner();
    let relocation = relocation(&staff, &number)?;
    let all = staff.service.to_call(&staff.account, &campaign, relocation);
    let all = all.map_err(|refused| staff.problem(refused))?;
    Ok(ok(&call_list(&staff, &campaign, &all)?))
}

/// Why somebody has to see names.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NamesRequest {
    /// On record for ever; it must name nobody.
    #[schema(max_length = 500)]
    pub reason: String,
}

/// Lists the same people with names and telephone numbers. Who saw whose is on record first.
#[utoipa::path(
    post,
    path = "/api/desk/v1/campaigns/{campaign}/relocations/{number}/names",
    tag = "seats",
    params(
        ("campaign" = String, Path, description = "The campaign's id."),
        ("number" = u32, Path, description = "The relocation's number.")
    ),
    request_body = NamesRequest,
    responses(
        (status = 200, body = CallList, description = "The people."),
        (status = "4XX", body = ProblemView, content_type = "application/problem+json",
            description = "`not_possible`, `not_found`, `invalid_request`, `signed_out`, \
                           `set_up_first`, `not_yours`, `foreign_request`."),
        (status = "5XX", body = ProblemView, content_type = "application/problem+json",
            description = "`overloaded`, `outcome_unknown`.")
    ),
    security(("desk" = []), ("bearer" = []))
)]
async fn names(
    staff: Staff<Callers>,
    (request, path, body): (HttpRequest, web::Path<(String, String)>, read::Bytes),
) -> Answered {
    let (campaign, number) = path.into_inner();
    let asked: NamesRequest = read::json(&request, body)?;
    let relocation = relocation(&staff, &number)?;
    let (service, account) = (&staff.service, &staff.account);
    let origin = staff.origin.from.to_string();
    let all = service.telephone_list(account, &origin, &campaign, relocation, &asked.reason);
    let all = all.await.map_err(|refused| staff.problem(refused))?;
    Ok(ok(&call_list(&staff, &campaign, &all)?))
}

/// Looks once more for seats for those who have none.
#[utoipa::path(
    post,
    path = "/api/desk/v1/campaigns/{campaign}/relocations/{number}/again",
    tag = "seats",
    params(
        ("campaign" = String, Path, description = "The campaign's id."),
        ("number" = u32, Path, description = "The relocation's number.")
    ),
    responses(
        (status = 200, body = DoneView, description = "What was done."),
        (status = "4XX", body = ProblemView, content_type = "application/problem+json",
            description = "`not_possible`, `not_found`, `signed_out`, `set_up_first`, \
                           `not_yours`, `foreign_request`."),
        (status = "5XX", body = ProblemView, content_type = "application/problem+json",
            description = "`overloaded`, `outcome_unknown`.")
    ),
    security(("desk" = []), ("bearer" = []))
)]
async fn again(staff: Staff<Planners>, path: web::Path<(String, String)>) -> Answered {
    let (campaign, number) = path.into_inner();
    let relocation = relocation(&staff, &number)?;
    let (service, account) = (&staff.service, &staff.account);
    let done = service.plan_again(account, &campaign, relocation).await;
    let done = done.map_err(|refused| staff.problem(refused))?.in_words();
    Ok(ok(&DoneView { done }))
}
