# 사람이 읽는 모든 말. en.ftl에 같은 열쇠가 있어야 한다.

## 어디에나
program = 예방접종 사전예약
skip = 본문으로 건너뛰기
error = 오류
all-times = 모든 시각은 { $zone }입니다.
made-at = { $at } 기준
network-lost = 연결이 끊겼습니다. 연결되면 자동으로 다시 시도합니다.
network-busy = 접속이 많습니다. 잠시 뒤 자동으로 다시 보냅니다. 이 화면을 그대로 두세요.
network-back = 다시 연결되었습니다.
sending = 보내는 중입니다. 잠시만 기다려 주세요.
network-kept = 입력하신 내용은 그대로 있습니다.
field-missing = 필수 항목입니다.
language = 한국어
direction = ltr
agency-call = 전화 { $phone }
zone = { $key ->
    [Asia-Seoul] 한국 시각
   *[other] { $name } 시각
}
instant = { $year }년 { $month }월 { $date }일 { $weekday } { $time }
date = { $year }년 { $month }월 { $date }일 { $weekday }
date-short = { $month }월 { $date }일({ $weekdayshort })
date-born = { $year }년 { $month }월 { $date }일
month = { $year }년 { $month }월
month-name = { $month }월
weekday = { $day ->
    [0] 일요일
    [1] 월요일
    [2] 화요일
    [3] 수요일
    [4] 목요일
    [5] 금요일
   *[6] 토요일
}
weekday-short = { $day ->
    [0] 일
    [1] 월
    [2] 화
    [3] 수
    [4] 목
    [5] 금
   *[6] 토
}
minutes = { $n }분
hours = { $h }시간 { $m }분
seats = { $count }명 가능
seats-none = 마감

## 처음 화면
campaigns = 진행 중인 예방접종
campaigns-none = 지금 진행 중인 예약이 없습니다.
state-paused = 예약이 잠시 중단되었습니다
state-closed = 예약 기간이 끝났습니다
look-up = 예약 확인 · 변경 · 취소
find-your-day = 언제 예약할 수 있는지 확인
see-my-day = 확인하기
openings = 대상별 예약 일정
openings-none = 예정된 예약 기간이 없습니다.
open-now = 예약 가능
open-paused = 잠시 중단
lobby-open = 대기실 열림
windows-shown = 예약 시간 확인 가능
for-whom = 대상
period = 예약 기간
opening-over = 마감
starts-at = { $at } 시작
ends-at = { $at }까지
today-at = 오늘 { $time }
tomorrow-at = 내일 { $time }
day-at = { $month }월 { $date }일({ $weekdayshort }) { $time }
born-year = { $year }년생
who-year = { $year }년생은 { "" }
who-date = { $date }생은 { "" }
have-booked = 이미 예약하셨나요?
this-device = 이 기기에서 하던 일
known-booking = 예약이 있습니다.
known-hold = 선택하신 시간을 맡아 두고 있습니다. 아직 예약되지 않았습니다.
known-move = 예약이 있습니다. 변경할 시간도 맡아 두고 있습니다. 아직 변경되지 않았습니다.
known-session = 예약할 차례입니다. 이어서 시간을 선택할 수 있습니다.
known-window = 예약하실 시간: { $at }
known-number = 대기 번호 { $number }번으로 기다리고 있습니다.
to-confirm = 이어서 예약하기
to-window = 내 예약 시간 보기
opens-next = 예정
whom-born = { $first } ~ { $last } 출생
whom-groups = { " " }(대상: { $groups })
whom-groups-alone = 대상: { $groups }
whom-digits = { " " }(태어난 날의 끝자리 { $digits })
good-to-know = 알아 두세요
know-place = 시작 시각에 한꺼번에 몰려도 순서는 공정합니다. 한 사람당 번호는 하나이며, 새로 고침을 해도 바뀌지 않습니다.
know-device = 대기 중에 화면을 닫거나 다른 기기에서 들어와도 번호는 그대로입니다.
know-change = 예약은 접종일 { $days }일 전 밤 12시까지 변경하거나 취소할 수 있습니다.
another-date = 다른 생년월일로 보기
ask-again = 생년월일 다시 입력하기
asked-of = 입력하신 생년월일: { $born }
birth-date-unclear = 생년월일을 다시 확인해 주세요
birth-date-how = 연도 네 자리부터 숫자 여덟 자리로 입력해 주세요. 1967년 3월 4일이면 19670304입니다.
birth-date-short-year = 연도를 네 자리로 입력해 주세요. 예: { $example }
birth-date-year-first = 연도, 월, 일 순서로 입력해 주세요. 예: { $example }
birth-date-no-day = 달력에 없는 날짜입니다. 다시 확인해 주세요.
groups-may-differ = 다음 대상에 해당하시면 본인 확인을 해 주세요. 예약 기간이 다를 수 있습니다. ({ $groups })

## 언제
your-opening-is = { $who }{ $at }에 예약이 시작됩니다
your-opening-ended = 지난 예약 기간은 { $at }에 끝났습니다.
your-opening-is-over = { $who }예약 기간이 끝났습니다
your-opening-is-not-set = { $who }예약 일정이 아직 정해지지 않았습니다
may-be-for-you = 이번 예약 대상일 수 있습니다
may-be-for-you-groups = 생년월일만으로는 알 수 없습니다. 대상: { $groups }. 본인 확인을 하면 예약 기간을 볼 수 있습니다.
not-for-you = { $who }이번 예약 대상이 아닙니다
not-for-you-next = 이번 대상은 { $whom }입니다. 안내문을 받으셨다면 생년월일을 다시 확인해 주세요.
you-may-book-now = { $who }지금 예약할 수 있습니다
you-may-book-paused = { $who }예약 기간입니다. 지금은 예약이 잠시 중단되었습니다
you-may-book-windows = { $who }예약 기간입니다
you-may-enter-until = 새로 입장하는 것은 { $at }까지입니다.
you-may-book-until = { $at }까지 예약할 수 있습니다.
lobby-is-open = 대기실이 열려 있습니다. 지금 들어오면 번호를 받고, 시작 시각부터 순서대로 입장합니다.
lobby-is-drawn = 대기실이 열려 있습니다. 시작 시각까지 들어오시면 추첨으로 순서를 정합니다.
lobby-opens-at = 대기실은 { $at }에 열립니다. 그 전에는 기다리지 않으셔도 됩니다.

## 본인 확인
who-are-you = 본인 확인
who-lead = 안내문에 적힌 그대로 입력해 주세요.
who-privacy = 입력한 정보는 본인 확인에만 사용합니다.
name = 이름
    .hint = 예:
name-missing = 이름을 입력해 주세요.
name-too-long = 이름이 너무 깁니다.
birth-date = 생년월일
    .hint = 숫자 여덟 자리. 예: 19670304
birth-date-missing = 생년월일을 입력해 주세요.
code = 초대 코드
    .hint = 안내문의 열 글자. 띄어쓰기나 대소문자는 상관없습니다.
code-missing = 초대 코드를 입력해 주세요.
code-how = 초대 코드는 안내문에 적힌 영문자와 숫자 열 글자입니다. 안내문과 하나씩 비교해 주세요.
code-too-long = 초대 코드가 너무 깁니다.
code-length = 초대 코드는 영문자와 숫자 열 글자입니다. 빠지거나 더 들어간 글자가 없는지 안내문과 비교해 주세요.
code-character = 초대 코드에 쓰이지 않는 글자가 있습니다. 안내문과 비교해 주세요.
code-mistyped = 초대 코드에 잘못 입력된 글자가 있습니다. 안내문과 하나씩 비교해 주세요.
fields-at-fault = 입력한 내용을 확인해 주세요
wrong-again = 안내문에 적힌 이름, 생년월일, 초대 코드와 하나씩 비교해 주세요. 모두 맞게 입력하시면 바로 들어갑니다. 맞게 입력하셨는데도 안 되면 안내문의 전화번호로 문의해 주세요. 이 인터넷 연결에서 잘못된 입력이 많아, 앞으로 { $time } 동안은 잘못된 입력에 천천히 답합니다.
    .detail = 입력한 정보가 맞지 않으며, 이 연결에서 잘못된 입력이 많았습니다. 맞는 정보는 바로 들어갑니다. `retry_after_s`초가 지날 때까지 잘못된 입력에는 늦게 답합니다.
has-place = 이 기기에 대기 번호나 예약이 남아 있습니다.
enter = 확인하고 계속
doing-enter = 확인하는 중…
consent-read = 개인정보 수집·이용 안내 보기
consent-given = (필수) 개인정보 수집·이용에 동의합니다.
consent-missing = 동의하셔야 예약할 수 있습니다.
consent-changed = 안내 내용이 바뀌었습니다. 다시 읽고 동의해 주세요.
code-forgotten = 초대 코드를 모르시나요?
leave = 로그아웃 (번호와 예약은 유지됩니다)

