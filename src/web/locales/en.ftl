# Everything a person reads. ko.ftl must have the same keys.

## Everywhere
program = Vaccination reservations
skip = Skip to the content
error = Error
all-times = All times are { $zone }.
made-at = Last updated { $at }.
network-lost = The connection is lost. It is tried again by itself once you are connected.
network-busy = Many people are here. It is sent again in a moment by itself. Leave this page open.
network-back = Connected again.
sending = Sending. One moment, please.
network-kept = What you typed is kept.
field-missing = This is needed.
language = English
direction = ltr
agency-call = Telephone { $phone }
zone = { $key ->
    [Asia-Seoul] Korean time
   *[other] time in { $name }
}
instant = { $weekday } { $date } { $monthname } { $year }, { $time }
date = { $weekday } { $date } { $monthname } { $year }
date-short = { $weekdayshort } { $date } { $monthname }
date-born = { $date } { $monthname } { $year }
month = { $monthname } { $year }
month-name = { $month ->
    [1] January
    [2] February
    [3] March
    [4] April
    [5] May
    [6] June
    [7] July
    [8] August
    [9] September
    [10] October
    [11] November
   *[12] December
}
weekday = { $day ->
    [0] Sunday
    [1] Monday
    [2] Tuesday
    [3] Wednesday
    [4] Thursday
    [5] Friday
   *[6] Saturday
}
weekday-short = { $day ->
    [0] Sun
    [1] Mon
    [2] Tue
    [3] Wed
    [4] Thu
    [5] Fri
   *[6] Sat
}
minutes = { $n ->
    [one] { $n } minute
   *[other] { $n } minutes
}
hours = { $h } h { $m } min
seats = { $n ->
    [one] { $count } appointment
   *[other] { $count } appointments
}
seats-none = full

## The first page
campaigns = Vaccination programmes
campaigns-none = No programme is open now.
state-paused = Booking is paused
state-closed = Booking has ended
look-up = See, change or cancel a booking
find-your-day = When you can book
see-my-day = Check
openings = When you can book, by group
openings-none = No opening is planned.
open-now = Open now
open-paused = Paused
lobby-open = Waiting room open
windows-shown = You can look up your time
for-whom = For
period = Booking
opening-over = Ended
starts-at = starts { $at }
ends-at = until { $at }
today-at = today at { $time }
tomorrow-at = tomorrow at { $time }
day-at = { $weekdayshort } { $date } { $monthname } at { $time }
born-year = born { $year }
who-year = For people born in { $year }, { "" }
who-date = For people born on { $date }, { "" }
have-booked = Have you booked already?
this-device = On this device
known-booking = You have a booking.
known-hold = A time is kept for you. It is not booked yet.
known-move = You have a booking, and another time is kept for you. Nothing is changed yet.
known-session = It is your turn to book. You can go on choosing a time.
known-window = Your time to book: { $at }
known-number = You are waiting with number { $number }.
to-confirm = Go on booking
to-window = See my time
opens-next = To come
whom-born = Born { $first } – { $last }
whom-groups = { " " }(for: { $groups })
whom-groups-alone = For: { $groups }
whom-digits = { " " }(birth days that end in { $digits })
good-to-know = Good to know
know-place = However many come at once, the order is fair: one number a person, and refreshing does not change it.
know-device = You may close the page or come back on another device while you wait. Your number stays.
know-change = { $days ->
    [one] A booking can be changed or cancelled until midnight at the end of the day before.
   *[other] A booking can be changed or cancelled until midnight at the end of the day { $days } days before.
}
another-date = Another birth date
ask-again = Write a birth date again
asked-of = The birth date you entered: { $born }
birth-date-unclear = Check the birth date
birth-date-how = Write the year first, as eight digits: 4 March 1967 is 19670304.
birth-date-short-year = Write all four digits of the year, for example { $example }
birth-date-year-first = Write the year first, then month and day, for example { $example }
birth-date-no-day = There is no such day. Check the birth date.
groups-may-differ = If you were invited as one of these, sign in: your opening may be another. ({ $groups })

## When
your-opening-is = { $who }booking starts { $at }
your-opening-ended = The last opening ended on { $at }.
your-opening-is-over = { $who }booking has ended
your-opening-is-not-set = { $who }no date for booking has been set yet
may-be-for-you = You may be among those who may book
may-be-for-you-groups = It depends on more than the birth date: this programme is for { $groups }. Sign in to see your opening.
not-for-you = { $who }this programme is not open
not-for-you-next = This programme is for people { $whom }. If you have a letter, check the birth date again.
you-may-book-now = { $who }booking is open now
you-may-book-paused = { $who }booking is open, but paused at the moment
you-may-book-windows = { $who }booking is open
you-may-enter-until = New people are let in until { $at }.
you-may-book-until = You may book until { $at }.
lobby-is-open = The waiting room is open: come in now to get a number. People are let in, in order, from the start on.
lobby-is-drawn = The waiting room is open. The order of all who come in before the start is drawn by lot.
lobby-opens-at = The waiting room opens { $at }. There is no need to wait before.

## Who are you
who-are-you = Confirm who you are
who-lead = Write everything as it is in your letter.
who-privacy = What you enter is used only to confirm who you are.
name = Name
    .hint = For example
name-missing = Write your name.
name-too-long = The name is too long.
birth-date = Birth date
    .hint = Eight digits, for example 19670304
birth-date-missing = Write your birth date.
code = Invitation code
    .hint = Ten characters from your letter. Spaces and capitals do not matter.
code-missing = Write your invitation code.
code-how = An invitation code has ten letters and digits. Compare it with your letter, one by one.
code-too-long = The invitation code is too long.
code-length = An invitation code has ten letters and digits. Compare it with your letter: is one missing, or one too many?
code-character = The invitation code has a character that no code has. Compare it with your letter.
code-mistyped = The invitation code has a typing mistake. Compare it with your letter, one character at a time.
fields-at-fault = There is a problem
wrong-again = Compare the name, birth date and invitation code with your letter, one by one. As soon as they are right you go in at once. If they are right already and it still fails, call the number in the letter. Many wrong entries came from this connection, so wrong ones are answered slowly for the next { $time }.
    .detail = These credentials are wrong, and many wrong ones came from there before. Right ones enter at once. Wrong ones are answered late until `retry_after_s` seconds have passed.
