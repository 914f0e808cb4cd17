//! Accounts: their list, making one, changing one.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use askama::Template;

use super::account_acts::half_page;
use super::{Frame, GET, POST, Page, Path, Trouble, at, onward, role_words, shown, shown_with};
use crate::clock::tick;
use crate::domain::entry::Role;
use crate::domain::staff::{Account, AccountId, Bounds};
use crate::domain::text::grouped;
use crate::service::desk::DeskRefused;
use crate::service::desk::account_acts::AskedFor;
use crate::service::desk::accounts::Wanted;
use crate::web::desk::staff::{Administrators, Overseers, Routes};
use crate::web::pages::Form;
use crate::web::read;
use crate::web::words::Lang;

pub fn routes(routes: &mut Routes<'_>) {
    routes.page::<Overseers, _, _>(GET, &at("/accounts"), list);
    routes.page::<Administrators, _, _>(GET, &at("/accounts/new"), new_page);
    routes.page::<Administrators, _, _>(POST, &at("/accounts/new"), new);
    routes.page::<Administrators, _, _>(GET, &at("/accounts/{id}"), one);
    routes.page::<Administrators, _, _>(POST, &at("/accounts/{id}"), change);
    routes.page::<Administrators, _, _>(POST, &at("/accounts/{id}/reset"), reset);
    routes.page::<Administrators, _, _>(POST, &at("/accounts/{id}/end-sessions"), end_sessions);
}

#[derive(Template)]
#[template(path = "desk/accounts.html", config = "src/web/pages/askama.toml")]
struct ListPage {
    f: Frame,
    /// Whether whoever looks may change them.
    may_change: bool,
    /// How many acts wait for a second account.
    asked: Option<String>,
    accounts: Vec<Row>,
}

struct Row {
    id: u32,
    name: String,
    role: &'static str,
    bounds: Vec<(&'static str, String)>,
    state: &'static str,
    of_provider: bool,
    signed_in: Option<String>,
    sessions: usize,
}

/// Where an account may do what its role may, in words.
pub fn bounds_told(lang: Lang, bounds: &Bounds) -> Vec<(&'static str, String)> {
    let all = [
        ("desk-campaigns", &bounds.campaigns),
        ("desk-provinces", &bounds.provinces),
        ("desk-sites", &bounds.sites),
    ];
    let set = all.into_iter().filter(|(_, list)| !list.is_empty());
    set.map(|(words, list)| (lang.say(words), list.join(", ")))
        .collect()
}

async fn list(page: Page<Overseers>, (): ()) -> HttpResponse {
    let (lang, service) = (page.lang, &page.staff.service);
    let staff = service.staff();
    let row = |(id, account): (&AccountId, &Account)| Row {
        id: id.0,
        name: account.name.clone(),
        role: role_words(lang, account.role),
        bounds: bounds_told(lang, &account.bounds),
        state: lang.say(match (account.is_enabled, account.is_own) {
            (false, false) if account.is_of_provider() => "desk-waits",
            (false, _) => "desk-ended",
            (true, false) => "desk-not-set-up",
            (true, true) => "desk-ready",
        }),
        of_provider: account.is_of_provider(),
        signed_in: account
            .signed_in_at
            .map(|at| super::record::instant(service, at)),
        sessions: service.desk.sessions.of_account(*id, tick()).len(),
    };
    let now = service.clock.now();
    let open = staff.acts.asked.values().filter(|one| one.is_open(now));
    let open = open.count() as u64;
    let asked = (open > 0).then(|| lang.put("asked-wait", &[("acts", grouped(open).into())]));
    let template = ListPage {
        f: page.frame("/accounts", "desk-help-accounts"),
        asked,
        may_change: page.staff.account.role == Role::Administrator,
        accounts: staff.accounts.iter().map(row).collect(),
    };
    shown(lang, &template)
}

#[derive(Template)]
#[template(path = "desk/account.html", config = "src/web/pages/askama.toml")]
struct AccountPage {
    f: Frame,
    trouble: Option<Trouble>,
    /// None for one that is being made.
    id: Option<u32>,
    name: String,
    /// Its name in forms, its words, whether it is this account's.
    roles: Vec<(&'static str, &'static str, bool)>,
    campaigns: String,
    provinces: String,
    sites: String,
    is_enabled: bool,
    /// Whether it signs in at the agency's provider, and has no password here.
    of_provider: bool,
    sessions: usize,
    /// Whether acts on some accounts take two: then a reason is asked for.
    take_two: bool,
    reason: String,
}

impl AccountPage {
    fn of(page: &Page<Administrators>, id: Option<AccountId>, wanted: &Wanted) -> Self {
        let role = |role: Role| {
            (
                role.name(),
                role_words(page.lang, role),
                role == wanted.role,
            )
        };
        let sessions = &page.staff.service.desk.sessions;
        let staff = page.staff.service.staff();
        let known = id.and_then(|id| staff.accounts.get(&id));
        let of_provider = known.is_some_and(Account::is_of_provider);
        Self {
            f: page.frame(
                &id.map_or("/accounts/new".to_owned(), |id| format!("/accounts/{id}")),
                "desk-help-accounts",
            ),
            trouble: None,
            id: id.map(|id| id.0),
            name: wanted.name.clone(),
            roles: Role::ALL.map(role).to_vec(),
            campaigns: wanted.bounds.campaigns.join(" "),
            provinces: wanted.bounds.provinces.join(" "),
            sites: wanted.bounds.sites.join(" "),
            is_enabled: wanted.is_enabled,
            of_provider,
            sessions: id.map_or(0, |id| sessions.of_account(id, tick()).len()),
            take_two: staff.acts_take_two() || of_provider,
            reason: String::new(),
        }
    }

