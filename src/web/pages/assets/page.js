// Every page works without this. With it, what cannot be right is told before it is sent, and a
// form survives a lost network: what was typed stays, and it is sent again by itself. It decides
// nothing: the server's answer is what is shown.
const words = document.getElementById('network')?.dataset ?? {};
const wait = (ms) => new Promise((done) => setTimeout(done, ms));

// A page from the browser's own store may be out of date: where a person is, the server knows.
addEventListener('pageshow', (event) => { if (event.persisted) location.reload(); });

// What is going on with a form, told under its button and on it.
function teller(form, button) {
  let told = form.querySelector('.told');
  if (!told) {
    told = document.createElement('p');
    told.className = 'told';
    told.setAttribute('role', 'status');
    (button ?? form.lastElementChild).after(told);
  }
  const label = button?.textContent;
  const typed = form.querySelector('input:not([type=hidden])');
  return {
    say: (text) => { told.textContent = text ?? ''; },
    lost: () => { told.textContent = typed ? `${words.lost} ${words.kept}` : words.lost; },
    doing: (yes) => {
      if (!button?.dataset.doing) return;
      button.textContent = yes ? button.dataset.doing : label;
    },
  };
}

async function send(form, button) {
  const body = new URLSearchParams(new FormData(form, button));
  const tell = teller(form, button);
  const slow = setTimeout(() => tell.say(words.sending), 1500);
  const apart = () => 1 + Math.random() / 2;
  tell.doing(true);
  if (!navigator.onLine) tell.lost();
  let put_off = 1;
  for (let pause = 1000; ; pause = Math.min(pause * 2, 60000)) {
    try {
      // The server names the next page instead of leading there: it is loaded once.
      const answer = await fetch(form.action, { method: 'POST', body, headers: { 'Sumun-Script': '1' } });
      const text = await answer.text();
      clearTimeout(slow);
      // Put off by a busy server: what was typed stays, and it is sent again when it said, and
      // later each time.
      if (answer.status === 503 && text.includes('data-code="overloaded"')) {
        tell.say(words.busy);
        const told = Number(answer.headers.get('Retry-After')) || 5;
        await wait(Math.min(told * put_off, Math.max(told, 300)) * 1000 * apart());
        put_off *= 2;
        continue;
      }
      tell.say(pause > 1000 ? words.back : '');
      const next = answer.headers.get('Sumun-Location');
      if (next) return goes(next);
      tell.doing(false);
      return show(text);
    } catch {
      clearTimeout(slow);
      tell.lost();
      await wait(pause * apart());
    }
  }
}

// A step further: whoever uses a keyboard or a screen reader begins the next page at its content.
const STEP = 'sumun-step';
function stepped() { try { sessionStorage.setItem(STEP, '1'); } catch { /* private */ } }
function goes(next) {
  stepped();
  location.assign(next);
}
addEventListener('click', (event) => { if (event.target.closest?.('main a[href]')) stepped(); });
function arrived() {
  try {
    if (sessionStorage.getItem(STEP)) document.getElementById('main').focus({ preventScroll: true });
    sessionStorage.removeItem(STEP);
  } catch { /* private */ }
}

// A refusal takes the place of what is shown.
function show(text) {
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

// A code: ten of Crockford's letters, the last of which is the value of the others modulo 37.
const LETTERS = '0123456789ABCDEFGHJKMNPQRSTVWXYZ*~$=U';
function isCode(text) {
  const plain = text.normalize('NFKC').toUpperCase().replace(/[\s\p{Pd}\p{Cf}]/gu, '')
    .replace(/O/g, '0').replace(/[IL]/g, '1');
  const values = [...plain].map((letter) => LETTERS.indexOf(letter));
  if (values.length !== 10 || values.slice(0, 9).some((v) => v < 0 || v > 31)) return false;
  const rest = values.slice(0, 9).reduce((sum, v) => (sum * 32 + v) % 37, 0);
  return rest === values[9];
}
function isDate(text) {
  const plain = text.normalize('NFKC').replace(/\p{Cf}/gu, '').trim();
  const [, y, m, d] = plain.match(/^(\d{4})(\d\d)(\d\d)$/)
    ?? plain.match(/^(\d{4})\D+(\d{1,2})\D+(\d{1,2})\D*$/) ?? [];
  const date = new Date(Date.UTC(y, m - 1, d));
  return date.getUTCMonth() === m - 1 && date.getUTCDate() === Number(d);
}
// What is surely wrong with a field, in the server's words.
function fault(field) {
  const { kind, how, missing } = field.dataset;
  if (kind === 'check') return field.checked ? null : missing;
  const text = field.value.trim();
  if (!text) return missing ?? how ?? words.missing;
  if (kind === 'code' && !isCode(text)) return how;
  if (kind === 'date' && !isDate(text)) return how;
  return null;
}
// Tells it beside the field, before anything is sent.
function checks(form) {
  let first;
  for (const field of form.querySelectorAll('[data-kind]')) {
    const told = fault(field);
    const id = field.id + '-error';
    document.getElementById(id)?.remove();
    field.closest('.field')?.classList.toggle('fault', !!told);
    const described = (field.getAttribute('aria-describedby') ?? '').split(' ')
      .filter((one) => one && one !== id);
    if (told) {
      const error = document.createElement('p');
      Object.assign(error, { className: 'error', id, textContent: told });
      (field.closest('label') ?? field).before(error);
      field.ariaInvalid = 'true';
      described.push(id);
      first ??= field;
    } else field.removeAttribute('aria-invalid');
    if (described.length) field.setAttribute('aria-describedby', described.join(' '));
  }
  first?.focus();
  return !first;
}

addEventListener('submit', (event) => {
  const form = event.target;
  if (form.method !== 'post') return;
  event.preventDefault();
  if (form.ariaBusy === 'true' || !checks(form)) return;
  form.ariaBusy = 'true';
  send(form, event.submitter).finally(() => { form.ariaBusy = 'false'; });
});

// How long a hold lasts comes from the server as seconds; a steady clock counts them down.
function countdown(shown) {
  shown.hidden = false;
  const end = performance.now() + shown.dataset.left * 1000;
  const pattern = shown.textContent;
  const soon = document.getElementById('soon');
  const step = () => {
    if (!shown.isConnected) return;
    const left = Math.max(0, Math.ceil((end - performance.now()) / 1000));
    let part = 0;
    const parts = [Math.floor(left / 60), String(left % 60).padStart(2, '0')];
    shown.textContent = pattern.replace(/\d+/g, () => parts[part++] ?? '');
    const early = left > 60 || left === 0;
    if (soon && soon.hidden !== early) soon.hidden = early;
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
  const copy = document.getElementById('copy');
  if (copy && navigator.clipboard) {
    copy.hidden = false;
    copy.onclick = async () => {
      await navigator.clipboard.writeText(document.getElementById('facts').innerText);
      document.getElementById('copied').textContent = copy.dataset.done;
    };
  }
  const share = document.getElementById('share');
  if (share && navigator.share) {
    share.hidden = false;
    share.onclick = () => navigator.share({ text: document.getElementById('facts').innerText })
      .catch(() => {});
  }
  const again = document.querySelector('form[data-retry]');
  if (again) setTimeout(() => { if (again.isConnected) again.requestSubmit(); }, again.dataset.retry * 1000 * (1 + Math.random() / 2));
  document.getElementById('summary')?.focus();
}
arrived();
ready();