has-place = This device has a number or a booking already.
enter = Continue
doing-enter = Checking…
consent-read = How your personal data is used
consent-given = (Required) I agree to the use of my personal data.
consent-missing = You can book only if you agree.
consent-changed = The text has changed. Read it again and agree to it.
code-forgotten = Do you not know your invitation code?
leave = Sign out (your number and booking are kept)

## The waiting room
wait-lobby = You are in the waiting room
wait-lobby-lead = Booking has not begun yet.
wait-drawn = The order is drawn by lot at the start. It does not matter who came first.
draw-number = Your lot
wait-drawn-close = You may close this page and still take part in the draw.
opens-at = It begins on { $at }.
wait-window = Your time to book is set
wait-window-lead = Come at this time and you go straight in. There is no need to rush.
wait-window-after = After it you may come at any time until { $at }. You can not go in before it.
wait-window-moves = A time that has not begun may be moved if the operators must. This page shows it then.
wait-window-close = You may close this page. When you sign in again, it shows the same time.
window-note = From this time on you go straight in to book. You may come later too, until booking ends.
window-event = { $name }: your time to book
span = { $from }–{ $until }
windows-are-shown = You can sign in now and look up your own time to book.
windows-shown-at = From { $at } you can look up your own time to book. There is no need to rush.
wait-waiting = You are in the queue
wait-paused = Booking is paused
wait-paused-lead = When it opens again, it goes on where it stopped. Your number is kept.
wait-admitted = It is your turn
wait-admitted-lead = Press the button below to start booking.
wait-deadline = Start booking by { $at }.
wait-deadline-after = After that your turn goes to the next person. If you come later, you are let in as soon as there is room.
wait-entering = You go in automatically in { $s } s.
wait-next = · next look in { $s } s
wait-looking = · looking…
wishes = When it is my turn
wish-by-itself = Go in automatically
wish-sound = Play a sound
wish-vibration = Vibrate
go-in = Start booking
your-number = Your number
people-ahead = People ahead of you
people-count = { $count }
wait-about = Expected wait
wait-one = about { $n } min
wait-you-are-next = you are next
wait-minutes = { $low }–{ $high } min
wait-long = { $low } – { $high }
the-line = Progress of the queue
as-of = As of { $at }
because-busy = Many people are here, so people are let in more slowly for now.
because-full = Many people are booking; you go in in order as they finish.
because-lowered = People are let in more slowly for now, to keep the service steady.
because-shared = Another opening runs at the same time: both groups are let in in turn.
may-not-reach = Your turn will probably not come before this opening ends ({ $at }).
may-not-reach-next = Your next opening begins { $at }. You can wait here all the same.
may-not-reach-none = No further opening is planned yet. You can wait here all the same.
opening-is-open = An opening for you is going on now, since { $at }.
opening-comes = Your next opening begins { $at }.
opening-none = No further opening is planned for you yet.
wait-refresh = This page refreshes in { $s } seconds.
wait-announce = { $ahead } people are ahead of you. The expected wait is { $wait }.
wait-may = While you wait
wait-may-close = You may close this page. Your number stays yours.
wait-may-device = You may sign in on another device: it has the same number.
wait-may-tabs = More windows do not make it faster, and there is no need to refresh.

## Choosing
book-until = You can book until { $at }: after that only with a time that you hold.
you-keep = Your booking now: { $at }. You keep it until the new one is made.
you-hold = A time is kept for you: { $at }.
at-site = { $at }, { $site }
choose-province = Choose a region
choose-district = { $province }: choose a district
no-slots = No times can be booked yet
no-slots-next = The times of this programme have not been entered yet. You keep your turn; look again later.
no-seats = No appointment is free at the moment
no-seats-next = What others cancel appears here at once. You keep your turn; look again in a while.
search-site = Search by name or address of a site
search = Search
map-label = Map of free appointments by region. The list says the same.
sites-near = Sites near { $district }
sites-found = Results for “{ $query }”
distance = { $km } km
distance-note = Distances are straight lines from the middle of { $district }.
found-none = Nothing was found. Try other words, or choose a region.
found-many = Only the first 20 are shown. Write more of the name.
other-region = Another region
choose-day = Choose a day
no-days = This site has no day that can be booked.
full = full
other-site = Another site
choose-time = Choose a time
time-note = The time that you choose is kept for you for { $minutes }. It is not booked yet.
no-times = No time of this day can be booked.
other-day = Another day
second-at = Second dose: { $day }, { $time }
alternatives = The nearest other times
no-alternatives = There is no other time near. Look at other sites or regions.
steps = Steps to book
step-identity = Confirm who you are
step-site = Site
step-day = Day
step-time = Time
step-check = Check
frozen = Booking is paused.
frozen-next = You can look around, but nothing can be booked now. You keep your turn and a time that you chose.
choice-released = The time is given back. Choose another time.
choice-ended = Your time to confirm ran out, and the time was released. Choose a time again.
choice-past = The time that you chose has already begun. Choose a later time.
choosing-over = The booking period has ended
choosing-over-next = You can’t make a new booking, so sites and times are not shown. The start page says when the next period is.
choosing-over-hold = You can’t choose a new time, but you can still book the time that you chose.
own-region = My region
sites-own = Sites near you ({ $district })
earliest-in = Earliest in { $province }
earliest-day = Earliest day: { $day }, { $seats }
earliest-at = { $day }, { $time }
earliest-note = For each site the first day and time that can be booked, and how many appointments are free that day.
by-district = Choose a district
near-full = All sites near you are full
near-full-next = Look at the earliest days or at another region. What others cancel appears here at once.
found-count = { $n ->
    [one] { $count } site found.
   *[other] { $count } sites found.
}
call = Call
directions = Directions
few = few
few-left = few left
today = today
legend-free = available
legend-count = appointments free
legend-full = no appointment free
legend-closed = no vaccinations
morning = Morning
afternoon = Afternoon
second-same = The second dose is on { $day } at the same time.
same-day = Other times of the same day
to-day = All times of this day

