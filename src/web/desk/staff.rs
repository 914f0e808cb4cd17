//! Authority as a type: a handler of the desk takes `Staff<A>`, and nobody whose role is not among
//! `A`'s comes to it. Routes are added through `Routes` alone, which takes such handlers and no
//! others, and keeps the rule of each: a route without a rule does not compile.

use std::future::{Ready, ready};
use std::marker::PhantomData;
use std::net::IpAddr;
use std::sync::Arc;

use actix_web::dev::Payload;
use actix_web::http::Method;
use actix_web::{FromRequest, Handler, HttpRequest, HttpResponse, Resource, Responder, guard, web};
use utoipa::__dev::SchemaReferences;
use utoipa::openapi::path::{HttpMethod, PathItem};
use utoipa::openapi::{OpenApi, PathsBuilder, RefOr, Schema};

use super::pages::Page;
use super::problem;
use crate::domain::entry::Role;
use crate::domain::staff::api_key::{ApiKeyId, Scope};
use crate::domain::staff::{Account, AccountId};
use crate::events::Event;
use crate::identity::staff::sessions::{Certificate, Origin, Session, Stage};
use crate::service::Service;
use crate::service::desk::DeskRefused;
use crate::service::desk::keys::is_secret;
use crate::web::call::{bearer, peer, service, token_in_cookie};
use crate::web::origin::is_ours_or_bearer;
use crate::web::problem::Problem;
use crate::web::words::Lang;

/// The cookie of a session at the desk.
pub const DESK_COOKIE: &str = "__Host-sumun-desk";

/// Which roles come to a handler, and at which stage of a session; and with which scope a key
/// does. Without one no key comes: signing in, one's own credentials, changes and decisions are a
/// person's.
pub trait Allowed: 'static {
    const ROLES: &'static [Role];
    const STAGE: Stage = Stage::Whole;
    const SCOPE: Option<Scope> = None;
}