## 대기실
wait-lobby = 대기실에 들어왔습니다
wait-lobby-lead = 아직 예약이 시작되지 않았습니다.
wait-drawn = 시작 시각에 추첨으로 순서를 정합니다. 먼저 오신 순서와는 관계가 없습니다.
draw-number = 추첨 번호
wait-drawn-close = 화면을 닫아도 추첨에 그대로 참여합니다.
opens-at = { $at }에 시작합니다.
wait-window = 예약하실 시간이 정해졌습니다
wait-window-lead = 이 시간에 오시면 바로 들어갈 수 있습니다. 서두르지 않으셔도 됩니다.
wait-window-after = 이 시간이 지나도 { $at }까지 언제든지 들어갈 수 있습니다. 그 전에는 들어갈 수 없습니다.
wait-window-moves = 아직 시작되지 않은 시간은 운영 사정에 따라 바뀔 수 있습니다. 바뀌면 이 화면에 나옵니다.
wait-window-close = 화면을 닫아도 괜찮습니다. 다시 본인 확인을 하면 같은 시간이 나옵니다.
window-note = 이 시간부터 예약 화면에 바로 들어갈 수 있습니다. 이 시간이 지나도 예약 기간이 끝날 때까지 들어갈 수 있습니다.
window-event = { $name }: 예약하실 시간
span = { $from }~{ $until }
windows-are-shown = 지금 본인 확인을 하고 예약하실 시간을 볼 수 있습니다.
windows-shown-at = { $at }부터 본인의 예약 시간을 볼 수 있습니다. 서두르실 필요가 없습니다.
wait-waiting = 차례를 기다리고 있습니다
wait-paused = 예약이 잠시 중단되었습니다
wait-paused-lead = 다시 시작하면 멈춘 순서에서 이어집니다. 번호는 그대로입니다.
wait-admitted = 차례가 되었습니다
wait-admitted-lead = 아래 버튼을 누르면 예약을 시작합니다.
wait-deadline = { $at }까지 입장해 주세요.
wait-deadline-after = 시간이 지나면 차례가 다음 분에게 넘어갑니다. 그 뒤에 오셔도 입장할 수 있게 되는 대로 먼저 입장하십니다.
wait-entering = { $s }초 뒤 자동으로 입장합니다.
wait-next = · 다음 확인 { $s }초 뒤
wait-looking = · 확인하는 중…
wishes = 차례가 되면
wish-by-itself = 자동으로 입장하기
wish-sound = 소리로 알리기
wish-vibration = 진동으로 알리기
go-in = 예약 시작하기
your-number = 내 번호
people-ahead = 앞에 있는 사람
people-count = { $count }명
wait-about = 예상 대기
wait-one = 약 { $n }분
wait-you-are-next = 다음 차례입니다
wait-minutes = { $low }~{ $high }분
wait-long = { $low } ~ { $high }
the-line = 대기 진행률
as-of = { $at } 기준
because-busy = 접속이 많아 입장이 늦어지고 있습니다.
because-full = 지금 예약하고 있는 사람이 많아 순서대로 입장합니다.
because-lowered = 안정적인 운영을 위해 입장 속도를 조절하고 있습니다.
because-shared = 같은 시간에 다른 예약도 진행 중이어서 번갈아 입장합니다.
may-not-reach = 이번 예약 시간이 끝나기 전({ $at })에 차례가 오지 않을 수 있습니다.
may-not-reach-next = 다음 예약 시작: { $at }. 이대로 기다리셔도 됩니다.
may-not-reach-none = 다음 예약 시간은 아직 정해지지 않았습니다. 이대로 기다리셔도 됩니다.
opening-is-open = 지금 예약하실 수 있는 시간입니다(시작: { $at }).
opening-comes = 다음 예약 시작: { $at }.
opening-none = 다음 예약 시간은 아직 정해지지 않았습니다.
wait-refresh = 이 화면은 { $s }초 뒤에 새로 고쳐집니다.
wait-announce = 앞에 { $ahead }이 있습니다. 예상 대기 시간은 { $wait }입니다.
wait-may = 기다리는 동안
wait-may-close = 화면을 닫아도 괜찮습니다. 번호는 그대로 있습니다.
wait-may-device = 다른 기기에서 본인 확인을 해도 같은 번호로 이어집니다.
wait-may-tabs = 여러 창을 열어도 빨라지지 않습니다. 새로 고침도 필요 없습니다.

## 고르기
book-until = { $at }까지 예약하실 수 있습니다. 그 뒤에는 이미 선택해 둔 시간만 예약하실 수 있습니다.
you-keep = 지금 예약: { $at }. 새 예약이 끝날 때까지 그대로 있습니다.
you-hold = 맡아 둔 시간이 있습니다: { $at }.
at-site = { $at }, { $site }
choose-province = 지역을 선택해 주세요
choose-district = { $province }: 시·군·구를 선택해 주세요
no-slots = 아직 예약할 수 있는 시간이 없습니다
no-slots-next = 이 예약의 시간이 아직 등록되지 않았습니다. 차례는 그대로 유지됩니다. 나중에 다시 확인해 주세요.
no-seats = 지금은 예약할 수 있는 시간이 없습니다
no-seats-next = 취소된 시간은 여기에 바로 나타납니다. 차례는 그대로 유지됩니다. 잠시 뒤 다시 확인해 주세요.
search-site = 접종 기관 이름이나 주소로 찾기
search = 찾기
map-label = 시·도별 예약 가능 인원 지도. 같은 내용이 목록에 있습니다.
sites-near = { $district }에서 가까운 접종 기관
sites-found = “{ $query }” 찾기 결과
distance = { $km } km
distance-note = 거리는 { $district } 중심에서 잰 직선거리입니다.
found-none = 찾은 곳이 없습니다. 다른 말로 찾거나 지역에서 선택해 주세요.
found-many = 처음 20곳만 보입니다. 더 자세히 입력해 주세요.
other-region = 다른 지역
choose-day = 날짜를 선택해 주세요
no-days = 이 기관에는 예약할 수 있는 날이 없습니다.
full = 마감
other-site = 다른 접종 기관
choose-time = 시간을 선택해 주세요
time-note = 시간을 고르면 { $minutes } 동안 맡아 둡니다. 아직 예약은 아닙니다.
no-times = 이 날에는 예약할 수 있는 시간이 없습니다.
other-day = 다른 날짜
second-at = 2차: { $day } { $time }
alternatives = 가까운 다른 시간
no-alternatives = 가까운 다른 시간이 없습니다. 다른 기관이나 지역을 찾아보세요.
steps = 예약 단계
step-identity = 본인 확인
step-site = 접종 기관
step-day = 날짜
step-time = 시간
step-check = 확인
frozen = 예약이 잠시 중단되었습니다.
frozen-next = 둘러보실 수는 있지만 지금은 예약할 수 없습니다. 차례와 선택하신 시간은 그대로 유지됩니다.
choice-released = 선택을 취소했습니다. 다른 시간을 선택해 주세요.
choice-ended = 시간이 지나 선택이 해제되었습니다. 시간을 다시 선택해 주세요.
choice-past = 선택하신 시간은 이미 시작되었습니다. 더 늦은 시간을 선택해 주세요.
choosing-over = 예약 기간이 끝났습니다
choosing-over-next = 새로 예약할 수 없어 접종 기관과 시간을 보여 드리지 않습니다. 다음 예약 기간은 처음 화면에서 확인해 주세요.
choosing-over-hold = 새로 선택할 수는 없지만, 이미 선택하신 시간은 예약할 수 있습니다.
own-region = 내 지역
sites-own = 내 지역({ $district })의 접종 기관
earliest-in = { $province }에서 가장 빠른 날
earliest-day = 가장 빠른 날: { $day }, { $seats }
earliest-at = { $day } { $time }
earliest-note = 기관마다 가장 먼저 예약할 수 있는 날과 시각, 그날 예약 가능한 인원입니다.
by-district = 시·군·구에서 선택
near-full = 가까운 접종 기관은 모두 마감되었습니다
near-full-next = 가장 빠른 날이나 다른 지역을 찾아보세요. 취소된 시간은 여기에 바로 나타납니다.
found-count = { $count }곳을 찾았습니다.
call = 전화
directions = 길 찾기
few = 임박
few-left = 마감 임박
today = 오늘
legend-free = 예약 가능
legend-count = 예약 가능 인원
legend-full = 예약 가능한 시간이 없음
legend-closed = 접종이 없는 날
morning = 오전
afternoon = 오후
second-same = 2차 접종은 { $day } 같은 시각입니다.
same-day = 같은 날 다른 시간
to-day = 이 날의 모든 시간 보기

## 확인
confirm-booking = 이대로 예약할까요?
confirm-move = 이 일정으로 변경할까요?
held-not-booked = 아직 예약되지 않았습니다.
held-not-moved = 아직 변경되지 않았습니다. 지금 예약({ $at })은 그대로입니다.
held-in-freeze = 선택하신 시간을 맡아 두고 있습니다. 다시 시작하면 이어서 예약할 수 있습니다.
held-until = { $at }까지 예약을 마쳐 주세요
time-left = { $m }분 { $s }초 남음
hold-ended = 시간이 지나 선택이 해제되었습니다. 시간을 다시 선택해 주세요.
moves-from = 변경하면 기존 예약({ $at })은 취소됩니다.
doing-book = 예약하는 중…
book-it = 예약하기
move-it = 변경하기
choose-another = 다른 시간 선택
ends-soon = 시간이 더 필요하시면 한 번 늘릴 수 있습니다.
more-time = 시간 더 쓰기
hold-extended = 예약 시간을 { $time } 늘렸습니다.
desk-chart-bookings = 초당 예약과 입장
desk-chart-waiting = 대기 인원과 접속 인원
desk-chart-answers = 응답 시간(100건 중 99건), 밀리초
desk-chart-line-bookings = 예약
desk-chart-line-admitted = 입장
desk-chart-line-waiting = 대기
desk-chart-line-sessions = 접속
desk-chart-minutes = 지금까지의 시간(분)
desk-chart-hours = 지금까지의 시간(시)
desk-chart-nothing = 아직 집계된 값이 없습니다.
desk-chart-until = { $time } 기준:
desk-chart-told = { $line } { $now }, 최대 { $most }.
problem-hold-extended = 시간을 더 늘릴 수 없습니다
    .detail = 선택한 시간은 한 번만 늘릴 수 있습니다. `expires_at`까지 예약해 주세요.
    .next = 예약 시간은 한 번만 늘릴 수 있습니다. 남은 시간 안에 예약을 마쳐 주세요.