## Confirming
confirm-booking = Check and book
confirm-move = Change to this time?
held-not-booked = This is not booked yet.
held-not-moved = Nothing is changed yet. You keep your booking ({ $at }).
held-in-freeze = The time that you chose is kept for you. You can go on booking when it opens again.
held-until = Finish by { $at }
time-left = { $m } min { $s } s left
hold-ended = The time is no longer kept for you. Choose a time again.
moves-from = Your present booking ({ $at }) is cancelled when you change.
doing-book = Booking…
book-it = Book
move-it = Change it
choose-another = Choose another time
ends-soon = If you need more time, you can extend it once.
more-time = More time
hold-extended = Your time was extended by { $time }.
desk-chart-bookings = Bookings and people let in, a second
desk-chart-waiting = People who wait, and sessions
desk-chart-answers = Answer times, 99 of 100, in milliseconds
desk-chart-line-bookings = bookings
desk-chart-line-admitted = let in
desk-chart-line-waiting = waiting
desk-chart-line-sessions = sessions
desk-chart-minutes = minutes until now
desk-chart-hours = hours until now
desk-chart-nothing = Nothing was counted yet.
desk-chart-until = At { $time }:
desk-chart-told = { $line } { $now }, at most { $most }.
problem-hold-extended = The time can’t be extended any more
    .detail = A hold can be extended once. Book it by its `expires_at`.
    .next = You can ask for more time only once. Please finish in the time that is left.
dose = Dose { $n }
only-dose = Dose
phone = telephone

## The booking
your-booking = Your booking
booked = Your appointment is booked
booking-number = Booking number
booked-for = For
person-born = (born { $year })
in-app = This app can not keep files. Copy the text below, or take a picture of the screen.
share = Keep on this phone
copy = Copy these facts
copied = Copied.
qr-label = QR code of the booking number
to-bring = What to bring
bring = Bring an identity card.
booked-at = First booked on { $at }.
calendar-file = Add to calendar
calendar-note = Booking number { $number }. Bring an identity card. Telephone { $phone }
calendar-cancelled = If you put it into a calendar, this file takes it out again:
    .file = Remove from calendar
print = Print
move-or-cancel = Change or cancel
change-until = It can be changed or cancelled until { $at }.
deadline-was = It could be changed until { $at }.
call-the-site = To change it, call the site above.
move = Change to another time
cancel = Cancel the booking
cancel-ask = Cancel the booking?
cancel-lead = { $doses ->
    [one] It can't be undone.
   *[other] Both doses are cancelled. It can't be undone.
}
cancel-it = Cancel the booking
keep-it = Keep the booking
cancelled = The booking is cancelled
booking-moved = Your booking is changed
cancel-no-more = Your opening is over: if you cancel, you can't book again.
no-booking-over = Your opening is over. You can't book any more.
midnight = { $date }, midnight at its end
born-years = born { $first } to { $last }
slot-held = Somebody else has chosen it. If they do not book, it comes free again. Choose one of the nearest times below or look elsewhere. You keep your turn.
not-for-you-letter = The first page says whom this programme is for. If you have a letter, check the birth date again.
no-booking = You have no booking
no-booking-lead = While your opening lasts, you can book again.

## The proof of a booking
proof = Proof of my booking
proof-lead = This proves that your booking stands in the agency’s record. It stays good, also after you change or cancel the booking.
    .cancelled = This proves that you had this booking, and that it was cancelled and when. Both stand in the agency’s record.
proof-slot = { $when }, { $site }, { $vaccine } (slot { $slot } of the entry)
proof-shows = What it shows
    .entry = The entry of your booking is in the record at its place, exactly as it was written. It names slots by their numbers: what these are is said below, and is in the record too.
    .signed = The agency signed the whole record with this entry in it.
    .later = If the entry were changed or taken out later, this file would prove that.
    .private = It has no name and no telephone number. It has your booking number and the pseudonym under which the record knows you: give it only to people who may see your booking.
proof-check = How to check it
    .keep = Keep the file, print this page, or take a picture of the code.
    .program = An auditor can check it at any time, without the agency and without a network: with Sumun (sumun audit verify), or with any program that reads C2SP tlog-proof.
    .key = To check it, one needs the record’s public key. Compare the key below with the one that the agency publishes or reads out to you on the telephone: this page alone does not show that the key is the agency’s.
proof-key = Public key of the record
proof-made = Booked on { $at }
proof-moved = Changed on { $at }
proof-cancelled = Cancelled on { $at }
proof-file = Save the proof
proof-code = QR code of the proof
proof-not-yet = Your booking is safe. Its newest entry is not in a signed checkpoint yet: in about { $seconds ->
    [one] one second it can be proved.
   *[other] { $seconds } seconds it can be proved.
}
proof-again = Look again

## Where to
privacy = Privacy
terms = Terms of use
accessibility = Accessibility
to-start = To the first page
to-enter = Sign in and book
to-lobby = Sign in to the waiting room
to-window-in = Sign in and see my time
to-wait = To the waiting room
to-sites = Choose a site
to-booking = Look at my booking
try-again = Try again
# Beside it stands the number by which the operators find this request.
reference = Reference number:
again-after = You can try again after { $time }.
put-off-form = Too many people at once: what you sent was not taken. Press “Back” in your browser: what you typed is still there. If the invitation code is empty, type it again. Send it again from there in a moment.

## Refusals: title, what programs are told, what a person does next
problem-invalid-request = The request can't be understood
    .detail = Correct the fields named and send it again.
    .next = Correct the fields shown and send it again.
problem-identity-not-found = No person matches what was entered
    .detail = Compare the name, birth date and invitation code with your letter.
    .next = Compare the name, birth date and invitation code with your letter, one by one. If it still fails, call the number in the letter.
problem-too-many-attempts = Too many attempts
    .detail = Try again after `retry_after_s` seconds.
    .next = There were many changes in a short time, so there is a pause. What you have is kept.
problem-not-eligible = Not among those who may book
    .detail = This programme is for the people named in its rules.
    .next = This programme is for the people named in its rules. If you have a letter, call the number in it.
problem-not-open-yet = Your opening has not come yet
    .detail = Come back at the time shown.
    .next = Come back at the time shown. There is no need to wait here.
problem-opening-closed = Your opening is over
    .detail = If another opening comes, its time is shown.
    .next = If another opening is shown, come back then.
problem-place-invalid = The place can't be verified
    .detail = Enter again: you get the same place.
    .next = Sign in again: you go on with the same number.
problem-place-ended = The opening of this number is over
    .detail = The place belonged to an opening that is over or was taken back. If another opening is named, enter again in it.
    .next = Your number was for an opening that is over. For another opening there is another line: sign in again for it.