macro_rules! allowed {
    ($($(#[$doc:meta])* $name:ident = $($role:ident)|+ $(, key $scope:ident)?;)+) => {
        $($(#[$doc])* pub struct $name;

        impl Allowed for $name {
            const ROLES: &'static [Role] = &[$(Role::$role),+];
            $(const SCOPE: Option<Scope> = Some(Scope::$scope);)?
        })+
    };
}

allowed! {
    /// Whoever has an account.
    Anyone = Administrator | Operator | Approver | Site | Agent | Auditor | Reporter;
    /// Who manages accounts.
    Administrators = Administrator;
    /// Who may see accounts.
    Overseers = Administrator | Auditor, key Accounts;
    /// Who may see which acts on accounts wait for a second account.
    ActReaders = Administrator | Approver | Auditor;
    /// Who confirms such acts of others.
    Confirmers = Administrator | Approver;
    /// Who may see what accounts did.
    RecordReaders = Administrator | Auditor, key Record;
    /// Who runs the gate.
    Operators = Operator;
    /// Who watches an evening.
    Watchers = Administrator | Operator | Approver | Auditor | Reporter, key Board;
    /// Who is shown an evening's last hours, of all campaigns together.
    ChartViewers = Administrator | Operator | Approver | Auditor | Reporter;
    /// Who may see what is proposed.
    Readers = Administrator | Operator | Approver | Site | Auditor, key Proposals;
    /// Who may see what a proposal would do without proposing it.
    Previewers = Operator | Approver | Site, key Proposals;
    /// Who proposes.
    Proposers = Operator | Approver | Site;
    /// Who proposes what is about all campaigns together, or brings files.
    FileProposers = Operator | Approver;
    /// Who sees sites and their slots, within their bounds.
    SiteReaders = Administrator | Operator | Approver | Site | Agent | Auditor | Reporter,
        key Sites;
    /// Who closes slots to everybody new.
    Closers = Operator | Site;
    /// Who calls people whose seats were taken away.
    Callers = Operator | Site | Agent;
    /// Who has seats looked for once more.
    Planners = Operator | Approver;
    /// Who approves what others propose.
    Approvers = Approver;
}

/// Whoever has an account, also before it has a password of its own.
pub struct Newcomers;

impl Allowed for Newcomers {
    const ROLES: &'static [Role] = Anyone::ROLES;
    const STAGE: Stage = Stage::SetUp;
}

/// A call by somebody behind the desk whose role is among `A`'s, or with a key that has its scope.
pub struct Staff<A> {
    pub service: Arc<Service>,
    pub lang: Lang,
    pub caller: Caller,
    pub account: Account,
    pub origin: Origin,
    is: PhantomData<A>,
}

/// What a call came with.
pub enum Caller {
    Person(InPerson),
    Key(ApiKeyId),
}

/// The session of somebody who is signed in.
#[derive(Clone)]
pub struct InPerson {
    pub token: String,
    pub session: Session,
    pub id: AccountId,
}

/// Why a call is nobody's here, and whose it is if that is known.
type Turned = (DeskRefused, Option<Account>);

impl<A: Allowed> Staff<A> {
    /// Whose call this is.
    #[expect(
        clippy::result_large_err,
        reason = "a refusal is rare, and handed on at once"
    )]
    pub fn seen(request: &HttpRequest) -> Result<Self, Turned> {
        let lang = Lang::of(request.headers());
        let service = service(request);
        let origin = origin(request);
        if !is_ours_or_bearer(request.method(), request.headers()) {
            let from = Some(origin.from);
            service.events.note(Event::ForeignForm, from);
            return Err((DeskRefused::Foreign, None));
        }
        // A key is sent on purpose: no browser keeps one as a cookie.
        let key = bearer(request.headers()).filter(|token| is_secret(token));
        let (caller, account) = match key {
            Some(secret) => {
                let found = service.keyed(secret, A::SCOPE);
                let (key, account, has_scope) = found.map_err(|refused| (refused, None))?;
                if !has_scope {
                    return Err((DeskRefused::NotYours, Some(account)));
                }
                (Caller::Key(key), account)
            }
            None => {
                let (person, account) = Self::in_person(&service, token(request), origin)?;
                (Caller::Person(person), account)
            }
        };
        Ok(Self {
            lang,
            caller,
            account,
            origin,
            service,
            is: PhantomData,
        })
    }

    #[expect(
        clippy::result_large_err,
        reason = "a refusal is rare, and handed on at once"
    )]
    fn in_person(
        service: &Service,
        token: String,
        origin: Origin,
    ) -> Result<(InPerson, Account), Turned> {
        let found = service.desk_session(&token, origin.certificate);
        let (session, account) = found.map_err(|refused| (refused, None))?;
        if A::STAGE == Stage::Whole && session.stage == Stage::SetUp {
            return Err((DeskRefused::SetUpFirst, Some(account)));
        }
        if !A::ROLES.contains(&account.role) {
            return Err((DeskRefused::NotYours, Some(account)));
        }
        let id = session.account;
        Ok((InPerson { token, session, id }, account))
    }

    /// The session of whoever calls; a key has none.
    pub fn person(&self) -> Result<&InPerson, Problem> {
        match &self.caller {
            Caller::Person(person) => Ok(person),
            Caller::Key(_) => Err(self.problem(DeskRefused::NotYours)),
        }
    }

    /// The address that it comes from.
    pub fn from(&self) -> String {
        self.origin.from.to_string()
    }

    /// What a refusal means to this caller.
    pub fn problem(&self, refused: DeskRefused) -> Problem {
        problem::of(refused, self.lang)
    }
}

impl<A: Allowed> FromRequest for Staff<A> {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let lang = Lang::of(request.headers());
        ready(Self::seen(request).map_err(|(refused, _)| problem::of(refused, lang)))
    }
}

impl Staff<Operators> {
    /// The same, as one who watches: operators do.
    pub fn into_watcher(self) -> Staff<Watchers> {
        let Self {
            service,
            lang,
            caller,
            account,
            origin,
            is: _,
        } = self;
        Staff {
            service,
            lang,
            caller,
            account,
            origin,
            is: PhantomData,
        }
    }
}

/// The token of a session at the desk.
fn token(request: &HttpRequest) -> String {
    let headers = request.headers();
    let token = bearer(headers).or_else(|| token_in_cookie(headers, DESK_COOKIE));
    token.unwrap_or_default().to_owned()
}

/// What is known of a connection with a client's certificate.
pub struct Presented(pub Certificate);

/// Where a request comes from.
pub fn origin(request: &HttpRequest) -> Origin {
    let from: IpAddr = peer(request);
    let certificate = request.conn_data::<Presented>();
    Origin {
        from,
        certificate: certificate.map(|presented| presented.0),
    }
}

/// The rule of a route.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Rule {
    pub method: Method,
    pub path: String,
    /// None for the few routes that nobody signs in for.
    pub roles: Option<&'static [Role]>,
    pub stage: Stage,
    /// The scope with which a key comes to it; no key comes where there is none.
    pub scope: Option<Scope>,
}