dose = { $n }차 접종
only-dose = 접종
phone = 전화

## 예약
your-booking = 내 예약
booked = 예약되었습니다
booking-number = 예약 번호
booked-for = 예약자
person-born = 님 ({ $year }년생)
in-app = 지금 쓰시는 앱에서는 파일을 받을 수 없습니다. 아래 내용을 복사하시거나 화면을 저장해 주세요.
share = 휴대전화에 보관하기
copy = 예약 내용 복사
copied = 복사했습니다.
qr-label = 예약 번호를 담은 QR 코드
to-bring = 준비물
bring = 신분증을 가져오세요.
booked-at = { $at }에 처음 예약했습니다.
calendar-file = 달력에 넣기
calendar-note = 예약 번호 { $number }. 신분증을 가져오세요. 전화 { $phone }
calendar-cancelled = 달력에 추가하셨다면 이 파일로 달력에서 지울 수 있습니다.
    .file = 달력에서 지우기
print = 인쇄하기
move-or-cancel = 예약 변경 · 취소
change-until = { $at }까지 변경하거나 취소할 수 있습니다.
deadline-was = 변경할 수 있는 기한은 { $at }까지였습니다.
call-the-site = 변경하시려면 위의 접종 기관으로 전화해 주세요.
move = 다른 시간으로 변경
cancel = 예약 취소
cancel-ask = 예약을 취소할까요?
cancel-lead = { $doses ->
    [one] 취소하면 되돌릴 수 없습니다.
   *[other] 취소하면 1차와 2차 예약이 모두 취소되며, 되돌릴 수 없습니다.
}
cancel-it = 예약 취소하기
keep-it = 취소하지 않기
cancelled = 예약이 취소되었습니다
booking-moved = 예약이 변경되었습니다
cancel-no-more = 예약 기간이 끝나, 취소하면 다시 예약할 수 없습니다.
no-booking-over = 예약 기간이 끝나 새로 예약할 수 없습니다.
midnight = { $date } 밤 12시
born-years = { $first }~{ $last }년생
slot-held = 다른 분이 먼저 선택했습니다. 예약하지 않으면 다시 나올 수 있습니다. 아래에서 가까운 시간을 선택하시거나 다른 곳을 찾아보세요. 차례는 그대로입니다.
not-for-you-letter = 이번 대상은 처음 화면에 나와 있습니다. 안내문을 받으셨다면 생년월일을 다시 확인해 주세요.
no-booking = 예약이 없습니다
no-booking-lead = 예약 기간 안이면 새로 예약할 수 있습니다.

## 예약의 증명
proof = 내 예약의 증명
proof-lead = 예약이 기관의 기록에 있음을 증명합니다. 예약을 변경하거나 취소한 뒤에도 이 증명은 유효합니다.
    .cancelled = 이 예약을 했었다는 것과 언제 취소했는지를 증명합니다. 두 항목 모두 기관의 기록에 있습니다.
proof-slot = { $when }, { $site }, { $vaccine } (항목의 시간대 번호 { $slot })
proof-shows = 증명하는 내용
    .entry = 예약 항목이 기록의 제자리에 쓰인 그대로 있습니다. 항목에는 시간대가 번호로 적혀 있고, 그 뜻은 아래에 있으며 기록에도 있습니다.
    .signed = 기관이 이 항목이 들어 있는 기록 전체에 서명했습니다.
    .later = 나중에 이 항목을 고치거나 빼면 이 파일로 그 사실을 증명할 수 있습니다.
    .private = 이름과 전화번호는 들어 있지 않습니다. 예약 번호와 기록에서 쓰는 가명이 들어 있으니, 예약을 보여 주어도 되는 사람에게만 주세요.
proof-check = 확인하는 방법
    .keep = 파일을 보관하거나, 이 화면을 인쇄하거나, 코드를 사진으로 남기세요.
    .program = 언제든지 기관이나 인터넷 없이 확인할 수 있습니다. 수문(sumun audit verify)이나 C2SP tlog-proof를 읽는 프로그램이면 됩니다.
    .key = 확인하려면 기록의 공개 키가 필요합니다. 아래 키가 기관이 공개하거나 전화로 읽어 주는 키와 같은지 견주어 보세요. 이 화면만으로는 기관의 키인지 알 수 없습니다.
proof-key = 기록의 공개 키
proof-made = { $at }에 예약함
proof-moved = { $at }에 변경함
proof-cancelled = { $at }에 취소함
proof-file = 증명 저장하기
proof-code = 증명을 담은 QR 코드
proof-not-yet = 예약은 안전하게 저장되었습니다. 가장 새로운 항목은 아직 서명된 기록에 들어가지 않았습니다. 약 { $seconds }초 뒤에 증명할 수 있습니다.
proof-again = 다시 보기

## 어디로
privacy = 개인정보 처리방침
terms = 이용 안내
accessibility = 접근성 안내
to-start = 처음 화면으로
to-enter = 본인 확인하고 예약하기
to-lobby = 본인 확인하고 대기실 들어가기
to-window-in = 본인 확인하고 내 예약 시간 보기
to-wait = 대기실로
to-sites = 접종 기관 선택
to-booking = 내 예약 보기
try-again = 다시 시도
# 뒤에 운영자가 이 요청을 찾을 때 쓰는 번호가 온다.
reference = 문의 번호:
again-after = { $time } 뒤에 다시 할 수 있습니다.
put-off-form = 접속이 많아 보내신 내용을 받지 못했습니다. 브라우저의 ‘뒤로’를 누르면 입력하신 내용이 그대로 있습니다. 초대 코드만 비어 있으면 다시 입력하고, 잠시 뒤 거기서 다시 보내 주세요.

## 거절: 제목, 프로그램을 위한 설명, 사람이 다음에 할 일
problem-invalid-request = 요청을 이해할 수 없습니다
    .detail = 표시된 항목을 고쳐 다시 보내 주세요.
    .next = 표시된 칸을 고쳐서 다시 보내 주세요.
problem-identity-not-found = 입력하신 정보와 일치하는 분을 찾지 못했습니다
    .detail = 이름, 생년월일, 초대 코드를 안내문과 비교해 주세요.
    .next = 안내문에 적힌 이름, 생년월일, 초대 코드와 하나씩 비교해 주세요. 그래도 안 되면 안내문의 전화번호로 문의해 주세요.
problem-too-many-attempts = 시도가 너무 많았습니다
    .detail = `retry_after_s`초 뒤에 다시 해 주세요.
    .next = 짧은 시간에 여러 번 변경하셨습니다. 예약하신 내용은 그대로 있습니다.
problem-not-eligible = 이번 예약 대상이 아닙니다
    .detail = 이 예약은 정해진 대상자만 할 수 있습니다.
    .next = 이 예약은 정해진 대상자만 할 수 있습니다. 안내문을 받으셨다면 안내문의 전화번호로 문의해 주세요.
problem-not-open-yet = 아직 예약 기간이 아닙니다
    .detail = 안내된 시각에 다시 와 주세요.
    .next = 표시된 시각에 다시 와 주세요. 미리 기다리실 필요는 없습니다.
problem-opening-closed = 예약 기간이 끝났습니다
    .detail = 다음 예약 기간이 있으면 그 시각이 함께 표시됩니다.
    .next = 다음 예약 기간이 있으면 그 시각에 다시 와 주세요.
problem-place-invalid = 대기 번호를 확인할 수 없습니다
    .detail = 다시 들어오시면 같은 번호를 받습니다.
    .next = 본인 확인을 다시 하시면 같은 번호로 이어집니다.
problem-place-ended = 이 번호의 예약 시간이 끝났습니다
    .detail = 이 번호는 끝났거나 취소된 예약 시간의 번호입니다. 안내된 예약 시간이 있으면 그때 다시 들어와 주세요.
    .next = 이 번호는 끝난 예약 시간의 번호입니다. 다음 예약 시간에는 줄이 새로 시작되므로, 그때 본인 확인을 다시 해 주세요.
problem-session-invalid = 먼저 본인 확인을 해 주세요
    .detail = 대기실로 들어와 차례를 기다려 주세요.
    .next = 본인 확인을 하시면 이어서 할 수 있습니다.
problem-session-expired = 오래 사용하지 않아 로그아웃되었습니다
    .detail = 다시 들어오시면 이어서 할 수 있습니다.
    .next = 오래 사용하지 않아 로그아웃되었습니다. 다시 본인 확인을 하시면 하던 곳에서 이어집니다. 예약은 그대로 있습니다.