problem-session-invalid = Confirm who you are first
    .detail = Enter the waiting room and wait for your turn.
    .next = Sign in to go on.
problem-session-expired = The session ended after a long pause
    .detail = Enter again to go on.
    .next = You were away for a while, so you were signed out. Sign in to go on where you were. A booking is kept.
problem-not-admitted = It is not your turn yet
    .detail = Your place is kept.
    .next = Wait for your turn in the waiting room. Your number is kept.
problem-slot-full = That time is full
    .detail = Choose one of the alternatives nearby.
    .next = Somebody else booked it first. Choose one of the nearest times below or look elsewhere. You keep your turn.
problem-slot-past = That time has begun
    .detail = Choose a slot that begins later.
    .next = That time has begun already. Choose a later one.
problem-already-booked = There is a booking already
    .detail = You can look at it or move it.
    .next = You can look at it, move it or cancel it.
problem-hold-expired = The hold has ended
    .detail = Choose a time again.
    .next = The time is no longer kept for you. Choose a time again.
problem-no-booking = No booking
    .detail = Check the booking number.
    .next = It was cancelled, or there is none yet. You can choose a time.
problem-not-found = Not found
    .detail = Check the address.
    .next = The address is wrong or has changed. Begin again from the first page.
problem-method-not-allowed = This address does not take that method
    .detail = See the Allow header.
    .next = Begin again from the first page.
problem-change-deadline-passed = Too late to change or cancel
    .detail = Please call the vaccination site.
    .next = It can no longer be changed or cancelled here. Call the vaccination site shown in your booking.
problem-idempotency-conflict = The key was used for another request
    .detail = Send it with a new Idempotency-Key.
    .next = It may already have been done. Look at your booking first.
problem-paused = Booking is paused
    .detail = Your place is kept.
    .next = You may leave this page open or close it. Your number is kept, and you go on when it opens again.
problem-overloaded = Too busy right now
    .detail = Try again after the time shown.
    .next = Too many people at once. Nothing is lost. It is tried again in a moment.
problem-outcome-unknown = The outcome is unknown
    .detail = Repeat the request with the same Idempotency-Key.
    .next = It is not known yet whether it was done. Press below to find out. It can never be done twice.
problem-foreign-form = The form came from another site
    .detail = Send it from a page of this site.
    .next = For your safety it was not taken. Begin again from the first page.
problem-foreign-request = The request came from another site
    .detail = Send it from a page of this site, or with the token in Authorization and without cookies.
    .next = For your safety it was not taken. Begin again from the first page.
problem-credentials-wrong = Name, password or code are wrong
    .detail = Check all three; a one-time code is good for half a minute and once.
    .next = Check name, password and code, and try again.
problem-code-wanted = A one-time code is wanted too
    .detail = Send the code that your app shows now, or one of those for a lost phone.
    .next = Enter the code that your app shows now.
problem-code-wrong = The code does not fit
    .detail = Send the code that the app shows now for the secret that was offered.
    .next = Enter the code that your app shows now. If it never fits, set the phone’s clock right.
problem-password-refused = This password is not taken
    .detail = It is too short, too long or too common; `why` says which.
    .next = Take at least 12 characters that are not a common word or sequence: four words together are good.
problem-signed-out = Sign in first
    .detail = There is no session, or it has ended: sign in for a new one.
    .next = Sign in to go on.
problem-key-wrong = The key is not good
    .detail = There is no such key, or it is over or was ended: ask an administrator for another.
    .next = Ask an administrator for another key.
problem-set-up-first = Set your own password and one-time codes first
    .detail = The password that you were given is good for that alone.
    .next = Set your own password and one-time codes.
problem-not-yours = Your role does not do this
    .detail = Ask somebody whose role it is, or an administrator for another role.
    .next = Ask somebody whose role it is.
problem-not-possible = This can’t be done
    .detail = `why` says why and what to do.
    .next = Read why, and change what you asked for.

## The desk
desk = Sumun desk
desk-pages = Pages of the desk
desk-home = Start
desk-help = Help for this page
desk-sign-in = Sign in
desk-sign-out = Sign out
desk-name = Account
    .hint = 2 to 40 of a–z, 0–9, full stop, hyphen and underscore, a letter first.
desk-password = Password
desk-code = One-time code
    .hint = The six digits that your app shows now, or one of your codes for a lost phone. Leave it empty the first time.
desk-set-up = Set up your account
    .lead = The password that you were given is good for this page alone. From now on you sign in with your own password and a code from your phone.
    .do = Set up
desk-own-password = Your own password
desk-new-password = New password
    .hint = At least 12 characters. Four words that do not belong together are good.
desk-again = The same once more
desk-not-the-same = The two passwords differ
    .next = Type the new password twice, and enter a new code.
desk-codes = One-time codes
    .lead = Read this code with an app for one-time codes (such as those of your phone’s maker).
    .qr = QR code with the secret of your one-time codes
    .typed = Or type this into the app:
    .now = The six digits that the app shows now.
desk-lost-phone = For the day on which your phone is lost
    .lead = Each of these codes is good once, in place of a one-time code. Print this page or write them down, and keep them where you keep your keys. They are not shown again.
desk-is-set-up = Your account is set up
desk-go-on = Go on
desk-me = My account
desk-sessions = Sessions
desk-since = Since
desk-from = From
desk-act = What to do
desk-this-one = This one
desk-end = End it
desk-end-all = End all sessions
desk-accounts = Accounts
desk-new-account = New account
desk-role = Role
desk-where = Only for
    .hint = Leave empty what does not bound the account. Write several with a space between them.
desk-campaigns = Campaigns
desk-provinces = Provinces (codes)
desk-sites = Sites (codes)
desk-state = State
desk-ended = ended
desk-not-set-up = not set up yet
desk-ready = in use
desk-signed-in = Signed in last
desk-may-sign-in = May sign in
desk-make = Make the account
desk-change = Change
desk-reset = New first password
    .lead = For somebody who has lost the password or the phone. Their sessions end, and they set up the account anew.
desk-first-password = First password
    .lead = It is shown once. Give it to the account’s owner in person: whoever has it can set the account up.
desk-record = Who did what
desk-day = Day
    .fault = This day can’t be shown: write it as 2021-07-19.