    fn because(mut self, reason: &str) -> Self {
        reason.clone_into(&mut self.reason);
        self
    }

    fn with(mut self, trouble: Trouble) -> Self {
        self.trouble = Some(trouble);
        self
    }
}

#[derive(Template)]
#[template(path = "desk/password.html", config = "src/web/pages/askama.toml")]
struct PasswordPage {
    f: Frame,
    name: String,
    password: String,
}

/// The words of a field that takes several.
pub fn words_of(text: &str) -> Vec<String> {
    let words = text.split([' ', ',', '\n', '\r', '\t']);
    words
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect()
}

/// What a form says that an account is to be.
fn wanted(form: &Form) -> Wanted {
    let list = |name: &str| words_of(form.field(name));
    let role = Role::named(form.field("role"));
    Wanted {
        name: form.field("name").to_ascii_lowercase(),
        role: role.unwrap_or(Role::Reporter),
        bounds: Bounds {
            campaigns: list("campaigns"),
            provinces: list("provinces"),
            sites: list("sites"),
        },
        is_enabled: form.has("enabled"),
    }
}

async fn new_page(page: Page<Administrators>, (): ()) -> HttpResponse {
    let wanted = Wanted {
        name: String::new(),
        role: Role::Operator,
        bounds: Bounds::default(),
        is_enabled: true,
    };
    shown(page.lang, &AccountPage::of(&page, None, &wanted))
}

/// Asks another account to confirm what one account can't do alone, if a reason was typed.
async fn asked(
    page: &Page<Administrators>,
    what: AskedFor,
    name: &str,
    reason: &str,
) -> Result<HttpResponse, DeskRefused> {
    if reason.is_empty() {
        return Err(DeskRefused::TakesTwo);
    }
    let staff = &page.staff;
    let asked = staff
        .service
        .ask_account_act(&staff.account, what, reason)
        .await;
    Ok(match asked?.1 {
        Some(half) => {
            let f = page.frame("/accounts/asked", "desk-help-asked");
            half_page(f, name.to_owned(), half, true)
        }
        None => onward(&page.to("/accounts/asked")),
    })
}

async fn new(page: Page<Administrators>, body: read::Bytes) -> HttpResponse {
    let form = Form::of(body);
    let (wanted, reason) = (wanted(&form), form.field("reason"));
    let staff = &page.staff;
    let made = staff
        .service
        .add_account(&staff.account, staff.origin, wanted.clone())
        .await;
    let done = match made {
        Ok((_, password)) => Ok(password_page(&page, wanted.name.clone(), password)),
        Err(DeskRefused::TakesTwo) => {
            let what = AskedFor::Set(None, wanted.clone());
            asked(&page, what, &wanted.name, reason).await
        }
        Err(refused) => Err(refused),
    };
    done.unwrap_or_else(|refused| {
        let again = AccountPage::of(&page, None, &wanted).because(reason);
        let again = again.with(page.trouble(refused));
        shown_with(page.lang, StatusCode::UNPROCESSABLE_ENTITY, &again)
    })
}

fn password_page(page: &Page<Administrators>, name: String, password: String) -> HttpResponse {
    let template = PasswordPage {
        f: page.frame("/accounts/new", "desk-help-accounts"),
        name,
        password,
    };
    shown(page.lang, &template)
}

/// The account that an address names.
fn named(page: &Page<Administrators>, path: &Path) -> Option<(AccountId, Account)> {
    let id = AccountId(path.get("id")?.parse().ok()?);
    let account = page.staff.service.staff().accounts.get(&id).cloned()?;
    Some((id, account))
}

fn missing(page: &Page<Administrators>) -> HttpResponse {
    let trouble = page.trouble(DeskRefused::NotFound);
    let account = Some(&page.staff.account);
    super::told(page.lang, account, StatusCode::NOT_FOUND, trouble)
}

async fn one(page: Page<Administrators>, path: Path) -> HttpResponse {
    let Some((id, account)) = named(&page, &path) else {
        return missing(&page);
    };
    let wanted = Wanted {
        name: account.name,
        role: account.role,
        bounds: account.bounds,
        is_enabled: account.is_enabled,
    };
    shown(page.lang, &AccountPage::of(&page, Some(id), &wanted))
}

async fn change(page: Page<Administrators>, (path, body): (Path, read::Bytes)) -> HttpResponse {
    let Some((id, _)) = named(&page, &path) else {
        return missing(&page);
    };
    let form = Form::of(body);
    let (wanted, reason) = (wanted(&form), form.field("reason"));
    let staff = &page.staff;
    let changed = staff
        .service
        .change_account(&staff.account, id, wanted.clone())
        .await;
    let done = match changed {
        Ok(()) => Ok(onward(&page.to("/accounts"))),
        Err(DeskRefused::TakesTwo) => {
            let what = AskedFor::Set(Some(id), wanted.clone());
            asked(&page, what, &wanted.name, reason).await
        }
        Err(refused) => Err(refused),
    };
    done.unwrap_or_else(|refused| {
        let again = AccountPage::of(&page, Some(id), &wanted).because(reason);
        let again = again.with(page.trouble(refused));
        shown_with(page.lang, StatusCode::UNPROCESSABLE_ENTITY, &again)
    })
}

async fn reset(page: Page<Administrators>, (path, body): (Path, read::Bytes)) -> HttpResponse {
    let Some((id, account)) = named(&page, &path) else {
        return missing(&page);
    };
    let staff = &page.staff;
    let reset = staff
        .service
        .reset_account(&staff.account, staff.origin, id)
        .await;
    let done = match reset {
        Ok(password) => Ok(password_page(&page, account.name, password)),
        Err(DeskRefused::TakesTwo) => {
            let form = Form::of(body);
            let reason = form.field("reason");
            asked(&page, AskedFor::Reset(id), &account.name, reason).await
        }
        Err(refused) => Err(refused),
    };
    done.unwrap_or_else(|refused| {
        let trouble = page.trouble(refused);
        let account = Some(&staff.account);
        super::told(page.lang, account, StatusCode::CONFLICT, trouble)
    })
}

async fn end_sessions(page: Page<Administrators>, path: Path) -> HttpResponse {
    let Some((id, _)) = named(&page, &path) else {
        return missing(&page);
    };
    let staff = &page.staff;
    let ended = staff
        .service
        .revoke_sessions(&staff.account, staff.origin, id, None)
        .await;
    match ended {
        Ok(_) => onward(&page.to("/accounts")),
        Err(refused) => {
            let trouble = page.trouble(refused);
            let account = Some(&staff.account);
            super::told(page.lang, account, StatusCode::CONFLICT, trouble)
        }
    }
}
