// Every page of the desk works without this. What was wrong is read out first.
document.getElementById('summary')?.focus();

// A page from the browser's own store may be out of date.
addEventListener('pageshow', (event) => { if (event.persisted) location.reload(); });

// A text can come from a file: it is put into the field, where it can be read before it is sent.
for (const file of document.querySelectorAll('input[type=file][data-into]')) {
  file.hidden = false;
  file.addEventListener('change', async () => {
    const into = document.getElementById(file.dataset.into);
    if (file.files[0]) into.value = await file.files[0].text();
  });
}

// The board goes on by itself: figures in place, once a second, and the charts now and then.
const board = document.getElementById('board');
if (board) {
  const lost = document.getElementById('lost');
  let known;
  const put = (element, value) => {
    if (value === undefined || value === null) return;
    const text = typeof value === 'number' && !Number.isInteger(value) ? value.toFixed(1) : `${value}`;
    if (element.textContent !== text) element.textContent = text;
  };
  const at = (object, path) => path.split('.').reduce((part, name) => part?.[name], object);
  const events = new EventSource('/api/desk/v1/board/events');
  events.addEventListener('board', (event) => {
    const now = JSON.parse(event.data);
    lost.textContent = '';
    // What is set has changed: the page is made anew, unless somebody is typing.
    const set = JSON.stringify([now.campaigns.map((c) => [c.state, c.message, c.controller.rate_set_per_s, c.active_max]), now.openings.map((o) => [o.from, o.state])]);
    const is_typing = document.activeElement?.closest('form');
    if (known && set !== known && !is_typing && location.pathname.endsWith('/board')) location.reload();
    known ??= set;
    for (const element of board.querySelectorAll('[data-at]')) put(element, at(now, element.dataset.at));
    const rows = document.querySelectorAll('#openings tbody tr');
    now.openings.forEach((opening, row) => {
      for (const cell of rows[row]?.querySelectorAll('[data-of]') ?? []) put(cell, opening[cell.dataset.of]);
    });
  });
  events.addEventListener('error', () => { lost.textContent = board.dataset.lost; });
  setInterval(async () => {
    for (const chart of board.querySelectorAll('[data-chart]')) {
      // Figures that somebody points at stay.
      if (chart.matches(':hover')) continue;
      const answer = await fetch(`/api/desk/v1/board/charts/${chart.dataset.chart}.svg?span=${chart.dataset.span}`, { headers: { 'Accept-Language': document.documentElement.lang } }).catch(() => null);
      if (!answer?.ok) continue;
      const drawn = new DOMParser().parseFromString(await answer.text(), 'image/svg+xml').documentElement;
      if (drawn.localName === 'svg') chart.replaceChildren(document.importNode(drawn, true));
    }
  }, 10000);
}
document.getElementById('asked')?.focus();