desk-account = Account
desk-show = Show
desk-no-acts = Nobody behind the desk or at the command line did anything on this day.
desk-entry = Entry
desk-at = At
desk-did = What
desk-more-acts = There were more acts on this day: name an account, or use sumun audit export.
desk-reason = Reason
did-campaign = The rules of { $campaign } came into force, version { $version }.
did-agency = The agency’s texts for { $campaign } came into force, version { $version }.
did-sites = { $n ->
    [one] One site of { $campaign } was added or changed.
   *[other] { $n } sites of { $campaign } were added or changed.
}
did-slots = { $n ->
    [one] One slot of { $campaign } was added or changed.
   *[other] { $n } slots of { $campaign } were added or changed.
}
did-closed = { $n ->
    [one] Closed one slot: { $where }.
   *[other] Closed { $n } slots: { $where }.
}
did-reopened = { $n ->
    [one] Opened one closed slot again: { $where }.
   *[other] Opened { $n } closed slots again: { $where }.
}
did-relocation = Began to give people other seats. They read: “{ $why }”
did-offered-one = Offered somebody other seats: { $to }.
did-offered = Offered { $n } people other seats.
did-moved-one = Moved a booking from { $from } to { $to }.
did-moved = Moved { $n } bookings.
did-roster = Roster { $version } came into force: { $people } people, { $added } new, { $changed } changed, { $gone } gone.
did-rekeyed = { $n ->
    [one] One person has a new code.
   *[other] { $n } people have new codes.
}
did-erased = Erased a person’s name and telephone number.
did-emptied = Erased the names and telephone numbers that were due.
did-sealed = Names and telephone numbers were sealed anew.
did-look-shown = { $n ->
    [one] Looked at what is kept of one person.
   *[other] Looked at what is kept of { $n } people.
}
did-look-erased = { $n ->
    [one] Looked at one person to erase them.
   *[other] Looked at { $n } people to erase them.
}
did-look-reviewed = Reviewed the looks on record.
did-look-compared = Compared a roster file with the roster.
did-look-stored = Stored { $n ->
    [one] one erased name
   *[other] { $n } erased names
} again, by an import.
did-look-telephoned = { $n ->
    [one] Looked at one person’s name and number, to call them.
   *[other] Looked at the names and numbers of { $n } people, to call them.
}
did-token-key = The key of places and sessions was replaced.
did-personal-keys = The keys of names and telephone numbers were replaced.
did-head-key = The key that signs the record was replaced.
did-account = Account { $name } was made or changed: { $role }.
did-account-ended = Account { $name } was ended.
did-own-password = { $name } set their own password.
did-first-password = { $name } got a first password.
did-signed-in = { $name } signed in from { $origin }.
did-signed-out = { $name } signed out.
did-revoked = All sessions of { $name } were ended.
did-proposed = Proposed number { $number }: { $what }. { $people ->
    [0] Nobody loses anything by it.
    [one] One person loses something by it.
   *[other] { $people } people lose something by it.
}
did-approved = Approved proposal { $number }.
did-declined = Declined proposal { $number }.
did-withdrawn = Took proposal { $number } back.
did-called-off = Called off proposal { $number } before it was done.
did-seen = Proposal { $number } was approved for what it did at that time.
did-seen-named = Proposal { $number } was approved for what the approver had seen.
did-provider-account = Account { $name } of the agency’s provider was made: { $role }.
did-scheduled = Proposal { $number } is to be done at { $at }.
did-ended = Proposal { $number } was done: { $what }
did-failed = Proposal { $number } was not done: { $what }
did-key = Made the key { $name }, good until { $until }.
did-key-ended = Ended the key { $name }.
did-asked-set = Asked a second account to confirm the account { $name }.
did-asked-reset = Asked a second account to confirm a new first password for { $name }.
did-confirmed = Confirmed act { $number } on an account.
did-dropped = Dropped act { $number } on an account.
did-draw-value = Gave the draw the public value “{ $value }” from { $source }.
role-administrator = Administrator
role-operator = Operator
role-approver = Approver
role-site = Site
role-agent = Agent
role-auditor = Auditor
role-reporter = Reporter
does-administrator = You make accounts, say what each may do and where, and end them. You run no campaign.
does-operator = You run the campaign and the evening, and propose what needs a second pair of eyes.
does-approver = You read what others propose, and approve or decline it. You can propose too, but not approve your own.
does-site = You keep the day of your sites.
does-agent = You help people on the telephone.
does-auditor = You read everything, and change nothing.
does-reporter = You see numbers, and nobody’s name.
desk-help-home = This page says what your role does. The links at the top lead to its pages.
desk-help-sign-in =
    Sign in with the account that your administrator made for you.
    The first time there is no code yet: leave it empty. You then set a password and one-time codes of your own.
    If your phone is lost, use one of the codes that you kept. If those are lost too, ask your administrator for a new first password.
desk-help-set-up =
    You need an app that makes one-time codes. It needs no network.
    If no code ever fits, the clock of the phone is wrong: let it set itself.
desk-help-me =
    A session ends half an hour after its last use, and after twelve hours.
    End a session that you do not know, and tell your administrator.
desk-help-accounts =
    An account is one person: two people with one account are one pair of eyes, and the record can’t tell them apart.
    Names are never used again. End an account when its owner leaves: what it did stays on record.
    A new first password is good for one thing: to set the account up.
desk-help-record =
    What people behind the desk and at the command line did, from the journal itself. Nobody can change it.
    What was looked at of whose personal data is in the monthly review: sumun audit access.
problem-takes-two = This takes a second account
    .detail = Ask for it with POST /api/desk/v1/account-acts and a reason; another administrator or an approver confirms it.
    .next = Type a reason and press again. Another administrator or an approver then confirms it.
problem-same-eyes = Another account has to approve this
    .detail = Whoever proposed it can’t approve it, also in another session or under another name.
    .next = Ask another approver.
problem-type-the-number = Type how many people lose something by it
    .detail = `people` says how many; send that number as `typed`.
    .next = Read what it would do, and type how many people lose a right or a booking by it.
problem-effect-changed = It would do something else now
    .detail = `people_then` lost something by it when it was proposed, `people_now` do now: decline it and propose it again.
    .next = Other people lose something by it than when it was proposed. Decline it, and have it proposed again.
problem-faults-found = The text has faults
    .detail = `faults` names them by line; nothing was proposed.
    .next = Mend the faults below and propose it again.