problem-not-admitted = 아직 차례가 아닙니다
    .detail = 번호는 그대로 유지됩니다.
    .next = 대기실에서 차례를 기다려 주세요. 번호는 그대로입니다.
problem-slot-full = 선택하신 시간은 마감되었습니다
    .detail = 가까운 다른 시간을 골라 주세요.
    .next = 다른 분이 먼저 예약했습니다. 아래에서 가까운 시간을 선택하시거나 다른 곳을 찾아보세요. 차례는 그대로입니다.
problem-slot-past = 이미 시작된 시간입니다
    .detail = 더 늦은 시간을 선택해 주세요.
    .next = 이미 시작된 시간입니다. 더 늦은 시간을 선택해 주세요.
problem-already-booked = 이미 예약이 있습니다
    .detail = 예약을 확인하거나 변경할 수 있습니다.
    .next = 예약을 확인하거나 변경하거나 취소할 수 있습니다.
problem-hold-expired = 시간이 지나 선택이 해제되었습니다
    .detail = 시간을 다시 골라 주세요.
    .next = 시간이 지나 선택이 해제되었습니다. 시간을 다시 선택해 주세요.
problem-no-booking = 예약이 없습니다
    .detail = 예약 번호를 확인해 주세요.
    .next = 예약이 취소되었거나 아직 없습니다. 시간을 새로 선택할 수 있습니다.
problem-not-found = 찾을 수 없습니다
    .detail = 주소를 확인해 주세요.
    .next = 주소가 바뀌었거나 잘못되었습니다. 처음 화면에서 다시 시작해 주세요.
problem-method-not-allowed = 이 주소에서 쓸 수 없는 방식입니다
    .detail = Allow 머리글을 보세요.
    .next = 처음 화면에서 다시 시작해 주세요.
problem-change-deadline-passed = 변경하거나 취소할 수 있는 기한이 지났습니다
    .detail = 접종 기관에 전화로 문의해 주세요.
    .next = 이제 화면에서는 변경하거나 취소할 수 없습니다. 예약에 적힌 접종 기관으로 전화해 주세요.
problem-idempotency-conflict = 같은 요청 키로 다른 요청이 왔습니다
    .detail = 새 Idempotency-Key로 보내 주세요.
    .next = 이미 처리된 요청일 수 있습니다. 예약을 먼저 확인해 주세요.
problem-paused = 예약이 잠시 중단되었습니다
    .detail = 번호는 그대로 유지됩니다.
    .next = 화면을 닫아도 괜찮습니다. 번호와 선택하신 시간은 그대로이고, 다시 열리면 이어집니다.
problem-overloaded = 지금은 처리할 수 없습니다
    .detail = 표시된 시간 뒤에 다시 해 주세요.
    .next = 접속이 많아 바로 처리하지 못했습니다. 아무것도 잃지 않았습니다. 잠시 뒤 자동으로 다시 시도합니다.
problem-outcome-unknown = 결과를 확인하지 못했습니다
    .detail = 같은 Idempotency-Key로 다시 보내 주세요.
    .next = 예약이 되었는지 아직 알 수 없습니다. 아래 버튼을 누르면 결과를 확인합니다. 두 번 예약되지 않습니다.
problem-foreign-form = 다른 사이트에서 온 요청입니다
    .detail = 이 사이트의 화면에서 보내 주세요.
    .next = 안전을 위해 처리하지 않았습니다. 처음 화면에서 다시 시작해 주세요.
problem-foreign-request = 다른 사이트에서 보낸 호출입니다
    .detail = 이 사이트의 화면에서 보내거나, 쿠키 없이 Authorization 헤더에 토큰을 넣어 보내 주세요.
    .next = 안전을 위해 처리하지 않았습니다. 처음 화면에서 다시 시작해 주세요.
problem-credentials-wrong = 이름, 비밀번호 또는 코드가 맞지 않습니다
    .detail = 세 가지를 모두 확인해 주세요. 일회용 코드는 30초 동안 한 번만 쓸 수 있습니다.
    .next = 이름, 비밀번호, 코드를 확인하고 다시 시도해 주세요.
problem-code-wanted = 일회용 코드도 필요합니다
    .detail = 앱에 지금 보이는 코드나 휴대전화를 잃었을 때 쓰는 코드를 보내 주세요.
    .next = 앱에 지금 보이는 코드를 입력해 주세요.
problem-code-wrong = 코드가 맞지 않습니다
    .detail = 제공된 비밀 값에 대해 앱이 지금 보여 주는 코드를 보내 주세요.
    .next = 앱에 지금 보이는 코드를 입력해 주세요. 계속 맞지 않으면 휴대전화의 시각을 맞춰 주세요.
problem-password-refused = 이 비밀번호는 쓸 수 없습니다
    .detail = 너무 짧거나 길거나 흔합니다. `why`에 이유가 있습니다.
    .next = 흔한 단어나 나열이 아닌 12자 이상을 쓰세요. 단어 네 개를 이어 쓰면 좋습니다.
problem-signed-out = 먼저 로그인해 주세요
    .detail = 접속이 없거나 끝났습니다. 다시 로그인해 주세요.
    .next = 로그인하시면 이어서 할 수 있습니다.
problem-key-wrong = 쓸 수 없는 열쇠입니다
    .detail = 그런 열쇠가 없거나 기한이 지났거나 종료되었습니다. 관리자에게 새 열쇠를 요청해 주세요.
    .next = 관리자에게 새 열쇠를 요청해 주세요.
problem-set-up-first = 먼저 본인의 비밀번호와 일회용 코드를 설정해 주세요
    .detail = 받은 비밀번호로는 설정만 할 수 있습니다.
    .next = 본인의 비밀번호와 일회용 코드를 설정해 주세요.
problem-not-yours = 이 역할로는 할 수 없습니다
    .detail = 담당 역할의 사람에게 부탁하거나 관리자에게 다른 역할을 요청해 주세요.
    .next = 담당 역할의 사람에게 부탁해 주세요.
problem-not-possible = 할 수 없는 일입니다
    .detail = `why`에 이유와 해야 할 일이 있습니다.
    .next = 이유를 읽고 요청을 고쳐 주세요.

## 데스크
desk = 수문 데스크
desk-pages = 데스크의 화면
desk-home = 처음
desk-help = 이 화면의 도움말
desk-sign-in = 로그인
desk-sign-out = 로그아웃
desk-name = 계정
    .hint = a–z, 0–9, 마침표, 붙임표, 밑줄 가운데 2~40자이며 글자로 시작합니다.
desk-password = 비밀번호
desk-code = 일회용 코드
    .hint = 앱에 지금 보이는 여섯 자리 숫자나, 휴대전화를 잃었을 때 쓰는 코드입니다. 처음에는 비워 두세요.
desk-set-up = 계정 설정
    .lead = 받은 비밀번호는 이 화면에서만 쓸 수 있습니다. 이제부터는 본인의 비밀번호와 휴대전화의 코드로 로그인합니다.
    .do = 설정하기
desk-own-password = 본인의 비밀번호
desk-new-password = 새 비밀번호
    .hint = 12자 이상입니다. 서로 관련 없는 단어 네 개를 이어 쓰면 좋습니다.
desk-again = 한 번 더 입력
desk-not-the-same = 두 비밀번호가 다릅니다
    .next = 새 비밀번호를 두 번 입력하고 새 코드를 입력해 주세요.
desk-codes = 일회용 코드
    .lead = 일회용 코드를 만드는 앱(휴대전화 제조사의 앱 등)으로 이 코드를 읽어 주세요.
    .qr = 일회용 코드의 비밀 값을 담은 QR 코드
    .typed = 또는 앱에 직접 입력하세요:
    .now = 앱에 지금 보이는 여섯 자리 숫자입니다.
desk-lost-phone = 휴대전화를 잃었을 때
    .lead = 아래 코드는 일회용 코드 대신 한 번씩 쓸 수 있습니다. 이 화면을 인쇄하거나 적어서 열쇠를 두는 곳에 보관하세요. 다시 보여 드리지 않습니다.
desk-is-set-up = 계정을 설정했습니다
desk-go-on = 계속하기
desk-me = 내 계정
desk-sessions = 접속
desk-since = 시작
desk-from = 접속 주소
desk-act = 할 일
desk-this-one = 지금 이 접속
desk-end = 끝내기
desk-end-all = 모든 접속 끝내기
desk-accounts = 계정 관리
desk-new-account = 새 계정
desk-role = 역할
desk-where = 범위
    .hint = 제한하지 않으려면 비워 두세요. 여러 개는 띄어 써 주세요.
desk-campaigns = 캠페인
desk-provinces = 시·도 (코드)
desk-sites = 기관 (코드)
desk-state = 상태
desk-ended = 종료됨
desk-not-set-up = 아직 설정 전
desk-ready = 사용 중
desk-signed-in = 마지막 로그인
desk-may-sign-in = 로그인할 수 있음
desk-make = 계정 만들기
desk-change = 변경하기
desk-reset = 첫 비밀번호 다시 만들기
    .lead = 비밀번호나 휴대전화를 잃은 사람을 위한 것입니다. 접속이 모두 끝나고 계정을 다시 설정하게 됩니다.
