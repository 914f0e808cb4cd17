// The waiting room, better than by refreshing: asks for the figures alone, at the pace that the
// server tells, and puts the page that the server draws in place of what is shown when anything but
// a figure has changed. It never asks sooner than it was told, whatever the tab does.
const at = (id) => document.getElementById(id);
const words = at('main').dataset;
const { api } = words;
const { lang } = document.documentElement;
const count = new Intl.NumberFormat('en-US');
const network = at('network');
const LONGEST_S = 300;
let own = at('own');
let timer;
let due = 0;
let failed = 0;
let asking = false;
let announced = performance.now();

// What people wish, kept on this device.
const WISHES = ['by-itself', 'sound', 'vibration'];
const kept = (key) => { try { return localStorage.getItem('sumun-' + key); } catch { return null; } };
const keep = (key, value) => { try { localStorage.setItem('sumun-' + key, value); } catch { /* private */ } };
const wishes = (key) => at(key).checked;
let tones;
// A browser lets a page sound only after its person has pressed something.
const unlock = () => {
  if (wishes('sound')) tones ??= new (globalThis.AudioContext ?? globalThis.webkitAudioContext)();
  tones?.resume();
};
function ring() {
  if (wishes('vibration')) navigator.vibrate?.([300, 150, 300, 150, 300]);
  if (!wishes('sound') || !tones) return;
  [0, 0.3, 0.6].forEach((after) => {
    const tone = tones.createOscillator();
    const loud = tones.createGain();
    loud.gain.value = 0.2;
    tone.frequency.value = 880;
    tone.connect(loud).connect(tones.destination);
    tone.start(tones.currentTime + after);
    tone.stop(tones.currentTime + after + 0.18);
  });
}
for (const key of WISHES) {
  const box = at(key);
  if (kept(key)) box.checked = kept(key) === 'yes';
  if (key === 'vibration' && !navigator.vibrate) box.parentElement.hidden = true;
  box.addEventListener('change', () => {
    keep(key, box.checked ? 'yes' : 'no');
    if (key === 'by-itself') enters();
    else { unlock(); if (box.checked) ring(); }
  });
}
addEventListener('pointerdown', unlock);
addEventListener('keydown', unlock);

const arm = () => {
  clearTimeout(timer);
  if (asking) return;
  timer = setTimeout(ask, Math.max(0, due - performance.now()));
};
const seconds = (s) => { due = performance.now() + s * 1000; arm(); };
// Timers of a hidden tab are late: what is due is asked for when somebody looks, nothing sooner.
const look = () => { if (document.visibilityState === 'visible' && state() !== 'admitted') arm(); };
const state = () => own.dataset.state;
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
const lost = (said) => { network.hidden = !said; network.textContent = said ?? ''; };

async function ask() {
  const later_s = (answer) => Number(answer.headers.get('Retry-After')) || 0;
  const is_busy = (answer) => answer.status === 429 || answer.status >= 500;
  let told = 0;
  asking = true;
  try {
    const answer = await fetch(api + '/place');
    told = later_s(answer);
    if (is_busy(answer)) throw new Error('later');
    if (!answer.ok) return location.reload();
    const { place, paused, as_of, message, message_en } = await answer.json();
    failed = 0;
    lost();
    const window = place.state === 'window' ? place.window[0] : '';
    const now = window ? 'window' : paused ? 'paused' : place.late ? 'waiting' : place.state;
    const said = (lang === 'ko' ? message : message_en ?? message) ?? '';
    const same = now === state() && window === own.dataset.window
      && (place.wait_because ?? '') === own.dataset.because
      && !!place.may_not_reach === !!at('ends')
      && said === (at('message')?.textContent ?? '');
    if (same) {
      asking = false;
      draw(place, as_of);
      return seconds(place.next_poll_s);
    }
    const drawn = await fetch(location.href, { redirect: 'manual' });
    told = later_s(drawn);
    if (is_busy(drawn)) throw new Error('later');
    if (!drawn.ok) return location.reload();
    const text = await drawn.text();
    asking = false;
    show(text);
  } catch {
    asking = false;
    lost(network.dataset.lost);
    later(told);
  }
}

// The page as the server draws it now: what is chosen, and the right to sound, stay.
function show(text) {
  const made = new DOMParser().parseFromString(text, 'text/html');
  const fresh = made.getElementById('own');
  if (!fresh) return location.reload();
  own.replaceWith(document.adoptNode(fresh));
  own = at('own');
  for (const id of ['headline', 'may']) at(id).replaceWith(document.adoptNode(made.getElementById(id)));
  document.title = made.title;
  begins();
  if (state() === 'admitted') {
    ring();
    at('headline').tabIndex = -1;
    at('headline').focus();
  }
}

function draw(place, as_of) {
  figure('number', place.number);
  figure('ahead', place.ahead);
  at('as-of').textContent = as_of.slice(11, 19);
  const wait = at('wait');
  if (wait) wait.textContent = place.ahead ? wording(place.wait_s.map(minutes)) : words.front;
  const bar = at('bar');
  if (bar) { bar.max = place.number; bar.value = Math.max(0, place.number - place.ahead - 1); }
  // Spoken at most once a minute, so that a screen reader is not talked over.
  if (wait && performance.now() - announced > 60000) {
    announced = performance.now();
    const told = { ahead: at('ahead').textContent, wait: wait.textContent };
    at('announce').textContent = put(words.announce, told);
  }
}

// Once a second: when the next look is.
setInterval(() => {
  const next = at('next');
  if (!next || state() === 'admitted') return;
  const left = Math.ceil((due - performance.now()) / 1000);
  next.textContent = !asking && left > 0 ? put(words.next, { s: left }) : words.looking;
}, 1000);

// In front of somebody's eyes it goes in by itself, if they wish; in the background it waits to be
// looked at. Whoever was sent back here a moment ago tries again when the server said, not at once.
const WENT = 'sumun-went';
const AFTER_MS = 3000;
let goes = 0;
let gone = false;
function enters() {
  const shown = at('entering');
  if (!shown) return;
  if (!wishes('by-itself')) { goes = 0; shown.textContent = ''; return; }
  const went = Number(sessionStorage.getItem(WENT)) || 0;
  const again = Date.now() - went < 60000 ? Number(own.dataset.poll) * 1000 : 0;
  goes = performance.now() + Math.max(again, AFTER_MS);
  step();
}
function step() {
  const shown = at('entering');
  if (!shown || !goes || gone) return;
  const left = Math.max(0, Math.ceil((goes - performance.now()) / 1000));
  shown.textContent = put(words.entering, { s: left });
  if (left > 0) return setTimeout(step, 1000 - (performance.now() % 1000));
  if (document.visibilityState !== 'visible') return;
  gone = true;
  sessionStorage.setItem(WENT, Date.now());
  at('admit').requestSubmit();
}
// The next page begins at its content.
addEventListener('submit', () => { try { sessionStorage.setItem('sumun-step', '1'); } catch { /* private */ } });

function begins() {
  const print = at('print');
  if (print) { print.hidden = false; print.onclick = () => globalThis.print(); }
  clearTimeout(timer);
  goes = 0;
  if (state() === 'admitted') return enters();
  seconds(Number(own.dataset.poll));
}
at('wishes').hidden = state() === 'window';
begins();
document.addEventListener('visibilitychange', () => { look(); step(); });
// Not all at once when a network comes back.
addEventListener('online', () => { if (failed > 0) seconds(1 + Math.random() * 10); });
addEventListener('pageshow', (event) => { if (event.persisted) location.reload(); });