## Acts on accounts that take two
desk-asked = Waiting for a second account
no-asked = Nothing waits.
asked-wait = { $acts } wait for a second account
asked-to-be = To be
asked-by = Asked for by
asked-until = Until
asked-confirm = Confirm
asked-drop = Take back or decline
asked-reason = Reason, if it takes a second account
    .hint = Accounts that approve or confirm are made, changed, let in again or given a new first password by two: with a reason you ask for it, and another account confirms it.
half = Half of a first password
    .first = First half of the password
    .second = Second half of the password
    .lead = It is shown once. Give it to the account’s owner in person. The password is the first half, a hyphen and the second half; the other account gives the other half.
desk-help-asked =
    An administrator alone can’t make, change or let in again an account that approves or confirms, nor give it a new first password: another administrator or an approver confirms it within seven days.
    Who comes to approve or confirm by it gets a new first password. You are told half of it and the other account the rest; give your half to the owner in person.
    Whoever it is about can’t confirm it, and if the account is changed meanwhile, it has to be asked for again.

## Sign-in at the agency's own provider
oidc-sign-in = Sign in with the agency’s account
oidc-or-here = Or with an account of this desk
oidc-again = Try again
oidc-in = You are signed in
oidc-local = Accounts of this desk go on working: whoever has one signs in here with its password and code.
oidc-off = There is no sign-in with the agency’s account here
    .next = It is not switched on for this desk.
oidc-not-begun = This sign-in can’t be used
    .next = It was used already, is older than ten minutes, or began in another browser. Begin it again in this one.
oidc-declined = The agency’s sign-in did not sign you in
    .next = Try it again. If it refuses you, ask whoever manages the agency’s accounts.
oidc-away = The agency’s sign-in does not answer
    .next = Try it again in a minute. If it lasts, tell whoever runs this server: its log says why.
oidc-refused = What the agency’s sign-in sent is not taken
    .next = Begin it again. If it lasts, tell whoever runs this server: its log says why.
oidc-no-role = You have no role at this desk
    .next = The agency’s account is right, but no role of this desk goes with it. Ask whoever manages the agency’s accounts for one.
oidc-stronger = Your role takes a stronger sign-in
    .next = Sign in at the agency’s with a second factor. If you were not asked for one, tell whoever manages the agency’s accounts.
oidc-ended = Your account was ended at this desk
    .next = Ask an administrator of the desk to let it in again.
oidc-waits = Your account waits for a second account
oidc-waits-role = The agency gives you the role { $role }. An administrator or approver with an account of this desk has to confirm it under “Waiting for a second account”, within seven days. Then sign in again.
oidc-help = With the agency’s account you sign in at the agency’s own page and come back here. What you may do comes from there with each sign-in; another password or phone you get there too.
desk-waits = waits for a second account
desk-of-provider = The agency’s provider
    .lead = It signs in at the agency’s own provider, and has no password or codes here. Its role comes from there with each sign-in, in place of what is set here. End it here, and it can’t sign in any more.

## Keys of programs
desk-keys = Keys of programs
no-keys = There are no keys.
scope-board = the evening’s board
scope-proposals = proposals, and what one would do
scope-accounts = accounts
scope-record = who did what
scope-sites = sites, their slots and seats
key-new = New key
key-name = Key
key-scopes = May read
key-campaigns = Only of these campaigns
    .hint = Leave it empty for all. Accounts and the record can’t be bound so.
key-last-day = Last day
    .hint = The key is good through this day, which is within 400 days.
key-until = Good until
key-used = Used last
key-made = Made by
key-over = over
key-make = Make the key
key-secret = Secret of the key
    .lead = It is shown once, and kept nowhere. The program sends it as “Authorization: Bearer …”. Whoever has it reads what the key may read: keep it as you keep a password.
desk-help-keys =
    A key lets a program of your own read through the interface of the desk. It changes, proposes and approves nothing: that is always a person’s.
    Make one key for each program, with no more than it needs. If a secret may be lost, end the key here: it is good for nothing from that moment.
    “Used last” counts from the last start of the server.

## Proposals at the desk
desk-proposals = Proposals
desk-propose = Propose something
no-proposals = Nothing is proposed.
proposal = Proposal
proposal-number = No.
proposal-by = Proposed by
proposal-reason = Reason
proposal-decided-by = Decided by
proposal-open = waits for approval
proposal-approved = approved, to be done
proposal-declined = declined
proposal-withdrawn = withdrawn
proposal-done = done
proposal-failed = approved, but not done
kind-campaign = Campaign file
kind-agency = The agency’s texts
kind-sites = Sites
kind-slots = Slots
kind-gate = Act at the gate
propose-campaign = Campaign
    .hint = Not needed for a campaign file, which names its own.
propose-text = Text
    .hint = The whole file: a campaign or agency file, or a CSV of sites or slots in UTF-8.
propose-file = Take the text from a file
propose-look = Show what it would do
propose-do = Propose it
effect = What it would do
effect-takes = { $people } people lose a right that they have, or the seat that they booked.
effect-takes-none = Nobody loses a right that they have.
effect-rows = { $rows } rows are added or changed.
effect-people = Of everybody on the roster
effect-at = At
effect-may = May book then
effect-gain = From no to yes
effect-lose = From yes to no
effect-waiting = People who wait
effect-wait = { $people } wait.
effect-changes = What changes in the file
effect-field = Field
effect-old = Now
effect-new = Then
line-gone = The opening is not planned any more: their places are worth nothing.
line-lobby-closes = The lobby closes; places are kept until { $at }.
line-closes = It is open and becomes a lobby until { $at }.
line-opens-now = The lobby opens at once.
line-ends = It ends at once: only whoever was called may finish.
line-moved = It begins at { $at }; places are kept.
line-until = It ends at { $at }.
line-not-theirs = For { $people } of them it is not any more.
line-order-kept = This line keeps the order that it began with.
line-windows-moved = The windows of { $people } people are planned anew.
line-windows-gone = { $people } people with a window may come at once.
decide = Decide
decide-typed = How many people lose something by it?
    .hint = Type the number that stands above.
decide-reason = Why
due-includes = It is done at its instant, with everybody who is booked there by then: people who book until then are included.
decide-approve = Approve and do it now
decide-decline = Decline
decide-withdraw = Withdraw
decide-own = You proposed this: another account has to approve it.
desk-help-proposals =
    What takes a second pair of eyes is proposed by one account and approved by another: campaign files, the agency’s texts, sites and slots.
    First you see what it would do to how many people. Only then is it proposed.
    To go back to a version before, choose it at the foot of the page of a new proposal.