desk-first-password = 첫 비밀번호
    .lead = 한 번만 보여 드립니다. 계정 주인에게 직접 전해 주세요. 이 비밀번호를 가진 사람이 계정을 설정할 수 있습니다.
desk-record = 누가 무엇을 했는지
desk-day = 날짜
    .fault = 이 날짜는 보여 드릴 수 없습니다. 2021-07-19처럼 적어 주세요.
desk-account = 계정
desk-show = 보기
desk-no-acts = 이날 데스크나 명령줄에서 한 일이 없습니다.
desk-entry = 항목
desk-at = 시각
desk-did = 한 일
desk-more-acts = 이날 한 일이 더 있습니다. 계정을 지정하거나 sumun audit export를 쓰세요.
desk-reason = 이유
did-campaign = { $campaign }의 규칙 { $version }판이 적용되었습니다.
did-agency = { $campaign }의 기관 글 { $version }판이 적용되었습니다.
did-sites = { $campaign }의 접종 장소 { $n }곳을 추가하거나 변경했습니다.
did-slots = { $campaign }의 시간 { $n }개를 추가하거나 변경했습니다.
did-closed = 시간 { $n }개를 닫았습니다: { $where }.
did-reopened = 닫은 시간 { $n }개를 다시 열었습니다: { $where }.
did-relocation = 다른 자리를 드리기 시작했습니다. 알린 이유: “{ $why }”
did-offered-one = 한 사람에게 다른 자리를 제안했습니다: { $to }.
did-offered = { $n }명에게 다른 자리를 제안했습니다.
did-moved-one = 예약 하나를 { $from }에서 { $to }(으)로 옮겼습니다.
did-moved = 예약 { $n }건을 옮겼습니다.
did-roster = 명단 { $version }판이 적용되었습니다. { $people }명, 추가 { $added }, 변경 { $changed }, 빠짐 { $gone }.
did-rekeyed = { $n }명의 인증번호가 바뀌었습니다.
did-erased = 한 사람의 이름과 전화번호를 지웠습니다.
did-emptied = 보관 기간이 끝난 이름과 전화번호를 지웠습니다.
did-sealed = 이름과 전화번호를 새로 봉인했습니다.
did-look-shown = { $n }명에 대해 보관된 것을 열람했습니다.
did-look-erased = 지우려고 { $n }명을 열람했습니다.
did-look-reviewed = 열람 기록을 검토했습니다.
did-look-compared = 명단 파일을 지금의 명단과 비교했습니다.
did-look-stored = 지운 이름 { $n }개를 명단 가져오기로 다시 저장했습니다.
did-look-telephoned = 전화하려고 { $n }명의 이름과 번호를 열람했습니다.
did-token-key = 순번과 세션의 열쇠를 바꿨습니다.
did-personal-keys = 이름과 전화번호의 열쇠를 바꿨습니다.
did-head-key = 기록에 서명하는 열쇠를 바꿨습니다.
did-account = 계정 { $name }을(를) 만들거나 변경했습니다: { $role }.
did-account-ended = 계정 { $name }을(를) 종료했습니다.
did-own-password = { $name }이(가) 자기 비밀번호를 정했습니다.
did-first-password = { $name }에게 첫 비밀번호를 주었습니다.
did-signed-in = { $name }이(가) { $origin }에서 로그인했습니다.
did-signed-out = { $name }이(가) 로그아웃했습니다.
did-revoked = { $name }의 모든 세션을 끝냈습니다.
did-proposed = { $number }번을 제안했습니다: { $what }. { $people ->
    [0] 잃는 사람은 없습니다.
   *[other] { $people }명이 무언가를 잃습니다.
}
did-approved = 제안 { $number }번을 승인했습니다.
did-declined = 제안 { $number }번을 거절했습니다.
did-withdrawn = 제안 { $number }번을 거뒀습니다.
did-called-off = 제안 { $number }번을 실행 전에 취소했습니다.
did-seen = 제안 { $number }번은 승인할 때의 결과로 승인되었습니다.
did-seen-named = 제안 { $number }번은 승인자가 본 결과로 승인되었습니다.
did-provider-account = 기관 로그인의 계정 { $name }을(를) 만들었습니다: { $role }.
did-scheduled = 제안 { $number }번을 { $at }에 실행합니다.
did-ended = 제안 { $number }번을 실행했습니다: { $what }
did-failed = 제안 { $number }번을 실행하지 못했습니다: { $what }
did-key = 열쇠 { $name }을(를) 만들었습니다. { $until }까지 씁니다.
did-key-ended = 열쇠 { $name }을(를) 끝냈습니다.
did-asked-set = 계정 { $name }을(를) 다른 계정이 확인하도록 요청했습니다.
did-asked-reset = { $name }의 새 첫 비밀번호를 다른 계정이 확인하도록 요청했습니다.
did-confirmed = 계정에 대한 { $number }번 일을 확인했습니다.
did-dropped = 계정에 대한 { $number }번 일을 거뒀습니다.
did-draw-value = 추첨에 공개된 값 “{ $value }”을(를) 넣었습니다. 출처: { $source }.
role-administrator = 관리자
role-operator = 운영자
role-approver = 승인자
role-site = 접종기관
role-agent = 상담원
role-auditor = 감사자
role-reporter = 통계 담당
does-administrator = 계정을 만들고, 각 계정이 어디서 무엇을 할 수 있는지 정하고, 종료합니다. 캠페인은 운영하지 않습니다.
does-operator = 캠페인과 예약 당일을 운영하고, 두 사람의 확인이 필요한 일을 제안합니다.
does-approver = 다른 사람의 제안을 읽고 승인하거나 거절합니다. 제안할 수도 있지만 자신의 제안은 승인할 수 없습니다.
does-site = 담당 기관의 하루를 관리합니다.
does-agent = 전화로 사람들을 돕습니다.
does-auditor = 모든 것을 읽고 아무것도 바꾸지 않습니다.
does-reporter = 숫자만 보고 누구의 이름도 보지 않습니다.
desk-help-home = 이 화면은 역할이 하는 일을 알려 줍니다. 위의 링크에서 화면으로 갈 수 있습니다.
desk-help-sign-in =
    관리자가 만들어 준 계정으로 로그인합니다.
    처음에는 코드가 없으니 비워 두세요. 로그인하면 본인의 비밀번호와 일회용 코드를 설정합니다.
    휴대전화를 잃었다면 보관해 둔 코드를 쓰세요. 그것도 없으면 관리자에게 첫 비밀번호를 다시 요청하세요.
desk-help-set-up =
    일회용 코드를 만드는 앱이 필요합니다. 인터넷은 필요 없습니다.
    코드가 계속 맞지 않으면 휴대전화의 시각이 틀린 것입니다. 시각을 자동으로 맞춰 주세요.
desk-help-me =
    접속은 마지막으로 쓴 뒤 30분, 그리고 12시간이 지나면 끝납니다.
    모르는 접속이 있으면 끝내고 관리자에게 알려 주세요.
desk-help-accounts =
    계정 하나는 한 사람입니다. 두 사람이 한 계정을 쓰면 한 사람으로 보이고 기록에서 구별할 수 없습니다.
    이름은 다시 쓰지 않습니다. 주인이 떠나면 계정을 종료하세요. 한 일은 기록에 남습니다.
    첫 비밀번호로는 계정을 설정할 수만 있습니다.
desk-help-record =
    데스크와 명령줄에서 한 일을 기록 그대로 보여 줍니다. 아무도 고칠 수 없습니다.
    누구의 개인정보를 보았는지는 월별 점검(sumun audit access)에 있습니다.
problem-takes-two = 두 번째 계정이 필요합니다
    .detail = 이유와 함께 POST /api/desk/v1/account-acts로 요청하면 다른 관리자나 승인자가 확인합니다.
    .next = 이유를 적고 다시 눌러 주세요. 그러면 다른 관리자나 승인자가 확인합니다.
problem-same-eyes = 다른 계정이 승인해야 합니다
    .detail = 제안한 사람은 다른 접속이나 다른 이름으로도 승인할 수 없습니다.
    .next = 다른 승인자에게 부탁해 주세요.
problem-type-the-number = 무언가를 잃는 사람의 수를 입력해 주세요
    .detail = `people`에 그 수가 있습니다. `typed`로 보내 주세요.
    .next = 무엇이 바뀌는지 읽고, 자격이나 예약을 잃는 사람의 수를 입력해 주세요.
problem-effect-changed = 지금은 결과가 달라졌습니다
    .detail = 제안할 때는 `people_then`명, 지금은 `people_now`명이 무언가를 잃습니다. 거절하고 다시 제안해 주세요.
    .next = 제안할 때와 다른 사람들이 무언가를 잃습니다. 거절하고 다시 제안받아 주세요.
problem-faults-found = 내용에 잘못이 있습니다
    .detail = `faults`에 줄마다 적혀 있으며 아무것도 제안되지 않았습니다.
    .next = 아래의 잘못을 고치고 다시 제안해 주세요.

