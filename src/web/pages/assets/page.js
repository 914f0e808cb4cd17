// Every page works without this. With it, a form survives a lost network: what was typed stays, and
// it is sent again by itself. It decides nothing: the server's answer is what is shown.
const network = document.getElementById('network');
const wait = (ms) => new Promise((done) => setTimeout(done, ms));
const say = (text) => { if (network) network.textContent = text ?? ''; };

// A page from the browser's own store may be out of date: where a person is, the server knows.
addEventListener('pageshow', (event) => { if (event.persisted) location.reload(); });

async function send(form, button) {
  const body = new URLSearchParams(new FormData(form, button));
  const slow = setTimeout(() => say(network?.dataset.sending), 1500);
  const apart = () => 1 + Math.random() / 2;
  let put_off = 1;
  for (let pause = 1000; ; pause = Math.min(pause * 2, 60000)) {
    try {
      const answer = await fetch(form.action, { method: 'POST', body });
      const text = await answer.text();
      clearTimeout(slow);
      // Put off by a busy server: what was typed stays, and it is sent again when it said, and
      // later each time.
      if (answer.status === 503 && text.includes('data-code="overloaded"')) {
        say(network?.dataset.busy);
        const told = Number(answer.headers.get('Retry-After')) || 5;
        await wait(Math.min(told * put_off, Math.max(told, 300)) * 1000 * apart());
        put_off *= 2;
        continue;
      }
      say(pause > 1000 ? network?.dataset.back : '');
      return show(answer, text);
    } catch {
      clearTimeout(slow);
      say(network?.dataset.lost);
      await wait(pause * apart());
    }
  }
}

// The way on is a real step of the browser's; a refusal takes the place of what is shown.
function show(answer, text) {
  if (answer.redirected) return location.assign(answer.url);
  const made = new DOMParser().parseFromString(text, 'text/html');
  const main = made.querySelector('main');
  if (!main) return location.reload();
  document.title = made.title;
  document.querySelector('main').replaceWith(document.adoptNode(main));
  ready();
  const first = document.getElementById('summary') ?? document.getElementById('main');
  first.focus();
  scrollTo(0, 0);
}

addEventListener('submit', (event) => {
  const form = event.target;
  if (form.method !== 'post') return;
  event.preventDefault();
  if (form.ariaBusy === 'true') return;
  form.ariaBusy = 'true';
  send(form, event.submitter).finally(() => { form.ariaBusy = 'false'; });
});

// How long a hold lasts comes from the server as seconds; a steady clock counts them down.
function countdown(shown) {
  shown.hidden = false;
  const end = performance.now() + shown.dataset.left * 1000;
  const words = shown.textContent;
  const step = () => {
    if (!shown.isConnected) return;
    const left = Math.max(0, Math.ceil((end - performance.now()) / 1000));
    let part = 0;
    const parts = [Math.floor(left / 60), String(left % 60).padStart(2, '0')];
    shown.textContent = words.replace(/\d+/g, () => parts[part++] ?? '');
    if (left > 0) return setTimeout(step, 1000 - (performance.now() % 1000));
    document.getElementById('ended').hidden = false;
    setTimeout(() => location.reload(), 3000);
  };
  step();
}

function ready() {
  const shown = document.getElementById('countdown');
  if (shown) countdown(shown);
  const print = document.getElementById('print');
  if (print) { print.hidden = false; print.onclick = () => window.print(); }
  const again = document.querySelector('form[data-retry]');
  if (again) setTimeout(() => { if (again.isConnected) again.requestSubmit(); }, again.dataset.retry * 1000 * (1 + Math.random() / 2));
  document.getElementById('summary')?.focus();
}
ready();