desk-help-proposal =
    What it would do is worked out now, over the whole roster, and once more when it is approved.
    If people lose a right that they have, the approver types how many. If that number has changed since it was proposed, it has to be proposed again.
    An approved proposal is in force when this page says so.

## The evening's board
desk-board = The evening
board-as-of = As of
board-lost = The connection is lost; the figures are old.
board-waiting = Waiting
board-sessions = In session
board-admitted = Let in a second
board-bookings-s = Bookings a second
board-bookings = Bookings
board-rate = Let in a second, in force / set
board-active = In session at the most
board-openings = Openings
board-opening = Opening
board-given = Numbers given
board-serving = Called up to
board-came = Came in
board-charts = The last ten minutes
board-charts-hours = The last twelve hours
board-as-table = The charts as a table
board-server = The server
board-queue = Commands that wait
board-commit = Commits, p99
board-settle = Settling, p99
board-connections = Connections
board-clock = Step of the clock
board-certificate = Certificate
board-disk = Free disk
board-copy = Last copy
board-drill = Last restore drill
days = { $days } days
ago = { $s } s ago
never = never
board-answers = Answer times
board-class = Class
board-per-s = A second
board-refusals = Refusals
board-code = Code
board-minute = Last minute
board-all = In all
board-seats = Seats left by province and vaccine
board-vaccine = Vaccine
board-left = Left
board-capacity = Of
board-acts = Act
board-act = What to do
gate-before = not open yet
gate-lobby = lobby
gate-open = open
gate-paused = paused
gate-finishing = finishing
gate-closed = closed
own-brakes = It lets in fewer than is set
own-lets-go = Its rate grows back
own-full = It calls nobody until somebody leaves
own-puts-off = Requests are told to come back
own-refuses = Bookings are refused
own-stands-still = Time stands still
board-draining = Before the restart, { $people } people are still in session.
board-drained = Nobody is in session any more: the server can be restarted.
act-pause = Pause the line
act-drain = Pause the line until the server was restarted
act-resume = Go on
act-rate = People let in a second
act-active = People in session at the most
act-message = Message for everybody
act-text = What people are told
    .hint = With either pause its reason, with a message the message. An empty message takes the one before away.
act-en = The same in English
act-number = Number
    .hint = With people let in a second, and with people in session.
act-number-wrong = The number can’t be read
    .next = Write a whole number, as 280.
act-freeze = Sessions stand still too
act-reason = Why
    .hint = For the record; people are not told. Not needed for a pause.
act-look = Show what it would do
act-do = Do it now
act-line-stops = { $people } people who wait stand still.
act-until-restart = { $people } people who wait move on by themselves when the server was restarted.
act-line-goes-on = { $people } people who wait move on.
act-line-faster = { $people } people wait less.
act-line-slower = { $people } people wait longer.
act-sessions-go-on = { $people } people in session go on.
act-sessions-frozen = { $people } people in session stand still, and lose no time.
act-sessions-thawed = { $people } people in session go on where they stood.
act-nobody-until = Nobody is called until { $people } people have left.
act-more = { $people } more people may be in session.
act-fewer = { $people } fewer people may be in session.
act-told = { $people } people are told.
act-untold = { $people } people are told no more.
act-nothing = It changes nothing.
desk-help-board =
    The figures are a second old at the most. What the server does by itself, and why, stands with its campaign.
    An act is first shown with what it does to how many people, and is in force when this page says so.
    One account alone can pause the line at any time; everything is on record with the account.

## Sites, slots and people who get other seats
desk-site-list = Sites
site-query = Name, address or code
site-province = Province
site-every-province = All provinces
site-name = Site
site-code = Code
site-region = Region
site-seats = Seats
site-free = Free
site-booked = Booked
site-slots = Slots
site-closed = Closed
site-before = Page before
site-behind = Next page
site-days = Days from today on
site-no-days = This site has no slots from today on.
site-no-slots = This site has no slots on this day.
site-list-told = { $sites } sites, with { $seats } seats for the public from now on, { $free } of them free.
slot-past = has begun
slot-closed = Closed to everybody new
slot-used = { $used } of { $seats } taken
slot-change = Change seats or end
    .hint = More seats, or another end, are there at once. Fewer seats are proposed, and another account approves it.
slot-end = End
slot-stop = Close this slot now
    .hint = Nobody new comes in from this moment. Whoever is booked stays booked: propose a closure with a plan for them, or call them.
day-stop = Close the whole day now
slot-changed = Changed.
slot-stopped = Closed to everybody new. The people who are booked are listed under “Other seats”.
weekday-1 = Mon
weekday-2 = Tue
weekday-3 = Wed
weekday-4 = Thu
weekday-5 = Fri
weekday-6 = Sat
weekday-7 = Sun
pool-public = Public
pool-assisted = Assisted
pool-partner = Partner
pool-walk-in = Walk-in
pool-later = Opened later
act-close = Close slots, with a plan for their people
act-reopen = Open closed slots again
act-hours = Make slots from opening hours
act-retime = Correct when slots begin
act-minutes = Minutes later
act-minutes-hint = 30 for half an hour later, -30 for half an hour earlier.
act-split = Open a stock in equal parts
act-interval = Other days between two doses
act-sites = Sites
act-sites-hint = Codes, with commas between them. Empty: every site of the campaign.
act-from = First day
act-until = Last day
act-time-from = From this time of the day
act-time-until = Before this time of the day
act-vaccine = Vaccine
act-every-vaccine = Every vaccine
act-asking = What becomes of the people who are booked
asking-offered = Hold the nearest seats for them, and ask
asking-moved = Move them at once
asking-telephoned = Call them
act-prefer = Which seats are nearest
prefer-same-site = Another day at the same site
prefer-same-day = The same day at another site
act-answer-until = They can answer until
act-unanswered = Whoever does not answer by then
unanswered-telephoned = loses the offer and is called
unanswered-moved = is moved to it
act-reason-ko = Why, as the people are told (Korean)
act-reason-hint = It stands on their booking page. It must name nobody.
act-reason-en = The same in English
act-weekdays = Days of the week
act-except = Except on
act-except-hint = Dates as 2021-08-16, with commas between them.
act-spans = Hours
act-spans-hint = As 09:00-12:00, 13:00-17:30.
act-every-min = Minutes of a slot
act-at = The parts open at
act-at-hint = One instant a line, as 2021-08-09T20:00, in the campaign’s time zone.
act-rollover = Seats that nobody took
rollover-next = stay open beside the next part
rollover-last = come back with the last part
act-days = Days between the two doses
act-days-hint = Second doses that are more than three days ahead move to that day, or the next free one.
propose-due = To be done at
    .hint = In the campaign’s time zone, once it is approved. Empty: at once.
