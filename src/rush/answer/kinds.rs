//! The requests that people make, the refusals that there are, and which of them each may meet.

/// The requests that people make: the calls of the API, then those of the pages.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
#[repr(u8)]
pub enum Kind {
    Board,
    Enter,
    Place,
    Admit,
    Sites,
    Days,
    Slots,
    Hold,
    Book,
    Mine,
    Move,
    Cancel,
    Landing,
    Form,
    SignIn,
    Room,
    GoIn,
    Regions,
    DaysPage,
    TimesPage,
    HoldForm,
    Confirm,
    BookForm,
    BookingPage,
    CancelPage,
    CancelForm,
    Asset,
}

pub const KINDS: [Kind; 27] = [
    Kind::Board,
    Kind::Enter,
    Kind::Place,
    Kind::Admit,
    Kind::Sites,
    Kind::Days,
    Kind::Slots,
    Kind::Hold,
    Kind::Book,
    Kind::Mine,
    Kind::Move,
    Kind::Cancel,
    Kind::Landing,
    Kind::Form,
    Kind::SignIn,
    Kind::Room,
    Kind::GoIn,
    Kind::Regions,
    Kind::DaysPage,
    Kind::TimesPage,
    Kind::HoldForm,
    Kind::Confirm,
    Kind::BookForm,
    Kind::BookingPage,
    Kind::CancelPage,
    Kind::CancelForm,
    Kind::Asset,
];

impl Kind {
    pub fn name(self) -> &'static str {
        match self {
            Self::Board => "board",
            Self::Enter => "enter",
            Self::Place => "place",
            Self::Admit => "admit",
            Self::Sites => "sites",
            Self::Days => "days",
            Self::Slots => "slots",
            Self::Hold => "hold",
            Self::Book => "book",
            Self::Mine => "mine",
            Self::Move => "move",
            Self::Cancel => "cancel",
            Self::Landing => "landing",
            Self::Form => "form",
            Self::SignIn => "sign-in",
            Self::Room => "room",
            Self::GoIn => "go-in",
            Self::Regions => "choose",
            Self::DaysPage => "days-page",
            Self::TimesPage => "times-page",
            Self::HoldForm => "hold-form",
            Self::Confirm => "confirm",
            Self::BookForm => "book-form",
            Self::BookingPage => "booking",
            Self::CancelPage => "cancel-page",
            Self::CancelForm => "cancel-form",
            Self::Asset => "asset",
        }
    }

    /// The call of the API that does the same as this request.
    pub fn call(self) -> Self {
        match self {
            Self::Landing | Self::Asset => Self::Board,
            Self::Form | Self::SignIn => Self::Enter,
            Self::Room => Self::Place,
            Self::GoIn => Self::Admit,
            Self::Regions => Self::Sites,
            Self::DaysPage => Self::Days,
            Self::TimesPage => Self::Slots,
            Self::HoldForm | Self::Confirm => Self::Hold,
            Self::BookForm => Self::Book,
            Self::BookingPage | Self::CancelPage => Self::Mine,
            Self::CancelForm => Self::Cancel,
            call => call,
        }
    }

    /// The status of a yes.
    pub fn success(self) -> u16 {
        match self {
            Self::Hold | Self::Book => 201,
            _ => 200,
        }
    }

    /// The refusals that this call may give to what people of a rush send. Overload and pause may
    /// meet any call.
    pub fn may_refuse(self, code: Code) -> bool {
        use Code::*;
        let session = matches!(code, SessionInvalid | SessionExpired);
        let rules = matches!(code, NotEligible | NotOpenYet | OpeningClosed);
        let seat = matches!(code, SlotFull | SlotPast | HoldExpired | OutcomeUnknown);
        if matches!(code, Overloaded | Paused) {
            return true;
        }
        let placed = matches!(code, PlaceInvalid | PlaceEnded);
        match self.call() {
            Self::Board => false,
            Self::Enter => rules || matches!(code, IdentityNotFound | TooManyAttempts),
            Self::Place => rules || placed,
            Self::Admit => rules || placed || code == NotAdmitted,
            Self::Sites | Self::Days | Self::Slots => session,
            Self::Hold => session || rules || seat || code == AlreadyBooked,
            Self::Book => session || rules || seat || matches!(code, AlreadyBooked),
            Self::Mine => session || code == NoBooking,
            Self::Move => {
                session || rules || seat || matches!(code, NoBooking | ChangeDeadlinePassed)
            }
            Self::Cancel => {
                session || matches!(code, NoBooking | ChangeDeadlinePassed | OutcomeUnknown)
            }
            _ => false,
        }
    }
}

macro_rules! codes {
    ($($variant:ident = $name:literal: $($status:literal)|+,)+) => {
        /// Why a call was refused.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
        #[repr(u8)]
        pub enum Code { $($variant),+ }

        pub const CODES: [Code; [$($name),+].len()] = [$(Code::$variant),+];

        impl Code {
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }

            pub fn known(name: &str) -> Option<Self> {
                match name { $($name => Some(Self::$variant),)+ _ => None }
            }

            pub fn has_status(self, status: u16) -> bool {
                match self { $(Self::$variant => matches!(status, $($status)|+)),+ }
            }
        }
    };
}

codes! {
    InvalidRequest = "invalid_request": 400 | 422,
    IdentityNotFound = "identity_not_found": 403,
    TooManyAttempts = "too_many_attempts": 429,
    NotEligible = "not_eligible": 403,
    NotOpenYet = "not_open_yet": 403,
    OpeningClosed = "opening_closed": 403,
    PlaceInvalid = "place_invalid": 401,
    PlaceEnded = "place_ended": 401,
    SessionInvalid = "session_invalid": 401,
    SessionExpired = "session_expired": 401,
    NotAdmitted = "not_admitted": 403,
    SlotFull = "slot_full": 409,
    SlotPast = "slot_past": 409,
    AlreadyBooked = "already_booked": 409,
    HoldExpired = "hold_expired": 404,
    HoldExtended = "hold_extended": 409,
    NoBooking = "no_booking": 404,
    NotFound = "not_found": 404,
    MethodNotAllowed = "method_not_allowed": 405,
    ChangeDeadlinePassed = "change_deadline_passed": 409,
    IdempotencyConflict = "idempotency_conflict": 409,
    Paused = "paused": 503,
    Overloaded = "overloaded": 503,
    OutcomeUnknown = "outcome_unknown": 500,
}