## 두 계정이 필요한 계정 변경
desk-asked = 두 번째 계정을 기다림
no-asked = 기다리는 것이 없습니다.
asked-wait = { $acts }건이 두 번째 계정을 기다립니다
asked-to-be = 바뀐 뒤
asked-by = 요청한 계정
asked-until = 기한
asked-confirm = 확인하기
asked-drop = 철회 또는 거절
asked-reason = 두 번째 계정이 필요할 때의 이유
    .hint = 승인하거나 확인하는 계정을 만들거나 바꾸거나 다시 들이거나 첫 비밀번호를 다시 만드는 일은 둘이 합니다. 이유를 적어 요청하면 다른 계정이 확인합니다.
half = 첫 비밀번호의 반쪽
    .first = 비밀번호의 앞쪽 반
    .second = 비밀번호의 뒤쪽 반
    .lead = 한 번만 보여 드립니다. 계정 주인에게 직접 전해 주세요. 비밀번호는 앞쪽 반, 붙임표, 뒤쪽 반입니다. 나머지 반은 다른 계정이 전합니다.
desk-help-asked =
    승인하거나 확인하는 계정은 관리자 혼자서 만들거나 바꾸거나 다시 들이거나 첫 비밀번호를 다시 만들 수 없습니다. 다른 관리자나 승인자가 7일 안에 확인합니다.
    이렇게 승인하거나 확인하게 된 사람은 새 첫 비밀번호를 받습니다. 두 계정이 반씩 받으니 각자 계정 주인에게 직접 전해 주세요.
    그 계정의 주인은 확인할 수 없고, 그사이 계정이 바뀌면 다시 요청해야 합니다.

## 기관 자체 로그인
oidc-sign-in = 기관 계정으로 로그인
oidc-or-here = 또는 이 데스크의 계정으로 로그인
oidc-again = 다시 시도하기
oidc-in = 로그인했습니다
oidc-local = 이 데스크의 계정은 그대로 쓸 수 있습니다. 계정이 있으면 비밀번호와 코드로 여기에서 로그인하세요.
oidc-off = 여기에서는 기관 계정으로 로그인할 수 없습니다
    .next = 이 데스크에는 켜져 있지 않습니다.
oidc-not-begun = 이 로그인은 쓸 수 없습니다
    .next = 이미 썼거나, 10분이 지났거나, 다른 브라우저에서 시작한 로그인입니다. 이 브라우저에서 다시 시작해 주세요.
oidc-declined = 기관 로그인에서 로그인되지 않았습니다
    .next = 다시 시도해 주세요. 계속 거절되면 기관 계정 담당자에게 문의하세요.
oidc-away = 기관 로그인이 응답하지 않습니다
    .next = 1분 뒤에 다시 시도해 주세요. 계속되면 이 서버의 담당자에게 알려 주세요. 이유는 로그에 있습니다.
oidc-refused = 기관 로그인이 보낸 내용을 받아들일 수 없습니다
    .next = 다시 시작해 주세요. 계속되면 이 서버의 담당자에게 알려 주세요. 이유는 로그에 있습니다.
oidc-no-role = 이 데스크에서 맡은 역할이 없습니다
    .next = 기관 계정은 맞지만 이 데스크의 역할이 딸려 있지 않습니다. 기관 계정 담당자에게 역할을 요청하세요.
oidc-stronger = 이 역할에는 더 강한 로그인이 필요합니다
    .next = 기관 로그인에서 2단계 인증으로 로그인해 주세요. 2단계 인증을 묻지 않았다면 기관 계정 담당자에게 알려 주세요.
oidc-ended = 이 데스크에서 종료된 계정입니다
    .next = 데스크의 관리자에게 다시 열어 달라고 요청하세요.
oidc-waits = 두 번째 계정의 확인을 기다립니다
oidc-waits-role = 기관에서 { $role } 역할을 주었습니다. 이 데스크의 계정이 있는 관리자나 승인자가 7일 안에 ‘두 번째 계정을 기다림’에서 확인해야 합니다. 그 뒤에 다시 로그인해 주세요.
oidc-help = 기관 계정을 쓰면 기관의 로그인 화면에서 로그인하고 여기로 돌아옵니다. 할 수 있는 일은 로그인할 때마다 기관에서 정해집니다. 비밀번호나 휴대전화를 바꾸는 일도 기관에서 합니다.
desk-waits = 두 번째 계정을 기다림
desk-of-provider = 기관 로그인
    .lead = 기관 자체 로그인으로 들어오는 계정이며, 여기에는 비밀번호도 코드도 없습니다. 역할은 여기에서 정한 것 대신 로그인할 때마다 기관에서 옵니다. 여기에서 종료하면 더는 로그인할 수 없습니다.

## 프로그램 열쇠
desk-keys = 프로그램 열쇠
no-keys = 열쇠가 없습니다.
scope-board = 예약 당일 현황판
scope-proposals = 제안과 그 결과 미리 보기
scope-accounts = 계정
scope-record = 누가 무엇을 했는지
scope-sites = 기관, 시간대와 정원
key-new = 새 열쇠
key-name = 열쇠
key-scopes = 읽을 수 있는 것
key-campaigns = 이 캠페인만
    .hint = 모두 읽게 하려면 비워 두세요. 계정과 기록은 이렇게 제한할 수 없습니다.
key-last-day = 마지막 날
    .hint = 이날까지 쓸 수 있으며 400일 안이어야 합니다.
key-until = 유효 기한
key-used = 마지막 사용
key-made = 만든 계정
key-over = 기한 지남
key-make = 열쇠 만들기
key-secret = 열쇠의 비밀 값
    .lead = 한 번만 보여 드리며 어디에도 보관하지 않습니다. 프로그램은 “Authorization: Bearer …”로 보냅니다. 이 값을 가진 사람은 열쇠가 읽을 수 있는 것을 모두 읽을 수 있으니 비밀번호처럼 보관하세요.
desk-help-keys =
    열쇠가 있으면 기관의 프로그램이 데스크의 인터페이스로 읽을 수 있습니다. 바꾸거나 제안하거나 승인하는 일은 언제나 사람이 합니다.
    프로그램마다 열쇠를 하나씩, 꼭 필요한 만큼만 만드세요. 비밀 값을 잃었을지 모르면 여기서 끝내세요. 그 순간부터 쓸 수 없습니다.
    “마지막 사용”은 서버가 마지막으로 시작한 뒤부터 셉니다.

## 데스크의 제안
desk-proposals = 제안
desk-propose = 제안하기
no-proposals = 제안이 없습니다.
proposal = 제안
proposal-number = 번호
proposal-by = 제안한 계정
proposal-reason = 이유
proposal-decided-by = 결정한 계정
proposal-open = 승인을 기다림
proposal-approved = 승인됨, 시행 예정
proposal-declined = 거절됨
proposal-withdrawn = 철회됨
proposal-done = 완료됨
proposal-failed = 승인되었으나 처리하지 못함
kind-campaign = 캠페인 파일
kind-agency = 기관의 안내문
kind-sites = 접종기관 목록
kind-slots = 예약 시간대
kind-gate = 대기실 조치
propose-campaign = 캠페인
    .hint = 캠페인 파일은 안에 캠페인이 적혀 있으므로 고르지 않아도 됩니다.
propose-text = 내용
    .hint = 파일 전체를 넣어 주세요. 캠페인이나 기관 파일, 또는 UTF-8로 된 접종기관·시간대 CSV입니다.
propose-file = 파일에서 내용 가져오기
propose-look = 무엇이 바뀌는지 보기
propose-do = 제안하기
effect = 바뀌는 것
effect-takes = { $people }명이 지금 가진 자격이나 예약한 자리를 잃습니다.
effect-takes-none = 지금 가진 자격을 잃는 사람은 없습니다.
effect-rows = { $rows }줄을 추가하거나 변경합니다.
effect-people = 명단의 모든 사람 가운데
effect-at = 시각
effect-may = 그때 예약할 수 있음
effect-gain = 불가에서 가능으로
effect-lose = 가능에서 불가로
effect-waiting = 기다리는 사람들
effect-wait = { $people }명이 기다립니다.
effect-changes = 파일에서 바뀌는 것
effect-field = 항목
effect-old = 지금
effect-new = 바뀐 뒤
line-gone = 이 예약 시간은 없어지고 받은 순번도 쓸 수 없게 됩니다.
line-lobby-closes = 대기실이 닫히고 순번은 { $at }까지 보관됩니다.
line-closes = 지금 열려 있지만 { $at }까지 대기실로 바뀝니다.
line-opens-now = 대기실이 바로 열립니다.
line-ends = 바로 끝나며 이미 들어온 사람만 마칠 수 있습니다.
line-moved = { $at }에 시작하며 순번은 그대로입니다.
line-until = { $at }에 끝납니다.
line-not-theirs = 그 가운데 { $people }명은 더 이상 대상이 아닙니다.
line-order-kept = 이 줄은 시작할 때의 순서를 지킵니다.
line-windows-moved = { $people }명의 시간대를 다시 정합니다.
line-windows-gone = 시간대가 정해진 { $people }명이 바로 올 수 있습니다.
decide = 결정하기
decide-typed = 몇 명이 무언가를 잃습니까?
    .hint = 위에 있는 수를 입력해 주세요.