propose-again = Versions that were in force before
proposal-steps = Parts that are open
proposal-about = About
call-off = Call it off
moves-slots = Slots closed
moves-holds = Held seats that end
moves-people = People who are booked there
moves-found = Other seats found for
moves-other-sites = Doses at another site
moves-other-days = Doses on another day
moves-without = None found for
moves-examples = Who moves where
moves-number = Booking
desk-relocations = Other seats
relocations-none = Nobody was given other seats in this campaign.
relocation-closure = Closure
relocation-interval = Other days between two doses
relocation-moved = Moved
relocation-offered = Asked, without an answer
relocation-left = Without other seats
relocation-again = Look for seats again
    .hint = Seats may have become free since.
relocation-call = Whom to call
relocation-call-none = Nobody: everybody who was booked has other seats or has cancelled.
call-name = Name
call-phone = Telephone
call-offered = Offered
call-reason = Why do you need the names?
    .hint = It stands on record for ever that you saw them, and why. Name nobody here.
call-show = Show names and telephone numbers
desk-help-sites =
    Seats are those that people can book for themselves from now on.
    Open a site to see its days, every pool of its slots, and to change or close them.
desk-help-site =
    A day shows all seats of all pools, and how many are booked.
    Closing takes nothing from anybody: whoever is booked stays so until they have other seats. That is why one account can do it.
    Fewer seats than are booked are refused, with the numbers of the bookings.
desk-help-relocations = Closures, and other days between two doses: how many people were moved, have been asked, and are left.
desk-help-relocation =
    People who were asked see the offer on their booking page, with the reason, and can take it, choose other seats, or cancel.
    Everybody who is still booked in a closed slot is on the list, the ones with an offer too.
desk-help-close =
    Other seats are looked for in the order in which people booked: both doses, within two weeks and fifty kilometres, in the same pool. A dose that is not concerned stays where it is.
    You see for how many they were found before you propose it.
    Nobody is sent to a seat that begins before the time to answer is over.
desk-help-reopen = Slots that were closed take people again. Whoever was moved stays where they are.
desk-help-hours = The pattern makes a file of slots, which is proposed like any other. Slots that are there already get these seats.
desk-help-retime =
    The slots are closed and made anew at the other time, with the same seats. Whoever is booked moves with them at once and reads why.
    Correct the days of second doses in the same way: a first dose needs a second one at its own time to be booked.
desk-help-split =
    When it is approved, seats that nobody has are taken back. Then an equal part opens at each instant, in every slot.
    Seats that do not divide fall on different parts for each slot.
desk-help-interval = The campaign’s file gets this interval, and is proposed. Slots must be there on the new days: you see who would find no seat.

## What the agency did to a booking
agency-closed = Your appointment can’t take place as booked
agency-offer = Other seats are kept for you until { $until }.
agency-offer-final = If you do not answer, your booking moves to them.
agency-offer-ends = If you do not answer, we will call you.
agency-kept = We keep a seat for you on { $at }.
agency-other = You can look at other times meanwhile: they stay kept until you confirm another time.
agency-take = Look at these seats
agency-no-offer = Please choose another time below, or wait for our call.
agency-moved = We moved your appointment on { $at }
agency-before = Before, it was:
agency-interval = The time between two doses is now { $days } days, not { $before }.
proof-relocated = Moved by the agency at { $at }

## Rosters, keys and logos that take two
proposal-called-off = called off
proposal-seen = Approved for the effect
kind-roster = Roster
kind-keys = Keys
kind-agency-logo = The agency’s texts with a logo
kind-agency-again = The agency’s texts as they were before
propose-more = With a file, or without a text
roster-file = Roster file
    .hint = CSV or .xlsx, as for the import. It is sealed while it arrives, and erased once the proposal is over.
roster-encoding = How it is written
    .auto = As it says itself, or UTF-8
roster-country = Country of telephone numbers that do not say theirs
roster-sealed = SHA-256 of the sealed file
roster-sent = SHA-256 of the file as it was sent
roster-people = People
roster-added = New
roster-changed = Changed
roster-gone = Not in it any more
roster-lose = Stay, and lose a right
roster-booked = Of those who are gone or lose a right: booked, and stay so
roster-waiting = Of the same: have a place in a line
roster-name = Another name
roster-phone = Another telephone number
roster-birth-date = Another birth date
roster-region = Another region
roster-groups = Other groups
roster-groups-moved = Moved between groups
roster-new-code = Known under another code before
roster-same-person = Rows that look like one person under two codes
roster-same-lines = Lines that are alike
roster-undecided = Lines of people who may be known under another code
roster-erased-back = Names that were erased and come back
keys-which = Which keys
keys-tokens = Places and sessions: a new key, everybody goes on
keys-tokens-revoked = Places and sessions: a new key, everybody signs in again
keys-heads = The key that signs the record
keys-names = The keys of names and telephone numbers
keys-names-forgotten = Remove keys of names that are not in force
logo-file = Logo
    .hint = An SVG of up to 16 KiB or a PNG of up to 24 KiB. The text names it: logo = "logo.svg" in [agency].
    .kept = The file that you sent is kept; choose another one to replace it.
desk-help-roster =
    A roster is proposed by one account and put into force by another. First you see in numbers who is new, changed, gone or moved, and who may book when.
    People who are not in the file any more book nothing new and keep what they have booked. The approver types how many people are gone or lose a right.
    Names and birth dates are never in the record: the file lies sealed on this server until it is decided, and is erased then. A restored server does not have it.
desk-help-key-changes =
    Keys are replaced while people are served, by two accounts.
    The keys of invitation codes and booking numbers can’t be replaced. Where the service manager hands the secrets over, the keys of the record and of names are replaced with the server stopped, by the command line.
desk-help-logo =
    The text and the logo’s file are proposed together. The picture is made anew from the file, so that it carries nothing else.
    The approver sees the picture on the page of the proposal.