/// The routes of the desk as they are added, with their rules and their description.
pub struct Routes<'a> {
    config: &'a mut web::ServiceConfig,
    pub rules: Vec<Rule>,
    paths: PathsBuilder,
    schemas: Vec<(String, RefOr<Schema>)>,
}

impl<'a> Routes<'a> {
    pub fn new(config: &'a mut web::ServiceConfig) -> Self {
        Self {
            config,
            rules: Vec::new(),
            paths: PathsBuilder::new(),
            schemas: Vec::new(),
        }
    }

    /// Adds a call of the API, whose method and path are those that it is described with.
    pub fn api<A, B, H, P>(&mut self, handler: H, _: P)
    where
        A: Allowed,
        B: FromRequest + 'static,
        H: Handler<(Staff<A>, B)>,
        H::Output: Responder + 'static,
        P: utoipa::Path + SchemaReferences,
    {
        let (method, path) = self.describe::<P>(A::SCOPE);
        self.config
            .route(&path, web::method(method.clone()).to(handler));
        self.rules.push(Rule {
            method,
            path,
            roles: Some(A::ROLES),
            stage: A::STAGE,
            scope: A::SCOPE,
        });
    }

    /// Adds a call that nobody signs in for.
    pub fn open<B, H, P>(&mut self, handler: H, _: P)
    where
        B: FromRequest + 'static,
        H: Handler<(HttpRequest, B)>,
        H::Output: Responder + 'static,
        P: utoipa::Path + SchemaReferences,
    {
        let (method, path) = self.describe::<P>(None);
        self.config.service(bounded(&method, &path, handler));
        self.rule(method, path, None, Stage::Whole);
    }

    /// Adds a page.
    pub fn page<A, B, H>(&mut self, method: Method, path: &str, handler: H)
    where
        A: Allowed,
        B: FromRequest + 'static,
        H: Handler<(Page<A>, B)>,
        H::Output: Responder + 'static,
    {
        self.config
            .route(path, web::method(method.clone()).to(handler));
        self.rule(method, path.to_owned(), Some(A::ROLES), A::STAGE);
    }

    /// Adds a page that nobody signs in for.
    pub fn open_page<B, H>(&mut self, method: Method, path: &str, handler: H)
    where
        B: FromRequest + 'static,
        H: Handler<(HttpRequest, B)>,
        H::Output: Responder + 'static,
    {
        self.config.service(bounded(&method, path, handler));
        self.rule(method, path.to_owned(), None, Stage::Whole);
    }

    /// The rule of a route that no key comes to.
    fn rule(&mut self, method: Method, path: String, roles: Option<&'static [Role]>, stage: Stage) {
        self.rules.push(Rule {
            method,
            path,
            roles,
            stage,
            scope: None,
        });
    }

    fn describe<P: utoipa::Path + SchemaReferences>(
        &mut self,
        scope: Option<Scope>,
    ) -> (Method, String) {
        P::schemas(&mut self.schemas);
        let path = P::path();
        let methods = P::methods();
        let method = match methods.first() {
            Some(HttpMethod::Post) => Method::POST,
            Some(HttpMethod::Put) => Method::PUT,
            Some(HttpMethod::Delete) => Method::DELETE,
            _ => Method::GET,
        };
        let mut operation = P::operation();
        if let Some(scope) = scope {
            let said = operation.description.take().unwrap_or_default();
            let keys = format!("A key with the scope `{}` may call it.", scope.name());
            operation.description = Some(format!("{said}\n\n{keys}").trim().to_owned());
        }
        let item = PathItem::from_http_methods(methods, operation);
        let paths = std::mem::take(&mut self.paths);
        self.paths = paths.path(&path, item);
        (method, path)
    }

    /// The description of what was added, into one that has the rest.
    pub fn described(self, mut into: OpenApi) -> OpenApi {
        into.paths = self.paths.build();
        let components = into.components.get_or_insert_default();
        components.schemas.extend(self.schemas);
        into
    }
}

/// Bytes of a body that somebody sends who is not signed in.
const OPEN_BYTES_MAX: usize = 16 << 10;

/// A route that anybody can send something to, so that little of it is read.
fn bounded<B, H>(method: &Method, path: &str, handler: H) -> Resource
where
    B: FromRequest + 'static,
    H: Handler<(HttpRequest, B)>,
    H::Output: Responder + 'static,
{
    let method = guard::Method(method.clone());
    web::resource(path)
        .guard(method)
        .app_data(web::PayloadConfig::new(OPEN_BYTES_MAX))
        .route(web::route().to(handler))
}

/// An answer to a page's form, or a page.
pub type Answered = Result<HttpResponse, Problem>;