decide-reason = 이유
due-includes = 정해진 시각에 실행하며, 그때까지 그곳을 예약한 사람이 모두 포함됩니다.
decide-approve = 승인하고 바로 시행하기
decide-decline = 거절하기
decide-withdraw = 철회하기
decide-own = 본인이 제안했으므로 다른 계정이 승인해야 합니다.
desk-help-proposals =
    두 사람의 확인이 필요한 일은 한 계정이 제안하고 다른 계정이 승인합니다. 캠페인 파일, 기관의 안내문, 접종기관, 시간대가 그렇습니다.
    먼저 몇 명에게 무엇이 바뀌는지 보고 나서 제안합니다.
    이전 버전으로 돌아가려면 새 제안 화면 아래에서 그 버전을 고르세요.
desk-help-proposal =
    무엇이 바뀌는지는 지금 명단 전체로 계산하고, 승인할 때 다시 한번 계산합니다.
    자격을 잃는 사람이 있으면 승인자가 그 수를 입력합니다. 제안할 때와 수가 다르면 다시 제안해야 합니다.
    이 화면에 완료라고 나오면 이미 시행된 것입니다.

## 예약 당일의 상황
desk-board = 당일 상황
board-as-of = 기준 시각
board-lost = 연결이 끊겼습니다. 숫자가 최신이 아닙니다.
board-waiting = 기다리는 사람
board-sessions = 예약 중인 사람
board-admitted = 초당 입장
board-bookings-s = 초당 예약
board-bookings = 예약
board-rate = 초당 입장(적용 / 설정)
board-active = 동시에 예약할 수 있는 사람
board-openings = 예약 시간
board-opening = 예약 시간
board-given = 준 순번
board-serving = 부른 순번
board-came = 입장한 사람
board-charts = 지난 10분
board-charts-hours = 지난 열두 시간
board-as-table = 그래프를 표로 보기
board-server = 서버
board-queue = 기다리는 명령
board-commit = 저장 시간, p99
board-settle = 정리 시간, p99
board-connections = 연결
board-clock = 시계의 어긋남
board-certificate = 인증서
board-disk = 남은 디스크
board-copy = 마지막 사본
board-drill = 마지막 복원 훈련
days = { $days }일
ago = { $s }초 전
never = 없음
board-answers = 응답 시간
board-class = 종류
board-per-s = 초당
board-refusals = 거절
board-code = 코드
board-minute = 지난 1분
board-all = 모두
board-seats = 시·도와 백신별 남은 자리
board-vaccine = 백신
board-left = 남음
board-capacity = 전체
board-acts = 조치
board-act = 할 일
gate-before = 시작 전
gate-lobby = 대기실
gate-open = 열림
gate-paused = 멈춤
gate-finishing = 마무리
gate-closed = 닫힘
own-brakes = 설정보다 적게 들이고 있습니다
own-lets-go = 입장 속도를 되돌리고 있습니다
own-full = 누군가 나갈 때까지 부르지 않습니다
own-puts-off = 요청을 잠시 미루고 있습니다
own-refuses = 예약을 받지 않고 있습니다
own-stands-still = 시간이 멈춰 있습니다
board-draining = 다시 시작하기 전, 아직 { $people }명이 예약 중입니다.
board-drained = 예약 중인 사람이 없습니다. 이제 서버를 다시 시작할 수 있습니다.
act-pause = 줄 멈추기
act-drain = 서버를 다시 시작할 때까지 줄 멈추기
act-resume = 다시 시작하기
act-rate = 초당 들이는 사람
act-active = 동시에 예약하는 사람의 한도
act-message = 모두에게 알리기
act-text = 사람들에게 알릴 말
    .hint = 멈출 때는 그 이유, 알릴 때는 알릴 말입니다. 비우면 이전 말을 거둡니다.
act-en = 같은 말을 영어로
act-number = 수
    .hint = 초당 들이는 사람과 동시에 예약하는 사람의 한도에 씁니다.
act-number-wrong = 수를 읽을 수 없습니다
    .next = 280처럼 정수로 적어 주세요.
act-freeze = 예약 중인 사람의 시간도 멈춤
act-reason = 이유
    .hint = 기록에 남으며 사람들에게 보이지 않습니다. 멈출 때는 없어도 됩니다.
act-look = 무엇이 바뀌는지 보기
act-do = 지금 하기
act-line-stops = 기다리는 { $people }명이 멈춥니다.
act-until-restart = 서버를 다시 시작하면 기다리는 { $people }명이 저절로 다시 움직입니다.
act-line-goes-on = 기다리는 { $people }명이 다시 움직입니다.
act-line-faster = { $people }명이 덜 기다립니다.
act-line-slower = { $people }명이 더 기다립니다.
act-sessions-go-on = 예약 중인 { $people }명은 계속합니다.
act-sessions-frozen = 예약 중인 { $people }명이 멈추며 시간을 잃지 않습니다.
act-sessions-thawed = 예약 중이던 { $people }명이 멈춘 곳에서 이어 합니다.
act-nobody-until = { $people }명이 나갈 때까지 부르지 않습니다.
act-more = { $people }명이 더 들어올 수 있습니다.
act-fewer = 들어올 수 있는 사람이 { $people }명 줄어듭니다.
act-told = { $people }명에게 알립니다.
act-untold = { $people }명에게 더 이상 알리지 않습니다.
act-nothing = 바뀌는 것이 없습니다.
desk-help-board =
    숫자는 길어야 1초 전의 것입니다. 서버가 스스로 하는 일과 그 이유는 캠페인 옆에 있습니다.
    조치는 먼저 몇 명에게 무엇이 바뀌는지 보여 주고, 이 화면에 나오면 이미 시행된 것입니다.
    줄을 멈추는 일은 한 계정이 언제든지 할 수 있으며 모든 일은 계정과 함께 기록에 남습니다.

## 접종기관, 시간대와 자리 이동
desk-site-list = 접종기관
site-query = 이름, 주소 또는 코드
site-province = 시·도
site-every-province = 모든 시·도
site-name = 접종기관
site-code = 코드
site-region = 지역
site-seats = 자리
site-free = 남음
site-booked = 예약
site-slots = 시간대
site-closed = 닫음
site-before = 이전 쪽
site-behind = 다음 쪽
site-days = 오늘부터의 날짜
site-no-days = 이 기관에는 오늘부터 시간대가 없습니다.
site-no-slots = 이 기관에는 이날 시간대가 없습니다.
site-list-told = 접종기관 { $sites }곳, 지금부터 일반 자리 { $seats }개 가운데 { $free }개가 남아 있습니다.
slot-past = 이미 시작함
slot-closed = 새 예약을 받지 않음
slot-used = { $seats }자리 가운데 { $used }자리 사용
slot-change = 자리나 종료 시각 바꾸기
    .hint = 자리를 늘리거나 종료 시각을 바꾸면 바로 적용됩니다. 자리를 줄이는 일은 제안이 되며 다른 계정이 승인합니다.
slot-end = 종료
slot-stop = 이 시간대 지금 닫기
    .hint = 지금부터 새 예약을 받지 않습니다. 이미 예약한 사람은 그대로이니, 그 사람들을 위한 계획과 함께 닫기를 제안하거나 전화해 주세요.
day-stop = 하루 전체 지금 닫기
slot-changed = 바꾸었습니다.
slot-stopped = 새 예약을 받지 않습니다. 이미 예약한 사람은 “자리 이동”에서 볼 수 있습니다.
weekday-1 = 월
weekday-2 = 화
weekday-3 = 수
weekday-4 = 목
weekday-5 = 금
weekday-6 = 토
weekday-7 = 일
pool-public = 일반
pool-assisted = 전화·대리
pool-partner = 협력기관
pool-walk-in = 현장
pool-later = 추후 공개
act-close = 예약자 계획과 함께 시간대 닫기
act-reopen = 닫은 시간대 다시 열기
act-hours = 운영 시간으로 시간대 만들기
act-retime = 시작 시각 바로잡기
act-minutes = 몇 분 늦게
act-minutes-hint = 30분 늦게는 30, 30분 일찍은 -30입니다.
act-split = 물량을 똑같이 나누어 열기
act-interval = 1·2차 접종 간격 바꾸기
act-sites = 접종기관
act-sites-hint = 코드를 쉼표로 나누어 넣어 주세요. 비워 두면 캠페인의 모든 기관입니다.
act-from = 첫날
act-until = 마지막 날
act-time-from = 이 시각부터
act-time-until = 이 시각 전까지
act-vaccine = 백신
act-every-vaccine = 모든 백신
act-asking = 이미 예약한 사람
asking-offered = 가까운 자리를 잡아 두고 묻기
asking-moved = 바로 옮기기
asking-telephoned = 전화하기
act-prefer = 가까운 자리
prefer-same-site = 같은 기관의 다른 날
prefer-same-day = 같은 날의 다른 기관
act-answer-until = 답할 수 있는 기한
act-unanswered = 그때까지 답하지 않은 사람
unanswered-telephoned = 제안이 끝나고 전화를 받습니다
unanswered-moved = 제안한 자리로 옮깁니다
act-reason-ko = 예약자에게 알리는 이유(한국어)
act-reason-hint = 예약자의 화면에 나옵니다. 사람의 이름을 적지 마세요.
act-reason-en = 같은 내용(영어)
act-weekdays = 요일
act-except = 쉬는 날
act-except-hint = 2021-08-16처럼 적고 쉼표로 나누어 주세요.
act-spans = 운영 시간
act-spans-hint = 09:00-12:00, 13:00-17:30처럼 적어 주세요.
act-every-min = 시간대의 길이(분)
act-at = 여는 시각
act-at-hint = 한 줄에 하나씩 2021-08-09T20:00처럼, 캠페인의 시간대로 적어 주세요.
act-rollover = 아무도 예약하지 않은 자리
rollover-next = 다음 몫과 함께 계속 열어 둡니다
rollover-last = 마지막 몫과 함께 다시 엽니다
act-days = 두 접종 사이의 날수
act-days-hint = 사흘보다 뒤에 있는 2차 접종이 그날이나 그다음 빈 날로 옮겨집니다.
propose-due = 시행 시각
    .hint = 승인된 뒤, 캠페인의 시간대로 이 시각에 시행합니다. 비워 두면 바로 시행합니다.
