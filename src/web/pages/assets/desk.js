// Every page of the desk works without this. What was wrong is read out first.
document.getElementById('summary')?.focus();

// A page from the browser's own store may be out of date.
addEventListener('pageshow', (event) => { if (event.persisted) location.reload(); });
