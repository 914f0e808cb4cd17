// The waiting room, better than by refreshing: asks for the figures alone, at the pace that the
// server tells, and lets the server draw the page anew when anything but a figure has changed.
const own = document.getElementById('own');
const at = (id) => document.getElementById(id);
const api = at('main').dataset.api;
const state = own.dataset.state;
const count = new Intl.NumberFormat('en-US');
const network = at('network');
let timer;
let announced = performance.now();

const seconds = (s) => { clearTimeout(timer); timer = setTimeout(ask, s * 1000); };
const figure = (id, value) => {
  const shown = at(id);
  if (shown) shown.textContent = shown.textContent.replace(/[\d,]+/, count.format(value));
};
// When it is worded in another way (hours, one number), the server words it.
const minutes = (s) => Math.max(1, Math.ceil(s / 60));

async function json(path) {
  const answer = await fetch(api + path);
  if (answer.status === 429 || answer.status >= 500) throw new Error('later');
  return answer.ok ? answer.json() : null;
}

async function ask() {
  try {
    const [place, board] = await Promise.all([json('/place'), json('/board')]);
    network.textContent = '';
    const paused = board?.state === 'paused' && place?.place.state !== 'admitted';
    const now = paused ? 'paused' : place?.place.state;
    const message = board?.message ?? '';
    const because = place?.place.wait_because ?? '';
    const same = place && now === state && because === own.dataset.because;
    if (!same || message !== (at('message')?.textContent ?? '')) {
      return location.reload();
    }
    draw(place.place, board);
    seconds(place.place.next_poll_s);
  } catch {
    network.textContent = network.dataset.lost;
    seconds(5 + Math.random() * 10);
  }
}

function draw(place, board) {
  figure('number', place.number);
  figure('ahead', place.ahead);
  at('as-of').textContent = board.as_of.slice(11, 19);
  const wait = at('wait');
  if (wait) {
    const [low, high] = place.wait_s.map(minutes);
    const shown = wait.textContent.match(/\d+/g).length;
    if (high >= 120 || shown !== (low === high ? 1 : 2)) return location.reload();
    const parts = [low, high];
    wait.textContent = wait.textContent.replace(/\d+/g, () => parts.shift());
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
  const go = () => { if (document.visibilityState === 'visible') at('admit').requestSubmit(); };
  setTimeout(go, 1500);
  document.addEventListener('visibilitychange', go);
} else {
  seconds(Number(own.dataset.poll));
  document.addEventListener('visibilitychange', () => {
    if (document.visibilityState === 'visible') ask();
  });
  addEventListener('online', ask);
}
addEventListener('pageshow', (event) => { if (event.persisted) location.reload(); });