propose-again = 이전에 시행한 버전
proposal-steps = 열린 몫
proposal-about = 대상
call-off = 취소하기
moves-slots = 닫는 시간대
moves-holds = 끝나는 임시 자리
moves-people = 그곳에 예약한 사람
moves-found = 다른 자리를 찾은 사람
moves-other-sites = 다른 기관으로 가는 접종
moves-other-days = 다른 날로 가는 접종
moves-without = 자리를 찾지 못한 사람
moves-examples = 누가 어디로 옮기는지
moves-number = 예약
desk-relocations = 자리 이동
relocations-none = 이 캠페인에서는 자리를 옮긴 사람이 없습니다.
relocation-closure = 닫기
relocation-interval = 접종 간격 변경
relocation-moved = 옮긴 사람
relocation-offered = 묻고 답을 기다리는 사람
relocation-left = 다른 자리가 없는 사람
relocation-again = 자리 다시 찾기
    .hint = 그동안 빈 자리가 생겼을 수 있습니다.
relocation-call = 전화할 사람
relocation-call-none = 없습니다. 예약한 사람이 모두 다른 자리를 받았거나 취소했습니다.
call-name = 이름
call-phone = 전화번호
call-offered = 제안한 자리
call-reason = 이름이 필요한 이유
    .hint = 누가 왜 보았는지 기록에 영구히 남습니다. 사람의 이름을 적지 마세요.
call-show = 이름과 전화번호 보기
desk-help-sites =
    자리는 지금부터 사람들이 직접 예약할 수 있는 자리입니다.
    기관을 열면 날짜와 시간대별 모든 자리를 보고 바꾸거나 닫을 수 있습니다.
desk-help-site =
    날짜에는 모든 종류의 자리와 예약된 수가 나옵니다.
    닫아도 아무도 무엇을 잃지 않습니다. 이미 예약한 사람은 다른 자리를 받을 때까지 그대로입니다. 그래서 한 계정이 할 수 있습니다.
    예약된 수보다 적은 자리는 그 예약 번호와 함께 거절됩니다.
desk-help-relocations = 닫기와 접종 간격 변경으로 옮긴 사람, 답을 기다리는 사람, 남은 사람의 수입니다.
desk-help-relocation =
    제안을 받은 사람은 예약 화면에서 이유와 함께 그 자리를 보고, 받거나 다른 자리를 고르거나 취소할 수 있습니다.
    닫은 시간대에 아직 예약되어 있는 사람은 제안을 받은 사람까지 모두 목록에 있습니다.
desk-help-close =
    예약한 순서대로 다른 자리를 찾습니다. 두 접종 모두, 2주와 50킬로미터 안에서, 같은 종류의 자리를 찾으며 관계없는 접종은 그대로 둡니다.
    제안하기 전에 몇 명의 자리를 찾았는지 볼 수 있습니다.
    답할 기한보다 먼저 시작하는 자리로는 아무도 보내지 않습니다.
desk-help-reopen = 닫은 시간대가 다시 예약을 받습니다. 옮긴 사람은 그대로입니다.
desk-help-hours = 운영 시간으로 시간대 파일을 만들며 다른 파일처럼 제안합니다. 이미 있는 시간대는 이 자리 수로 바뀝니다.
desk-help-retime =
    시간을 닫고 같은 자리 수로 다른 시각에 새로 만듭니다. 예약한 사람은 바로 함께 옮겨지고 이유를 봅니다.
    2차 접종일의 시각도 같은 방법으로 바로잡으세요. 1차 시간은 같은 시각의 2차가 있어야 예약할 수 있습니다.
desk-help-split =
    승인하면 아무도 예약하지 않은 자리를 거두어들이고, 시각마다 모든 시간대에서 똑같은 몫을 엽니다.
    나누어떨어지지 않는 자리는 시간대마다 다른 몫에 들어갑니다.
desk-help-interval = 캠페인 파일의 간격을 바꾸어 제안합니다. 새 날짜에 시간대가 있어야 하며, 자리를 찾지 못할 사람을 미리 볼 수 있습니다.

## 기관이 바꾼 예약
agency-closed = 예약하신 대로 접종할 수 없게 되었습니다
agency-offer = { $until }까지 다른 자리를 잡아 두었습니다.
agency-offer-final = 답하지 않으시면 그 자리로 예약이 옮겨집니다.
agency-offer-ends = 답하지 않으시면 전화를 드립니다.
agency-kept = { $at }에 자리를 잡아 두었습니다.
agency-other = 다른 시간을 살펴보셔도 됩니다. 다른 시간으로 예약을 확정하실 때까지 그대로 잡아 둡니다.
agency-take = 잡아 둔 자리 보기
agency-no-offer = 아래에서 다른 시간을 고르시거나 전화를 기다려 주세요.
agency-moved = { $at }에 예약을 옮겨 드렸습니다
agency-before = 옮기기 전의 예약:
agency-interval = 두 접종 사이의 간격이 { $before }일에서 { $days }일로 바뀌었습니다.
proof-relocated = { $at }에 기관이 옮김

## 두 사람의 확인이 필요한 명단·키·로고
proposal-called-off = 취소됨
proposal-seen = 승인할 때의 변경 내용
kind-roster = 대상자 명단
kind-keys = 키
kind-agency-logo = 로고가 있는 기관의 안내문
kind-agency-again = 이전에 쓰던 기관의 안내문
propose-more = 파일로 제안하거나 내용 없이 제안
roster-file = 명단 파일
    .hint = 명령줄로 가져올 때와 같은 CSV나 .xlsx입니다. 받는 동안 봉인되고, 제안이 끝나면 지워집니다.
roster-encoding = 문자 인코딩
    .auto = 파일에 표시된 대로, 없으면 UTF-8
roster-country = 국가번호가 없는 전화번호의 국가
roster-sealed = 봉인된 파일의 SHA-256
roster-sent = 보낸 파일의 SHA-256
roster-people = 사람
roster-added = 새로 추가
roster-changed = 변경
roster-gone = 명단에서 빠짐
roster-lose = 남아 있지만 자격을 잃음
roster-booked = 빠지거나 자격을 잃는 사람 가운데 예약이 있고 유지됨
roster-waiting = 그 가운데 대기 순번이 있음
roster-name = 이름이 바뀜
roster-phone = 전화번호가 바뀜
roster-birth-date = 생년월일이 바뀜
roster-region = 지역이 바뀜
roster-groups = 대상군이 바뀜
roster-groups-moved = 대상군 사이의 이동
roster-new-code = 예전에 다른 예약번호였던 사람
roster-same-person = 한 사람에게 번호가 둘인 것처럼 보이는 줄
roster-same-lines = 서로 같은 줄
roster-undecided = 예전 번호가 있을 수 있는 줄
roster-erased-back = 지웠던 이름이 다시 저장됨
keys-which = 바꿀 키
keys-tokens = 순번과 접속: 새 키로 바꾸고 모두 그대로 이용
keys-tokens-revoked = 순번과 접속: 새 키로 바꾸고 모두 다시 확인
keys-heads = 기록에 서명하는 키
keys-names = 이름과 전화번호의 키
keys-names-forgotten = 쓰지 않는 이름 키 지우기
logo-file = 로고
    .hint = 16 KiB까지의 SVG나 24 KiB까지의 PNG입니다. 내용의 [agency]에 logo = "logo.svg"처럼 적습니다.
    .kept = 보낸 파일을 그대로 씁니다. 바꾸려면 다른 파일을 고르세요.
desk-help-roster =
    명단은 한 계정이 제안하고 다른 계정이 승인해야 시행됩니다. 누가 추가·변경되고 빠지며 언제 예약할 수 있는지 먼저 숫자로 봅니다.
    명단에서 빠진 사람은 새로 예약할 수 없지만 이미 한 예약은 유지됩니다. 승인하는 사람은 빠지거나 자격을 잃는 사람 수를 입력합니다.
    이름과 생년월일은 기록에 남지 않습니다. 파일은 결정될 때까지 이 서버에 봉인되어 있다가 지워지며, 백업에서 복구한 서버에는 없습니다.
desk-help-key-changes =
    키는 서비스를 멈추지 않고 두 계정의 확인으로 바꿉니다.
    예약번호의 키는 바꿀 수 없습니다. 서비스 관리자가 키를 넘겨주는 곳에서는 기록과 이름의 키를 서버를 멈춘 뒤 명령줄로 바꿉니다.
desk-help-logo =
    안내문과 로고 파일을 함께 제안합니다. 그림은 파일에서 새로 만들어지므로 다른 것이 함께 들어가지 않습니다.
    승인하는 사람은 제안 페이지에서 그림을 봅니다.
