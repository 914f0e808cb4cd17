// The waiting room, better than by refreshing: asks for the figures alone, at the pace that the
// server tells, and lets the server draw the page anew when anything but a figure has changed.
// It never asks sooner than it was told, whatever the tab does.
const own = document.getElementById('own');
const at = (id) => document.getElementById(id);
const words = at('main').dataset;
const { api } = words;
const state = own.dataset.state;
const count = new Intl.NumberFormat('en-US');
const network = at('network');
const LONGEST_S = 300;
let timer;
let due = 0;
let failed = 0;
let announced = performance.now();

const arm = () => {
  clearTimeout(timer);
  timer = setTimeout(ask, Math.max(0, due - performance.now()));
};
const seconds = (s) => { due = performance.now() + s * 1000; arm(); };
// Timers of a hidden tab are late: what is due is asked for when somebody looks, nothing sooner.
const look = () => { if (document.visibilityState === 'visible') arm(); };
const figure = (id, value) => {
  const shown = at(id);
  if (shown) shown.textContent = shown.textContent.replace(/[\d,]+/, count.format(value));
};
// In the server's words: minutes, or from two hours on hours.
const LONG_MIN = 120;
const put = (pattern, values) => pattern.replace(/{(\w+)}/g, (_, name) => values[name]);
const minutes = (s) => Math.max(1, Math.ceil(s / 60));
const span = (n) => (n < LONG_MIN ? put(words.minutes, { n })
  : put(words.hours, { h: Math.floor(n / 60), m: n % 60 }));
function wording([low, high]) {
  if (high >= LONG_MIN) return put(words.long, { low: span(low), high: span(high) });
  return low === high ? put(words.one, { n: low }) : put(words.range, { low, high });
}

// Longer after each failure, never shorter than the server said, and not all at the same moment.
function later(told) {
  failed += 1;
  const grown = Math.min(5 * 2 ** (failed - 1), LONGEST_S);
  seconds(Math.max(told, grown) * (1 + Math.random() / 2));
}

async function ask() {
  let told = 0;
  try {
    const answer = await fetch(api + '/place');
    told = Number(answer.headers.get('Retry-After')) || 0;
    if (answer.status === 429 || answer.status >= 500) throw new Error('later');
    if (!answer.ok) return location.reload();
    const { place, paused, as_of, message } = await answer.json();
    failed = 0;
    network.textContent = '';
    const window = place.state === 'window' ? place.window[0] : '';
    const now = window ? 'window' : paused ? 'paused' : place.late ? 'waiting' : place.state;
    const same = now === state && window === own.dataset.window && (place.wait_because ?? '') === own.dataset.because
      && !!place.may_not_reach === !!at('ends')
      && (message ?? '') === (at('message')?.textContent ?? '');
    if (!same) return location.reload();
    draw(place, as_of);
    seconds(place.next_poll_s);
  } catch {
    network.textContent = network.dataset.lost;
    later(told);
  }
}

function draw(place, as_of) {
  figure('number', place.number);
  figure('ahead', place.ahead);
  at('as-of').textContent = as_of.slice(11, 19);
  const wait = at('wait');
  if (wait) {
    wait.textContent = wording(place.wait_s.map(minutes));
  }
  const bar = at('bar');
  if (bar) { bar.max = place.number; bar.value = Math.max(0, place.number - place.ahead); }
  // Spoken at most once a minute, so that a screen reader is not talked over.
  if (wait && performance.now() - announced > 60000) {
    announced = performance.now();
    const figures = [at('ahead').textContent, wait.textContent];
    at('announce').textContent = figures.join(' · ');
  }
}

if (state === 'admitted') {
  // In front of somebody's eyes it goes in by itself; in the background it waits to be looked at.
  // Whoever was sent back here a moment ago tries again when the server said, not at once.
  const WENT = 'sumun-went';
  const went = Number(sessionStorage.getItem(WENT)) || 0;
  const again = Date.now() - went < 60000 ? Number(own.dataset.poll) * 1000 : 1500;
  const ready = performance.now() + again;
  let gone = false;
  const go = () => {
    if (gone || document.visibilityState !== 'visible' || performance.now() < ready) return;
    gone = true;
    sessionStorage.setItem(WENT, Date.now());
    at('admit').requestSubmit();
  };
  setTimeout(go, again);
  document.addEventListener('visibilitychange', go);
} else {
  seconds(Number(own.dataset.poll));
  document.addEventListener('visibilitychange', look);
  // Not all at once when a network comes back.
  addEventListener('online', () => { if (failed > 0) seconds(1 + Math.random() * 10); });
}
const print = at('print');
if (print) {
  print.hidden = false;
  print.addEventListener('click', () => globalThis.print());
}
addEventListener('pageshow', (event) => { if (event.persisted) location.reload(); });
